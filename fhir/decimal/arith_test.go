package decimal_test

import (
	"math/big"
	"testing"

	"salus/fhir/decimal"
)

func parse(t *testing.T, s string) decimal.Decimal {
	t.Helper()
	d, err := decimal.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRound_ByMode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		x                  string
		scale              int
		half, down, lo, hi string
	}{
		{"1.5865", 2, "1.59", "1.58", "1.58", "1.59"},
		{"-1.5865", 2, "-1.59", "-1.58", "-1.59", "-1.58"},
		{"0.00345", 1, "0.0", "0.0", "0.0", "0.1"},
		{"-0.00345", 1, "0.0", "0.0", "-0.1", "0.0"},
		{"0.6", 0, "1", "0", "0", "1"},
		{"0.5", 0, "1", "0", "0", "1"},
		{"-0.5", 0, "-1", "0", "-1", "0"},
		{"0.49", 0, "0", "0", "0", "1"},
		{"0.06", 0, "0", "0", "0", "1"},
		{"7", 2, "7.00", "7.00", "7.00", "7.00"},
		{"0", 1, "0.0", "0.0", "0.0", "0.0"},
	} {
		x := parse(t, tt.x)
		for mode, want := range map[decimal.Rounding]string{
			decimal.HalfUp: tt.half, decimal.Down: tt.down, decimal.TowardsLow: tt.lo, decimal.TowardsTop: tt.hi,
		} {
			if got := x.Round(tt.scale, mode).String(); got != want {
				t.Errorf("Round(%s, %d, %d) = %s, want %s", tt.x, tt.scale, mode, got, want)
			}
		}
	}
}

func TestDivision_KeepsShortResultsShort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ x, y, quo, whole, rem string }{
		{"4", "2", "2", "2", "0"},
		{"1", "3", "0.3333333333333333333333333333", "0", "1"},
		{"2.2", "1.8", "1.222222222222222222222222222", "1", "0.4"},
		{"-5", "2", "-2.5", "-2", "-1"},
		{"100", "0.1", "1000", "1000", "0.0"},
	} {
		x, y := parse(t, tt.x), parse(t, tt.y)
		quo, _ := x.Quo(y)
		whole, _ := x.QuoInteger(y)
		rem, _ := x.Rem(y)
		if quo.String() != tt.quo || whole.String() != tt.whole || rem.String() != tt.rem {
			t.Errorf("%s by %s: %s, %s, %s", tt.x, tt.y, quo, whole, rem)
		}
	}
	if _, ok := parse(t, "1").Quo(decimal.Decimal{}); ok {
		t.Error("division by zero has a result")
	}
}

func TestAnalysis_HasNoResultOutsideItsRange(t *testing.T) {
	t.Parallel()
	if _, ok := parse(t, "-1").Sqrt(); ok {
		t.Error("root of -1")
	}
	if _, ok := parse(t, "0").Ln(); ok {
		t.Error("logarithm of 0")
	}
	if _, ok := parse(t, "-1").Pow(parse(t, "0.5")); ok {
		t.Error("root of -1 as a power")
	}
	if _, ok := parse(t, "9").Pow(parse(t, "100000")); ok {
		t.Error("a power beyond every bound")
	}
	if _, ok := parse(t, "100000").Exp(); ok {
		t.Error("an exponential beyond every bound")
	}
	if z, ok := parse(t, "2").Pow(parse(t, "10")); !ok || z.String() != "1024" {
		t.Errorf("2^10 = %s", z)
	}
}

func TestRat_GoesBothWays(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0", "1", "-1.25", "1e3", "0.000001", "123456789.987654321", "-7e-30"} {
		d := parse(t, s)
		if got := decimal.FromRat(d.Rat()); got.Cmp(d) != 0 {
			t.Errorf("%s becomes %s", s, got)
		}
	}
	if got := decimal.FromRat(big.NewRat(-2, 3)).String(); got != "-0.6666666666666666666666666667" {
		t.Errorf("-2/3 = %s", got)
	}
}
