package xmlformat_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
)

// of wraps the inside of a patient.
func of(inside string) string { return `<Patient xmlns="http://hl7.org/fhir">` + inside + `</Patient>` }

const div = `<div xmlns=\"http://www.w3.org/1999/xhtml\">`

func TestReading(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, xml, want string }{
		{"a resource", of(``), ``},
		{"declaration, comments, instructions", "\xef\xbb\xbf" + `<?xml version="1.0" encoding="utf-8"?><?xml-stylesheet href="x"?><!-- a -->` + of(`<!-- b --><active value="true"/><?c d?>`) + "\n<!-- e -->", `,"active":true`},
		{"a prefix", `<f:Patient xmlns:f="http://hl7.org/fhir"><f:gender value="male"/></f:Patient>`, `,"gender":"male"`},
		{"signs in values and comments", of(`<!-- " = --><?a '?>` + strings.Repeat("<!-- a=b -->", 101) + `<gender value="` + strings.Repeat("=", 101) + `>"/>`), `,"gender":"` + strings.Repeat("=", 101) + `>"`},
		{"schemaLocation", `<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"/>`, ``},
		{"any order", of(`<birthDate value="1990-01-02"/><name><given value="A"/></name><active value="false"/><name><given value="B"/></name>`),
			`,"active":false,"name":[{"given":["A"]},{"given":["B"]}],"birthDate":"1990-01-02"`},
		{"what repeats, apart", of(`<name><given value="A"/><family value="C"/><given value="B"/></name>`), `,"name":[{"family":"C","given":["A","B"]}]`},
		{"ids and extensions of primitives", of(`<birthDate id="b" value="1990"><extension url="u"><valueInteger value="-7"/></extension></birthDate><gender><extension url="u" id="e"><valueDecimal value="1.50"/></extension></gender>`),
			`,"gender":"x","_gender":{"extension":[{"id":"e","url":"u","valueDecimal":1.50}]},"birthDate":"1990","_birthDate":{"id":"b","extension":[{"url":"u","valueInteger":-7}]}`},
		{"lists with gaps", of(`<name><given value="A"/><given id="g"/><given value="C"/></name>`), `,"name":[{"given":["A",null,"C"],"_given":[null,{"id":"g"},null]}]`},
		{"a list of nothing but extensions", of(`<name><given id="g"/></name>`), `,"name":[{"_given":[{"id":"g"}]}]`},
		{"decimals", of(`<extension url="u"><valueDecimal value=" 1.0e-2 "/></extension>`), `,"extension":[{"url":"u","valueDecimal":1.0e-2}]`},
		{"blanks of strings", of(`<name><text value=" A&#10;B&quot;&amp; "/></name><gender value=" male "/>`), `,"name":[{"text":" A\nB\"& "}],"gender":"male"`},
		{"contained", of(`<contained><Organization><id value="o"/></Organization></contained>`), `,"contained":[{"resourceType":"Organization","id":"o"}]`},
		{"a narrative", of(`<text><status value="empty"/><div xmlns="http://www.w3.org/1999/xhtml"><p id='a'>1 &lt; 2<br/></p></div></text>`),
			`,"text":{"status":"empty","div":"` + div + `<p id='a'>1 &lt; 2<br/></p></div>"}`},
		{"a narrative with a prefix", of(`<text><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p title="&quot;" xml:lang="de">1 &lt; 2<h:br/><!-- c --></h:p></h:div></text>`),
			`,"text":{"div":"` + div + `<p title=\"&quot;\" xml:lang=\"de\">1 &lt; 2<br></br><!-- c --></p></div>"}`},
		{"a narrative that inherits its namespace", `<f:Patient xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml"><f:text><div>a</div></f:text></f:Patient>`,
			`,"text":{"div":"` + div + `a</div>"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := format.JSON(nil, []byte(c.xml))
			if want := `{"resourceType":"Patient"` + strings.Replace(c.want, `"gender":"x",`, "", 1) + `}`; err != nil || string(got) != want {
				t.Errorf("got\n%s, %v\nwant\n%s", got, err, want)
			}
		})
	}
}

func TestReading_OtherResources(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, xml, want string }{
		{"a bundle", `<Bundle xmlns="http://hl7.org/fhir"><entry><fullUrl value="urn:a"/><resource><Patient><id value="p"/></Patient></resource></entry><type value="batch"/></Bundle>`,
			`{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"urn:a","resource":{"resourceType":"Patient","id":"p"}}]}`},
		{"parameters", `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="n"/><part><name value="p"/><valueQuantity><value value="1.0"/></valueQuantity></part></parameter></Parameters>`,
			`{"resourceType":"Parameters","parameter":[{"name":"n","part":[{"name":"p","valueQuantity":{"value":1.0}}]}]}`},
		{"a resource's id with an extension", `<Basic xmlns="http://hl7.org/fhir"><id value="a"><extension url="u"><valueCode value="c"/></extension></id></Basic>`,
			`{"resourceType":"Basic","id":"a","_id":{"extension":[{"url":"u","valueCode":"c"}]}}`},
	} {
		got, err := format.JSON([]byte("before "), []byte(c.xml))
		if err != nil || string(got) != "before "+c.want {
			t.Errorf("%s: got\n%s, %v\nwant\n%s", c.name, got, err, c.want)
		}
	}
}

// secret stands where a value of a patient might.
const secret = "MarkerOfAPatient"

func TestReading_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	deep := of(strings.Repeat(`<extension url="u">`, 300) + strings.Repeat(`</extension>`, 300))
	for _, c := range []struct{ name, xml, want string }{
		{"nothing", ` `, "XML: the text has no element|structure||line 1, column 2"},
		{"no XML", `{"a":1}`, "XML: there must be no text outside of the resource|structure||line 1, column 1"},
		{"not ended", `<Patient xmlns="http://hl7.org/fhir">`, "XML: the text is not well-formed XML in UTF-8, or uses an entity other than XML's own|structure||line 1, column 38"},
		{"crossed", of(`<name><given value="` + secret + `"></name></given>`), "XML: the text is not well-formed XML in UTF-8, or uses an entity other than XML's own|structure||line 1, column 83"},
		{"no UTF-8", of("<gender value=\"\xff\"/>"), "XML: the text is not well-formed XML in UTF-8, or uses an entity other than XML's own|structure||line 1, column 55"},
		{"another encoding", `<?xml version="1.0" encoding="latin1"?>` + of(``), "XML: the text is not well-formed XML in UTF-8, or uses an entity other than XML's own|structure||line 1, column 40"},
		{"a DTD", "<!DOCTYPE Patient [<!ENTITY a \"" + secret + "\">]>\n" + of(`<gender value="&a;"/>`), "XML: a document type declaration is not allowed|structure||line 1, column 1"},
		{"an entity", of(`<gender value="&` + secret + `;"/>`), "XML: the text is not well-formed XML in UTF-8, or uses an entity other than XML's own|structure||line 1, column 71"},
		{"two roots", of(``) + of(``), "XML: there must be one element around everything|structure||line 1, column 48"},
		{"no namespace", `<Patient/>`, "XML: the root element must be in the namespace http://hl7.org/fhir|structure||line 1, column 1"},
		{"no resource", `<HumanName xmlns="http://hl7.org/fhir"/>`, "XML: the root element must be a resource type of FHIR R4|structure||line 1, column 1"},
		{"an abstract resource", `<DomainResource xmlns="http://hl7.org/fhir"/>`, "XML: the root element must be a resource type of FHIR R4|structure||line 1, column 1"},
		{"deep", deep, "XML: nested deeper than 200 levels|structure||line 1, column 1919"},
		{"deep in the unknown", of(strings.Repeat("<x>", 300) + strings.Repeat("</x>", 300)), "Patient.x: no such element in this place|structure|Patient.x|line 1, column 38\nXML: nested deeper than 200 levels|structure||line 1, column 638"},
		{"an attribute twice", of(`<gender value="a" value="b"/>`), "XML: an attribute stands twice in one element|structure||line 1, column 38"},
		{"many attributes", of(`<!-- " --><?a "?><gender` + strings.Repeat(` value=">a="`, 101) + `/>`), "XML: an element has too many attributes|structure||line 1, column 1268"},

		{"an unknown element", of("\n <active value=\"true\"/>\n <nickname value=\"" + secret + "\"/>"), "Patient.nickname: no such element in this place|structure|Patient.nickname|line 3, column 2"},
		{"an unknown name that may say something", of(`<name><Mar.ia value="a"/></name>`), "Patient.name[0].?: no such element in this place|structure|Patient.name[0].?|line 1, column 44"},
		{"an unknown attribute", of(`<name use="` + secret + `"><text value="a"/></name>`), "Patient.name[0].use: no such attribute in this place|structure|Patient.name[0].use|line 1, column 38"},
		{"an id as an element", of(`<name><id value="a"/><text value="a"/></name>`), "Patient.name[0].id: must be an attribute|structure|Patient.name[0].id|line 1, column 44"},
		{"an id of a resource as an attribute", `<Patient xmlns="http://hl7.org/fhir" id="a"/>`, "Patient.id: no such attribute in this place|structure|Patient.id|line 1, column 1"},
		{"a value of something complex", of(`<name value="` + secret + `"/>`), "Patient.name[0].value: no such attribute in this place|structure|Patient.name[0].value|line 1, column 38"},
		{"another namespace", of(`<name xmlns="urn:x"/>`), "Patient.name: must be in the namespace http://hl7.org/fhir|structure|Patient.name|line 1, column 38"},
		{"text", of("<name>" + secret + "<text value='a'/>" + secret + "</name>"), "Patient.name[0]: there must be no text in this element|structure|Patient.name[0]|line 1, column 44"},
		{"twice", of(`<name><text value="a"/></name><name><text value="a"/><text value="b"/></name>`), "Patient.name[1].text: the element must stand only once|structure|Patient.name[1].text|line 1, column 91"},
		{"a choice twice", of(`<deceasedBoolean value="true"/><deceasedDateTime value="1990"/>`), "Patient.deceasedDateTime: an element with a choice of types must have one of them only|structure|Patient.deceasedDateTime|line 1, column 69"},
		{"empty", of(`<name/>`), "Patient.name[0]: an element must have a value or children (ele-1)|structure|Patient.name[0]|line 1, column 45"},
		{"an empty value", of(`<gender value=""/>`), "Patient.gender: a value must not be empty|value|Patient.gender|line 1, column 38"},
		{"an empty id", of(`<gender value="male" id=""/>`), "Patient.gender.id: a value must not be empty|value|Patient.gender.id|line 1, column 38"},
		{"no boolean", of(`<active value="` + secret + `"/>`), "Patient.active: does not have the format of the type boolean|value|Patient.active|line 1, column 38"},
		{"no integer", of(`<multipleBirthInteger value="01"/>`), "Patient.multipleBirth.ofType(integer): does not have the format of the type integer|value|Patient.multipleBirth.ofType(integer)|line 1, column 38"},
		{"no decimal", of(`<extension url="u"><valueDecimal value=".5"/></extension>`), "Patient.extension[0].value.ofType(decimal): does not have the format of the type decimal|value|Patient.extension[0].value.ofType(decimal)|line 1, column 57"},
		{"no resource contained", of(`<contained><name/></contained>`), "Patient.contained[0].name: must be a resource type, in the namespace http://hl7.org/fhir|structure|Patient.contained[0].name|line 1, column 49"},
		{"nothing contained", of(`<contained> </contained>`), "Patient.contained[0]: an element must have a value or children (ele-1)|structure|Patient.contained[0]|line 1, column 50"},
		{"much contained", of(`<contained id="a"><Basic/>x<Basic/></contained>`), "Patient.contained[0].id: no such attribute in this place|structure|Patient.contained[0].id|line 1, column 38\nPatient.contained[0]: there must be no text in this element|structure|Patient.contained[0]|line 1, column 64\nPatient.contained[0]: there must be one resource in this element|structure|Patient.contained[0]|line 1, column 65"},
		{"a narrative of FHIR", of(`<text><div>a</div></text>`), "Patient.text.div: must be in the namespace http://www.w3.org/1999/xhtml|structure|Patient.text.div|line 1, column 44"},
		{"FHIR in a narrative", of(`<text><h:div xmlns:h="http://www.w3.org/1999/xhtml"><b/><?a?></h:div></text>`), "Patient.text.div: everything in a narrative must be in the namespace http://www.w3.org/1999/xhtml|structure|Patient.text.div|line 1, column 90\nPatient.text.div: a narrative must not have processing instructions (txt-1)|structure|Patient.text.div|line 1, column 94"},
		{"several", of("<foo/>\n<active value='x'/>\n<bar/>"), "Patient.foo: no such element in this place|structure|Patient.foo|line 1, column 38\nPatient.active: does not have the format of the type boolean|value|Patient.active|line 2, column 1\nPatient.bar: no such element in this place|structure|Patient.bar|line 3, column 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := format.JSON(nil, []byte(c.xml))
			f, ok := errors.AsType[*fault.Fault](err)
			if !ok || f.Kind != fault.Invalid || len(got) != 0 {
				t.Fatalf("%s, %v", got, err)
			}
			var lines []string
			for _, i := range f.Issues {
				lines = append(lines, i.Text+"|"+i.Code+"|"+i.Expression+"|"+i.Location)
			}
			if got := strings.Join(lines, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if strings.Contains(strings.Join(lines, "\n"), secret) {
				t.Error("a value stands in an issue")
			}
		})
	}
}

func TestReading_StopsReportingAfterFifty(t *testing.T) {
	t.Parallel()
	_, err := format.JSON(nil, []byte(of(strings.Repeat("<x/>", 1000))))
	if f := fault.As(err); f == nil || len(f.Issues) != 50 {
		t.Errorf("%v", err)
	}
}

func FuzzReading(f *testing.F) {
	for _, seed := range []string{
		of(`<name><given value="A"/><given id="g"/></name><active value="true"/>`), of(`<text><div xmlns="http://www.w3.org/1999/xhtml">a &amp; &#160;</div></text>`),
		of(`<text><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p/></h:div></text>`), of(`<extension url="u"><valueDecimal value="1.0"/></extension>`),
		`<Bundle xmlns="http://hl7.org/fhir"><entry><resource><Basic/></resource></entry></Bundle>`, `<!DOCTYPE a><a/>`, `<?xml version="1.0"?>`, "<a\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		json, err := format.JSON(nil, text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "\x00") {
				t.Fatal(err)
			}
			return
		}
		d, err := fhir.Parse(json)
		if err != nil {
			t.Fatalf("%v in %s", err, json)
		}
		defer d.Release()
		again, err := format.Append(nil, d.Root(), false)
		if err != nil { // only a narrative can be what validation would refuse
			if !bytes.Contains(json, []byte("<div")) {
				t.Fatalf("%v of %s", err, json)
			}
			return
		}
		second, err := format.JSON(nil, again)
		if err != nil || !bytes.Equal(second, json) {
			t.Fatalf("%v: got\n%s\nwant\n%s\nfrom\n%s", err, second, json, again)
		}
	})
}
