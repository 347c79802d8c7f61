package bundle

import (
	"fmt"
	"net/url"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
)

// verb is the method of an entry, in the order in which entries take effect.
type verb uint8

const (
	del verb = iota
	post
	put
	patching
	get
	other // answered with an error
)

// entry is one entry of a request.
type entry struct {
	verb    verb
	method  string // as it stands in the bundle
	url     string // as it stands in the bundle
	fullURL string
	change  interaction.Change // of DELETE, POST, PUT and PATCH
	get     Get
	where   bool  // a DELETE by criteria
	err     error // why the entry cannot be done
}

// decode reads the entries of a bundle. What is wrong with one is its err.
func (p *Processor) decode(r Request) []entry {
	nodes := r.Bundle.Get("entry")
	entries := make([]entry, nodes.Len())
	i := 0
	for n := range nodes.Children {
		e := &entries[i]
		if e.decode(n, i, &r, p.strict()); e.verb == patching && e.err == nil {
			e.err = p.readPatch(e)
		}
		i++
	}
	return entries
}

func (e *entry) decode(n fhir.Node, i int, r *Request, strict bool) {
	request := n.Get("request")
	e.verb = other
	e.method, e.url, e.fullURL = request.Get("method").Text(), request.Get("url").Text(), n.Get("fullUrl").Text()
	if e.method == "" || e.url == "" {
		e.err = invalid("an entry needs request.method and request.url", fmt.Sprintf("Bundle.entry[%d].request", i))
		return
	}
	path, query, queried := strings.Cut(relative(e.url, r.Base), "?")
	segments := strings.Split(path, "/")
	w := interaction.Write{
		Type: fhir.Type(segments[0]), Resource: n.Get("resource"), Strict: r.Strict, Base: r.Base,
		IfMatch: request.Get("ifMatch").Text(), IfNoneExist: request.Get("ifNoneExist").Text(),
	}
	switch e.method {
	case "GET":
		e.ask(r, request)
	case "POST":
		if last := segments[len(segments)-1]; last == "_search" || strings.HasPrefix(last, "$") {
			e.ask(r, request)
			e.get.Body = w.Resource.Raw()
			return
		}
		e.post(w, segments)
	case "PUT":
		e.put(w, segments, query)
	case "DELETE":
		e.delete(w, segments, query, queried)
	case "PATCH":
		e.patch(w, segments, query)
	case "HEAD":
		if strict {
			e.ask(r, request)
			return
		}
		// Compat: HEAD as the method of an entry is 405 in the reference; FHIR has it.
		e.err = fault.New(fault.MethodNotAllowed, "HEAD is not allowed in bundles")
	default:
		e.err = invalid("request.method must be GET, POST, PUT, PATCH or DELETE", fmt.Sprintf("Bundle.entry[%d].request.method", i))
	}
}

// relative returns url relative to base, without slash at its start.
func relative(url, base string) string {
	if rest, ok := strings.CutPrefix(url, base); ok && base != "" && strings.HasPrefix(rest, "/") {
		url = rest
	}
	return strings.TrimPrefix(url, "/")
}

func noRoute() error {
	return fault.New(fault.NotFound, "the service has nothing at this URL for this verb")
}

// ask is an entry that does not write.
func (e *entry) ask(r *Request, request fhir.Node) {
	e.verb = get
	e.get = Get{
		Method: e.method, URL: relative(e.url, r.Base),
		IfNoneMatch: request.Get("ifNoneMatch").Text(), IfModifiedSince: request.Get("ifModifiedSince").Text(),
	}
}

func (e *entry) post(w interaction.Write, segments []string) {
	if len(segments) > 1 {
		e.err = noRoute()
		return
	}
	e.verb, e.change = post, interaction.Change{Write: w, Method: fhir.Post}
}

func (e *entry) put(w interaction.Write, segments []string, query string) {
	if len(segments) > 2 {
		e.err = noRoute()
		return
	}
	var flag string
	query, flag = takeFlag(query, "_meta-history")
	w.DropHistory = flag == "false"
	if len(segments) == 2 {
		w.ID = fhir.ID(segments[1])
	} else {
		w.Criteria = query
	}
	e.verb, e.change = put, interaction.Change{Write: w, Method: fhir.Put}
}

func (e *entry) delete(w interaction.Write, segments []string, query string, queried bool) {
	w.Resource = fhir.Node{}
	method := fhir.Delete
	for _, name := range []string{"hardDelete", "_hardDelete"} {
		var flag string
		switch query, flag = takeFlag(query, name); flag {
		case "true":
			method = fhir.Purge
		case "", "false":
		default:
			e.err = invalid(name+" must be true or false", "")
			return
		}
	}
	switch {
	case strings.HasPrefix(segments[len(segments)-1], "$"):
		e.err = noRoute()
		return
	case len(segments) == 2:
		w.ID = fhir.ID(segments[1])
	case len(segments) == 1:
		e.where = true
		w.Criteria = query
	case len(segments) == 4 && segments[2] == "_history":
		e.err = fault.New(fault.MethodNotAllowed, "one version of a resource cannot be deleted")
		return
	default:
		e.err = noRoute()
		return
	}
	e.where = e.where || queried
	e.verb, e.change = del, interaction.Change{Write: w, Method: method}
}

// takeFlag removes a parameter from a query and returns its value.
func takeFlag(query, name string) (rest, value string) {
	if !strings.Contains(query, name) {
		return query, ""
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		key, v, _ := strings.Cut(pair, "=")
		if key != name {
			kept = append(kept, pair)
			continue
		}
		value = v
	}
	return strings.Join(kept, "&"), value
}

// shown names the entry by what it asks for.
func (e *entry) shown() string {
	if e.method == "" || e.url == "" {
		return "an entry without request.method or request.url"
	}
	return e.method + " " + e.shownURL()
}

// shownURL is the entry's URL without the values of its query, which may tell
// of a patient.
func (e *entry) shownURL() string {
	path, query, ok := strings.Cut(e.url, "?")
	if !ok {
		return path
	}
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, named := strings.Cut(pair, "=")
		if !named {
			continue // it could be a value
		}
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		names = append(names, name)
	}
	return path + "?" + strings.Join(names, "&")
}
