package lsm

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// operand is a change to a posting as a set of documents to add and to remove.
type operand struct{ adds, removes []uint16 }

func (o operand) encode() []byte {
	if len(o.removes) == 0 {
		b := []byte{postingList}
		for _, d := range o.adds {
			b = appendU16(b, d)
		}
		return b
	}
	b := appendU16([]byte{postingDelta}, uint16(len(o.adds)))
	for _, d := range append(slices.Clone(o.adds), o.removes...) {
		b = appendU16(b, d)
	}
	return b
}

func drawOperand(t *rapid.T) operand {
	top := rapid.SampledFrom([]uint16{60, 600, 1<<16 - 1}).Draw(t, "top") // few, many, far apart
	members := rapid.SliceOfNDistinct(rapid.Uint16Range(0, top), 0, 40, rapid.ID).Draw(t, "members")
	n := rapid.IntRange(0, len(members)).Draw(t, "adds")
	o := operand{slices.Clone(members[:n]), slices.Clone(members[n:])}
	slices.Sort(o.adds)
	slices.Sort(o.removes)
	return o
}

// The database folds operands in any grouping, from either side: the result
// must be what applying them one after the other to a set gives.
func TestPosting_FoldsInAnyGrouping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := rapid.SliceOfN(rapid.Custom(drawOperand), 1, 12).Draw(t, "operands")
		want := map[uint16]bool{}
		values := make([][]byte, len(ops))
		for i, o := range ops {
			values[i] = o.encode()
			for _, d := range o.adds {
				want[d] = true
			}
			for _, d := range o.removes {
				delete(want, d)
			}
		}
		for len(values) > 1 { // fold a random run of neighbours, in a random direction
			from := rapid.IntRange(0, len(values)-2).Draw(t, "from")
			to := rapid.IntRange(from+1, len(values)-1).Draw(t, "to")
			base := from == 0 && to == len(values)-1
			values = slices.Replace(values, from, to+1, foldRun(t, values[from:to+1], base))
		}
		got, err := decodePosting(foldRun(t, values, true))
		if err != nil {
			t.Fatal(err)
		}
		if int(got.GetCardinality()) != len(want) {
			t.Fatalf("got %d documents, want %d", got.GetCardinality(), len(want))
		}
		for d := range want {
			if !got.Contains(uint32(d)) {
				t.Fatalf("document %d is lost", d)
			}
		}
	})
}

func foldRun(t *rapid.T, values [][]byte, base bool) []byte {
	start := rapid.IntRange(0, len(values)-1).Draw(t, "start")
	m, err := postingMerger.Merge(nil, values[start])
	if err != nil {
		t.Fatal(err)
	}
	older, newer := start-1, start+1
	for older >= 0 || newer < len(values) {
		if newer < len(values) && (older < 0 || rapid.Bool().Draw(t, "newer")) {
			err = m.MergeNewer(values[newer])
			newer++
		} else {
			err = m.MergeOlder(values[older])
			older--
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	out, _, err := m.Finish(base)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func FuzzPosting(f *testing.F) {
	f.Add([]byte{postingList, 0, 1})
	f.Add([]byte{postingDelta, 0, 1, 0, 1, 0, 2})
	f.Add([]byte{postingBitmap})
	f.Fuzz(func(t *testing.T, value []byte) {
		set, err := decodePosting(value)
		if err != nil {
			return
		}
		if n, err := cardinality(encodePosting(set)); err != nil || n != int(set.GetCardinality()) {
			t.Fatalf("cardinality %d of %d documents: %v", n, set.GetCardinality(), err)
		}
		again, err := decodePosting(encodePosting(set))
		if err != nil || !again.Equals(set) {
			t.Fatalf("a decoded posting does not survive encoding: %v", err)
		}
	})
}

// As a read does of a posting to which single writes were added last.
func BenchmarkPosting_Fold(b *testing.B) {
	values := make([][]byte, foldAfter)
	for i := range values {
		values[i] = operand{adds: []uint16{uint16(100 * i)}}.encode()
	}
	for b.Loop() {
		m, err := postingMerger.Merge(nil, values[len(values)-1])
		for i := len(values) - 2; i >= 0 && err == nil; i-- {
			err = m.MergeOlder(values[i])
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
