package rest_test

import (
	"testing"
)

// Without an indexer there are no operations on search parameters.
func TestReindex_IsNotThereWithoutAnIndexer(t *testing.T) {
	t.Parallel()
	runAll(t, []scenario{
		{name: "start", method: "POST", path: "/$reindex", status: 405, issue: "error not-supported"},
		{name: "job", method: "GET", path: "/_operations/reindex/1", status: 405, issue: "error not-supported"},
		{name: "status", method: "GET", path: "/SearchParameter/$status", status: 405, issue: "error not-supported"},
		{name: "resource", method: "GET", path: "/Patient/p1/$reindex", status: 405, issue: "error not-supported"},
		{name: "no job elsewhere", method: "GET", path: "/_operations/nothing/1", status: 404, issue: "error not-found"},
	})
}
