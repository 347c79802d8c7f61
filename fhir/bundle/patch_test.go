package bundle_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
)

// binary is a JSON Patch as it travels in a bundle.
func binary(patch string) string {
	return `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"` + base64.StdEncoding.EncodeToString([]byte(patch)) + `"}`
}

// parameters is a FHIRPath Patch that adds a boolean to a Patient.
func parameters(name string) string {
	return `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},` +
		`{"name":"path","valueString":"Patient"},{"name":"name","valueString":"` + name + `"},{"name":"value","valueBoolean":true}]}]}`
}

const activate = `[{"op":"add","path":"/active","value":true}]`

func TestPatch_InABundle(t *testing.T) {
	for kind, wrap := range map[string]func(...string) string{"batch": batch, "transaction": transaction} {
		h := newHarness(t, nil, bundle.Options{}).patients()
		got := h.must(wrap(
			get("Patient/b"), // sees what the others write
			entry("", "PATCH", "Patient/b", binary(activate), "ifMatch", `W/"1"`),
			entry("", "PATCH", "Patient?identifier=mrn-1", parameters("deceased")),
			put("Patient/c", patient("c", "mrn-3")),
		))
		for i, e := range got {
			if e.Err != nil || e.Status != 200 {
				t.Fatalf("%s: entry %d: %d %v", kind, i, e.Status, e.Err)
			}
		}
		if !strings.Contains(string(got[0].Body), `"active":true`) {
			t.Errorf("%s: the read came too early: %s", kind, got[0].Body)
		}
		if a := h.stored("Patient/a"); !strings.Contains(a, `"deceasedBoolean":true`) {
			t.Errorf("%s: %s", kind, a)
		}
		if v := got[1].Version; v == nil || v.Method != fhir.Patch || v.Number != 2 || got[1].ETag != `W/"2"` {
			t.Errorf("%s: %+v", kind, got[1])
		}
	}
}

func TestPatch_InABatchFailsByItself(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	got := h.must(batch(
		entry("", "PATCH", "Patient/b", binary(activate)),
		entry("", "PATCH", "Patient/none", binary(activate)),
		entry("", "PATCH", "Patient?identifier=mrn-9", binary(activate)),
		entry("", "PATCH", "Patient?colour=MARKER", binary(activate)),
		entry("", "PATCH", "Patient", binary(activate)),
		entry("", "PATCH", "Patient/b/_history/1", binary(activate)),
		entry("", "PATCH", "Patient/b/x", binary(activate)),
		entry("", "PATCH", "Patient/b", `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"!"}`),
		entry("", "PATCH", "Patient/b", `{"resourceType":"Binary","contentType":"application/xml-patch+xml","data":"PGE+"}`),
		entry("", "PATCH", "Patient/b", ""),
		entry("", "PATCH", "Patient/b", binary(activate), "ifMatch", `W/"7"`),
		entry("", "PATCH", "Patient/b", binary(activate)),
	))
	want := []fault.Kind{
		0, fault.NotFound, fault.NotFound, fault.Precondition, fault.Precondition, fault.MethodNotAllowed, fault.NotFound,
		fault.Invalid, fault.MediaType, fault.Invalid, fault.Precondition, 0,
	}
	for i, kind := range want {
		if kind == 0 && got[i].Err == nil && got[i].Status == 200 {
			continue
		}
		if !fault.Is(got[i].Err, kind) {
			t.Errorf("entry %d: %v, want %v", i, got[i].Err, kind)
		}
	}
}

func TestPatch_InATransactionLinksToItsEntries(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	const urn = "urn:uuid:7a0d3b4e-3f6c-4c8a-9a51-0c6d4b3e2f10"
	got := h.must(transaction(
		post(urn, "Organization", `{"resourceType":"Organization","name":"x"}`),
		entry("", "PATCH", "Patient/b", binary(`[{"op":"add","path":"/managingOrganization","value":{"reference":"`+urn+`"}}]`)),
	))
	if b := h.stored("Patient/b"); !strings.Contains(b, `"reference":"`+got[0].Version.Key.String()+`"`) {
		t.Errorf("the reference leads elsewhere: %s", b)
	}
}

func TestMetaHistory_InABundle(t *testing.T) {
	for kind, wrap := range map[string]func(...string) string{"batch": batch, "transaction": transaction} {
		h := newHarness(t, nil, bundle.Options{}).patients()
		h.must(wrap(
			put("Patient/b?_meta-history=false", patient("b", "mrn-2", `"meta":{"tag":[{"code":"x"}]}`)),
			entry("", "PATCH", "Patient/c?_meta-history=false", binary(`[{"op":"add","path":"/meta/tag","value":[{"code":"x"}]}]`)),
		))
		for _, id := range []fhir.ID{"b", "c"} {
			key := fhir.Key{Type: "Patient", ID: id}
			if _, err := h.service.VRead(t.Context(), key, "1"); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: version 1 of %s: %v", kind, id, err)
			}
			if _, err := h.service.VRead(t.Context(), key, "2"); err != nil {
				t.Errorf("%s: version 2 of %s: %v", kind, id, err)
			}
		}
	}
}

func TestDelete_InABatchChecksItsFlag(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	got := h.must(batch(del("Patient/b?hardDelete=maybe"), del("Patient/b?_hardDelete=true"), del("Patient/c?hardDelete=false")))
	if !fault.Is(got[0].Err, fault.Invalid) || got[1].Err != nil || got[2].Err != nil {
		t.Errorf("%+v", got)
	}
	got = h.must(batch(get("Patient/b"), get("Patient/c")))
	if !fault.Is(got[0].Err, fault.NotFound) || !fault.Is(got[1].Err, fault.Gone) {
		t.Errorf("%v %v", got[0].Err, got[1].Err)
	}
}
