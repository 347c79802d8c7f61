package reindex

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

// Status is where a search parameter stands between its definition and its use.
type Status string

// The statuses, named as the reference names them.
const (
	Supported      Status = "Supported"      // writes have its values, earlier resources do not: not searched by
	Enabled        Status = "Enabled"        // searched by
	PendingDisable Status = "PendingDisable" // switched off, its values are still there
	Disabled       Status = "Disabled"
	PendingDelete  Status = "PendingDelete" // deleted, its values are still there
	Unsupported    Status = "Unsupported"   // cannot be indexed
)

// ParameterStatus is the status of the definition with a URL.
type ParameterStatus struct {
	URL    string
	Status Status
}

// StatusQuery selects definitions; each list that is not empty has to match.
type StatusQuery struct {
	URLs, Codes, Types []string
}

// Statuses returns the statuses of the definitions that match, by URL. NotFound
// when none does.
func (x *Indexer) Statuses(q StatusQuery) ([]ParameterStatus, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []ParameterStatus
	for _, url := range x.sortedURLs() {
		code, types, status := x.describe(url)
		matches := len(q.Types) == 0
		for _, t := range q.Types {
			matches = matches || slices.Contains(types, fhir.Type(t))
		}
		if status == "" || len(q.URLs) > 0 && !slices.Contains(q.URLs, url) || len(q.Codes) > 0 && !slices.Contains(q.Codes, code) || !matches {
			continue
		}
		found = append(found, ParameterStatus{url, status})
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "no search parameter matches")
	}
	return found, nil
}

// describe tells what is known of the definition with a URL.
func (x *Indexer) describe(url string) (code string, types []fhir.Type, status Status) {
	sp := x.own.Definition(url)
	if sp == nil {
		for _, d := range x.custom {
			if d.sp.URL != url {
				continue
			}
			if d.err != nil {
				return d.sp.Code, nil, Unsupported
			}
			sp = d.sp
		}
	}
	if sp == nil { // deleted
		for t, m := range x.marks {
			for c, k := range m {
				if url != "" && k.URL == url {
					code, types, status = c, append(types, t), PendingDelete
				}
			}
		}
		return code, types, status
	}
	types = x.own.TypesOf(sp)
	return sp.Code, types, x.status(sp, types)
}

func (x *Indexer) status(sp *spec.SearchParam, types []fhir.Type) Status {
	if x.without[sp.URL] {
		for _, t := range types {
			if m, ok := x.marks[t][sp.Code]; ok && m.URL == sp.URL {
				return PendingDisable
			}
		}
		return Disabled
	}
	for _, t := range types {
		special := !x.wanted.HasValues(t, sp) && sp.Code != "_id" && sp.Code != "_lastUpdated"
		if special {
			return Unsupported
		}
		if at := x.wanted.Effective(t, sp.Code); at != nil && x.incomplete(t, at) || at == sp && x.wanted.Custom(sp) && !x.indexed(sp) {
			return Supported
		}
	}
	return Enabled
}

// SetStatuses switches definitions off (Disabled) or on again (Supported), all
// or none. It returns their statuses. Faults: Invalid, with an issue for each
// definition that is unknown or cannot have the status; Busy while a reindex job
// that somebody has asked for is running.
func (x *Indexer) SetStatuses(ctx context.Context, wanted []ParameterStatus) ([]ParameterStatus, error) {
	x.changing.Lock()
	defer x.changing.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.free(); err != nil {
		return nil, err
	}
	var issues []fault.Issue
	next := maps.Clone(x.without)
	for i, w := range wanted {
		_, _, status := x.describe(w.URL)
		issue := fault.Issue{Expression: fmt.Sprintf("Parameters.parameter[%d]", i)}
		switch {
		case w.Status != Supported && w.Status != Disabled:
			issue.Code, issue.Text = "value", "the status must be Supported or Disabled"
		case status == "":
			issue.Code, issue.Text = "not-found", "no search parameter has this url"
		case status == PendingDelete:
			issue.Code, issue.Text = "deleted", "the search parameter was deleted: its status cannot be changed"
		case status == Unsupported:
			issue.Code, issue.Text = "not-supported", "the search parameter cannot be indexed: its status cannot be changed"
		case w.Status == Disabled:
			next[w.URL] = true
			continue
		default:
			delete(next, w.URL)
			continue
		}
		issues = append(issues, issue)
	}
	if len(issues) > 0 {
		return nil, fault.With(fault.Invalid, issues...)
	}
	x.without = next
	if err := x.follow(ctx); err != nil {
		return nil, err
	}
	now := make([]ParameterStatus, len(wanted))
	for i, w := range wanted {
		_, _, status := x.describe(w.URL)
		now[i] = ParameterStatus{w.URL, status}
	}
	return now, nil
}
