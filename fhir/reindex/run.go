package reindex

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// checkpointEvery is how often a job writes down how far it is. After a crash it
// does again what came later, which changes nothing.
const checkpointEvery = time.Second

// Run does the jobs, one after the other, until ctx ends. It is to run once.
func (x *Indexer) Run(ctx context.Context) {
	for {
		x.mu.Lock()
		j := x.active()
		x.mu.Unlock()
		if j != nil {
			x.run(ctx, j)
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-x.wake:
		case <-ctx.Done():
			return
		}
	}
}

// run does a job, as far as ctx lets it.
func (x *Indexer) run(ctx context.Context, j *Job) {
	err := x.begin(ctx, j)
	for err == nil {
		p := x.nextType(j)
		if p == nil {
			break
		}
		err = x.indexType(ctx, j, p)
	}
	if ctx.Err() != nil {
		return // it goes on at the next start
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if j.over() { // canceled
		return
	}
	total, done := j.Total()
	if err != nil {
		x.end(j, Failed, fault.As(err).Message)
		x.log.Error("indexing failed", "job", j.ID, "error", err.Error())
	} else {
		x.end(j, Completed, "")
		x.log.Info("indexing is complete", "job", j.ID, "resources", done, "of", total, "took", j.Ended.Sub(j.Started))
	}
	if err := x.keepJobs(ctx); err != nil {
		x.log.Error("a reindex job could not be kept", "job", j.ID, "error", err.Error())
	}
}

func (x *Indexer) begin(ctx context.Context, j *Job) error {
	counts, err := x.store.Count(ctx)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if j.over() {
		return nil
	}
	if j.Status = Running; j.Started.IsZero() {
		j.Started = x.now()
	}
	for _, p := range j.Types {
		p.Total = max(p.Done, counts[p.Type])
	}
	j.Modified = x.now()
	return x.keepJobs(ctx)
}

// nextType returns a type that is not finished, nil when there is none or the job is over.
func (x *Indexer) nextType(j *Job) *TypeProgress {
	x.mu.Lock()
	defer x.mu.Unlock()
	if j.over() {
		return nil
	}
	for _, p := range j.Types {
		if !p.Finished {
			return p
		}
	}
	return nil
}

// hashOf is a digest of marks.
func hashOf(m marks) string {
	b, err := json.Marshal(m) // in the order of the keys
	if err != nil {
		panic("reindex: marks are not JSON: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// aim returns what a type is to be indexed by now. When that is not what the
// job has begun with, it begins again. stop says that the job is over.
func (x *Indexer) aim(j *Job, p *TypeProgress) (reg *searchparam.Registry, stop bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if hash := hashOf(x.wantedMarks(p.Type)); hash != p.Hash {
		p.Hash, p.Cursor, p.Limit, p.Done = hash, 0, 0, 0
	}
	return x.live.Registry(), j.over()
}

// indexType brings the resources of a type up to the registry of now.
func (x *Indexer) indexType(ctx context.Context, j *Job, p *TypeProgress) error {
	kept := x.now()
	settled := ""
	for {
		reg, stop := x.aim(j, p)
		if stop {
			return nil
		}
		if settled != p.Hash { // writes that took their values from an earlier registry must be seen
			if err := x.live.Settle(ctx); err != nil {
				return err
			}
			settled = p.Hash
			if err := x.limit(ctx, p); err != nil {
				return err
			}
		}
		started := x.now()
		size := min(x.batch, j.Settings.PerQuery, j.Settings.PerWrite)
		page, err := x.store.Current(ctx, p.Type, p.Cursor, size)
		if err != nil {
			return err
		}
		for n := len(page); n > 0 && page[n-1].Number > p.Limit; n-- {
			page = page[:n-1]
		}
		if len(page) == 0 {
			if done, err := x.finish(ctx, j, p); done || err != nil {
				return err
			}
			continue
		}
		failed, err := x.indexBatch(ctx, reg, page)
		if err != nil {
			return err
		}
		keep := x.now().Sub(kept) >= checkpointEvery
		if keep {
			kept = x.now()
		}
		if err := x.advance(ctx, j, p, page, failed, keep); err != nil {
			return err
		}
		x.pause(ctx, x.now().Sub(started))
	}
}

// limit sets how far a type is gone through, unless an earlier run has. Otherwise
// busy writers would be followed for ever.
func (x *Indexer) limit(ctx context.Context, p *TypeProgress) error {
	n, err := x.store.LastNumber(ctx)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if p.Limit == 0 {
		p.Limit = max(1, n)
	}
	return nil
}

// indexBatch replaces the values of some resources. It returns how many of them
// cannot be indexed; they keep what they have.
func (x *Indexer) indexBatch(ctx context.Context, reg *searchparam.Registry, page []store.Current) (failed int64, err error) {
	x.mu.Lock()
	o := searchparam.Options{Bases: x.bases}
	x.mu.Unlock()
	entries := make([]store.Index, 0, len(page))
	for _, c := range page {
		values, err := x.extract(reg, c.Body, o)
		if err != nil {
			failed++
			continue
		}
		entries = append(entries, store.Index{Key: c.Key, Position: c.Position, Values: values})
	}
	_, err = x.store.Reindex(ctx, entries)
	return failed, err
}

// extract takes the values out of a stored resource.
func (x *Indexer) extract(reg *searchparam.Registry, b fhir.Body, o searchparam.Options) ([]searchparam.Entry, error) {
	d, err := fhir.Parse(b.JSON)
	if err != nil {
		return nil, err
	}
	if x.integrity {
		values, _, err := reg.ExtractWhole(nil, d.Root(), o)
		return values, err
	}
	return reg.Extract(nil, d.Root(), o)
}

// advance notes that a page is done.
func (x *Indexer) advance(ctx context.Context, j *Job, p *TypeProgress, page []store.Current, failed int64, keep bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	p.Cursor = page[len(page)-1].Number
	p.Done += int64(len(page))
	p.Total = max(p.Total, p.Done)
	j.Failed += failed
	j.Modified = x.now()
	if !keep {
		return nil
	}
	x.log.Info("indexing", "job", j.ID, "type", string(p.Type), "done", p.Done, "of", p.Total)
	return x.keepJobs(ctx)
}

// finish marks a type as indexed, unless what it is to be indexed by has changed
// in between.
func (x *Indexer) finish(ctx context.Context, j *Job, p *TypeProgress) (done bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	want := x.wantedMarks(p.Type)
	if hashOf(want) != p.Hash {
		return false, nil
	}
	x.marks[p.Type] = want
	p.Finished, p.Total = true, p.Done
	j.Modified = x.now()
	err = errors.Join(x.keepMarks(ctx, []fhir.Type{p.Type}), x.keepJobs(ctx))
	x.publish()
	return true, err
}
