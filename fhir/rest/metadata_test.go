package rest_test

import (
	"encoding/json"
	"slices"
	"testing"

	"salus/fhir"
	"salus/fhir/rest"
	"salus/fhir/search"
	"salus/fhir/spec"
	"salus/fhir/validate"
)

type capabilities struct {
	Kind, FHIRVersion string
	Format            []string
	PatchFormat       []string
	Software          struct{ Name, Version string }
	Implementation    struct{ URL string }
	Rest              []struct {
		Interaction []struct{ Code string }
		Resource    []struct {
			Type, Versioning                                                string
			Interaction                                                     []struct{ Code string }
			ReadHistory, UpdateCreate, ConditionalCreate, ConditionalUpdate bool
			ConditionalDelete, ConditionalRead                              string
			SearchInclude, SearchRevInclude                                 []string
			SearchParam                                                     []struct{ Name, Type, Definition string }
		}
	}
}

func codes(list []struct{ Code string }) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Code)
	}
	slices.Sort(out)
	return out
}

func TestMetadata_ClaimsWhatIsThere(t *testing.T) {
	t.Parallel()
	w := newFixture(t).must(t, 200, "GET", "/metadata", "")
	var c capabilities
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	if c.Kind != "instance" || c.FHIRVersion != "4.0.1" || c.Software.Name != "Salus" || c.Software.Version != "1.2.3" || c.Implementation.URL != "http://salus.test" || !slices.Contains(c.PatchFormat, "application/json-patch+json") {
		t.Errorf("head = %+v", c)
	}
	system, resource, _ := rest.RouteInteractions()
	slices.Sort(system)
	slices.Sort(resource)
	if got := codes(c.Rest[0].Interaction); !slices.Equal(got, system) || !slices.Equal(got, []string{"batch", "history-system", "search-system", "transaction"}) {
		t.Errorf("system interactions = %v", got)
	}
	if n := len(spec.R4().Resources()); len(c.Rest[0].Resource) != n {
		t.Errorf("%d resources, want %d", len(c.Rest[0].Resource), n)
	}
	registry, err := params()
	if err != nil {
		t.Fatal(err)
	}
	parser := search.NewParser(registry, search.Options{})
	for _, r := range c.Rest[0].Resource {
		if got := codes(r.Interaction); !slices.Equal(got, resource) || !slices.Contains(got, "patch") {
			t.Errorf("%s: interactions = %v", r.Type, got)
		}
		if !r.ReadHistory || !r.UpdateCreate || !r.ConditionalCreate || !r.ConditionalUpdate || r.ConditionalDelete != "multiple" || r.ConditionalRead != "full-support" {
			t.Errorf("%s: %+v", r.Type, r)
		}
		for _, p := range r.SearchParam {
			param := search.Param{Name: p.Name + ":missing", Value: "true"}
			if p.Name == "_content" {
				param = search.Param{Name: p.Name, Value: "word"}
			}
			request := search.Request{Types: []fhir.Type{fhir.Type(r.Type)}, Params: []search.Param{param}, Strict: true}
			if _, err := parser.Parse(request); err != nil {
				t.Errorf("%s.%s is claimed but cannot be searched by: %v", r.Type, p.Name, err)
			}
			if p.Definition == "" || p.Type == "" || p.Type == "special" {
				t.Errorf("%s.%s: %+v", r.Type, p.Name, p)
			}
		}
		for name, values := range map[string][]string{"_include": r.SearchInclude, "_revinclude": r.SearchRevInclude} {
			for _, value := range values {
				request := search.Request{Types: []fhir.Type{fhir.Type(r.Type)}, Params: []search.Param{{Name: name, Value: value}}, Strict: true}
				if _, err := parser.Parse(request); err != nil {
					t.Errorf("%s: %s=%s is claimed but refused: %v", r.Type, name, value, err)
				}
			}
		}
	}
	d, err := fhir.Parse(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.New(spec.R4()).Resource(d.Root()); err != nil {
		t.Errorf("the CapabilityStatement is not valid: %v", err)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	runAll(t, []scenario{
		{name: "prefix", method: "GET", path: "/metadata", header: map[string]string{"X-Forwarded-Prefix": "/gate"}, status: 200, has: []string{`"url":"http://salus.test/gate"`}},
		{name: "format", method: "GET", path: "/metadata?_format=nothing", status: 406, issue: "error not-supported"},
		{name: "pretty 0", method: "GET", path: "/metadata?_pretty=0", status: 400, issue: "error invalid"},
		{name: "pretty empty", method: "GET", path: "/metadata?_pretty=", status: 400, issue: "error invalid"},
		{name: "summary empty", method: "GET", path: "/metadata?_summary=", status: 400, issue: "error invalid"},
		{name: "elements blank", method: "GET", path: "/metadata?_elements=%20", status: 400, issue: "error invalid"},
		{name: "summary", method: "GET", path: "/metadata?_summary=true", status: 200, has: []string{"SUBSETTED", `"status":"active"`}},
		{name: "elements", method: "GET", path: "/metadata?_elements=software", status: 200, has: []string{`"software":{`}, lacks: []string{`"searchParam"`}},
		{name: "versions", method: "GET", path: "/$versions", status: 200, headers: map[string]string{"Content-Type": "application/fhir+json; charset=utf-8"}, has: []string{`{"resourceType":"Parameters","parameter":[{"name":"version","valueString":"4.0"},{"name":"default","valueString":"4.0"}]}`}},
		{name: "versions as plain JSON", method: "GET", path: "/$versions", header: map[string]string{"Accept": "application/json"}, status: 200, headers: map[string]string{"Content-Type": "application/json; charset=utf-8"}, has: []string{`{"versions":["4.0"],"default":"4.0"}`}},
		{name: "versions, misspelt", method: "GET", path: "/$versions", header: map[string]string{"Accept": "application/fhir+jsn"}, status: 406, issue: "error not-supported"},
	})
}

func TestMetadata_FollowsVersioningPolicies(t *testing.T) {
	t.Parallel()
	policies := fhir.Versioning{Default: fhir.VersionedUpdate, Types: map[fhir.Type]fhir.VersionPolicy{"Patient": fhir.NoVersion, "Basic": fhir.Versioned}}
	w := newFixtureOf(t, policies, fhir.Azure, maxBody).must(t, 200, "GET", "/metadata", "")
	var c capabilities
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rest[0].Resource {
		want := policies.Of(fhir.Type(r.Type))
		keeps := want != fhir.NoVersion
		if r.Versioning != want.String() || r.ReadHistory != keeps || slices.Contains(codes(r.Interaction), "history-instance") != keeps {
			t.Errorf("%s: %+v", r.Type, r)
		}
	}
}
