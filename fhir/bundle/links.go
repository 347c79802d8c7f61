package bundle

import (
	"bytes"
	"strconv"
	"strings"

	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/spec"
)

// links tells what the entries of a transaction may call each other by, and
// what to store instead: "Type/id" (FHIR R4 http §3.1.0.11.2).
type links struct {
	defs   *spec.Definitions
	names  map[string]string // by fullUrl
	near   map[place]string  // by base of a RESTful fullUrl and relative reference
	will   map[string]int64  // the version that is current afterwards, by Type/id; nil when no reference names one
	search interaction.Links // by search-style reference
	plain  bool              // all fullUrls are URNs
}

// place is a reference as it stands in an entry with a RESTful fullUrl below base.
type place struct{ base, ref string }

func newLinks(defs *spec.Definitions, size int) *links {
	return &links{
		defs: defs, names: make(map[string]string, size), near: map[place]string{},
		search: interaction.Links{}, plain: true,
	}
}

func (l *links) isType(t fhir.Type) bool { return l.defs.IsResource(string(t)) }

// base returns the base of a RESTful fullUrl, "" when it is none.
func (l *links) base(fullURL string) string {
	if strings.HasPrefix(fullURL, "urn:") {
		return ""
	}
	return fhir.ParseReference(fullURL, l.isType).Base
}

// add makes the resource under key known as fullURL.
func (l *links) add(fullURL string, key fhir.Key) {
	if fullURL == "" {
		return
	}
	to := key.String()
	l.names[fullURL] = to
	if strings.HasPrefix(fullURL, "urn:") {
		return
	}
	l.plain = false
	if r := fhir.ParseReference(fullURL, l.isType); r.Base != "" {
		l.near[place{r.Base, fullURL[len(r.Base)+1:]}] = to
	}
}

// rewriter replaces the links of one resource.
type rewriter struct {
	*links
	base     string     // of the entry's fullUrl
	resource *fhir.Node // where a PATCH puts what it makes
	uris     map[int]bool
}

// replace gives the new text of a string; NewBody and Extract ask it for every
// string of the resource. Only references, elements of a URI type and links in
// the narrative are links: an identifier's value that looks like one stays.
func (w *rewriter) replace(n fhir.Node) (string, bool) {
	switch n.Name() {
	case "reference":
		return w.reference(n.Text())
	case "div":
		return w.narrative(n)
	}
	raw := n.Raw()
	if w.plain && !bytes.HasPrefix(raw, []byte(`"urn:`)) {
		return "", false
	}
	to, ok := w.names[n.Text()]
	return to, ok && w.isURI(n)
}

func (w *rewriter) reference(text string) (string, bool) {
	if w.plain && !strings.HasPrefix(text, "urn:") && len(w.search) == 0 {
		return "", false
	}
	if to, ok := w.entry(text); ok {
		return to, true
	}
	if to, ok := w.search[text]; ok {
		return to, true
	}
	if w.will == nil {
		return "", false
	}
	// A reference to a version stays one (FHIR R4 http §3.1.0.11.2).
	if at := strings.Index(text, history); at > 0 {
		if to, ok := w.entry(text[:at]); ok {
			return to + history + strconv.FormatInt(w.will[to], 10), true
		}
	}
	return "", false
}

const history = "/_history/"

// entry returns what stands for the entry that a reference leads to.
func (w *rewriter) entry(text string) (string, bool) {
	to, ok := w.names[text]
	if !ok && w.base != "" {
		to, ok = w.near[place{w.base, text}]
	}
	return to, ok
}

// isURI reports whether n is of type uri, url, oid or uuid. The
// resource is walked for it once, and only when it holds a name in question
// outside of Reference.reference.
func (w *rewriter) isURI(n fhir.Node) bool {
	if w.uris == nil {
		w.uris = map[int]bool{}
		w.findURIs(*w.resource, w.defs.Type(string(w.resource.Type())))
	}
	return w.uris[n.Offset()]
}

func (w *rewriter) findURIs(n fhir.Node, t *spec.Type) {
	if t == nil {
		return
	}
	for c := range n.Children {
		_, ref, ok := t.Property(strings.TrimPrefix(c.Name(), "_"))
		if !ok {
			continue
		}
		if c.Kind() != fhir.Array {
			w.findURI(c, ref.Type)
			continue
		}
		for item := range c.Children {
			w.findURI(item, ref.Type)
		}
	}
}

func (w *rewriter) findURI(n fhir.Node, t *spec.Type) {
	switch n.Kind() {
	case fhir.String:
		switch t.Name {
		case "uri", "url", "oid", "uuid": // not canonical (FHIR R4 http §3.1.0.11.2)
			w.uris[n.Offset()] = true
		}
	case fhir.Object:
		if t.Name == "Resource" {
			t = w.defs.Type(string(n.Type()))
		}
		w.findURIs(n, t)
	}
}

// narrative replaces links in the attributes href and src of a Narrative.div.
func (w *rewriter) narrative(n fhir.Node) (string, bool) {
	raw := n.Raw()
	if !bytes.Contains(raw, []byte("href=")) && !bytes.Contains(raw, []byte("src=")) {
		return "", false
	}
	text := n.Text()
	var out strings.Builder
	done := 0
	for at := 0; at < len(text); at++ {
		if text[at] != '=' || !strings.HasSuffix(text[:at], "href") && !strings.HasSuffix(text[:at], "src") {
			continue
		}
		start := at + 2
		if start > len(text) || text[at+1] != '"' && text[at+1] != '\'' {
			continue
		}
		length := strings.IndexByte(text[start:], text[at+1])
		if length < 0 {
			break
		}
		if to, ok := w.reference(text[start : start+length]); ok {
			out.WriteString(text[done:start])
			out.WriteString(to)
			done = start + length
		}
		at = start + length
	}
	if done == 0 {
		return "", false
	}
	out.WriteString(text[done:])
	return out.String(), true
}
