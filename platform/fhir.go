package platform

import (
	"context"
	"net/http"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/interaction"
	"salus/fhir/reindex"
	"salus/fhir/rest"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/store/lsm"
	"salus/fhir/validate"
	"salus/workspace"
)

// rules are what all FHIR services follow. They are immutable, take the most
// work to build, and so exist once.
type rules struct {
	definitions *spec.Definitions
	params      *searchparam.Registry
	validator   *validate.Validator
}

func newRules() (*rules, error) {
	defs := spec.R4()
	params, err := searchparam.NewRegistry(defs)
	if err != nil {
		return nil, err
	}
	return &rules{defs, params, validate.New(defs)}, nil
}

// pagingKey is the file with the key that signs links to further pages.
const pagingKey = "paging.key"

// versioning reads the versioning policies of a service's settings.
func (r *rules) versioning(set workspace.FHIRSettings) (fhir.Versioning, error) {
	codes := map[string]fhir.VersionPolicy{
		"": fhir.Versioned, workspace.Versioned: fhir.Versioned,
		workspace.NoVersion: fhir.NoVersion, workspace.VersionedUpdate: fhir.VersionedUpdate,
	}
	v := fhir.Versioning{Default: codes[set.Versioning], Types: make(map[fhir.Type]fhir.VersionPolicy, len(set.TypeVersioning))}
	for name, policy := range set.TypeVersioning {
		if !r.definitions.IsResource(name) {
			return v, fault.New(fault.Invalid, "settings: versioning: %s is no resource type", name)
		}
		v.Types[fhir.Type(name)] = codes[policy]
	}
	return v, nil
}

// openFHIR opens the FHIR service s on dir.
func (p *Platform) openFHIR(s *service, dir string, set workspace.FHIRSettings) error {
	policies, err := p.rules.versioning(set)
	if err != nil {
		return err
	}
	compat := fhir.Azure
	if set.Strict {
		compat = fhir.Strict
	}
	db, err := lsm.Open(dir, lsm.Options{
		Now:        p.cfg.Now,
		CacheBytes: p.cfg.CacheBytes / int64(len(p.cfg.Workspace.Services)),
		Logger:     p.log.With("workspace", s.workspace, "service", s.name),
	})
	if err != nil {
		return err
	}
	s.store, s.close, s.full = db, db.Close, db.Full
	s.check = func(ctx context.Context) error {
		_, err := db.Count(ctx) // what costs it least: the counts that it keeps
		return err
	}
	key, err := readKey(dir, pagingKey)
	if err != nil {
		return err
	}
	index, err := reindex.Open(context.Background(), reindex.Options{
		Store: db, Params: p.rules.params, Integrity: set.ReferentialIntegrity, Now: p.cfg.Now, Logger: p.log.With("workspace", s.workspace, "service", s.name),
	})
	if err != nil {
		return err
	}
	s.background = index.Run
	converters, err := p.openConverters(set.Templates)
	if err != nil {
		return err
	}
	use := interaction.New(interaction.Options{
		Definitions: p.rules.definitions, Params: index.Live(), Parameters: index, Validator: p.rules.validator,
		Parser: search.NewParser(index.Live(), search.Options{Compat: compat}),
		Store:  db, Compat: compat, Versioning: policies, Integrity: set.ReferentialIntegrity, Now: p.cfg.Now,
	})
	bundles := bundle.New(use, bundle.Options{EntryLimit: p.cfg.BundleEntries})
	s.handler = func(path string) http.Handler {
		return rest.New(rest.Options{
			Service: use, Bundles: bundles, Definitions: p.rules.definitions, Params: index.Live(), Reindex: index, Converter: converters, Compat: compat,
			Base: rest.Base(path), Version: p.cfg.Version, Now: p.cfg.Now, MaxBody: p.cfg.MaxBody, MaxBundle: p.cfg.MaxBundle, TokenKey: key,
		})
	}
	s.find = func(ctx context.Context, resourceType, param, value string) ([]byte, error) {
		found, err := use.Search(ctx, search.Request{
			Types: []fhir.Type{fhir.Type(resourceType)}, Params: []search.Param{{Name: param, Value: value}}, Base: s.path, Now: p.cfg.Now(),
		}, nil)
		if err != nil || len(found.Page.Matches) != 1 {
			return nil, err
		}
		return found.Page.Matches[0].JSON(), nil
	}
	sample := bundle.New(use, bundle.Options{}) // whatever limit is set for clients
	s.transaction = func(ctx context.Context, body []byte) error {
		doc, err := fhir.Parse(body)
		if err != nil {
			return err
		}
		_, err = sample.Process(ctx, bundle.Request{Bundle: doc.Root(), Base: s.path})
		return err
	}
	return nil
}
