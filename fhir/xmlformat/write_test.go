package xmlformat_test

import (
	"strings"
	"testing"

	"salus/fault"
)

func TestWriting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, json, want string }{
		{"in the order of the schema", `"birthDate":"1990","name":[{"given":["A"],"family":"B"}],"id":"p"`, `<id value="p"/><name><family value="B"/><given value="A"/></name><birthDate value="1990"/>`},
		{"attributes", `"name":[{"text":"a","id":"n"}],"extension":[{"extension":[{"valueCode":"c","url":"v","id":"i"}],"url":"u"}]`,
			`<extension url="u"><extension id="i" url="v"><valueCode value="c"/></extension></extension><name id="n"><text value="a"/></name>`},
		{"primitives with more", `"_birthDate":{"id":"b"},"_gender":{"extension":[{"url":"u","valueBoolean":true}]},"gender":"male"`,
			`<gender value="male"><extension url="u"><valueBoolean value="true"/></extension></gender><birthDate id="b"/>`},
		{"gaps", `"name":[{"_given":[null,{"id":"g"},null],"given":["A",null,"C"]}]`, `<name><given value="A"/><given id="g"/><given value="C"/></name>`},
		{"a decimal", `"extension":[{"url":"u","valueDecimal":1.00E2}]`, `<extension url="u"><valueDecimal value="1.00E2"/></extension>`},
		{"characters", `"name":[{"text":"<a & \"b\">\n\r\t\u0001é\ufffe'"}]`, `<name><text value="&lt;a &amp; &quot;b&quot;&gt;&#10;&#13;&#9;` + "\ufffdé\ufffd'" + `"/></name>`},
		{"contained", `"contained":[{"resourceType":"Basic","id":"b"}]`, `<contained><Basic><id value="b"/></Basic></contained>`},
		{"a narrative", `"text":{"div":" <div xmlns='http://www.w3.org/1999/xhtml'>a&nbsp;&amp; &#1; &lt;<br/></div>\n"}`, ``},
		{"a narrative with entities", `"text":{"div":" <div xmlns='http://www.w3.org/1999/xhtml'>a&nbsp;&amp;&hearts; &lt;\u0001<br/></div>\n"}`, `<text><div xmlns='http://www.w3.org/1999/xhtml'>a&#160;&amp;&#9829; &lt;` + "\ufffd" + `<br/></div></text>`},
		{"a narrative that ends early", `"text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'/><script/>"}`, ``},
		{"a narrative that does not end", `"text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'>"}`, ``},
		{"a narrative that is a comment", `"text":{"div":"<!-- a -->"}`, ``},
		{"an unknown property", `"nickname":"a"`, ``},
		{"a list that is none", `"name":{"text":"a"}`, ``},
		{"a value that is none", `"gender":["male"]`, ``},
		{"a resource that is none", `"contained":[{}]`, ``},
		{"an object that is none", `"name":["a"]`, ``},
	} {
		got, err := format.Append([]byte("<!-- before -->"), parse(t, `{"resourceType":"Patient",`+c.json+`}`), false)
		if c.want == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %s, %v", c.name, got, err)
			}
			continue
		}
		if want := "<!-- before -->" + of(c.want); err != nil || string(got) != want {
			t.Errorf("%s: got\n%s, %v\nwant\n%s", c.name, got, err, want)
		}
	}
}

func TestWriting_Indented(t *testing.T) {
	t.Parallel()
	got, err := format.Append(nil, parse(t, `{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Basic","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">\n a</div>"},"_implicitRules":{"extension":[{"url":"u","valueCode":"c"}]}}}]}`), true)
	want := strings.TrimPrefix(`
<Bundle xmlns="http://hl7.org/fhir">
  <type value="batch"/>
  <entry>
    <resource>
      <Basic>
        <implicitRules>
          <extension url="u">
            <valueCode value="c"/>
          </extension>
        </implicitRules>
        <text>
          <status value="empty"/>
          <div xmlns="http://www.w3.org/1999/xhtml">
 a</div>
        </text>
      </Basic>
    </resource>
  </entry>
</Bundle>`, "\n")
	if err != nil || string(got) != want {
		t.Errorf("got\n%s, %v\nwant\n%s", got, err, want)
	}
}

func TestWriting_APart(t *testing.T) {
	t.Parallel()
	n := parse(t, `{"search":{"mode":"match"},"resource":{"resourceType":"Basic","id":"b"}}`)
	got, err := format.AppendElement([]byte("<a>"), "Bundle", "entry", n)
	if want := `<a><entry><resource><Basic><id value="b"/></Basic></resource><search><mode value="match"/></search></entry>`; err != nil || string(got) != want {
		t.Errorf("got\n%s, %v\nwant\n%s", got, err, want)
	}
	if _, err := format.AppendElement(nil, "Bundle", "nothing", n); err == nil {
		t.Error("an unknown element was written")
	}
}
