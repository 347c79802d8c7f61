package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/worklist"
	"salus/fault"
	"salus/internal/serve"
)

// maxWorkitem is the most bytes that a workitem has.
const maxWorkitem = 4 << 20

// readWorkitem reads the data set of a request, which stands in an array. It is nil when there is no body and none is needed.
func (c *call) readWorkitem(optional bool) (*dicom.Dataset, error) {
	kind, _, _ := strings.Cut(c.Header.Get("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case typeJSON, "application/json":
	case "":
		if optional {
			break
		}
		fallthrough
	default:
		return nil, fault.New(fault.MediaType, "the body must be %s", typeJSON)
	}
	body, err := serve.ReadBody(c.Request, maxWorkitem)
	if err != nil {
		return nil, err
	}
	switch body = bytes.TrimSpace(body); {
	case len(body) == 0 && optional:
		return nil, nil
	case len(body) > 0 && body[0] == '{': // not as PS3.18 has it, but plain
		d, _, err := jsonmodel.Decode(body)
		return d, err
	}
	all, err := jsonmodel.DecodeArray(body)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 && optional {
		return nil, nil
	}
	if len(all) != 1 {
		return nil, fault.New(fault.Invalid, "the body must be an array of one data set (PS3.18 §11)")
	}
	return all[0], nil
}

// named returns a UID that stands in the query by itself, or under one of some names.
func (c *call) named(names ...string) (string, error) {
	first, _, _ := strings.Cut(c.URL.RawQuery, "&")
	id := ""
	if first != "" && !strings.Contains(first, "=") {
		id, _ = url.QueryUnescape(first)
	}
	for _, n := range names {
		if v := c.URL.Query().Get(n); v != "" {
			id = v
		}
	}
	if id != "" && !dicom.ValidUID(id) {
		return "", fault.New(fault.Invalid, "the query string has no UID (PS3.5 §9.1)")
	}
	return id, nil
}

func (c *call) workitemURL(id string) string { return c.base + "/workitems/" + id }

// workitem is the UID in the path.
func (c *call) workitem() (string, error) {
	id := strings.TrimSpace(c.PathValue("workitem"))
	if !dicom.ValidUID(id) {
		return "", fault.New(fault.Invalid, "the workitem in the path is no UID (PS3.5 §9.1)")
	}
	return id, nil
}

// warned adds to a refusal the warning that PS3.18 §11 has in its header.
func (s *server) warned(h handler) handler {
	return func(w http.ResponseWriter, c *call) error {
		err := h(w, c)
		if err != nil && fault.KindOf(err) == fault.Conflict {
			warn(w, c, fault.As(err).Message)
		}
		return err
	}
}

func warn(w http.ResponseWriter, c *call, text string) {
	w.Header().Set("Warning", `299 `+c.Host+` "`+strings.ReplaceAll(text, `"`, "'")+`"`)
}

// createWorkitem is Create Workitem (PS3.18 §11.4).
func (s *server) createWorkitem(w http.ResponseWriter, c *call) error {
	id, err := c.named("workitem", "AffectedSOPInstanceUID")
	if err != nil {
		return err
	}
	d, err := c.readWorkitem(false)
	if err != nil {
		return err
	}
	if id, err = s.Worklist.Create(c.Context(), c.partition, id, d); err != nil {
		return err
	}
	w.Header().Set("Location", c.workitemURL(id))
	w.Header().Set("Content-Location", c.workitemURL(id))
	w.WriteHeader(http.StatusCreated)
	return nil
}

// retrieveWorkitem is Retrieve Workitem (PS3.18 §11.5). Compat: an object, as in the reference service, and not an array of one.
func (s *server) retrieveWorkitem(w http.ResponseWriter, c *call) error {
	id, err := c.workitem()
	if err != nil {
		return err
	}
	if !c.acceptsJSON() {
		return fault.New(fault.NotAcceptable, "Accept must name %s", typeJSON)
	}
	d, err := s.Worklist.Retrieve(c.Context(), c.partition, id)
	if err != nil {
		return err
	}
	return writeBytes(w, c, http.StatusOK, typeJSON, jsonmodel.Append(nil, d, jsonmodel.Options{}))
}

// updateWorkitem is Update Workitem (PS3.18 §11.6).
func (s *server) updateWorkitem(w http.ResponseWriter, c *call) error {
	id, err := c.workitem()
	if err != nil {
		return err
	}
	transaction, err := c.named("transaction-uid", "transaction")
	if err != nil {
		return err
	}
	d, err := c.readWorkitem(false)
	if err != nil {
		return err
	}
	if err := s.Worklist.Update(c.Context(), c.partition, id, transaction, d); err != nil {
		return err
	}
	w.Header().Set("Content-Location", c.workitemURL(id))
	w.WriteHeader(http.StatusOK)
	return nil
}

// changeWorkitemState is Change Workitem State (PS3.18 §11.7).
func (s *server) changeWorkitemState(w http.ResponseWriter, c *call) error {
	id, err := c.workitem()
	if err != nil {
		return err
	}
	d, err := c.readWorkitem(false)
	if err != nil {
		return err
	}
	warning, err := s.Worklist.ChangeState(c.Context(), c.partition, id, d)
	if err != nil {
		return err
	}
	if warning != "" {
		warn(w, c, warning)
	}
	w.Header().Set("Content-Location", c.workitemURL(id))
	w.WriteHeader(http.StatusOK)
	return nil
}

// cancelWorkitem is Request Workitem Cancellation (PS3.18 §11.8).
func (s *server) cancelWorkitem(w http.ResponseWriter, c *call) error {
	id, err := c.workitem()
	if err != nil {
		return err
	}
	reason, err := c.readWorkitem(true)
	if err != nil {
		return err
	}
	if err := s.Worklist.RequestCancel(c.Context(), c.partition, id, reason); err != nil {
		return err
	}
	w.Header().Set("Content-Location", c.workitemURL(id))
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// searchWorkitems is Search for Workitems (PS3.18 §11.9).
func (s *server) searchWorkitems(w http.ResponseWriter, c *call) error {
	if !c.acceptsJSON() {
		return fault.New(fault.NotAcceptable, "Accept must name %s", typeJSON)
	}
	q, err := c.workitemQuery()
	if err != nil {
		return err
	}
	found, err := s.Worklist.Search(c.Context(), q)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	body := []byte{'['}
	for i, d := range found {
		if i > 0 {
			body = append(body, ',')
		}
		body = jsonmodel.Append(body, d, jsonmodel.Options{})
	}
	return writeBytes(w, c, http.StatusOK, typeJSON, append(body, ']'))
}

// workitemQuery reads the parameters of a search or filter.
func (c *call) workitemQuery() (worklist.Search, error) {
	q := worklist.Search{Partition: c.partition}
	params, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return q, fault.New(fault.Invalid, "the query string cannot be read (RFC 3986 §3.4)")
	}
	if q.Limit, q.Offset, err = c.page(); err != nil {
		return q, err
	}
	fuzzy := strings.EqualFold(params.Get("fuzzymatching"), "true")
	for _, name := range sorted(params) {
		switch strings.ToLower(name) {
		case "limit", "offset", "fuzzymatching", "accept", "deletionlock":
			continue
		case "includefield":
			if q.Include, q.All, err = includes(params[name]); err != nil {
				return q, err
			}
			continue
		}
		key, err := worklist.ParseKey(name)
		if err != nil {
			return q, err
		}
		if len(params[name]) > 1 {
			return q, fault.New(fault.Invalid, "%s is there more than once", key.Tag.Keyword())
		}
		m, all, err := archive.ParseMatch(key.Key, params[name][0], fuzzy)
		if err != nil {
			return q, err
		}
		if !all {
			q.Matches = append(q.Matches, index.WorkitemMatch{Path: key.Path, Match: m})
		}
	}
	return q, nil
}
