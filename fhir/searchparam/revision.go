package searchparam

// Revision counts how the values of the parameter have changed between programs,
// or what engines index of them. Whoever changes either raises it for the
// parameters concerned; the next start then indexes stored resources anew, in
// the background. It is 1 for how Salus 0.1 did it. It may look at what the
// definition says only: kind and code.
//
//	2  Reference    absolute references are also found by Type/id, and those to a version without it (search.Ref)
//	   Composite    the same in a component that is a reference; a long string is found to its end
//	   Token        identifiers are also found by their type (search.OfType)
//	   URI          a profile is also found with its version
//	   Position     there were none
func (p *Param) Revision() int {
	switch {
	case p.Kind == Reference, p.Kind == Composite, p.Kind == Token, p.Kind == Position, p.Code == "_profile":
		return 2
	}
	return 1
}
