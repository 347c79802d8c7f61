package lsm

import (
	"github.com/maypok86/otter/v2"

	"salus/fhir"
)

// recent keeps versions that were read, ready for use, by their positions in
// the change log. What stands at a position never changes, so nothing here
// can be out of date; which position is the current one is read each time.
// Versions that are read once, as by an export, do not drive out those that are read often.
type recent struct {
	versions *otter.Cache[seqNo, fhir.Version]
	largest  int // JSON bytes of a version that is kept
}

// versionOverhead is about what a version takes beside its JSON, in bytes.
const versionOverhead = 256

func newRecent(size int64) (recent, error) {
	c, err := otter.New(&otter.Options[seqNo, fhir.Version]{
		MaximumWeight: uint64(size),
		Weigher:       func(_ seqNo, v fhir.Version) uint32 { return uint32(len(v.Body.JSON) + versionOverhead) },
		Executor:      func(upkeep func()) { upkeep() }, // in the caller's goroutine: there is no other to wait for
	})
	return recent{c, int(size / 64)}, err
}

func (r recent) get(seq seqNo) (fhir.Version, bool) { return r.versions.GetIfPresent(seq) }

func (r recent) put(seq seqNo, v fhir.Version) {
	if len(v.Body.JSON) <= r.largest {
		r.versions.Set(seq, v)
	}
}
