package fhir_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// definition is a custom search parameter with a code and a URL of the story.
func definition(more string) string {
	return `{"resourceType":"SearchParameter","url":"http://example.org/SearchParameter/{u}","name":"{u}","status":"active","description":"{u}","code":"{u}"` + more + `}`
}

const onPatient = `,"base":["Patient"],"type":"string","expression":"Patient.name.suffix"`

var refusedParameters = []story{
	tell("no expression", do("POST SearchParameter", 400, body(definition(`,"base":["Patient"],"type":"string"`)), at("resourceType", "OperationOutcome"))),
	tell("an expression that is none", do("POST SearchParameter", 400, body(definition(`,"base":["Patient"],"type":"string","expression":"Patient..name"`)))),
	tell("an expression of another type", do("POST SearchParameter", 400, body(definition(`,"base":["Patient"],"type":"string","expression":"Observation.status"`)))),
	tell("an unknown base", do("POST SearchParameter", 400, body(definition(`,"base":["Nobody"],"type":"string","expression":"Nobody.name"`)))),
	tell("no type", do("POST SearchParameter", 400, body(definition(`,"base":["Patient"],"expression":"Patient.name.suffix"`)))),
	tell("a type that its values cannot have", do("POST SearchParameter", 400, body(definition(`,"base":["Patient"],"type":"date","expression":"Patient.name.suffix"`)))),
	tell("a code that the standard has", do("POST SearchParameter", 400, body(strings.Replace(definition(onPatient), `"code":"{u}"`, `"code":"birthdate"`, 1)))),
	tell("a URL that the standard has", do("POST SearchParameter", 400, body(strings.Replace(definition(onPatient), `"url":"http://example.org/SearchParameter/{u}"`, `"url":"http://hl7.org/fhir/SearchParameter/individual-birthdate"`, 1)))),
	tell("the same URL twice", do("POST SearchParameter", 201, body(definition(onPatient)), keep("id", "id")), do("POST SearchParameter", 400, body(strings.Replace(definition(onPatient), `"code":"{u}"`, `"code":"{u}-b"`, 1))), do("DELETE SearchParameter/{id}", 204)),
	tell("the standard's", do("PUT SearchParameter/individual-birthdate", 405, body(strings.NewReplacer(`"url":"http://example.org/SearchParameter/{u}"`, `"id":"individual-birthdate","url":"http://hl7.org/fhir/SearchParameter/individual-birthdate"`, `"code":"{u}"`, `"code":"birthdate"`).Replace(definition(onPatient))))),
	tell("a composite of composites", do("POST SearchParameter", 400, body(definition(`,"base":["Observation"],"type":"composite","expression":"Observation","component":[{"definition":"http://hl7.org/fhir/SearchParameter/Observation-code-value-quantity","expression":"value"}]`)))),
	tell("two of one code in a transaction", do("POST ", 400, transaction(sends("", strings.Replace(definition(onPatient), `Parameter/{u}"`, `Parameter/{u}-a"`, 1), "POST", "SearchParameter"), sends("", strings.Replace(definition(onPatient), `Parameter/{u}"`, `Parameter/{u}-b"`, 1), "POST", "SearchParameter")))),
	tell("two of one URL in a transaction", do("POST ", 400, transaction(sends("", definition(onPatient), "POST", "SearchParameter"), sends("", strings.Replace(definition(onPatient), `"code":"{u}"`, `"code":"{u}-b"`, 1), "POST", "SearchParameter")))),
	tell("no URL", do("POST SearchParameter", 400, body(`{"resourceType":"SearchParameter","name":"{u}","status":"active","description":"{u}","code":"{u}"`+onPatient+`}`))),
}

// TestSearchParameter_Refused holds definitions to the rules.
func TestSearchParameter_Refused(t *testing.T) {
	t.Parallel()
	defining.Lock()
	defer defining.Unlock()
	for _, s := range refusedParameters {
		t.Run(s.name, func(t *testing.T) { s.run(t, first(), false) })
	}
}

// defining is held by what writes search parameters: while a job indexes, they
// cannot be written.
var defining sync.Mutex

var reindexes = []story{
	tell("for one resource shows what it would index", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}/$reindex", 200, at("resourceType", "Parameters"))),
	tell("for one resource", do("POST Patient", 201, body(ann), keep("id", "id")), do("POST Patient/{id}/$reindex", 200, body(`{"resourceType":"Parameters"}`), at("resourceType", "Parameters"))),
	tell("a wrong number", do("POST $reindex", 400, body(`{"resourceType":"Parameters","parameter":[{"name":"maximumNumberOfResourcesPerQuery","valueInteger":0}]}`))),
	tell("a number that is too large", do("POST $reindex", 400, body(`{"resourceType":"Parameters","parameter":[{"name":"maximumNumberOfResourcesPerQuery","valueInteger":10001}]}`))),
	tell("a number that is none", do("POST $reindex", 400, body(`{"resourceType":"Parameters","parameter":[{"name":"maximumNumberOfResourcesPerWrite","valueString":"many"}]}`))),
	tell("an unknown job", do("GET _operations/reindex/{u}", 404, fault("not-found"))),
	tell("the list of jobs", do("GET $reindex", 200)),
	tell("status of what there is not", do("GET SearchParameter/$status?url=http://example.org/{u}", 404)),
	tell("status by code", do("GET SearchParameter/$status?code=birthdate", 200, says("individual-birthdate"))),
	tell("status by an unknown query", do("GET SearchParameter/$status?shoes=7", 400)),
	tell("status set to nothing", do("PUT SearchParameter/$status", 400, body(`{"resourceType":"Parameters"}`))),
	tell("status set to what cannot be set", do("PUT SearchParameter/$status", 400, body(`{"resourceType":"Parameters","parameter":[{"name":"searchParameterStatus","part":[{"name":"url","valueUrl":"http://hl7.org/fhir/SearchParameter/individual-birthdate"},{"name":"status","valueString":"Enabled"}]}]}`))),
}

func TestReindex(t *testing.T) { run(t, reindexes) }

// forwarded are the headers of a proxy.
var forwarded = head("X-Forwarded-Host", "fhir.example.org", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/stu")

var proxies = []story{
	tell("self and next", do("POST Patient", 201, body(ann)), do("POST Patient", 201, body(ann)), do("GET Patient?identifier={u}&_count=1", 200, forwarded, keepLink("self", "self"), keepLink("next", "next"), checks(func(_ reply, v values) string {
		for _, link := range []string{v["self"], v["next"]} {
			if !strings.HasPrefix(link, "https://fhir.example.org/stu/") || !strings.Contains(link, "Patient?") {
				return fmt.Sprintf("a link is %q", link)
			}
		}
		return ""
	}))),
	tell("full URLs", do("POST Patient", 201, body(ann)), do("GET Patient?identifier={u}", 200, forwarded, at("entry.0.fullUrl", "~https://fhir.example.org/stu"))),
	tell("Location", do("POST Patient", 201, body(ann), forwarded, header("Location", "~https://fhir.example.org/stu"))),
	tell("searches in a batch", do("POST Patient", 201, body(ann)), do("POST ", 200, forwarded, batch(asks("GET", "Patient?identifier={u}")), at("entry.0.resource.link.0.url", "~https://fhir.example.org/stu"))),
	tell("history", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}/_history", 200, forwarded, at("link.0.url", "~https://fhir.example.org/stu"))),
	tell("host alone", do("POST Patient", 201, body(ann)), do("GET Patient?identifier={u}", 200, head("X-Forwarded-Host", "fhir.example.org"), at("link.0.url", "~://fhir.example.org/"))),
}

func TestProxy(t *testing.T)     { run(t, proxies) }
func TestProxy_XML(t *testing.T) { runXML(t, proxies) }
