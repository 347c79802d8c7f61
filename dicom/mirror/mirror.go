// Package mirror keeps a FHIR service up to date with what a DICOM archive has: an ImagingStudy for each study, its Patient, and an Endpoint that
// says where the images are (FHIR R4 imagingstudy).
//
// It follows the change feed. A change of any instance makes the whole ImagingStudy anew from what the archive has then, so that what was missed or
// done twice makes no difference, and many instances of one study cost one write. How far it has come is kept with the archive. Patients are made
// when they are missing and get what the images say of name, sex and day of birth; nothing else of them is touched, and they are never deleted.
package mirror

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/fault"
)

// Archive is what is followed.
type Archive interface {
	Follow(ctx context.Context, follower string, count int64) ([]index.Change, error)
	Followed(ctx context.Context, follower string, sequence int64) error
	Search(ctx context.Context, s archive.Search) ([]archive.Found, error)
}

// FHIR is the service that is kept up to date.
type FHIR interface {
	// Find returns the resource of a type that a search parameter finds, as JSON; nil when it finds none or several.
	Find(ctx context.Context, resourceType, param, value string) ([]byte, error)
	// Transaction processes a transaction bundle in JSON.
	Transaction(ctx context.Context, bundle []byte) error
}

// Options say what is mirrored where.
type Options struct {
	Archive Archive
	FHIR    FHIR
	// Follower is the name under which the archive keeps how far it has come, such as that of the FHIR service.
	Follower string
	// Address returns where the DICOM service is, for Endpoint.address and meta.source.
	Address func() string
	// PatientSystem is the system of Patient.identifier.
	PatientSystem string
	// IssuerAsSystem takes Issuer of Patient ID as the system where it is given.
	IssuerAsSystem bool
	Logger         *slog.Logger
}

// Mirror follows an archive.
type Mirror struct{ o Options }

// New makes a mirror; Run starts it.
func New(o Options) *Mirror { return &Mirror{o} }

const (
	// window is how many changes are taken together.
	window = 1000
	// A FHIR service that cannot answer is asked again after a time that grows.
	firstPause, longestPause = time.Second, time.Minute
)

// Run follows the archive until ctx ends.
func (m *Mirror) Run(ctx context.Context) {
	pause := firstPause
	for {
		err := m.step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			pause = firstPause
			continue
		}
		m.o.Logger.Warn("mirroring images into FHIR failed; it is tried again", "error", err, "after", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// study is one that changed.
type study struct{ partition, uid string }

// step mirrors the next changes.
func (m *Mirror) step(ctx context.Context) error {
	changes, err := m.o.Archive.Follow(ctx, m.o.Follower, window)
	if err != nil {
		return err
	}
	var changed []study
	seen := map[study]bool{}
	for _, c := range changes {
		if s := (study{c.Partition, c.Study}); !seen[s] {
			seen[s] = true
			changed = append(changed, s)
		}
	}
	for _, s := range changed {
		if err := m.mirror(ctx, s); err != nil {
			if temporary(err) {
				return err
			}
			// It would fail again; the next change of the study tries anew. The text says nothing of the patient.
			m.o.Logger.Error("a study is not mirrored into FHIR", "sequence", changes[len(changes)-1].Sequence, "error", reasons(err))
		}
	}
	return m.o.Archive.Followed(ctx, m.o.Follower, changes[len(changes)-1].Sequence)
}

// reasons are the messages of a fault and its issues, none of which tells a value.
func reasons(err error) string {
	f := fault.As(err)
	all := []string{f.Message}
	for _, i := range f.Issues {
		if i.Text != f.Message {
			all = append(all, strings.TrimSpace(i.Text+" "+i.Expression))
		}
	}
	return strings.Join(all, "; ")
}

// temporary reports whether an error can be gone the next time.
func temporary(err error) bool {
	if errors.Is(err, context.Canceled) {
		return true
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Throttled, fault.Timeout, fault.Conflict, fault.Busy, fault.OutOfSpace, fault.Canceled, fault.Precondition, fault.Internal:
		return true
	}
	return false
}

// mirror brings one study up to date.
func (m *Mirror) mirror(ctx context.Context, s study) error {
	instances, err := m.read(ctx, s)
	if err != nil {
		return err
	}
	if len(instances) == 0 {
		return m.delete(ctx, s.uid)
	}
	who := m.patientOf(instances[len(instances)-1])
	if who.identified() {
		if err := m.updatePatient(ctx, who); err != nil {
			return err
		}
	}
	return m.o.FHIR.Transaction(ctx, m.transaction(s.uid, who, instances))
}
