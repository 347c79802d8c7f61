package platform

import (
	"context"
	"testing"
	"time"

	"salus/convert"
	"salus/convert/engine"
	"salus/convert/liquid"
	"salus/fault"
)

func TestConversionsThatTakeTooLong(t *testing.T) {
	t.Parallel()
	slow, err := engine.New([]liquid.File{
		{Path: "Slow.liquid", Content: []byte("{% for a in (1..90000) %}{% for b in (1..90000) %}{% endfor %}{% endfor %}{}")},
	}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := converters{"slow": slow}
	r := convert.Request{Source: convert.JSON, Template: "Slow", Input: []byte("{}")}
	overdue, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := all.Convert(overdue, "slow", r); !fault.Is(err, fault.Overdue) {
		t.Errorf("got %v, want an Overdue fault", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := all.Convert(canceled, "slow", r); !fault.Is(err, fault.Canceled) {
		t.Errorf("got %v, want a Canceled fault", err)
	}
	if _, err := all.Convert(t.Context(), "none", r); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want an Invalid fault", err)
	}
}
