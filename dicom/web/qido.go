package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/fault"
)

func (s *server) searchStudies(w http.ResponseWriter, c *call) error {
	return s.search(w, c, index.Study)
}

func (s *server) searchSeries(w http.ResponseWriter, c *call) error {
	return s.search(w, c, index.Series)
}

func (s *server) searchInstances(w http.ResponseWriter, c *call) error {
	return s.search(w, c, index.Instance)
}

// search is Search for Studies, Series and Instances (PS3.18 §10.6).
func (s *server) search(w http.ResponseWriter, c *call, level index.Level) error {
	xml, err := c.dataSets()
	if err != nil {
		return err
	}
	q, erroneous, err := s.query(c, level)
	if err != nil {
		return err
	}
	if len(erroneous) > 0 {
		w.Header().Set("erroneous-dicom-attributes", strings.Join(erroneous, ","))
	}
	found, err := s.Archive.Search(c.Context(), q)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if xml {
		out := newRelated(w, c, typeXML)
		for _, one := range found {
			if err := out.xml(one); err != nil {
				return err
			}
		}
		return out.close()
	}
	body := make([]byte, 0, 2+len(found)*(len(found[0])+64))
	for i, one := range found {
		if i == 0 {
			body = append(body, '[')
		} else {
			body = append(body, ',')
		}
		body = append(body, one...)
	}
	return writeBytes(w, c, http.StatusOK, typeJSON, append(body, ']'))
}

// Limits of a search. The reference service has no more than 200; viewers ask for more.
const (
	defaultLimit = 100
	maxLimit     = 5000
)

// query reads the parameters of a search. erroneous are the attributes among them of which not every instance's value could be indexed.
func (s *server) query(c *call, level index.Level) (q archive.Search, erroneous []string, err error) {
	q = archive.Search{
		Query: index.Query{
			Partition: c.partition, Level: level, Within: index.UIDs{Study: c.Study, Series: c.Series}, Limit: defaultLimit, Join: true,
		},
		Version: c.version,
	}
	params, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return q, nil, fault.New(fault.Invalid, "the query string cannot be read (RFC 3986 §3.4)")
	}
	fuzzy, err := c.options(&q, params)
	if err != nil {
		return q, nil, err
	}
	seen := map[dicom.Tag]bool{}
	for _, name := range sorted(params) {
		switch strings.ToLower(name) {
		case "limit", "offset", "fuzzymatching", "includefield", "accept":
			continue
		}
		t, ok := dicom.ParseTag(name)
		if !ok {
			return q, nil, fault.New(fault.Invalid, "the parameter %s is neither one of a search nor an attribute (PS3.18 §8.3.4)", clip(name))
		}
		key, wrong, ok := s.Archive.Key(t)
		switch {
		case !ok || key.Level > level || key.Level == index.Study && c.Study != "" || key.Level == index.Series && c.Series != "":
			return q, nil, fault.New(fault.Invalid, "%s cannot be searched for here", t.Keyword())
		case seen[t] || len(params[name]) > 1:
			return q, nil, fault.New(fault.Invalid, "%s is there more than once", t.Keyword())
		}
		seen[t] = true
		m, all, err := archive.ParseMatch(key, params[name][0], fuzzy)
		if err != nil {
			return q, nil, err
		}
		if wrong {
			erroneous = append(erroneous, t.Keyword())
		}
		if !all {
			q.Matches = append(q.Matches, m)
		} else {
			q.Include = append(q.Include, t)
		}
	}
	return q, erroneous, nil
}

func sorted(params url.Values) []string {
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// clip keeps a name from the request short in an answer.
func clip(s string) string {
	if len(s) > 64 {
		s = s[:64] + "…"
	}
	return strconv.Quote(s)
}

// options reads what is no condition.
func (c *call) options(q *archive.Search, params url.Values) (fuzzy bool, err error) {
	for name, values := range params {
		v := values[0]
		switch lower := strings.ToLower(name); lower {
		case "limit", "offset":
			n, err := strconv.Atoi(v)
			switch {
			case err != nil || n < 0 || lower == "limit" && (n < 1 || n > maxLimit):
				return false, fault.New(fault.Invalid, "%s must be a number, and limit one from 1 to %d", lower, maxLimit)
			case lower == "limit":
				q.Limit = n
			default:
				q.Offset = n
			}
		case "fuzzymatching":
			if fuzzy, err = strconv.ParseBool(strings.ToLower(v)); err != nil {
				return false, fault.New(fault.Invalid, "fuzzymatching must be true or false")
			}
		case "includefield":
			if q.Include, q.All, err = includes(values); err != nil {
				return false, err
			}
		}
	}
	return fuzzy, nil
}

// includes reads includefield, of which paths lead to what they begin with. With all among them the others say nothing more.
func includes(values []string) (tags []dicom.Tag, all bool, err error) {
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			first, _, _ := strings.Cut(strings.TrimSpace(name), ".")
			if strings.EqualFold(first, "all") {
				all = true
				continue
			}
			t, ok := dicom.ParseTag(first)
			if !ok {
				return nil, false, fault.New(fault.Invalid, "includefield names %s, which is no attribute", clip(name))
			}
			tags = append(tags, t)
		}
	}
	return tags, all, nil
}
