package fhir_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

// bundled is a Bundle of entries that are written as JSON.
func bundled(kind string, entries ...string) part {
	return body(`{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`)
}

func batch(entries ...string) part       { return bundled("batch", entries...) }
func transaction(entries ...string) part { return bundled("transaction", entries...) }

// asks is an entry without a resource; more are further properties of the request.
func asks(method, url string, more ...string) string {
	return `{"request":{"method":"` + method + `","url":"` + url + `"` + strings.Join(append([]string{""}, more...), ",") + `}}`
}

// sends is an entry with a resource; fullURL may be empty.
func sends(fullURL, resource, method, url string, more ...string) string {
	full := ""
	if fullURL != "" {
		full = `"fullUrl":"` + fullURL + `",`
	}
	return `{` + full + `"resource":` + resource + `,` + strings.TrimPrefix(asks(method, url, more...), "{")
}

// binaryPatch is a JSON Patch as it travels in a bundle.
func binaryPatch(document string) string {
	return `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"` + base64.StdEncoding.EncodeToString([]byte(document)) + `"}`
}

const subject = `{"resourceType":"Observation","identifier":[{"value":"{u}"}],"status":"final","code":{"text":"x"},"subject":{"reference":"@"}}`

// about is an observation of a subject.
func about(reference string) string { return strings.Replace(subject, "@", reference, 1) }

func statuses(codes ...string) part {
	return checks(func(r reply, _ values) string {
		var got []string
		for _, e := range r.list("entry") {
			status, _, _ := strings.Cut(text(lookup(e, "response.status")), " ")
			got = append(got, status)
		}
		return compare("statuses of the entries", strings.Join(got, " "), strings.Join(codes, " "))
	})
}

var batches = []story{
	tell("every method", made(active), do("POST ", 200, batch(sends("", ann, "POST", "Patient"), sends("", named(inactive), "PUT", "Patient/{u}"), asks("GET", "Patient/{u}"), asks("DELETE", "Patient/{u}x")),
		at("type", "batch-response"), statuses("201", "200", "200", "204"))),
	tell("statuses are numbers alone", do("POST ", 200, batch(sends("", ann, "POST", "Patient"), asks("GET", "Patient/{u}")), at("entry.0.response.status", "201"), at("entry.1.response.status", "404"))).in(azure),
	tell("a created resource and where it is", do("POST ", 200, batch(sends("", ann, "POST", "Patient")), at("entry.0.response.location", "~Patient/"), at("entry.0.response.etag", `W/"1"`), at("entry.0.response.lastModified", "*"))),
	tell("answers stand in the order of the requests", do("POST ", 200, batch(asks("GET", "Patient/{u}"), asks("GET", "metadata"), sends("", ann, "POST", "Patient"), asks("DELETE", "Patient/{u}")), statuses("404", "200", "201", "204"))),
	tell("deletes come before creates", made(active), do("POST ", 200, batch(sends("", named(inactive), "PUT", "Patient/{u}"), asks("DELETE", "Patient/{u}"))), do("GET Patient/{u}", 200, etag(3))),
	tell("reads come last", do("POST ", 200, batch(asks("GET", "Patient/{u}"), sends("", named(active), "PUT", "Patient/{u}")), statuses("200", "201"))),
	tell("an entry's error is its own", do("POST ", 200, batch(sends("", `{"resourceType":"Observation"}`, "POST", "Observation"), sends("", ann, "POST", "Patient")), statuses("400", "201"),
		at("entry.0.response.outcome.resourceType", "OperationOutcome"), at("entry.0.response.outcome.issue.0.severity", "error"))),
	tell("a read", made(active), do("POST ", 200, batch(asks("GET", "Patient/{u}")), at("entry.0.resource.id", "{u}"), at("entry.0.response.etag", `W/"1"`))),
	tell("a read of a version", made(active), do("POST ", 200, batch(asks("GET", "Patient/{u}/_history/1"), asks("GET", "Patient/{u}/_history/2")), statuses("200", "404"), at("entry.0.resource.meta.versionId", "1"))),
	tell("a history", made(active), do("POST ", 200, batch(asks("GET", "Patient/{u}/_history")), at("entry.0.resource.type", "history"), at("entry.0.resource.entry.0.resource.id", "{u}"))),
	tell("a search", do("POST Patient", 201, body(ann)), do("POST ", 200, batch(asks("GET", "Patient?identifier={u}")), at("entry.0.resource.type", "searchset"), at("entry.0.resource.entry.0.resource.name.0.family", "{u}"))),
	tell("a search on the system", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, batch(asks("GET", "?_type=Patient&_id={id}")), statuses("200"), at("entry.0.resource.entry.0.resource.id", "{id}"))),
	tell("metadata", do("POST ", 200, batch(asks("GET", "metadata")), at("entry.0.resource.resourceType", "CapabilityStatement"))),
	tell("a read of a deleted one", made(active), do("DELETE Patient/{u}", 204), do("POST ", 200, batch(asks("GET", "Patient/{u}")), statuses("410"))),
	tell("an unknown operation", do("POST ", 200, batch(asks("GET", "Patient/{u}/$none")), statuses("404"))),
	tell("an unknown type", do("POST ", 200, batch(asks("GET", "Nobody/{u}")), statuses("404"))),
	tell("a conditional create", do("POST Patient", 201, body(ann)), do("POST ", 200, batch(sends("", ann, "POST", "Patient", `"ifNoneExist":"identifier=urn:salus:e2e|{u}"`), sends("", ann, "POST", "Patient", `"ifNoneExist":"identifier={u}-other"`)), statuses("200", "201"))),
	tell("a conditional update", do("POST Patient", 201, body(ann)), do("POST ", 200, batch(sends("", ann, "PUT", "Patient?identifier={u}"), sends("", named(active), "PUT", "Patient?identifier={u}-other")), statuses("200", "201"))),
	tell("a conditional delete", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, batch(asks("DELETE", "Patient?identifier={u}")), statuses("204")), do("GET Patient/{id}", 410)),
	tell("a hard delete", made(active), do("POST ", 200, batch(asks("DELETE", "Patient/{u}?_hardDelete=true")), statuses("204")), do("GET Patient/{u}", 404)),
	tell("if it matches", made(active), do("POST ", 200, batch(sends("", named(inactive), "PUT", "Patient/{u}", `"ifMatch":"W/\"1\""`)), statuses("200"))),
	tell("if it no longer matches", made(active), do("POST ", 200, batch(sends("", named(inactive), "PUT", "Patient/{u}", `"ifMatch":"W/\"3\""`)), statuses("412"))),
	tell("a JSON Patch", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, batch(sends("", binaryPatch(toMale), "PATCH", "Patient/{id}")), statuses("200")), do("GET Patient/{id}", 200, at("gender", "male"))),
	tell("a FHIRPath patch", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, batch(sends("", toMaleByPath, "PATCH", "Patient/{id}")), statuses("200")), do("GET Patient/{id}", 200, at("gender", "male"))),
	tell("a conditional patch", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, batch(sends("", binaryPatch(toMale), "PATCH", "Patient?identifier={u}")), statuses("200")), do("GET Patient/{id}", 200, at("gender", "male"))),
	tell("two patches of one", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, batch(sends("", binaryPatch(toMale), "PATCH", "Patient/{id}"), sends("", binaryPatch(`[`+op("remove", "/birthDate", "")+`]`), "PATCH", "Patient/{id}")), statuses("200", "200")),
		do("GET Patient/{id}", 200, etag(3), at("gender", "male"), at("birthDate", ""))),
	tell("the same id under two types", do("POST ", 200, batch(sends("", named(active), "PUT", "Patient/{u}"), sends("", `{"resourceType":"Organization","id":"{u}","name":"{u}"}`, "PUT", "Organization/{u}")), statuses("201", "201"))),
	tell("the same id under two types, in parallel", do("POST ", 200, head("x-bundle-processing-logic", "parallel"), batch(sends("", named(active), "PUT", "Patient/{u}"), sends("", `{"resourceType":"Organization","id":"{u}","name":"{u}"}`, "PUT", "Organization/{u}")), statuses("201", "201"))),
	tell("in parallel", made(active), do("POST ", 200, head("x-bundle-processing-logic", "parallel"), batch(sends("", ann, "POST", "Patient"), asks("GET", "Patient/{u}"), asks("GET", "Patient/{u}x")), statuses("201", "200", "404"))),
	tell("references by conditions are not resolved", do("POST ", 200, batch(sends("", about("Patient?identifier={u}-none"), "POST", "Observation")), statuses("400"))),
	tell("a method missing", do("POST ", 200, batch(`{"resource":`+ann+`,"request":{"url":"Patient"}}`), statuses("400"))),
	tell("of nothing", do("POST ", 200, body(`{"resourceType":"Bundle","type":"batch"}`), at("type", "batch-response"), has("entry", 0))),
	tell("with a slash", do("POST /", 200, batch(asks("GET", "Patient/{u}")), statuses("404"))),
}

var refusedBundles = []story{
	tell("type missing", do("POST ", 405, body(`{"resourceType":"Bundle","entry":[]}`), fault("forbidden"))).in(azure),
	tell("a document", do("POST ", 400, body(`{"resourceType":"Bundle","type":"document"}`), at("resourceType", "OperationOutcome"))),
	tell("a collection", do("POST ", 400, body(`{"resourceType":"Bundle","type":"collection"}`))),
	tell("a searchset", do("POST ", 400, body(`{"resourceType":"Bundle","type":"searchset"}`))),
	tell("no bundle", do("POST ", 400, body(ann), at("resourceType", "OperationOutcome"))),
	tell("no JSON", do("POST ", 400, body(`bundle`))),
	tell("plain text", do("POST ", 415, typed("text/plain", "bundle"))),
	tell("too many entries", do("POST ", 400, batch(strings.Split(strings.TrimSuffix(strings.Repeat(asks("GET", "Patient/{u}")+"\n", 501), "\n"), "\n")...), fault("invalid"))).in(azure),
}

var transactions = []story{
	tell("of nothing", do("POST ", 200, body(`{"resourceType":"Bundle","type":"transaction"}`), at("type", "transaction-response"))),
	tell("every kind of entry", made(active), do("PUT Patient/{u}-gone", 201, body(`{"resourceType":"Patient","id":"{u}-gone"}`)), do("POST ", 200, transaction(
		sends("urn:uuid:5b0c1b6a-0000-4000-8000-000000000001", ann, "POST", "Patient"), sends("", ann, "POST", "Patient", `"ifNoneExist":"identifier={u}-b"`),
		sends("", `{"resourceType":"Patient","id":"{u}-c"}`, "PUT", "Patient/{u}-c"), sends("", `{"resourceType":"Patient","identifier":[{"value":"{u}-d"}]}`, "PUT", "Patient?identifier={u}-d"),
		asks("GET", "Patient/{u}"), asks("GET", "Patient?_id={u}"), asks("DELETE", "Patient/{u}-gone")),
		at("type", "transaction-response"), statuses("201", "201", "201", "201", "200", "200", "204")), do("GET Patient/{u}-gone", 410)),
	tell("replaces urn:uuid references", do("POST ", 200, transaction(sends("urn:uuid:5b0c1b6a-0000-4000-8000-000000000002", ann, "POST", "Patient"), sends("", about("urn:uuid:5b0c1b6a-0000-4000-8000-000000000002"), "POST", "Observation")), statuses("201", "201")),
		do("GET Patient?identifier={u}", 200, keep("id", "entry.0.resource.id")), do("GET Observation?subject=Patient/{id}", 200, has("entry", 1), at("entry.0.resource.subject.reference", "Patient/{id}"))),
	tell("replaces references whatever the order", do("POST ", 200, transaction(sends("", about("urn:uuid:5b0c1b6a-0000-4000-8000-000000000003"), "POST", "Observation"), sends("urn:uuid:5b0c1b6a-0000-4000-8000-000000000003", ann, "POST", "Patient"))),
		do("GET Observation?identifier={u}&subject:Patient.identifier={u}", 200, has("entry", 1))),
	tell("replaces urn references that are no uuids", do("POST ", 200, transaction(sends("urn:uuid:patient", ann, "POST", "Patient"), sends("", about("urn:uuid:patient"), "POST", "Observation"))),
		do("GET Observation?identifier={u}&subject:Patient.identifier={u}", 200, has("entry", 1))),
	tell("replaces references in parallel mode", do("POST ", 200, head("x-bundle-processing-logic", "parallel"), transaction(sends("urn:uuid:patient", ann, "POST", "Patient"), sends("", about("urn:uuid:patient"), "POST", "Observation"))),
		do("GET Observation?identifier={u}&subject:Patient.identifier={u}", 200, has("entry", 1))),
	tell("leaves foreign urns alone", do("POST ", 200, transaction(sends("", about("urn:uuid:5b0c1b6a-0000-4000-8000-00000000000f"), "POST", "Observation"))),
		do("GET Observation?identifier={u}", 200, at("entry.0.resource.subject.reference", "urn:uuid:5b0c1b6a-0000-4000-8000-00000000000f"))),
	tell("maps references to what a conditional create finds", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, transaction(sends("urn:uuid:patient", ann, "POST", "Patient", `"ifNoneExist":"identifier={u}"`), sends("", about("urn:uuid:patient"), "POST", "Observation")), statuses("200", "201")),
		do("GET Observation?subject=Patient/{id}", 200, has("entry", 1))),
	tell("maps references to what a conditional update finds", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, transaction(sends("urn:uuid:patient", ann, "PUT", "Patient?identifier={u}"), sends("", about("urn:uuid:patient"), "POST", "Observation")), statuses("200", "201")),
		do("GET Observation?subject=Patient/{id}", 200, has("entry", 1))),
	tell("twice with conditions makes one patient", do("POST ", 200, conditionalPair), do("POST ", 200, conditionalPair), do("GET Patient?identifier={u}&_summary=count", 200, at("total", "1")), do("GET Observation?identifier={u}&subject:Patient.identifier={u}&_summary=count", 200, at("total", "2"))),
	tell("resolves references by conditions", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, transaction(sends("", about("Patient?identifier={u}"), "POST", "Observation"))), do("GET Observation?subject=Patient/{id}", 200, has("entry", 1))),
	tell("refuses references by conditions that find nothing", do("POST ", 400, transaction(sends("", ann, "POST", "Patient"), sends("", about("Patient?identifier={u}-none"), "POST", "Observation"))), do("GET Patient?identifier={u}", 200, has("entry", 0))),
	tell("refuses references by conditions that find several", twins[0], twins[1], do("POST ", 400, transaction(sends("", about("Patient?identifier={u}"), "POST", "Observation")))),
	tell("fails whole", do("POST ", 404, transaction(sends("", named(active), "PUT", "Patient/{u}"), asks("GET", "Patient/{u}-none")), fault("processing", "not-found"))).in(azure),
	tell("names method and URL of what failed", do("POST ", 404, transaction(sends("", named(active), "PUT", "Patient/{u}"), asks("GET", "Patient/{u}-none")), says("GET"))).in(azure),
	tell("takes back what it created", do("POST ", 404, transaction(sends("", named(active), "PUT", "Patient/{u}"), asks("GET", "Patient/{u}-none"))), do("GET Patient/{u}", 404)),
	tell("takes back what it deleted", made(active), do("POST ", 404, transaction(asks("DELETE", "Patient/{u}"), asks("GET", "Patient/{u}-none"))), do("GET Patient/{u}", 200, etag(1))),
	tell("takes back what it changed", made(active), do("POST ", 400, transaction(sends("", named(inactive), "PUT", "Patient/{u}"), sends("", `{"resourceType":"Observation"}`, "POST", "Observation"))), do("GET Patient/{u}", 200, etag(1))),
	tell("with an invalid resource", do("POST ", 400, transaction(sends("", `{"resourceType":"Observation"}`, "POST", "Observation")), at("resourceType", "OperationOutcome"))),
	tell("with several matches", twins[0], twins[1], do("POST ", 412, transaction(sends("", ann, "POST", "Patient", `"ifNoneExist":"identifier={u}"`)))),
	tell("that no longer matches", made(active), do("POST ", 412, transaction(sends("", named(inactive), "PUT", "Patient/{u}", `"ifMatch":"W/\"7\""`)))),
	tell("that matches", made(active), do("POST ", 200, transaction(sends("", named(inactive), "PUT", "Patient/{u}", `"ifMatch":"W/\"1\""`)), statuses("200"))),
	tell("one resource twice", do("POST ", 400, transaction(sends("", named(active), "PUT", "Patient/{u}"), sends("", named(inactive), "PUT", "Patient/{u}")), has("issue", 1), fault("invalid"))),
	tell("one resource twice, by condition", do("PUT Patient/{u}", 201, body(named(`,"identifier":[{"value":"{u}"}]`))), do("POST ", 400, transaction(sends("", named(active), "PUT", "Patient/{u}"), sends("", named(inactive), "PUT", "Patient?identifier={u}")))),
	tell("written and deleted", made(active), do("POST ", 400, transaction(sends("", named(inactive), "PUT", "Patient/{u}"), asks("DELETE", "Patient/{u}")))),
	tell("written and read", do("POST ", 200, transaction(sends("", named(active), "PUT", "Patient/{u}"), asks("GET", "Patient/{u}")), statuses("201", "200"), at("entry.1.resource.id", "{u}"))),
	tell("a full URL twice", do("POST ", 400, transaction(sends("urn:uuid:patient", ann, "POST", "Patient"), sends("urn:uuid:patient", ann, "POST", "Patient")))),
	tell("refuses conditional deletes", do("POST ", 400, transaction(asks("DELETE", "Patient?identifier={u}")), at("resourceType", "OperationOutcome"))).in(azure),
	tell("refuses hard deletes", made(active), do("POST ", 400, transaction(asks("DELETE", "Patient/{u}?_hardDelete=true"))), do("GET Patient/{u}", 200)).in(azure),
	tell("refuses a bundle as a resource", do("POST ", 400, transaction(sends("", `{"resourceType":"Bundle","type":"collection"}`, "POST", "Bundle")))).in(azure),
	tell("an update without an id", do("POST ", 400, transaction(sends("", ann, "PUT", "Patient")))),
	tell("an update with another id", do("POST ", 400, transaction(sends("", named(active), "PUT", "Patient/{u}-other")))),
	tell("an unknown type", do("POST ", 404, transaction(sends("", ann, "POST", "Nobody")))),
	tell("a request missing", do("POST ", 400, transaction(`{"resource":`+ann+`}`))),
	tell("a URL missing", do("POST ", 400, transaction(`{"resource":`+ann+`,"request":{"method":"POST"}}`))),
	tell("a JSON Patch", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, transaction(sends("", binaryPatch(toMale), "PATCH", "Patient/{id}"), sends("", named(active), "PUT", "Patient/{u}")), statuses("200", "201")), do("GET Patient/{id}", 200, at("gender", "male"))),
	tell("a FHIRPath patch", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, transaction(sends("", toMaleByPath, "PATCH", "Patient/{id}")), statuses("200")), do("GET Patient/{id}", 200, at("gender", "male"))),
	tell("a conditional patch", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 200, transaction(sends("", binaryPatch(toMale), "PATCH", "Patient?identifier={u}")), statuses("200")), do("GET Patient/{id}", 200, at("gender", "male"))),
	tell("a patch that fails takes all back", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST ", 400, transaction(sends("", binaryPatch(`[`+op("remove", "/shoes", "")+`]`), "PATCH", "Patient/{id}"), sends("", named(active), "PUT", "Patient/{u}"))), do("GET Patient/{u}", 404)),
	tell("meta alone without history", made(active), do("POST ", 200, transaction(sends("", `{"resourceType":"Patient","id":"{u}","meta":{"tag":[{"code":"x"}]},"active":true}`, "PUT", "Patient/{u}?_meta-history=false")), statuses("200")), do("GET Patient/{u}/_history", 200, has("entry", 1))),
	tell("references within the narrative stay", do("POST ", 200, transaction(sends("urn:uuid:patient", ann, "POST", "Patient"), sends("", strings.Replace(about("urn:uuid:patient"), `"status"`, `"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">plain</div>"},"status"`, 1), "POST", "Observation")), statuses("201", "201"))),
}

var conditionalPair = transaction(sends("urn:uuid:patient", ann, "POST", "Patient", `"ifNoneExist":"identifier=urn:salus:e2e|{u}"`), sends("", about("urn:uuid:patient"), "POST", "Observation"))

// edges are of headers that say how a bundle is worked on.
var bundleEdges = []story{
	tell("sequential on demand", do("POST ", 200, head("x-bundle-processing-logic", "sequential"), batch(sends("", ann, "POST", "Patient")), statuses("201"))),
	tell("conditions in parallel", do("POST ", 200, head("x-conditionalquery-processing-logic", "parallel"), transaction(sends("", ann, "POST", "Patient", `"ifNoneExist":"identifier={u}"`)), statuses("201"))),
	tell("parallel transaction that fails takes all back", do("POST ", 404, head("x-bundle-processing-logic", "parallel"), transaction(sends("", named(active), "PUT", "Patient/{u}"), asks("GET", "Patient/{u}-none"))), do("GET Patient/{u}", 404)),
	tell("preference for the outer bundle reaches its entries", do("POST ", 200, prefer("return=minimal"), batch(sends("", ann, "POST", "Patient")), statuses("201"), at("entry.0.resource", ""))),
	tell("forwarded host reaches searches inside", do("POST Patient", 201, body(ann)), do("POST ", 200, head("X-Forwarded-Host", "fhir.example.org", "X-Forwarded-Proto", "https"), batch(asks("GET", "Patient?identifier={u}")), says("https://fhir.example.org"))),
}

func TestBatch(t *testing.T)           { run(t, batches) }
func TestBatch_XML(t *testing.T)       { runXML(t, batches) }
func TestBundle_Refused(t *testing.T)  { run(t, refusedBundles) }
func TestTransaction(t *testing.T)     { run(t, transactions) }
func TestTransaction_XML(t *testing.T) { runXML(t, transactions) }
func TestBundle_Edges(t *testing.T)    { run(t, bundleEdges) }
