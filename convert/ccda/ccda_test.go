package ccda_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"salus/convert"
	"salus/convert/ccda"
	"salus/convert/jsontext"
)

// text returns the JSON of a document but for its original text.
func text(t testing.TB, document string) string {
	t.Helper()
	v, err := ccda.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	all, rest := v.(*convert.Map), convert.NewMap(4)
	for i := range all.Len() {
		if key, item := all.At(i); key != "_originalData" {
			rest.Set(key, item)
		}
	}
	b, err := jsontext.Append(nil, rest, 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestElementsBecomeDictionaries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"attributes first, then elements by name", `<r b="2" a="1"><x/><y>t</y><x></x></r>`, `{"r":{"b":"2","a":"1","x":[null,""],"y":{"_":"t"}}}`},
		{"texts from the last to the first", `<r>one<b/>two<b/>three</r>`, `{"r":{"b":[null,null],"_":["three","two","one"]}}`},
		{"blanks alone are nothing", "<r>\n <a> </a>\n</r>", `{"r":{"a":""}}`},
		{"unless they are wanted", `<r xml:space="preserve"> <a/></r>`, `{"r":{"xml:space":"preserve","a":null,"_":" "}}`},
		{"line ends go", "<r a=\"x\ny\">a\nb</r>", `{"r":{"a":"x y","_":"ab"}}`},
		{"sections of characters", `<r><![CDATA[a<b]]></r>`, `{"r":{"_":"a<b"}}`},
		{"a comment leaves nothing", `<r><a><!--x--></a></r>`, `{"r":{"a":{}}}`},
		{"several leave their place", `<r><!--x--><a/><!--y--></r>`, `{"r":{"#comment":[],"a":null}}`},
		{"before the root, too", `<!--x--><!--y--><r/>`, `{"#comment":[],"r":null}`},
		{"the declaration", `<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet href="a"?><r/>`, `{"?xml":{"version":"1.0","encoding":"UTF-8"},"?xml-stylesheet":"href=\"a\"","r":null}`},
		{"prefixes of the root", `<r xmlns="urn:a" xmlns:s="urn:b" xmlns:d="urn:a"><s:x s:y="1"/><d:z/></r>`, `{"r":{"xmlns":"urn:a","xmlns:s":"urn:b","s_x":{"s:y":"1"},"z":null}}`},
		{"prefixes below it", `<r><p:x xmlns:p="urn:c"/></r>`, `{"r":{"p:x":{"xmlns:p":"urn:c"}}}`},
		{"an element by the namespace that it is in, whatever its prefix", `<r xmlns="urn:a" xmlns:s="urn:b"><x xmlns="urn:b"/><t:y xmlns:t="urn:b"/></r>`,
			`{"r":{"xmlns":"urn:a","xmlns:s":"urn:b","s_x":{"xmlns":"urn:b"},"s_y":{"xmlns:t":"urn:b"}}}`},
		{"a root element with a prefix", `<n:r xmlns:n="urn:a"><n:x/></n:r>`, `{"n_r":{"xmlns:n":"urn:a","n_x":null}}`},
		{"the default namespace within a renamed element", `<r xmlns="urn:a" xmlns:s="urn:b"><s:x><y><z/></y></s:x></r>`,
			`{"r":{"xmlns":"urn:a","xmlns:s":"urn:b","s_x":{"y":{"xmlns":"urn:a","z":null}}}}`},
		{"and within one of another namespace", `<r xmlns="urn:a"><p:x xmlns:p="urn:c"><y/></p:x></r>`, `{"r":{"xmlns":"urn:a","p:x":{"xmlns:p":"urn:c","y":{"xmlns":"urn:a"}}}}`},
		{"a namespace that an element binds", `<r xmlns="urn:a"><x xmlns="urn:c"><y/></x></r>`, `{"r":{"xmlns":"urn:a","x":{"xmlns":"urn:c","y":null}}}`},
		{"a prefix that is not bound", `<r><p:x q:y="1"/></r>`, `{"r":{"p:x":{"q:y":"1"}}}`},
		{"an element takes the place of an attribute of its name", `<r a="1" b="2"><a/><a>t</a></r>`, `{"r":{"a":[null,{"_":"t"}],"b":"2"}}`},
		{"blanks of attributes, written and referred to", "<r a=\"x\ty\r\nz\" b=\"x&#9;y&#13;&#10;z\"/>", `{"r":{"a":"x y z","b":"x\tyz"}}`},
		{"an instant", `<r a="2015-02-07T13:28:17Z" b="20150207132817"/>`, `{"r":{"a":"2015-02-07T13:28:17Z","b":"20150207132817"}}`},
		{"UTF-16 and others by name", "<?xml version='1.0' encoding='windows-1252'?><r>\x80</r>", `{"?xml":{"version":"1.0","encoding":"windows-1252"},"r":{"_":"€"}}`},
		{"entities of XML", `<r a="&lt;&#65;">&amp;&#x42;</r>`, `{"r":{"a":"<A","_":"&B"}}`},
		{"latin-1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><r>\xe9</r>", `{"?xml":{"version":"1.0","encoding":"ISO-8859-1"},"r":{"_":"é"}}`},
		{"a byte order mark", "\xEF\xBB\xBF<r/>", `{"r":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := text(t, c.in); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	units := utf16.Encode([]rune("\ufeff<r>é</r>"))
	var wide []byte
	for _, u := range units {
		wide = append(wide, byte(u), byte(u>>8))
	}
	if got := text(t, string(wide)); got != `{"r":{"_":"é"}}` {
		t.Errorf("UTF-16: %s", got)
	}
}

func TestTheTextIsKept(t *testing.T) {
	t.Parallel()
	v, err := ccda.Parse([]byte("<r>\r\n<a/>\n</r>"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := v.(*convert.Map).Get("_originalData"); got != "<r><a/></r>" {
		t.Errorf("got %v", got)
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d="1"`, i)
	}
	return b.String()
}

func TestDocumentsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, place string }{
		{"nothing", "", "line"},
		{"an element that does not end", "<r>\n<a></r>", "line 2"},
		{"no element", "<!-- x -->", "line 1"},
		{"text outside", "<r/>x", "line 1"},
		{"a document type", "<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><r>&e;</r>", "line 1"},
		{"an entity of its own", "<r>\n\n&e;</r>", "line 3"},
		{"a value within the text", "<r>\n<a>Invented</b></r>", "line 2, column 12"},
		{"two roots", "<r/>\n<r/>", "line 2"},
		{"an attribute twice", `<r a="1" a="2"/>`, "line 1"},
		{"an attribute without blank", `<r a="1"b="2"/>`, "line 1, column 9"},
		{"an attribute without quotes", `<r a=1/>`, "line 1, column 6"},
		{"a tag in an attribute", `<r a="<"/>`, "line 1"},
		{"an ampersand alone", "<r>a & b</r>", "line 1, column 6"},
		{"a reference to no character", "<r>&#0;</r>", "line 1"},
		{"a character that XML does not have", "<r>\n\x01</r>", "line 2, column 1"},
		{"bytes that are not UTF-8", "<r>\n \xe9</r>", "line 2, column 2"},
		{"a comment with dashes", "<r><!-- a -- b --></r>", "line 1"},
		{"a declaration within", "<r/><?xml version='1.0'?>", "line 1"},
		{"the end of a section without its start", "<r>a]]></r>", "line 1, column 5"},
		{"too many attributes", "<r" + attributes(600) + "/>", "line 1"},
		{"too deep", strings.Repeat("<a>", 1000), "line 1"},
		{"another version", `<?xml version="1.1"?><r/>`, "version 1.0"},
		{"an encoding that is not known", `<?xml version="1.0" encoding="x-none"?><r/>`, "encoding"},
	} {
		_, err := ccda.Parse([]byte(c.in))
		if !convert.Is(err, convert.InputParsingError) || !strings.Contains(err.Error(), c.place) || strings.Contains(err.Error(), "Invented") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	document := `<ClinicalDocument><component><structuredBody>
	<component><section><templateId root="1.2.3" extension="a"/><title>Allergies and more</title></section></component>
	<component><section><templateId root="1.2.34"/><title>Plan of Care</title></section></component>
	<component><section><templateId root="1.2.5"/><templateId root="1.2.6"/><title>plan of treatment</title></section></component>
	</structuredBody></component></ClinicalDocument>`
	v, err := ccda.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	call := func(name, arg string) string {
		t.Helper()
		found, err := ccda.Filters()[name]([]convert.Value{v, arg})
		if err != nil {
			t.Fatal(err)
		}
		b, err := jsontext.Append(nil, found, 0)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := call("get_first_ccda_sections", "ALLERG|Plan|None"); !strings.HasPrefix(got, `{"ALLERG":{"templateId"`) || !strings.Contains(got, `"Plan":{"templateId":{"root":"1.2.34"}`) || strings.Contains(got, "None") {
		t.Errorf("first: %s", got)
	}
	if got := call("get_ccda_section_lists", "Plan of"); !strings.HasPrefix(got, `{"Plan_of":[{`) || strings.Count(got, "title") != 2 {
		t.Errorf("lists: %s", got)
	}
	if got := call("get_first_ccda_sections_by_template_id", "1.2.3|1.2.6"); !strings.HasPrefix(got, `{"1_2_3":{`) || !strings.Contains(got, `"1_2_6":{`) {
		t.Errorf("by template: %s", got)
	}
	if _, err := ccda.Filters()["get_first_ccda_sections"]([]convert.Value{"x", "y"}); !convert.Is(err, convert.TemplateDataMismatch) {
		t.Errorf("data of another kind: %v", err)
	}
}

func TestPublicDocuments(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"documents/*.ccda", "vendor-samples/*.xml"} {
		some, err := filepath.Glob("../../../shared/data/ccda/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	if len(files) == 0 {
		t.Skip("NOT COVERED: public documents: ../shared is not there")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ccda.Parse(b); err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
		}
	}
}

// What encoding/xml does not take for well-formed is refused, too, but for names: beyond ASCII they may have more letters here.
func FuzzWellFormed(f *testing.F) {
	for _, s := range []string{`<r a="1"><x/>t<!--c--><?p q?><y>&amp;&#65;</y></r>`, "<?xml version='1.0'?><r> <![CDATA[x]]></r>", `<a:b xmlns:a='c' d="&lt;"/>`, "<r>]]></r>", "<r><!-- --- --></r>", "<?xml version='0'?><r></r>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ccda.Parse([]byte(s)); err != nil || !strings.HasPrefix(s, "<") {
			return
		}
		d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(s, "\ufeff")))
		d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				continue
			}
			if text := err.Error(); !strings.Contains(text, "UTF-8") && !strings.Contains(text, "name") {
				t.Fatalf("%q was taken, and is wrong: %v", s, err)
			}
			return
		}
	})
}

func BenchmarkParse(b *testing.B) {
	document := []byte(`<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">` + strings.Repeat(`
	<component><section><templateId root="2.16.840.1.113883.10.20.22.2.6.1" extension="2015-08-01"/><title>Allergies &amp; more</title>
		<text>one<br/>two</text><entry typeCode="DRIV"><act classCode="ACT" moodCode="EVN"><effectiveTime><low value="20250304"/></effectiveTime></act></entry>
	</section></component>`, 270) + `</ClinicalDocument>`)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ccda.Parse(document); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`<r a="1"><x/>t<!--c--><!--d--><y>&amp;</y></r>`, `<?xml version="1.0" encoding="latin1"?><a:b xmlns:a="c"/>`, "<r xml:space=\"preserve\"> <![CDATA[x]]></r>", "\xFF\xFE<\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ccda.Parse(b)
		if err != nil {
			if !convert.Is(err, convert.InputParsingError) {
				t.Errorf("%v", err)
			}
			return
		}
		if _, err := jsontext.Append(nil, v, 0); err != nil && !convert.Is(err, convert.JSONParsingError) {
			t.Error(err)
		}
	})
}
