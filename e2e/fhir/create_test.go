package fhir_test

import (
	"strings"
	"testing"
)

// ann is a patient that belongs to a story.
const ann = `{"resourceType":"Patient","identifier":[{"system":"urn:salus:e2e","value":"{u}"}],"name":[{"family":"{u}","given":["Ann"]}],"gender":"female","birthDate":"1980-02-03"}`

// weight is an observation without a subject.
const weight = `{"resourceType":"Observation","identifier":[{"system":"urn:salus:e2e","value":"{u}"}],"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"valueQuantity":{"value":71.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}`

func narrative(div string) string {
	return `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">` + div + `</div>"},"active":true}`
}

func observed(value string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"{u}"},` + value + `}`
}

var creations = []story{
	tell("answers with version 1 and where it is", do("POST Patient", 201, body(ann), etag(1), header("Last-Modified", "*"), at("meta.versionId", "1"), at("meta.lastUpdated", "*"),
		keep("id", "id"), header("Location", "{base}/Patient/{id}/_history/1"), header("Content-Type", "~application/fhir+"))),
	tell("can be read at once", do("POST Patient", 201, body(ann), keepHeader("where", "Location"), keep("id", "id")),
		do("GET {where}", 200, at("id", "{id}")), do("GET Patient/{id}", 200, at("name.0.family", "{u}"), at("birthDate", "1980-02-03"))),
	tell("ignores the client's id", do("POST Patient", 201, body(`{"resourceType":"Patient","id":"{u}"}`), keep("id", "id")), do("GET Patient/{u}", 404), do("GET Patient/{id}", 200)),
	tell("ignores the client's version and time", do("POST Patient", 201, body(`{"resourceType":"Patient","meta":{"versionId":"77","lastUpdated":"2001-01-01T00:00:00Z"}}`),
		at("meta.versionId", "1"), etag(1), hides("2001-01-01"))),
	tell("keeps profile, security label and tag", do("POST Patient", 201, body(`{"resourceType":"Patient","meta":{"profile":["http://example.org/p"],"security":[{"code":"R"}],"tag":[{"code":"t"}]}}`),
		at("meta.profile.0", "http://example.org/p"), at("meta.security.0.code", "R"), at("meta.tag.0.code", "t"))),
	tell("ignores a query with SQL", do("POST Patient?name=%27%3B+DROP+TABLE+Resource%3B--", 201, body(ann))),
	tell("ignores a query with a script", do("POST Patient?name=%3Cscript%3Ealert(1)%3C%2Fscript%3E", 201, body(ann))),
	tell("keeps SQL in a value", do("POST Patient", 201, body(`{"resourceType":"Patient","name":[{"family":"'; DROP TABLE Resource;--"}]}`), at("name.0.family", "'; DROP TABLE Resource;--"))),
	tell("keeps a script in a value", do("POST Patient", 201, body(`{"resourceType":"Patient","name":[{"family":"<script>alert(1)</script>"}]}`), at("name.0.family", "<script>alert(1)</script>"))),
	tell("keeps what is not ASCII", do("POST Patient", 201, body(`{"resourceType":"Patient","name":[{"family":"Žluťoučký 名前 🩺"}]}`), at("name.0.family", "Žluťoučký 名前 🩺"))),
	tell("keeps 16 digits of a decimal", do("POST Observation", 201, body(observed(`"valueQuantity":{"value":1.2345678901234567}`)), at("valueQuantity.value", "1.2345678901234567"))),
	tell("keeps trailing zeros of a decimal", do("POST Observation", 201, body(observed(`"valueQuantity":{"value":10.500}`)), at("valueQuantity.value", "10.500"))),
	tell("keeps the zone of a time", do("POST Observation", 201, body(observed(`"valueDateTime":"2021-10-13T10:00:00+05:30"`)), at("valueDateTime", "2021-10-13T10:00:00+05:30"))),
	tell("keeps a position", do("POST Location", 201, body(`{"resourceType":"Location","name":"{u}","position":{"longitude":16.3738,"latitude":48.2082}}`), at("position.latitude", "48.2082"))),
	tell("keeps contained resources", do("POST Patient", 201, body(`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"{u}"}],"managingOrganization":{"reference":"#o"}}`),
		at("contained.0.name", "{u}"), at("managingOrganization.reference", "#o"))),
	tell("keeps extensions", do("POST Patient", 201, body(`{"resourceType":"Patient","extension":[{"url":"http://example.org/e","valueString":"{u}"}]}`), at("extension.0.url", "http://example.org/e"), at("extension.0.valueString", "{u}"))),
	tell("of a Binary in its wrapper", do("POST Binary", 201, body(`{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="}`), at("data", "aGVsbG8="))),
	tell("of a DocumentReference with data", do("POST DocumentReference", 201, body(`{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"contentType":"text/plain","data":"aGVsbG8="}}]}`), at("content.0.attachment.data", "aGVsbG8="))),
	tell("of a Communication with an attachment", do("POST Communication", 201, body(`{"resourceType":"Communication","status":"completed","payload":[{"contentAttachment":{"contentType":"text/plain","data":"aGVsbG8="}}]}`))),
	tell("stores a Bundle under its type", do("POST Bundle", 201, body(`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","active":true}}]}`), keep("id", "id")), do("GET Bundle/{id}", 200, at("type", "collection"))),
	tell("return=minimal has no body", do("POST Patient", 201, body(ann), prefer("return=minimal"), nothing(), etag(1), header("Location", "*"))),
	tell("return=representation has the resource", do("POST Patient", 201, body(ann), prefer("return=representation"), at("resourceType", "Patient"))),
	tell("return=OperationOutcome has an outcome", do("POST Patient", 201, body(ann), prefer("return=OperationOutcome"), at("resourceType", "OperationOutcome"), at("issue.0.severity", "information"))),
	tell("an empty preference is wrong", do("POST Patient", 400, body(ann), prefer("return="), fault("invalid"))),
	tell("an unknown preference is wrong", do("POST Patient", 400, body(ann), prefer("return=everything"), fault("invalid"))),
	tell("percent-encoded text in a narrative is text", do("POST Patient", 201, body(narrative(`%3Cscript%3Ealert(1)%3C/script%3E`)))),
	tell("SQL in a narrative is text", do("POST Patient", 201, body(narrative(`'; DROP TABLE Resource;--`)))),
	tell("tables and lists in a narrative", do("POST Patient", 201, body(narrative(`<p class='a'>x <b>y</b></p><table><tr><td>1</td></tr></table><ul><li>z</li></ul>`)))),
}

// refusedCreations: the body, or how it is sent, is wrong.
var refusedCreations = []story{
	tell("unknown type", do("POST Nobody", 404, body(`{"resourceType":"Nobody"}`), fault("not-found"))),
	tell("type in lower case", do("POST patient", 404, body(ann), fault("not-found"))),
	tell("another type than the URL's", do("POST Observation", 400, body(ann), fault("invalid"))),
	tell("mandatory elements missing", do("POST Observation", 400, body(`{"resourceType":"Observation","valueString":"x"}`))),
	tell("zone without a time", do("POST Observation", 400, body(observed(`"effectiveDateTime":"2021-10-13+02:00"`)), says("format"))),
	tell("impossible date", do("POST Patient", 400, body(`{"resourceType":"Patient","birthDate":"2021-02-30"}`))),
	tell("date that is none", do("POST Patient", 400, body(`{"resourceType":"Patient","birthDate":"soon"}`))),
	tell("code outside a required binding", do("POST Patient", 400, body(`{"resourceType":"Patient","gender":"mail"}`))),
	tell("unknown element", do("POST Patient", 400, body(`{"resourceType":"Patient","surname":"x"}`))),
	tell("two values of a choice", do("POST Patient", 400, body(`{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}`))),
	tell("script in a narrative", do("POST Patient", 400, body(narrative(`<script>alert(1)</script>`)))),
	tell("event handler in a narrative", do("POST Patient", 400, body(narrative(`<p onclick='alert(1)'>x</p>`)))),
	tell("image with an error handler", do("POST Patient", 400, body(narrative(`<img src='x' onerror='alert(1)'/>`)))),
	tell("frame in a narrative", do("POST Patient", 400, body(narrative(`<iframe src='http://example.org'></iframe>`)))),
	tell("style sheet in a narrative", do("POST Patient", 400, body(narrative(`<link rel='stylesheet' href='http://example.org/x.css'/>`)))),
	tell("script as a link", do("POST Patient", 400, body(narrative(`<a href='javascript:alert(1)'>x</a>`)))),
	tell("unclosed narrative", do("POST Patient", 400, body(narrative(`<p>x`)))),
}

// refusedAsJSON are creations whose body is no resource, or not said to be one.
var refusedAsJSON = []story{
	tell("plain text", do("POST Patient", 415, typed("text/plain", ann), fault("not-supported"))),
	tell("a form", do("POST Patient", 415, typed("application/x-www-form-urlencoded", "a=b"), fault("not-supported"))),
	tell("no content type", do("POST Patient", 415, typed("-", ann), fault("not-supported"))),
	tell("application/json will do", do("POST Patient", 201, typed("application/json", ann))),
	tell("text/json will do", do("POST Patient", 201, typed("text/json", ann))),
	tell("a charset will do", do("POST Patient", 201, typed("application/fhir+json; charset=utf-8", ann))),
	tell("broken JSON", do("POST Patient", 400, body(`{"resourceType":"Patient",`), at("resourceType", "OperationOutcome"))),
	tell("an array", do("POST Patient", 400, body(`[1]`), at("resourceType", "OperationOutcome"))),
	tell("no resourceType", do("POST Patient", 400, body(`{"active":true}`), at("resourceType", "OperationOutcome"))),
	tell("a string for a boolean", do("POST Patient", 400, body(`{"resourceType":"Patient","active":"true"}`))),
	tell("a number for a string", do("POST Patient", 400, body(`{"resourceType":"Patient","name":[{"family":7}]}`))),
	tell("one value for a list", do("POST Patient", 400, body(`{"resourceType":"Patient","name":{"family":"x"}}`))),
	tell("an empty list", do("POST Patient", 400, body(`{"resourceType":"Patient","name":[]}`))),
	tell("CDATA in a narrative", do("POST Patient", 400, body(narrative(`<![CDATA[<script>alert(1)</script>]]>`)))),
}

var provenances = []story{
	tell("is stored with what was created", do("POST Patient", 201, body(ann), head("X-Provenance", provenance), keep("id", "id")),
		do("GET Provenance?target=Patient/{id}", 200, has("entry", 1), at("entry.0.resource.target.0.reference", "~Patient/{id}"))),
	tell("is stored with what was updated", do("PUT Patient/{u}", 201, body(`{"resourceType":"Patient","id":"{u}"}`), head("X-Provenance", provenance)),
		do("GET Provenance?target=Patient/{u}", 200, has("entry", 1))),
	tell("garbage is refused before the write", do("PUT Patient/{u}", 400, body(`{"resourceType":"Patient","id":"{u}"}`), head("X-Provenance", "{nonsense"), fault("invalid")), do("GET Patient/{u}", 404)),
	tell("with a target of its own is refused", do("POST Patient", 400, body(ann), head("X-Provenance", strings.Replace(provenance, `"recorded"`, `"target":[{"reference":"Patient/x"}],"recorded"`, 1)))),
}

const provenance = `{"resourceType":"Provenance","recorded":"2024-01-02T03:04:05Z","agent":[{"who":{"display":"{u}"}}]}`

// conditionalReferences stand for the one resource that they find (FHIR R4 http §3.1.0.11.3).
var conditionalReferences = []story{
	tell("are resolved at a create", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST Observation", 201, body(observed(`"subject":{"reference":"Patient?identifier=urn:salus:e2e|{u}"}`)), at("subject.reference", "Patient/{id}"))),
	tell("are resolved at an update", do("POST Patient", 201, body(ann), keep("id", "id")),
		do("PUT Observation/{u}", 201, body(`{"resourceType":"Observation","id":"{u}","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier={u}"}}`), at("subject.reference", "Patient/{id}"))),
	tell("to nothing are refused", do("POST Observation", 400, body(observed(`"subject":{"reference":"Patient?identifier={u}"}`)), fault("invalid"))),
	tell("to several are refused", do("POST Patient", 201, body(ann)), do("POST Patient", 201, body(ann)), do("POST Observation", 400, body(observed(`"subject":{"reference":"Patient?identifier={u}"}`)), fault("invalid"))),
}

func TestCreate(t *testing.T)                   { run(t, creations) }
func TestCreate_XML(t *testing.T)               { runXML(t, creations) }
func TestCreate_Refused(t *testing.T)           { run(t, refusedCreations) }
func TestCreate_RefusedXML(t *testing.T)        { runXML(t, refusedCreations) }
func TestCreate_RefusedJSON(t *testing.T)       { run(t, refusedAsJSON) }
func TestProvenance(t *testing.T)               { run(t, provenances) }
func TestConditionalReference(t *testing.T)     { run(t, conditionalReferences) }
func TestConditionalReference_XML(t *testing.T) { runXML(t, conditionalReferences) }
