package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"salus/dicom/archive"
	"salus/dicom/gzipped"
	"salus/dicom/index"
	"salus/fault"
)

// entry is an entry of the change feed as the reference service writes it.
type entry struct {
	Sequence  int64           `json:"sequence"`
	Partition string          `json:"partitionName,omitempty"`
	Study     string          `json:"studyInstanceUid"`
	Series    string          `json:"seriesInstanceUid"`
	Instance  string          `json:"sopInstanceUid"`
	Action    string          `json:"action"`
	At        time.Time       `json:"timestamp"`
	State     string          `json:"state"`
	Metadata  json.RawMessage `json:"metadata,omitempty"`
}

// changes is the change feed.
func (s *server) changes(w http.ResponseWriter, c *call) error {
	q, metadata, err := c.feedQuery()
	if err != nil {
		return err
	}
	all, err := s.Archive.Changes(c.Context(), q)
	if err != nil {
		return err
	}
	entries := make([]entry, 0, len(all))
	for _, one := range all {
		e, err := s.entry(c, one, metadata)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	return writeJSON(w, c, entries)
}

// latest is the last entry of the change feed.
func (s *server) latest(w http.ResponseWriter, c *call) error {
	metadata, err := c.boolean("includemetadata", true)
	if err != nil {
		return err
	}
	one, ok, err := s.Archive.Latest(c.Context(), c.version >= archive.V2)
	if err != nil {
		return err
	}
	if !ok {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	e, err := s.entry(c, one, metadata)
	if err != nil {
		return err
	}
	return writeJSON(w, c, e)
}

// entry makes an entry. What a version says of itself is only told while it is the current one.
func (s *server) entry(c *call, one index.Change, metadata bool) (entry, error) {
	e := entry{
		Sequence: one.Sequence, Study: one.Study, Series: one.Series, Instance: one.Instance, At: one.At,
		Action: [...]string{"Create", "Update", "Delete"}[one.Action], State: "Replaced",
	}
	if s.Partitions {
		e.Partition = one.Partition
	}
	switch {
	case one.Current == 0:
		e.State = "Deleted"
	case one.Current == one.Watermark && one.Action != index.Remove:
		e.State = "Current"
	}
	if !metadata || e.State != "Current" {
		return e, nil
	}
	part, err := s.Archive.MetadataOf(c.Context(), one.Watermark)
	if fault.Is(err, fault.NotFound) {
		e.State = "Replaced" // meanwhile
		return e, nil
	}
	if err == nil {
		e.Metadata, err = gzipped.Piece(part).Inflate(nil)
	}
	return e, err
}

// feedQuery reads the parameters of the change feed, which differ between the versions.
func (c *call) feedQuery() (q index.ChangeQuery, metadata bool, err error) {
	q = index.ChangeQuery{Window: c.version == archive.V1, Limit: 10}
	most := int64(100)
	if c.version >= archive.V2 {
		q.Limit, most = 100, 200
	}
	params := c.URL.Query()
	if v := params.Get("offset"); params.Has("offset") {
		if q.Offset, err = strconv.ParseInt(v, 10, 64); err != nil || q.Offset < 0 {
			return q, false, fault.New(fault.Invalid, "offset must be a number from 0")
		}
	}
	if v := params.Get("limit"); params.Has("limit") {
		if q.Limit, err = strconv.ParseInt(v, 10, 64); err != nil || q.Limit < 1 || q.Limit > most {
			return q, false, fault.New(fault.Invalid, "limit must be a number from 1 to %d", most)
		}
	}
	if c.version >= archive.V2 {
		for name, to := range map[string]*time.Time{"startTime": &q.From, "endTime": &q.To} {
			if v := params.Get(name); params.Has(name) {
				if *to, err = time.Parse(time.RFC3339Nano, v); err != nil {
					return q, false, fault.New(fault.Invalid, "%s must be a date and time with its offset from UTC (RFC 3339)", name)
				}
			}
		}
		if !q.From.IsZero() && !q.To.IsZero() && !q.To.After(q.From) {
			return q, false, fault.New(fault.Invalid, "endTime must be after startTime")
		}
	}
	metadata, err = c.boolean("includemetadata", true)
	return q, metadata, err
}

func (c *call) boolean(name string, otherwise bool) (bool, error) {
	v := c.URL.Query().Get(name)
	if v == "" {
		return otherwise, nil
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, fault.New(fault.Invalid, "%s must be true or false", name)
	}
	return b, nil
}

// partitions lists the data partitions.
func (s *server) partitions(w http.ResponseWriter, c *call) error {
	if !s.Partitions {
		return fault.New(fault.Invalid, "this service has no data partitions")
	}
	all, err := s.Archive.Partitions(c.Context())
	if err != nil {
		return err
	}
	type partition struct {
		Key     int64     `json:"partitionKey"`
		Name    string    `json:"partitionName"`
		Created time.Time `json:"createdDate"`
	}
	list := make([]partition, 0, len(all))
	for _, p := range all {
		list = append(list, partition(p))
	}
	return writeJSON(w, c, list)
}

func writeJSON(w http.ResponseWriter, c *call, v any) error {
	return writeJSONStatus(w, c, http.StatusOK, v)
}

func writeJSONStatus(w http.ResponseWriter, c *call, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeBytes(w, c, status, "application/json", b)
}
