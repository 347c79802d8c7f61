package bundle

import (
	"strings"

	"salus/fault"
	"salus/fhir"
)

// refuseOverlap fails the entries of a parallel batch that change a resource
// which an entry before them with the same verb changes: at the same time, only
// one of them can.
func refuseOverlap(entries []entry) {
	type target struct {
		verb verb
		key  fhir.Key
	}
	taken := map[target]bool{}
	for i := range entries {
		e := &entries[i]
		if e.err != nil || e.verb >= get || e.change.ID == "" {
			continue
		}
		t := target{e.verb, fhir.Key{Type: e.change.Type, ID: e.change.ID}}
		if taken[t] {
			e.err = invalid("another entry of the batch changes the same resource, which cannot be done in parallel", "")
		}
		taken[t] = true
	}
}

// parameterType is the resource type that defines search parameters.
const parameterType fhir.Type = "SearchParameter"

// distinctParams refuses a bundle with two SearchParameters that would be one:
// with the same url, or with the same code for the same base.
func distinctParams(entries []entry) error {
	var urls, codes bool
	seen := map[string]bool{}
	twice := func(name string) bool {
		before := seen[name]
		seen[name] = true
		return before
	}
	for i := range entries {
		n := entries[i].change.Resource
		if entries[i].err != nil || n.Type() != parameterType {
			continue
		}
		if url := n.Get("url").Text(); url != "" && twice("url "+url) {
			urls = true
		}
		code := n.Get("code").Text()
		for base := range n.Get("base").Children {
			if code != "" && twice("code "+base.Text()+" "+code) {
				codes = true
			}
		}
	}
	var what []string
	if codes {
		what = append(what, "codes")
	}
	if urls {
		what = append(what, "Urls")
	}
	if what == nil {
		return nil
	}
	return fault.With(fault.Invalid, fault.Issue{
		Code: "invalid", Text: "the bundle has SearchParameters with duplicate " + strings.Join(what, " and ") + ": each may occur once",
	})
}
