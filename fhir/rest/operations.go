package rest

import (
	"net/http"
	"slices"
	"strings"

	"salus/fhir"
)

// operation is an operation of the service (FHIR R4 operations §3.2): where it
// is, and what there is to know of it. Routing, the CapabilityStatement's list
// and the OperationDefinition are made of it.
type operation struct {
	name       string  // in rest.operation, and the id of its OperationDefinition
	code       string  // behind the $ in URLs
	title      string  // one line
	text       string  // what it does; the title when empty
	definition string  // canonical URL of a definition by someone else; "" for one of this service
	affects    bool    // the state of the service
	routes     []route // of level apart
	params     []parameter
}

// parameter is a parameter of an operation.
type parameter struct {
	name string
	out  bool   // is returned; otherwise it is given
	min  int    // times
	max  string // times, or "*"
	typ  string // a FHIR type
	text string
}

// operations are all operations of the service. A row is all that an operation
// needs besides its handler.
var operations = []operation{
	{
		name: "includes", code: "includes",
		title:  "Further included resources of a search",
		text:   "Answers with resources that the matches of a page of a search include and that did not fit on it. The link “related” of the page leads here.",
		routes: []route{{http.MethodGet, "/{type}/$includes", (*server).searchIncluded, apart, nil, nil}},
		params: []parameter{
			{name: "includesCt", min: 1, max: "1", typ: "string", text: "Where to go on, out of a link of the search. Its other parameters come with it."},
			{name: "_includesCount", max: "1", typ: "positiveInt", text: "Resources on a page at most."},
			{name: "return", out: true, min: 1, max: "1", typ: "Bundle", text: "A searchset of included resources."},
		},
	},
	{
		name: "purge-history", code: "purge-history", affects: true,
		title:  "Remove the history of a resource",
		text:   "Removes all versions of the resource but the current one, which keeps its number.",
		routes: []route{{http.MethodDelete, "/{type}/{id}/$purge-history", (*server).purgeHistory, apart, nil, nil}},
	},
}

// indexing are the operations on search parameters and the index.
var indexing = []operation{
	{
		name: "reindex", code: "reindex", affects: true,
		title: "Index resources anew",
		text:  "Starts a job that gives stored resources the values of the search parameters of now, and tells of the job at work. New parameters are indexed without it too.",
		routes: []route{
			{http.MethodPost, "/$reindex", (*server).startReindex, apart, nil, nil},
			{http.MethodGet, "/$reindex", (*server).reindexJobs, apart, nil, nil},
			{http.MethodGet, "/_operations/reindex/{job}", (*server).reindexJob, apart, nil, nil},
			{http.MethodDelete, "/_operations/reindex/{job}", (*server).cancelReindex, apart, nil, nil},
		},
		params: []parameter{
			{name: "maximumNumberOfResourcesPerQuery", max: "1", typ: "integer", text: "Resources read at a time at most, 1 to 10000."},
			{name: "maximumNumberOfResourcesPerWrite", max: "1", typ: "integer", text: "Resources indexed at a time at most, 1 to 10000."},
			{name: "targetResourceTypes", max: "*", typ: "string", text: "Types to index whether or not they need it, separated by commas."},
			{name: "targetSearchParameterTypes", max: "*", typ: "string", text: "URLs of search parameters to index whether or not they need it, separated by commas."},
		},
	},
	{
		name: "resource-reindex", code: "reindex", affects: true,
		title: "Index one resource anew",
		text:  "Shows the index values that a resource has under the search parameters of now (GET), and replaces those it has (POST).",
		routes: []route{
			{http.MethodGet, "/{type}/{id}/$reindex", (*server).previewIndex, apart, nil, nil},
			{http.MethodPost, "/{type}/{id}/$reindex", (*server).indexResource, apart, nil, nil},
		},
	},
	{
		name: "search-parameter-status", code: "status", affects: true,
		title: "Statuses of search parameters",
		text:  "Tells the statuses of search parameters, and switches parameters off or on again.",
		routes: []route{
			{http.MethodGet, "/SearchParameter/$status", (*server).parameterStatus, apart, nil, nil},
			{http.MethodPut, "/SearchParameter/$status", (*server).setParameterStatus, apart, nil, nil},
			{http.MethodPost, "/SearchParameter/$status/_search", (*server).parameterStatusForm, apart, nil, nil},
			// Compat: the reference has the form of $status below SearchParameter/SearchParameter, by mistake as it seems; here it is at both places.
			{http.MethodPost, "/SearchParameter/SearchParameter/$status/_search", (*server).parameterStatusForm, apart, nil, nil},
		},
		params: []parameter{
			{name: "url", max: "*", typ: "uri", text: "Of the parameters asked for."},
			{name: "code", max: "*", typ: "code", text: "Of the parameters asked for."},
			{name: "resourcetype", max: "*", typ: "code", text: "Of the parameters asked for."},
		},
	},
}

// places are all routes: those of interactions and those of operations.
func places() []route {
	all := slices.Clone(routes)
	for _, o := range slices.Concat(operations, indexing, converting) {
		all = append(all, o.routes...)
	}
	return all
}

// canonical returns where the operation's definition is, below base.
func (o *operation) canonical(base string) string {
	if o.definition != "" {
		return o.definition
	}
	return base + "/OperationDefinition/" + o.name
}

// levels tells on what the operation can be invoked, as its routes say.
func (o *operation) levels() (types []string, system, typ, instance bool) {
	for _, r := range o.routes {
		segments := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
		at := slices.IndexFunc(segments, func(s string) bool { return strings.HasPrefix(s, "$") })
		switch at {
		case -1: // of its jobs
			continue
		case 0:
			system = true
			continue
		case 1:
			typ = true
		default:
			if segments[1] != "{id}" {
				continue // the same once more
			}
			instance = true
		}
		name := segments[0]
		if name == "{type}" {
			name = "Resource"
		}
		if !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	return types, system, typ, instance
}

// appendDefinition appends the OperationDefinition (FHIR R4 operationdefinition §5.5).
func (o *operation) appendDefinition(b []byte, base string) []byte {
	types, system, typ, instance := o.levels()
	text := func(name, value string) {
		b = append(append(append(b, ',', '"'), name...), `":`...)
		b = fhir.AppendString(b, value)
	}
	flag := func(name string, value bool) {
		b = append(append(append(b, ',', '"'), name...), `":false`...)
		if value {
			b = append(b[:len(b)-len("false")], "true"...)
		}
	}
	b = append(b, `{"resourceType":"OperationDefinition"`...)
	text("id", o.name)
	text("url", o.canonical(base))
	text("name", camel(o.name))
	text("title", o.title)
	text("status", "active")
	text("kind", "operation")
	description := o.text
	if description == "" {
		description = o.title
	}
	text("description", description)
	flag("affectsState", o.affects)
	text("code", o.code)
	if len(types) > 0 {
		b = appendStrings(append(b, `,"resource":`...), types)
	}
	flag("system", system)
	flag("type", typ)
	flag("instance", instance)
	for i, p := range o.params {
		if i == 0 {
			b = append(b, `,"parameter":[`...)
		} else {
			b = append(b, ',')
		}
		b = p.append(b)
		if i == len(o.params)-1 {
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

func (p *parameter) append(b []byte) []byte {
	use := "in"
	if p.out {
		use = "out"
	}
	b = fhir.AppendString(append(b, `{"name":`...), p.name)
	b = append(append(append(b, `,"use":"`...), use...), `","min":`...)
	b = appendNumber(b, int64(p.min))
	b = fhir.AppendString(append(b, `,"max":`...), p.max)
	if p.text != "" {
		b = fhir.AppendString(append(b, `,"documentation":`...), p.text)
	}
	b = fhir.AppendString(append(b, `,"type":`...), p.typ)
	return append(b, '}')
}

// camel makes a name as definitions have them (FHIR R4 inv-0) of one with hyphens.
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// defined returns the service's own definition of the operation with that name.
func (s *server) defined(name fhir.ID, base string) (fhir.Version, bool) {
	for i := range s.operations {
		o := &s.operations[i]
		if o.name != string(name) || o.definition != "" {
			continue
		}
		d, err := fhir.Parse(o.appendDefinition(nil, base))
		if err != nil {
			return fhir.Version{}, false // texts of the table are quoted: it cannot be
		}
		defer d.Release()
		key := fhir.Key{Type: "OperationDefinition", ID: name}
		return fhir.Version{Key: key, Number: 1, Updated: s.statement().at, Method: fhir.Put, Body: fhir.NewBody(d.Root(), name, nil)}, true
	}
	return fhir.Version{}, false
}

// purgeHistory is DELETE /{type}/{id}/$purge-history.
func (s *server) purgeHistory(w http.ResponseWriter, r *http.Request) error {
	key := fhir.Key{Type: fhir.Type(r.PathValue("type")), ID: fhir.ID(r.PathValue("id"))}
	v, err := s.service.PurgeHistory(r.Context(), key)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(v.Number))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
