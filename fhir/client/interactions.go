package client

import (
	"context"
	"iter"
	"net/http"
	"strconv"

	"salus/fault"
	"salus/fhir"
)

// Read returns the current version of a resource.
func (c *Client) Read(ctx context.Context, key fhir.Key) (*Response, error) {
	return c.Do(ctx, Request{Method: http.MethodGet, Path: key.String()})
}

// Create makes a resource; the answer's Location names it.
func (c *Client) Create(ctx context.Context, t fhir.Type, body []byte) (*Response, error) {
	return c.Do(ctx, Request{Method: http.MethodPost, Path: string(t), Body: body})
}

// Update makes the next version of a resource, or its first.
func (c *Client) Update(ctx context.Context, key fhir.Key, body []byte) (*Response, error) {
	return c.Do(ctx, Request{Method: http.MethodPut, Path: key.String(), Body: body})
}

// Delete deletes a resource.
func (c *Client) Delete(ctx context.Context, key fhir.Key) error {
	_, err := c.Do(ctx, Request{Method: http.MethodDelete, Path: key.String()})
	return err
}

// Entry is what became of one entry of a batch or transaction.
type Entry struct {
	Status   int
	Location fhir.Key     // of the version made; the zero Key when none was named
	Fault    *fault.Fault // why the entry was refused; nil when it was not
}

// Bundle posts a batch or transaction and returns what became of its entries,
// in their order. A transaction is refused whole, so its error is the call's;
// entries of a batch fail one by one.
func (c *Client) Bundle(ctx context.Context, bundle []byte) ([]Entry, error) {
	resp, err := c.Do(ctx, Request{Method: http.MethodPost, Body: bundle})
	if err != nil {
		return nil, err
	}
	d, err := fhir.Parse(resp.Body)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the FHIR service answered a bundle with something else")
	}
	defer d.Release()
	if d.Root().Type() != "Bundle" {
		return nil, fault.New(fault.Internal, "the FHIR service answered a bundle with something else")
	}
	list := d.Root().Get("entry")
	entries := make([]Entry, 0, list.Len())
	for n := range list.Children {
		r := n.Get("response")
		e := Entry{Location: keyOfText(r.Get("location").Text())}
		e.Status = leadingInt(r.Get("status").Text())
		if e.Status >= 400 {
			e.Fault = Outcome(e.Status, r.Get("outcome"))
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// keyOfText keeps no view of the response's bytes.
func keyOfText(location string) fhir.Key {
	k := KeyOf(location)
	return fhir.Key{Type: fhir.Type([]byte(k.Type)), ID: fhir.ID([]byte(k.ID))}
}

// leadingInt reads the number that a status such as "201 Created" begins with.
func leadingInt(s string) int {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return n
}

// Page is one page of search results, a Bundle of type searchset.
type Page struct {
	Bundle fhir.Node
	Size   int // bytes of JSON
}

// Total returns Bundle.total, -1 when the service did not count.
func (p Page) Total() int64 {
	n, err := strconv.ParseInt(p.Bundle.Get("total").Text(), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// Next returns the link to the next page, "" on the last.
func (p Page) Next() string {
	for l := range p.Bundle.Get("link").Children {
		if l.Get("relation").Text() == "next" {
			return l.Get("url").Text()
		}
	}
	return ""
}

// Matches yields the resources on the page that were searched for, without the
// included ones and outcomes.
func (p Page) Matches(yield func(fhir.Node) bool) {
	for e := range p.Bundle.Get("entry").Children {
		switch e.Path("search", "mode").Text() {
		case "", "match":
			if !yield(e.Get("resource")) {
				return
			}
		}
	}
}

// Search yields the pages of a search such as "Observation?code=8867-4",
// fetching each when it is asked for. It ends after the first error.
func (c *Client) Search(ctx context.Context, query string) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for query != "" {
			resp, err := c.Do(ctx, Request{Method: http.MethodGet, Path: query})
			if err != nil {
				yield(Page{}, err)
				return
			}
			d, err := fhir.Parse(resp.Body)
			if err != nil || d.Root().Type() != "Bundle" {
				yield(Page{}, fault.New(fault.Internal, "the FHIR service answered a search with something other than a bundle"))
				return
			}
			p := Page{Bundle: d.Root(), Size: len(resp.Body)}
			query = p.Next()
			if !yield(p, nil) {
				return
			}
		}
	}
}
