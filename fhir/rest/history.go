package rest

import (
	"net/http"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
)

// history is GET /_history, /{type}/_history and /{type}/{id}/_history (FHIR R4
// http §3.1.0.12).
func (s *server) history(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	f, err := formatOf(r, params)
	if err != nil {
		return err
	}
	in := interaction.HistoryRequest{
		Type: fhir.Type(r.PathValue("type")), ID: fhir.ID(r.PathValue("id")), Query: without(r.URL.RawQuery, "ct", "_format", "_pretty"),
	}
	path := "/_history"
	if in.ID != "" {
		path = "/" + string(in.ID) + path
	}
	if in.Type != "" {
		path = "/" + string(in.Type) + path
	}
	switch tokens := params["ct"]; len(tokens) {
	case 0:
	case 1:
		if in.After, err = s.tokens.open("history "+path+"?"+in.Query, tokens[0]); err != nil {
			return err
		}
	default:
		return fault.New(fault.Refused, "the continuation token (ct) is given twice")
	}
	result, err := s.service.History(r.Context(), in)
	if err != nil {
		return err
	}
	return s.sendHistory(w, f, s.base(r), path, result)
}

// sendHistory answers with a page of versions.
func (s *server) sendHistory(w http.ResponseWriter, f format, base, path string, result *interaction.HistoryResult) error {
	links := make([]link, 0, 2)
	if next := result.Page.Next; next != nil && result.Count > 0 {
		ct := "ct=" + s.tokens.seal("history "+path+"?"+result.Query, next)
		if result.Query != "" {
			ct = result.Query + "&" + ct
		}
		links = append(links, link{"next", base + path + "?" + ct})
	}
	self := base + path
	if result.Self != "" {
		self += "?" + result.Self
	}
	links = append(links, link{"self", self})
	b := s.newPage(w, f, base, "history", result.Page.Total, links...)
	defer b.release()
	for _, v := range result.Page.Versions {
		if err := b.version(v); err != nil {
			return err
		}
	}
	return b.finish()
}

// statuses are the response statuses of versions in a history.
//
// Compat: as the reference writes them. It does not tell an update that created
// from one that changed.
var statuses = map[fhir.Method]string{
	fhir.Post: "201 Created", fhir.Put: "200 OK", fhir.Patch: "200 OK", fhir.Delete: "204 NoContent",
}

// version adds a version to a history.
func (p *page) version(v fhir.Version) error {
	p.open()
	p.fullURL(v.Key)
	p.member("resource")
	if v.Deleted() {
		*p.b = appendTombstone(*p.b, v)
	} else {
		*p.b = v.AppendJSON(*p.b)
	}
	p.member("request")
	b := append(append(*p.b, `{"method":"`...), v.Method.String()...)
	b = append(append(b, `","url":"`...), v.Type...)
	if v.Method != fhir.Post {
		b = append(append(b, '/'), v.ID...)
	}
	b = append(append(b, `"},"response":{"status":"`...), statuses[v.Method]...)
	b = appendNumber(append(b, `","etag":"W/\"`...), v.Number)
	b = v.Updated.UTC().AppendFormat(append(b, `\"","lastModified":"`...), fhir.InstantLayout)
	*p.b = append(b, `"}`...)
	return p.close()
}

// appendTombstone appends what is left of a deleted resource. Compat: FHIR gives
// the entry of a deletion no resource, the reference one with id and meta.
func appendTombstone(dst []byte, v fhir.Version) []byte {
	dst = append(append(dst, `{"resourceType":"`...), v.Type...)
	dst = append(append(dst, `","id":"`...), v.ID...)
	dst = appendNumber(append(dst, `","meta":{"versionId":"`...), v.Number)
	dst = v.Updated.UTC().AppendFormat(append(dst, `","lastUpdated":"`...), fhir.InstantLayout)
	return append(dst, `"}}`...)
}

// without returns a raw query without the pairs of these names.
func without(rawQuery string, names ...string) string {
	var kept []string
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		drop := pair == ""
		for _, n := range names {
			drop = drop || n == name
		}
		if !drop {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
