package fhirpath_test

import (
	"strings"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

func TestCompile_NamesLineAndColumn(t *testing.T) {
	t.Parallel()
	for src, place := range map[string]string{
		"name.":                 "1:6",
		"name\n  .nope()":       "2:4",
		"1 +\n+\n* 2":           "3:1",
		"'open":                 "1:1",
		"a /* open":             "1:3",
		"name.where()":          "1:6",
		"name.first(1)":         "1:6",
		"name.ofType(Nope)":     "1:13",
		"@2024-99":              "1:1",
		"'ä' ~ #":               "1:7",
		"a.$this":               "1:3",
		"name.matches('(?=a)')": "1:6",
		"(1":                    "1:3",
		"1 1":                   "1:3",
		"and true":              "1:1",
		"$that":                 "1:1",
		"":                      "1:1",
		`'\u12'`:                "1:2",
	} {
		_, err := fhirpath.Compile(src, spec.R4())
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), " "+place+": ") {
			t.Errorf("%q: %v, want a fault of kind Invalid at %s", src, err, place)
		}
	}
}

func TestCompile_BoundsSources(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"parentheses": strings.Repeat("(", 10_000) + "1" + strings.Repeat(")", 10_000),
		"signs":       strings.Repeat("-", 10_000) + "1",
		"calls":       strings.Repeat("iif(", 10_000),
		"operators":   "1" + strings.Repeat("+1", 30_000),
		"invocations": "a" + strings.Repeat(".first()", 8_000),
		"length":      strings.Repeat(" ", 70_000) + "1",
		"regexp":      "'a'.matches('" + strings.Repeat("(a{1,900})", 500) + "')",
	} {
		if _, err := fhirpath.Compile(src, spec.R4()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want a fault of kind Invalid", name, err)
		}
	}
}

func TestEval_BoundsItsWork(t *testing.T) {
	t.Parallel()
	patient := resource(t, patientJSON)
	for name, src := range map[string]string{
		"loops in loops":      "descendants()" + strings.Repeat(".select(%resource.descendants())", 6),
		"lambdas in lambdas":  strings.Repeat("%resource.descendants().where(", 7) + "true" + strings.Repeat(").exists()", 7),
		"doubling strings":    "descendants().aggregate($total & $total, 'xxxxxxxx')",
		"growing collections": "descendants().aggregate($total.combine($total), 1)",
		"counting for ever":   "1.repeat($this + 1)",
		"replace":             "('" + strings.Repeat("a", 20_000) + "').replace('a', '" + strings.Repeat("b", 20_000) + "')",
	} {
		e, err := fhirpath.Compile(src, spec.R4())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		start := time.Now()
		_, err = e.Eval(nil, patient)
		if !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: %v, want a fault of kind TooLarge", name, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		t.Logf("%s: %v", name, time.Since(start))
	}
}

func TestEval_BoundsUnitsOfProducts(t *testing.T) {
	t.Parallel()
	e, err := fhirpath.Compile("descendants().aggregate(iif($total.empty(), 1 'mg', $total * $total)).toString().length() < 300", spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Eval(nil, resource(t, patientJSON))
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if short, _ := got[0].AsBool(); !short {
		t.Error("the unit of a product grows without bound")
	}
}

func TestCheck_FindsWhatCannotBe(t *testing.T) {
	t.Parallel()
	defs := spec.R4()
	for src, valid := range map[string]bool{
		"Patient.name.family":                            true,
		"name.nickname":                                  false,
		"Encounter.status":                               false,
		"Resource.id":                                    true,
		"DomainResource.text":                            true,
		"deceased.ofType(boolean)":                       true,
		"deceasedBoolean":                                false,
		"name.where(use = 'official').family":            true,
		"name.where(nope = 'official').family":           false,
		"contained.anything":                             true,
		"generalPractitioner.resolve().name":             true,
		"(name | contact.name).family":                   true,
		"(name | telecom).family":                        true,
		"(name | telecom).nope":                          false,
		"extension('x').value.code":                      true,
		"extension('x').family":                          false,
		"children().first()":                             false,
		"descendants().where(true)[0]":                   false,
		"name.select(given).extension.url":               true,
		"name.given.nope":                                false,
		"iif(active, name.nope)":                         false,
		"contact.repeat(organization)":                   false,
		"link.other.as(Reference).reference":             true,
		"name.exists(family.exists() and nope.exists())": false,
		"-name.nope":                                     false,
		"name[nope].given":                               false,
		"$this.name.family":                              true,
		"%resource.whatever":                             true,
	} {
		e, err := fhirpath.Compile(src, defs)
		if err != nil {
			t.Fatal(err)
		}
		err = e.Check(defs.Type("Patient"))
		if valid && err != nil || !valid && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want valid = %t", src, err, valid)
		}
	}
}

func TestErrors_HoldNoValues(t *testing.T) {
	t.Parallel()
	patient := resource(t, strings.ReplaceAll(patientJSON, "Lovelace", "MARKER"))
	for _, src := range []string{
		"name.family.single()", "name.first().family + 1", "name.family < 1", "name.first().family.abs()", "name.first().family & name",
		"iif(name.first().family, 1)", "name.family.allTrue()", "''.matches(%resource.name.first().family & '(')", "name.first().family.round()",
		"%resource.name.sum()", "name.sort($this)", "name.family.join(1)", "name.first().family.lowBoundary()",
	} {
		e, err := fhirpath.Compile(src, spec.R4())
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Eval(nil, patient)
		if err == nil {
			continue
		}
		if strings.Contains(err.Error(), "MARKER") {
			t.Errorf("%s: the error shows a value: %v", src, err)
		}
	}
}

// FuzzEval reads and evaluates anything: it must end soon, and what reads must render and read back.
func FuzzEval(f *testing.F) {
	for _, src := range []string{
		"Patient.name.family", "name.where(use = 'official').given.first()", "(a | b) ~ {}", "1 'mg' + 2 'g'", "@2024-02-29 - 1 year",
		"descendants().select($this.children())", "iif(a, b, c)", "'\\u00e4'.matches('[ä]')", "%`vs-x` in $this", "-1.5.round(1)",
		"name.aggregate($total & family, '')", "1.repeat($this + 1).take(5)", "x.ofType(FHIR.Quantity) as Quantity", "now() > today()",
		"2.power(900).log(3)", "1.5.lowBoundary(31)", "name.sort(-family)", "'a'.replaceMatches('(.)', '$1$1')", "$index + $total", `0'\''`,
	} {
		f.Add(src)
	}
	patient := resource(f, patientJSON)
	f.Fuzz(func(t *testing.T, src string) {
		start := time.Now()
		e, err := fhirpath.Compile(src, spec.R4())
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", src, err)
			}
			return
		}
		rendered := e.Root().String()
		if again, err := fhirpath.Compile(rendered, spec.R4()); err != nil || again.Root().String() != rendered {
			t.Errorf("%q renders as %q, which does not read back: %v", src, rendered, err)
		}
		_ = e.Check(patient.Type())
		if _, err := e.Eval(&testEnv, patient); err != nil {
			switch fault.KindOf(err) {
			case fault.Invalid, fault.TooLarge, fault.NotSupported:
			default:
				t.Errorf("%q: %v", src, err)
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q took %v", src, took)
		}
	})
}
