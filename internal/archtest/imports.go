package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// impure are packages that vocabulary and engines do without: files come to
// them as io.Reader or fs.FS, time as time.Time.
var impure = []string{"net/http", "database/sql", "os", "os/exec", "net", "internal/serve"}

// Imports checks what packages import against the plan and returns a line for
// each violation.
func Imports(rooms []Room, exceptions []Exception, fences []Fence, packages []Package) []string {
	c := &imports{rooms: map[string]Room{}, exceptions: exceptions, fences: fences}
	for _, r := range rooms {
		c.rooms[r.Path] = r
	}
	listed := map[string]bool{}
	for _, p := range packages {
		listed[p.Path()] = true
		room, ok := c.rooms[p.Path()]
		if !ok {
			c.report("%s: not in the plan; add a line to Rooms", p.Path())
			continue
		}
		for _, to := range p.Imports {
			c.check(room, to)
		}
		for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
			c.checkTest(room, to)
		}
	}
	for _, r := range rooms {
		if !listed[r.Path] {
			c.report("%s: in the plan, but there is no such package", r.Path)
		}
	}
	for i, e := range exceptions {
		if !slices.Contains(c.used, i) && listed[e.From] {
			c.report("%s → %s: an exception that nothing needs", e.From, e.To)
		}
	}
	return c.violations
}

type imports struct {
	rooms      map[string]Room
	exceptions []Exception
	fences     []Fence
	used       []int // exceptions
	violations []string
}

func (c *imports) report(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

func (c *imports) check(from Room, imported string) {
	path, own := strings.CutPrefix(imported, Module+"/")
	if from.Layer <= Engine && slices.Contains(impure, path) {
		c.report("%s → %s: a package of layer %v touches neither network nor files", from.Path, imported, from.Layer)
		return
	}
	for _, f := range c.fences {
		if within(imported, f.Module) && !slices.Contains(f.Inside, from.Path) {
			c.report("%s → %s: outside its fence: %s", from.Path, imported, f.Meaning)
		}
	}
	to, ok := c.rooms[path]
	if !own || !ok { // what is not in the plan is reported as such
		return
	}
	if rule := forbidden(from, to); rule != "" && !c.excepted(from.Path, path) {
		c.report("%s → %s: %s", from.Path, path, rule)
	}
}

// forbidden returns the rule against the import, or "".
func forbidden(from, to Room) string {
	sameDomain := from.Domain == to.Domain
	switch {
	case from.Layer >= Whole && to.Layer < from.Layer:
		return "" // they know everything below
	case to.Layer > from.Layer:
		return fmt.Sprintf("imports point down, from %v never to %v", from.Layer, to.Layer)
	case to.Layer == from.Layer && from.Layer == Adapter:
		return "adapters do not know each other"
	case to.Layer == from.Layer && from.Layer == Transport:
		return "transports do not know each other"
	case to.Layer == from.Layer && from.Layer >= Whole:
		return fmt.Sprintf("a package of layer %v is imported by none of its layer", from.Layer)
	case from.Layer == Adapter && to.Layer == UseCase:
		return "adapters do not know use cases"
	case from.Layer == Transport && to.Layer == Adapter:
		return "transports and adapters meet in platform alone"
	case !sameDomain && to.Domain != "" && to.Layer > Vocabulary:
		return "across domains only vocabulary is known"
	case !sameDomain && to.Layer == from.Layer && from.Layer > Foundation:
		return "vocabularies of different domains do not know each other"
	}
	return ""
}

// checkTest holds tests to less: they may use whatever they like of what is
// below the whole.
func (c *imports) checkTest(from Room, imported string) {
	path, own := strings.CutPrefix(imported, Module+"/")
	if to := c.rooms[path]; own && to.Layer >= Whole && from.Layer < to.Layer {
		c.report("%s → %s: imports point down, in tests too", from.Path, path)
	}
}

func (c *imports) excepted(from, to string) bool {
	for i, e := range c.exceptions {
		if e.From == from && e.To == to {
			c.used = append(c.used, i)
			return true
		}
	}
	return false
}

// within reports whether path is prefix or below it, or a major version of it.
func within(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}
