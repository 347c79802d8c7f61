package rest

import (
	"salus/fault"
	"salus/fhir/search"
)

// AnswerTo gives tests the table of outcome.go.
func AnswerTo(f *fault.Fault) (int, []fault.Issue) { return answerTo(f) }

// Answered reports whether the table has a line for k.
func Answered(k fault.Kind) bool { _, ok := answers[k]; return ok }

// Seal makes a continuation token.
func Seal(key []byte, query string, cursor []byte) string { return signer{key}.seal(query, cursor) }

// Open reads a continuation token.
func Open(key []byte, query, token string) ([]byte, error) { return signer{key}.open(query, token) }

// RouteInteractions returns every interaction and ability that the routes provide.
func RouteInteractions() (system, resource, abilities []string) {
	_, system = provided(onSystem)
	abilities, resource = provided(onType)
	return system, resource, abilities
}

// LinkURL makes a link.
func LinkURL(base, path string, params []search.Param) string { return linkURL(base, path, params) }
