// Package interaction is what a FHIR service does with resources: create, read,
// vread, update, delete, search and history, with their conditional forms
// (FHIR R4 http §3.1.0).
//
// It promises that a resource is stored only when it is valid and under the
// preconditions its writer gave; that two writers of one resource lose nothing;
// that a conditional write happens only while its criteria match what they did
// when it was decided; and that an update which changes nothing makes no version.
// Parsing bodies, headers and URLs off the wire and writing answers is left to
// package rest, doing many interactions at once to package bundle.
package interaction

import (
	"context"
	"errors"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/store"
	"salus/fhir/terminology"
)

// Validator tells whether a resource may be stored.
type Validator interface {
	// Resource returns nil or a fault with an issue for each rule that n breaks.
	Resource(n fhir.Node) error
}

// Parameters keeps the search parameters that clients define by resources.
type Parameters interface {
	// Admit checks writes that are about to be committed. After it succeeds, settle
	// must be called, with whether they were.
	Admit(ctx context.Context, writes []store.Write) (settle func(committed bool), err error)
	// Deletable tells whether a SearchParameter that exists or does not may be deleted.
	Deletable(key fhir.Key, exists bool) error
	// Reached is told the base URL of a write.
	Reached(ctx context.Context, base string) error
}

// Options are the parts of a Service; all are needed except Parameters, Now and NewID.
type Options struct {
	Definitions *spec.Definitions
	Params      searchparam.Source
	Parameters  Parameters // nil leaves SearchParameter resources without effect
	Parser      *search.Parser
	Validator   Validator
	Store       store.Store
	Compat      fhir.Compat
	Versioning  fhir.Versioning
	Integrity   bool             // references must lead somewhere
	Now         func() time.Time // time.Now when nil
	NewID       func() fhir.ID   // fhir.NewID when nil
}

// Service does the interactions of one FHIR service. It is safe for concurrent use.
type Service struct {
	defs      *spec.Definitions
	params    searchparam.Source
	defines   Parameters // may be nil
	parser    *search.Parser
	validator Validator
	store     store.Store
	compat    fhir.Compat
	policies  fhir.Versioning
	integrity bool
	now       func() time.Time
	newID     func() fhir.ID
	turns     turnstiles

	terminology *terminology.Engine
}

// New returns a Service made of the parts in o.
func New(o Options) *Service {
	s := &Service{
		defs: o.Definitions, params: o.Params, defines: o.Parameters, parser: o.Parser,
		validator: o.Validator, store: o.Store, now: o.Now, newID: o.NewID,
		compat: o.Compat, policies: o.Versioning, integrity: o.Integrity,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = fhir.NewID
	}
	s.terminology = terminology.New(conformance{s}, s.defs)
	return s
}

// Definitions returns the definitions that the service follows.
func (s *Service) Definitions() *spec.Definitions { return s.defs }

// Compat returns whose rules the service follows where they differ.
func (s *Service) Compat() fhir.Compat { return s.compat }

// Versioning returns the policy of a type.
func (s *Service) Versioning(t fhir.Type) fhir.VersionPolicy { return s.policies.Of(t) }

// Integrity reports whether the service keeps referential integrity.
func (s *Service) Integrity() bool { return s.integrity }

// known refuses types that the service does not have.
func (s *Service) known(t fhir.Type) error {
	if !s.defs.IsResource(string(t)) {
		return fault.New(fault.NotFound, "there is no resource type with the name given (names are case-sensitive)")
	}
	return nil
}

// maxAttempts bounds how often a write is tried that keeps losing races. Every
// lost race is another writer's success, so this many may write one resource
// at the same moment and all get through.
const maxAttempts = 128

// Retry calls attempt until it ends in anything but a lost race, which it may do
// maxAttempts times. attempt must read afresh what it bases its write on.
func Retry(ctx context.Context, attempt func() error) error {
	var err error
	for range maxAttempts {
		if err = attempt(); !fault.Is(err, fault.Conflict) || errors.Is(err, errReferredTo) {
			return err
		}
		if ctx.Err() != nil {
			return interrupted(ctx)
		}
	}
	return err
}

// interrupted is the fault of a request whose context ended while it waited
// for other writers.
func interrupted(ctx context.Context) error {
	kind := fault.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind = fault.Timeout
	}
	return fault.Wrap(kind, ctx.Err(), "the request ended while it waited for other writers")
}
