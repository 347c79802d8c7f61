// Package patch changes a resource by a JSON Patch (RFC 6902) or a FHIRPath
// Patch (FHIR R4 fhirpatch §2.1.0.7).
//
// It promises that what a patch does not touch keeps its bytes and its place; that
// a patch is applied whole or fails; that no empty object or array is left; and that
// what a client may not change, such as the id, has not changed. The work that
// one patch can cause is bounded. Whether the outcome is a valid resource is left to
// validate, what becomes of it to interaction.
//
// Errors are faults of kind Invalid. Their texts name operations, elements and
// paths without the literals in them, never values.
package patch

import (
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

// The bounds of one patch.
const (
	maxOperations = 10_000
	maxCopied     = 32 << 20  // bytes that copies may add
	maxCompared   = 5_000_000 // values compared by tests
	maxRead       = 256 << 20 // bytes that a FHIRPath Patch reads: its operations times the resource
)

// Patch is a patch that has been read. It is immutable.
type Patch struct {
	json  []pointerOp
	paths []pathOp
	defs  *spec.Definitions
	rules fhir.Compat
}

// Apply returns the resource n changed by the patch, and n's own content where the
// patch does nothing. The resource needs its id, and its meta as it is served.
func (p *Patch) Apply(n fhir.Node) (*fhir.Document, error) {
	root := build(n)
	var err error
	if p.json != nil {
		err = p.applyPointers(&root)
	} else {
		root, err = p.applyPaths(n, root)
	}
	if err != nil {
		return nil, err
	}
	if root == nil || !prune(root) {
		return nil, invalid("the patch leaves nothing of the resource")
	}
	d, err := fhir.Parse(root.append(nil))
	if err != nil {
		return nil, err
	}
	if err := p.immutable(n, d.Root()); err != nil {
		d.Release()
		return nil, err
	}
	return d, nil
}

// immutables are the elements that a patch may not change; of those within meta
// the service takes care, so that they may be absent from a new meta.
//
// Compat: the reference lets no patch change text.div and text.status; FHIR does.
var immutables = []struct {
	path      []string
	mayVanish bool
	azureOnly bool
}{
	{path: []string{"resourceType"}},
	{path: []string{"id"}},
	{path: []string{"meta", "versionId"}, mayVanish: true},
	{path: []string{"meta", "lastUpdated"}, mayVanish: true},
	{path: []string{"text", "div"}, azureOnly: true},
	{path: []string{"text", "status"}, azureOnly: true},
}

// immutable refuses an outcome in which something immutable has changed.
func (p *Patch) immutable(before, after fhir.Node) error {
	for _, im := range immutables {
		if im.azureOnly && p.rules == fhir.Strict {
			continue
		}
		a, b := before.Path(im.path...), after.Path(im.path...)
		if a.Kind() == b.Kind() && a.Text() == b.Text() || im.mayVanish && !b.Exists() {
			continue
		}
		return isImmutable(im.path)
	}
	return nil
}

// guarded refuses to take away what is immutable.
func guarded(path []string) error {
	for _, im := range immutables {
		if im.mayVanish && len(path) == len(im.path) && path[0] == im.path[0] && path[1] == im.path[1] {
			return isImmutable(im.path)
		}
	}
	return nil
}

func isImmutable(path []string) error {
	return invalid("%s is immutable and cannot be changed by a patch", strings.Join(path, "."))
}

func invalid(format string, args ...any) error {
	f := fault.New(fault.Invalid, format, args...)
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: f.Message})
}

func tooMuch() error {
	return fault.New(fault.TooLarge, "the patch asks for too much work; send it in parts")
}
