package xmlformat_test

import (
	"strings"
	"testing"

	"salus/fhir"
	"salus/fhir/spec"
	"salus/fhir/xmlformat"
)

// XML 1.0 §2.11: the end of a line is a line feed, however the text has it. What
// JSON has as a carriage return stays one.
func TestNarrative_EndsOfLines(t *testing.T) {
	t.Parallel()
	format := xmlformat.New(spec.R4())
	div := func(b []byte) string {
		t.Helper()
		d, err := fhir.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Release()
		return strings.Clone(d.Root().Path("text", "div").Text())
	}
	const start, end = `<div xmlns="http://www.w3.org/1999/xhtml">`, `</div>`
	read, err := format.JSON(nil, []byte("<Patient xmlns=\"http://hl7.org/fhir\"><text><status value=\"generated\"/>"+start+"a\r\nb\rc"+end+"</text></Patient>"))
	if err != nil {
		t.Fatal(err)
	}
	if got := div(read); got != start+"a\nb\nc"+end {
		t.Errorf("read as %q", got)
	}
	d, err := fhir.Parse([]byte(`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a\r\nb</div>"}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Release()
	text, err := format.Append(nil, d.Root(), false)
	if err != nil {
		t.Fatal(err)
	}
	again, err := format.JSON(nil, text)
	if err != nil {
		t.Fatal(err)
	}
	if got := div(again); got != start+"a\r\nb"+end {
		t.Errorf("comes back as %q", got)
	}
}
