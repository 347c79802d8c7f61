package fhir_test

import (
	"strings"
	"testing"
)

var metadata = []story{
	tell("is a CapabilityStatement", do("GET metadata", 200, at("resourceType", "CapabilityStatement"), at("kind", "instance"), at("fhirVersion", "4.0.1"), at("rest.0.mode", "server"), at("status", "active"))),
	tell("names its formats", do("GET metadata", 200, at("format", "~json"))),
	tell("lists resources with interactions and parameters", do("GET metadata", 200, at("rest.0.resource.0.type", "*"), at("rest.0.resource.0.interaction.0.code", "*"), at("rest.0.resource.0.searchParam.0.name", "*"), at("rest.0.resource.0.versioning", "*"))),
	tell("lists interactions with the system", do("GET metadata", 200, at("rest.0.interaction.0.code", "*"))),
	tell("lists every type", do("GET metadata", 200, says(`"type":"Account"`), says(`"type":"VisionPrescription"`))),
	tell("lists the expiry date", do("GET metadata", 200, says(`"name":"_expiryDate"`))).in(azure),
	tell("has no type Resource", do("GET metadata", 200, hides(`"type":"Resource","`), hides(`"type":"DomainResource"`))),
	tell("_format=json", do("GET metadata?_format=json", 200, header("Content-Type", "~json"))),
	tell("_format of nothing known", do("GET metadata?_format=blah", 406, fault("not-supported"))),
	tell("accept of nothing known", do("GET metadata", 406, head("Accept", "application/blah"), fault("not-supported"))),
	tell("_pretty=true", do("GET metadata?_pretty=true", 200, says("\n  "))),
	tell("_pretty=false", do("GET metadata?_pretty=false", 200, at("resourceType", "CapabilityStatement"))),
	tell("_pretty=", do("GET metadata?_pretty=", 400)),
	tell("_pretty=0", do("GET metadata?_pretty=0", 400)),
	tell("_pretty=1", do("GET metadata?_pretty=1", 400)),
	tell("_pretty=yes", do("GET metadata?_pretty=yes", 400)),
	tell("_summary=true", do("GET metadata?_summary=true", 200, at("resourceType", "CapabilityStatement"))),
	tell("_summary=", do("GET metadata?_summary=", 400)),
	tell("_summary=some", do("GET metadata?_summary=some", 400)),
	tell("_elements", do("GET metadata?_elements=status", 200, at("status", "active"))),
	tell("_elements blank", do("GET metadata?_elements=", 400)),
	tell("by POST", do("POST metadata", 405, body(ann), at("resourceType", "OperationOutcome"))),
}

var versions = []story{
	tell("as FHIR", do("GET $versions", 200, head("Accept", "application/fhir+json"), header("Content-Type", "~application/fhir+json"), at("resourceType", "Parameters"), says("4.0"))),
	tell("as JSON", do("GET $versions", 200, head("Accept", "application/json"), header("Content-Type", "~application/json"), at("default", "4.0"), at("versions.0", "4.0"))),
	tell("as it likes", do("GET $versions", 200, head("Accept", "*/*"), says("4.0"))),
	tell("without an accept header", do("GET $versions", 200, head("Accept", "-"), header("Content-Type", "~application/fhir+json"))),
	tell("as FHIR XML", do("GET $versions", 200, head("Accept", "application/fhir+xml"), header("Content-Type", "~application/fhir+xml"), says("4.0"))),
	tell("as XML", do("GET $versions", 200, head("Accept", "application/xml"), header("Content-Type", "~application/xml"), says("4.0"))),
	tell("misspelt JSON", do("GET $versions", 406, head("Accept", "application/jsn"))),
	tell("misspelt FHIR", do("GET $versions", 406, head("Accept", "application/fire+json"))),
	tell("text", do("GET $versions", 406, head("Accept", "text/plain"))),
}

var healths = []story{
	tell("is healthy", do("GET health/check", 200, at("overallStatus", "Healthy"), at("details.0.name", "*"), at("details.0.status", "Healthy"), at("details.0.description", "*"), header("Content-Type", "~application/json"))),
	tell("by POST", do("POST health/check", 405, body(`{}`))),
}

var requestIDs = []story{
	tell("every answer has its own", do("GET metadata", 200, header("X-Request-Id", "*"), header("X-Correlation-Id", "*"))),
	tell("the caller's comes back as the correlation id", do("GET Patient/{u}", 404, head("X-Request-Id", "{u}"), header("X-Correlation-Id", "{u}"), header("X-Request-Id", "*"))),
	tell("the caller's is not the server's", do("GET Patient/{u}", 404, head("X-Request-Id", "{u}"), keepHeader("id", "X-Request-Id"), checks(func(_ reply, v values) string {
		if v["id"] == v["u"] {
			return "the server's request id is the caller's"
		}
		return ""
	}))),
	tell("an outcome has it as its id", do("GET Patient/{u}", 404, head("X-Request-Id", "{u}"), keepHeader("id", "X-Correlation-Id"), at("id", "{id}"))).in(azure),
	tell("errors have the headers that keep browsers from guessing", do("GET Patient/{u}", 404, header("X-Content-Type-Options", "nosniff"))),
	tell("too many custom audit headers", do("GET Patient/{u}", 431, head(auditHeaders(11, 10)...), fault("invalid"))).in(azure),
	tell("a custom audit header that is too long", do("GET Patient/{u}", 431, head(auditHeaders(1, 2049)...), fault("invalid"))).in(azure),
	tell("custom audit headers", made(active), do("GET Patient/{u}", 200, head(auditHeaders(10, 100)...))),
}

func auditHeaders(n, size int) []string {
	var all []string
	for i := range n {
		all = append(all, "X-MS-AZUREFHIR-AUDIT-"+string(rune('A'+i)), strings.Repeat("x", size))
	}
	return all
}

var errorCases = []story{
	tell("a place that there is not", do("GET nowhere/at/all/there/is", 404, fault("not-found"), at("issue.0.severity", "error"), at("issue.0.diagnostics", "*"))),
	tell("an operation that there is not", do("GET Patient/$none", 404, fault("not-found"))),
	tell("a root operation that there is not", do("GET $none", 404, fault("not-found"))),
	tell("HEAD of a resource", made(active), do("HEAD Patient/{u}", 405)).in(azure),
	tell("HEAD of a search", do("HEAD Patient", 405)).in(azure),
	tell("HEAD of metadata", do("HEAD metadata", 405)).in(azure),
	tell("HEAD of a resource, by FHIR", made(active), do("HEAD Patient/{u}", 200, etag(1), nothing())).in(strict),
	tell("HEAD of a search, by FHIR", do("HEAD Patient?_id={u}", 200, nothing())).in(strict),
	tell("HEAD of what is not there, by FHIR", do("HEAD Patient/{u}", 404, nothing())).in(strict),
	tell("POST to an id", do("POST Patient/{u}", 405, body(ann), fault("forbidden"))).in(azure),
	tell("PUT on a version", do("PUT Patient/{u}/_history/1", 405, body(ann))),
	tell("DELETE of everything", do("DELETE _history", 405)),
	tell("an accept header of nothing known", do("GET Patient", 406, head("Accept", "image/png"), fault("not-supported"))),
	tell("a content type of nothing known", do("POST Patient", 415, typed("image/png", "x"), fault("not-supported"))),
	tell("an unknown preference of handling", do("GET Patient", 400, prefer("handling=wild"), fault("invalid"))),
	tell("an id that is none", do("GET Patient/a_b", 404)),
}

var corsCases = []story{
	tell("a preflight", do("OPTIONS patient", 204, head("Origin", "https://localhost:6001", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,content-type"),
		header("Access-Control-Allow-Origin", "https://localhost:6001"), header("Access-Control-Allow-Methods", "~PUT"), header("Access-Control-Allow-Headers", "~authorization"), header("Access-Control-Allow-Headers", "~content-type"), header("Access-Control-Max-Age", "1440"))),
	tell("a request", do("GET metadata", 200, head("Origin", "https://localhost:6001"), header("Access-Control-Allow-Origin", "https://localhost:6001"))),
	tell("an error", do("GET Patient/{u}", 404, head("Origin", "https://localhost:6001"), header("Access-Control-Allow-Origin", "https://localhost:6001"))),
	tell("another origin", do("GET metadata", 200, head("Origin", "https://evil.example.org"), header("Access-Control-Allow-Origin", ""))),
	tell("a preflight from another origin", do("OPTIONS Patient", 204, head("Origin", "https://evil.example.org", "Access-Control-Request-Method", "PUT"), header("Access-Control-Allow-Origin", ""))),
}

var policies = []story{
	tell("no-version keeps counting", do("PUT Basic/{u}", 201, body(`{"resourceType":"Basic","id":"{u}","code":{"text":"a"}}`)), do("PUT Basic/{u}", 200, body(`{"resourceType":"Basic","id":"{u}","code":{"text":"b"}}`), etag(2)), do("GET Basic/{u}", 200, etag(2))),
	tell("no-version forgets versions", do("PUT Basic/{u}", 201, body(`{"resourceType":"Basic","id":"{u}","code":{"text":"a"}}`)), do("PUT Basic/{u}", 200, body(`{"resourceType":"Basic","id":"{u}","code":{"text":"b"}}`)), do("GET Basic/{u}/_history/1", 404)),
	tell("versioned-update wants If-Match", do("PUT Patient/{u}", 201, body(named(active))), do("PUT Patient/{u}", 400, body(named(inactive)), says("if-match"))),
	tell("versioned-update with If-Match", do("PUT Patient/{u}", 201, body(named(active))), do("PUT Patient/{u}", 200, body(named(inactive)), head("If-Match", `W/"1"`), etag(2))),
	tell("versioned-update with an old one", do("PUT Patient/{u}", 201, body(named(active))), do("PUT Patient/{u}", 412, body(named(inactive)), head("If-Match", `W/"3"`))),
	tell("metadata says so", do("GET metadata", 200, says(`no-version`), says(`versioned-update`))),
	tell("other types keep versions", do("PUT Organization/{u}", 201, body(`{"resourceType":"Organization","id":"{u}","name":"a"}`)), do("PUT Organization/{u}", 200, body(`{"resourceType":"Organization","id":"{u}","name":"b"}`)), do("GET Organization/{u}/_history/1", 200)),
}

func TestMetadata(t *testing.T)   { run(t, metadata) }
func TestVersions(t *testing.T)   { run(t, versions) }
func TestHealth(t *testing.T)     { run(t, healths) }
func TestRequestIDs(t *testing.T) { run(t, requestIDs) }
func TestErrors(t *testing.T)     { run(t, errorCases) }
func TestErrors_XML(t *testing.T) { runXML(t, errorCases) }

// TestCORS wants what the suite's own server is told to allow.
func TestCORS(t *testing.T) {
	r, err := send("GET", first().base+"/metadata", "", "Origin", "https://localhost:6001")
	if err != nil {
		t.Fatal(err)
	}
	if services.policies == nil && r.header.Get("Access-Control-Allow-Origin") == "" {
		t.Skip("not covered: CORS, which the service does not allow to https://localhost:6001")
	}
	run(t, corsCases)
}

// TestVersioningPolicies needs a service that has them.
func TestVersioningPolicies(t *testing.T) {
	t.Parallel()
	if services.policies == nil {
		t.Skip("not covered: versioning policies, which only the suite's own server is sure to have")
	}
	for _, s := range policies {
		t.Run(s.name, func(t *testing.T) { s.run(t, *services.policies, false) })
	}
}
