package spec_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"salus/fhir/spec"
)

func typeNames(e *spec.Element) string {
	var names []string
	for _, ref := range e.Types {
		names = append(names, ref.Type.Name)
	}
	return strings.Join(names, " ")
}

func TestEveryDefinitionIsThere(t *testing.T) {
	d := spec.R4()
	count := func(k spec.Kind, abstract bool) (n int) {
		for _, name := range allTypes(d) {
			if x := d.Type(name); x.Kind == k && x.Abstract == abstract {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"concrete resource types", len(d.Resources()), 146},
		{"primitive types", count(spec.Primitive, false), 20},
		{"concrete complex types", count(spec.Complex, false), 39},
		{"abstract complex types", count(spec.Complex, true), 2},
		{"search parameters", len(d.SearchParams()), 1375},
		{"compartments", len(d.Compartments()), 5},
		{"operations", len(d.Operations()), 46},
	} {
		if c.got != c.want {
			t.Errorf("%d %s, want %d", c.got, c.what, c.want)
		}
	}
	if d.Version != "4.0.1" {
		t.Errorf("version %q", d.Version)
	}
	for _, name := range []string{"Element", "BackboneElement", "Resource", "DomainResource"} {
		if x := d.Type(name); x == nil || !x.Abstract || d.IsResource(name) {
			t.Errorf("%s is not an abstract type", name)
		}
	}
}

// allTypes returns the names of all types that resources reach, and of those they derive from.
func allTypes(d *spec.Definitions) []string {
	seen := map[string]bool{}
	var visit func(*spec.Type)
	visit = func(x *spec.Type) {
		if x == nil || seen[x.Name] {
			return
		}
		seen[x.Name] = true
		visit(x.Base)
		for _, e := range x.Elements {
			for _, ref := range e.Types {
				visit(ref.Type)
			}
		}
	}
	for _, r := range d.Resources() {
		visit(r)
	}
	return slices.Collect(func(yield func(string) bool) {
		for name := range seen {
			if !yield(name) {
				return
			}
		}
	})
}

func TestEveryTypeIsConsistent(t *testing.T) {
	d := spec.R4()
	for _, name := range allTypes(d) {
		x := d.Type(name)
		if x == nil || x.Name != name {
			t.Fatalf("type %s is not found by its name", name)
		}
		if (x.Base == nil) != (name == "Element" || name == "Resource") {
			t.Errorf("%s: base %v", name, x.Base)
		}
		if _, err := regexp.Compile("^(?:" + x.Pattern + ")$"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, e := range x.Elements {
			if x.Element(e.Name) != e || !strings.HasPrefix(e.Path, x.Name+".") || e.Choice != strings.HasSuffix(e.Path, "[x]") {
				t.Errorf("%s: element %s (%s) is not found or misnamed", name, e.Name, e.Path)
			}
			if len(e.Types) == 0 || !e.Choice && len(e.Types) != 1 {
				t.Errorf("%s has %d types", e.Path, len(e.Types))
			}
			for _, ref := range e.Types {
				got, gotRef, ok := x.Property(e.JSONName(ref))
				if !ok || got != e || gotRef.Type != ref.Type {
					t.Errorf("%s as %s is not found by its JSON name", e.Path, ref.Type.Name)
				}
				for _, target := range ref.Targets {
					if !d.IsResource(target) {
						t.Errorf("%s refers to unknown type %s", e.Path, target)
					}
				}
			}
			if e.Max != spec.Unbounded && e.Min > e.Max {
				t.Errorf("%s: %d..%d", e.Path, e.Min, e.Max)
			}
		}
	}
}

func TestElementsAreAsTheStandardSays(t *testing.T) {
	d := spec.R4()
	for _, c := range []struct {
		typ, element, types string
		min, max            int
		repeats             bool
	}{
		{"Patient", "id", "id", 0, 1, false},
		{"HumanName", "id", "string", 0, 1, false},
		{"Extension", "url", "uri", 1, 1, false},
		{"Patient", "contact", "Patient.contact", 0, spec.Unbounded, true},
		{"Patient.contact", "modifierExtension", "Extension", 0, spec.Unbounded, true},
		{"Patient.contact", "name", "HumanName", 0, 1, false},
		{"Questionnaire", "item", "Questionnaire.item", 0, spec.Unbounded, true},
		{"Questionnaire.item", "item", "Questionnaire.item", 0, spec.Unbounded, true},
		{"Observation.component", "referenceRange", "Observation.referenceRange", 0, spec.Unbounded, true},
		{"Bundle.entry", "link", "Bundle.link", 0, spec.Unbounded, true},
		{"Bundle.entry", "resource", "Resource", 0, 1, false},
		{"Patient", "contained", "Resource", 0, spec.Unbounded, true},
		{"Observation", "code", "CodeableConcept", 1, 1, false},
		{"Timing", "repeat", "Timing.repeat", 0, 1, false},
		{"Narrative", "div", "xhtml", 1, 1, false},
		{"Patient", "deceased", "boolean dateTime", 0, 1, false},
	} {
		e := d.Type(c.typ).Element(c.element)
		if e == nil {
			t.Errorf("%s has no %s", c.typ, c.element)
			continue
		}
		if got := typeNames(e); got != c.types || e.Min != c.min || e.Max != c.max || e.Repeats() != c.repeats {
			t.Errorf("%s: %s %d..%d, want %s %d..%d", e.Path, got, e.Min, e.Max, c.types, c.min, c.max)
		}
	}
	if base := d.Type("Patient.contact").Base; base != d.Type("BackboneElement") {
		t.Error("Patient.contact is not a BackboneElement")
	}
	if base := d.Type("Timing.repeat").Base; base != d.Type("Element") {
		t.Error("Timing.repeat is not an Element")
	}
	if !d.Type("Age").Is("Quantity") || !d.Type("Patient").Is("DomainResource") || d.Type("Bundle").Is("DomainResource") {
		t.Error("base types are wrong")
	}
}

func TestPropertyChoosesTheType(t *testing.T) {
	o := spec.R4().Type("Observation")
	e, ref, ok := o.Property("valueQuantity")
	if !ok || e != o.Element("value") || ref.Type.Name != "Quantity" || !e.Choice {
		t.Errorf("valueQuantity: %v %v", e, ref.Type)
	}
	for _, name := range []string{"value", "valueAddress", "resourceType", "valuequantity", "_status", ""} {
		if _, _, ok := o.Property(name); ok {
			t.Errorf("property %q is known", name)
		}
	}
	if n := len(spec.R4().Type("Extension").Element("value").Types); n != 50 {
		t.Errorf("Extension.value[x] has %d types, want 50", n)
	}
}

func TestReferencesNameTheirTargets(t *testing.T) {
	d := spec.R4()
	for _, c := range []struct{ typ, element, want string }{
		{"Observation", "subject", "Patient Group Device Location"},
		{"Observation", "focus", ""}, // any
		{"Patient", "managingOrganization", "Organization"},
		{"PlanDefinition", "library", "Library"}, // canonical
	} {
		if got := strings.Join(d.Type(c.typ).Element(c.element).Types[0].Targets, " "); got != c.want {
			t.Errorf("%s.%s refers to %q, want %q", c.typ, c.element, got, c.want)
		}
	}
}

func TestRequiredBindingsHaveTheirCodes(t *testing.T) {
	d := spec.R4()
	b := d.Type("Patient").Element("gender").Binding
	if b == nil || b.Strength != spec.Required || b.ValueSet != "http://hl7.org/fhir/ValueSet/administrative-gender" {
		t.Fatalf("binding of Patient.gender: %v", b)
	}
	var codes []string
	for _, c := range d.ValueSet(b.ValueSet).Codes {
		if c.System != "http://hl7.org/fhir/administrative-gender" {
			t.Errorf("code of system %s", c.System)
		}
		codes = append(codes, c.Code)
	}
	if got := strings.Join(codes, " "); got != "male female other unknown" {
		t.Errorf("codes of Patient.gender: %s", got)
	}
	required, known := map[string]bool{}, 0
	for _, name := range allTypes(d) {
		for _, e := range d.Type(name).Elements {
			if e.Binding != nil && e.Binding.Strength == spec.Required {
				required[e.Binding.ValueSet] = true
			}
		}
	}
	for url := range required {
		if v := d.ValueSet(url); v != nil && len(v.Codes) > 0 && v.URL == url {
			known++
		}
	}
	if len(required)-known != 4 { // currencies, MIME types, units of measure, and a value set of LOINC
		t.Errorf("%d of %d value sets are known", known, len(required))
	}
	for _, url := range []string{"http://hl7.org/fhir/ValueSet/mimetypes", "http://hl7.org/fhir/ValueSet/languages"} {
		if d.ValueSet(url) != nil {
			t.Errorf("%s is kept", url)
		}
	}
	nested := d.ValueSet("http://hl7.org/fhir/ValueSet/all-types") // of two code systems
	if nested == nil || !slices.Contains(nested.Codes, spec.Coding{System: "http://hl7.org/fhir/resource-types", Code: "Patient"}) ||
		!slices.Contains(nested.Codes, spec.Coding{System: "http://hl7.org/fhir/data-types", Code: "HumanName"}) {
		t.Error("all-types lacks codes")
	}
}

func TestInvariantsAndFlags(t *testing.T) {
	d := spec.R4()
	has := func(list []spec.Invariant, key string) bool {
		return slices.ContainsFunc(list, func(i spec.Invariant) bool {
			return i.Key == key && i.Severity == spec.SeverityError && i.Expression != ""
		})
	}
	if !has(d.Type("Patient").Element("contact").Invariants, "pat-1") {
		t.Error("Patient.contact lacks pat-1")
	}
	if !has(d.Type("Patient").Invariants, "dom-2") || !has(d.Type("Observation").Invariants, "obs-6") {
		t.Error("a resource lacks an invariant")
	}
	p := d.Type("Patient")
	if !p.Element("active").Modifier || !p.Element("active").Summary || p.Element("photo").Summary || p.Element("photo").Modifier {
		t.Error("flags of Patient's elements are wrong")
	}
	if pattern := d.Type("id").Pattern; pattern != `[A-Za-z0-9\-\.]{1,64}` {
		t.Errorf("pattern of id: %s", pattern)
	}
}

func TestSearchParameters(t *testing.T) {
	d := spec.R4()
	byURL := map[string]*spec.SearchParam{}
	for _, p := range d.SearchParams() {
		if byURL[p.URL] != nil || p.Code == "" || p.Type == "" || len(p.Base) == 0 {
			t.Errorf("%s is incomplete or there twice", p.URL)
		}
		byURL[p.URL] = p
		for _, base := range p.Base {
			if d.Type(base) == nil {
				t.Errorf("%s is of unknown type %s", p.URL, base)
			}
		}
	}
	for _, p := range d.SearchParams() {
		if (p.Type == "composite") != (len(p.Components) > 1) {
			t.Errorf("%s: %s of %d components", p.URL, p.Type, len(p.Components))
		}
		for _, c := range p.Components {
			if byURL[c.Definition] == nil || c.Expression == "" {
				t.Errorf("%s has an unknown component %s", p.URL, c.Definition)
			}
		}
	}
	subject := byURL["http://hl7.org/fhir/SearchParameter/clinical-patient"]
	if subject == nil || subject.Code != "patient" || subject.Type != "reference" || !slices.Contains(subject.Base, "Condition") ||
		!slices.Contains(subject.Targets, "Patient") {
		t.Errorf("clinical-patient: %+v", subject)
	}
	for _, extra := range []string{"example", "filter", "patient-extensions-Patient-age"} {
		if byURL["http://hl7.org/fhir/SearchParameter/"+extra] != nil {
			t.Errorf("%s is kept", extra)
		}
	}
}

func TestCompartmentsAndOperations(t *testing.T) {
	d := spec.R4()
	i := slices.IndexFunc(d.Compartments(), func(c *spec.Compartment) bool { return c.Code == "Patient" })
	if i < 0 {
		t.Fatal("no compartment of Patient")
	}
	p := d.Compartments()[i].Params
	if got := strings.Join(p["Observation"], " "); got != "subject performer" {
		t.Errorf("Observation is in a patient's compartment by %q", got)
	}
	if p["Organization"] != nil || len(p) < 60 {
		t.Errorf("compartment of Patient: %d types", len(p))
	}
	i = slices.IndexFunc(d.Operations(), func(o *spec.Operation) bool { return o.Code == "everything" && slices.Contains(o.Types, "Patient") })
	if i < 0 {
		t.Fatal("no Patient/$everything")
	}
	if o := d.Operations()[i]; o.System || !o.OnType || !o.Instance {
		t.Errorf("Patient/$everything: %+v", o)
	}
}
