package fhir_test

import "testing"

// patient is what patches are tried on.
const patient = `{"resourceType":"Patient","id":"{u}","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"active":true,` +
	`"name":[{"use":"official","family":"Beispiel","given":["Ada","Maria"]},{"use":"nickname","given":["Adi"]}],"gender":"female","birthDate":"1980-02-03","deceasedBoolean":false,"address":[{"city":"Wien"}]}`

// patched is a JSON Patch of it.
func patched(name, document string, status int, parts ...part) story {
	return tell(name, do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", status, append([]part{typed(jsonPatch, document)}, parts...)...))
}

// op is one operation of a JSON Patch; more is JSON.
func op(name, path, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"op":"` + name + `","path":"` + path + `"` + more + `}`
}

var jsonPatches = []story{
	patched("replace", `[`+op("replace", "/gender", `"value":"male"`)+`]`, 200, etag(2), at("gender", "male"), at("meta.versionId", "2")),
	patched("replace in a list", `[`+op("replace", "/name/0/given/1", `"value":"Eva"`)+`]`, 200, at("name.0.given.1", "Eva"), at("name.0.given.0", "Ada")),
	patched("add a property", `[`+op("add", "/maritalStatus", `"value":{"text":"x"}`)+`]`, 200, at("maritalStatus.text", "x")),
	patched("add to the end of a list", `[`+op("add", "/name/0/given/-", `"value":"Zoe"`)+`]`, 200, at("name.0.given.2", "Zoe")),
	patched("add into a list", `[`+op("add", "/name/0/given/0", `"value":"Zoe"`)+`]`, 200, at("name.0.given.0", "Zoe"), at("name.0.given.2", "Maria")),
	patched("add a list and into it", `[`+op("add", "/telecom", `"value":[]`)+`,`+op("add", "/telecom/0", `"value":{"system":"phone","value":"1"}`)+`]`, 200, at("telecom.0.value", "1")),
	patched("remove", `[`+op("remove", "/gender", "")+`]`, 200, at("gender", "")),
	patched("remove from a list", `[`+op("remove", "/name/1", "")+`]`, 200, has("name", 1)),
	patched("move", `[`+op("move", "/name/1/family", `"from":"/name/0/family"`)+`]`, 200, at("name.1.family", "Beispiel"), at("name.0.family", "")),
	patched("copy", `[`+op("copy", "/name/1/family", `"from":"/name/0/family"`)+`]`, 200, at("name.1.family", "Beispiel"), at("name.0.family", "Beispiel")),
	patched("test that holds", `[`+op("test", "/gender", `"value":"female"`)+`,`+op("replace", "/gender", `"value":"other"`)+`]`, 200, at("gender", "other")),
	patched("test that does not hold", `[`+op("test", "/gender", `"value":"male"`)+`,`+op("replace", "/gender", `"value":"other"`)+`]`, 400, fault("invalid")),
	patched("no change", `[`+op("replace", "/gender", `"value":"female"`)+`]`, 200, etag(1)),
	patched("no operations", `[]`, 200, etag(1)),
	patched("one choice for another", `[`+op("remove", "/deceasedBoolean", "")+`,`+op("add", "/deceasedDateTime", `"value":"2020-01-01"`)+`]`, 200, at("deceasedDateTime", "2020-01-01")),
	patched("zone of a time is kept", `[`+op("remove", "/deceasedBoolean", "")+`,`+op("add", "/deceasedDateTime", `"value":"2015-02-14T13:42:00+10:00"`)+`]`, 200, at("deceasedDateTime", "2015-02-14T13:42:00+10:00")),
	patched("escaped path", `[`+op("add", "/extension", `"value":[{"url":"http://example.org/a~b","valueString":"x"}]`)+`]`, 200, at("extension.0.url", "http://example.org/a~b")),
	patched("two choices at once", `[`+op("add", "/deceasedDateTime", `"value":"2020-01-01"`)+`]`, 400),
	patched("path missing", `[{"op":"replace","value":"x"}]`, 400, fault("invalid")),
	patched("empty path", `[`+op("replace", "", `"value":"x"`)+`]`, 400),
	patched("operation missing", `[{"path":"/gender","value":"male"}]`, 400),
	patched("unknown operation", `[`+op("change", "/gender", `"value":"male"`)+`]`, 400),
	patched("value missing", `[`+op("replace", "/gender", "")+`]`, 400),
	patched("unknown property", `[`+op("add", "/shoes", `"value":"7"`)+`]`, 400),
	patched("remove what is not there", `[`+op("remove", "/maritalStatus", "")+`]`, 400),
	patched("replace what is not there", `[`+op("replace", "/maritalStatus", `"value":{"text":"x"}`)+`]`, 400),
	patched("index outside the list", `[`+op("replace", "/name/7/family", `"value":"x"`)+`]`, 400),
	patched("add beyond the end", `[`+op("add", "/name/7", `"value":{"family":"x"}`)+`]`, 400),
	patched("invalid code", `[`+op("replace", "/gender", `"value":"mail"`)+`]`, 400),
	patched("invalid date", `[`+op("replace", "/birthDate", `"value":"soon"`)+`]`, 400),
	patched("time for a date", `[`+op("replace", "/birthDate", `"value":"1980-02-03T10:00:00Z"`)+`]`, 400),
	patched("wrong type", `[`+op("replace", "/active", `"value":"yes"`)+`]`, 400),
	patched("id", `[`+op("replace", "/id", `"value":"other"`)+`]`, 400),
	patched("remove the id", `[`+op("remove", "/id", "")+`]`, 400),
	patched("version", `[`+op("replace", "/meta/versionId", `"value":"9"`)+`]`, 400),
	patched("version at the root", `[`+op("add", "/versionId", `"value":"9"`)+`]`, 400),
	patched("resource type", `[`+op("replace", "/resourceType", `"value":"Person"`)+`]`, 400),
	patched("narrative", `[`+op("replace", "/text/div", `"value":"<div xmlns=\"http://www.w3.org/1999/xhtml\">y</div>"`)+`]`, 400).in(azure),
	patched("status of the narrative", `[`+op("replace", "/text/status", `"value":"empty"`)+`]`, 400).in(azure),
	patched("no array", `{"op":"remove","path":"/gender"}`, 400),
	patched("no JSON", `remove`, 400),
	tell("empty body", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 400, typed(jsonPatch, ""))),
	tell("all or nothing", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 400, typed(jsonPatch, `[`+op("remove", "/gender", "")+`,`+op("remove", "/shoes", "")+`]`)), do("GET Patient/{u}", 200, etag(1), at("gender", "female"))),
	tell("missing resource", do("PATCH Patient/{u}", 404, typed(jsonPatch, toMale), fault("not-found"))),
	tell("deleted resource", do("PUT Patient/{u}", 201, body(patient)), do("DELETE Patient/{u}", 204), do("PATCH Patient/{u}", 410, typed(jsonPatch, toMale))),
	tell("unknown type", do("PATCH Nobody/{u}", 404, typed(jsonPatch, toMale))),
	tell("a version", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}/_history/1", 405, typed(jsonPatch, toMale))),
	tell("if it matches", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 200, typed(jsonPatch, toMale), head("If-Match", `W/"1"`), etag(2))),
	tell("if it no longer matches", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 412, typed(jsonPatch, toMale), head("If-Match", `W/"2"`))),
	tell("if-match that is none", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 400, typed(jsonPatch, toMale), head("If-Match", `"invalidVersion"`))),
	tell("of meta alone without history", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}?_meta-history=false", 200, typed(jsonPatch, `[`+op("add", "/meta/tag", `"value":[{"code":"x"}]`)+`]`), etag(2)), do("GET Patient/{u}/_history", 200, has("entry", 1))),
	tell("return=minimal", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 200, typed(jsonPatch, toMale), prefer("return=minimal"), nothing(), etag(2))),
	tell("another content type", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 415, typed("text/plain", toMale), fault("not-supported"))),
	tell("a version before stays", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 200, typed(jsonPatch, toMale)), do("GET Patient/{u}/_history/1", 200, at("gender", "female"))),
	tell("is found as patched", do("POST Patient", 201, body(ann), keep("id", "id")), do("PATCH Patient/{id}", 200, typed(jsonPatch, toMale)), do("GET Patient?"+byIdentifier+"&gender=male", 200, has("entry", 1)), do("GET Patient?"+byIdentifier+"&gender=female", 200, has("entry", 0))),
}

// changed is a FHIRPath patch of the patient.
func changed(name, operations string, status int, parts ...part) story {
	return tell(name, do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", status, append([]part{body(fhirPatch(operations))}, parts...)...))
}

// Parts of operations.
func element(name string) string  { return `,{"name":"name","valueString":"` + name + `"}` }
func value(kind, v string) string { return `,{"name":"value","value` + kind + `":` + v + `}` }
func index(v string) string       { return `,{"name":"index","valueInteger":` + v + `}` }
func between(from, to string) string {
	return `,{"name":"source","valueInteger":` + from + `},{"name":"destination","valueInteger":` + to + `}`
}
func valueParts(parts string) string { return `,{"name":"value","part":[` + parts + `]}` }

var pathPatches = []story{
	changed("replace", operation("replace", "Patient.gender", value("Code", `"male"`)), 200, etag(2), at("gender", "male")),
	changed("replace in a list", operation("replace", "Patient.name[0].given[1]", value("String", `"Eva"`)), 200, at("name.0.given.1", "Eva")),
	changed("replace by a filter", operation("replace", "Patient.name.where(use = 'official').family", value("String", `"Muster"`)), 200, at("name.0.family", "Muster")),
	changed("replace a date", operation("replace", "Patient.birthDate", value("Date", `"1990-01-01"`)), 200, at("birthDate", "1990-01-01")),
	changed("replace a boolean", operation("replace", "Patient.active", value("Boolean", `false`)), 200, at("active", "false")),
	changed("replace a structure", operation("replace", "Patient.address[0]", value("Address", `{"city":"Graz"}`)), 200, at("address.0.city", "Graz")),
	changed("add a primitive", operation("add", "Patient.name[1]", element("family")+value("String", `"X"`)), 200, at("name.1.family", "X")),
	changed("add a structure", operation("add", "Patient", element("maritalStatus")+value("CodeableConcept", `{"text":"x"}`)), 200, at("maritalStatus.text", "x")),
	changed("add to a list", operation("add", "Patient", element("address")+value("Address", `{"city":"Graz"}`)), 200, has("address", 2), at("address.1.city", "Graz")),
	changed("add a first one", operation("add", "Patient", element("telecom")+value("ContactPoint", `{"system":"phone","value":"1"}`)), 200, at("telecom.0.value", "1")),
	changed("add a structure by parts", operation("add", "Patient", element("contact")+valueParts(`{"name":"name","valueHumanName":{"text":"a name"}}`)), 200, at("contact.0.name.text", "a name")),
	changed("add a link by parts", operation("add", "Patient", element("link")+valueParts(`{"name":"other","valueReference":{"reference":"Patient/x"}},{"name":"type","valueCode":"seealso"}`)), 200, at("link.0.type", "seealso"), at("link.0.other.reference", "Patient/x")),
	changed("add to what is there", operation("add", "Patient", element("birthDate")+value("Date", `"1990-01-01"`)), 400, fault("invalid")),
	changed("insert at the front", operation("insert", "Patient.name", index("0")+value("HumanName", `{"family":"X"}`)), 200, has("name", 3), at("name.0.family", "X")),
	changed("insert in between", operation("insert", "Patient.name[0].given", index("1")+value("String", `"X"`)), 200, at("name.0.given.1", "X"), at("name.0.given.2", "Maria")),
	changed("insert at the end", operation("insert", "Patient.name", index("2")+value("HumanName", `{"family":"X"}`)), 200, at("name.2.family", "X")),
	changed("insert beyond the end", operation("insert", "Patient.name", index("9")+value("HumanName", `{"family":"X"}`)), 400),
	changed("delete", operation("delete", "Patient.gender", ""), 200, at("gender", "")),
	changed("delete from a list", operation("delete", "Patient.name[1]", ""), 200, has("name", 1)),
	changed("delete by a filter", operation("delete", "Patient.name.where(use = 'nickname')", ""), 200, has("name", 1), at("name.0.use", "official")),
	changed("delete what is not there", operation("delete", "Patient.maritalStatus", ""), 200, etag(1)),
	changed("delete several", operation("delete", "Patient.name", ""), 400),
	changed("move", operation("move", "Patient.name", between("1", "0")), 200, at("name.0.use", "nickname"), at("name.1.use", "official")),
	changed("move within a list of strings", operation("move", "Patient.name[0].given", between("0", "1")), 200, at("name.0.given.0", "Maria")),
	changed("move outside the list", operation("move", "Patient.name", between("5", "0")), 400),
	changed("upsert what is there", operation("upsert", "Patient", element("gender")+value("Code", `"male"`)), 200, at("gender", "male")),
	changed("upsert what is not there", operation("upsert", "Patient", element("maritalStatus")+value("CodeableConcept", `{"text":"x"}`)), 200, at("maritalStatus.text", "x")),
	changed("several in order", operation("delete", "Patient.deceased", "")+`,`+operation("add", "Patient", element("deceased")+value("DateTime", `"2020-01-01"`)), 200, at("deceasedDateTime", "2020-01-01"), at("deceasedBoolean", "")),
	changed("no change", operation("replace", "Patient.gender", value("Code", `"female"`)), 200, etag(1)),
	changed("type missing", `{"name":"operation","part":[{"name":"path","valueString":"Patient.gender"}]}`, 400, fault("invalid")),
	changed("path missing", `{"name":"operation","part":[{"name":"type","valueCode":"delete"}]}`, 400),
	changed("unknown type", operation("change", "Patient.gender", value("Code", `"male"`)), 400),
	changed("value missing", operation("replace", "Patient.gender", ""), 400),
	changed("name missing", operation("add", "Patient", value("Code", `"male"`)), 400),
	changed("index missing", operation("insert", "Patient.name", value("HumanName", `{"family":"X"}`)), 400),
	changed("destination missing", operation("move", "Patient.name", `,{"name":"source","valueInteger":0}`), 400),
	changed("path that is none", operation("replace", "Patient..gender", value("Code", `"male"`)), 400),
	changed("path that finds nothing", operation("replace", "Patient.name[7].family", value("String", `"X"`)), 400),
	changed("unknown element", operation("add", "Patient", element("shoes")+value("String", `"7"`)), 400),
	changed("invalid code", operation("replace", "Patient.gender", value("Code", `"mail"`)), 400),
	changed("invalid date", operation("replace", "Patient.birthDate", value("String", `"soon"`)), 400),
	changed("wrong type of value", operation("replace", "Patient.active", value("String", `"x"`)), 400),
	changed("id", operation("replace", "Patient.id", value("Id", `"other"`)), 400, says("immutable")),
	changed("version", operation("replace", "Patient.meta.versionId", value("Id", `"9"`)), 400, says("immutable")),
	changed("time of change", operation("replace", "Patient.meta.lastUpdated", value("Instant", `"2001-01-01T00:00:00Z"`)), 400, says("immutable")),
	changed("narrative", operation("replace", "Patient.text.div", value("String", `"<div xmlns=\"http://www.w3.org/1999/xhtml\">y</div>"`)), 400, says("immutable")).in(azure),
	changed("status of the narrative", operation("replace", "Patient.text.status", value("Code", `"empty"`)), 400, says("immutable")).in(azure),
	tell("empty body", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 400, typed("application/fhir+json", ""))),
	tell("another resource", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 400, body(patient))),
	tell("missing resource", do("PATCH Patient/{u}", 404, body(toMaleByPath), fault("not-found"))),
	tell("deleted resource", do("PUT Patient/{u}", 201, body(patient)), do("DELETE Patient/{u}", 204), do("PATCH Patient/{u}", 410, body(toMaleByPath))),
	tell("a version", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}/_history/1", 405, body(toMaleByPath))),
	tell("if it no longer matches", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 412, body(toMaleByPath), head("If-Match", `W/"2"`))),
	tell("of meta alone without history", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}?_meta-history=false", 200, body(fhirPatch(operation("add", "Patient.meta", element("tag")+value("Coding", `{"code":"x"}`)))), etag(2)), do("GET Patient/{u}/_history", 200, has("entry", 1))),
	tell("all or nothing", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}", 400, body(fhirPatch(operation("delete", "Patient.gender", "")+`,`+operation("replace", "Patient.shoes", value("String", `"7"`))))), do("GET Patient/{u}", 200, etag(1), at("gender", "female"))),
}

func TestJSONPatch(t *testing.T)         { run(t, jsonPatches) }
func TestFHIRPathPatch(t *testing.T)     { run(t, pathPatches) }
func TestFHIRPathPatch_XML(t *testing.T) { runXML(t, pathPatches) }
