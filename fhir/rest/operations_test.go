package rest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"salus/fhir"
	"salus/fhir/spec"
	"salus/fhir/validate"
)

func TestOperations_AreDefined(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var c struct {
		Rest []struct {
			Operation []struct{ Name, Definition string }
		}
	}
	w := f.do("GET", "/metadata", "", map[string]string{"X-Forwarded-Prefix": "/gate"})
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Rest[0].Operation) == 0 {
		t.Fatal("no operation is listed")
	}
	for _, o := range c.Rest[0].Operation {
		path, own := strings.CutPrefix(o.Definition, "http://salus.test/gate")
		if !own {
			continue
		}
		if path != "/OperationDefinition/"+o.Name {
			t.Errorf("%s is defined at %s", o.Name, o.Definition)
		}
		w := f.must(t, 200, "GET", path, "")
		d, err := fhir.Parse(w.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.New(spec.R4()).Resource(d.Root()); err != nil {
			t.Errorf("%s: %v", o.Name, err)
		}
		if !strings.Contains(w.Body.String(), `"url":"http://salus.test`+path+`"`) {
			t.Errorf("%s: %s", o.Name, w.Body)
		}
	}
}

func TestOperationDefinition(t *testing.T) {
	t.Parallel()
	stored := `PUT /OperationDefinition/purge-history {"resourceType":"OperationDefinition","id":"purge-history","name":"Mine","status":"draft","kind":"query","code":"mine","system":false,"type":false,"instance":false}`
	runAll(t, []scenario{
		{name: "of the service", method: "GET", path: "/OperationDefinition/purge-history", status: 200, has: []string{
			`"id":"purge-history"`, `"name":"PurgeHistory"`, `"code":"purge-history","resource":["Resource"],"system":false,"type":false,"instance":true`, `"affectsState":true`,
		}},
		{name: "summary", method: "GET", path: "/OperationDefinition/purge-history?_summary=true", status: 200, has: []string{"SUBSETTED"}},
		{name: "stored in its place", before: []string{stored}, method: "GET", path: "/OperationDefinition/purge-history", status: 200, has: []string{"Mine"}},
		{name: "of no operation", method: "GET", path: "/OperationDefinition/none", status: 404, issue: "error not-found"},
	})
}

func TestPurgeHistory(t *testing.T) {
	t.Parallel()
	changed := strings.Replace(patientP1, "Maria", "Mara", 1)
	three := []string{"PUT /Patient/p1 " + patientP1, "PUT /Patient/p1 " + changed, "PUT /Patient/p1 " + patientP1}
	purged := append(three[:3:3], "DELETE /Patient/p1/$purge-history")
	deleted := append(three[:3:3], "DELETE /Patient/p1", "DELETE /Patient/p1/$purge-history")
	runAll(t, []scenario{
		{name: "answers without content", before: three, method: "DELETE", path: "/Patient/p1/$purge-history", status: 204, headers: map[string]string{"ETag": `W/"3"`}},
		{name: "keeps the current version", before: purged, method: "GET", path: "/Patient/p1", status: 200, headers: map[string]string{"ETag": `W/"3"`}},
		{name: "keeps its number", before: purged, method: "GET", path: "/Patient/p1/_history/3", status: 200},
		{name: "removes older ones", before: purged, method: "GET", path: "/Patient/p1/_history/2", status: 404, issue: "error not-found"},
		{name: "leaves a history of one", before: purged, method: "GET", path: "/Patient/p1/_history?_summary=count", status: 200, has: []string{`"total":1`}},
		{name: "keeps a deletion", before: deleted, method: "GET", path: "/Patient/p1", status: 410, issue: "error deleted", headers: map[string]string{"ETag": `W/"4"`}},
		{name: "removes what a deletion hid", before: deleted, method: "GET", path: "/Patient/p1/_history/3", status: 404, issue: "error not-found"},
		{name: "of nothing", method: "DELETE", path: "/Patient/p1/$purge-history", status: 404, issue: "error not-found"},
		{name: "of an unknown type", method: "DELETE", path: "/Pateint/p1/$purge-history", status: 404, issue: "error not-found"},
		{name: "by another method", before: three, method: "POST", path: "/Patient/p1/$purge-history", body: "{}", status: 405, issue: "error forbidden", headers: map[string]string{"Allow": "DELETE, OPTIONS"}},
	})
}
