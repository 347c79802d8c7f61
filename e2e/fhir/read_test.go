package fhir_test

import "testing"

var reads = []story{
	tell("has version and time", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}", 200, etag(1), header("Last-Modified", "*"), at("meta.versionId", "1"), at("name.0.family", "{u}"))),
	tell("has the headers that keep browsers from guessing", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}", 200, header("X-Content-Type-Options", "nosniff"))),
	tell("unknown id", do("GET Patient/{u}", 404, fault("not-found"))),
	tell("unknown type", do("GET Nobody/{u}", 404, fault("not-found"))),
	tell("type in lower case", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET patient/{id}", 404, fault("not-found"))),
	tell("id of another type", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Observation/{id}", 404, fault("not-found"))),
	tell("ids are case-sensitive", do("PUT Patient/{u}-a", 201, body(`{"resourceType":"Patient","id":"{u}-a"}`)), do("GET Patient/{u}-A", 404)),
	tell("deleted", do("POST Patient", 201, body(ann), keep("id", "id")), do("DELETE Patient/{id}", 204), do("GET Patient/{id}", 410, etag(2), at("resourceType", "OperationOutcome"))),
	tell("_summary=true leaves the summary", do("POST Patient", 201, body(narrative("x")), keep("id", "id")), do("GET Patient/{id}?_summary=true", 200, at("text", ""), at("active", "true"), says("SUBSETTED"))),
	tell("_summary=text leaves the narrative", do("POST Patient", 201, body(narrative("x")), keep("id", "id")), do("GET Patient/{id}?_summary=text", 200, at("text.div", "*"), at("active", ""), says("SUBSETTED"))),
	tell("_summary=data leaves the narrative out", do("POST Patient", 201, body(narrative("x")), keep("id", "id")), do("GET Patient/{id}?_summary=data", 200, at("text", ""), at("active", "true"))),
	tell("_summary=false is everything", do("POST Patient", 201, body(narrative("x")), keep("id", "id")), do("GET Patient/{id}?_summary=false", 200, at("text.div", "*"), at("active", "true"), hides("SUBSETTED"))),
	tell("_elements leaves those and meta", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}?_elements=gender", 200, at("gender", "female"), at("birthDate", ""), at("meta.versionId", "1"), says("SUBSETTED"))),
	tell("_elements keeps what is mandatory", do("POST Observation", 201, body(weight), keep("id", "id")), do("GET Observation/{id}?_elements=value", 200, at("status", "final"), at("code.coding.0.code", "29463-7"), at("identifier", ""))),
	tell("unknown elements are ignored", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}?_elements=gender,shoes", 200, at("gender", "female"))),
	tell("_pretty", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}?_pretty=true", 200, says("\n"))),
	tell("a wrong _pretty", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}?_pretty=yes", 400, fault("invalid"))),
	tell("a wrong _summary", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}?_summary=some", 400)),
}

// formats asks for representations: the accept header or _format, and what comes.
var formats = []struct {
	name, query, accept string
	status              int
	media               string // of the answer
}{
	{"FHIR's own", "", "application/fhir+json", 200, "application/fhir+json"},
	{"application/json", "", "application/json", 200, "json"},
	{"text/json", "", "text/json", 200, "json"},
	{"none", "", "-", 200, "application/fhir+json"},
	{"anything", "", "*/*", 200, "application/fhir+json"},
	{"of several the better one", "", "text/html;q=0.9, application/fhir+json;q=0.8", 200, "application/fhir+json"},
	{"a browser's", "", "text/html,application/xhtml+xml,*/*;q=0.8", 200, "application/fhir+json"},
	{"one that there is not", "", "text/html", 406, ""},
	{"misspelt", "", "application/fhir+jsn", 406, ""},
	{"_format=json", "_format=json", "-", 200, "json"},
	{"_format as media type", "_format=application/fhir%2Bjson", "-", 200, "application/fhir+json"},
	{"_format goes before accept", "_format=json", "text/html", 200, "json"},
	{"unknown _format", "_format=pdf", "application/fhir+json", 406, ""},
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"Patient/{id}", "Patient?_id={id}", "Patient/{id}/_history", "metadata"} {
		for _, f := range formats {
			expected := []part{head("Accept", f.accept)}
			if f.media != "" {
				expected = append(expected, header("Content-Type", "~"+f.media))
			}
			separator := "?"
			if place == "Patient?_id={id}" {
				separator = "&"
			}
			s := tell(f.name, do("POST Patient", 201, body(ann), keep("id", "id")), do("GET "+place+separator+f.query, f.status, expected...))
			t.Run(place+" "+s.name, func(t *testing.T) { s.run(t, first(), false) })
		}
	}
}

var xmlFormats = []story{
	tell("by accept header", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}", 200, head("Accept", "application/fhir+xml"), header("Content-Type", "~application/fhir+xml"), at("name.family", "{u}"))),
	tell("as application/xml", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}", 200, head("Accept", "application/xml"), header("Content-Type", "~xml"))),
	tell("by _format", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}?_format=xml", 200, header("Content-Type", "~xml"), at("name.family", "{u}"))),
	tell("a search", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient?_id={id}", 200, head("Accept", "application/fhir+xml"), at("resourceType", "Bundle"), at("entry.resource.id", "{id}"))),
	tell("an error", do("GET Patient/{u}", 404, head("Accept", "application/fhir+xml"), header("Content-Type", "~application/fhir+xml"), at("issue.code", "not-found"))),
	tell("in, JSON out", do("POST Patient", 201, typed("application/fhir+xml", `<Patient xmlns="http://hl7.org/fhir"><name><family value="{u}"/></name></Patient>`), at("name.0.family", "{u}"))),
	tell("broken", do("POST Patient", 400, typed("application/fhir+xml", `<Patient xmlns="http://hl7.org/fhir"><name>`), at("resourceType", "OperationOutcome"))),
	tell("of another namespace", do("POST Patient", 400, typed("application/fhir+xml", `<Patient><active value="true"/></Patient>`))),
	tell("with a document type", do("POST Patient", 400, typed("application/fhir+xml", `<!DOCTYPE x [<!ENTITY e "x">]><Patient xmlns="http://hl7.org/fhir"><name><family value="&e;"/></name></Patient>`))),
	tell("keeps decimals", do("POST Observation", 201, body(observed(`"valueQuantity":{"value":10.500}`)), keep("id", "id")), do("GET Observation/{id}", 200, head("Accept", "application/fhir+xml"), at("valueQuantity.value", "10.500"))),
}

var vreads = []story{
	tell("each version", do("PUT Patient/{u}", 201, body(`{"resourceType":"Patient","id":"{u}","active":true}`)), do("PUT Patient/{u}", 200, body(`{"resourceType":"Patient","id":"{u}","active":false}`)),
		do("GET Patient/{u}/_history/1", 200, etag(1), at("active", "true"), at("meta.versionId", "1"), header("Last-Modified", "*")), do("GET Patient/{u}/_history/2", 200, etag(2), at("active", "false"))),
	tell("unknown version", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}/_history/2", 404, fault("not-found"))),
	tell("version that is no number", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}/_history/{u}", 404, fault("not-found"))),
	tell("unknown id", do("GET Patient/{u}/_history/1", 404, fault("not-found"))),
	tell("unknown type", do("GET Nobody/{u}/_history/1", 404, fault("not-found"))),
	tell("of the deletion", do("POST Patient", 201, body(ann), keep("id", "id")), do("DELETE Patient/{id}", 204), do("GET Patient/{id}/_history/2", 410), do("GET Patient/{id}/_history/1", 200, at("name.0.family", "{u}"))),
	tell("_elements", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}/_history/1?_elements=gender", 200, at("gender", "female"), at("birthDate", ""))),
}

func TestRead(t *testing.T)      { run(t, reads) }
func TestRead_XML(t *testing.T)  { runXML(t, reads) }
func TestVread(t *testing.T)     { run(t, vreads) }
func TestVread_XML(t *testing.T) { runXML(t, vreads) }
func TestXML(t *testing.T)       { run(t, xmlFormats) }
