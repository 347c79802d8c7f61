package rest

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/internal/serve"
)

// search is GET / and GET /{type} (FHIR R4 http §3.1.0.9).
func (s *server) search(w http.ResponseWriter, r *http.Request) error {
	params, err := search.ParseParams(r.URL.RawQuery)
	if err != nil {
		return err
	}
	return s.find(w, r, params)
}

// searchForm is POST /_search and POST /{type}/_search. The parameters of the
// URL count too and come first (FHIR R4 http §3.1.0.9).
func (s *server) searchForm(w http.ResponseWriter, r *http.Request) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return fault.New(fault.MediaType, "Content-Type must be application/x-www-form-urlencoded")
	}
	form, err := serve.ReadBody(r, s.maxBody)
	if err != nil {
		return err
	}
	params, err := search.ParseParams(r.URL.RawQuery)
	if err != nil {
		return err
	}
	more, err := search.ParseParams(string(form))
	if err != nil {
		return err
	}
	return s.find(w, r, append(params, more...))
}

// find does a search and answers with its page.
func (s *server) find(w http.ResponseWriter, r *http.Request, params []search.Param) error {
	f, err := formatOf(r, formatParams(params))
	if err != nil {
		return err
	}
	p, err := prefer(r)
	if err != nil {
		return err
	}
	in := search.Request{Params: params, Strict: p.strict, Base: s.base(r), Now: s.now()}
	path := searched(r, &in)
	after, err := s.cursor(path, params)
	if err != nil {
		return err
	}
	result, err := s.service.Search(r.Context(), in, after)
	if err != nil {
		return err
	}
	return s.sendSearchset(w, r, f, in.Base, path, result.Query, result.Page)
}

// searched puts into in what the URL says is to be searched, and returns the
// path of the links: the service, a type, or a compartment (FHIR R4
// compartmentdefinition §2.34.3).
func searched(r *http.Request, in *search.Request) string {
	t, id, member := r.PathValue("type"), r.PathValue("id"), r.PathValue("member")
	switch {
	case t == "":
		return "/"
	case id == "":
		in.Types = []fhir.Type{fhir.Type(t)}
		return "/" + t
	}
	in.Compartment = fhir.Key{Type: fhir.Type(t), ID: fhir.ID(id)}
	if member != everyMember {
		in.Types = []fhir.Type{fhir.Type(member)}
	}
	return "/" + t + "/" + url.PathEscape(id) + "/" + member
}

// everyMember stands in place of a type for all of a compartment.
const everyMember = "*"

// formatParams picks the parameters that formatOf reads.
func formatParams(params []search.Param) url.Values {
	v := url.Values{}
	for _, p := range params {
		if p.Name == "_format" || p.Name == "_pretty" {
			v.Add(p.Name, p.Value)
		}
	}
	return v
}

// bound is what a continuation token of a search is tied to: path and
// parameters, without those that change from page to page or do not matter.
func bound(path string, params []search.Param) string {
	return linkURL("search ", path, slices.DeleteFunc(slices.Clone(params), func(p search.Param) bool {
		return p.Name == "ct" || p.Name == "_total" || p.Name == "_format" || p.Name == "_pretty"
	}))
}

// cursor returns where a search goes on, nil for its start.
func (s *server) cursor(path string, params []search.Param) ([]byte, error) {
	i := slices.IndexFunc(params, func(p search.Param) bool { return p.Name == "ct" })
	if i < 0 {
		return nil, nil
	}
	if slices.ContainsFunc(params[i+1:], func(p search.Param) bool { return p.Name == "ct" }) {
		return nil, fault.New(fault.Refused, "the continuation token (ct) is given twice")
	}
	return s.tokens.open(bound(path, params), params[i].Value)
}

// sendSearchset answers with a page of a search (FHIR R4 search §3.1.1.3).
func (s *server) sendSearchset(w http.ResponseWriter, r *http.Request, f format, base, path string, q *search.Query, found *search.Page) error {
	links := make([]link, 0, 2)
	if found.Next != nil {
		// Compat: the total is counted once, for the first page.
		next := slices.DeleteFunc(slices.Clone(q.Self), func(p search.Param) bool { return p.Name == "_total" })
		next = append(next, search.Param{Name: "ct", Value: s.tokens.seal(bound(path, next), found.Next)})
		links = append(links, link{"next", linkURL(base, path, next)})
	}
	links = append(links, link{"self", linkURL(base, path, q.Self)})

	b := s.newPage(w, f, base, "searchset", found.Total, links...)
	defer b.release()
	issues := q.Warnings
	if found.Truncated {
		issues = append(slices.Clip(issues), fault.Issue{Severity: fault.Warning, Code: "incomplete",
			Text: "more resources could have been included than a page may hold; narrow the search to see them all"})
	}
	if len(issues) > 0 {
		if err := b.outcome(r, issues); err != nil {
			return err
		}
	}
	part := subset{elements: trimmed(q.Elements)}
	if q.Summary != "false" && q.Summary != "count" {
		part.summary = q.Summary
	}
	for _, v := range found.Matches {
		if err := b.found(v, part, "match"); err != nil {
			return err
		}
	}
	for _, v := range found.Included {
		if err := b.found(v, part, "include"); err != nil {
			return err
		}
	}
	return b.finish()
}

// trimmed returns names of elements without the [x] of a choice.
func trimmed(elements []string) []string {
	if len(elements) == 0 {
		return nil
	}
	out := make([]string, len(elements))
	for i, e := range elements {
		out[i] = strings.TrimSuffix(e, "[x]")
	}
	return out
}

// found adds a resource to a searchset.
func (p *page) found(v fhir.Version, part subset, mode string) error {
	p.open()
	p.fullURL(v.Key)
	p.member("resource")
	var err error
	if *p.b, err = p.s.appendVersion(*p.b, part, v); err != nil {
		return err
	}
	*p.b = append(append(append(*p.b, `,"search":{"mode":"`...), mode...), `"}`...)
	return p.close()
}
