package lsm

import (
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"salus/fhir"
)

// sampleBytes is how much of the first bodies a store gathers before it makes
// its dictionary of them.
const sampleBytes = 96 << 10

// maxDictionary is a dictionary's size. Larger ones gain little and cost time
// with every body, because the encoder starts from the dictionary each time.
const maxDictionary = 64 << 10

// bodies compresses and decompresses resource bodies. Bodies of one service
// are alike, so most of a body is found in a dictionary made of earlier ones.
// Dictionaries are numbered and kept for ever; a record names its own.
type bodies struct {
	current atomic.Pointer[codec] // for new bodies
	readers [256]atomic.Pointer[zstd.Decoder]

	mu      sync.Mutex // protects fields below
	samples []byte
	sampled map[fhir.Type]int
}

type codec struct {
	number  byte
	encoder *zstd.Encoder
}

func newBodies() (*bodies, error) {
	b := &bodies{sampled: map[fhir.Type]int{}}
	return b, b.use(0, nil)
}

// use makes dictionary number n the one for new bodies. n is 0 for none.
func (b *bodies) use(n byte, dict []byte) error {
	enc := []zstd.EOption{zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithWindowSize(128 << 10), zstd.WithSingleSegment(true), zstd.WithLowerEncoderMem(true)}
	dec := []zstd.DOption{zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(1 << 30), zstd.WithDecoderLowmem(true)}
	if n > 0 {
		enc = append(enc, zstd.WithEncoderDictRaw(uint32(n), dict))
		dec = append(dec, zstd.WithDecoderDictRaw(uint32(n), dict))
	}
	w, err := zstd.NewWriter(nil, enc...)
	if err != nil {
		return err
	}
	r, err := zstd.NewReader(nil, dec...)
	if err != nil {
		return err
	}
	b.readers[n].Store(r)
	b.current.Store(&codec{n, w})
	return nil
}

// pack compresses a body.
func (b *bodies) pack(body fhir.Body) packedBody {
	c := b.current.Load()
	return packedBody{
		dict: c.number, meta: body.Meta, length: len(body.JSON),
		data: c.encoder.EncodeAll(body.JSON, make([]byte, 0, len(body.JSON)/4)),
	}
}

// unpack decompresses a body.
func (b *bodies) unpack(p packedBody) ([]byte, error) {
	r := b.readers[p.dict].Load()
	if r == nil {
		return nil, damaged("a body names an unknown dictionary")
	}
	json, err := r.DecodeAll(p.data, make([]byte, 0, p.length))
	if err != nil || len(json) != p.length {
		return nil, damaged("a body cannot be decompressed")
	}
	return json, nil
}

// sample takes note of a new body while there is no dictionary yet. It returns
// the dictionary once enough is gathered, exactly once.
func (b *bodies) sample(typ fhir.Type, body fhir.Body) []byte {
	if b.current.Load().number != 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sampled == nil || b.sampled[typ] > sampleBytes/8 {
		return nil // done, or this type has its share
	}
	take := body.JSON[:min(len(body.JSON), 8<<10)]
	b.sampled[typ] += len(take)
	b.samples = append(b.samples, take...)
	if len(b.samples) < sampleBytes {
		return nil
	}
	dict := b.samples[len(b.samples)-maxDictionary:]
	b.samples, b.sampled = nil, nil
	return dict
}
