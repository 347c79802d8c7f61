package ucum_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir/decimal"
	"salus/fhir/ucum"
)

func number(t testing.TB, s string) decimal.Decimal {
	t.Helper()
	d, err := decimal.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCanonical_InBaseUnits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, unit, want, base string }{
		{"5", "mg/dL", "50", "g.m-3"},
		{"5.0", "mg/dl", "50", "g.m-3"},
		{"1", "[in_i]", "0.0254", "m"},
		{"185", "[lb_av]", "83914.58845", "g"},
		{"1", "kg", "1000", "g"},
		{"1", "N", "1000", "g.m.s-2"},
		{"120", "mm[Hg]", "15998640", "g.m-1.s-2"},
		{"1", "mmol/L", "602213670000000000000000", "m-3"},
		{"37", "Cel", "310.15", "K"},
		{"100", "10*3/uL", "100000000000000", "m-3"},
		{"3", "%", "0.03", "1"},
		{"1", "", "", ""},
		{"1", "1", "1", "1"},
		{"2", "{beats}/min", "0.03333333333333333333333333333", "s-1"},
		{"1", "[iU]/L", "1000", "[iU].m-3"},
		{"1", "m[IU]/mL", "1000", "[iU].m-3"},
		{"60", "mL/min/{1.73_m2}", "0.000001", "m3.s-1"},
		{"1", "10*-3.s", "0.001", "s"},
		{"1", "/s", "1", "s-1"},
		{"1", "kg.m/(s2.A)", "1000", "C-1.g.m.s-1"},
		{"1", "a", "31557600", "s"},
		{"1", "mo", "2629800", "s"},
	} {
		v, base, err := ucum.Canonical(number(t, tt.value), tt.unit)
		if tt.base == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v, want a fault of kind Invalid", tt.unit, err)
			}
			continue
		}
		if err != nil || v.Cmp(number(t, tt.want)) != 0 || base != tt.base {
			t.Errorf("%s %s = %s %s, %v; want %s %s", tt.value, tt.unit, v, base, err, tt.want, tt.base)
		}
	}
}

func TestConvert_IsExactOrRounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, from, to, want string }{
		{"4040", "mg", "g", "4.04"},
		{"98.6", "[degF]", "Cel", "37"},
		{"37", "Cel", "[degF]", "98.6"},
		{"-40", "Cel", "[degF]", "-40"},
		{"0", "K", "Cel", "-273.15"},
		{"1000", "mCel", "Cel", "1"},
		{"80", "[degRe]", "Cel", "100"},
		{"7.4", "[pH]", "mol/L", "0.00000003981071705534972507702523051"},
		{"0.0000001", "mol/L", "[pH]", "7"},
		{"20", "dB[V]", "V", "10"},
		{"3", "B", "1", "1000"},
		{"8", "bit_s", "1", "256"},
		{"1", "Np", "1", "2.718281828459045235360287471"},
		{"1", "[lb_av]", "kg", "0.45359237"},
		{"1", "[mi_i]", "km", "1.609344"},
		{"1", "[ft_us]", "m", "0.3048006096012192024384048768"},
		{"1", "[foz_us]", "mL", "29.5735295625"},
		{"100", "mg/dL", "g/L", "1"},
		{"760", "mm[Hg]", "kPa", "101.32472"},
		{"1", "W.h", "kJ", "3.6"},
		{"1", "wk", "d", "7"},
		{"1", "KiBy", "By", "1024"},
		{"1", "U/L", "ukat/L", "0.01666666666666666666666666667"},
		{"180", "deg", "[pi].rad", "1"},
		{"1", "J/(kg.K)", "J/(kg.Cel)", "1"},
		{"25", "[wood'U]", "[PRU]", "1.5"},
	} {
		v, err := ucum.Convert(number(t, tt.value), tt.from, tt.to)
		if err != nil || v.Rescale(26).Cmp(number(t, tt.want).Rescale(26)) != 0 {
			t.Errorf("%s %s = %s %s, %v; want %s", tt.value, tt.from, v, tt.to, err, tt.want)
		}
	}
	slope, err := ucum.Convert(number(t, "100"), "%[slope]", "deg")
	if err != nil || slope.Rescale(9).String() != "45.000000000" {
		t.Errorf("100 %%[slope] = %s deg, %v", slope, err)
	}
}

func TestConvert_RefusesWhatHasNoMeaning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, from, to string }{
		{"1", "g", "m"}, {"1", "[iU]", "mol"}, {"1", "[arb'U]", "[iU]"}, {"-1", "mol/L", "[pH]"}, {"1e999", "Ym", "ym"}, {"1", "foo", "m"},
	} {
		if v, err := ucum.Convert(number(t, tt.value), tt.from, tt.to); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s from %s to %s: %s, %v", tt.value, tt.from, tt.to, v, err)
		}
	}
}

func TestParse_RefusesWhatIsNoUnit(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "foo", "kkg", "mmin", "m..s", "m/", ".m", "(m", "m)", "m2.", "{open", "m0", "m+", "m999", "0", "0.m", "m 2", "KG", "[in_i", "s-",
		"[s]", "B.m", "Cel2", strings.Repeat("(", 100) + "m" + strings.Repeat(")", 100), strings.Repeat("m.", 200) + "m",
	} {
		if _, err := ucum.Parse(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, want a fault of kind Invalid", s, err)
		}
	}
}

func TestComparable_ByDimension(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"cm", "[in_i]", true}, {"mg", "kg", true}, {"cm", "s", false}, {"cm", "[s]", false}, {"[degF]", "Cel", true},
		{"[IU]", "[iU]", true}, {"[iU]", "[arb'U]", false}, {"mol", "1", true}, {"J", "N.m", true}, {"{score}", "1", true},
	} {
		if got := ucum.Comparable(tt.a, tt.b); got != tt.want {
			t.Errorf("Comparable(%s, %s) = %t", tt.a, tt.b, got)
		}
	}
}

// TestParse_EveryCommonUnit reads the units of FHIR's value set ucum-common.
func TestParse_EveryCommonUnit(t *testing.T) {
	t.Parallel()
	codes := commonUnits(t)
	if len(codes) < 1300 {
		t.Fatalf("only %d units found", len(codes))
	}
	for _, code := range codes {
		if _, err := ucum.Parse(code); err != nil {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func commonUnits(t *testing.T) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", "data", "fhir", "hl7.fhir.r4.core-4.0.1.tgz"))
	if err != nil {
		t.Skip("NOT COVERED: the units of the value set ucum-common; the package hl7.fhir.r4.core is not there")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatal("the package has no value set ucum-common")
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, "/ValueSet-ucum-common.json") {
			continue
		}
		var vs struct {
			Compose struct {
				Include []struct {
					Concept []struct{ Code string }
				}
			}
		}
		if err := json.NewDecoder(r).Decode(&vs); err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, include := range vs.Compose.Include {
			for _, c := range include.Concept {
				codes = append(codes, c.Code)
			}
		}
		return codes
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"mg/dL", "10*3/uL", "kg.m/(s2.A)", "{a}/[iU]", "%[slope]", "B[10.nV]", "mm[Hg]", "/m", "Cel", "10*-200"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ucum.Parse(s)
		if err != nil {
			return
		}
		if v, err := ucum.Parse(u.Base()); err != nil || v.Base() != u.Base() {
			t.Errorf("%q has the base %q, which does not read back: %v", s, u.Base(), err)
		}
		one := decimal.FromInt(1)
		single, _, err := ucum.Canonical(one, s)
		double, _, err2 := ucum.Canonical(decimal.FromInt(2), s)
		if err != nil || err2 != nil || single.Add(single).Cmp(double) != 0 {
			return // not a ratio: with a prefix such as yocto a logarithm leaves too few digits
		}
		v, err := ucum.Convert(one, s, s)
		if err == nil && v.Rescale(6).Cmp(one.Rescale(6)) != 0 {
			t.Errorf("1 %q is %s of itself", s, v)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	v := number(b, "182.5")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ucum.Canonical(v, "mg/dL"); err != nil {
			b.Fatal(err)
		}
	}
}
