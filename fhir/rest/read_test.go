package rest_test

import "testing"

const observation = `{"resourceType":"Observation","id":"o1","meta":{"tag":[{"system":"urn:t","code":"a"}]},` +
	`"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"extension":[{"url":"urn:x","valueString":"e"}],` +
	`"status":"final","code":{"extension":[{"url":"urn:y","valueString":"f"}],"coding":[{"system":"urn:c","code":"k","userSelected":true}],"text":"t"},` +
	`"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2020-01-02","_effectiveDateTime":{"extension":[{"url":"urn:z","valueString":"g"}]},` +
	`"valueQuantity":{"value":1.500,"unit":"mg"},"note":[{"text":"n"}]}`

func TestRead(t *testing.T) {
	t.Parallel()
	p1 := []string{"PUT /Patient/p1 " + patientP1}
	runAll(t, []scenario{
		{name: "a patient", before: p1, method: "GET", path: "/Patient/p1", status: 200,
			headers: map[string]string{"ETag": `W/"1"`, "Last-Modified": "Fri, 02 Jan 2026 03:04:07 GMT", "Location": "-", "X-Content-Type-Options": "nosniff"},
			has:     []string{`{"resourceType":"Patient","id":"p1","meta":{"versionId":"1","lastUpdated":"2026-01-02T03:04:07.000Z"},"active":true,"name":[{"family":"Muster","given":["Maria"]}],"birthDate":"1970-03-03"}`}},
		{name: "none", method: "GET", path: "/Patient/p1", status: 404, issue: "error not-found"},
		{name: "no id", method: "GET", path: "/Patient/a_b", status: 404, issue: "error not-found", lacks: []string{"a_b"}},
		{name: "version", before: p1, method: "GET", path: "/Patient/p1/_history/1", status: 200, headers: map[string]string{"ETag": `W/"1"`}},
		{name: "no such version", before: p1, method: "GET", path: "/Patient/p1/_history/2", status: 404, issue: "error not-found"},
		{name: "version that is no number", before: p1, method: "GET", path: "/Patient/p1/_history/first", status: 404, issue: "error not-found"},
		{name: "If-None-Match holds", before: p1, method: "GET", path: "/Patient/p1", header: map[string]string{"If-None-Match": `W/"7", W/"1"`}, status: 304, headers: map[string]string{"ETag": `W/"1"`}, lacks: []string{"{"}},
		{name: "If-None-Match does not hold", before: p1, method: "GET", path: "/Patient/p1", header: map[string]string{"If-None-Match": `W/"2"`, "If-Modified-Since": "Fri, 02 Jan 2027 03:04:06 GMT"}, status: 200},
		{name: "not modified since", before: p1, method: "GET", path: "/Patient/p1", header: map[string]string{"If-Modified-Since": "Fri, 02 Jan 2026 03:04:07 GMT"}, status: 304},
		{name: "modified since", before: p1, method: "GET", path: "/Patient/p1", header: map[string]string{"If-Modified-Since": "Fri, 02 Jan 2026 03:04:06 GMT"}, status: 200},
		{name: "pretty", before: p1, method: "GET", path: "/Patient/p1?_pretty=true", status: 200, has: []string{"{\n  \"resourceType\": \"Patient\",\n"}},
		{name: "bad pretty", before: p1, method: "GET", path: "/Patient/p1?_pretty=1", status: 400, issue: "error invalid"},
	})
}

func TestRead_Subset(t *testing.T) {
	t.Parallel()
	o1 := []string{"PUT /Observation/o1 " + observation}
	tags := `"tag":[{"system":"urn:t","code":"a"},{"system":"http://hl7.org/fhir/v3/ObservationValue","code":"SUBSETTED"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]`
	always := []string{`"resourceType":"Observation","id":"o1"`, `"versionId":"1"`, `"status":"final"`, `"code":{`}
	with := func(more ...string) []string { return append(append([]string{tags}, always...), more...) }
	runAll(t, []scenario{
		{name: "false", before: o1, method: "GET", path: "/Observation/o1?_summary=false", status: 200, has: append(always, `"note"`, `"text":{`), lacks: []string{"SUBSETTED"}},
		{name: "true", before: o1, method: "GET", path: "/Observation/o1?_summary=true", status: 200,
			has:   with(`"subject":{"reference":"Patient/p1"}`, `"valueQuantity":{"value":1.500,"unit":"mg"}`, `"code":{"coding":[{"system":"urn:c","code":"k","userSelected":true}],"text":"t"}`, `"effectiveDateTime":"2020-01-02"`),
			lacks: []string{`"note"`, `"text":{"status"`, "urn:x", "urn:y"}},
		{name: "text", before: o1, method: "GET", path: "/Observation/o1?_summary=text", status: 200, has: with(`"text":{"status"`, "urn:y"), lacks: []string{`"note"`, `"subject"`}},
		{name: "data", before: o1, method: "GET", path: "/Observation/o1?_summary=data", status: 200, has: with(`"note"`, "urn:x"), lacks: []string{`"text":{"status"`}},
		{name: "count", before: o1, method: "GET", path: "/Observation/o1?_summary=count", status: 400, issue: "error invalid"},
		{name: "unknown summary", before: o1, method: "GET", path: "/Observation/o1?_summary=some", status: 400, issue: "error invalid"},
		{name: "elements", before: o1, method: "GET", path: "/Observation/o1?_elements=value,nonsense,%20effective[x]", status: 200,
			has: with(`"valueQuantity":{"value":1.500,"unit":"mg"}`, `"effectiveDateTime":"2020-01-02","_effectiveDateTime":{"extension"`), lacks: []string{`"note"`, `"text":{"status"`, `"subject"`}},
		{name: "empty elements", before: o1, method: "GET", path: "/Observation/o1?_elements=", status: 400, issue: "error invalid"},
		{name: "elements and summary", before: o1, method: "GET", path: "/Observation/o1?_elements=note&_summary=true", status: 400, issue: "error invalid"},
		{name: "elements and no summary", before: o1, method: "GET", path: "/Observation/o1?_elements=note&_summary=false", status: 200, has: with(`"note"`)},
		{name: "a resource without tags", before: []string{"PUT /Patient/p1 " + patientP1}, method: "GET", path: "/Patient/p1?_elements=active", status: 200,
			has: []string{`"lastUpdated":"2026-01-02T03:04:07.000Z","tag":[{"system":"http://hl7.org/fhir/v3/ObservationValue","code":"SUBSETTED"},`, `{"resourceType":"Patient","id":"p1",`, `"active":true}`}, lacks: []string{"birthDate"}},
	})
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	p1 := []string{"PUT /Patient/p1 " + patientP1}
	for _, c := range []struct {
		name, query, accept string
		status              int
		contentType         string
	}{
		{"nothing", "", "", 200, "application/fhir+json"},
		{"FHIR", "", "application/fhir+json", 200, "application/fhir+json"},
		{"JSON", "", "application/json", 200, "application/json"},
		{"text", "", "text/json; charset=utf-8", 200, "text/json"},
		{"anything", "", "*/*", 200, "application/fhir+json"},
		{"some text", "", "text/*", 200, "text/json"},
		{"a browser", "", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200, "application/xml"},
		{"by quality", "", "application/fhir+json;q=0.5, application/json;q=0.9", 200, "application/json"},
		{"the specific range decides", "", "application/fhir+json;q=0.1, */*", 200, "application/json"},
		{"XML or JSON", "", "application/fhir+xml, application/fhir+json;q=0.2", 200, "application/fhir+xml"},
		{"XML and JSON alike", "", "application/fhir+xml, application/fhir+json", 200, "application/fhir+json"},
		{"XML", "", "application/fhir+xml", 200, "application/fhir+xml"},
		{"plain XML", "", "application/xml", 200, "application/xml"},
		{"XML as text", "", "text/xml;charset=UTF-8", 200, "text/xml"},
		{"XML of R4", "", "application/fhir+xml; fhirVersion=4.0", 200, "application/fhir+xml"},
		{"XML of R5", "", "application/fhir+xml; fhirVersion=5.0", 406, ""},
		{"XML in another charset", "", "application/fhir+xml; charset=iso-8859-1", 406, ""},
		{"nothing that exists", "", "application/jsonn", 406, ""},
		{"refused by quality", "", "application/fhir+json;q=0, application/json;q=0", 406, ""},
		{"R4", "", "application/fhir+json; fhirVersion=4.0", 200, "application/fhir+json"},
		{"R5", "", "application/fhir+json; fhirVersion=5.0", 406, ""},
		{"another charset", "", "application/fhir+json; charset=utf-16", 406, ""},
		{"_format json", "?_format=json", "application/fhir+xml", 200, "application/fhir+json"},
		{"_format text/json", "?_format=text/json", "", 200, "text/json"},
		{"_format with a plus", "?_format=application/fhir+json", "", 200, "application/fhir+json"},
		{"_format with an escaped plus", "?_format=application%2Ffhir%2Bjson", "", 200, "application/fhir+json"},
		{"_format xml", "?_format=xml", "", 200, "application/fhir+xml"},
		{"_format text/xml", "?_format=text/xml", "application/fhir+json", 200, "text/xml"},
		{"_format application/xml", "?_format=application/xml", "", 200, "application/xml"},
		{"_format xml with a plus", "?_format=application/fhir+xml", "", 200, "application/fhir+xml"},
		{"_format with a version", "?_format=application/fhir%2Bxml%3B%20fhirVersion=4.0", "", 200, "application/fhir+xml"},
		{"_format with another version", "?_format=application/fhir%2Bxml%3B%20fhirVersion=3.0", "", 406, ""},
		{"_format ttl", "?_format=ttl", "", 406, ""},
		{"_format empty", "?_format=", "", 406, ""},
	} {
		issue := ""
		if c.status == 406 {
			issue = "error not-supported"
		}
		want := map[string]string{}
		if c.contentType != "" {
			want["Content-Type"] = c.contentType + "; charset=utf-8"
		}
		t.Run(c.name, scenario{before: p1, method: "GET", path: "/Patient/p1" + c.query, header: map[string]string{"Accept": c.accept}, status: c.status, headers: want, issue: issue}.run)
		t.Run(c.name+"/search", scenario{before: p1, method: "GET", path: "/Patient" + c.query, header: map[string]string{"Accept": c.accept}, status: c.status, headers: want, issue: issue}.run)
	}
}
