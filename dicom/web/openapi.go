package web

import (
	"encoding/json"
	"net/http"
	"strings"

	"salus/dicom/archive"
)

// openAPI describes the service in a document of OpenAPI 3.0, made of the routes. JSON is YAML too (YAML 1.2 §1.3).
func (s *server) openAPI(w http.ResponseWriter, c *call) error {
	paths := map[string]any{}
	for _, r := range s.routes() {
		if r.only != 0 && r.only != c.version {
			continue
		}
		methods := map[string]any{}
		names := placeholders(r.path)
		path := r.path
		if r.divided && s.Partitions {
			path, names = "/partitions/{partition}"+path, append([]string{"partition"}, names...)
		}
		for _, o := range r.methods {
			methods[strings.ToLower(o.method)] = o.describe(names)
		}
		paths[strings.ReplaceAll(path, "...}", "}")] = methods
	}
	b, err := json.MarshalIndent(map[string]any{
		"openapi": "3.0.3",
		"info": map[string]any{
			"title": "DICOM service", "version": [...]string{archive.V1: "v1", archive.V2: "v2"}[c.version],
			"description": "DICOMweb (PS3.18) and what belongs to it. Errors are answered with plain text.",
		},
		"servers": []any{map[string]any{"url": c.root}},
		"paths":   paths,
	}, "", "  ")
	if err != nil {
		return err
	}
	return writeBytes(w, c, http.StatusOK, "application/yaml", b)
}

// placeholders are the names in braces of a path.
func placeholders(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimRight(name, ".}"))
		}
	}
	return names
}

// describe makes the description of an operation.
func (o operation) describe(names []string) map[string]any {
	var parameters []any
	parameter := func(name, in string) {
		parameters = append(parameters, map[string]any{"name": name, "in": in, "required": in == "path", "schema": map[string]any{"type": "string"}})
	}
	for _, n := range names {
		parameter(n, "path")
	}
	for _, n := range o.query {
		parameter(n, "query")
	}
	content := func(types []string) map[string]any {
		all := map[string]any{}
		for _, t := range types {
			all[t] = map[string]any{}
		}
		return all
	}
	good := map[string]any{"description": "It was done."}
	if o.gives != nil {
		good["content"] = content(o.gives)
	}
	d := map[string]any{
		"summary":   o.about,
		"responses": map[string]any{"2XX": good, "4XX": map[string]any{"description": "Why it was not done.", "content": content([]string{"text/plain"})}},
	}
	if parameters != nil {
		d["parameters"] = parameters
	}
	if o.takes != nil {
		d["requestBody"] = map[string]any{"content": content(o.takes)}
	}
	return d
}
