package interaction

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// The page size of a history without _count, and the largest.
const (
	defaultHistoryCount = 10
	maxHistoryCount     = 1000
)

// HistoryRequest asks for the versions of one resource (Type and ID), of a
// type (Type), or of everything (neither).
type HistoryRequest struct {
	Type  fhir.Type
	ID    fhir.ID
	Query string // of the URL; what history does not know is ignored
	After []byte // HistoryResult.Page.Next of the page before; nil for the first page
}

// HistoryResult is a page of versions.
type HistoryResult struct {
	Page  *store.HistoryPage
	Count int    // of versions on a page; 0 when only the total was asked for
	Query string // the understood part of the request's query, for the next link
	Self  string // the same for the self link
	at    bool   // _at was given
}

// History returns versions, newest first unless the query's _sort says
// otherwise (FHIR R4 http §3.1.0.12). Faults: NotFound for an unknown type or a
// resource that never was; MethodNotAllowed for a type whose policy is no-version;
// Invalid for a broken parameter; Refused when _at comes with _since or _before;
// NotSupported for _list, and for _at of more than one resource, under FHIR's rules.
func (s *Service) History(ctx context.Context, r HistoryRequest) (*HistoryResult, error) {
	if r.Type != "" {
		if err := s.known(r.Type); err != nil {
			return nil, err
		}
		if s.policies.Of(r.Type) == fhir.NoVersion {
			return nil, noHistory(r.Type)
		}
	}
	if r.ID != "" {
		v, err := s.current(ctx, fhir.Key{Type: r.Type, ID: r.ID})
		if err != nil {
			return nil, err
		}
		if v.Number == 0 {
			return nil, fault.New(fault.NotFound, "there is no resource %s", shown(fhir.Key{Type: r.Type, ID: r.ID}))
		}
	}
	result := &HistoryResult{}
	q, err := s.historyQuery(r, result)
	if err != nil {
		return nil, err
	}
	if result.at && s.compat == fhir.Strict {
		if q.Since, err = s.currentSince(ctx, r, q.Since); err != nil {
			return nil, err
		}
	}
	result.Page, err = s.store.History(ctx, q)
	return result, err
}

// historyQuery reads the request's parameters into a query and result's links.
func (s *Service) historyQuery(r HistoryRequest, result *HistoryResult) (store.HistoryQuery, error) {
	q := store.HistoryQuery{Type: r.Type, ID: r.ID, Count: defaultHistoryCount, After: r.After}
	at, window, onlyTotal := false, false, false
	var query, self []string
	for pair := range strings.SplitSeq(r.Query, "&") {
		name, value, err := decodePair(pair)
		if err != nil {
			return q, err
		}
		switch name {
		case "_count":
			q.Count, err = historyCount(value)
		case "_summary":
			onlyTotal = value == "count"
		case "_elements": // is for who renders the page
		case "_list":
			// Compat: the reference ignores _list at a history; FHIR defines it, and under its rules it is refused as not supported.
			if s.compat == fhir.Azure {
				continue
			}
			err = fault.New(fault.NotSupported, "a history cannot be restricted by _list")
		case "_sort":
			q.OldestFirst, err = historySort(value)
		case "_since":
			window = true
			q.Since, _, err = period(name, value)
		case "_before":
			window = true
			if q.Before, _, err = period(name, value); err == nil && q.Before.After(s.now()) {
				err = badParameter(name, "must not lie in the future")
			}
		case "_at":
			// Compat: _at finds in the reference the versions written within the period,
			// under FHIR's rules also those that were current as it began.
			at = true
			q.Since, q.Before, err = period(name, value)
		default:
			continue
		}
		if err != nil {
			return q, err
		}
		query = append(query, pair)
		// Compat: the reference leaves _at out of the self link of a history.
		if name != "_at" || s.compat == fhir.Strict {
			self = append(self, pair)
		}
	}
	if at && window {
		return q, fault.With(fault.Refused, fault.Issue{Code: "invalid", Text: "_at cannot be combined with _since or _before"})
	}
	if onlyTotal {
		q.Count = 0
	}
	q.Total = q.Count == 0
	result.at = at
	result.Count, result.Query, result.Self = q.Count, strings.Join(query, "&"), strings.Join(self, "&")
	return q, nil
}

// currentSince returns when the version was made that was current at a time, so
// that the history from then on has all versions that were current later (FHIR R4
// http §3.1.0.12, _at). What was deleted by then was not current. Fault:
// NotSupported unless it is about one resource.
func (s *Service) currentSince(ctx context.Context, r HistoryRequest, at time.Time) (time.Time, error) {
	if r.ID == "" {
		return at, fault.New(fault.NotSupported, "_at is supported for the history of one resource")
	}
	page, err := s.store.History(ctx, store.HistoryQuery{Type: r.Type, ID: r.ID, Before: at, Count: 1})
	if err != nil || len(page.Versions) == 0 || page.Versions[0].Deleted() {
		return at, err
	}
	return page.Versions[0].Updated, nil
}

func decodePair(pair string) (name, value string, err error) {
	name, value, _ = strings.Cut(pair, "=")
	if name, err = url.QueryUnescape(name); err == nil {
		value, err = url.QueryUnescape(value)
	}
	if err != nil {
		return "", "", fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: "the query of the URL has a bad percent-encoding"})
	}
	return name, value, nil
}

func badParameter(name, rule string) error {
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: "the parameter " + name + " " + rule})
}

func historyCount(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, badParameter("_count", "must be a whole number from 0")
	}
	return min(n, maxHistoryCount), nil
}

func historySort(value string) (oldestFirst bool, err error) {
	switch value {
	case "_lastUpdated":
		return true, nil
	case "-_lastUpdated":
		return false, nil
	}
	return false, badParameter("_sort", "of a history may only be _lastUpdated or -_lastUpdated")
}

// period returns the time from start to before end that value stands for, in
// UTC where it names no zone.
func period(name, value string) (start, end time.Time, err error) {
	first, last, ok := searchparam.ParseDate(strings.Replace(value, " ", "+", 1)) // a plus sign that nobody encoded
	if !ok {
		return start, end, badParameter(name, "must be a date or an instant, such as 2026-01-31 or 2026-01-31T12:00:00Z")
	}
	return timeOf(first), timeOf(last + 1), nil
}

// timeOf is the inverse of searchparam.TicksOf.
func timeOf(t searchparam.Ticks) time.Time {
	const perSecond = 1e7
	epoch := int64(searchparam.TicksOf(time.Unix(0, 0))) / perSecond
	return time.Unix(int64(t)/perSecond-epoch, int64(t)%perSecond*100).UTC()
}
