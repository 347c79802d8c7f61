package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"salus/dicom"
	"salus/dicom/index"
	"salus/fault"
	"salus/internal/serve"
)

// link names something by its id and where it is.
type link struct {
	ID   string `json:"id"`
	HRef string `json:"href"`
}

// queryTag is a query tag as the reference service writes it.
type queryTag struct {
	Path        string     `json:"path"`
	VR          string     `json:"vr"`
	Creator     string     `json:"privateCreator,omitempty"`
	Level       string     `json:"level"`
	Status      string     `json:"status"`
	Errors      *tagErrors `json:"errors,omitempty"`
	QueryStatus string     `json:"queryStatus"`
	Operation   *link      `json:"operation,omitempty"`
}

type tagErrors struct {
	Count int    `json:"count"`
	HRef  string `json:"href"`
}

var (
	levelNames  = [...]string{index.Study: "Study", index.Series: "Series", index.Instance: "Instance"}
	statusNames = [...]string{index.Adding: "adding", index.Ready: "ready", index.Deleting: "deleting"}
)

func (c *call) queryTag(q index.QueryTag) queryTag {
	t := queryTag{Path: q.Tag.Hex(), VR: q.VR.String(), Creator: q.Creator, Level: levelNames[q.Level], Status: statusNames[q.Status], QueryStatus: "disabled"}
	if q.Enabled {
		t.QueryStatus = "enabled"
	}
	if q.Errors > 0 {
		t.Errors = &tagErrors{q.Errors, c.base + "/extendedquerytags/" + t.Path + "/errors"}
	}
	if q.Operation != "" {
		t.Operation = &link{q.Operation, c.base + "/operations/" + q.Operation}
	}
	return t
}

// maxTagBody is the most bytes that a request about query tags has.
const maxTagBody = 1 << 20

// addTags adds query tags, which are indexed by an operation.
func (s *server) addTags(w http.ResponseWriter, c *call) error {
	body, err := serve.ReadBody(c.Request, maxTagBody)
	if err != nil {
		return err
	}
	var sent []struct{ Path, VR, PrivateCreator, Level string }
	if err := json.Unmarshal(body, &sent); err != nil {
		return fault.Wrap(fault.Invalid, err, "the body is no array of query tags with path, vr, privateCreator and level")
	}
	tags := make([]index.QueryTag, len(sent))
	for i, t := range sent {
		tag, ok := dicom.ParseTag(t.Path)
		if !ok {
			return fault.New(fault.Invalid, "path %s is neither a keyword nor eight hexadecimal digits", clip(t.Path))
		}
		tags[i] = index.QueryTag{Tag: tag, Creator: t.PrivateCreator}
		if t.VR != "" {
			if tags[i].VR, ok = dicom.ParseVR(t.VR); !ok {
				return fault.New(fault.Invalid, "%s: vr is none of PS3.5 §6.2", tag.Hex())
			}
		}
		if tags[i].Level, ok = parseLevel(t.Level); !ok {
			return fault.New(fault.Invalid, "%s: level must be Study, Series or Instance", tag.Hex())
		}
	}
	id, err := s.Archive.AddTags(c.Context(), tags)
	return accept(w, c, id, err)
}

func parseLevel(s string) (index.Level, bool) {
	for l, name := range levelNames {
		if len(s) == len(name) && (s == name || s[1:] == name[1:] && s[0]|0x20 == name[0]|0x20) {
			return index.Level(l), true
		}
	}
	return 0, false
}

// tagOf reads the query tag in the path.
func (c *call) tagOf() (dicom.Tag, error) {
	t, ok := dicom.ParseTag(c.PathValue("tag"))
	if !ok {
		return 0, fault.New(fault.Invalid, "the tag in the path is neither a keyword nor eight hexadecimal digits")
	}
	return t, nil
}

// page reads limit and offset of a list.
func (c *call) page() (limit, offset int, err error) {
	limit = 100
	for name, to := range map[string]*int{"limit": &limit, "offset": &offset} {
		if !c.URL.Query().Has(name) {
			continue
		}
		n, err := strconv.Atoi(c.URL.Query().Get(name))
		if err != nil || n < 0 || name == "limit" && (n < 1 || n > 200) {
			return 0, 0, fault.New(fault.Invalid, "%s must be a number, and limit one from 1 to 200", name)
		}
		*to = n
	}
	return limit, offset, nil
}

func (s *server) queryTags(w http.ResponseWriter, c *call) error {
	limit, offset, err := c.page()
	if err != nil {
		return err
	}
	all, err := s.Archive.QueryTags(c.Context())
	if err != nil {
		return err
	}
	all = all[min(offset, len(all)):]
	all = all[:min(limit, len(all))]
	list := make([]queryTag, len(all))
	for i, q := range all {
		list[i] = c.queryTag(q)
	}
	return writeJSON(w, c, list)
}

func (s *server) oneTag(w http.ResponseWriter, c *call) error {
	t, err := c.tagOf()
	if err != nil {
		return err
	}
	q, err := s.Archive.QueryTag(c.Context(), t)
	if err != nil {
		return err
	}
	return writeJSON(w, c, c.queryTag(q))
}

func (s *server) deleteTag(w http.ResponseWriter, c *call) error {
	t, err := c.tagOf()
	if err != nil {
		return err
	}
	if err := s.Archive.DeleteTag(c.Context(), t); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// enableTag lets searches use a query tag, or not.
func (s *server) enableTag(w http.ResponseWriter, c *call) error {
	t, err := c.tagOf()
	if err != nil {
		return err
	}
	body, err := serve.ReadBody(c.Request, maxTagBody)
	if err != nil {
		return err
	}
	var sent struct{ QueryStatus string }
	if err := json.Unmarshal(body, &sent); err != nil || sent.QueryStatus != "enabled" && sent.QueryStatus != "disabled" {
		return fault.New(fault.Invalid, `the body must be {"queryStatus": "enabled"} or {"queryStatus": "disabled"}`)
	}
	if err := s.Archive.EnableTag(c.Context(), t, sent.QueryStatus == "enabled"); err != nil {
		return err
	}
	return s.oneTag(w, c)
}

func (s *server) tagErrors(w http.ResponseWriter, c *call) error {
	t, err := c.tagOf()
	if err != nil {
		return err
	}
	limit, offset, err := c.page()
	if err != nil {
		return err
	}
	all, err := s.Archive.TagErrors(c.Context(), t, limit, offset)
	if err != nil {
		return err
	}
	type tagError struct {
		Partition string    `json:"partitionName,omitempty"`
		Study     string    `json:"studyInstanceUid"`
		Series    string    `json:"seriesInstanceUid"`
		Instance  string    `json:"sopInstanceUid"`
		Created   time.Time `json:"createdTime"`
		Message   string    `json:"errorMessage"`
	}
	list := make([]tagError, len(all))
	for i, e := range all {
		list[i] = tagError{"", e.Study, e.Series, e.UIDs.Instance, e.Created, e.Message}
		if s.Partitions {
			list[i].Partition = e.Partition
		}
	}
	return writeJSON(w, c, list)
}
