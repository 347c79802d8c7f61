package archtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"salus/internal/archtest"
)

const root = "../.."

func load(t *testing.T) []archtest.Package {
	t.Helper()
	packages, err := archtest.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 10 {
		t.Fatalf("only %d packages were listed", len(packages))
	}
	return packages
}

func failFor(t *testing.T, violations []string) {
	t.Helper()
	for _, v := range violations {
		t.Error(v)
	}
}

func TestImportsPointDown(t *testing.T) {
	failFor(t, archtest.Imports(archtest.Rooms, archtest.Exceptions, archtest.Fences, load(t)))
}

func TestPackagesAreNamedAndDescribed(t *testing.T) {
	failFor(t, archtest.Names(load(t)))
}

func TestTreeIsTidy(t *testing.T) {
	violations, err := archtest.Tree(os.DirFS(root), archtest.Long)
	if err != nil {
		t.Fatal(err)
	}
	failFor(t, violations)
}

func TestEveryDependencyIsExplained(t *testing.T) {
	direct, err := archtest.Direct(root)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	failFor(t, archtest.Dependencies(direct, string(page)))
}

// The checks themselves are tested by breaking each rule once.

func TestImports_CatchesEachViolation(t *testing.T) {
	rooms := append([]archtest.Room{
		{Path: "dicom", Layer: archtest.Vocabulary, Domain: "dicom"},
		{Path: "dicom/archive", Layer: archtest.UseCase, Domain: "dicom"},
		{Path: "dicom/web", Layer: archtest.Transport, Domain: "dicom"},
	}, archtest.Rooms...)
	tests := []struct{ from, to, rule string }{
		{"fhir/rest", "salus/fhir/store/lsm", "meet in platform"},
		{"fhir/rest", "salus/fhir/client", "transports do not know"},
		{"dicom/web", "salus/fhir/rest", "transports do not know"},
		{"dicom/archive", "salus/fhir/interaction", "across domains"},
		{"dicom/archive", "salus/fhir/store", "across domains"},
		{"dicom", "salus/fhir", "vocabularies of different"},
		{"fhir/store/lsm", "salus/fhir/interaction", "adapters do not know use cases"},
		{"fhir/store/lsm", "salus/fhir/store/memory", "adapters do not know each other"},
		{"fhir/interaction", "salus/fhir/store/lsm", "imports point down"},
		{"fhir/interaction", "salus/fhir/rest", "imports point down"},
		{"fhir", "salus/fhir/spec", "imports point down"},
		{"fault", "salus/fhir", "imports point down"},
		{"fhir/search", "net/http", "neither network nor files"},
		{"fhir/search", "os", "neither network nor files"},
		{"fhir", "database/sql", "neither network nor files"},
		{"platform", "database/sql", "outside its fence"},
		{"fhir/store", "salus/internal/serve", "neither network nor files"},
		{"internal/serve", "salus/platform", "imports point down"},
		{"cmd/salus", "salus/e2e", "imported by none"},
		{"platform", "github.com/cockroachdb/pebble/v2", "outside its fence"},
		{"fhir/store/memory", "github.com/RoaringBitmap/roaring/v2/roaring64", "outside its fence"},
		{"attic", "fmt", "not in the plan"},
	}
	for _, tt := range tests {
		t.Run(tt.from+" imports "+tt.to, func(t *testing.T) {
			p := archtest.Package{ImportPath: archtest.Module + "/" + tt.from, Imports: []string{tt.to}}
			expect(t, about(archtest.Imports(rooms, nil, archtest.Fences, []archtest.Package{p}), tt.from), tt.rule)
		})
	}
}

func TestImports_AllowsWhatTheHouseIsBuiltOf(t *testing.T) {
	allowed := []struct{ from, to string }{
		{"fhir/rest", "salus/fhir/interaction"}, {"fhir/rest", "net/http"}, {"fhir/interaction", "salus/fhir/store"},
		{"fhir/store/lsm", "salus/fhir/store"}, {"fhir/store/lsm", "github.com/cockroachdb/pebble/v2/vfs"}, {"fhir", "salus/fault"},
		{"fhir/search", "salus/fhir/searchparam"}, {"fhir/bundle", "salus/fhir/interaction"}, {"platform", "salus/fhir/store/lsm"},
		{"cmd/salus", "salus/platform"}, {"platform", "salus/workspace"}, {"internal/serve", "salus/fault"},
	}
	for _, a := range allowed {
		p := archtest.Package{ImportPath: archtest.Module + "/" + a.from, Imports: []string{a.to}}
		if got := about(archtest.Imports(archtest.Rooms, nil, archtest.Fences, []archtest.Package{p}), a.from); len(got) > 0 {
			t.Errorf("%s → %s is refused: %v", a.from, a.to, got)
		}
	}
}

func TestImports_HoldsTestsToTheHouse(t *testing.T) {
	p := archtest.Package{ImportPath: archtest.Module + "/fhir/rest", XTestImports: []string{"salus/platform", "salus/fhir/store/memory"}}
	expect(t, about(archtest.Imports(archtest.Rooms, nil, nil, []archtest.Package{p}), "fhir/rest"), "in tests too")
}

func TestImports_CatchesWhatThePlanHasTooMuch(t *testing.T) {
	rooms := []archtest.Room{{Path: "fault", Layer: archtest.Foundation}, {Path: "gone", Layer: archtest.Engine}}
	exceptions := []archtest.Exception{{From: "fault", To: "gone"}}
	got := archtest.Imports(rooms, exceptions, nil, []archtest.Package{{ImportPath: "salus/fault"}})
	if len(got) != 2 || !strings.Contains(got[0], "no such package") || !strings.Contains(got[1], "nothing needs") {
		t.Errorf("got %q", got)
	}
}

func TestNames_CatchesVagueAndSilentPackages(t *testing.T) {
	for _, tt := range []struct{ path, doc, rule string }{
		{"fhir/util", "Package util …", "one lower-case noun"},
		{"fhir/search_param", "Package …", "one lower-case noun"},
		{"fhir/plan", "", "no package comment"},
	} {
		p := archtest.Package{ImportPath: "salus/" + tt.path, Doc: tt.doc, GoFiles: []string{"x.go"}}
		expect(t, archtest.Names([]archtest.Package{p}), tt.rule)
	}
}

func TestTree_CatchesEachViolation(t *testing.T) {
	lines := func(n int) []byte { return []byte("package x\n" + strings.Repeat("\n", n-1)) }
	tests := []struct {
		name, path string
		data       []byte
		long       map[string]string
		rule       string // empty: fine
	}{
		{"short", "a.go", lines(400), nil, ""},
		{"long without reason", "a.go", lines(401), nil, "needs a line in Long"},
		{"long with reason", "a.go", lines(401), map[string]string{"a.go": "one table"}, ""},
		{"far too long", "a.go", lines(801), map[string]string{"a.go": "one table"}, "no file has more than"},
		{"long test", "a_test.go", lines(700), nil, ""},
		{"generated", "a.go", append([]byte("// Code generated by x; DO NOT EDIT.\n"), lines(900)...), nil, ""},
		{"listed and short", "a.go", lines(4), map[string]string{"a.go": "one table"}, "but has 4 lines"},
		{"listed and gone", "b.go", lines(4), map[string]string{"a.go": "one table"}, "no such file"},
		{"undone", "a.md", []byte("x\nTO" + "DO: y\n"), nil, "a.md:2: something is left undone"},
		{"machine path", ".ci/run", []byte("cd /wo" + "rk/x\n"), nil, ".ci/run:1: names a place"},
		{"registry", "a.sh", []byte("GOPROXY=https://proxy.go" + "lang.org\n"), nil, "a.sh:1: names a place"},
		{"binary", "a.bin", []byte("\x00/wo" + "rk/x"), nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := archtest.Tree(fstest.MapFS{tt.path: {Data: tt.data}}, tt.long)
			if err != nil {
				t.Fatal(err)
			}
			if tt.rule == "" {
				failFor(t, got)
				return
			}
			expect(t, got, tt.rule)
		})
	}
}

func TestDependencies_CatchesMissingAndIdleRows(t *testing.T) {
	got := archtest.Dependencies([]string{"a.example/x", "b.example/y"}, "# Page\n\n| Module | For |\n|---|---|\n| `a.example/x` | … |\n| `c.example/z` | … |\n")
	if len(got) != 2 || !strings.HasPrefix(got[0], "b.example/y: required") || !strings.HasPrefix(got[1], "c.example/z: in docs") {
		t.Errorf("got %q", got)
	}
}

// about keeps the violations of one package.
func about(violations []string, path string) []string {
	var own []string
	for _, v := range violations {
		if strings.HasPrefix(v, path+":") || strings.HasPrefix(v, path+" →") {
			own = append(own, v)
		}
	}
	return own
}

func expect(t *testing.T, violations []string, rule string) {
	t.Helper()
	if len(violations) != 1 || !strings.Contains(violations[0], rule) {
		t.Errorf("got %q, want one violation with %q", violations, rule)
	}
}
