package rest

import (
	"net/http"
	"net/url"
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
	part, err := historyPart(params)
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
	return s.sendHistory(w, f, part, s.base(r), path, result)
}

// historyPart reads _summary and _elements. Of _summary=count nothing is shown.
func historyPart(params url.Values) (subset, error) {
	if values := params["_summary"]; len(values) > 0 && values[0] == "count" {
		return subset{}, nil
	}
	return subsetOf(params)
}

// sendHistory answers with a page of versions.
func (s *server) sendHistory(w http.ResponseWriter, f format, part subset, base, path string, result *interaction.HistoryResult) error {
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
		if err := b.version(v, part); err != nil {
			return err
		}
	}
	return b.finish()
}

// status is the response status of a version in a history.
//
// Compat: in a history, the reference writes the status of a deletion 204 NoContent,
// in one word, and 200 OK also for an update that created; FHIR 204 No Content and 201 Created.
func status(v fhir.Version, compat fhir.Compat) string {
	switch {
	case v.Method == fhir.Delete && compat == fhir.Strict:
		return "204 No Content"
	case v.Method == fhir.Delete:
		return "204 NoContent"
	case v.Method == fhir.Post || v.Number == 1 && compat == fhir.Strict:
		return "201 Created"
	}
	return "200 OK"
}

// version adds the wanted part of a version to a history.
func (p *page) version(v fhir.Version, part subset) error {
	p.open()
	p.fullURL(v.Key)
	switch {
	case !v.Deleted():
		p.member("resource")
		var err error
		if *p.b, err = p.s.appendVersion(*p.b, part, v); err != nil {
			return err
		}
	case p.s.compat == fhir.Azure:
		p.member("resource")
		*p.b = appendTombstone(*p.b, v)
	}
	p.member("request")
	b := append(append(*p.b, `{"method":"`...), v.Method.String()...)
	b = append(append(b, `","url":"`...), v.Type...)
	if v.Method != fhir.Post {
		b = append(append(b, '/'), v.ID...)
	}
	b = append(append(b, `"},"response":{"status":"`...), status(v, p.s.compat)...)
	b = appendNumber(append(b, `","etag":"W/\"`...), v.Number)
	b = v.Updated.UTC().AppendFormat(append(b, `\"","lastModified":"`...), fhir.InstantLayout)
	*p.b = append(b, `"}`...)
	return p.close()
}

// appendTombstone appends what is left of a deleted resource.
//
// Compat: in a history, the entry of a deletion has a resource with id and meta in
// the reference, and none in FHIR.
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
