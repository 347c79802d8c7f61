package fhir_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var web = &http.Client{
	Timeout:       time.Minute,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 32},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// reply is a response read to its end, with the request that it answers.
type reply struct {
	request string // request line
	status  int
	header  http.Header
	body    []byte
	tree    any // of the body, when it is JSON or XML
}

// send sends a request. header has alternating names and values; the value "-"
// leaves a header out that would be sent else.
func send(method, url, body string, header ...string) (reply, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Accept", "application/fhir+json")
	if body != "" {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "-" {
			req.Header.Del(header[i])
			continue
		}
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := web.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	r := reply{request: method + " " + url, status: res.StatusCode, header: res.Header}
	if r.body, err = io.ReadAll(res.Body); err != nil {
		return reply{}, err
	}
	switch kind := res.Header.Get("Content-Type"); {
	case strings.Contains(kind, "xml"):
		r.tree, err = fromXML(r.body)
	case strings.Contains(kind, "json"):
		d := json.NewDecoder(bytes.NewReader(r.body))
		d.UseNumber()
		if err = d.Decode(&r.tree); err == io.EOF {
			err = nil
		}
	}
	if err != nil {
		return r, fmt.Errorf("the body of %s cannot be read: %w: %.300s", r.request, err, r.body)
	}
	return r, nil
}

// String shows what a failure has to be understood by.
func (r reply) String() string {
	return fmt.Sprintf("%s\n%d %.600s", r.request, r.status, r.body)
}

// at returns the value at a path of names and indexes, "name.0.family". An index
// 0 may also stand for the only value, as XML has no lists.
func (r reply) at(path string) any { return lookup(r.tree, path) }

func lookup(v any, path string) any {
	if path == "" {
		return v
	}
	for name := range strings.SplitSeq(path, ".") {
		i, err := strconv.Atoi(name)
		switch at := v.(type) {
		case map[string]any:
			if err != nil || i > 0 {
				v = at[name]
			}
		case []any:
			if err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			if err != nil || i > 0 {
				return nil
			}
		}
	}
	return v
}

// text returns the primitive at a path, "" when there is none.
func (r reply) text(path string) string { return text(r.at(path)) }

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any, []any:
		b, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

// list returns the values at a path.
func (r reply) list(path string) []any {
	switch v := r.at(path).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// link returns the URL of a Bundle's link.
func (r reply) link(relation string) string {
	for _, l := range r.list("link") {
		if text(lookup(l, "relation")) == relation {
			return text(lookup(l, "url"))
		}
	}
	return ""
}

// issues returns the codes of the issues of an OperationOutcome.
func issues(outcome any) []string {
	list, ok := lookup(outcome, "issue").([]any)
	if one := lookup(outcome, "issue"); !ok && one != nil {
		list = []any{one}
	}
	var codes []string
	for _, issue := range list {
		codes = append(codes, text(lookup(issue, "code")))
	}
	return codes
}

// entries returns type/id of a Bundle's entries with the search mode, in order.
func (r reply) entries(modes ...string) []string {
	var all []string
	for _, e := range r.list("entry") {
		if slices.Contains(modes, text(lookup(e, "search.mode"))) {
			all = append(all, text(lookup(e, "resource.id")))
		}
	}
	return all
}

// warnings returns the codes of the issues in the outcome entries of a Bundle.
func (r reply) warnings() []string {
	var codes []string
	for _, e := range r.list("entry") {
		if text(lookup(e, "search.mode")) == "outcome" {
			codes = append(codes, issues(lookup(e, "resource"))...)
		}
	}
	return codes
}
