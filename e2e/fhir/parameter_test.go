package fhir_test

import (
	"fmt"
	"strings"
	"testing"
)

// definition is a custom search parameter with a code and a URL of the story.
func definition(more string) string {
	return `{"resourceType":"SearchParameter","url":"http://example.org/SearchParameter/{u}","name":"{u}","status":"active","description":"{u}","code":"{u}"` + more + `}`
}

const onPatient = `,"base":["Patient"],"type":"string","expression":"Patient.name.suffix"`

var refusedParameters = []story{
	tell("an unknown base", do("POST SearchParameter", 400, body(definition(`,"base":["Nobody"],"type":"string","expression":"Nobody.name"`)))),
	tell("no type", do("POST SearchParameter", 400, body(definition(`,"base":["Patient"],"expression":"Patient.name.suffix"`)))),
	tell("no URL", do("POST SearchParameter", 400, body(`{"resourceType":"SearchParameter","name":"{u}","status":"active","description":"{u}","code":"{u}"`+onPatient+`}`))),
}

// TestSearchParameter_Refused holds definitions to the rules.
func TestSearchParameter_Refused(t *testing.T) { run(t, refusedParameters) }

var reindexes = []story{
	tell("an unknown job", do("GET _operations/reindex/{u}", 404, fault("not-found"))),
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
