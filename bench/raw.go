package main

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"salus/fhir"
)

// baseline writes the same bodies and as many keys straight into the storage
// library. It knows no FHIR: what it takes less is what the server costs.
type baseline struct {
	db   *pebble.DB
	zip  *zstd.Encoder
	keys int
	next atomic.Uint64 // document number
}

// The sizes that the server's engine has too.
const (
	rawCache    = 128 << 20
	rawMemTable = 32 << 20
)

func openBaseline(dir string, keys int) (*baseline, error) {
	cache := pebble.NewCache(rawCache)
	defer cache.Unref()
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	db, err := pebble.Open(dir, &pebble.Options{
		Cache: cache, MemTableSize: rawMemTable, MemTableStopWritesThreshold: 4, L0StopWritesThreshold: 24, Logger: quiet{},
	})
	return &baseline{db: db, zip: zip, keys: keys}, err
}

// quiet keeps the library from logging to standard error.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, _ ...any) {
	panic("the storage library gave up: " + format)
}

// write stores bodies durably in one batch.
func (s *baseline) write(bodies [][]byte) (err error) {
	batch := s.db.NewBatch()
	defer func() { err = errors.Join(err, batch.Close()) }()
	var packed []byte
	for _, body := range bodies {
		doc := s.next.Add(1)
		packed = s.zip.EncodeAll(body, packed[:0])
		if err := batch.Set(documentKey(doc), packed, nil); err != nil {
			return err
		}
		for param := range s.keys {
			if err := batch.Set(indexKey(param, doc), nil, nil); err != nil {
				return err
			}
		}
	}
	return batch.Commit(pebble.Sync)
}

func documentKey(doc uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{0}, doc)
}

// indexKey is parameter, value and document. Parameters differ in how many
// values they have, from a status to an identifier.
func indexKey(param int, doc uint64) []byte {
	variety := uint64(4) << (param % 16)
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64(nil, doc*0x9e3779b97f4a7c15%variety)) // a hash never fails
	key := h.Sum([]byte{1, byte(param)})
	return binary.BigEndian.AppendUint64(key, doc)
}

// raw measures the baseline and sets its rates beside the server's.
func (b *bench) raw(ctx context.Context) (err error) {
	if err := b.server.stop(); err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "raw")
	s, err := openBaseline(dir, b.keys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	b.say("baseline: load")
	if err := b.rawLoad(ctx, s, dir); err != nil {
		return err
	}
	for _, n := range readClients {
		b.say("baseline: %s", clientsName("read", n))
		if err := b.rawReads(ctx, s, n); err != nil {
			return err
		}
	}
	bodies, err := b.small()
	if err != nil {
		return err
	}
	for _, n := range writeClients {
		b.say("baseline: %s", clientsName("write", n))
		var next atomic.Int64
		x, err := repeat(ctx, n, b.budget, most, func(context.Context, *rand.Rand) error {
			return s.write([][]byte{bodies[int(next.Add(1))%len(bodies)]})
		})
		if err != nil {
			return err
		}
		b.report.row("raw", clientsName("write", n), x)
		b.report.compare("write", clientsName("create an Observation", n), x.rate())
	}
	return nil
}

func (b *bench) rawLoad(ctx context.Context, s *baseline, dir string) error {
	var (
		mu    sync.Mutex
		x     sample
		count int
	)
	g, gctx := errgroup.WithContext(ctx)
	bundles := b.population(gctx, g)
	began := time.Now()
	for range b.clients {
		g.Go(func() error {
			for p := range bundles {
				d, err := fhir.Parse(p.body)
				if err != nil {
					return err
				}
				var bodies [][]byte
				for e := range d.Root().Get("entry").Children {
					bodies = append(bodies, e.Get("resource").Raw())
				}
				start := time.Now()
				if err := s.write(bodies); err != nil {
					return err
				}
				mu.Lock()
				x.each = append(x.each, time.Since(start))
				count += len(bodies)
				mu.Unlock()
				d.Release()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	x.took = time.Since(began)
	row := b.report.row("raw", "load", &x)
	row.Rate = float64(count) / x.took.Seconds()
	b.report.compare("load", "transactions, one per patient", row.Rate)
	disk, err := settle(ctx, dir)
	if err != nil {
		return err
	}
	b.report.compareFigure("disk per resource", float64(disk)/float64(count))
	return nil
}

func (b *bench) rawReads(ctx context.Context, s *baseline, clients int) error {
	unzip, err := zstd.NewReader(nil)
	if err != nil {
		return err
	}
	defer unzip.Close()
	last := s.next.Load()
	x, err := repeat(ctx, clients, b.budget, most, func(_ context.Context, r *rand.Rand) error {
		packed, c, err := s.db.Get(documentKey(1 + r.Uint64N(last)))
		if err != nil {
			return err
		}
		_, err = unzip.DecodeAll(packed, nil)
		return errors.Join(err, c.Close())
	})
	if err != nil {
		return err
	}
	b.report.row("raw", clientsName("read", clients), x)
	b.report.compare("read", clientsName("read by id", clients), x.rate())
	return nil
}
