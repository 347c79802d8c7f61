package platform

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"salus/fhir/store/memory"
)

// fullStore has no space left.
type fullStore struct{ *memory.Store }

func (fullStore) Full() bool { return true }

func TestHealth_IsDegradedWithoutSpace(t *testing.T) {
	services := []*service{{workspace: "default", name: "fhir", store: fullStore{memory.New(time.Now)}}}
	w := httptest.NewRecorder()
	if err := writeHealth(w, httptest.NewRequest("GET", "/health/check", nil), services); err != nil {
		t.Fatal(err)
	}
	if body := w.Body.String(); w.Code != 200 || strings.Count(body, `"Degraded"`) != 2 || !strings.Contains(body, "The disk is full") {
		t.Errorf("%d %s", w.Code, body)
	}
}
