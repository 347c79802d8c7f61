package validate_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"salus/fhir"
)

// structural is what the cases of the HL7 validator suite for R4 have against
// structure. The reference validator reports errors for all of them; its other errors
// concern profiles, terminology, references and links, which are not checked here.
var structural = map[string]string{
	"Observation-ex-pain.json":            "Observation.value.ofType(integer).value structure\nObservation.code required",
	"ai3.json":                            "Patient.unknownElement structure",
	"ai4.json":                            "Patient.birthDate value",
	"ai7.json":                            "StructureDefinition.name required\nStructureDefinition.status required\nStructureDefinition.abstract required",
	"ai8.json":                            "StructureDefinition.name required\nStructureDefinition.status required\nStructureDefinition.abstract required",
	"attachment-with-invalid-binary.json": "Media.content.data value",
	"bundle-ea-testcase.json":             "Bundle.entry[1].resource.contained[0].entry[0].resource.status required\nBundle.entry[1].resource.contained[0].entry[0].resource.mode required",
	"contained-resource.json":             "Condition.contained[0].id value",
	"cs-meta-profile.json":                "CodeSystem.meta.profile structure",
	"empty-array.json":                    "DocumentReference.category[0].coding structure",
	"hakan-se-2.json":                     "MedicationRequest.authoredOn value\nMedicationRequest.medication required",
	"hakan-se.json":                       "MedicationRequest.authoredOn value\nMedicationRequest.medication required",
	"ips-htmlrefs-forwards.json":          "Bundle.entry[0].resource.text.div invariant\nBundle.entry[0].resource.section[0].text.div invariant",
	"json-comments.json":                  "Patient.fhir_comments structure",
	"mr-covid-m.json":                     "Measure.group[0].population[0].criteria.language required",
	"mr-covid-m3.json":                    "Measure.group[0].population[0].criteria required",
	"obs-quantity.json":                   "Observation.code required",
	"obs-unit-profile.json":               "StructureDefinition.name required",
	"json-prop-key.json":                  "Resource.resourceType required", // not a resource of FHIR
	"obs-vs-2.json":                       "Observation.text.div required",
	"parameters-attachment.json":          "Parameters.parameter[0].value.ofType(Attachment).data value",
	"pat-security-bad-xhtml.json":         "Patient.text.div invariant",
	"patient-id-bad-1.json":               "Patient.id value",
	"patient-id-bad-2.json":               "Patient.id value",
	"patient-id-bad-3.json":               "Patient.id value",
	"resource-invalid-id-1.json":          "Location.id value",
	"resource-invalid-id-2.json":          "Location.id value",
	"resource-invalid-id-3.json":          "Location.contained[0].id value",
	"synthea.json":                        "Encounter.status code-invalid\nEncounter.reasonCode structure",
	"versioned-extension.json":            "Patient.extension[2].url required",
	"questionnaire/brianpos/open-choice-invalid-type-qr.json": "QuestionnaireResponse.item[0].answer[0].valueCode structure",
}

func TestCasesOfTheValidatorSuite(t *testing.T) {
	data := sharedData(t)
	if data == "" {
		t.Skip("NOT COVERED: the HL7 validator suite is not here")
	}
	files := map[string][]byte{}
	untar(t, filepath.Join(data, "test-cases", "r4-validator.tgz"), func(name string, b []byte) {
		if _, file, ok := strings.Cut(name, "validator/"); ok {
			files[file] = b
		}
	})
	var manifest struct {
		Cases []struct{ File, Version string } `json:"test-cases"`
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, c := range manifest.Cases {
		b, ok := files[c.File]
		if !ok || !strings.HasPrefix(c.Version, "4.0") {
			continue
		}
		d, err := fhir.Parse(b)
		if malformed := strings.HasPrefix(c.File, "bad-json-close-"); malformed != (err != nil) {
			t.Errorf("%s: %v", c.File, err)
		}
		if err != nil {
			continue
		}
		seen++
		if got := places(found(t, d.Root())); got != structural[c.File] {
			t.Errorf("%s: got\n%s\nwant\n%s", c.File, got, structural[c.File])
		}
	}
	if seen < 300 {
		t.Errorf("only %d cases", seen)
	}
}
