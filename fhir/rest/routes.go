package rest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// handler decodes a request, calls one use case and encodes what came of it.
type handler func(*server, http.ResponseWriter, *http.Request) error

// level is the part of a service that an interaction is about, as a
// CapabilityStatement divides it.
type level uint8

const (
	apart    level = iota // not an interaction
	onSystem              // rest.interaction
	onType                // rest.resource.interaction, also those on one resource
)

// route is one method at one place. The CapabilityStatement is made of this
// table: interactions are codes of TypeRestfulInteraction and
// SystemRestfulInteraction, abilities the elements of rest.resource that
// conditional forms of the same route make true.
type route struct {
	method, path string
	handle       handler
	level        level
	interactions []string
	abilities    []string
}

// routes are all places of the service.
var routes = []route{
	{http.MethodGet, "/metadata", (*server).metadata, apart, nil, nil},
	{http.MethodGet, "/$versions", (*server).versions, apart, nil, nil},

	{http.MethodPost, "/{$}", (*server).process, onSystem, []string{"transaction", "batch"}, nil},
	{http.MethodGet, "/{$}", (*server).search, onSystem, []string{"search-system"}, nil},
	{http.MethodPost, "/_search", (*server).searchForm, onSystem, []string{"search-system"}, nil},
	{http.MethodGet, "/_history", (*server).history, onSystem, []string{"history-system"}, nil},

	{http.MethodPost, "/{type}", (*server).create, onType, []string{"create"}, []string{"conditionalCreate"}},
	{http.MethodGet, "/{type}", (*server).search, onType, []string{"search-type"}, nil},
	{http.MethodPut, "/{type}", (*server).updateMatch, onType, nil, []string{"conditionalUpdate"}},
	{http.MethodPatch, "/{type}", (*server).patchMatch, onType, nil, nil},
	{http.MethodDelete, "/{type}", (*server).removeMatches, onType, nil, []string{"conditionalDelete"}},
	{http.MethodPost, "/{type}/_search", (*server).searchForm, onType, []string{"search-type"}, nil},
	{http.MethodGet, "/{type}/_history", (*server).history, onType, []string{"history-type"}, nil},

	{http.MethodGet, "/{type}/{id}", (*server).read, onType, []string{"read"}, []string{"conditionalRead"}},
	{http.MethodPut, "/{type}/{id}", (*server).update, onType, []string{"update"}, []string{"updateCreate"}},
	{http.MethodPatch, "/{type}/{id}", (*server).patch, onType, []string{"patch"}, nil},
	{http.MethodDelete, "/{type}/{id}", (*server).remove, onType, []string{"delete"}, nil},
	{http.MethodGet, "/{type}/{id}/_history", (*server).history, onType, []string{"history-instance"}, nil},
	{http.MethodGet, "/{type}/{id}/{member}", (*server).search, apart, nil, nil},
	{http.MethodPost, "/{type}/{id}/{member}/{search}", (*server).searchForm, apart, nil, nil},
	{http.MethodGet, "/{type}/{id}/_history/{vid}", (*server).vread, onType, []string{"vread"}, []string{"readHistory"}},
}

// allowed is the Allow header of a place with these methods.
func allowed(methods map[string]handler) string {
	return strings.Join(append(slices.Sorted(maps.Keys(methods)), http.MethodOptions), ", ")
}
