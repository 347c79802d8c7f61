package fhir_test

import "testing"

// named is a patient with the story's word as its id.
func named(more string) string { return `{"resourceType":"Patient","id":"{u}"` + more + `}` }

const (
	active   = `,"active":true`
	inactive = `,"active":false`
)

// made has created the story's patient.
func made(more string) step { return do("PUT Patient/{u}", 201, body(named(more))) }

var updates = []story{
	tell("on a free id creates", do("PUT Patient/{u}", 201, body(named(active)), etag(1), at("id", "{u}"), at("meta.versionId", "1"), header("Location", "{base}/Patient/{u}/_history/1"), header("Last-Modified", "*"))),
	tell("ignores the client's version and time", do("PUT Patient/{u}", 201, body(named(`,"meta":{"versionId":"9","lastUpdated":"2001-01-01T00:00:00Z"}`)), at("meta.versionId", "1"), hides("2001-01-01"))),
	tell("raises the version", made(active), do("PUT Patient/{u}", 200, body(named(inactive)), etag(2), at("meta.versionId", "2"), at("active", "false")), do("GET Patient/{u}", 200, etag(2), at("active", "false"))),
	tell("keeps the old version", made(active), do("PUT Patient/{u}", 200, body(named(inactive))), do("GET Patient/{u}/_history/1", 200, at("active", "true"))),
	tell("that changes nothing keeps version and time", do("PUT Patient/{u}", 201, body(named(active)), keep("time", "meta.lastUpdated")),
		do("PUT Patient/{u}", 200, body(named(active)), etag(1), at("meta.lastUpdated", "{time}")), do("GET Patient/{u}/_history", 200, has("entry", 1))),
	tell("with another version and time alone changes nothing", made(active), do("PUT Patient/{u}", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"versionId":"5","lastUpdated":"2001-01-01T00:00:00Z"},"active":true}`), etag(1))),
	tell("of a tag is a change", made(active), do("PUT Patient/{u}", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"tag":[{"code":"x"}]},"active":true}`), etag(2), at("meta.tag.0.code", "x"))),
	tell("of a profile is a change", made(active), do("PUT Patient/{u}", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"profile":["http://example.org/p"]},"active":true}`), etag(2))),
	tell("of a security label is a change", made(active), do("PUT Patient/{u}", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"security":[{"code":"R"}]},"active":true}`), etag(2))),
	tell("drops tags that are gone", do("PUT Patient/{u}", 201, body(`{"resourceType":"Patient","id":"{u}","meta":{"tag":[{"code":"x"}]}}`)), do("PUT Patient/{u}", 200, body(named(active)), at("meta.tag", ""))),
	tell("brings a deleted one back", made(active), do("DELETE Patient/{u}", 204), do("PUT Patient/{u}", 201, body(named(active)), etag(3)), do("GET Patient/{u}", 200), do("GET Patient/{u}/_history", 200, has("entry", 3))),
	tell("another id in the body", do("PUT Patient/{u}", 400, body(`{"resourceType":"Patient","id":"other"}`), at("resourceType", "OperationOutcome"))),
	tell("no id in the body", do("PUT Patient/{u}", 400, body(`{"resourceType":"Patient","active":true}`), fault("invalid"))),
	tell("id that is none", do("PUT Patient/{u}_x", 400, body(`{"resourceType":"Patient","id":"{u}_x"}`))),
	tell("id of 65 characters", do("PUT Patient/aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg", 400, body(`{"resourceType":"Patient","id":"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"}`))),
	tell("another type", do("PUT Observation/{u}", 400, body(named(active)))),
	tell("unknown type", do("PUT Nobody/{u}", 404, body(named(active)), fault("not-found"))),
	tell("invalid resource", do("PUT Patient/{u}", 400, body(named(`,"gender":"mail"`))), do("GET Patient/{u}", 404)),
	tell("return=minimal", do("PUT Patient/{u}", 201, body(named(active)), prefer("return=minimal"), nothing()), do("PUT Patient/{u}", 200, body(named(inactive)), prefer("return=minimal"), nothing(), etag(2))),
	tell("return=OperationOutcome", made(active), do("PUT Patient/{u}", 200, body(named(inactive)), prefer("return=OperationOutcome"), at("resourceType", "OperationOutcome"))),
	tell("if it matches", made(active), do("PUT Patient/{u}", 200, body(named(inactive)), head("If-Match", `W/"1"`), etag(2))),
	tell("if it no longer matches", made(active), do("PUT Patient/{u}", 200, body(named(inactive))), do("PUT Patient/{u}", 412, body(named(active)), head("If-Match", `W/"1"`), fault("required"))).in(azure),
	tell("of none that should match", do("PUT Patient/{u}", 412, body(named(active)), head("If-Match", `W/"1"`)), do("GET Patient/{u}", 404)).in(strict),
	tell("to be matched without quotes", made(active), do("PUT Patient/{u}", 400, body(named(inactive)), head("If-Match", `1`))),
	tell("to be matched with a word", made(active), do("PUT Patient/{u}", 400, body(named(inactive)), head("If-Match", `"invalidVersion"`))),
	tell("to be matched with a negative version", made(active), do("PUT Patient/{u}", 400, body(named(inactive)), head("If-Match", `"-1"`))),
	tell("to be matched with version 0", made(active), do("PUT Patient/{u}", 400, body(named(inactive)), head("If-Match", `"0"`))),
}

var metaHistories = []story{
	tell("of meta alone forgets the version before", made(active), do("PUT Patient/{u}?_meta-history=false", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"tag":[{"code":"x"}]},"active":true}`), etag(2)),
		do("GET Patient/{u}/_history", 200, has("entry", 1)), do("GET Patient/{u}/_history/1", 404)),
	tell("of more keeps the version before", made(active), do("PUT Patient/{u}?_meta-history=false", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"tag":[{"code":"x"}]},"active":false}`), etag(2)),
		do("GET Patient/{u}/_history", 200, has("entry", 2))),
	tell("true keeps the version before", made(active), do("PUT Patient/{u}?_meta-history=true", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"tag":[{"code":"x"}]},"active":true}`), etag(2)),
		do("GET Patient/{u}/_history", 200, has("entry", 2))),
	tell("a gap of several versions", made(active), do("PUT Patient/{u}?_meta-history=false", 200, body(`{"resourceType":"Patient","id":"{u}","meta":{"tag":[{"code":"x"}]},"active":true}`)),
		do("PUT Patient/{u}", 200, body(named(inactive)), etag(3)), do("GET Patient/{u}/_history", 200, has("entry", 2))),
}

var deletions = []story{
	tell("names the version of the deletion", made(active), do("DELETE Patient/{u}", 204, etag(2), nothing())),
	tell("is done once", made(active), do("DELETE Patient/{u}", 204, etag(2)), do("DELETE Patient/{u}", 204), do("GET Patient/{u}/_history", 200, has("entry", 2))),
	tell("of what never was", do("DELETE Patient/{u}", 204)),
	tell("hides it from reads", made(active), do("DELETE Patient/{u}", 204), do("GET Patient/{u}", 410, etag(2))),
	tell("hides it from searches", made(active), do("DELETE Patient/{u}", 204), do("GET Patient?_id={u}", 200, has("entry", 0)), do("GET Patient?_id={u}&_summary=count", 200, at("total", "0"))),
	tell("keeps the versions before", made(active), do("DELETE Patient/{u}", 204), do("GET Patient/{u}/_history/1", 200, at("active", "true"))),
	tell("hard removes every version", made(active), do("PUT Patient/{u}", 200, body(named(inactive))), do("DELETE Patient/{u}?hardDelete=true", 204), do("GET Patient/{u}", 404), do("GET Patient/{u}/_history/1", 404), do("GET Patient/{u}/_history", 404)),
	tell("hard by the other spelling", made(active), do("DELETE Patient/{u}?_hardDelete=true", 204), do("GET Patient/{u}", 404), do("GET Patient/{u}/_history/1", 404), do("GET Patient/{u}/_history", 404)),
	tell("hard=false is soft", made(active), do("DELETE Patient/{u}?_hardDelete=false", 204), do("GET Patient/{u}", 410)),
	tell("hard after soft", made(active), do("DELETE Patient/{u}", 204), do("DELETE Patient/{u}?_hardDelete=true", 204), do("GET Patient/{u}", 404)),
	tell("hard of what never was", do("DELETE Patient/{u}?_hardDelete=true", 204)),
	tell("after a hard one the id is free", made(active), do("DELETE Patient/{u}?_hardDelete=true", 204), do("PUT Patient/{u}", 201, body(named(active)), at("active", "true"))),
	tell("of one version", made(active), do("DELETE Patient/{u}/_history/1", 405, at("resourceType", "OperationOutcome"))),
	tell("of an unknown type", do("DELETE Nobody/{u}", 404, fault("not-found"))),
	tell("does not look at If-Match", made(active), do("DELETE Patient/{u}", 204, head("If-Match", `W/"7"`))).in(azure),
}

func TestUpdate(t *testing.T)             { run(t, updates) }
func TestUpdate_XML(t *testing.T)         { runXML(t, updates) }
func TestUpdate_MetaHistory(t *testing.T) { run(t, metaHistories) }
func TestDelete(t *testing.T)             { run(t, deletions) }
func TestDelete_XML(t *testing.T)         { runXML(t, deletions) }
