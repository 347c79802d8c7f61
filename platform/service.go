package platform

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"salus/fault"
	"salus/fhir/store"
	"salus/workspace"
)

// service is an open service.
type service struct {
	workspace string
	name      string
	kind      workspace.Kind
	path      string      // /{workspace}/{name}
	store     store.Store // nil when it could not be opened
	cors      workspace.CORS

	// handler returns the service's handler for when it is mounted at path
	// ("" at the root of a host name), which it gets stripped off.
	handler func(path string) http.Handler
	// background works until its context ends, for as long as the platform runs.
	background func(context.Context)
	// transaction processes a bundle of made-up data.
	transaction transaction
}

// host returns the name under which the service is reached below domain.
func (s *service) host(domain string) string {
	return s.workspace + "-" + s.name + "." + string(s.kind) + "." + domain
}

// open opens a service on its directory, {data}/{workspace}/{service}. The
// service is p's to close even when this fails.
func (p *Platform) open(s workspace.Service) error {
	w := p.cfg.Workspace.Name
	opened := &service{workspace: w, name: s.Name, kind: s.Kind, path: "/" + w + "/" + s.Name, cors: s.FHIR.CORS}
	p.services = append(p.services, opened)
	dir := filepath.Join(p.cfg.Data, w, s.Name)
	var err error
	switch s.Kind {
	case workspace.FHIR:
		err = p.openFHIR(opened, dir, s.FHIR)
	default:
		err = fault.New(fault.NotSupported, "services of kind %s are not in this build", s.Kind)
	}
	if err != nil {
		return fmt.Errorf("open service %s on %s: %w", s.Name, dir, err)
	}
	return nil
}
