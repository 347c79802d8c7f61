package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"salus/convert"
)

// BenchmarkReference converts samples of the reference by its own templates, where they are at hand.
func BenchmarkReference(b *testing.B) {
	dir := corpus(b)
	for _, c := range []struct {
		name, templates, template, sample string
		source                            convert.Source
	}{
		{"HL7v2 ADT", "Hl7v2", "ADT_A01", "Hl7v2/ADT-A01-01.hl7", convert.HL7v2},
		{"HL7v2 ORU", "Hl7v2", "ORU_R01", "Hl7v2/ORU-R01-01.hl7", convert.HL7v2},
		{"C-CDA CCD", "Ccda", "CCD", "Ccda/CCD.ccda", convert.CCDA},
		{"C-CDA large", "Ccda", "CCD", "Ccda/C-CDA_R2-1_CCD.xml.ccda", convert.CCDA},
		{"STU3 Patient", "Stu3ToR4", "Patient", "Stu3/Patient.json", convert.FHIR},
	} {
		b.Run(c.name, func(b *testing.B) {
			converter := load(b, filepath.Join(dir, "data/Templates", c.templates))
			input, err := os.ReadFile(filepath.Join(dir, "data/SampleData", c.sample))
			if err != nil {
				b.Skip(err)
			}
			r := convert.Request{Source: c.source, Template: c.template, Input: input, DatesAsStrings: true}
			out := 0
			b.ReportAllocs()
			for b.Loop() {
				result, err := converter.Convert(context.Background(), r)
				if err != nil {
					b.Fatal(err)
				}
				out = len(result.Output)
			}
			b.ReportMetric(float64(len(input)), "in-B")
			b.ReportMetric(float64(out), "out-B")
		})
	}
}
