package lsm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"salus/fhir"
	"salus/fhir/search"
)

// trace gathers how a search is done, for a plan that asks for it. A query has
// none otherwise.
type trace struct {
	now    func() time.Time
	from   time.Time // of the phase at work
	phases []string
	notes  []string
	root   step
	at     *step // whose parts are being made
}

// step is a condition with the set that it became.
type step struct {
	what     string
	not      bool // the set is taken away
	set      set
	estimate int64
	order    []int // of parts: in which they are intersected, those that are not
	parts    []*step
}

// reads counts what a search reads of the index.
type reads struct{ postings, chunks, scanned int }

func newTrace(now func() time.Time) *trace {
	t := &trace{now: now, from: now()}
	t.at = &t.root
	return t
}

// phase ends a phase of the search.
func (t *trace) phase(name string) {
	if t == nil {
		return
	}
	now := t.now()
	t.phases = append(t.phases, fmt.Sprintf("%s %.3f ms", name, float64(now.Sub(t.from))/float64(time.Millisecond)))
	t.from = now
}

// maxTold is how many conditions are told of, and how many notes, at most.
const maxTold = 64

func (t *trace) note(format string, args ...any) {
	if len(t.notes) < maxTold {
		t.notes = append(t.notes, fmt.Sprintf(format, args...))
	}
}

// traced is evaluate with a note of it.
func (q *query) traced(typ fhir.Type, f search.Filter) (set, error) {
	parent := q.trace.at
	s := &step{what: search.Describe(typ, f)}
	parent.parts = append(parent.parts, s)
	q.trace.at = s
	found, err := q.evaluate(typ, f)
	q.trace.at = parent
	if err != nil {
		return nil, err
	}
	s.set, s.estimate = found, found.size()
	if and, is := f.(search.And); is {
		s.ordered(and)
	}
	return found, nil
}

// ordered notes in which order the parts of a conjunction are intersected: as intersect does it.
func (s *step) ordered(f search.And) {
	for i, part := range f {
		if _, not := part.(search.Not); not {
			s.parts[i].not = true
			continue
		}
		s.order = append(s.order, i)
	}
	slices.SortStableFunc(s.order, func(a, b int) int { return bySize(s.parts[a].set, s.parts[b].set) })
}

// explained returns the lines that tell how the page was made.
func (q *query) explained() ([]string, error) {
	t := q.trace
	read := q.read // before counting adds to it
	lines := []string{fmt.Sprintf("engine: embedded; %d resource numbers in %d chunks", q.last, q.last>>16+1)}
	if n := len(t.root.parts); n > 1 { // of many types most have nothing
		t.root.parts = slices.DeleteFunc(t.root.parts, func(s *step) bool { return s.estimate == 0 })
		lines = append(lines, fmt.Sprintf("branches: %d, of which %d find nothing", n, n-len(t.root.parts)))
	}
	lines, err := q.tell(lines, &t.root, "")
	if err != nil {
		return nil, err
	}
	if len(lines) > maxTold {
		lines = append(lines, "and further conditions")
	}
	lines = append(lines, t.notes...)
	lines = append(lines,
		fmt.Sprintf("read: %d posting lists, %d chunks of them one by one, %d in scans of neighbouring ones", read.postings, read.chunks, read.scanned),
		"time: "+strings.Join(t.phases, ", "))
	return lines, nil
}

// tell appends lines for the parts of a step, numbered below number, and theirs.
func (q *query) tell(lines []string, s *step, number string) ([]string, error) {
	for i, part := range s.parts {
		if len(lines) > maxTold {
			break
		}
		below := number + fmt.Sprint(i+1)
		line, err := q.line(part, below)
		if err != nil {
			return nil, err
		}
		if lines, err = q.tell(append(lines, line), part, below+"."); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func (q *query) line(s *step, number string) (string, error) {
	members, err := q.membership(s.set)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%s %s: estimated at most %d, %s", number, s.what, s.estimate, members)
	if len(s.parts) < 2 || len(s.order) == 0 {
		return line, nil
	}
	var order, taken []string
	for _, i := range s.order {
		order = append(order, fmt.Sprintf("%s.%d", number, i+1))
	}
	for i, part := range s.parts {
		if part.not {
			taken = append(taken, fmt.Sprintf("%s.%d", number, i+1))
		}
	}
	line += "; intersected in the order " + strings.Join(order, ", ")
	if len(taken) > 0 {
		line += ", without " + strings.Join(taken, ", ")
	}
	return line, nil
}

// membership tells how many members a set has, unless it was asked document by
// document: then how many of those asked were members.
func (q *query) membership(s set) (string, error) {
	if err := q.canceled(); err != nil {
		return "", err
	}
	if j, is := s.(*joined); is && j.all == nil {
		return fmt.Sprintf("asked of %d one by one, %d of them members", j.asked, j.hits), nil
	}
	if _, exact := s.rough(); !exact {
		return "not evaluated as a whole", nil
	}
	n, err := count(s, q.last)
	return fmt.Sprintf("found %d", n), err
}
