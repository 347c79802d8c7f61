package interaction

import (
	"context"

	"salus/fhir"
	"salus/fhir/store"
)

// Commit writes steps to the store, all or none. Without steps it does nothing.
func (s *Service) Commit(ctx context.Context, steps []store.Write) ([]fhir.Version, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	settle, err := s.admit(ctx, steps)
	if err != nil {
		return nil, err
	}
	versions, err := s.store.Write(ctx, steps)
	settle(err == nil)
	return versions, err
}

// admit asks whether writes may be committed that define search parameters.
func (s *Service) admit(ctx context.Context, steps []store.Write) (settle func(committed bool), err error) {
	if s.defines == nil {
		return func(bool) {}, nil
	}
	return s.defines.Admit(ctx, steps)
}

// deletable refuses deletions of search parameters that are not a client's to delete.
func (s *Service) deletable(c *Change) error {
	if s.defines == nil || c.Method != fhir.Delete && c.Method != fhir.Purge {
		return nil
	}
	return s.defines.Deletable(c.Key, c.exists())
}

// reached passes on under which URL a resource is written.
func (s *Service) reached(ctx context.Context, base string) error {
	if s.defines == nil {
		return nil
	}
	return s.defines.Reached(ctx, base)
}
