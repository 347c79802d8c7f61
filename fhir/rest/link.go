package rest

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/search"
)

// bound is what a continuation token of a search is tied to: path and
// parameters, without those that change from page to page or do not matter.
func bound(path string, params []search.Param) string {
	return linkURL("search ", path, dropped(params, "ct", "includesCt", "_total", "_format", "_pretty", "_explain"))
}

// dropped returns the parameters that have none of the names.
func dropped(params []search.Param, names ...string) []search.Param {
	return slices.DeleteFunc(slices.Clone(params), func(p search.Param) bool { return slices.Contains(names, p.Name) })
}

// single returns the value of the parameter of that name, which may occur once.
func single(params []search.Param, name string) (value string, found bool, err error) {
	for _, p := range params {
		if p.Name != name {
			continue
		}
		if found {
			return "", false, fault.New(fault.Refused, "the continuation token (%s) is given twice", name)
		}
		value, found = p.Value, true
	}
	return value, found, nil
}

// trail is the way to a page of a search: where it starts, and where the pages
// before it did, as far as the token that carries it has room.
type trail struct {
	page   uint64   // from 1
	after  []byte   // where the page starts; nil for the first
	before [][]byte // where the pages before start, the nearest first, without the first page
}

// maxTrail is up to how many bytes of starts of pages before a token carries, so
// that next links stay short. Behind that there is no link to the page before any
// more, but still to the first.
const maxTrail = 160

// next returns the way to the page that starts at after.
func (t trail) next(after []byte) trail {
	n := trail{page: t.page + 1, after: after}
	if t.page == 1 {
		return n
	}
	size := 0
	for _, start := range append([][]byte{t.after}, t.before...) {
		if size += len(start) + 1; size > maxTrail {
			break
		}
		n.before = append(n.before, start)
	}
	return n
}

// previous returns the way to the page before, if it is known.
func (t trail) previous() (before trail, ok bool) {
	switch {
	case t.page == 2:
		return trail{page: 1}, true
	case t.page > 2 && len(t.before) > 0:
		return trail{t.page - 1, t.before[0], t.before[1:]}, true
	}
	return trail{}, false
}

func (t trail) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, t.page)
	for _, start := range append([][]byte{t.after}, t.before...) {
		dst = append(binary.AppendUvarint(dst, uint64(len(start))), start...)
	}
	return dst
}

// readTrail reads what append wrote; the signature has been checked.
func readTrail(b []byte) (t trail, ok bool) {
	page, n := binary.Uvarint(b)
	if n <= 0 || page < 2 {
		return t, false
	}
	t.page = page
	for b = b[n:]; len(b) > 0; {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return t, false
		}
		start := b[n : n+int(size) : n+int(size)]
		if b = b[n+int(size):]; t.after == nil {
			t.after = start
		} else {
			t.before = append(t.before, start)
		}
	}
	return t, t.after != nil
}

// trail returns the way to the page that is asked for.
func (s *server) trail(path string, params []search.Param) (trail, error) {
	token, found, err := single(params, "ct")
	if err != nil || !found {
		return trail{page: 1}, err
	}
	b, err := s.tokens.open(bound(path, params), token)
	if err != nil {
		return trail{}, err
	}
	t, ok := readTrail(b)
	if !ok {
		return trail{}, fault.New(fault.Invalid, "the continuation token (ct) is malformed")
	}
	return t, nil
}

// links returns the links of a page of a search: next, related, self and, when
// there are several pages, first and previous. There is no link to the last page:
// pages are found from the one before, and none can be counted out.
//
// Compat: links stand in the reference's order, next, self and previous first; it has no others.
func (s *server) links(in search.Request, path string, at trail, found *interaction.SearchResult) []link {
	q, page := found.Query, found.Page
	// Compat: _total counts for the first page of a search; further pages tell no total.
	paged := dropped(q.Self, "_total")
	to := func(t trail) string {
		if t.page == 1 {
			return linkURL(in.Base, path, q.Self)
		}
		ct := search.Param{Name: "ct", Value: s.tokens.seal(bound(path, paged), t.append(nil))}
		return linkURL(in.Base, path, append(slices.Clip(paged), ct))
	}
	var links []link
	if page.Next != nil {
		links = append(links, link{"next", to(at.next(page.Next))})
	}
	if page.NextIncluded != nil && len(in.Types) > 0 { // of all types of a compartment (*) there is no $includes
		links = append(links, link{"related", s.includedURL(in, paged, at.after, page.NextIncluded)})
	}
	links = append(links, link{"self", linkURL(in.Base, path, q.Self)})
	if page.Next != nil || at.page > 1 {
		links = append(links, link{"first", to(trail{page: 1})})
	}
	if before, ok := at.previous(); ok {
		links = append(links, link{"previous", to(before)})
	}
	return links
}

// includesPath stands behind a type's path for the operation that answers with
// what did not fit among the included resources of a page of a search.
const includesPath = "/$includes"

// includedURL returns the URL of further included resources: those behind
// included of the page of matches that starts behind after. Of a compartment the
// token says which it is.
func (s *server) includedURL(in search.Request, params []search.Param, after, included []byte) string {
	about := ""
	if in.Compartment.Type != "" {
		about = in.Compartment.String()
	}
	b := append(binary.AppendUvarint(nil, uint64(len(after))), after...)
	b = append(append(binary.AppendUvarint(b, uint64(len(about))), about...), included...)
	path := "/" + string(in.Types[0]) + includesPath
	token := s.tokens.seal(bound(path, params), b)
	return linkURL(in.Base, path, append(slices.Clip(params), search.Param{Name: "includesCt", Value: token}))
}

// readIncluded takes apart what includedURL has sealed.
func (s *server) readIncluded(path string, params []search.Param, token string) (about fhir.Key, after, included []byte, err error) {
	b, err := s.tokens.open(bound(path, params), token)
	if err != nil {
		return about, nil, nil, err
	}
	var parts [2][]byte
	for i := range parts {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return about, nil, nil, fault.New(fault.Invalid, "the continuation token (includesCt) is malformed")
		}
		if size > 0 {
			parts[i] = b[n : n+int(size)]
		}
		b = b[n+int(size):]
	}
	t, id, _ := strings.Cut(string(parts[1]), "/")
	return fhir.Key{Type: fhir.Type(t), ID: fhir.ID(id)}, parts[0], b, nil
}

// searchIncluded is GET /{type}/$includes, an operation of the reference: a page of
// the resources that a search includes, without its matches.
func (s *server) searchIncluded(w http.ResponseWriter, r *http.Request) error {
	params, err := search.ParseParams(r.URL.RawQuery)
	if err != nil {
		return err
	}
	f, err := formatOf(r, formatParams(params))
	if err != nil {
		return err
	}
	p, err := prefer(r)
	if err != nil {
		return err
	}
	t := r.PathValue("type")
	path := "/" + t + includesPath
	token, _, err := single(params, "includesCt")
	if err != nil {
		return err
	}
	if token == "" {
		return fault.New(fault.Invalid, "$includes needs a continuation token (includesCt) of a search")
	}
	about, after, included, err := s.readIncluded(path, params, token)
	if err != nil {
		return err
	}
	in := search.Request{
		Types: []fhir.Type{fhir.Type(t)}, Compartment: about, Params: dropped(params, "ct", "includesCt", "_total"),
		Strict: p.strict, Partial: partial(r), Base: s.base(r), Now: s.now(),
	}
	result, err := s.service.SearchIncluded(r.Context(), in, after, included)
	if err != nil {
		return err
	}
	var links []link
	if next := result.Page.NextIncluded; next != nil {
		links = append(links, link{"next", s.includedURL(in, result.Query.Self, after, next)})
	}
	self := append(slices.Clip(result.Query.Self), search.Param{Name: "includesCt", Value: token})
	links = append(links, link{"self", linkURL(in.Base, path, self)})
	return s.sendSearchset(w, r, f, searchset{in.Base, result.Query, result.Page, links, "next"})
}

// maxLink is up to how many bytes the URL of a link may have.
const maxLink = 65_519

// short returns the links whose URLs are not too long, and a notice of the others.
//
// Compat: links of a search that are longer than URLs may be are left out, as in
// the reference, with a notice; FHIR knows no limit, but servers and clients do.
func short(links []link) ([]link, []fault.Issue) {
	var notices []fault.Issue
	kept := slices.DeleteFunc(slices.Clone(links), func(l link) bool {
		if len(l.url) <= maxLink {
			return false
		}
		text := fmt.Sprintf("the link %s is left out: its URL would have %d characters, and a URL may have %d", l.relation, len(l.url), maxLink)
		notices = append(notices, fault.Issue{Severity: fault.Information, Code: "informational", Text: text})
		return true
	})
	return kept, notices
}
