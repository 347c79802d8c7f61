package spec

import "testing"

// Decoding counts in the time to start.
func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(r4); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDamagedTableIsRefused(t *testing.T) {
	for name, table := range map[string][]byte{
		"empty":        nil,
		"other format": append([]byte{Format + 1}, r4[1:]...),
		"cut":          r4[:len(r4)/2],
		"no strings":   {Format, 1, 0, 0, 255, 255},
	} {
		if d, err := decode(table); err == nil || d != nil {
			t.Errorf("%s: decoded", name)
		}
	}
}
