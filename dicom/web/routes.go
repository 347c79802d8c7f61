package web

import (
	"net/http"

	"salus/dicom/archive"
)

// route is a resource with its methods.
type route struct {
	path    string
	methods map[string]handler
	divided bool            // it is below partitions, when there are any
	only    archive.Version // 0 for all versions
}

// routes are the resources of the service (PS3.18 table 10.3-1 and the reference service's).
func (s *server) routes() []route {
	get := func(h handler) map[string]handler { return map[string]handler{http.MethodGet: h} }
	const (
		study    = "/studies/{study}"
		series   = study + "/series/{series}"
		instance = series + "/instances/{instance}"
	)
	return []route{
		{"/studies", map[string]handler{http.MethodGet: s.searchStudies, http.MethodPost: s.store, http.MethodPut: s.replace}, true, 0},
		{"/series", get(s.searchSeries), true, 0},
		{"/instances", get(s.searchInstances), true, 0},
		{study, map[string]handler{
			http.MethodGet: s.retrieve, http.MethodPost: s.store, http.MethodPut: s.replace, http.MethodDelete: s.delete,
		}, true, 0},
		{study + "/metadata", get(s.metadata), true, 0},
		{study + "/rendered", get(s.rendered), true, 0},
		{study + "/thumbnail", get(s.thumbnail), true, 0},
		{study + "/series", get(s.searchSeries), true, 0},
		{study + "/instances", get(s.searchInstances), true, 0},
		{series, map[string]handler{http.MethodGet: s.retrieve, http.MethodDelete: s.delete}, true, 0},
		{series + "/metadata", get(s.metadata), true, 0},
		{series + "/rendered", get(s.rendered), true, 0},
		{series + "/thumbnail", get(s.thumbnail), true, 0},
		{series + "/instances", get(s.searchInstances), true, 0},
		{instance, map[string]handler{http.MethodGet: s.retrieve, http.MethodDelete: s.delete}, true, 0},
		{instance + "/metadata", get(s.metadata), true, 0},
		{instance + "/rendered", get(s.rendered), true, 0},
		{instance + "/thumbnail", get(s.thumbnail), true, 0},
		{instance + "/frames/{frames}", get(s.frames), true, 0},
		{instance + "/frames/{frames}/rendered", get(s.rendered), true, 0},
		{instance + "/frames/{frames}/thumbnail", get(s.thumbnail), true, 0},
		{instance + "/bulkdata/{path...}", get(s.bulkdata), true, 0},
		{"/studies/$bulkUpdate", map[string]handler{http.MethodPost: s.bulkUpdate}, true, archive.V2},
		{"/studies/$bulkUpdate", map[string]handler{http.MethodPost: onlyV2}, true, archive.V1},
		{"/export", map[string]handler{http.MethodPost: s.export}, true, 0},
		{"/workitems", map[string]handler{http.MethodGet: s.searchWorkitems, http.MethodPost: s.warned(s.createWorkitem)}, true, 0},
		{"/workitems/{workitem}", map[string]handler{http.MethodGet: s.retrieveWorkitem, http.MethodPost: s.warned(s.updateWorkitem)}, true, 0},
		{"/workitems/{workitem}/state", map[string]handler{http.MethodPut: s.warned(s.changeWorkitemState)}, true, 0},
		{"/workitems/{workitem}/cancelrequest", map[string]handler{http.MethodPost: s.warned(s.cancelWorkitem)}, true, 0},
		{"/workitems/{workitem}/subscribers/{ae}", map[string]handler{http.MethodPost: s.subscribe, http.MethodDelete: s.unsubscribe}, true, 0},
		{"/workitems/{workitem}/subscribers/{ae}/suspend", map[string]handler{http.MethodPost: s.suspend}, true, 0},
		{"/subscribers/{ae}", get(s.listen), true, 0},
		{"/wado", get(s.wadoURI), true, 0},
		{"/partitions", get(s.partitions), false, 0},
		{"/changefeed", get(s.changes), false, 0},
		{"/changefeed/latest", get(s.latest), false, 0},
		{"/extendedquerytags", map[string]handler{http.MethodGet: s.queryTags, http.MethodPost: s.addTags}, false, 0},
		{"/extendedquerytags/{tag}", map[string]handler{
			http.MethodGet: s.oneTag, http.MethodPatch: s.enableTag, http.MethodDelete: s.deleteTag,
		}, false, 0},
		{"/extendedquerytags/{tag}/errors", get(s.tagErrors), false, 0},
		{"/operations/{operation}", get(s.operation), false, 0},
	}
}
