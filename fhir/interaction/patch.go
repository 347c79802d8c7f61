package interaction

import (
	"context"

	"salus/fault"
	"salus/fhir"
)

// Patch changes a resource by the write's Patch. Without an id the resource is
// found by Criteria, which must match one (FHIR R4 http §3.1.0.6). The outcome is
// checked as an update is, and one that changes nothing makes no version.
//
// Faults: NotFound when there is no such resource or none matches; Gone when it was
// deleted; Invalid for a patch that cannot be applied or leaves a broken resource;
// Precondition when the current version is not that of IfMatch, when the criteria
// match several resources or are none that the service knows.
func (s *Service) Patch(ctx context.Context, w Write) (Result, error) {
	w.IfNoneExist, w.Resource = "", fhir.Node{}
	return s.apply(ctx, &Change{Write: w, Method: fhir.Patch})
}

// patch makes the change's resource out of the current version. It is done anew
// at every attempt, for it rests on that version. The replacement it returns also
// knows the references within the patch.
func (s *Service) patch(ctx context.Context, c *Change, replace func(fhir.Node) (string, bool)) (func(fhir.Node) (string, bool), error) {
	served, err := fhir.Parse(c.Current.JSON())
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the stored resource %s is damaged", c.Key)
	}
	defer served.Release()
	patched, err := c.Patch.Apply(served.Root())
	if err != nil {
		return nil, err
	}
	c.Resource = patched.Root()
	c.body, c.values, c.indexed, c.compared = fhir.Body{}, nil, false, false
	own := make(Links)
	if err := s.ResolveReferences(ctx, c.Resource, c.Base, own); err != nil {
		return nil, err
	}
	both := func(n fhir.Node) (string, bool) {
		if to, ok := own.Replace(n); ok {
			return to, true
		}
		if replace == nil {
			return "", false
		}
		return replace(n)
	}
	return both, s.draft(c, both)
}

// demand holds the write's If-Match against the current version, and refuses an
// update that has none where the type's policy asks for one (FHIR R4
// capabilitystatement, versioning-policy versioned-update).
// For deletions see DeleteExpected.
func (s *Service) demand(c *Change) error {
	removal := c.Method == fhir.Delete || c.Method == fhir.Purge
	if c.Method == fhir.Post || removal && s.compat == fhir.Azure {
		return nil
	}
	if c.expect != 0 && c.Current.Number != c.expect {
		return fault.New(fault.Precondition, "If-Match names version %d, which is not the current version of %s", c.expect, c.Key)
	}
	if c.expect == 0 && !removal && c.exists() && s.policies.Of(c.Type) == fhir.VersionedUpdate {
		return fault.With(fault.Invalid, fault.Issue{
			Code: "invalid", Text: "a valid if-match header is required for resource type " + string(c.Type),
		})
	}
	return nil
}

// drops tells whether the version that the change supersedes is not to be kept:
// where the type's policy keeps none, and where the client asked for it and
// nothing but meta changes.
func (s *Service) drops(c *Change) bool {
	if s.policies.Of(c.Type) == fhir.NoVersion {
		return true
	}
	return c.DropHistory && (c.Method == fhir.Put || c.Method == fhir.Patch) && c.exists() && sameButMeta(c.Current.Body, c.body)
}
