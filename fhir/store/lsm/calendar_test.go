package lsm

import (
	"testing"

	"pgregory.net/rapid"

	"salus/fhir/searchparam"
)

// A span cut into years, months and edges must cover exactly its interval.
func TestSpan_CoversExactlyItsInterval(t *testing.T) {
	ticks := rapid.Custom(func(t *rapid.T) searchparam.Ticks {
		n := rapid.IntRange(13, 12*40).Draw(t, "month")
		at := startOfMonth(n)
		switch rapid.IntRange(0, 4).Draw(t, "shape") {
		case 0:
			return at
		case 1:
			return at - 1
		case 2:
			return searchparam.MinTicks
		case 3:
			return searchparam.MaxTicks
		}
		return at + searchparam.Ticks(rapid.Int64Range(0, int64(27*day)).Draw(t, "within"))
	})
	rapid.Check(t, func(t *rapid.T) {
		low, high, x := ticks.Draw(t, "low"), ticks.Draw(t, "high"), ticks.Draw(t, "x")
		c := newSpan(low, high)
		in := func(a, b searchparam.Ticks) int {
			if a <= x && x <= b {
				return 1
			}
			return 0
		}
		hits := in(c.low, c.edgeLow) + in(c.edgeHigh, c.high)
		n := monthNumber(x)
		for _, m := range c.months {
			if m[0] <= n && n <= m[1] {
				hits++
			}
		}
		if c.years[0] <= n/12 && n/12 <= c.years[1] {
			hits++
		}
		want := 0
		if low <= x && x <= high {
			want = 1
		}
		if hits != want {
			t.Fatalf("low %d high %d x %d: covered %d times, want %d (%+v)", low, high, x, hits, want, c)
		}
	})
}
