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
	tell("unknown type", do("PATCH Nobody/{u}", 404, typed(jsonPatch, toMale))),
	tell("a version", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}/_history/1", 405, typed(jsonPatch, toMale))),
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
	tell("a version", do("PUT Patient/{u}", 201, body(patient)), do("PATCH Patient/{u}/_history/1", 405, body(toMaleByPath))),
}

func TestJSONPatch(t *testing.T)         { run(t, jsonPatches) }
func TestFHIRPathPatch(t *testing.T)     { run(t, pathPatches) }
func TestFHIRPathPatch_XML(t *testing.T) { runXML(t, pathPatches) }
