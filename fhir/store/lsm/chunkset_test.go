package lsm

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"
)

// drawRoaring draws a set of low halves of any density.
func drawRoaring(t *rapid.T) *roaring.Bitmap {
	b := roaring.New()
	for range rapid.IntRange(0, 6).Draw(t, "ranges") {
		from := rapid.Uint16().Draw(t, "from")
		b.AddRange(uint64(from), uint64(from)+uint64(rapid.IntRange(1, 1<<16-int(from)).Draw(t, "length")))
	}
	step := rapid.SampledFrom([]int{1, 2, 3, 17, 64, 1000}).Draw(t, "step")
	for low := rapid.IntRange(0, 1<<16-1).Draw(t, "first"); low < 1<<16 && rapid.Bool().Draw(t, "sparse"); low += step {
		b.Add(uint32(low))
	}
	if rapid.Bool().Draw(t, "dotted") {
		for low := rapid.IntRange(0, 40).Draw(t, "dot"); low < 1<<16; low += step {
			b.Add(uint32(low))
		}
	}
	return b
}

// What a chunk's set writes, the library of roaring bitmaps reads, and the other way round.
func TestChunkSet_SpeaksRoaring(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRoaring(t)
		if rapid.Bool().Draw(t, "optimised") {
			want.RunOptimize()
		}
		written, err := want.ToBytes()
		if err != nil {
			t.Fatal(err)
		}
		n := int(want.GetCardinality())
		set := newChunkSet()
		data, cardinality, isRuns, ok := container(written)
		if ok != (n > 0) || ok && cardinality != n {
			t.Fatalf("%d documents: read %d, %v", n, cardinality, ok)
		}
		if ok {
			if err := set.addContainer(data, cardinality, isRuns); err != nil {
				t.Fatal(err)
			}
		}
		if set.count() != n {
			t.Fatalf("%d documents instead of %d", set.count(), n)
		}
		if n == 0 {
			return
		}
		got := roaring.New()
		if err := got.UnmarshalBinary(set.appendBitmap(nil, n)); err != nil {
			t.Fatal(err)
		}
		if !got.Equals(want) {
			t.Fatal("the library reads another set")
		}
		if err := got.Validate(); err != nil {
			t.Fatal(err)
		}
		want.RunOptimize()
		if best := want.GetSerializedSizeInBytes(); uint64(len(set.appendBitmap(nil, n))) > best {
			t.Fatalf("%d bytes, the library needs %d", len(set.appendBitmap(nil, n)), best)
		}
	})
}

func BenchmarkPosting_FoldBitmaps(b *testing.B) {
	var values [][]byte
	for from := range uint64(3) {
		set := roaring.New()
		for low := from; low < 1<<16; low += 7 {
			set.AddRange(low, low+2)
		}
		values = append(values, encodePosting(set))
	}
	for b.Loop() {
		m, err := postingMerger.Merge(nil, values[2])
		for i := 1; i >= 0 && err == nil; i-- {
			err = m.MergeOlder(values[i])
		}
		if err == nil {
			_, _, err = m.Finish(true)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
