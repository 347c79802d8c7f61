// Package bundle processes batch and transaction bundles (FHIR R4 http §3.1.0.11).
//
// It promises that a batch does each entry by itself and that a transaction
// happens whole or not at all, in one write to the store; that entries take
// effect in the order DELETE, POST, PUT, PATCH, GET whatever their place; that the
// results stand in the order of the request; and that a transaction's links
// between its entries are rewritten to the ids given to them. What one entry
// means is left to package interaction, how a GET entry is answered and how
// results become JSON to the caller.
package bundle

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
)

// DefaultEntryLimit is the most entries that a bundle may have unless Options say otherwise.
const DefaultEntryLimit = 10_000

// DefaultTimeout is how long a bundle may take unless Options say otherwise.
const DefaultTimeout = 100 * time.Second

// Options are the settings of a Processor.
type Options struct {
	EntryLimit int           // most entries of a bundle; DefaultEntryLimit when 0
	Timeout    time.Duration // of one bundle; DefaultTimeout when 0
}

// Processor processes bundles over one service. It is safe for concurrent use.
type Processor struct {
	service *interaction.Service
	limit   int
	timeout time.Duration
}

// New returns a Processor over s.
func New(s *interaction.Service, o Options) *Processor {
	if o.EntryLimit == 0 {
		o.EntryLimit = DefaultEntryLimit
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return &Processor{service: s, limit: o.EntryLimit, timeout: o.Timeout}
}

// Get is an entry of a bundle that asks and does not write: a GET, or in a
// batch a search or an operation by POST.
type Get struct {
	Method          string // GET, POST or HEAD
	URL             string // relative to the service's base, with its query
	Body            []byte // of a POST: the entry's resource, as JSON; nil for none
	IfNoneMatch     string
	IfModifiedSince string
}

// Reply is the answer to a Get.
type Reply struct {
	Status       int    // as in HTTP; 200 or 304
	Body         []byte // the resource, as JSON; nil for none
	ETag         string
	LastModified time.Time
}

// Reader answers entries that ask: reads, searches, histories. What is not
// answered comes back as an error, which should be a fault. It is called from
// several goroutines at once.
type Reader func(ctx context.Context, g Get) (Reply, error)

// Request asks to process a bundle.
type Request struct {
	Bundle fhir.Node
	Strict bool   // unknown parameters in criteria are errors
	Base   string // of this service's URLs, without trailing slash
	Read   Reader // nil refuses GET entries
	Logic  string // x-bundle-processing-logic as it was sent: parallel or sequential, in any case; "" is sequential
}

// Response is the answer to a bundle.
type Response struct {
	Type    string // batch-response or transaction-response
	Entries []EntryResult
	Warning error // not nil when the request's Logic was none and the default took its place
}

// EntryResult is the answer to one entry. With Err set only the error counts.
type EntryResult struct {
	Status       int    // as in HTTP; 0 when Err is set
	Location     string // absolute, with the version; empty unless there is a version
	ETag         string
	LastModified time.Time
	Version      *fhir.Version       // the resource that a write left; nil for deletions and GET entries
	Outcome      interaction.Outcome // of a write; 0 for GET entries
	Body         []byte              // the resource that answers a GET entry
	Err          error               // why the entry failed; in a transaction only GET entries can
}

// Process does what the bundle asks. A batch fails only when it cannot be read
// as one: failures of entries are in the response. A transaction fails with
// the kind of its failing entry, an issue that names the entry's verb and URL,
// and the issues of the cause. What is not done when the time is over fails
// with Timeout: the whole of a transaction, the rest of a batch's entries.
func (p *Processor) Process(ctx context.Context, r Request) (*Response, error) {
	kind, err := p.kind(r.Bundle)
	if err != nil {
		return nil, err
	}
	response := &Response{Type: kind + "-response"}
	parallel, err := logic(r.Logic)
	if err != nil {
		// Compat: an unknown x-bundle-processing-logic is 400 in the reference's documents; its tests find the bundle processed and a warning behind its entries.
		if p.strict() {
			return nil, err
		}
		response.Warning = err
	}
	entries := p.decode(r)
	if err := distinctParams(entries); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if kind == "transaction" {
		if response.Entries, err = p.transaction(ctx, r, entries); err != nil {
			return nil, err
		}
		return response, nil
	}
	if parallel {
		refuseOverlap(entries)
	}
	response.Entries = p.batch(ctx, r, entries)
	return response, nil
}

func (p *Processor) strict() bool { return p.service.Compat() == fhir.Strict }

// logic reads x-bundle-processing-logic. Either way the results are those of
// the entries one after the other, but for refuseOverlap.
func logic(header string) (parallel bool, err error) {
	switch strings.ToLower(strings.TrimSpace(header)) {
	case "", "sequential":
		return false, nil
	case "parallel":
		return true, nil
	}
	return false, fault.With(fault.Invalid, fault.Issue{
		Code: "not-supported", Text: "x-bundle-processing-logic must be parallel or sequential",
	})
}

// kind checks the bundle as a whole and returns its type.
func (p *Processor) kind(n fhir.Node) (string, error) {
	if n.Type() != "Bundle" {
		return "", invalid("the body must be a Bundle", "")
	}
	switch typ := n.Get("type"); {
	case !typ.Exists():
		const text = "a bundle needs a type, batch or transaction, to be processed"
		if p.strict() {
			return "", invalid(text, "Bundle.type")
		}
		// Compat: a bundle without type is 405 with the issue code forbidden in the reference, though its documents say 400.
		return "", fault.With(fault.MethodNotAllowed, fault.Issue{Code: "forbidden", Text: text, Expression: "Bundle.type"})
	case typ.Text() != "batch" && typ.Text() != "transaction":
		return "", invalid("only bundles of type batch and transaction can be processed", "Bundle.type")
	}
	entries := n.Get("entry")
	if entries.Exists() && entries.Kind() != fhir.Array {
		return "", invalid("Bundle.entry must be an array", "Bundle.entry")
	}
	if entries.Len() > p.limit {
		return "", invalid("a bundle may have at most "+strconv.Itoa(p.limit)+" entries", "Bundle.entry")
	}
	return n.Get("type").Text(), nil
}

func invalid(text, expression string) *fault.Fault {
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: text, Expression: expression})
}

// written renders the result of a write.
func written(base string, r interaction.Result) EntryResult {
	e := EntryResult{Status: 200, Outcome: r.Outcome}
	if v := r.Version; v.Number > 0 {
		number := strconv.FormatInt(v.Number, 10)
		e.ETag = `W/"` + number + `"`
		e.LastModified = v.Updated
		if !v.Deleted() {
			e.Version = &v
			e.Location = base + "/" + string(v.Type) + "/" + string(v.ID) + "/_history/" + number
		}
	}
	switch r.Outcome {
	case interaction.Created:
		e.Status = 201
	case interaction.Deleted, interaction.AlreadyDeleted:
		e.Status = 204
	}
	return e
}

// answered renders the reply to an entry that asks.
func answered(method string, r Reply, err error) EntryResult {
	if err != nil {
		return EntryResult{Err: err}
	}
	e := EntryResult{Status: r.Status, Body: r.Body, ETag: r.ETag, LastModified: r.LastModified}
	if method == http.MethodHead {
		e.Body = nil
	}
	return e
}
