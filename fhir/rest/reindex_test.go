package rest_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/interaction"
	"salus/fhir/reindex"
	"salus/fhir/rest"
	"salus/fhir/search"
	"salus/fhir/spec"
	"salus/fhir/store/memory"
	"salus/fhir/validate"
	"salus/internal/serve"
)

// newIndexed is a fixture whose clients can define search parameters. Nothing is
// indexed in the background.
func newIndexed(t *testing.T) *fixture {
	t.Helper()
	registry, err := params()
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: memory.New(time.Now)}
	x, err := reindex.Open(t.Context(), reindex.Options{Store: f.store, Params: registry})
	if err != nil {
		t.Fatal(err)
	}
	service := interaction.New(interaction.Options{
		Definitions: spec.R4(), Params: x.Live(), Parameters: x, Parser: search.NewParser(x.Live(), search.Options{}),
		Validator: validate.New(spec.R4()), Store: f.store,
	})
	edge := serve.Edge{Logger: slog.New(slog.DiscardHandler)}
	f.handler = edge.Wrap(rest.New(rest.Options{
		Service: service, Bundles: bundle.New(service, bundle.Options{}), Definitions: spec.R4(), Params: x.Live(), Reindex: x,
		TokenKey: []byte("a key of the tests, 32 bytes long"),
	}))
	return f
}

func TestReindex(t *testing.T) {
	t.Parallel()
	f := newIndexed(t)
	f.must(t, 201, "PUT", "/Patient/p1", patientP1)
	f.must(t, 201, "PUT", "/SearchParameter/given-here", `{"resourceType":"SearchParameter","id":"given-here","url":"http://example.org/given-here","name":"Given","status":"active","description":"Invented.","code":"given-here","base":["Patient"],"type":"string","expression":"Patient.name.given"}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"GET", "/SearchParameter/$status?code=given-here", "", 200, `{"name":"searchParameterStatus","part":[{"name":"url","valueUrl":"http://example.org/given-here"},{"name":"status","valueString":"Supported"}]}`},
		{"GET", "/SearchParameter/$status?colour=red", "", 400, "url, code and resourcetype"},
		{"GET", "/SearchParameter/$status?code=nothing", "", 404, "not-found"},
		{"PUT", "/SearchParameter/$status", `{"resourceType":"Parameters"}`, 400, "at least one"},
		{"PUT", "/SearchParameter/$status", `{"resourceType":"Patient"}`, 400, "Parameters"},
		{"PUT", "/SearchParameter/$status", `{"resourceType":"Parameters","parameter":[{"name":"searchParameterStatus","part":[{"name":"url","valueUrl":"http://example.org/none"},{"name":"status","valueString":"Disabled"}]}]}`, 400, "not-found"},
		{"GET", "/Patient?given-here=Maria", "", 200, "given-here"},
		{"GET", "/Patient/p1/$reindex", "", 200, `{"name":"given-here","valueString":"`},
		{"POST", "/Patient/p1/$reindex", "", 200, `{"name":"given-here","valueString":"`},
		{"GET", "/Patient/none/$reindex", "", 404, "not-found"},
		{"POST", "/$reindex", `{"resourceType":"Parameters","parameter":[{"name":"maximumNumberOfResourcesPerQuery","valueString":"many"}]}`, 400, "maximumNumberOfResourcesPerQuery"},
		{"POST", "/$reindex", `{"resourceType":"Parameters","parameter":[{"name":"unheardOf","valueString":"x"}]}`, 201, `{"name":"id","valueString":"1"}`},
		{"GET", "/$reindex", "", 200, `{"name":"searchParams","valueString":"http://example.org/given-here"}`},
		{"DELETE", "/SearchParameter/given-here", "", 409, "reindex job 1"},
		{"DELETE", "/_operations/reindex/1", "", 202, `"valueString":"Canceled"`},
		{"DELETE", "/_operations/reindex/1", "", 400, "cannot be cancelled"},
		{"GET", "/_operations/reindex/1", "", 200, `{"name":"progress","valueDecimal":0.0}`},
		{"GET", "/_operations/reindex/x", "", 404, "not-found"},
		{"DELETE", "/SearchParameter/individual-gender", "", 405, "specification"},
	} {
		w := f.do(c.method, c.path, c.body, nil)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s %s = %d, want %d with %s: %s", c.method, c.path, w.Code, c.status, c.has, w.Body)
		}
	}
	w := f.do("GET", "/Patient?given-here=zzz&_summary=count", "", map[string]string{"X-Ms-Use-Partial-Indices": "true", "Prefer": "handling=strict"})
	if w.Code != 200 {
		t.Errorf("with partial indices: %d %s", w.Code, w.Body)
	}
	for name, on := range map[string]string{
		"reindex": `"system":true,"type":false,"instance":false`, "resource-reindex": `"system":false,"type":false,"instance":true`,
		"search-parameter-status": `"system":false,"type":true,"instance":false`,
	} {
		d, err := fhir.Parse(f.must(t, 200, "GET", "/OperationDefinition/"+name, "").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.New(spec.R4()).Resource(d.Root()); err != nil || !strings.Contains(string(d.Root().Raw()), on) {
			t.Errorf("%s: %v, %s", name, err, d.Root().Raw())
		}
	}
}

// Without an indexer there are no operations on search parameters.
func TestReindex_IsNotThereWithoutAnIndexer(t *testing.T) {
	t.Parallel()
	runAll(t, []scenario{
		{name: "start", method: "POST", path: "/$reindex", status: 405, issue: "error not-supported"},
		{name: "job", method: "GET", path: "/_operations/reindex/1", status: 405, issue: "error not-supported"},
		{name: "status", method: "GET", path: "/SearchParameter/$status", status: 405, issue: "error not-supported"},
		{name: "resource", method: "GET", path: "/Patient/p1/$reindex", status: 405, issue: "error not-supported"},
		{name: "no job elsewhere", method: "GET", path: "/_operations/nothing/1", status: 404, issue: "error not-found"},
	})
}
