package rest

import (
	"net/http"
	"net/url"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// page writes a Bundle entry by entry: searchset, history and the answers to
// batch and transaction.
type page struct {
	stream
	base    string // as it stands inside a JSON string
	entries int
}

// link is a link of a Bundle.
type link struct{ relation, url string }

// newPage begins a Bundle. total is left out when it is negative.
func (s *server) newPage(w http.ResponseWriter, f format, base, typ string, total int64, links ...link) *page {
	p := &page{stream: newStream(s, w, f)}
	quoted := fhir.AppendString(nil, base)
	p.base = string(quoted[1 : len(quoted)-1])
	b := append(*p.b, `{"resourceType":"Bundle","id":`...)
	b = fhir.AppendString(b, s.newID())
	b = append(b, `,"meta":{"lastUpdated":"`...)
	b = s.now().UTC().AppendFormat(b, fhir.InstantLayout)
	b = append(b, `"},"type":"`...)
	b = append(append(b, typ...), '"')
	if total >= 0 {
		b = appendNumber(append(b, `,"total":`...), total)
	}
	for i, l := range links {
		if i == 0 {
			b = append(b, `,"link":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(append(b, `{"relation":"`...), l.relation...)
		b = fhir.AppendString(append(b, `","url":`...), l.url)
		b = append(b, '}')
	}
	if len(links) > 0 {
		b = append(b, ']')
	}
	*p.b = b
	return p
}

// open begins an entry.
func (p *page) open() {
	if p.entries++; p.piecemeal() {
		p.openXML()
	} else if p.entries == 1 {
		*p.b = append(*p.b, `,"entry":[{`...)
	} else {
		*p.b = append(*p.b, `,{`...)
	}
}

// member begins a property of the entry.
func (p *page) member(name string) {
	b := *p.b
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	*p.b = append(append(append(b, '"'), name...), `":`...)
}

func (p *page) fullURL(key fhir.Key) {
	p.member("fullUrl")
	b := append(append(*p.b, '"'), p.base...)
	b = append(append(b, '/'), key.Type...)
	b = append(append(b, '/'), key.ID...)
	*p.b = append(b, '"')
}

// close ends an entry.
func (p *page) close() error {
	*p.b = append(*p.b, '}')
	if p.piecemeal() {
		if err := p.closeXML(); err != nil {
			return err
		}
	}
	return p.advance()
}

// finish ends the Bundle and sends what is left of it.
func (p *page) finish() error {
	if p.piecemeal() {
		return p.finishXML()
	}
	if p.entries > 0 {
		*p.b = append(*p.b, ']')
	}
	*p.b = append(*p.b, '}')
	return p.end()
}

// outcome adds an entry of issues to a searchset.
func (p *page) outcome(r *http.Request, issues []fault.Issue) error {
	p.open()
	p.member("resource")
	*p.b = appendOutcome(*p.b, p.s.outcomeID(r), p.s.now(), issues)
	*p.b = append(*p.b, `,"search":{"mode":"outcome"}`...)
	return p.close()
}

// linkURL returns base, path and params as a URL. A space is %20, which is one
// for whoever decodes it.
func linkURL(base, path string, params []search.Param) string {
	var b strings.Builder
	b.WriteString(base)
	b.WriteString(path)
	for i, p := range params {
		if i == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(escape(p.Name))
		b.WriteByte('=')
		b.WriteString(escape(p.Value))
	}
	return b.String()
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
