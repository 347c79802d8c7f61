package fhir_test

import "testing"

// byIdentifier is a criterion that finds the story's patient.
const byIdentifier = "identifier=urn:salus:e2e|{u}"

var onlyIfNone = head("If-None-Exist", byIdentifier)

var conditionalCreates = []story{
	tell("no match creates", do("POST Patient", 201, body(ann), onlyIfNone, etag(1), header("Location", "*"))),
	tell("one match answers with it", do("POST Patient", 201, body(ann), keep("id", "id")),
		do("POST Patient", 200, body(ann), onlyIfNone, etag(1), at("id", "{id}"), header("Location", "{base}/Patient/{id}/_history/1"), header("Last-Modified", "*"))),
	tell("one match makes nothing", do("POST Patient", 201, body(ann)), do("POST Patient", 200, body(ann), onlyIfNone), do("GET Patient?"+byIdentifier+"&_summary=count", 200, at("total", "1"))),
	tell("one match has its own version", do("PUT Patient/{u}", 201, body(`{"resourceType":"Patient","id":"{u}","identifier":[{"value":"{u}"}]}`)),
		do("PUT Patient/{u}", 200, body(`{"resourceType":"Patient","id":"{u}","identifier":[{"value":"{u}"}],"active":true}`)), do("POST Patient", 200, body(ann), head("If-None-Exist", "identifier={u}"), etag(2), header("Location", "{base}/Patient/{u}/_history/2"))),
	tell("several matches", do("POST Patient", 201, body(ann)), do("POST Patient", 201, body(ann)), do("POST Patient", 412, body(ann), onlyIfNone, ambiguous())),
	tell("a deleted one does not match", do("POST Patient", 201, body(ann), keep("id", "id")), do("DELETE Patient/{id}", 204), do("POST Patient", 201, body(ann), onlyIfNone)),
	tell("without criteria", do("POST Patient", 400, body(ann), head("If-None-Exist", "&"), has("issue", 1))).in(azure),
	tell("with unknown criteria among others", do("POST Patient", 201, body(ann)), do("POST Patient", 200, body(ann), head("If-None-Exist", byIdentifier+"&shoes=7"))).in(azure),
	tell("match with return=representation", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST Patient", 200, body(ann), onlyIfNone, prefer("return=representation"), at("id", "{id}"))),
	tell("match with return=minimal", do("POST Patient", 201, body(ann)), do("POST Patient", 200, body(ann), onlyIfNone, prefer("return=minimal"), nothing())),
	tell("match with return=OperationOutcome", do("POST Patient", 201, body(ann)), do("POST Patient", 200, body(ann), onlyIfNone, prefer("return=OperationOutcome"),
		at("resourceType", "OperationOutcome"), at("issue.0.severity", "information"), at("issue.0.details.text", "*"))),
	tell("match with an empty preference", do("POST Patient", 201, body(ann)), do("POST Patient", 400, body(ann), onlyIfNone, prefer("return="))),
	tell("with a chain", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST Observation", 201, body(observed(`"subject":{"reference":"Patient/{id}"}`))),
		do("POST Observation", 200, body(observed(`"valueString":"x"`)), head("If-None-Exist", "subject:Patient.family={u}"))),
}

var conditionalUpdates = []story{
	tell("without criteria", do("PUT Patient", 400, body(ann), at("resourceType", "OperationOutcome"))).in(azure),
	tell("no match without an id creates", do("PUT Patient?"+byIdentifier, 201, body(ann), etag(1), at("id", "*"), header("Location", "*"))),
	tell("no match with an id creates it", do("PUT Patient?"+byIdentifier, 201, body(named(active)), at("id", "{u}"), header("Location", "{base}/Patient/{u}/_history/1"))),
	tell("one match without an id updates", do("POST Patient", 201, body(ann), keep("id", "id")), do("PUT Patient?"+byIdentifier, 200, body(`{"resourceType":"Patient","active":true}`), etag(2), at("id", "{id}"), at("active", "true"))),
	tell("one match with its id updates", do("PUT Patient/{u}", 201, body(named(`,"identifier":[{"value":"{u}"}]`))), do("PUT Patient?identifier={u}", 200, body(named(active)), etag(2))),
	tell("one match with another id", do("POST Patient", 201, body(ann)), do("PUT Patient?"+byIdentifier, 400, body(named(active)))),
	tell("several matches", do("POST Patient", 201, body(ann)), do("POST Patient", 201, body(ann)), do("PUT Patient?"+byIdentifier, 412, body(ann), ambiguous())),
	tell("that changes nothing", do("POST Patient", 201, body(ann)), do("PUT Patient?"+byIdentifier, 200, body(ann), etag(1))),
	tell("if it matches", do("POST Patient", 201, body(ann)), do("PUT Patient?"+byIdentifier, 200, body(`{"resourceType":"Patient","active":true}`), head("If-Match", `W/"1"`), etag(2))),
	tell("if it no longer matches", do("POST Patient", 201, body(ann)), do("PUT Patient?"+byIdentifier, 412, body(`{"resourceType":"Patient","active":true}`), head("If-Match", `W/"3"`))),
	tell("with an unknown criterion under handling=strict", do("PUT Patient?shoes={u}&"+byIdentifier, 400, body(ann), prefer("handling=strict"))),
	tell("of an unknown type", do("PUT Nobody?_id=x", 404, body(ann))),
	tell("of meta alone without history", do("POST Patient", 201, body(ann), keep("id", "id")),
		do("PUT Patient?"+byIdentifier+"&_meta-history=false", 200, body(`{"resourceType":"Patient","meta":{"tag":[{"code":"x"}]},"identifier":[{"system":"urn:salus:e2e","value":"{u}"}],"name":[{"family":"{u}","given":["Ann"]}],"gender":"female","birthDate":"1980-02-03"}`), etag(2)),
		do("GET Patient/{id}/_history", 200, has("entry", 1))),
}

const (
	jsonPatch = "application/json-patch+json"
	toMale    = `[{"op":"replace","path":"/gender","value":"male"}]`
)

func fhirPatch(operations string) string {
	return `{"resourceType":"Parameters","parameter":[` + operations + `]}`
}

// operation is one operation of a FHIRPath patch: parts are written as JSON.
func operation(kind, path, more string) string {
	return `{"name":"operation","part":[{"name":"type","valueCode":"` + kind + `"},{"name":"path","valueString":"` + path + `"}` + more + `]}`
}

var toMaleByPath = fhirPatch(operation("replace", "Patient.gender", `,{"name":"value","valueCode":"male"}`))

var conditionalPatches = []story{
	tell("no match", do("PATCH Patient?"+byIdentifier, 404, typed(jsonPatch, toMale), fault("not-found"))),
	tell("no match, by path", do("PATCH Patient?"+byIdentifier, 404, body(toMaleByPath), fault("not-found"))),
	tell("one match", do("POST Patient", 201, body(ann)), do("PATCH Patient?"+byIdentifier, 200, typed(jsonPatch, toMale), etag(2), at("gender", "male"))),
	tell("one match, by path", do("POST Patient", 201, body(ann)), do("PATCH Patient?"+byIdentifier, 200, body(toMaleByPath), etag(2), at("gender", "male"))),
	tell("several matches", do("POST Patient", 201, body(ann)), do("POST Patient", 201, body(ann)), do("PATCH Patient?"+byIdentifier, 412, typed(jsonPatch, toMale), ambiguous())),
	tell("several matches, by path", do("POST Patient", 201, body(ann)), do("POST Patient", 201, body(ann)), do("PATCH Patient?"+byIdentifier, 412, body(toMaleByPath), ambiguous())),
	tell("without criteria", do("PATCH Patient", 412, typed(jsonPatch, toMale), fault("required"))).in(azure),
	tell("without criteria, by path", do("PATCH Patient", 412, body(toMaleByPath), fault("required"))).in(azure),
	tell("with unknown criteria alone", do("PATCH Patient?shoes={u}", 412, typed(jsonPatch, toMale), fault("required"))).in(azure),
	tell("if it matches", do("POST Patient", 201, body(ann)), do("PATCH Patient?"+byIdentifier, 200, typed(jsonPatch, toMale), head("If-Match", `W/"1"`))),
	tell("if it no longer matches", do("POST Patient", 201, body(ann)), do("PATCH Patient?"+byIdentifier, 412, typed(jsonPatch, toMale), head("If-Match", `W/"5"`), fault("required"))),
	tell("if it no longer matches, by path", do("POST Patient", 201, body(ann)), do("PATCH Patient?"+byIdentifier, 412, body(toMaleByPath), head("If-Match", `W/"5"`), fault("required"))),
	tell("of meta alone without history", do("POST Patient", 201, body(ann), keep("id", "id")), do("PATCH Patient?"+byIdentifier+"&_meta-history=false", 200, typed(jsonPatch, `[{"op":"add","path":"/meta/tag","value":[{"code":"x"}]}]`), etag(2)),
		do("GET Patient/{id}/_history", 200, has("entry", 1))),
	tell("of more without history", do("POST Patient", 201, body(ann), keep("id", "id")), do("PATCH Patient?"+byIdentifier+"&_meta-history=false", 200, typed(jsonPatch, toMale), etag(2)), do("GET Patient/{id}/_history", 200, has("entry", 2))),
}

// twins are two patients with the story's identifier.
var twins = []step{do("POST Patient", 201, body(ann), keep("one", "id")), do("POST Patient", 201, body(ann), keep("two", "id"))}

// party is a group with the story's identifier and five members.
func party() []step {
	steps := []step{}
	members := ""
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		steps = append(steps, do("PUT Patient/{u}-"+n, 201, body(`{"resourceType":"Patient","id":"{u}-`+n+`"}`)))
		if members != "" {
			members += ","
		}
		members += `{"entity":{"reference":"Patient/{u}-` + n + `"}}`
	}
	return append(steps, do("POST Group", 201, body(`{"resourceType":"Group","identifier":[{"value":"{u}"}],"type":"person","actual":true,"member":[`+members+`]}`), keep("group", "id")))
}

var conditionalDeletes = []story{
	tell("no match", do("DELETE Patient?"+byIdentifier, 204)),
	tell("one match", do("POST Patient", 201, body(ann), keep("id", "id")), do("DELETE Patient?"+byIdentifier, 204), do("GET Patient/{id}", 410)),
	tell("one match, hard", do("POST Patient", 201, body(ann), keep("id", "id")), do("DELETE Patient?"+byIdentifier+"&hardDelete=true", 204), do("GET Patient/{id}", 404)),
	tell("one match, hard by the other spelling", do("POST Patient", 201, body(ann), keep("id", "id")), do("DELETE Patient?"+byIdentifier+"&_hardDelete=true", 204), do("GET Patient/{id}", 404)),
	tell("without criteria", do("DELETE Patient", 412, fault("required"))).in(azure),
	tell("an empty value", do("DELETE Patient?identifier=", 412, fault("required"))).in(azure),
	tell("unknown criteria alone", do("DELETE Patient?shoes={u}", 412, fault("required"))).in(azure),
	tell("_count alone", do("DELETE Patient?_count=10", 412, fault("required"))).in(azure),
	tell("unknown criteria under handling=strict", append([]step{}, twins[0], do("DELETE Patient?shoes=7&"+byIdentifier, 400, prefer("handling=strict")), do("GET Patient/{one}", 200))...),
	tell("several matches", append(twins[:2:2], do("DELETE Patient?"+byIdentifier, 412, ambiguous()), do("GET Patient/{one}", 200), do("GET Patient/{two}", 200))...),
	tell("several matches with _count", append(twins[:2:2], do("DELETE Patient?"+byIdentifier+"&_count=100", 204, header("Items-Deleted", "2")), do("GET Patient/{one}", 410), do("GET Patient/{two}", 410))...),
	tell("several matches with _count, hard", append(twins[:2:2], do("DELETE Patient?"+byIdentifier+"&_count=100&_hardDelete=true", 204, header("Items-Deleted", "2")), do("GET Patient/{one}", 404), do("GET Patient/{two}", 404))...),
	tell("more matches than _count", append(twins[:2:2], do("DELETE Patient?"+byIdentifier+"&_count=1", 204, header("Items-Deleted", "1")), do("GET Patient?"+byIdentifier+"&_summary=count", 200, at("total", "1")))...),
	tell("no match with _count", do("DELETE Patient?"+byIdentifier+"&_count=5", 204, header("Items-Deleted", "0"))),
	tell("_count=0", do("DELETE Patient?"+byIdentifier+"&_count=0", 400)),
	tell("_count=-1", do("DELETE Patient?"+byIdentifier+"&_count=-1", 400)),
	tell("_count=101", do("DELETE Patient?"+byIdentifier+"&_count=101", 400)),
	tell("_count=some", do("DELETE Patient?"+byIdentifier+"&_count=some", 400)),
	tell("with what it includes", append(party(), do("DELETE Group?identifier={u}&_include=Group:member&_count=10", 204, header("Items-Deleted", "6")), do("GET Group/{group}", 410), do("GET Patient/{u}-c", 410))...),
	tell("with what refers to it", append(party(), do("DELETE Patient?_id={u}-a&_revinclude=Group:member&_count=10", 204, header("Items-Deleted", "2")), do("GET Group/{group}", 410), do("GET Patient/{u}-a", 410), do("GET Patient/{u}-b", 200))...),
	tell("with what it includes, hard", append(party(), do("DELETE Group?identifier={u}&_include=Group:member&_count=10&_hardDelete=true", 204, header("Items-Deleted", "6")), do("GET Patient/{u}-c", 404))...),
	tell("of an unknown type", do("DELETE Nobody?_id=x", 404)),
}

func TestConditionalCreate(t *testing.T)     { run(t, conditionalCreates) }
func TestConditionalCreate_XML(t *testing.T) { runXML(t, conditionalCreates) }
func TestConditionalUpdate(t *testing.T)     { run(t, conditionalUpdates) }
func TestConditionalUpdate_XML(t *testing.T) { runXML(t, conditionalUpdates) }
func TestConditionalPatch(t *testing.T)      { run(t, conditionalPatches) }
func TestConditionalDelete(t *testing.T)     { run(t, conditionalDeletes) }
func TestConditionalDelete_XML(t *testing.T) { runXML(t, conditionalDeletes) }
