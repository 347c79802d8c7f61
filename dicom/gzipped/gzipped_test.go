package gzipped_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"salus/dicom/gzipped"
)

func TestPiecesMakeOneStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		var want []byte
		z := gzipped.NewWriter(&out)
		for range rapid.IntRange(0, 20).Draw(t, "pieces") {
			plain := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "plain")
			text := []byte(strings.Repeat(rapid.StringN(0, 40, -1).Draw(t, "text"), rapid.IntRange(0, 300).Draw(t, "times")))
			p, err := gzipped.Compress(text)
			if err != nil {
				t.Fatal(err)
			}
			again, err := p.Inflate(nil)
			if err != nil || !bytes.Equal(again, text) {
				t.Fatalf("a piece inflates to something else: %v", err)
			}
			z.Plain(plain)
			if err := z.Piece(p); err != nil {
				t.Fatal(err)
			}
			want = append(append(want, plain...), text...)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		r.Multistream(false)
		got, err := io.ReadAll(r) // checks the sum and the size as well
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, want %d, %v", len(got), len(want), err)
		}
	})
}
