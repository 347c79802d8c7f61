package web

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"time"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/tag"
	"salus/fault"
	"salus/internal/serve"
)

// maxJobBody is the most bytes that a request for an operation has.
const maxJobBody = 4 << 20

// accept answers that an operation goes on.
func accept(w http.ResponseWriter, c *call, id string, err error) error {
	href := c.root + "/operations/" + id
	if id != "" {
		w.Header().Set("Location", href)
	}
	if err != nil {
		return err
	}
	return writeJSONStatus(w, c, http.StatusAccepted, link{id, href})
}

// bulkUpdate gives studies other values of some attributes (the reference service's bulk update).
func (s *server) bulkUpdate(w http.ResponseWriter, c *call) error {
	body, err := serve.ReadBody(c.Request, maxJobBody)
	if err != nil {
		return err
	}
	var sent struct {
		StudyInstanceUIDs []string `json:"studyInstanceUids"`
		ChangeDataset     json.RawMessage
	}
	if err := json.Unmarshal(body, &sent); err != nil || sent.ChangeDataset == nil {
		return fault.New(fault.Invalid, "the body must be an object with studyInstanceUids and changeDataset")
	}
	change, bulk, err := jsonmodel.Decode(sent.ChangeDataset)
	if err != nil {
		return err
	}
	if len(bulk) > 0 {
		return fault.New(fault.Invalid, "changeDataset has a value that is only an address")
	}
	id, comments, err := s.Archive.Update(c.Context(), c.partition, sent.StudyInstanceUIDs, change)
	if len(comments) > 0 {
		failed := dicom.New(failedAttributes(comments))
		return writeBytes(w, c, http.StatusBadRequest, typeJSON, jsonmodel.Append(nil, failed, jsonmodel.Options{}))
	}
	return accept(w, c, id, err)
}

// onlyV2 is where version 1 has nothing.
func onlyV2(http.ResponseWriter, *call) error {
	return fault.New(fault.NotFound, "updates are of version 2: /v2/studies/$bulkUpdate")
}

// failedAttributes says what was wrong with attributes. Compat: the texts are longer than VR LO allows, as in the reference service.
func failedAttributes(texts []string) dicom.Element {
	items := make([]*dicom.Dataset, 0, len(texts))
	for _, text := range texts {
		items = append(items, dicom.New(dicom.Text(tag.ErrorComment, dicom.LO, strings.ReplaceAll(text, `\`, "/"))))
	}
	return dicom.Sequence(tag.FailedAttributesSequence, items...)
}

// export copies instances to a container (the reference service's export).
func (s *server) export(w http.ResponseWriter, c *call) error {
	body, err := serve.ReadBody(c.Request, maxJobBody)
	if err != nil {
		return err
	}
	var sent struct {
		Source struct {
			Type     string
			Settings struct{ Values []string }
		}
		Destination struct {
			Type     string
			Settings struct{ BlobContainerName, BlobContainerURI, ConnectionString string }
		}
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return fault.Wrap(fault.Invalid, err, "the body is no object with source and destination")
	}
	to := sent.Destination.Settings
	switch {
	case !strings.EqualFold(sent.Source.Type, "identifiers"):
		return fault.New(fault.Invalid, "source.type must be identifiers")
	case to.ConnectionString != "":
		return fault.New(fault.Invalid, "a connectionString is not taken: destinations are named in the service's settings")
	case to.BlobContainerName == "" && to.BlobContainerURI == "":
		return fault.New(fault.Invalid, "destination.settings must name a container as blobContainerName")
	}
	container := to.BlobContainerName
	if container == "" { // the last part of an address is the name, so that requests for the reference service fit
		container = path.Base(to.BlobContainerURI)
	}
	id, err := s.Archive.Export(c.Context(), c.partition, sent.Source.Settings.Values, container)
	return accept(w, c, id, err)
}

// operation tells how far work is (the reference service's operations endpoint).
func (s *server) operation(w http.ResponseWriter, c *call) error {
	id := c.PathValue("operation")
	o, err := s.Archive.Operation(c.Context(), id)
	if err != nil {
		return err
	}
	done := [...]string{archive.V1: "completed", archive.V2: "succeeded"}[c.version]
	answer := struct {
		ID        string              `json:"operationId"`
		Type      index.OperationType `json:"type"`
		Created   time.Time           `json:"createdTime"`
		Updated   time.Time           `json:"lastUpdatedTime"`
		Status    string              `json:"status"`
		Percent   int                 `json:"percentComplete"`
		Resources []string            `json:"resources"`
		Results   json.RawMessage     `json:"results,omitempty"`
	}{o.ID, o.Type, o.Created, o.Updated, [...]string{"notStarted", "running", done, "failed"}[o.Status], o.Percent, []string{}, o.Results}
	for _, t := range o.Tags {
		answer.Resources = append(answer.Resources, c.root+"/extendedquerytags/"+t.Hex())
	}
	status := http.StatusOK
	if o.Status < index.Succeeded {
		status = http.StatusAccepted
		w.Header().Set("Location", c.root+"/operations/"+id)
	}
	return writeJSONStatus(w, c, status, answer)
}
