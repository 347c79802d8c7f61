// Package terminology answers questions about value sets and code systems
// from their definitions: which codes a value set has, and which codes of a code
// system stand above or below another (FHIR R4 terminology-service).
//
// It promises whole answers or none: what a definition leaves open — an unknown
// value set, a code system that is stored in part, a filter of another kind — is
// a fault that says what is missing. Where definitions are kept is left to the
// Source, what is done with the codes to the caller.
package terminology

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

// MaxCodes is how many codes a value set may have to be expanded.
const MaxCodes = 20_000

// Source finds definitions that the service keeps.
type Source interface {
	// Find returns the ValueSet or CodeSystem (t) that has a canonical URL and,
	// unless version is empty, that business version; the one updated last when
	// there are several. A url "ValueSet/id" names the resource itself. The zero
	// Definition when there is none.
	Find(ctx context.Context, t fhir.Type, url, version string) (Definition, error)
}

// Definition is a ValueSet or CodeSystem that a Source has found.
type Definition struct {
	Identity
	Read func() (fhir.Node, error) // the resource; nil when there is none
}

// Identity tells one content of one resource from all others, also from that of
// another resource which has its id later.
type Identity struct {
	Key     fhir.Key
	Number  int64 // of the version
	Updated time.Time
}

// Engine answers from a Source and from the definitions of FHIR itself. It is safe
// for concurrent use. It keeps answers and code systems, up to a bound, as long as
// the Source finds the same definitions: what is changed there counts at once.
type Engine struct {
	source Source
	defs   *spec.Definitions
	cache  cache
}

// New returns an engine over source and defs.
func New(source Source, defs *spec.Definitions) *Engine { return &Engine{source: source, defs: defs} }

// answer returns the codes that make makes, or made before out of definitions
// that are still the same.
func (e *Engine) answer(ctx context.Context, question string, make func(*asking) (*set, error)) ([]spec.Coding, error) {
	if k := e.cache.get(question); k != nil {
		if still, err := e.still(ctx, k.made); err != nil {
			return nil, err
		} else if still {
			return k.value.([]spec.Coding), nil
		}
	}
	a := &asking{Engine: e}
	found, err := make(a)
	if err != nil {
		return nil, err
	}
	codes := found.codes
	for i := range codes { // which share the bytes of whole definitions
		if codes[i].Code = strings.Clone(codes[i].Code); i > 0 && codes[i].System == codes[i-1].System {
			codes[i].System = codes[i-1].System
		} else {
			codes[i].System = strings.Clone(codes[i].System)
		}
	}
	e.cache.put(question, &keeping{value: codes, made: a.made, weight: len(codes)})
	return codes, nil
}

// Expand returns the codes of the value set with a canonical URL, which may end
// in |version, each once; they must not be changed. Faults: Refused, whose issue has the code not-found for
// a definition that is not known, not-supported for one that cannot be evaluated
// here, too-costly for more than MaxCodes codes.
func (e *Engine) Expand(ctx context.Context, canonical string) ([]spec.Coding, error) {
	return e.answer(ctx, "expand "+canonical, func(a *asking) (*set, error) { return a.expand(ctx, canonical, nil) })
}

// Subsumed returns a code of a code system with all codes below it or, if up,
// above it; they must not be changed. Faults as of Expand; not-found also when the
// code system has no such code.
func (e *Engine) Subsumed(ctx context.Context, system, code string, up bool) ([]spec.Coding, error) {
	question := fmt.Sprintf("subsumed %t %q %s", up, system, code)
	return e.answer(ctx, question, func(a *asking) (*set, error) { return a.subsumed(ctx, system, code, up) })
}

func (a *asking) subsumed(ctx context.Context, system, code string, up bool) (*set, error) {
	cs, err := a.codeSystem(ctx, system)
	if err != nil {
		return nil, err
	}
	if err := cs.isHierarchy(); err != nil {
		return nil, err
	}
	if !cs.has(code) {
		return nil, lacking("not-found", "the code is not one of its code system")
	}
	next := cs.children
	if up {
		next = cs.parents
	}
	found := set{}
	for _, c := range reach(next, code) {
		if err := found.add(spec.Coding{System: cs.url, Code: c}); err != nil {
			return nil, err
		}
	}
	return &found, nil
}

// lacking is the fault of a question that cannot be answered.
func lacking(code, text string) error {
	return fault.With(fault.Refused, fault.Issue{Code: code, Text: text})
}

// set is codes in the order of their finding, each once.
type set struct {
	codes []spec.Coding
	known map[spec.Coding]bool
}

func (s *set) add(c spec.Coding) error {
	if s.known[c] {
		return nil
	}
	if len(s.codes) == MaxCodes {
		return lacking("too-costly", "the value set has more codes than can be searched for at once")
	}
	if s.known == nil {
		s.known = map[spec.Coding]bool{}
	}
	s.known[c], s.codes = true, append(s.codes, c)
	return nil
}

func (s *set) addAll(codes []spec.Coding) error {
	for _, c := range codes {
		if err := s.add(c); err != nil {
			return err
		}
	}
	return nil
}

// keep removes the codes for which in is not what other says.
func (s *set) keep(other *set, in bool) {
	s.codes = slices.DeleteFunc(s.codes, func(c spec.Coding) bool {
		gone := other.known[c] != in
		if gone {
			delete(s.known, c)
		}
		return gone
	})
}

// expand is Expand; within are the value sets that import this one.
func (a *asking) expand(ctx context.Context, canonical string, within []string) (*set, error) {
	if slices.Contains(within, canonical) {
		return nil, lacking("not-supported", "the value set imports itself")
	}
	url, version, _ := strings.Cut(canonical, "|")
	stored, err := a.find(ctx, "ValueSet", url, version)
	if err != nil {
		return nil, err
	}
	if stored.Read != nil {
		n, err := stored.Read()
		if err != nil {
			return nil, err
		}
		return a.valueSet(ctx, n, append(slices.Clip(within), canonical))
	}
	found := &set{}
	if own := a.defs.ValueSet(url); own != nil && (version == "" || version == a.defs.Version) {
		return found, found.addAll(own.Codes)
	}
	return nil, lacking("not-found", "the value set is not known: there is none with that url and version, nor is it one of FHIR's own that a required binding uses")
}

// valueSet expands a definition. An expansion that it brings is taken as it is.
func (a *asking) valueSet(ctx context.Context, n fhir.Node, within []string) (*set, error) {
	found := &set{}
	if expansion := n.Get("expansion"); expansion.Exists() {
		count := 0
		if err := found.contained(expansion, &count); err != nil {
			return nil, err
		}
		if total, err := strconv.Atoi(expansion.Get("total").Text()); err == nil && total > count {
			return nil, lacking("not-supported", "the value set is stored with a part of its expansion only")
		}
		return found, nil
	}
	compose := n.Get("compose")
	if !compose.Get("include").Exists() {
		return nil, lacking("not-supported", "the value set says neither by composition nor by expansion what is in it")
	}
	for part := range compose.Get("include").Children {
		codes, err := a.component(ctx, part, within)
		if err != nil {
			return nil, err
		}
		if err := found.addAll(codes.codes); err != nil {
			return nil, err
		}
	}
	for part := range compose.Get("exclude").Children {
		codes, err := a.component(ctx, part, within)
		if err != nil {
			return nil, err
		}
		found.keep(codes, false)
	}
	return found, nil
}

// contained adds the codes of an expansion. Abstract ones only group others.
func (s *set) contained(n fhir.Node, count *int) error {
	for c := range n.Get("contains").Children {
		*count++
		if code := c.Get("code").Text(); code != "" && c.Get("abstract").Text() != "true" {
			if err := s.add(spec.Coding{System: c.Get("system").Text(), Code: code}); err != nil {
				return err
			}
		}
		if err := s.contained(c, count); err != nil {
			return err
		}
	}
	return nil
}

// component returns the codes of an include or exclude: those that its system's
// part and all its value sets have in common (FHIR R4 valueset §4.9.4).
func (a *asking) component(ctx context.Context, n fhir.Node, within []string) (*set, error) {
	var found *set
	if system := n.Get("system").Text(); system != "" {
		codes, err := a.ofSystem(ctx, n, system)
		if err != nil {
			return nil, err
		}
		found = codes
	}
	for imported := range n.Get("valueSet").Children {
		codes, err := a.expand(ctx, imported.Text(), within)
		if err != nil {
			return nil, err
		}
		if found == nil {
			found = codes
		} else {
			found.keep(codes, true)
		}
	}
	if found == nil {
		return nil, lacking("not-supported", "a part of the value set names neither a system nor a value set")
	}
	return found, nil
}

// ofSystem returns the codes that a component takes out of a code system: those
// listed, those that pass its filters, or all.
func (a *asking) ofSystem(ctx context.Context, n fhir.Node, system string) (*set, error) {
	found := &set{}
	if listed := n.Get("concept"); listed.Exists() {
		for c := range listed.Children {
			if err := found.add(spec.Coding{System: system, Code: c.Get("code").Text()}); err != nil {
				return nil, err
			}
		}
		return found, nil
	}
	canonical := system
	if version := n.Get("version").Text(); version != "" {
		canonical += "|" + version
	}
	cs, err := a.codeSystem(ctx, canonical)
	if err != nil {
		return nil, err
	}
	var filters []filter
	for f := range n.Get("filter").Children {
		pass, err := cs.filter(f)
		if err != nil {
			return nil, err
		}
		filters = append(filters, pass)
	}
	for _, c := range cs.concepts {
		if slices.ContainsFunc(filters, func(pass filter) bool { return !pass(c) }) {
			continue
		}
		if err := found.add(spec.Coding{System: system, Code: c.code}); err != nil {
			return nil, err
		}
	}
	return found, nil
}
