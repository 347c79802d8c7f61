package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseScales reads -scales: whole numbers, ascending, each by how much more
// data there is than -patients.
func parseScales(text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	var scales []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || len(scales) > 0 && n <= scales[len(scales)-1] {
			return nil, fmt.Errorf("-scales must be whole numbers from 1, ascending")
		}
		scales = append(scales, n)
	}
	return scales, nil
}

// growth is how one shape does at each scale.
type growth struct {
	Name  string    `json:"name"`
	P50   []float64 `json:"p50"` // milliseconds, by scale
	P95   []float64 `json:"p95"`
	P99   []float64 `json:"p99"`
	Found []float64 `json:"found"`
	Rate  []float64 `json:"rate"`  // answers a second
	Ratio float64   `json:"ratio"` // p95 at the last scale to that at the first
}

// growths measures every shape at every scale, each on data of its own.
func (b *bench) growths(ctx context.Context) error {
	found := make([]*growth, 0, len(shapes)+1)
	byName := map[string]*growth{}
	for _, scale := range b.scales {
		if err := b.populate(ctx, scale); err != nil {
			return err
		}
		n := b.facts.Resources
		b.report.figure(fmt.Sprintf("resources at %d×", scale), float64(n), "")
		disk, err := b.measureScale(ctx, func(name string, s *searched) {
			g := byName[name]
			if g == nil {
				g = &growth{Name: name}
				byName[name] = g
				found = append(found, g)
			}
			g.P50 = append(g.P50, milliseconds(s.percentile(50)))
			g.P95 = append(g.P95, milliseconds(s.percentile(95)))
			g.P99 = append(g.P99, milliseconds(s.percentile(99)))
			g.Found = append(g.Found, s.mean())
			g.Rate = append(g.Rate, s.answered())
		})
		if err != nil {
			return err
		}
		b.report.figure(fmt.Sprintf("disk per resource at %d×", scale), float64(disk)/float64(n), "bytes")
	}
	for _, g := range found {
		if first := g.P95[0]; first > 0 && len(g.P95) == len(b.scales) {
			g.Ratio = g.P95[len(g.P95)-1] / first
		}
	}
	slices.SortStableFunc(found, func(x, y *growth) int { return cmp.Compare(y.Ratio, x.Ratio) })
	b.report.Scales, b.report.Growths = b.scales, found
	return nil
}

// populate makes the data of a scale, or finds it where an earlier run kept it.
func (b *bench) populate(ctx context.Context, scale int) error {
	b.there = b.patients * scale
	facts := ""
	if b.keep == "" {
		if err := os.RemoveAll(b.served); err != nil {
			return err
		}
	} else {
		b.served = filepath.Join(b.keep, fmt.Sprintf("%d-patients", b.there))
		facts = b.served + ".json"
		b.facts = newFacts()
		text, err := os.ReadFile(facts)
		if err == nil {
			return json.Unmarshal(text, &b.facts.known)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	b.say("filling %d patients", b.there)
	began := time.Now()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if err := b.fill(ctx, b.there); err != nil {
		return err
	}
	b.report.figure(fmt.Sprintf("filled at %d×", scale), float64(b.facts.Resources)/time.Since(began).Seconds(), "resources/s")
	if facts == "" {
		return nil
	}
	text, err := json.Marshal(&b.facts.known)
	if err != nil {
		return err
	}
	return os.WriteFile(facts, text, 0o600)
}

// prepare lets the server make an empty service, and note what it will be
// indexed by, so that it does not index anew what comes in without it.
func (b *bench) prepare(ctx context.Context) error {
	if err := b.start(ctx); err != nil {
		return err
	}
	return b.server.stop()
}

// measureScale starts the server on the data there is and measures each shape,
// then all together, with add taking what came of it. It returns the bytes on disk.
func (b *bench) measureScale(ctx context.Context, add func(string, *searched)) (disk int64, err error) {
	if err := b.start(ctx); err != nil {
		return 0, err
	}
	defer func() {
		if serr := b.server.stop(); err == nil {
			err = serr
		}
	}()
	b.say("waiting until the files are quiet")
	if disk, err = settle(ctx, b.served); err != nil {
		return 0, err
	}
	return disk, b.eachShape(ctx, add)
}
