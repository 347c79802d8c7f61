package bundle

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/store"
)

// transaction does all entries or none. The writes are one write of the store,
// tried again from the start when another writer came between.
func (p *Processor) transaction(ctx context.Context, r Request, entries []entry) ([]EntryResult, error) {
	for i := range entries {
		if err := entries[i].refused(p.strict()); err != nil {
			return nil, failed(&entries[i], err)
		}
	}
	results := make([]EntryResult, len(entries))
	gets, err := p.probe(ctx, r, entries, results)
	if err != nil {
		return nil, err
	}
	order := writes(entries)
	if len(order) == 0 {
		return results, nil
	}
	changes := make([]*interaction.Change, len(order))
	for i, e := range order {
		changes[i] = &entries[e].change
	}
	leave, err := p.service.Exclude(ctx, changes...)
	if err != nil {
		return nil, err
	}
	defer leave()
	err = interaction.Retry(ctx, func() error { return p.attempt(ctx, r, entries, order, results) })
	if err != nil {
		return nil, err
	}
	p.answer(ctx, r, entries, gets, results)
	return results, nil
}

// refused tells what a transaction does not take, beyond what no bundle does.
func (e *entry) refused(strict bool) error {
	switch {
	case e.err != nil:
		return e.err
	case e.verb == get && e.get.Method == "POST":
		// Compat: a transaction takes neither searches nor operations by POST; the reference runs such operations outside of its database transaction.
		return invalid("a transaction cannot hold a search or an operation by POST", "")
	case e.where && !strict:
		// Compat: the reference refuses every DELETE with a query in a transaction; FHIR has it.
		return invalid("a transaction can only delete by id, without a query", "")
	case e.verb != get && e.change.Resource.Type() == "Bundle" && !strict:
		// Compat: the reference refuses a Bundle as an entry's resource in a transaction, whatever its type.
		return invalid("a transaction cannot hold a Bundle as an entry's resource", "")
	}
	return nil
}

// writes returns the indexes of the entries that write, in the order in which they take effect.
func writes(entries []entry) []int {
	order := make([]int, 0, len(entries))
	for v := del; v <= patching; v++ {
		for i := range entries {
			if entries[i].verb == v && entries[i].err == nil {
				order = append(order, i)
			}
		}
	}
	return order
}

// attempt does all writes of a transaction once, from the search for its
// conditional entries to the store.
func (p *Processor) attempt(ctx context.Context, r Request, entries []entry, order []int, results []EntryResult) error {
	links, err := p.locate(ctx, r, entries, order)
	if err != nil {
		return err
	}
	if err := p.prepare(ctx, entries, order, links); err != nil {
		return err
	}
	changes := make([]*interaction.Change, len(order))
	for k, i := range order {
		changes[k] = &entries[i].change
	}
	if k, err := p.service.Hold(ctx, changes...); err != nil {
		return failed(&entries[order[k]], err)
	}
	steps := make([]store.Write, 0, len(order))
	at := make([]int, 0, len(order)) // the entry of each step
	for _, i := range order {
		if step, ok := entries[i].change.Step(); ok {
			steps, at = append(steps, step), append(at, i)
		}
	}
	versions, err := p.service.Commit(ctx, steps)
	if err != nil {
		return refusedParameter(entries, order, err)
	}
	made := make([]fhir.Version, len(entries))
	for i, v := range versions {
		made[at[i]] = v
	}
	for _, i := range order {
		results[i] = written(r.Base, entries[i].change.Result(made[i]))
	}
	return nil
}

// refusedParameter names the entry whose search parameter was refused when all
// was about to be stored. Of several it cannot be told which it was.
func refusedParameter(entries []entry, order []int, err error) error {
	var found []int
	for _, i := range order {
		if entries[i].change.Type == parameterType {
			found = append(found, i)
		}
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.MethodNotAllowed, fault.Busy: // as no store fails
		if len(found) == 1 {
			return failed(&entries[found[0]], err)
		}
	}
	return err
}

// locate finds what resource each entry is about, and thereby what the links
// between them stand for.
func (p *Processor) locate(ctx context.Context, r Request, entries []entry, order []int) (*links, error) {
	links := newLinks(p.service.Definitions(), len(order))
	taken := make(map[fhir.Key]struct{}, len(order))
	conditions := map[string]struct{}{}
	for _, i := range order {
		e := &entries[i]
		e.change = e.change.Afresh()
		if err := p.service.Locate(ctx, &e.change); err != nil {
			return nil, failed(e, err)
		}
		key := e.change.Key
		if key == (fhir.Key{}) {
			continue // a delete whose criteria match nothing
		}
		if _, twice := taken[key]; twice {
			return nil, invalid("two entries of the transaction are about "+key.String(), "")
		}
		taken[key] = struct{}{}
		if name := p.service.Condition(ctx, &e.change); name != "" {
			if _, twice := conditions[name]; twice {
				return nil, invalid("two entries of the transaction have the same criteria for "+string(key.Type), "")
			}
			conditions[name] = struct{}{}
		}
		if e.verb == del {
			continue
		}
		if _, twice := links.names[e.fullURL]; twice {
			return nil, invalid("two entries of the transaction have the same fullUrl", "")
		}
		links.add(e.fullURL, key)
	}
	for _, i := range order {
		e := &entries[i]
		if err := p.service.ResolveReferences(ctx, e.change.Resource, r.Base, links.search); err != nil {
			return nil, failed(e, err)
		}
	}
	return links, p.foresee(ctx, entries, order, links)
}

// foresee tells links which versions the entries leave, when a reference names
// the version of one. Such an entry makes a version whether it changes anything
// or not, so that it can be told before the resources are made.
func (p *Processor) foresee(ctx context.Context, entries []entry, order []int, links *links) error {
	named := slices.ContainsFunc(order, func(i int) bool {
		return bytes.Contains(entries[i].change.Resource.Raw(), []byte(history))
	})
	if !named || len(links.names) == 0 {
		return nil
	}
	links.will = make(map[string]int64, len(links.names))
	for _, i := range order {
		e := &entries[i]
		if e.fullURL == "" || e.verb == del {
			continue
		}
		c, number := &e.change, int64(1)
		switch {
		case c.Found && e.verb == post:
			number = c.Current.Number
		case c.Found:
			number += c.Current.Number
		case e.verb != post:
			v, err := p.service.Read(ctx, c.Key)
			switch {
			case err == nil:
				number += v.Number
			case fault.Is(err, fault.Gone):
				number += fault.As(err).Version
			case !fault.Is(err, fault.NotFound):
				return failed(e, err)
			}
		}
		c.Anew = true
		links.will[c.Key.String()] = number
	}
	return nil
}

// prepare checks and indexes all resources, several at a time. Of several
// failures the first in the bundle counts.
func (p *Processor) prepare(ctx context.Context, entries []entry, order []int, links *links) error {
	errs := make([]error, len(entries))
	each(len(order), 0, func(k int) {
		e := &entries[order[k]]
		w := rewriter{links: links, base: links.base(e.fullURL), resource: &e.change.Resource}
		errs[order[k]] = p.service.Prepare(ctx, &e.change, w.replace)
	})
	for i, err := range errs {
		if err != nil {
			return failed(&entries[i], err)
		}
	}
	return nil
}

// probe answers the GET entries before anything is written, so that one that
// fails can still fail the transaction. It returns which entries they are; when
// there are writes too, answer has to ask again after them. What is asked of a
// resource that the transaction itself writes is left to answer.
func (p *Processor) probe(ctx context.Context, r Request, entries []entry, results []EntryResult) ([]int, error) {
	var gets []int
	own := map[string]verb{}
	for i := range entries {
		switch e := &entries[i]; e.verb {
		case get:
			gets = append(gets, i)
		case del, put, patching:
			if e.change.ID != "" {
				own[string(e.change.Type)+"/"+string(e.change.ID)] = e.verb
			}
		}
	}
	var asked []int
	for _, i := range gets {
		resource, rest := splitResource(entries[i].get.URL)
		switch v, mine := own[resource]; {
		case mine && v == del && rest == "":
			return nil, failed(&entries[i], fault.New(fault.Gone, "the transaction itself deletes the resource"))
		case !mine:
			asked = append(asked, i)
		}
	}
	p.answer(ctx, r, entries, asked, results)
	for _, i := range asked {
		if err := results[i].Err; err != nil {
			return nil, failed(&entries[i], err)
		}
	}
	return gets, nil
}

// splitResource cuts a URL behind Type/id; rest is what of its path remains.
func splitResource(url string) (resource, rest string) {
	path, _, _ := strings.Cut(url, "?")
	segments := strings.SplitN(strings.TrimSuffix(path, "/"), "/", 3)
	if len(segments) < 2 {
		return path, ""
	}
	if len(segments) == 3 {
		rest = segments[2]
	}
	return segments[0] + "/" + segments[1], rest
}

// answer asks the reader for the GET entries at the indexes, several at a time.
func (p *Processor) answer(ctx context.Context, r Request, entries []entry, gets []int, results []EntryResult) {
	each(len(gets), 0, func(k int) {
		i := gets[k]
		if r.Read == nil {
			results[i] = EntryResult{Err: fault.New(fault.NotSupported, "GET is not supported in bundles here")}
			return
		}
		reply, err := r.Read(ctx, entries[i].get)
		results[i] = answered(entries[i].get.Method, reply, err)
	})
}

// failed is the fault of a transaction whose entry e failed with cause.
func failed(e *entry, cause error) error {
	f := fault.As(cause)
	issues := []fault.Issue{{
		Code: "processing",
		Text: "the transaction failed, and nothing of it was stored, at " + e.shown(),
	}}
	if len(f.Issues) == 0 {
		issues = append(issues, fault.Issue{Text: f.Message})
	}
	issues = append(issues, f.Issues...)
	whole := fault.Wrap(f.Kind, cause, "%s", issues[0].Text)
	whole.Issues, whole.Version, whole.RetryAfter = issues, f.Version, f.RetryAfter
	return whole
}
