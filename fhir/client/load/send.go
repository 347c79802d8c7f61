package load

import (
	"context"

	"salus/fault"
	"salus/fhir/client"
)

// send posts items of u as one bundle and takes the answer down. The error is
// what ends the whole load.
func (l *loader) send(ctx context.Context, u *unit, items []item, last bool) error {
	if len(items) == 0 && u.body == nil {
		return nil
	}
	body := u.bundle(items)
	entries, err := l.service.Bundle(ctx, body)
	if err == nil {
		l.accepted(u, items, entries, len(body))
		return nil
	}
	f := fault.As(err)
	switch verdictOn(f.Kind) {
	case hopeless:
		return err
	case unanswered:
		l.progress(func(*Progress) { l.sum.Unknown += int64(len(items)) })
		return nil
	}
	if !last && !u.batch && (f.Kind == fault.Conflict || u.conditional && verdictOn(f.Kind) == refused) {
		l.later(u)
		return nil
	}
	if u.divisible(items) && verdictOn(f.Kind) == refused {
		half := len(items) / 2
		if err := l.send(ctx, u, items[:half], true); err != nil { // only whole units are put off
			return err
		}
		return l.send(ctx, u, items[half:], true)
	}
	failure := Failure{File: u.file, Count: int64(max(1, len(items))), Err: f}
	if len(items) == 1 {
		failure.Place, failure.Type = items[0].place, items[0].typ
	}
	l.failed(failure)
	return nil
}

// verdict is what a kind of fault means for a load.
type verdict uint8

const (
	broken     verdict = iota // this bundle failed, nothing is known about its parts
	refused                   // for something in it: parts of it may pass
	hopeless                  // the next bundle will fail in the same way
	unanswered                // it may have been taken
)

func verdictOn(k fault.Kind) verdict {
	switch k {
	case fault.Unauthenticated, fault.Forbidden, fault.Unavailable, fault.Throttled, fault.OutOfSpace:
		return hopeless
	case fault.Canceled:
		return unanswered
	case fault.Internal, fault.Timeout:
		return broken
	}
	return refused
}

func (l *loader) later(u *unit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.putOff == nil {
		l.putOff = map[string]map[int]struct{}{}
	}
	if l.putOff[u.file] == nil {
		l.putOff[u.file] = map[int]struct{}{}
	}
	l.putOff[u.file][u.index] = struct{}{}
}

func (l *loader) accepted(u *unit, items []item, entries []client.Entry, size int) {
	for i, it := range items {
		if i < len(entries) && entries[i].Fault != nil {
			l.failed(Failure{File: u.file, Place: it.place, Type: it.typ, Count: 1, Err: entries[i].Fault})
		}
	}
	l.progress(func(p *Progress) {
		l.sum.Bundles++
		l.sum.Bytes += int64(size)
		for i, it := range items {
			if i < len(entries) && entries[i].Fault != nil {
				continue
			}
			p.Resources++
			l.sum.Resources++
			l.sum.Types[it.typ]++
		}
	})
}
