package web

import (
	"net/http"

	"salus/dicom/archive"
)

// route is a resource with what can be done with it.
type route struct {
	path    string
	divided bool            // it is below partitions, when there are any
	only    archive.Version // 0 for all versions
	methods []operation
}

// operation is what one method does, and how the OpenAPI document tells of it.
type operation struct {
	method string
	handle handler
	about  string
	takes  []string // media types of the body; nil for none
	gives  []string // media types of the answer; nil for an empty one
	query  []string // names of parameters
}

// Media types of many operations.
var (
	dataSets   = []string{typeJSON, "multipart/related"}
	files      = []string{"multipart/related", typeDICOM}
	pictureSet = []string{typeJPEG, typePNG, "multipart/related", "video/mp4", "video/mpeg"}
	plainJSON  = []string{"application/json"}
	onlyDICOM  = []string{typeJSON}
)

// Parameters of many operations (PS3.18 §8.3).
var (
	searchQuery  = []string{"limit", "offset", "fuzzymatching", "includefield"}
	pictureQuery = []string{"quality", "viewport", "window", "annotation"}
	pageQuery    = []string{"limit", "offset"}
)

// routes are the resources of the service (PS3.18 table 10.3-1 and the reference service's).
func (s *server) routes() []route {
	const (
		study    = "/studies/{study}"
		series   = study + "/series/{series}"
		instance = series + "/instances/{instance}"
		frames   = instance + "/frames/{frames}"
		workitem = "/workitems/{workitem}"
		tag      = "/extendedquerytags/{tag}"
	)
	get := func(h handler, about string, gives []string, query ...string) operation {
		return operation{http.MethodGet, h, about, nil, gives, query}
	}
	post := func(h handler, about string, takes, gives []string, query ...string) operation {
		return operation{http.MethodPost, h, about, takes, gives, query}
	}
	put := func(h handler, about string, takes, gives []string) operation {
		return operation{http.MethodPut, h, about, takes, gives, nil}
	}
	remove := func(h handler, about string) operation { return operation{http.MethodDelete, h, about, nil, nil, nil} }
	divided := func(path string, methods ...operation) route { return route{path, true, 0, methods} }
	whole := func(path string, methods ...operation) route { return route{path, false, 0, methods} }

	return []route{
		divided("/studies",
			get(s.searchStudies, "Search for studies", dataSets, searchQuery...),
			post(s.store, "Store instances", files, onlyDICOM), put(s.replace, "Store instances, also in the places of those that are there", files, onlyDICOM)),
		divided("/series", get(s.searchSeries, "Search for series", dataSets, searchQuery...)),
		divided("/instances", get(s.searchInstances, "Search for instances", dataSets, searchQuery...)),
		divided(study,
			get(s.retrieve, "Retrieve a study", files), post(s.store, "Store instances of a study", files, onlyDICOM),
			put(s.replace, "Store instances of a study, also in the places of those that are there", files, onlyDICOM), remove(s.delete, "Delete a study")),
		divided(study+"/metadata", get(s.metadata, "Retrieve the metadata of a study", dataSets)),
		divided(study+"/rendered", get(s.rendered, "Retrieve pictures of a study", pictureSet, pictureQuery...)),
		divided(study+"/thumbnail", get(s.thumbnail, "Retrieve a thumbnail of a study", pictureSet, pictureQuery...)),
		divided(study+"/series", get(s.searchSeries, "Search for series of a study", dataSets, searchQuery...)),
		divided(study+"/instances", get(s.searchInstances, "Search for instances of a study", dataSets, searchQuery...)),
		divided(series, get(s.retrieve, "Retrieve a series", files), remove(s.delete, "Delete a series")),
		divided(series+"/metadata", get(s.metadata, "Retrieve the metadata of a series", dataSets)),
		divided(series+"/rendered", get(s.rendered, "Retrieve pictures of a series", pictureSet, pictureQuery...)),
		divided(series+"/thumbnail", get(s.thumbnail, "Retrieve a thumbnail of a series", pictureSet, pictureQuery...)),
		divided(series+"/instances", get(s.searchInstances, "Search for instances of a series", dataSets, searchQuery...)),
		divided(instance, get(s.retrieve, "Retrieve an instance", files), remove(s.delete, "Delete an instance")),
		divided(instance+"/metadata", get(s.metadata, "Retrieve the metadata of an instance", dataSets)),
		divided(instance+"/rendered", get(s.rendered, "Retrieve pictures of an instance", pictureSet, pictureQuery...)),
		divided(instance+"/thumbnail", get(s.thumbnail, "Retrieve a thumbnail of an instance", pictureSet, pictureQuery...)),
		divided(frames, get(s.frames, "Retrieve frames", []string{"multipart/related", typeBytes, "image/*"})),
		divided(frames+"/rendered", get(s.rendered, "Retrieve pictures of frames", pictureSet, pictureQuery...)),
		divided(frames+"/thumbnail", get(s.thumbnail, "Retrieve a thumbnail of a frame", pictureSet, pictureQuery...)),
		divided(instance+"/bulkdata/{path...}", get(s.bulkdata, "Retrieve a value that metadata leaves out", []string{typeBytes, "multipart/related"})),
		{"/studies/$bulkUpdate", true, archive.V2, []operation{post(s.bulkUpdate, "Give studies other values of some attributes", plainJSON, plainJSON)}},
		{"/studies/$bulkUpdate", true, archive.V1, []operation{post(onlyV2, "Of version 2 only", plainJSON, nil)}},
		divided("/export", post(s.export, "Copy instances to a container", plainJSON, plainJSON)),
		divided("/workitems",
			get(s.searchWorkitems, "Search for workitems", onlyDICOM, searchQuery...), post(s.warned(s.createWorkitem), "Create a workitem", onlyDICOM, nil)),
		divided(workitem,
			get(s.retrieveWorkitem, "Retrieve a workitem", onlyDICOM), post(s.warned(s.updateWorkitem), "Update a workitem", onlyDICOM, nil, "transaction-uid")),
		divided(workitem+"/state", put(s.warned(s.changeWorkitemState), "Change the state of a workitem", onlyDICOM, nil)),
		divided(workitem+"/cancelrequest", post(s.warned(s.cancelWorkitem), "Request that a workitem be canceled", onlyDICOM, nil)),
		divided(workitem+"/subscribers/{ae}",
			post(s.subscribe, "Subscribe to a workitem, or to all", nil, nil, "deletionlock"), remove(s.unsubscribe, "Unsubscribe")),
		divided(workitem+"/subscribers/{ae}/suspend", post(s.suspend, "Keep new workitems out of a subscription to all", nil, nil)),
		divided("/subscribers/{ae}", get(s.listen, "Open the event channel of a subscriber, by WebSocket", nil)),
		divided("/wado", get(s.wadoURI, "Retrieve one instance by the URI service", []string{typeJPEG, typePNG, typeDICOM},
			"requestType", "studyUID", "seriesUID", "objectUID", "contentType", "frameNumber", "rows", "columns", "region", "windowCenter", "windowWidth",
			"imageQuality", "annotation", "transferSyntax")),
		whole("/partitions", get(s.partitions, "List the data partitions", plainJSON)),
		whole("/changefeed", get(s.changes, "Read the change feed", plainJSON, "limit", "offset", "startTime", "endTime", "includeMetadata")),
		whole("/changefeed/latest", get(s.latest, "Read the latest entry of the change feed", plainJSON, "includeMetadata")),
		whole("/extendedquerytags",
			get(s.queryTags, "List the extended query tags", plainJSON, pageQuery...), post(s.addTags, "Add extended query tags", plainJSON, plainJSON)),
		whole(tag,
			get(s.oneTag, "Read an extended query tag", plainJSON), operation{http.MethodPatch, s.enableTag, "Let searches use an extended query tag, or not", plainJSON, plainJSON, nil},
			remove(s.deleteTag, "Delete an extended query tag")),
		whole(tag+"/errors", get(s.tagErrors, "List instances whose value of an extended query tag could not be indexed", plainJSON, pageQuery...)),
		whole("/operations/{operation}", get(s.operation, "Tell how far work is that goes on", plainJSON)),
		whole("/api.yaml", get(s.openAPI, "Read this description", []string{"application/yaml"})),
	}
}
