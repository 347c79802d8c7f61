package fhir_test

import "testing"

func TestSearch_Composite(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"temp", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8310-5"}]},"effectiveDateTime":"2020-01-05","valueQuantity":{"value":39,"system":"http://unitsofmeasure.org","code":"Cel"}}`},
		thing{"fever", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8310-5"}]},"effectiveDateTime":"2021-01-05","valueQuantity":{"value":41,"system":"http://unitsofmeasure.org","code":"Cel"}}`},
		thing{"bp", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":107,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":60,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}`},
		thing{"eye", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"eye-color"}]},"valueString":"blue as the sky"}`},
		thing{"loud", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"eye-color"}]},"valueString":"` + long + `"}`},
		thing{"blood", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"883-9"}]},"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"A"}]}}`},
		thing{"report", `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"url":"http://example.org"}}],"relatesTo":[{"code":"appends","target":{"reference":"DocumentReference/{first}"}},{"code":"replaces","target":{"reference":"DocumentReference/{second}"}}]}`},
		thing{"sequence", `{"resourceType":"MolecularSequence","coordinateSystem":0,"referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"windowStart":100,"windowEnd":200}}`},
	)
	w.finds(t, []find{
		{"token and quantity", "Observation?code-value-quantity=http://loinc.org|8310-5$39", "temp"},
		{"code alone and quantity", "Observation?code-value-quantity=8310-5$39", "temp"},
		{"prefix on the quantity", "Observation?code-value-quantity=8310-5$gt38", "fever temp"},
		{"greater than the other", "Observation?code-value-quantity=8310-5$gt40", "fever"},
		{"less than both", "Observation?code-value-quantity=8310-5$lt39", ""},
		{"quantity with a unit", "Observation?code-value-quantity=8310-5$39|http://unitsofmeasure.org|Cel", "temp"},
		{"quantity with a code", "Observation?code-value-quantity=8310-5$39||Cel", "temp"},
		{"quantity with another unit", "Observation?code-value-quantity=8310-5$39||K", ""},
		{"any code of a system", "Observation?code-value-quantity=http://loinc.org|$39", "temp"},
		{"code of no system", "Observation?code-value-quantity=|8310-5$39", ""},
		{"or", "Observation?code-value-quantity=8310-5$39,8310-5$41", "fever temp"},
		{"or of which one finds nothing", "Observation?code-value-quantity=8310-5$39,8480-6$107", "temp"},
		{"another code", "Observation?code-value-quantity=8480-6$39", ""},
		{"a component's", "Observation?component-code-value-quantity=8480-6$107", "bp"},
		{"a component's value with another's code", "Observation?component-code-value-quantity=8462-4$107", ""},
		{"the component's other", "Observation?component-code-value-quantity=8462-4$60", "bp"},
		{"a component's with a prefix", "Observation?component-code-value-quantity=8480-6$gt100", "bp"},
		{"combo of the observation", "Observation?combo-code-value-quantity=8310-5$39", "temp"},
		{"combo of a component", "Observation?combo-code-value-quantity=8480-6$107", "bp"},
		{"combo does not mix them", "Observation?combo-code-value-quantity=85354-9$107", ""},
		{"combo or", "Observation?combo-code-value-quantity=8310-5$39,8480-6$107", "bp temp"},
		{"token and string", "Observation?code-value-string=eye-color$blue", "eye"},
		{"token and string of no system", "Observation?code-value-string=|eye-color$BLUE", "eye"},
		{"token and another string", "Observation?code-value-string=eye-color$green", ""},
		{"token and a long string", "Observation?code-value-string=eye-color$" + long, "loud"},
		{"token and a long string's beginning", "Observation?code-value-string=eye-color$" + long[:300], "loud"},
		{"token and token", "Observation?code-value-concept=http://loinc.org|883-9$http://snomed.info/sct|A", "blood"},
		{"token and token by codes", "Observation?code-value-concept=883-9$A", "blood"},
		{"token and a system", "Observation?code-value-concept=883-9$http://snomed.info/sct|", "blood"},
		{"token and another token", "Observation?code-value-concept=883-9$B", ""},
		{"token and date", "Observation?code-value-date=8310-5$2020", ""},
		{"reference and token", "DocumentReference?relationship=DocumentReference/{first}$appends", "report"},
		{"reference and another token", "DocumentReference?relationship=DocumentReference/{first}$replaces", ""},
		{"reference by id and token", "DocumentReference?relationship={second}$replaces", "report"},
		{"token and two numbers", "MolecularSequence?chromosome-window-coordinate=1$lt150$gt150", "sequence"},
		{"token and one number that is not", "MolecularSequence?chromosome-window-coordinate=1$gt150$gt150", ""},
	})
	refuses(t, first(), []refusal{
		{"Observation?code-value-quantity:exact=8310-5$39", 403, "invalid"},
		{"Observation?code-value-quantity=8310-5$39$4", 403, "invalid"},
		{"Observation?code-value-quantity=8310-5$many", 400, "invalid"},
	})
}

// TestSearch_Missing asks for each type of parameter.
func TestSearch_Missing(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"full", `{"resourceType":"Observation","meta":{"profile":["http://example.org/{w}"]},"identifier":[{"value":"1"}],"basedOn":[{"reference":"ServiceRequest/x"}],"status":"final","category":[{"coding":[{"code":"b"}]}],"code":{"coding":[{"code":"a"}]},"method":{"coding":[{"code":"c"}]},"subject":{"reference":"Patient/x"},"effectiveDateTime":"2020","valueQuantity":{"value":1}}`},
		thing{"bare", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`},
	)
	var rows []find
	for _, parameter := range []string{"identifier", "category", "subject", "patient", "date", "value-quantity", "_profile", "method", "based-on"} {
		rows = append(rows, find{"", "Observation?" + parameter + ":missing=true", "bare"}, find{"", "Observation?" + parameter + ":missing=false", "full"})
	}
	rows = append(rows, find{"", "Observation?status:missing=false", "bare full"}, find{"", "Observation?status:missing=true", ""}, find{"with criteria", "Observation?subject:missing=true&status=final", "bare"}, find{"two", "Observation?subject:missing=true&date:missing=true", "bare"}, find{"two that differ", "Observation?subject:missing=true&date:missing=false", ""})
	w.finds(t, rows)
}
