package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// clinic puts two patients with what belongs to them.
var clinic = append(slices.Clone(people),
	`PUT /Encounter/e1 {"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p1"}}`,
	`PUT /Observation/o2 {"resourceType":"Observation","id":"o2","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/p2"},"encounter":{"reference":"Encounter/e1"}}`,
	`PUT /Observation/o3 {"resourceType":"Observation","id":"o3","status":"amended","code":{"text":"t"},"subject":{"reference":"Patient/p1"},"device":{"reference":"Device/d1"}}`,
	`PUT /Device/d1 {"resourceType":"Device","id":"d1"}`,
)

func TestCompartments(t *testing.T) {
	t.Parallel()
	runAll(t, []scenario{
		{name: "of a patient", before: clinic, method: "GET", path: "/Patient/p1/Observation", status: 200,
			has: []string{"Observation/o1", "Observation/o3", `"url":"http://salus.test/Patient/p1/Observation"`}, lacks: []string{"Observation/o2"}},
		{name: "of a patient, everything", before: clinic, method: "GET", path: "/Patient/p1/*?_type=Encounter,Observation,Patient", status: 200,
			has: []string{"Encounter/e1", "Observation/o1", "Observation/o3"}, lacks: []string{"Observation/o2", `test/Patient/p1"`, "test/Device/d1"}},
		{name: "of a device", before: clinic, method: "GET", path: "/Device/d1/Observation", status: 200, has: []string{"Observation/o3"}, lacks: []string{"Observation/o1"}},
		{name: "of an encounter", before: clinic, method: "GET", path: "/Encounter/e1/*", status: 200, has: []string{"Observation/o2"}, lacks: []string{"Observation/o1"}},
		{name: "filtered", before: clinic, method: "GET", path: "/Patient/p1/Observation?status=amended&_include=Observation:device", status: 200,
			has: []string{"Observation/o3", "Device/d1", `"mode":"include"`}, lacks: []string{"Observation/o1"}},
		{name: "paged", before: clinic, method: "GET", path: "/Patient/p1/*?_count=1", status: 200,
			has: []string{`"next","url":"http://salus.test/Patient/p1/*?_count=1&ct=`}},
		{name: "as a form", before: clinic, method: "POST", path: "/Patient/p1/Observation/_search", body: "status=amended", header: form, status: 200,
			has: []string{"Observation/o3", `"url":"http://salus.test/Patient/p1/Observation?status=amended"`}, lacks: []string{"Observation/o1"}},
		{name: "unknown _type", before: clinic, method: "GET", path: "/Patient/p1/*?_type=Nonsense", status: 200, has: []string{`"severity":"warning","code":"not-supported"`}, lacks: []string{"fullUrl"}},
		{name: "unknown type", method: "GET", path: "/Patient/p1/Nonsense", status: 404, issue: "error not-found"},
		{name: "operation", method: "GET", path: "/Patient/p1/$nonsense", status: 404, issue: "error not-found"},
		{name: "form elsewhere", method: "POST", path: "/Patient/p1/Observation/_other", body: "a=b", header: form, status: 404, issue: "error not-found"},
		{name: "without compartment", method: "GET", path: "/Organization/1/Patient", status: 403, issue: "error invalid"},
		{name: "type that is never in it", method: "GET", path: "/Patient/p1/Location", status: 200, lacks: []string{"fullUrl"}},
		{name: "nobody's", method: "GET", path: "/Patient/nobody/Observation", status: 200, lacks: []string{"entry"}},
		{name: "in a bundle", before: clinic, method: "POST", path: "/", status: 200, has: []string{"Observation/o3"}, lacks: []string{"Observation/o2"},
			body: `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/p1/Observation?status=amended"}}]}`},
	})
}

func TestStatementNamesCompartments(t *testing.T) {
	t.Parallel()
	body := newFixture(t).must(t, http.StatusOK, "GET", "/metadata", "").Body.String()
	if !strings.Contains(body, `"compartment":["http://hl7.org/fhir/CompartmentDefinition/device",`) {
		t.Error("no compartment in the CapabilityStatement")
	}
}
