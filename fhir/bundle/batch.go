package bundle

import (
	"context"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/store"
)

// commitWidth is how many single writes of a batch go on at once. They wait
// for the disk, not for a processor, and a store lets them wait together.
const commitWidth = 32

// batch does each entry by itself, in the order of the verbs.
func (p *Processor) batch(ctx context.Context, r Request, entries []entry) []EntryResult {
	results := make([]EntryResult, len(entries))
	var phase [other][]int
	var creates []int
	for i := range entries {
		switch e := &entries[i]; {
		case e.err != nil:
			results[i].Err = e.err
		case e.verb == post && !e.change.Conditional() && e.change.Type != parameterType:
			creates = append(creates, i)
		default:
			phase[e.verb] = append(phase[e.verb], i)
		}
	}
	p.singles(ctx, r, entries, phase[del], results)
	p.creates(ctx, r, entries, creates, results)
	p.singles(ctx, r, entries, phase[post], results)
	p.singles(ctx, r, entries, phase[put], results)
	p.singles(ctx, r, entries, phase[patching], results)
	p.answer(ctx, r, entries, phase[get], results)
	return results
}

// singles does entries with the same verb, each in a write of its own. Those
// about one resource keep their order; where it takes a search to tell the
// resource, all do.
func (p *Processor) singles(ctx context.Context, r Request, entries []entry, indexes []int, results []EntryResult) {
	var chains [][]int
	byKey := make(map[fhir.Key]int, len(indexes))
	for _, i := range indexes {
		c := &entries[i].change
		if c.ID == "" {
			chains = [][]int{indexes}
			break
		}
		key := fhir.Key{Type: c.Type, ID: c.ID}
		at, ok := byKey[key]
		if !ok {
			at = len(chains)
			byKey[key], chains = at, append(chains, nil)
		}
		chains[at] = append(chains[at], i)
	}
	each(len(chains), commitWidth, func(k int) {
		for _, i := range chains[k] {
			results[i] = p.single(ctx, r, &entries[i])
		}
	})
}

// single does one entry that writes.
func (p *Processor) single(ctx context.Context, r Request, e *entry) EntryResult {
	var result interaction.Result
	var err error
	c := &e.change
	switch hard := c.Method == fhir.Purge; {
	case e.verb == del && c.ID == "":
		result.Outcome = interaction.Deleted
		_, err = p.service.DeleteMatching(ctx, c.Write, hard)
	case e.verb == del:
		result, err = p.service.DeleteExpected(ctx, fhir.Key{Type: c.Type, ID: c.ID}, c.IfMatch, hard)
	case e.verb == post:
		result, err = p.service.Create(ctx, c.Write)
	case e.verb == patching:
		result, err = p.service.Patch(ctx, c.Write)
	default:
		result, err = p.service.Update(ctx, c.Write)
	}
	if err != nil {
		return EntryResult{Err: err}
	}
	return written(r.Base, result)
}

// creates does the plain creates of a batch, but those of search parameters,
// which the service may refuse when they are about to be stored. They cannot get into each other's
// way, so they are checked several at a time, and the valid ones are stored in
// one write, which can only fail for reasons that would fail each or by a race.
func (p *Processor) creates(ctx context.Context, r Request, entries []entry, indexes []int, results []EntryResult) {
	changes := make([]*interaction.Change, len(indexes))
	for k, i := range indexes {
		changes[k] = &entries[i].change
	}
	leave, err := p.service.Exclude(ctx, changes...)
	if err != nil {
		for _, i := range indexes {
			results[i].Err = err
		}
		return
	}
	defer leave()
	each(len(indexes), 0, func(k int) {
		c := changes[k]
		links := interaction.Links{}
		err := p.service.Locate(ctx, c)
		if err == nil {
			err = p.service.ResolveReferences(ctx, c.Resource, r.Base, links)
		}
		if err == nil {
			err = p.service.Prepare(ctx, c, links.Replace)
		}
		if err == nil {
			_, err = p.service.Hold(ctx, c)
		}
		results[indexes[k]].Err = err
	})
	steps := make([]store.Write, 0, len(indexes))
	stored := make([]int, 0, len(indexes))
	for _, i := range indexes {
		if results[i].Err == nil {
			step, _ := entries[i].change.Step() // a plain create has always one
			steps, stored = append(steps, step), append(stored, i)
		}
	}
	versions, err := p.service.Commit(ctx, steps)
	if fault.Is(err, fault.Conflict) { // what one of them refers to was deleted meanwhile
		p.singles(ctx, r, entries, stored, results)
		return
	}
	for k, i := range stored {
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i] = written(r.Base, entries[i].change.Result(versions[k]))
	}
}
