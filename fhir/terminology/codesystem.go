package terminology

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"salus/fhir"
)

// codeSystem is a code system taken apart. It shares no bytes with its definition.
type codeSystem struct {
	url      string
	meaning  string // hierarchyMeaning; empty when it says nothing
	concepts []*concept
	byCode   map[string]*concept
	children map[string][]string
	parents  map[string][]string
}

// concept is a code with what filters look at.
type concept struct {
	code       string
	display    string
	properties map[string][]string
}

// The properties by which a concept names those above and below it, besides its
// place in the tree (FHIR R4 codesystem-concept-properties).
const (
	conceptProperties = "http://hl7.org/fhir/concept-properties#"
	maxNesting        = 100
	maxPattern        = 1000 // characters of a regular expression
)

// codeSystem finds a code system and takes it apart. It has to be stored whole.
func (a *asking) codeSystem(ctx context.Context, canonical string) (*codeSystem, error) {
	url, version, _ := strings.Cut(canonical, "|")
	stored, err := a.find(ctx, "CodeSystem", url, version)
	if err != nil {
		return nil, err
	}
	if stored.Read == nil {
		return nil, lacking("not-found", "the code system is not known: its definition would have to be stored as a CodeSystem")
	}
	name := fmt.Sprintf("%s/%d/%d %s", stored.Key, stored.Number, stored.Updated.UnixNano(), url)
	if k := a.cache.get(name); k != nil {
		return k.value.(*codeSystem), nil
	}
	n, err := stored.Read()
	if err != nil {
		return nil, err
	}
	cs, err := newCodeSystem(n, url)
	if err != nil {
		return nil, err
	}
	a.cache.put(name, &keeping{value: cs, weight: len(cs.concepts) * conceptWeight})
	return cs, nil
}

func newCodeSystem(n fhir.Node, url string) (*codeSystem, error) {
	if n.Get("content").Text() != "complete" {
		return nil, lacking("not-supported", "the code system's content is not stored whole (CodeSystem.content is not complete)")
	}
	cs := &codeSystem{
		url: strings.Clone(url), meaning: strings.Clone(n.Get("hierarchyMeaning").Text()), byCode: map[string]*concept{},
		children: map[string][]string{}, parents: map[string][]string{},
	}
	up, down := map[string]bool{"parent": true, "subsumedBy": true}, map[string]bool{"child": true}
	for p := range n.Get("property").Children {
		switch strings.TrimPrefix(p.Get("uri").Text(), conceptProperties) {
		case "parent", "subsumedBy":
			up[p.Get("code").Text()] = true
		case "child":
			down[p.Get("code").Text()] = true
		}
	}
	if err := cs.read(n, "", 0); err != nil {
		return nil, err
	}
	for _, c := range cs.concepts {
		for _, name := range slices.Sorted(maps.Keys(c.properties)) {
			for _, other := range c.properties[name] {
				switch {
				case up[name]:
					cs.link(other, c.code)
				case down[name]:
					cs.link(c.code, other)
				}
			}
		}
	}
	return cs, nil
}

// read takes the concepts of n, which stand below parent ("" for none).
func (cs *codeSystem) read(n fhir.Node, parent string, depth int) error {
	if depth > maxNesting {
		return lacking("not-supported", "the code system's concepts are nested too deeply")
	}
	for child := range n.Get("concept").Children {
		c := &concept{code: strings.Clone(child.Get("code").Text()), display: strings.Clone(child.Get("display").Text())}
		if c.code == "" || cs.byCode[c.code] != nil {
			continue
		}
		for p := range child.Get("property").Children {
			for v := range p.Children {
				if !strings.HasPrefix(v.Name(), "value") {
					continue
				}
				text := v.Text()
				if v.Kind() == fhir.Object {
					text = v.Get("code").Text() // of a Coding
				}
				if c.properties == nil {
					c.properties = map[string][]string{}
				}
				name := strings.Clone(p.Get("code").Text())
				c.properties[name] = append(c.properties[name], strings.Clone(text))
			}
		}
		cs.concepts, cs.byCode[c.code] = append(cs.concepts, c), c
		if parent != "" {
			cs.link(parent, c.code)
		}
		if err := cs.read(child, c.code, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (cs *codeSystem) link(parent, child string) {
	if !slices.Contains(cs.children[parent], child) {
		cs.children[parent] = append(cs.children[parent], child)
		cs.parents[child] = append(cs.parents[child], parent)
	}
}

func (cs *codeSystem) has(code string) bool { return cs.byCode[code] != nil }

// isHierarchy refuses a hierarchy of another meaning than subsumption.
func (cs *codeSystem) isHierarchy() error {
	if cs.meaning != "" && cs.meaning != "is-a" {
		return lacking("not-supported", "the code system's hierarchy is not one of subsumption (CodeSystem.hierarchyMeaning is not is-a)")
	}
	return nil
}

// reach returns code and all codes that next leads to from it, each once.
func reach(next map[string][]string, code string) []string {
	found := []string{code}
	seen := map[string]bool{code: true}
	for i := 0; i < len(found); i++ {
		for _, c := range next[found[i]] {
			if !seen[c] {
				seen[c], found = true, append(found, c)
			}
		}
	}
	return found
}

// filter tells whether a concept is selected.
type filter func(*concept) bool

// filter makes a compose.include.filter (FHIR R4 valueset-filter-operator).
func (cs *codeSystem) filter(n fhir.Node) (filter, error) {
	property, op, value := n.Get("property").Text(), n.Get("op").Text(), n.Get("value").Text()
	switch op {
	case "is-a", "descendent-of", "is-not-a", "generalizes":
		return cs.hierarchyFilter(op, value)
	}
	values := func(c *concept) []string {
		switch property {
		case "code", "concept":
			return []string{c.code}
		case "display":
			return []string{c.display}
		case "parent":
			return cs.parents[c.code]
		case "child":
			return cs.children[c.code]
		}
		return c.properties[property]
	}
	switch op {
	case "=":
		return func(c *concept) bool { return slices.Contains(values(c), value) }, nil
	case "in", "not-in":
		listed := map[string]bool{}
		for s := range strings.SplitSeq(value, ",") {
			listed[strings.TrimSpace(s)] = true
		}
		return func(c *concept) bool {
			return slices.ContainsFunc(values(c), func(s string) bool { return listed[s] }) == (op == "in")
		}, nil
	case "exists":
		return func(c *concept) bool { return (len(values(c)) > 0) == (value == "true") }, nil
	case "regex":
		if len(value) <= maxPattern {
			if pattern, err := regexp.Compile("^(?:" + value + ")$"); err == nil {
				return func(c *concept) bool { return slices.ContainsFunc(values(c), pattern.MatchString) }, nil
			}
		}
		return nil, lacking("not-supported", "a filter of the value set has a regular expression that is not supported")
	}
	return nil, lacking("not-supported", "a filter of the value set has an operation that is not supported")
}

// hierarchyFilter selects by the place of a concept above or below another.
func (cs *codeSystem) hierarchyFilter(op, code string) (filter, error) {
	if err := cs.isHierarchy(); err != nil {
		return nil, err
	}
	if !cs.has(code) {
		return nil, lacking("not-found", "a filter of the value set names a code that its code system does not have")
	}
	next := cs.children
	if op == "generalizes" {
		next = cs.parents
	}
	reached := map[string]bool{}
	for _, c := range reach(next, code) {
		reached[c] = true
	}
	if op == "descendent-of" {
		delete(reached, code)
	}
	return func(c *concept) bool { return reached[c.code] == (op != "is-not-a") }, nil
}
