package liquid_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"salus/convert"
	"salus/convert/hl7v2"
	"salus/convert/liquid"
)

// reference is the folder of the reference's converter, with its templates and samples.
func reference(t testing.TB) string {
	dir := os.Getenv("SALUS_TEST_CONVERTER")
	if dir == "" {
		t.Skip("NOT COVERED: the reference's templates: SALUS_TEST_CONVERTER names no folder")
	}
	return dir
}

// files reads the files of a folder of templates.
func files(t testing.TB, dir string) (all []liquid.File) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		all = append(all, liquid.File{Path: name, Content: b})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// withMessages makes a set that has the filters of messages.
func withMessages(t testing.TB, all []liquid.File) *liquid.Set {
	t.Helper()
	filters := map[string]liquid.Filter{}
	for name, f := range hl7v2.Filters() {
		filters[name] = f
	}
	s, err := liquid.New(all, liquid.Options{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// All templates of the reference compile.
func TestReferenceTemplatesCompile(t *testing.T) {
	dir := reference(t)
	for _, name := range []string{"Hl7v2", "Ccda", "Json", "Stu3ToR4", "FhirToHl7v2"} {
		all := files(t, filepath.Join(dir, "data/Templates", name))
		s := withMessages(t, all)
		for _, err := range s.Check() {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %d files", name, len(all))
	}
}

// BenchmarkRender renders messages by the reference's templates: parsing the message and cleaning what is written are not counted.
func BenchmarkRender(b *testing.B) {
	dir := reference(b)
	s := withMessages(b, files(b, filepath.Join(dir, "data/Templates/Hl7v2")))
	for _, c := range []struct{ template, sample string }{{"ADT_A01", "ADT-A01-01"}, {"BAR_P12", "BAR-P12-01"}, {"ORU_R01", "ORU-R01-01"},
		{"MDM_T01", "MDM_01"}, {"SIU_S12", "SIU_12"}} {
		b.Run(c.sample, func(b *testing.B) {
			text, err := os.ReadFile(filepath.Join(dir, "data/SampleData/Hl7v2", c.sample+".hl7"))
			if err != nil {
				b.Skip(err)
			}
			m, err := hl7v2.Parse(string(text))
			if err != nil {
				b.Fatal(err)
			}
			vars := map[string]convert.Value{"hl7v2Data": m}
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				if out, err = s.Render(context.Background(), out[:0], c.template, vars, liquid.Run{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(text)), "in-B")
			b.ReportMetric(float64(len(out)), "out-B")
		})
	}
}

// BenchmarkCompile compiles all templates of the reference for HL7v2.
func BenchmarkCompile(b *testing.B) {
	dir := reference(b)
	all := files(b, filepath.Join(dir, "data/Templates/Hl7v2"))
	for b.Loop() {
		if errs := withMessages(b, all).Check(); errs != nil {
			b.Fatal(errs)
		}
	}
}

// BenchmarkTemplate renders conditions, loops, paths and filters as templates of messages have them.
func BenchmarkTemplate(b *testing.B) {
	s := set(b, `{% for p in l -%}{% if p.a == 'x' and p.b != null -%}{"id": "{{ p.a | append: '-' | append: p.b }}",`+
		`{% include 'part' x: p.a, y: p.c.d -%}},{% endif -%}{% endfor -%}`,
		"part.liquid\n{% assign z = x -%}{% unless y == null -%}\"y\":\"{{ y | default: z }}\"{% endunless -%}")
	v := vars(b, `{"l":[{"a":"x","b":1,"c":{"d":"e"}},{"a":"y"},{"a":"x","b":2},{"a":"x","b":3,"c":{"d":"f"}}]}`)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = s.Render(context.Background(), out[:0], "root", v, liquid.Run{}); err != nil {
			b.Fatal(err)
		}
	}
}
