package search

import (
	"slices"

	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/searchparam"
)

// Plan is a checked, engine-neutral search. An engine answers it with a Page.
type Plan struct {
	Branches []Branch // one per resource type searched
	Sort     []SortKey
	Count    int  // page size; 0 asks for the total only
	Total    bool // an exact total is wanted

	Includes    []Include // followed from the page's matches
	RevIncludes []Include
	MaxIncludes int // included resources on a page at most

	Explain bool // Page.Explained is wanted

	After []byte // the Page.Next of the page before; nil for the first page

	// AfterIncluded is the Page.NextIncluded of an answer to the same plan. It asks
	// for more of what that answer's matches include, and for nothing else: the page
	// has no matches, total or Next. Nil for matches.
	AfterIncluded []byte
}

// Branch is the part of a plan that concerns one resource type.
type Branch struct {
	Type   fhir.Type
	Filter Filter // nil selects every resource of the type
}

// Filter is a condition on a resource: And, Or, Not, Match, Missing, IDs,
// Updated, Chain, Has or Content.
type Filter interface{ isFilter() }

// And holds when all its parts hold.
type And []Filter

// Or holds when one of its parts holds.
type Or []Filter

// Not holds when its part does not, also for resources that lack the element.
type Not struct{ Filter Filter }

// Match holds when one of the resource's values of Param satisfies Operand.
type Match struct {
	Param   *searchparam.Param
	Operand Operand
}

// Missing holds when the resource has no value of Param (or has one, if Missing is false).
type Missing struct {
	Param   *searchparam.Param
	Missing bool
}

// IDs holds when the resource's logical id is one of the list.
type IDs []fhir.ID

// Updated compares meta.lastUpdated.
type Updated struct{ Date Date }

// Chain holds when Param refers to a current resource of type Target for which
// Filter holds (nil: any).
type Chain struct {
	Param  *searchparam.Param
	Target fhir.Type
	Filter Filter
}

// Has holds when a current resource of Param's type refers to this one through
// Param and Filter holds for it (nil: any).
type Has struct {
	Param  *searchparam.Param
	Filter Filter
}

func (And) isFilter()     {}
func (Or) isFilter()      {}
func (Not) isFilter()     {}
func (Match) isFilter()   {}
func (Missing) isFilter() {}
func (IDs) isFilter()     {}
func (Updated) isFilter() {}
func (Chain) isFilter()   {}
func (Has) isFilter()     {}

// Operand is what a parameter's values are compared with: Token, Text, OfType,
// *Concepts, Date, Number, Quantity, Ref, URI, Near or Composite, as the parameter's kind
// demands.
// A Token with a reference compares its identifier, a Text with a token its text.
type Operand interface{ isOperand() }

// Prefix is the comparison of an ordered value.
type Prefix uint8

// The prefixes (FHIR R4 search §3.1.1.4.7).
const (
	Eq Prefix = iota
	Ne
	Gt
	Lt
	Ge
	Le
	Sa
	Eb
	Ap
)

// Token compares system and code. AnySystem: "code". Otherwise System must be
// equal, where "" means that there is none: "|code". AnyCode: "system|".
type Token struct {
	System, Code       string
	AnySystem, AnyCode bool
}

// OfType compares an identifier's value and one of the codings of its type.
// Index values for it have no System and Code of their own but two Parts (see
// searchparam.Value).
type OfType struct{ System, Code, Value string }

// Concepts compares system and code with many: those of a value set, or a code
// and all above (Up) or below it in its code system. Who plans the search puts
// Codes in, which is all that an engine looks at; each has its system and code.
type Concepts struct {
	ValueSet     string // canonical URL, maybe with |version, or ValueSet/id; empty for System and Code
	System, Code string
	Up           bool

	Codes []Token
}

// TextMode is how a string is compared.
type TextMode uint8

// The ways to compare strings. Exact works on the text as it is, the others on
// normalised text (see searchparam.Normalize): Whole is equality, Ends the end.
const (
	Starts TextMode = iota
	Contains
	Exact
	Whole
	Ends
)

// Text compares a string parameter.
type Text struct {
	Mode TextMode
	Text string // as the user wrote it
}

// Date compares with the closed interval Start to End. With S and E the ends of
// a stored interval as follows.
//
// Compat: a date without prefix finds in the reference what overlaps with it, under
// FHIR's rules what lies within it; le and ge follow.
//
//	eq  S ≤ End and E ≥ Start (overlap; the reference's rule)
//	    or, if Within, S ≥ Start and E ≤ End (FHIR R4's rule)
//	ne  S < Start or E > End
//	lt  S < Start    le  S ≤ End, or if Within, lt or eq
//	gt  E > End      ge  E ≥ Start, or if Within, gt or eq
//	sa  S > End      eb  E < Start
//	ap  as eq with overlap, the interval already widened
type Date struct {
	Prefix     Prefix
	Start, End searchparam.Ticks
	Within     bool
}

// Number compares with Value (gt lt ge le sa eb) or with the window from Low to
// High around it (eq ne ap), which the writer of the plan has computed. The
// window is closed, or without High if Open.
//
//	eq, ap  L ≥ Low and H ≤ High (Open: H < High), for a stored range L to H
//	ne      not that
//	gt, ge  H > Value, H ≥ Value     lt, le  L < Value, L ≤ Value
//	sa      L > Value                eb      H < Value
type Number struct {
	Prefix           Prefix
	Value, Low, High decimal.Decimal
	Open             bool
}

// Quantity compares a Number and, unless AnyUnit, the unit: Code must be equal,
// and System too unless AnySystem. AnyCode leaves only the system. A unit of UCUM
// is compared in value with all units of its dimension: In says how.
type Quantity struct {
	Number
	System, Code                string
	AnyUnit, AnySystem, AnyCode bool
}

// Ref compares a reference.
//
//	Type and ID            a reference to that resource here or, unless Here, an absolute one that
//	                       ends in Type/ID, whatever its base
//	ID with Types          the same for each of Types ("123"), or a reference that is stored as the id alone
//	URL                    a reference with exactly that text (external, canonical, urn), or with it and a version
//	                       (/_history/…) behind it
type Ref struct {
	Type  fhir.Type
	Types []fhir.Type
	ID    fhir.ID
	Here  bool
	URL   string
}

// URIMode is how a URI is compared.
type URIMode uint8

// The ways to compare URIs. Below: the stored one starts with the searched one;
// Above: the searched one starts with the stored one. Both leave out URNs. With
// Segments the shorter must end where a segment of the longer one's path does.
const (
	Equal URIMode = iota
	Below
	Above
)

// URI compares a uri parameter.
type URI struct {
	Mode     URIMode
	Text     string
	Segments bool
}

// EndsSegment reports whether the first n bytes of a URI end where a segment of
// its path does, before or behind the slash, or are all of it.
func EndsSegment(uri string, n int) bool {
	return n == len(uri) || n > 0 && n < len(uri) && (uri[n] == '/' || uri[n-1] == '/')
}

// Composite compares the components of one composite value, all of which must
// match. It may have fewer parts than the parameter has components.
type Composite struct{ Parts []Operand }

func (Token) isOperand()     {}
func (Text) isOperand()      {}
func (OfType) isOperand()    {}
func (*Concepts) isOperand() {}
func (Date) isOperand()      {}
func (Number) isOperand()    {}
func (Quantity) isOperand()  {}
func (Ref) isOperand()       {}
func (URI) isOperand()       {}
func (Composite) isOperand() {}

// SortKey is one key of the order: one of Param, Updated, ID and Type. Ascending
// takes the least of several values and puts resources without a value first;
// descending takes the greatest and puts them last.
//
// Compat: resources without a value come first when sorted ascending and last when
// sorted descending, as in the reference; FHIR leaves it open.
type SortKey struct {
	Param      *searchparam.Param // of the first branch's type; engines look the code up for other types; nil for the others
	Updated    bool               // by meta.lastUpdated
	ID         bool               // by logical id, in the order of its bytes
	Type       bool               // by the name of the resource type
	Descending bool
}

// Include asks for resources at the other end of a reference: from a match to
// the targets of Param (Includes), or from a match to the resources of Param's
// type that refer to it (RevIncludes).
type Include struct {
	Param  *searchparam.Param
	Target fhir.Type // only this type; empty for all

	// Iterate follows the reference also from included resources, round by round:
	// first from the matches, then from what the round before has added, until a
	// round adds nothing.
	Iterate bool

	// Once makes an iterating include end with the first round that has resources
	// which it starts from: of Param's type, or for a RevInclude of a type that
	// Param can refer to (Target, if that is set).
	Once bool
}

// Iterates reports whether an include goes on from included resources.
func (p *Plan) Iterates() bool {
	iterates := func(i Include) bool { return i.Iterate }
	return slices.ContainsFunc(p.Includes, iterates) || slices.ContainsFunc(p.RevIncludes, iterates)
}

// From returns the types that an include of Includes starts from.
func (i Include) From() []fhir.Type { return []fhir.Type{i.Param.Type} }

// To returns the types that an include of Includes leads to, or one of
// RevIncludes starts from.
func (i Include) To() []fhir.Type {
	if i.Target != "" {
		return []fhir.Type{i.Target}
	}
	return i.Param.Targets
}

// Page is the answer to a plan.
type Page struct {
	Matches   []fhir.Version
	Included  []fhir.Version // without those that are matches of the page, each once
	Truncated bool           // more could have been included
	Total     int64          // of all matches; -1 when not asked for
	Next      []byte         // for Plan.After of the next page; nil when this is the last

	// Explained tells line by line how the engine made the page, in the engine's own
	// words: as far as it has them conditions with estimated and real numbers, ways
	// taken, and time. No line holds a searched value. Nil unless asked for.
	Explained []string

	// NextIncluded is for Plan.AfterIncluded, to go on with what is included; nil
	// when that was all, and always when an include iterates: how far it got
	// cannot be told.
	NextIncluded []byte
}
