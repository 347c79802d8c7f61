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
	w.Header().Set("Content-Type", f.contentType) // also for errors: a form says it in the body
	p, err := prefer(r)
	if err != nil {
		return err
	}
	in := search.Request{Params: params, Strict: p.strict, Partial: partial(r), Base: s.base(r), Now: s.now()}
	path := searched(r, &in)
	at, err := s.trail(path, params)
	if err != nil {
		return err
	}
	result, err := s.service.Search(r.Context(), in, at.after)
	if err != nil {
		return err
	}
	return s.sendSearchset(w, r, f, searchset{in.Base, result.Query, result.Page, s.links(in, path, at, result), "related"})
}

// searchset is a page with what stands around it in a Bundle.
type searchset struct {
	base  string
	query *search.Query
	page  *search.Page
	links []link
	rest  string // relation of the link to what else is included
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

// sendSearchset answers with a page of a search (FHIR R4 search §3.1.1.3).
func (s *server) sendSearchset(w http.ResponseWriter, r *http.Request, f format, part searchset) error {
	q, found := part.query, part.page
	links, notices := short(part.links)
	b := s.newPage(w, f, part.base, "searchset", found.Total, links...)
	defer b.release()
	issues := slices.Concat(q.Warnings, notices)
	if found.Truncated {
		text := "more resources could have been included than a page may hold; "
		if slices.ContainsFunc(links, func(l link) bool { return l.relation == part.rest }) && found.NextIncluded != nil {
			text += "the link " + part.rest + " leads to the rest"
		} else {
			text += "narrow the search to see them all"
		}
		issues = append(issues, fault.Issue{Severity: fault.Warning, Code: "incomplete", Text: text})
	}
	for _, line := range found.Explained {
		issues = append(issues, fault.Issue{Severity: fault.Information, Code: "informational", Text: line})
	}
	if len(issues) > 0 {
		if err := b.outcome(r, issues); err != nil {
			return err
		}
	}
	shown := subset{elements: trimmed(q.Elements)}
	if q.Summary != "false" && q.Summary != "count" {
		shown.summary = q.Summary
	}
	for _, v := range found.Matches {
		if err := b.found(v, shown, "match"); err != nil {
			return err
		}
	}
	for _, v := range found.Included {
		if err := b.found(v, shown, "include"); err != nil {
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
