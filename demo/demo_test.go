package demo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"salus/demo"
	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
	"salus/fhir/validate"
)

func TestPopulation_IsTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	sum := func(seed uint64) [32]byte {
		h := sha256.New()
		for b := range demo.Population(seed, 20) {
			h.Write(b)
		}
		return [32]byte(h.Sum(nil))
	}
	if first, again := sum(1), sum(1); first != again {
		t.Error("two runs with one seed differ")
	}
	if sum(1) == sum(2) {
		t.Error("two seeds give the same population")
	}
}

func TestPopulation_PatientsDoNotDependOnHowOftenTheyAreAsked(t *testing.T) {
	t.Parallel()
	var first, again []byte
	for b := range demo.Population(7, 3) {
		first = b // kept after the next one is made
	}
	for b := range demo.Population(7, 3) {
		again = b
	}
	if !bytes.Equal(first, again) {
		t.Error("the last bundle changed")
	}
}

// mixture is what the package promises of 200 patients.
func TestPopulation_HasThePromisedMixture(t *testing.T) {
	t.Parallel()
	const patients = 200
	counts := map[fhir.Type]int{}
	bundles, size, total, most := 0, 0, 0, 0
	for b := range demo.Population(3, patients) {
		bundles++
		d := parse(t, b)
		n := 0
		for e := range d.Root().Get("entry").Children {
			r := e.Get("resource")
			counts[r.Type()]++
			size += len(r.Raw())
			n++
		}
		total += n
		most = max(most, n)
	}
	if most > 500 {
		t.Errorf("a bundle has %d entries", most)
	}
	if mean := total / patients; mean < 240 || mean > 360 {
		t.Errorf("%d resources per patient, want about 300", mean)
	}
	if mean := size / total; mean < 1000 || mean > 2500 {
		t.Errorf("%d bytes per resource, want 1,000 to 2,500", mean)
	}
	for _, typ := range []fhir.Type{
		"Organization", "Location", "Practitioner", "PractitionerRole", "Patient", "Encounter", "Condition", "Observation",
		"DiagnosticReport", "Procedure", "MedicationRequest", "Immunization", "AllergyIntolerance", "CarePlan",
		"DocumentReference", "RiskAssessment", "Claim", "ExplanationOfBenefit",
	} {
		if counts[typ] == 0 {
			t.Errorf("there is no %s", typ)
		}
	}
	if counts["Patient"] != patients {
		t.Errorf("%d patients, want %d", counts["Patient"], patients)
	}
	t.Logf("%d bundles, largest %d entries, %d resources of %d bytes: %v", bundles, most, total, size/total, counts)
}

func TestPopulation_ReferencesResolve(t *testing.T) {
	t.Parallel()
	fixed := map[string]bool{}
	for b := range demo.Population(5, 30) {
		d := parse(t, b)
		here := map[string]bool{}
		for e := range d.Root().Get("entry").Children {
			if u := e.Get("fullUrl").Text(); u != "" {
				if here[u] {
					t.Fatalf("fullUrl %s twice in one bundle", u)
				}
				here[u] = true
				continue
			}
			fixed[e.Path("request", "url").Text()] = true
		}
		for e := range d.Root().Get("entry").Children {
			eachReference(e.Get("resource"), func(ref string) {
				if !strings.HasPrefix(ref, "#") && !here[ref] && !fixed[ref] {
					t.Errorf("reference to nothing from a %s", e.Get("resource").Type())
				}
			})
		}
	}
}

func TestPopulation_IsValid(t *testing.T) {
	t.Parallel()
	v := validate.New(spec.R4())
	for b := range demo.Population(11, 40) {
		for e := range parse(t, b).Root().Get("entry").Children {
			r := e.Get("resource")
			if err := v.Resource(r); err != nil {
				t.Fatalf("%s: %+v", r.Type(), fault.As(err).Issues)
			}
		}
	}
	for b := range demo.Resources(11, 5) {
		r := parse(t, b).Root()
		if err := v.Resource(r); err != nil {
			t.Fatalf("%s: %+v", r.Type(), fault.As(err).Issues)
		}
	}
}

func TestResources_AreThePopulationOneByOne(t *testing.T) {
	t.Parallel()
	var bundled, single int
	for b := range demo.Population(9, 10) {
		bundled += parse(t, b).Root().Get("entry").Len()
	}
	seen := map[string]bool{}
	var refs []string
	for b := range demo.Resources(9, 10) {
		single++
		if !json.Valid(b) || bytes.IndexByte(b, '\n') >= 0 {
			t.Fatal("a resource is not one line of JSON")
		}
		r := parse(t, b).Root()
		key := string(r.Type()) + "/" + string(r.ID())
		if !fhir.ValidID(string(r.ID())) || seen[key] {
			t.Fatalf("%s has a bad id or stands twice", r.Type())
		}
		seen[key] = true
		eachReference(r, func(ref string) { refs = append(refs, ref) })
	}
	if single != bundled {
		t.Errorf("%d single resources, %d in bundles", single, bundled)
	}
	for _, ref := range refs {
		if !strings.HasPrefix(ref, "#") && !seen[ref] {
			t.Errorf("reference to nothing: %s", ref)
		}
	}
}

func TestResources_StopsWhenAsked(t *testing.T) {
	t.Parallel()
	n := 0
	for range demo.Resources(1, 1000) {
		if n++; n == 100 {
			break
		}
	}
	if n != 100 {
		t.Errorf("yielded %d after the loop was left", n)
	}
}

func parse(t *testing.T, b []byte) *fhir.Document {
	t.Helper()
	d, err := fhir.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func eachReference(n fhir.Node, f func(string)) {
	for c := range n.Children {
		if c.Name() == "reference" && c.Kind() == fhir.String {
			f(c.Text())
		}
		eachReference(c, f)
	}
}

func BenchmarkPopulation(b *testing.B) {
	resources, size := 0, 0
	for b.Loop() {
		for bundle := range demo.Population(1, 20) {
			resources += bytes.Count(bundle, []byte(`"resourceType"`)) - 1 // the bundle's own; contained ones are few
			size += len(bundle)
		}
	}
	b.ReportMetric(float64(resources)/b.Elapsed().Seconds(), "resources/s")
	b.SetBytes(int64(size / b.N))
}
