package searchparam_test

import (
	"testing"

	"pgregory.net/rapid"

	"salus/fhir/searchparam"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                        "",
		"plain text":              "plain text",
		"Smith":                   "smith",
		"  Two \t\n spaces ":      "two spaces",
		"Müller":                  "muller",
		"Mu\u0308ller":            "muller",
		"ÅNGSTRÖM":                "angstrom",
		"Straße":                  "strasse",
		"\uFB01n":                 "fin", // the ligature fi
		"Ｆｕｌｌ":                    "full",
		"no\u00A0break":           "no break",
		"İstanbul":                "istanbul",
		"ΣΊΣΥΦΟΣ":                 "σισυφοσ",
		"Żółć":                    "zołc",
		"Nguyễn":                  "nguyen",
		"a\x00b":                  "a\x00b",
		"日本":                      "日本",
		"A\u0301\u0300 Z\u0335 q": "a z q",
	} {
		if got := searchparam.Normalize(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestNormalizeIsIdempotentAndIndependentOfTheFastPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\t\n]*`)).Draw(t, "s")
		n := searchparam.Normalize(s)
		if again := searchparam.Normalize(n); again != n {
			t.Fatalf("%q becomes %q, then %q", s, n, again)
		}
		// A mark on its own disappears, but takes s off the path for ASCII.
		if slow := searchparam.Normalize(s + "\u0301"); slow != n {
			t.Fatalf("%q becomes %q or %q", s, n, slow)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	f.Add("Müller")
	f.Fuzz(func(t *testing.T, s string) {
		n := searchparam.Normalize(s)
		if searchparam.Normalize(n) != n {
			t.Errorf("%q is not settled", s)
		}
	})
}

func BenchmarkNormalize(b *testing.B) {
	for _, s := range []string{"smith", "Smith", "Müller"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				searchparam.Normalize(s)
			}
		})
	}
}
