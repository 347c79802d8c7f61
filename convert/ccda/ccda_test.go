package ccda_test

import (
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

func TestDocumentsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, place string }{
		{"nothing", "", "line"},
		{"an element that does not end", "<r>\n<a></r>", "line 2"},
		{"no element", "<!-- x -->", "line 1"},
		{"text outside", "<r/>x", "line 1"},
		{"a document type", "<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><r>&e;</r>", "line 1"},
		{"an entity of its own", "<r>\n\n&e;</r>", "line 3"},
		{"too deep", strings.Repeat("<a>", 1000), "line 1"},
		{"an encoding that is not known", `<?xml version="1.0" encoding="x-none"?><r/>`, "encoding"},
	} {
		_, err := ccda.Parse([]byte(c.in))
		if !convert.Is(err, convert.InputParsingError) || !strings.Contains(err.Error(), c.place) {
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
