package bundle

import (
	"encoding/base64"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/patch"
)

// jsonPatch is the media type of a JSON Patch.
const jsonPatch = "application/json-patch+json"

// patch decodes a PATCH entry but for the patch itself.
func (e *entry) patch(w interaction.Write, segments []string, query string) {
	switch {
	case len(segments) == 4 && segments[2] == "_history":
		e.err = fault.New(fault.MethodNotAllowed, "one version of a resource cannot be patched")
		return
	case len(segments) > 2:
		e.err = noRoute()
		return
	}
	var flag string
	query, flag = takeFlag(query, "_meta-history")
	w.DropHistory = flag == "false"
	if len(segments) == 2 {
		w.ID = fhir.ID(segments[1])
	} else {
		w.Criteria = query
	}
	e.verb, e.change = patching, interaction.Change{Write: w, Method: fhir.Patch}
}

// readPatch reads the patch that an entry carries as its resource: a JSON Patch
// in a Binary, a FHIRPath Patch as Parameters (FHIR R4 http §3.1.0.11).
func (p *Processor) readPatch(e *entry) (err error) {
	n := e.change.Resource
	e.change.Resource = fhir.Node{}
	if n.Type() != "Binary" {
		e.change.Patch, err = patch.FHIRPath(n, p.service.Definitions(), p.service.Compat())
		return err
	}
	kind, _, _ := strings.Cut(n.Get("contentType").Text(), ";")
	if strings.TrimSpace(kind) != jsonPatch {
		return fault.New(fault.MediaType, "a PATCH entry carries Parameters, or a Binary with contentType %s", jsonPatch)
	}
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Get("data").Text()), ""))
	if err != nil {
		return invalid("the data of a PATCH entry must be base64", "")
	}
	d, err := fhir.Parse(text)
	if err != nil {
		return err
	}
	e.change.Patch, err = patch.JSON(d.Root(), p.service.Compat())
	return err
}
