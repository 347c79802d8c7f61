package decimal_test

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salus/fhir/decimal"
)

func must(t testing.TB, s string) decimal.Decimal {
	t.Helper()
	x, err := decimal.Parse(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return x
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "1.10": "1.10", "-1.10": "-1.10", "0.000": "0.000", "1e3": "1000", "1.5E-3": "0.0015", "+1": "1", "007": "7",
		"12345678901234567890.1234567890": "12345678901234567890.1234567890", "1e1000": "1" + strings.Repeat("0", 1000),
	} {
		if got := must(t, text).String(); got != want {
			t.Errorf("%s is rendered as %.50s", text, got)
		}
	}
	for _, text := range []string{
		"", "-", "+", ".", "e", "1e", "1e+", "NaN", "Infinity", "-inf", "1_000", "0x1", "1 ", " 1", "1,5", "1e1001", "1e-1001", "1.2.3", "--1", "1e1e1",
		"1e99999999999999999999", strings.Repeat("9", 1001), "0." + strings.Repeat("0", 1000) + "1",
	} {
		if x, err := decimal.Parse(text); err == nil {
			t.Errorf("%.50q is taken for %s", text, x)
		}
	}
}

func TestHostileLiteralsTakeLittleTime(t *testing.T) {
	begin := time.Now()
	for _, text := range []string{strings.Repeat("7", 10<<20), "0." + strings.Repeat("0", 10<<20) + "1", "1e" + strings.Repeat("0", 10<<20)} {
		if _, err := decimal.Parse(text); err == nil {
			t.Error("accepted")
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Error(took)
	}
}

// literal draws numbers whose encodings are hard to keep in order.
func literal(r *rapid.T) string {
	digits := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3}|[1-9][0-9]{18,40})(\.[0-9]{1,6}|\.0{1,8}[1-9]?)?`).Draw(r, "digits")
	switch rapid.IntRange(0, 3).Draw(r, "form") {
	case 0:
		return fmt.Sprintf("%se%d", digits, rapid.IntRange(-30, 30).Draw(r, "exponent"))
	case 1:
		return fmt.Sprintf("%se%d", digits, rapid.SampledFrom([]int{-990, -255, -1, 1, 255, 256, 1000}).Draw(r, "exponent"))
	}
	return digits
}

func rational(t *rapid.T, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is no number", s)
	}
	return r
}

func TestEncodingsSortAsNumbers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, u := literal(r), literal(r)
		x, errX := decimal.Parse(s)
		y, errY := decimal.Parse(u)
		if errX != nil || errY != nil {
			r.Fatalf("%s: %v; %s: %v", s, errX, u, errY)
		}
		want := rational(r, s).Cmp(rational(r, u))
		if got := x.Cmp(y); got != want {
			r.Fatalf("Cmp(%s, %s) = %d, want %d", s, u, got, want)
		}
		a, b := x.AppendOrdered(nil), y.AppendOrdered(nil)
		if got := bytes.Compare(a, b); got != want {
			r.Fatalf("%s is %x, %s is %x: order %d, want %d", s, a, u, b, got, want)
		}
		if want != 0 && (bytes.HasPrefix(a, b) || bytes.HasPrefix(b, a)) {
			r.Fatalf("%s is %x, %s is %x: one is a prefix", s, a, u, b)
		}
		if with := x.AppendOrdered([]byte("k")); !bytes.Equal(with[1:], a) || with[0] != 'k' {
			r.Fatalf("%s: behind other bytes it is %x", s, with)
		}
	})
}

func TestEqualNumbersHaveEqualEncodings(t *testing.T) {
	for _, group := range [][]string{
		{"0", "-0", "0.00", "0e10", "-0e-10"}, {"1", "1.0", "1.000", "10e-1", "0.1e1"}, {"-120", "-1.2e2", "-120.0"}, {"1e1000", "10e999"},
	} {
		for _, s := range group[1:] {
			if a, b := must(t, group[0]), must(t, s); a.Cmp(b) != 0 || !bytes.Equal(a.AppendOrdered(nil), b.AppendOrdered(nil)) {
				t.Errorf("%s and %s differ", group[0], s)
			}
		}
	}
}

func TestArithmeticIsExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, u := literal(r), literal(r)
		x, errX := decimal.Parse(s)
		y, errY := decimal.Parse(u)
		if errX != nil || errY != nil {
			r.Fatalf("%s: %v; %s: %v", s, errX, u, errY)
		}
		a, b := rational(r, s), rational(r, u)
		for name, c := range map[string]struct {
			got  decimal.Decimal
			want *big.Rat
		}{
			"+":   {x.Add(y), new(big.Rat).Add(a, b)},
			"-":   {x.Sub(y), new(big.Rat).Sub(a, b)},
			"*":   {x.Mul(y), new(big.Rat).Mul(a, b)},
			"abs": {x.Abs(), new(big.Rat).Abs(a)},
		} {
			if rational(r, c.got.String()).Cmp(c.want) != 0 {
				r.Fatalf("%s %s %s is %s", s, name, u, c.got)
			}
		}
		if x.Sign() != a.Sign() {
			r.Fatalf("sign of %s is %d", s, x.Sign())
		}
	})
}

func TestHalfUnitAndScale(t *testing.T) {
	for text, want := range map[string]struct {
		half  string
		scale int
	}{"1.10": {"0.005", 2}, "100": {"0.5", 0}, "1e2": {"50", -2}, "-5.0": {"0.05", 1}, "0": {"0.5", 0}} {
		x := must(t, text)
		if got := x.HalfUnit(); got.Cmp(must(t, want.half)) != 0 || x.Scale() != want.scale {
			t.Errorf("%s: half a unit is %s, scale %d", text, got, x.Scale())
		}
	}
	if x := decimal.FromInt(-42); x.String() != "-42" || x.Sign() != -1 {
		t.Errorf("FromInt(-42) is %s", x)
	}
	var zero decimal.Decimal
	if zero.String() != "0" || zero.Cmp(must(t, "0.0")) != 0 {
		t.Errorf("the zero value is %s", zero)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decimal.Parse("142.41538290"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendOrdered(b *testing.B) {
	x := must(b, "142.41538290")
	buffer := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		buffer = x.AppendOrdered(buffer[:0])
	}
}
