package interaction

import (
	"context"
	"slices"
	"strconv"

	"salus/fault"
	"salus/fhir"
)

// attestable refuses what cannot be stored as the provenance of a write.
func attestable(n fhir.Node) error {
	switch {
	case !n.Exists():
		return nil
	case n.Kind() != fhir.Object || n.Type() != "Provenance":
		return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: "X-Provenance must hold one Provenance as JSON"})
	case n.Get("target").Exists():
		return fault.With(fault.Invalid, fault.Issue{
			Code: "invalid", Text: "the Provenance in X-Provenance must have no target: it becomes the version that is written", Expression: "Provenance.target",
		})
	}
	return nil
}

// attest prepares the creation of c's Provenance, whose target is the version
// that c will make. It is stored in the same write (FHIR R4 http §3.1.0.1.11).
//
// Compat: the reference stores the Provenance of X-Provenance in a second write,
// which can fail by itself, and also where there was nothing to write.
func (s *Service) attest(ctx context.Context, c, provenance *Change, links Links) error {
	raw := c.Provenance.Raw()
	target := c.Key.String() + "/_history/" + strconv.FormatInt(c.Current.Number+1, 10)
	text := append(slices.Clone(raw[:len(raw)-1]), `,"target":[{"reference":"`+target+`"}]}`...)
	doc, err := fhir.Parse(text)
	if err != nil {
		return err
	}
	*provenance = Change{
		Write:  Write{Type: "Provenance", Resource: doc.Root(), Base: c.Base},
		Method: fhir.Post, assigned: provenance.assigned,
	}
	if err := s.Locate(ctx, provenance); err != nil {
		return err
	}
	return s.Prepare(ctx, provenance, links.Replace)
}
