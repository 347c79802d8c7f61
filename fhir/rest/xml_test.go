package rest_test

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"salus/fhir/spec"
	"salus/fhir/xmlformat"
)

var xmlFormat = xmlformat.New(spec.R4())

// asJSON returns the body of an answer, converted if its Content-Type says XML.
func asJSON(t *testing.T, w *httptest.ResponseRecorder) []byte {
	t.Helper()
	body := w.Body.Bytes()
	if string(body) == versionsXML {
		return []byte("null")
	}
	if !strings.Contains(w.Header().Get("Content-Type"), "xml") {
		return body
	}
	json, err := xmlFormat.JSON(nil, body)
	if err != nil {
		t.Fatalf("%v in %.500s", err, body)
	}
	return json
}

const (
	versionsXML = `<versions><version>4.0</version><default>4.0</default></versions>`
	patientXML  = `<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><family value="Muster"/><given value="Maria"/></name><birthDate value="1970-03-03"/></Patient>`
	patientXML1 = `<Patient xmlns="http://hl7.org/fhir"><id value="p1"/><birthDate value="1990"/></Patient>`
)

// inXML are headers that send and want XML.
func inXML(more ...string) map[string]string {
	h := map[string]string{"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}
	for i := 0; i < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}

func TestXML(t *testing.T) {
	t.Parallel()
	p1 := []string{"PUT /Patient/p1 " + patientP1}
	written := map[string]string{"Content-Type": "application/fhir+xml; charset=utf-8"}
	created := map[string]string{"Content-Type": "application/fhir+xml; charset=utf-8", "ETag": `W/"1"`, "Location": "http://salus.test/Patient/n1/_history/1", "Vary": "Accept"}
	body := `<name><family value="Muster"/><given value="Maria"/></name><birthDate value="1970-03-03"/></Patient>`
	runAll(t, []scenario{
		{name: "create", method: "POST", path: "/Patient", body: patientXML, header: inXML(), status: 201, headers: created,
			has: []string{`<Patient xmlns="http://hl7.org/fhir"><id value="n1"/><meta><versionId value="1"/><lastUpdated value="2026-`, body}},
		{name: "create, answered in JSON", method: "POST", path: "/Patient", body: patientXML, header: inXML("Accept", "", "Content-Type", "text/xml; charset=utf-8"), status: 201, has: []string{`"name":[{"family":"Muster","given":["Maria"]}],"birthDate":"1970-03-03"}`}},
		{name: "create from JSON", method: "POST", path: "/Patient", body: patient, header: inXML("Content-Type", "application/json"), status: 201, headers: written, has: []string{body}},
		{name: "create, minimal", method: "POST", path: "/Patient", body: patientXML, header: inXML("Prefer", "return=minimal"), status: 201, lacks: []string{"<"}},
		{name: "create, outcome", method: "POST", path: "/Patient", body: patientXML, header: inXML("Prefer", "return=OperationOutcome"), status: 201, has: []string{"<OperationOutcome xmlns", `<details><text value="the resource was created"/></details>`}},
		{name: "update", before: p1, method: "PUT", path: "/Patient/p1", body: patientXML1, header: inXML("Content-Type", "application/xml"), status: 200, headers: map[string]string{"ETag": `W/"2"`}, has: []string{`<birthDate value="1990"/>`}},
		{name: "conditional update", before: p1, method: "PUT", path: "/Patient?birthdate=1970-03-03", body: patientXML1, header: inXML(), status: 200, headers: map[string]string{"ETag": `W/"2"`}},
		{name: "invalid structure", method: "POST", path: "/Patient", body: strings.Replace(patientXML, "active", "nickname", 1), header: inXML(), status: 400, headers: written, issue: "error structure Patient.nickname", has: []string{`<location value="line 1, column 38"/>`}},
		{name: "invalid content", method: "POST", path: "/Patient", body: strings.Replace(patientXML, "1970-03-03", "1970-33-03", 1), header: inXML(), status: 400, headers: written, issue: "error value Patient.birthDate", lacks: []string{"1970-33"}},
		{name: "a DTD", method: "POST", path: "/Patient", body: "<!DOCTYPE Patient>" + patientXML, header: inXML(), status: 400, issue: "error structure"},
		{name: "another charset", method: "POST", path: "/Patient", body: patientXML, header: inXML("Content-Type", "application/fhir+xml; charset=latin1"), status: 415, headers: written, issue: "error not-supported"},
		{name: "another version", method: "POST", path: "/Patient", body: patientXML, header: inXML("Content-Type", "application/fhir+xml; fhirVersion=5.0"), status: 415, issue: "error not-supported"},

		{name: "read", before: p1, method: "GET", path: "/Patient/p1", header: inXML(), status: 200, headers: map[string]string{"Content-Type": "application/fhir+xml; charset=utf-8", "ETag": `W/"1"`}, has: []string{body}},
		{name: "read what the client has", before: p1, method: "GET", path: "/Patient/p1", header: inXML("If-None-Match", `W/"1"`), status: 304},
		{name: "read, indented", before: p1, method: "GET", path: "/Patient/p1?_pretty=true", header: inXML(), status: 200, has: []string{"\n  <active value=\"true\"/>\n"}},
		{name: "read a part", before: p1, method: "GET", path: "/Patient/p1?_elements=active", header: inXML(), status: 200, has: []string{`<code value="SUBSETTED"/>`}, lacks: []string{"birthDate"}},
		{name: "vread", before: p1, method: "GET", path: "/Patient/p1/_history/1?_format=xml", status: 200, headers: written, has: []string{body}},
		{name: "not there", method: "GET", path: "/Patient/p1?_format=xml", status: 404, headers: written, issue: "error not-found"},
		{name: "nowhere", method: "GET", path: "/nothing/is/here", header: inXML(), status: 404, headers: written, issue: "error not-found"},
		{name: "deleted", before: append(p1, "DELETE /Patient/p1"), method: "GET", path: "/Patient/p1", header: inXML(), status: 410, headers: map[string]string{"ETag": `W/"2"`}, issue: "error deleted"},
		{name: "pretty is wrong", method: "GET", path: "/metadata?_pretty=1", header: inXML(), status: 400, headers: written, issue: "error invalid"},
		{name: "no format", method: "GET", path: "/metadata?_format=html", header: inXML(), status: 406, headers: map[string]string{"Content-Type": "application/fhir+json; charset=utf-8"}, issue: "error not-supported"},

		{name: "search", before: people, method: "GET", path: "/Patient?_count=1&_total=accurate", header: inXML(), status: 200, headers: written,
			has: []string{`<Bundle xmlns="http://hl7.org/fhir"><id value="`, `<type value="searchset"/><total value="`, `<link><relation value="next"/>`, `<entry><fullUrl value="http://salus.test/Patient/`, `<search><mode value="match"/></search></entry></Bundle>`}},
		{name: "search finds nothing", method: "GET", path: "/Patient?family=nobody", header: inXML(), status: 200, has: []string{`family=nobody"/></link></Bundle>`}},
		{name: "search with a warning", before: people, method: "GET", path: "/Patient?nonsense=1", header: inXML(), status: 200, has: []string{`<entry><resource><OperationOutcome>`, `<mode value="outcome"/>`}},
		{name: "search, indented", before: people, method: "GET", path: "/Patient?_pretty=true", header: inXML(), status: 200, has: []string{"\n  <entry>\n    <fullUrl"}},
		{name: "form", before: people, method: "POST", path: "/Patient/_search", body: "_format=xml", header: form, status: 200, headers: written, has: []string{"<entry>"}},
		{name: "form, by Accept", before: people, method: "POST", path: "/_search", body: "_type=Patient", header: inXML("Content-Type", "application/x-www-form-urlencoded"), status: 200, headers: written, has: []string{"<entry>"}},
		{name: "form, refused", method: "POST", path: "/Patient/_search", body: "_format=xml&_total=estimate", header: form, status: 403, headers: written, issue: "error not-supported"},
		{name: "history", before: append(p1, "DELETE /Patient/p1"), method: "GET", path: "/Patient/p1/_history", header: inXML(), status: 200, headers: written,
			has: []string{`<type value="history"/>`, `<request><method value="DELETE"/><url value="Patient/p1"/></request><response><status value="204 NoContent"/><etag value="W/&quot;2&quot;"/>`}},

		{name: "metadata", method: "GET", path: "/metadata", header: inXML(), status: 200, headers: written, has: []string{`<CapabilityStatement xmlns="http://hl7.org/fhir"><id value="metadata"/>`, `<format value="json"/><format value="xml"/>`, `<format value="application/fhir+xml"/>`}},
		{name: "versions", method: "GET", path: "/$versions", header: inXML(), status: 200, headers: written, has: []string{`<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="version"/><valueString value="4.0"/></parameter>`}},
		{name: "versions as plain XML", method: "GET", path: "/$versions", header: inXML("Accept", "application/xml"), status: 200, headers: map[string]string{"Content-Type": "application/xml; charset=utf-8"}, has: []string{versionsXML}},
	})
}

func TestXML_Bundles(t *testing.T) {
	t.Parallel()
	post := `<entry><fullUrl value="urn:uuid:p"/><resource>` + strings.Replace(patientXML, ` xmlns="http://hl7.org/fhir"`, "", 1) + `</resource><request><method value="POST"/><url value="Patient"/></request></entry>`
	get := func(url string) string {
		return `<entry><request><method value="GET"/><url value="` + url + `"/></request></entry>`
	}
	of := func(typ string, entries ...string) string {
		return `<Bundle xmlns="http://hl7.org/fhir"><type value="` + typ + `"/>` + strings.Join(entries, "") + `</Bundle>`
	}
	runAll(t, []scenario{
		{name: "batch", before: []string{"PUT /Patient/p1 " + patientP1}, method: "POST", path: "/", body: of("batch", post, get("Patient/p1"), get("Patient/none"), get("Patient?family=muster&amp;_format=xml"), get("Patient/p1?_format=json&amp;_pretty=true")), header: inXML(), status: 200,
			has: []string{`<type value="batch-response"/><entry><fullUrl value="http://salus.test/Patient/n1"/><resource><Patient><id value="n1"/>`, `<response><status value="201"/><location value="http://salus.test/Patient/n1/_history/1"/>`,
				`<response><status value="404"/><outcome><OperationOutcome><id value="own-id"/>`, `<entry><resource><Bundle><id value="`}, lacks: []string{`<status value="406"/>`, `<status value="400"/>`}},
		{name: "transaction", method: "POST", path: "/", body: of("transaction", post), header: inXML(), status: 200, has: []string{`<type value="transaction-response"/>`, `<status value="201"/>`}},
		{name: "transaction that fails", method: "POST", path: "/", body: of("transaction", post, get("Patient/none")), header: inXML(), status: 404, issue: "error processing", headers: map[string]string{"Content-Type": "application/fhir+xml; charset=utf-8"}},
		{name: "wrong in an entry", method: "POST", path: "/", body: of("batch", strings.Replace(post, "active", "nickname", 1)), header: inXML(), status: 400, issue: "error structure Bundle.entry[0].resource.nickname"},
		{name: "nothing in it", method: "POST", path: "/", body: of("batch"), header: inXML(), status: 200, has: []string{`<type value="batch-response"/></Bundle>`}},
	})
}

// TestXML_StreamsWhatIsLarge reads a response that is sent in several pieces.
func TestXML_StreamsWhatIsLarge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 60 {
		f.must(t, 201, "PUT", "/Patient/l"+strconv.Itoa(i), strings.Replace(strings.Replace(patientP1, `"p1"`, `"l`+strconv.Itoa(i)+`"`, 1), "Muster", strings.Repeat("M", 5000), 1))
	}
	w := f.do("GET", "/Patient?_count=100", "", map[string]string{"Accept": "application/fhir+xml"})
	if page := readPage(t, asJSON(t, w)); w.Code != 200 || len(page.Entry) != 60 || w.Header().Get("Content-Length") != "" {
		t.Errorf("%d, %d entries, Content-Length %q", w.Code, len(page.Entry), w.Header().Get("Content-Length"))
	}
}
