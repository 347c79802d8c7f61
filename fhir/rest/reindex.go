package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/reindex"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/internal/serve"
)

// partial reports whether a search may use parameters whose indexing is not finished.
//
// Compat: the header x-ms-use-partial-indices, which is the reference's, lets a
// search use parameters that not every resource has its values of yet.
func partial(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("X-Ms-Use-Partial-Indices"), "true")
}

// indexer returns what does the operations of this file.
func (s *server) indexer() (*reindex.Indexer, error) {
	if s.reindex == nil {
		return nil, fault.New(fault.NotSupported, "this service does not support the operation in the URL")
	}
	return s.reindex, nil
}

// sendParameters answers with a Parameters resource, whose entries add appends.
func (s *server) sendParameters(w http.ResponseWriter, r *http.Request, status int, add func(*parameters)) error {
	f, err := formatOf(r, r.URL.Query())
	if err != nil {
		return err
	}
	b := buffers.get()
	defer buffers.put(b)
	p := parameters{b: append(*b, `{"resourceType":"Parameters"`...), open: `,"parameter":[`}
	add(&p)
	if p.open == "" {
		p.b = append(p.b, ']')
	}
	*b = append(p.b, '}')
	return s.send(w, status, f, b)
}

// parameters writes the entries of a Parameters resource.
type parameters struct {
	b    []byte
	open string // what stands before the next entry, when it is the first
}

func (p *parameters) next() {
	if p.open == "" {
		p.b = append(p.b, ',')
	}
	p.b, p.open = append(p.b, p.open...), ""
}

// text adds an entry, or with an empty value nothing.
func (p *parameters) text(name, typ, value string) {
	if value == "" {
		return
	}
	p.next()
	p.b = fhir.AppendString(append(p.b, `{"name":`...), name)
	p.b = append(append(append(p.b, `,"value`...), typ...), `":`...)
	p.b = append(fhir.AppendString(p.b, value), '}')
}

// literal adds an entry whose value is a number in JSON.
func (p *parameters) literal(name, value string) {
	p.next()
	p.b = fhir.AppendString(append(p.b, `{"name":`...), name)
	p.b = append(append(append(p.b, `,"valueDecimal":`...), value...), '}')
}

func (p *parameters) number(name string, n int64) { p.literal(name, strconv.FormatInt(n, 10)) }

func (p *parameters) time(name string, t time.Time) {
	if !t.IsZero() {
		p.text(name, "DateTime", fhir.FormatInstant(t))
	}
}

// given reads the entries of a Parameters resource: name and the text of the value.
func (s *server) given(r *http.Request, each func(name string, n fhir.Node) error) error {
	if r.ContentLength == 0 {
		return nil
	}
	doc, err := s.body(r, s.maxBody)
	if err != nil {
		return err
	}
	defer doc.Release()
	n := doc.Root()
	if n.Type() != "Parameters" {
		return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: "the body must be a Parameters resource", Expression: "resourceType"})
	}
	for p := range n.Get("parameter").Children {
		if err := each(p.Get("name").Text(), p); err != nil {
			return err
		}
	}
	return nil
}

// valueOf returns the text of an entry's value.
func valueOf(n fhir.Node) string {
	for c := range n.Children {
		if strings.HasPrefix(c.Name(), "value") {
			return c.Text()
		}
	}
	return ""
}

// startReindex is POST /$reindex. Names that it does not know are ignored, as the reference does.
func (s *server) startReindex(w http.ResponseWriter, r *http.Request) error {
	x, err := s.indexer()
	if err != nil {
		return err
	}
	var set reindex.Settings
	err = s.given(r, func(name string, n fhir.Node) (err error) {
		switch value := valueOf(n); name {
		case "maximumNumberOfResourcesPerQuery":
			set.PerQuery, err = positive(name, value)
		case "maximumNumberOfResourcesPerWrite":
			set.PerWrite, err = positive(name, value)
		case "targetResourceTypes":
			set.TargetTypes = append(set.TargetTypes, list(value)...)
		case "targetSearchParameterTypes":
			set.TargetURLs = append(set.TargetURLs, list(value)...)
		}
		return err
	})
	if err != nil {
		return err
	}
	j, err := x.Start(r.Context(), set)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Location", s.base(r)+"/_operations/reindex/"+strconv.FormatInt(j.ID, 10))
	return s.sendJob(w, r, http.StatusCreated, j)
}

// positive reads a number of resources; the use case knows the range.
func positive(name, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "%s must be from 1 to %d", name, reindex.MaxPer)
	}
	return n, nil
}

func list(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
}

// reindexJobs is GET /$reindex: the job at work.
func (s *server) reindexJobs(w http.ResponseWriter, r *http.Request) error {
	x, err := s.indexer()
	if err != nil {
		return err
	}
	if j := x.Active(); j != nil {
		return s.sendJob(w, r, http.StatusOK, j)
	}
	return s.sendParameters(w, r, http.StatusOK, func(*parameters) {})
}

// jobID reads the id of a job in a path.
func jobID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("job"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "there is no reindex job with this id")
	}
	return id, nil
}

// reindexJob is GET /_operations/reindex/{job}.
func (s *server) reindexJob(w http.ResponseWriter, r *http.Request) error {
	x, err := s.indexer()
	if err != nil {
		return err
	}
	id, err := jobID(r)
	if err != nil {
		return err
	}
	j, err := x.Job(id)
	if err != nil {
		return err
	}
	return s.sendJob(w, r, http.StatusOK, j)
}

// cancelReindex is DELETE /_operations/reindex/{job}.
func (s *server) cancelReindex(w http.ResponseWriter, r *http.Request) error {
	x, err := s.indexer()
	if err != nil {
		return err
	}
	id, err := jobID(r)
	if err != nil {
		return err
	}
	j, err := x.Cancel(r.Context(), id)
	if err != nil {
		return err
	}
	return s.sendJob(w, r, http.StatusAccepted, j)
}

func (s *server) sendJob(w http.ResponseWriter, r *http.Request, status int, j *reindex.Job) error {
	return s.sendParameters(w, r, status, func(p *parameters) {
		var types, progress []string
		for _, t := range j.Types {
			types = append(types, string(t.Type))
			progress = append(progress, string(t.Type)+": "+strconv.FormatInt(t.Done, 10)+" of "+strconv.FormatInt(t.Total, 10))
		}
		total, done := j.Total()
		tenths := j.Progress()
		p.text("id", "String", strconv.FormatInt(j.ID, 10))
		p.time("startTime", j.Started)
		p.time("endTime", j.Ended)
		p.time("lastModified", j.Modified)
		p.time("queuedTime", j.Queued)
		p.number("totalResourcesToReindex", total)
		p.number("resourcesSuccessfullyReindexed", done-j.Failed)
		p.literal("progress", strconv.FormatInt(tenths/10, 10)+"."+strconv.FormatInt(tenths%10, 10))
		p.text("status", "String", string(j.Status))
		p.number("maximumNumberOfResourcesPerQuery", int64(j.Settings.PerQuery))
		p.number("maximumNumberOfResourcesPerWrite", int64(j.Settings.PerWrite))
		p.text("resources", "String", strings.Join(types, ","))
		p.text("resourceReindexProgressByResource", "String", strings.Join(progress, ", "))
		p.text("searchParams", "String", strings.Join(j.Params, ","))
		p.text("targetResourceTypes", "String", strings.Join(j.Settings.TargetTypes, ","))
		p.text("failureDetails", "String", j.Details)
	})
}

// previewIndex is GET /{type}/{id}/$reindex: what the resource is or would be found by.
func (s *server) previewIndex(w http.ResponseWriter, r *http.Request) error {
	return s.indexOne(w, r, false)
}

// indexResource is POST /{type}/{id}/$reindex.
func (s *server) indexResource(w http.ResponseWriter, r *http.Request) error {
	return s.indexOne(w, r, true)
}

func (s *server) indexOne(w http.ResponseWriter, r *http.Request, keep bool) error {
	x, err := s.indexer()
	if err != nil {
		return err
	}
	do := x.Preview
	if keep {
		do = x.Resource
	}
	values, err := do(r.Context(), fhir.Key{Type: fhir.Type(r.PathValue("type")), ID: fhir.ID(r.PathValue("id"))})
	if err != nil {
		return err
	}
	slices.SortStableFunc(values, func(a, b searchparam.Entry) int { return strings.Compare(a.Param.Code, b.Param.Code) })
	return s.sendParameters(w, r, http.StatusOK, func(p *parameters) {
		for _, e := range values {
			p.text(e.Param.Code, "String", e.Value.Describe(e.Param))
		}
	})
}

// parameterStatus is GET /SearchParameter/$status.
func (s *server) parameterStatus(w http.ResponseWriter, r *http.Request) error {
	params, err := search.ParseParams(r.URL.RawQuery)
	if err != nil {
		return err
	}
	return s.sendStatuses(w, r, params)
}

// parameterStatusForm is POST /SearchParameter/$status/_search.
func (s *server) parameterStatusForm(w http.ResponseWriter, r *http.Request) error {
	params, err := search.ParseParams(r.URL.RawQuery)
	if err != nil {
		return err
	}
	form, err := serve.ReadBody(r, s.maxBody)
	if err != nil {
		return err
	}
	more, err := search.ParseParams(string(form))
	if err != nil {
		return err
	}
	return s.sendStatuses(w, r, append(params, more...))
}

func (s *server) sendStatuses(w http.ResponseWriter, r *http.Request, params []search.Param) error {
	x, err := s.indexer()
	if err != nil {
		return err
	}
	var q reindex.StatusQuery
	for _, p := range params {
		values := strings.FieldsFunc(p.Value, func(r rune) bool { return r == ',' })
		switch strings.ToLower(p.Name) {
		case "url":
			q.URLs = append(q.URLs, values...)
		case "code":
			q.Codes = append(q.Codes, values...)
		case "resourcetype":
			q.Types = append(q.Types, values...)
		case "_format", "_pretty":
		default:
			return fault.New(fault.Invalid, "statuses are selected by url, code and resourcetype only")
		}
	}
	found, err := x.Statuses(q)
	if err != nil {
		return err
	}
	return s.sendParameters(w, r, http.StatusOK, func(p *parameters) { p.statuses(found) })
}

func (p *parameters) statuses(all []reindex.ParameterStatus) {
	for _, s := range all {
		p.next()
		p.b = fhir.AppendString(append(p.b, `{"name":"searchParameterStatus","part":[{"name":"url","valueUrl":`...), s.URL)
		p.b = fhir.AppendString(append(p.b, `},{"name":"status","valueString":`...), string(s.Status))
		p.b = append(p.b, "}]}"...)
	}
}

// setParameterStatus is PUT /SearchParameter/$status.
func (s *server) setParameterStatus(w http.ResponseWriter, r *http.Request) error {
	x, err := s.indexer()
	if err != nil {
		return err
	}
	var wanted []reindex.ParameterStatus
	err = s.given(r, func(name string, n fhir.Node) error {
		if name != "searchParameterStatus" {
			return fault.New(fault.Invalid, "each parameter must be a searchParameterStatus with the parts url and status")
		}
		var one reindex.ParameterStatus
		for part := range n.Get("part").Children {
			switch part.Get("name").Text() {
			case "url":
				one.URL = valueOf(part)
			case "status":
				one.Status = reindex.Status(valueOf(part))
			}
		}
		wanted = append(wanted, one)
		return nil
	})
	if err == nil && len(wanted) == 0 {
		err = fault.New(fault.Invalid, "the body must name at least one search parameter with its status")
	}
	if err != nil {
		return err
	}
	now, err := x.SetStatuses(r.Context(), wanted)
	if err != nil {
		return err
	}
	return s.sendParameters(w, r, http.StatusOK, func(p *parameters) { p.statuses(now) })
}
