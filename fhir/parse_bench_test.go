package fhir_test

import (
	"fmt"
	"strings"
	"testing"

	"salus/fhir"
)

// bundle returns a document like those of generators of synthetic patients:
// n observations, indented by two blanks or compact.
func bundle(n int, compact bool) []byte {
	var b strings.Builder
	b.WriteString("{\n  \"resourceType\": \"Bundle\",\n  \"type\": \"transaction\",\n  \"entry\": [\n")
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, observation, i, i, i%97, i)
	}
	b.WriteString("\n  ]\n}\n")
	if !compact {
		return []byte(b.String())
	}
	d, err := fhir.Parse([]byte(b.String()))
	if err != nil {
		panic(err)
	}
	return fhir.NewBody(d.Root(), "bundle", nil).JSON
}

const observation = `    {
      "fullUrl": "urn:uuid:00000000-0000-4000-8000-%012d",
      "resource": {
        "resourceType": "Observation",
        "id": "00000000-0000-4000-8000-%012d",
        "text": {
          "status": "generated",
          "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Body height: a synthetic value</div>"
        },
        "status": "final",
        "category": [
          {
            "coding": [
              {
                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                "code": "vital-signs",
                "display": "vital-signs"
              }
            ]
          }
        ],
        "code": {
          "coding": [
            {
              "system": "http://loinc.org",
              "code": "8302-2",
              "display": "Body Height"
            }
          ],
          "text": "Body Height"
        },
        "subject": {
          "reference": "urn:uuid:11111111-1111-4111-8111-111111111111"
        },
        "encounter": {
          "reference": "urn:uuid:22222222-2222-4222-8222-222222222222"
        },
        "effectiveDateTime": "2011-03-15T04:51:56-04:00",
        "issued": "2011-03-15T04:51:56.123-04:00",
        "valueQuantity": {
          "value": 1%02d.41538290,
          "unit": "cm",
          "system": "http://unitsofmeasure.org",
          "code": "cm"
        }
      },
      "request": {
        "method": "POST",
        "url": "Observation/%d"
      }
    }`

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name string
		text []byte
	}{
		{"indented", bundle(100, false)},
		{"compact", bundle(100, true)},
		{"one compact", bundle(2, true)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				d, err := fhir.Parse(c.text)
				if err != nil {
					b.Fatal(err)
				}
				d.Release()
			}
		})
	}
}

func BenchmarkNewBody(b *testing.B) {
	text := bundle(100, false)
	d, err := fhir.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		fhir.NewBody(d.Root(), "a", nil)
	}
}
