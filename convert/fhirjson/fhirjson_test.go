package fhirjson_test

import (
	"strings"
	"testing"
	"time"

	"salus/convert"
	"salus/convert/fhirjson"
	"salus/convert/jsontext"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const in = `{"at":"2025-03-04T05:06:07Z","n":1.10,"big":123456789012345678901,"list":[1,"x",null]} // done`
	v, err := fhirjson.Parse([]byte(in), false)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"at":"2025-03-04T05:06:07Z","n":1.1,"big":123456789012345678901,"list":[1,"x",null]}`
	if got, err := jsontext.Append(nil, v, 0); err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	m := v.(*convert.Map)
	if at, _ := m.Get("at"); at != "2025-03-04T05:06:07Z" {
		t.Errorf("a date became %T", at)
	}
	if l, _ := m.Get("list"); !l.(*convert.List).Fixed {
		t.Error("an array is a list that filters may change")
	}
	if v, err = fhirjson.Parse([]byte(in), true); err != nil {
		t.Fatal(err)
	}
	if at, _ := v.(*convert.Map).Get("at"); at != time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC) {
		t.Errorf("with dates, one is %v", at)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "{", "Invented", `{"Invented" 1}`, `{"a":"Invented`} {
		_, err := fhirjson.Parse([]byte(in), false)
		if !convert.Is(err, convert.InputParsingError) || strings.Contains(err.Error(), "Invented") {
			t.Errorf("%q: got %v", in, err)
			continue
		}
		if cause := err.(*convert.Error).Cause; !convert.Is(cause, convert.JSONParsingError) {
			t.Errorf("%q: caused by %v", in, cause)
		}
	}
}

func TestHL7v2(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"the bar of a header is its first field", `[{"MSH":{"2":"^~\\&","9":"ORU^R01"}}]`, "MSH|^~\\&|||||||ORU^R01|\n"},
		{"and what is given for it does not count", `[{"FHS":{"1":"#","2":"^~\\&"}},{"BHS":{"1":"#"}}]`, "FHS|^~\\&|\nBHS|\n"},
		{"fields that are not named are empty", `[{"PID":{"3":"M1","5":"A^B"}}]`, "PID|||M1||A^B|\n"},
		{"in the order of their numbers", `[{"OBX":{"3":"c","1":"a"}}]`, "OBX|a||c|\n"},
		{"an id in lower case", `[{"pid":{"1":"1"}},{"zzz":{}}]`, "PID|1|\nZZZ|\n"},
		{"values that are no texts", `[{"OBX":{"1":5,"2":1.5,"3":2.0,"4":true,"5":null,"6":123456789012345678901}}]`, "OBX|5|1.5|2|True||123456789012345678901|\n"},
		{"only the first member is the segment", `[{"PID":{"1":"1"},"NK1":{"1":"2"}}]`, "PID|1|\n"},
		{"no segments", `[]`, ""},
	} {
		got, err := fhirjson.HL7v2([]byte(`{"messageDefinition":` + c.in + `}`))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

func TestHL7v2Refuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{`, `[]`, `{}`, `{"messageDefinition":{}}`, `{"messageDefinition":["x"]}`, `{"messageDefinition":[{}]}`, `{"messageDefinition":[{"PIDX":{}}]}`,
		`{"messageDefinition":[{"PID":"Invented"}]}`, `{"messageDefinition":[{"PID":{"0":"Invented"}}]}`, `{"messageDefinition":[{"PID":{"Invented":"x"}}]}`,
		`{"messageDefinition":[{"PID":{"1":["Invented"]}}]}`, `{"messageDefinition":[{"PID":{"1001":"x"}}]}`,
	} {
		if got, err := fhirjson.HL7v2([]byte(in)); !convert.Is(err, convert.JSONParsingError) || strings.Contains(err.Error(), "Invented") {
			t.Errorf("%s: got %q, %v", in, got, err)
		}
	}
}

// A message has a line for each segment unless its values have line ends.
func FuzzHL7v2(f *testing.F) {
	for _, s := range []string{`{"messageDefinition":[{"MSH":{"2":"^~\\&"}},{"PID":{"3":"x"}}]}`, `{"messageDefinition":[{"PID":{"999":1}}]}`, `{"messageDefinition":[{}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := fhirjson.HL7v2(b)
		switch {
		case err != nil && !convert.Is(err, convert.JSONParsingError):
			t.Errorf("got %v", err)
		case err == nil && len(out) > 0 && !strings.HasSuffix(string(out), "|\n"):
			t.Errorf("got %q", out)
		}
	})
}

func BenchmarkHL7v2(b *testing.B) {
	in := []byte(`{"messageDefinition":[` + strings.Repeat(`{"OBX":{"1":"1","3":"code^text^system","5":"a value","11":"F"}},`, 200) + `]}`)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhirjson.HL7v2(in); err != nil {
			b.Fatal(err)
		}
	}
}
