package interaction

import (
	"context"
	"slices"
	"strings"
	"sync"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/patch"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// Write is what a client asks for when it creates or updates a resource.
type Write struct {
	Type        fhir.Type
	ID          fhir.ID   // in the URL of an update or delete; empty on create and conditional update
	Resource    fhir.Node // as it was sent
	Criteria    string    // of a conditional update: the query of its URL
	IfMatch     string    // header as it was sent; empty for none
	IfNoneExist string    // header as it was sent: the query of a conditional create; empty for none
	Strict      bool      // unknown parameters in a query are errors
	Base        string    // of this service's URLs, without trailing slash
	Provenance  fhir.Node // of a create or update: a Provenance without target that is stored with what was written; may be absent
	DropHistory bool      // _meta-history=false: when only meta changes, the version before is not kept

	Patch *patch.Patch // of a patch, in place of Resource
}

// Outcome is what became of a write.
type Outcome uint8

// The outcomes.
const (
	Created        Outcome = iota + 1 // there is a resource where there was none, or only a deleted one
	Updated                           // there is a new version
	Unchanged                         // the update equals the current version, which stays
	Matched                           // a conditional create found a resource; nothing was written
	Deleted                           // there is a deletion, or with a hard delete nothing at all
	AlreadyDeleted                    // there was nothing to delete
)

// Result is a write's outcome with the version that is now current: Number is
// 0 where none is left or ever was.
type Result struct {
	Version fhir.Version
	Outcome Outcome
	Existed bool // an undeleted resource was there before
}

// Change is one write on its way to the store. Locate finds the resource it
// concerns, Prepare makes what will be stored, Step is the write to the store
// and Result what came of it. The steps are apart so that a transaction can do
// each for all its entries before the next.
type Change struct {
	Write
	Method fhir.Method // Post, Put, Patch, Delete or Purge
	Anew   bool        // an update makes a version even when it equals the current one

	Key     fhir.Key     // set by Locate
	Current fhir.Version // set by Prepare, for conditional writes by Locate; Number 0 when there is none
	Found   bool         // a conditional write matched Current

	expect   int64   // version demanded by If-Match; 0 for none
	assigned fhir.ID // by the service
	criteria criteria
	refers   []searchparam.Located // of the resource, when the service keeps integrity
	unless   []search.Branch
	body     fhir.Body
	values   []searchparam.Entry
	indexed  bool
	compared bool // body with Current, to find them
	same     bool
	drop     bool // the superseded version
}

// Afresh returns the change as it was asked for, without what came of it.
func (c *Change) Afresh() Change {
	return Change{Write: c.Write, Method: c.Method, criteria: c.criteria}
}

// Conditional reports whether the change's resource is found by a search.
func (c *Change) Conditional() bool {
	return c.Method == fhir.Post && c.IfNoneExist != "" || c.Method != fhir.Post && c.ID == ""
}

// settled reports whether a conditional create found its resource, so that
// nothing is left to do.
func (c *Change) settled() bool { return c.Method == fhir.Post && c.Found }

// Locate determines the change's key: assigned, from the URL, or by a search.
// It checks all that can be told from the request alone. Called again after a
// lost race it keeps an assigned id.
func (s *Service) Locate(ctx context.Context, c *Change) error {
	if err := s.known(c.Type); err != nil {
		return err
	}
	var err error
	if removal := c.Method == fhir.Delete || c.Method == fhir.Purge; !removal || s.compat == fhir.Strict {
		if c.expect, err = parseIfMatch(c.IfMatch); err != nil {
			return err
		}
	}
	c.Current, c.Found, c.compared = fhir.Version{}, false, false
	if c.Method == fhir.Patch {
		c.Resource = fhir.Node{} // of an attempt before
	}
	before := c.Key
	switch {
	case c.Conditional():
		err = s.locateByCriteria(ctx, c)
	case c.Method == fhir.Post:
		s.assign(c)
	default:
		c.Key = fhir.Key{Type: c.Type, ID: c.ID}
		if c.Method == fhir.Put && !fhir.ValidID(string(c.ID)) {
			err = invalidID()
		}
	}
	if c.Key != before {
		c.body, c.values, c.indexed = fhir.Body{}, nil, false
	}
	return err
}

func invalidID() error {
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: "an id has 1 to 64 characters out of A-Z, a-z, 0-9, - and ."})
}

// assign gives the change an id of the service's making, once.
func (s *Service) assign(c *Change) {
	if c.assigned == "" {
		c.assigned = s.newID()
	}
	c.Key = fhir.Key{Type: c.Type, ID: c.assigned}
}

// Prepare checks the resource, makes the body and index values that will be
// stored, and reads the current version to hold them against. replace, if not
// nil, gives new text for strings of the resource. Different changes may be
// prepared at the same time.
func (s *Service) Prepare(ctx context.Context, c *Change, replace func(fhir.Node) (string, bool)) error {
	if c.settled() {
		return nil
	}
	if c.Method == fhir.Post || c.Method == fhir.Put {
		if err := s.draft(c, replace); err != nil {
			return err
		}
	}
	if c.Method != fhir.Post && !c.Found {
		v, err := s.current(ctx, c.Key)
		if err != nil {
			return err
		}
		c.Current = v
	}
	if c.Method == fhir.Patch {
		if _, err := present(c.Current, c.Key); err != nil {
			return err
		}
	}
	if err := s.deletable(c); err != nil {
		return err
	}
	if err := s.demand(c); err != nil {
		return err
	}
	if c.Method == fhir.Patch {
		var err error
		if replace, err = s.patch(ctx, c, replace); err != nil {
			return err
		}
	}
	c.drop = s.drops(c)
	if c.body.JSON == nil || c.indexed || c.unchanged() {
		return nil
	}
	if err := s.reached(ctx, c.Base); err != nil {
		return err
	}
	return s.index(c, replace)
}

// entries are reused buffers for Extract, because it cannot tell beforehand
// how many values there will be and an Entry is large.
var entries = sync.Pool{New: func() any { return new([]searchparam.Entry) }}

// index extracts the values of the change's resource.
func (s *Service) index(c *Change, replace func(fhir.Node) (string, bool)) error {
	buffer := entries.Get().(*[]searchparam.Entry)
	o := searchparam.Options{Replace: replace, Base: c.Base}
	values, err := (*buffer)[:0], error(nil)
	if s.integrity {
		values, c.refers, err = s.params.Registry().ExtractWhole(values, c.Resource, o)
	} else {
		values, err = s.params.Registry().Extract(values, c.Resource, o)
	}
	if err == nil {
		c.values, c.indexed = slices.Clone(values), true
	}
	clear(values) // holds on to the resource
	*buffer = values[:0]
	entries.Put(buffer)
	return err
}

// draft checks the resource and makes its body, once for a key.
func (s *Service) draft(c *Change, replace func(fhir.Node) (string, bool)) error {
	if c.body.JSON != nil {
		return nil
	}
	n := c.Resource
	if n.Kind() != fhir.Object {
		return fault.With(fault.Invalid, fault.Issue{Code: "structure", Text: "the body must be one resource, a JSON object"})
	}
	if n.Type() != c.Type {
		return fault.With(fault.Invalid, fault.Issue{
			Code: "invalid", Text: "resourceType must be the type in the URL, " + string(c.Type), Expression: "resourceType",
		})
	}
	if id := n.ID(); c.Method == fhir.Put && id != c.Key.ID && (id != "" || c.ID != "") {
		text := "the resource's id must be the id in the URL"
		switch {
		case id == "":
			text = "an update needs the id of the URL in the resource too"
		case c.ID == "":
			text = "the resource's id must be the id of the resource that the criteria match"
		}
		return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: text, Expression: string(c.Type) + ".id"})
	}
	if err := s.validator.Resource(n); err != nil {
		return err
	}
	if c.Method == fhir.Put && subsetted(n) {
		return fault.With(fault.Invalid, fault.Issue{
			Code: "business-rule", Text: "the resource is tagged SUBSETTED: what a search or read left out of it would be lost",
			Expression: string(c.Type) + ".meta.tag",
		})
	}
	c.body = fhir.NewBody(n, c.Key.ID, replace)
	return nil
}

// subsetted reports whether a resource is tagged as a part of another, as it is
// read by _summary or _elements (FHIR R4 search §3.1.1.5.8).
func subsetted(n fhir.Node) bool {
	for tag := range n.Path("meta", "tag").Children {
		system := tag.Get("system").Text()
		if tag.Get("code").Text() == "SUBSETTED" && strings.HasSuffix(system, "ObservationValue") {
			return true
		}
	}
	return false
}

// current returns the current version under key, the zero Version when there is none.
func (s *Service) current(ctx context.Context, key fhir.Key) (fhir.Version, error) {
	if !fhir.ValidID(string(key.ID)) {
		return fhir.Version{}, nil
	}
	v, err := s.store.Read(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return fhir.Version{}, nil
	}
	return v, err
}

func (c *Change) exists() bool { return c.Current.Number > 0 && !c.Current.Deleted() }

func (c *Change) unchanged() bool {
	if c.Method != fhir.Put && c.Method != fhir.Patch || c.Anew || !c.exists() {
		return false
	}
	if !c.compared {
		c.compared, c.same = true, sameContent(c.Current.Body, c.body)
	}
	return c.same
}

// Step returns what the store has to write; ok is false when there is nothing
// to write and Result takes the current version.
func (c *Change) Step() (w store.Write, ok bool) {
	w = store.Write{Key: c.Key, Method: c.Method, Expect: c.Current.Number, Unless: c.unless}
	switch c.Method {
	case fhir.Purge:
		return w, c.Current.Number > 0
	case fhir.Delete:
		w.DropSuperseded = c.drop
		return w, c.exists()
	}
	w.DropSuperseded = c.drop
	w.Body, w.Values = c.body, c.values
	for i := range c.refers {
		w.Require = append(w.Require, c.refers[i].Key)
	}
	if c.criteria.query != nil { // what the search did not find has still not come
		w.Unless = c.criteria.query.Plan.Branches
	}
	return w, !c.settled() && !c.unchanged()
}

// Result tells what came of the change; v is the version that the store made
// of its Step, or the zero Version when there was none.
func (c *Change) Result(v fhir.Version) Result {
	r := Result{Version: v, Existed: c.exists()}
	wrote := v.Key != fhir.Key{}
	if !wrote {
		r.Version = c.Current
		r.Version.Key = c.Key
	}
	switch {
	case c.Method == fhir.Delete || c.Method == fhir.Purge:
		r.Outcome = AlreadyDeleted
		if wrote {
			r.Outcome = Deleted
		}
	case c.settled():
		r.Outcome = Matched
	case !wrote:
		r.Outcome = Unchanged
	case r.Existed:
		r.Outcome = Updated
	default:
		r.Outcome = Created
	}
	return r
}

// commitAll writes the steps of changes and returns what became of each: the
// zero Version where there was nothing to write.
func (s *Service) commitAll(ctx context.Context, changes []*Change) ([]fhir.Version, error) {
	versions := make([]fhir.Version, len(changes))
	var steps []store.Write
	var at []int
	for i, c := range changes {
		if step, ok := c.Step(); ok {
			steps, at = append(steps, step), append(at, i)
		}
	}
	made, err := s.Commit(ctx, steps)
	for i, v := range made {
		versions[at[i]] = v
	}
	return versions, err
}

// apply does one change by itself, again while it loses races.
func (s *Service) apply(ctx context.Context, c *Change) (Result, error) {
	leave, err := s.Exclude(ctx, c)
	if err != nil {
		return Result{}, err
	}
	defer leave()
	links := make(Links)
	for _, n := range []fhir.Node{c.Resource, c.Provenance} {
		if err := s.ResolveReferences(ctx, n, c.Base, links); err != nil {
			return Result{}, err
		}
	}
	if err := attestable(c.Provenance); err != nil {
		return Result{}, err
	}
	var provenance Change
	var result Result
	err = Retry(ctx, func() error {
		if err := s.Locate(ctx, c); err != nil {
			return err
		}
		if err := s.Prepare(ctx, c, links.Replace); err != nil {
			return err
		}
		changes := []*Change{c}
		if c.Provenance.Exists() {
			if err := s.attest(ctx, c, &provenance, links); err != nil {
				return err
			}
			if _, writes := c.Step(); writes {
				changes = append(changes, &provenance)
			}
		}
		if _, err := s.Hold(ctx, changes...); err != nil {
			return err
		}
		versions, err := s.commitAll(ctx, changes)
		if err != nil {
			return err
		}
		result = c.Result(versions[0])
		return nil
	})
	return result, err
}
