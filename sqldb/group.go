package sqldb

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"salus/fault"
)

// maxGroup bounds how many functions share a commit, and with it how long the first one waits for the others.
const maxGroup = 64

// group lets concurrent callers share one transaction. The first to come leads: it runs what has gathered and commits. Who comes in the meantime
// waits, and the first of those leads next. So nobody waits for a clock, and there is no goroutine to look after.
type group struct {
	run func([]*job) // runs jobs and sets their errors

	mu      sync.Mutex
	waiting []*job
	leading bool
}

// job is one function to run.
type job struct {
	ctx  context.Context
	f    func(*Tx) error
	err  error
	done chan struct{} // closed when err is set
	lead chan struct{} // closed when this one is to lead
}

func (g *group) do(ctx context.Context, f func(*Tx) error) error {
	j := &job{ctx: ctx, f: f, done: make(chan struct{}), lead: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, j)
	first := !g.leading
	g.leading = true
	g.mu.Unlock()
	if !first {
		// Not even the end of ctx is a reason to go: the function may be running and its result is then not known.
		select {
		case <-j.done:
			return j.err
		case <-j.lead:
		}
	}
	g.mu.Lock()
	n := min(len(g.waiting), maxGroup)
	batch := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	g.mu.Unlock()

	g.run(batch)
	for _, b := range batch {
		close(b.done)
	}
	g.mu.Lock()
	if g.leading = len(g.waiting) > 0; g.leading {
		close(g.waiting[0].lead)
	}
	g.mu.Unlock()
	return j.err
}

// together runs functions in one transaction, each behind a savepoint.
func (db *DB) together(jobs []*job) {
	err := db.batch(jobs)
	if err == nil {
		return
	}
	for _, j := range jobs {
		if j.err == nil {
			j.err = err
		}
	}
}

func (db *DB) batch(jobs []*job) error {
	// The group's transaction outlives any caller's wish.
	ctx := context.WithoutCancel(jobs[0].ctx)
	c, err := db.write.open(ctx)
	if err != nil {
		return err
	}
	tx := &Tx{ctx, c}
	for _, j := range jobs {
		if err := j.alone(tx, len(jobs) == 1); err != nil {
			return errors.Join(err, db.write.finish(c, rollback))
		}
	}
	if len(jobs) == 1 && jobs[0].err != nil {
		return db.write.finish(c, rollback)
	}
	return db.write.finish(c, commit)
}

// alone runs a job so that its failure undoes only what it did. It returns an error when the whole transaction is lost.
func (j *job) alone(tx *Tx, only bool) error {
	if err := j.ctx.Err(); err != nil {
		j.err = tx.fault(err)
		return nil
	}
	if only {
		j.err = safely(j.f, tx)
		return nil
	}
	if _, err := tx.Exec("SAVEPOINT one"); err != nil {
		return err
	}
	if j.err = safely(j.f, tx); j.err != nil {
		if _, err := tx.Exec("ROLLBACK TO one"); err != nil {
			return err
		}
	}
	_, err := tx.Exec("RELEASE one")
	return err
}

// safely runs f and turns a panic into an error, since others share the transaction. What was panicked with is left out of it, unless the
// runtime made it: it could hold patient data.
func safely(f func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			cause := fmt.Errorf("panic with a %T\n%s", v, debug.Stack())
			if e, ok := v.(error); ok {
				cause = fmt.Errorf("panic with a %T: %w\n%s", v, e, debug.Stack())
			}
			err = fault.Wrap(fault.Internal, cause, "internal error")
		}
	}()
	return f(tx)
}
