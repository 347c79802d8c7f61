package fhir_test

import "testing"

// TestSearch_ExpiryDate asks for the instant that the reference keeps in an
// extension of meta.
func TestSearch_ExpiryDate(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"old", `{"resourceType":"Patient","meta":{"extension":[{"url":"https://azurehealthcareapis.com/data-extensions/expiry-date","valueDateTime":"2020-01-01T00:00:00Z"}]}}`},
		thing{"new", `{"resourceType":"Patient","meta":{"extension":[{"url":"https://azurehealthcareapis.com/data-extensions/expiry-date","valueDateTime":"2030-01-01T00:00:00Z"}]}}`},
		thing{"ever", `{"resourceType":"Patient"}`},
	)
	w.finds(t, []find{
		{"before", "Patient?_expiryDate=lt2025", "old"},
		{"after", "Patient?_expiryDate=gt2025", "new"},
	})
}
