package platform

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"salus/dicom/archive"
	"salus/dicom/worklist"
	"salus/fault"
	"salus/fhir/store"
	"salus/workspace"
)

// service is an open service.
type service struct {
	workspace string
	name      string
	kind      workspace.Kind
	path      string           // /{workspace}/{name}
	store     store.Store      // of a FHIR service; nil when it could not be opened
	archive   *archive.Archive // of a DICOM service; nil when it could not be opened
	worklist  *worklist.Worklist
	images    workspace.DICOMSettings
	cors      workspace.CORS

	// handler returns the service's handler for when it is mounted at path
	// ("" at the root of a host name), which it gets stripped off.
	handler func(path string) http.Handler
	// check costs the stores little and says whether they answer; full, which may be nil, whether they have no space to write.
	check func(context.Context) error
	full  func() bool
	// close releases the stores; nil when none was opened.
	close func() error
	// background works until its context ends, for as long as the platform runs.
	background func(context.Context)
	// transaction processes a bundle in a FHIR service, and find returns the one resource that a search there finds, or nil.
	transaction transaction
	find        func(ctx context.Context, resourceType, param, value string) ([]byte, error)
}

// host returns the name under which the service is reached below domain.
func (s *service) host(domain string) string {
	return s.workspace + "-" + s.name + "." + string(s.kind) + "." + domain
}

// open opens a service on its directory, {data}/{workspace}/{service}. The
// service is p's to close even when this fails.
func (p *Platform) open(s workspace.Service) error {
	w := p.cfg.Workspace.Name
	opened := &service{workspace: w, name: s.Name, kind: s.Kind, path: "/" + w + "/" + s.Name, cors: s.CORS()}
	p.services = append(p.services, opened)
	dir := filepath.Join(p.cfg.Data, w, s.Name)
	var err error
	switch s.Kind {
	case workspace.FHIR:
		err = p.openFHIR(opened, dir, s.FHIR)
	case workspace.DICOM:
		err = p.openDICOM(opened, dir, s.DICOM)
	default:
		err = fault.New(fault.NotSupported, "services of kind %s are not in this build", s.Kind)
	}
	if err != nil {
		return fmt.Errorf("open service %s on %s: %w", s.Name, dir, err)
	}
	return nil
}
