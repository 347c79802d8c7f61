package fhir_test

import "testing"

// life is a patient that was made, changed and deleted.
var life = []step{
	do("PUT Patient/{u}", 201, body(named(active)), keep("first", "meta.lastUpdated")),
	later("first"),
	do("PUT Patient/{u}", 200, body(named(inactive)), keep("second", "meta.lastUpdated")),
	later("second"),
	do("DELETE Patient/{u}", 204),
}

// later waits until the service's clock shows another instant than the one kept.
func later(name string) step {
	return do("GET Patient?_id={u}&_summary=count", 200, again, checks(func(r reply, v values) string {
		if r.text("meta.lastUpdated") == v[name] {
			return "the clock of the service stands still"
		}
		return ""
	}))
}

func lived(steps ...step) []step { return append(life[:len(life):len(life)], steps...) }

var histories = []story{
	tell("newest first", lived(do("GET Patient/{u}/_history", 200, at("type", "history"), has("entry", 3), at("entry.0.request.method", "DELETE"), at("entry.1.resource.meta.versionId", "2"), at("entry.2.resource.meta.versionId", "1")))...),
	tell("oldest first", lived(do("GET Patient/{u}/_history?_sort=_lastUpdated", 200, at("entry.0.resource.meta.versionId", "1"), at("entry.1.resource.meta.versionId", "2")))...),
	tell("newest first on demand", lived(do("GET Patient/{u}/_history?_sort=-_lastUpdated", 200, at("entry.1.resource.meta.versionId", "2")))...),
	tell("entries say what was done", lived(do("GET Patient/{u}/_history?_sort=_lastUpdated", 200, at("entry.1.request.method", "PUT"), at("entry.1.request.url", "~Patient/{u}"), at("entry.1.response.status", "~200"), at("entry.1.response.etag", `W/"2"`), at("entry.1.response.lastModified", "{second}")))...),
	tell("entries have full URLs", lived(do("GET Patient/{u}/_history", 200, at("entry.1.fullUrl", "~{base}/Patient/{u}")))...),
	tell("a create by POST", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}/_history", 200, at("entry.0.request.method", "POST"), at("entry.0.response.status", "201 Created"))).in(azure),
	tell("a change", lived(do("GET Patient/{u}/_history", 200, at("entry.1.response.status", "200 OK")))...).in(azure),
	tell("a deletion's status is one word", lived(do("GET Patient/{u}/_history", 200, at("entry.0.response.status", "204 NoContent")))...).in(azure),
	tell("a deletion has a resource with id and meta", lived(do("GET Patient/{u}/_history", 200, at("entry.0.resource.id", "{u}"), at("entry.0.resource.meta.versionId", "3"), at("entry.0.resource.active", "")))...).in(azure),
	tell("a deletion has no resource", lived(do("GET Patient/{u}/_history", 200, at("entry.0.resource", ""), at("entry.0.request.method", "DELETE")))...).in(strict),
	tell("of an unknown id", do("GET Patient/{u}/_history", 404, fault("not-found"))),
	tell("of an unknown type", do("GET Nobody/_history", 404, fault("not-found"))),
	tell("_since includes its instant", lived(do("GET Patient/{u}/_history?_since={second}", 200, has("entry", 2), at("entry.1.resource.meta.versionId", "2")))...),
	tell("_before excludes its instant", lived(do("GET Patient/{u}/_history?_before={second}", 200, has("entry", 1), at("entry.0.resource.meta.versionId", "1")))...),
	tell("a window", lived(do("GET Patient/{u}/_history?_since={first}&_before={second}", 200, has("entry", 1)))...),
	tell("an empty window", lived(do("GET Patient/{u}/_history?_since={second}&_before={second}", 200, has("entry", 0)))...),
	tell("_since in the future", lived(do("GET Patient/{u}/_history?_since=2999-01-01", 200, has("entry", 0)))...),
	tell("_before in the future", do("GET Patient/_history?_before=2999-01-01", 400, at("resourceType", "OperationOutcome"))).in(azure),
	tell("a wrong _since", lived(do("GET Patient/{u}/_history?_since=yesterday", 400))...),
	tell("_at with _since", lived(do("GET Patient/{u}/_history?_at={first}&_since={first}", 403, at("resourceType", "OperationOutcome")))...).in(azure),
	tell("_at with _before", lived(do("GET Patient/{u}/_history?_at={first}&_before={second}", 403, at("resourceType", "OperationOutcome")))...).in(azure),
	tell("_at finds what was current", lived(do("GET Patient/{u}/_history?_at={first}", 200, has("entry", 1), at("entry.0.resource.meta.versionId", "1")))...),
	tell("another sort", lived(do("GET Patient/{u}/_history?_sort=birthdate", 400, at("resourceType", "OperationOutcome")))...).in(azure),
	tell("the total of an instance", lived(do("GET Patient/{u}/_history?_summary=count", 200, at("total", "3"), has("entry", 0)))...),
	tell("_count=0 is the total", lived(do("GET Patient/{u}/_history?_count=0", 200, at("total", "3"), has("entry", 0)))...),
	tell("the total of a window", lived(do("GET Patient/{u}/_history?_since={second}&_summary=count", 200, at("total", "2")))...),
	tell("the total of a type", do("GET Patient/_history?_summary=count", 200, at("total", "*"), has("entry", 0))),
	tell("the total of the system", do("GET _history?_count=0", 200, at("total", "*"), has("entry", 0))),
	tell("of a type in a window", lived(do("GET Patient/_history?_since={first}&_count=100", 200, says(`/{u}`)))...),
	tell("of the system in a window", lived(do("GET _history?_since={first}&_count=100", 200, says(`/{u}`)))...),
	tell("pages", lived(do("GET Patient/{u}/_history?_count=2", 200, has("entry", 2), keepLink("next", "next")), do("GET {next}", 200, has("entry", 1), at("entry.0.resource.meta.versionId", "1")))...),
	tell("pages within a window", lived(do("GET Patient/{u}/_history?_since={first}&_count=1", 200, has("entry", 1), keepLink("next", "next")), do("GET {next}", 200, has("entry", 1), keepLink("next", "next")), do("GET {next}", 200, has("entry", 1)))...),
	tell("the last page has no next", lived(do("GET Patient/{u}/_history?_count=3", 200, at("link.1", "")))...),
	tell("a page that is none", lived(do("GET Patient/{u}/_history?ct=nonsense", 400))...),
	tell("_count that is none", lived(do("GET Patient/{u}/_history?_count=many", 400))...),
	tell("self", lived(do("GET Patient/{u}/_history?_count=2", 200, says(`{base}/Patient/{u}/_history?_count=2`)))...),
	tell("by POST", do("POST Patient/{u}/_history", 405)),
	tell("of ten and more", append(changes(12), do("GET Patient/{u}/_history", 200, has("entry", 10), keepLink("next", "next")), do("GET {next}", 200, has("entry", 2)))...),
}

// changes are n versions of the story's patient.
func changes(n int) []step {
	steps := []step{made(active)}
	for i := 1; i < n; i++ {
		more := active
		if i%2 == 1 {
			more = inactive
		}
		steps = append(steps, do("PUT Patient/{u}", 200, body(named(more)), etag(i+1)))
	}
	return steps
}

func TestHistory(t *testing.T)     { run(t, histories) }
func TestHistory_XML(t *testing.T) { runXML(t, histories) }
