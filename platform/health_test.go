package platform

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth_IsDegradedWithoutSpace(t *testing.T) {
	services := []*service{{
		workspace: "default", name: "fhir", full: func() bool { return true },
		check: func(context.Context) error { return nil },
	}}
	w := httptest.NewRecorder()
	if err := writeHealth(w, httptest.NewRequest("GET", "/health/check", nil), services); err != nil {
		t.Fatal(err)
	}
	if body := w.Body.String(); w.Code != 200 || strings.Count(body, `"Degraded"`) != 2 || !strings.Contains(body, "The disk is full") {
		t.Errorf("%d %s", w.Code, body)
	}
}
