// Package sqlindex keeps the index of DICOM instances in SQL tables, on SQLite and PostgreSQL.
//
// Studies and series are rows with the attributes that searches compare, in folded form, and with those that they return, as DICOM JSON; both are
// the newest instance's. Numbers of instances and series, and the modalities, are kept with each change, so that no search counts.
package sqlindex

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"time"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/tag"
	"salus/fault"
	"salus/sqldb"
)

//go:embed migrations
var migrations embed.FS

// Index is the index in a database.
type Index struct {
	db  *sqldb.DB
	now func() time.Time
}

var _ index.Index = (*Index)(nil)

// Open makes or migrates the tables and opens the index. It takes over db, also when it fails.
func Open(ctx context.Context, db *sqldb.DB, now func() time.Time) (*Index, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = db.Migrate(ctx, "dicom", files)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Index{db, now}, nil
}

// change runs f in a transaction that changes instances. Where several can write at a time they wait for each other, so that the numbers of versions and of
// the change feed become visible in their order: who follows it must not be past a number that comes later.
func (x *Index) change(ctx context.Context, f func(*sqldb.Tx) error) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		if x.db.Dialect() == "postgres" {
			if _, err := tx.Exec("SELECT pg_advisory_xact_lock(7310579202312)"); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// Close closes the database.
func (x *Index) Close() error { return x.db.Close() }

// columns are where the keys of searches are.
var columns = map[dicom.Tag]string{
	tag.StudyInstanceUID:                "s.uid",
	tag.PatientName:                     "s.patient_name",
	tag.PatientID:                       "s.patient_id",
	tag.PatientBirthDate:                "s.patient_birth_date",
	tag.AccessionNumber:                 "s.accession_number",
	tag.ReferringPhysicianName:          "s.referring_physician",
	tag.StudyDate:                       "s.study_date",
	tag.StudyTime:                       "s.study_time",
	tag.StudyID:                         "s.study_id",
	tag.StudyDescription:                "s.description",
	tag.SeriesInstanceUID:               "e.uid",
	tag.Modality:                        "e.modality",
	tag.SeriesNumber:                    "e.number",
	tag.PerformedProcedureStepStartDate: "e.performed_date",
	tag.ManufacturerModelName:           "e.model",
	tag.SOPInstanceUID:                  "i.uid",
	tag.SOPClassUID:                     "i.sop_class",
	tag.InstanceNumber:                  "i.number",
}

// studyKeys and seriesKeys are the attributes that the newest instance gives its study and series, in the order of the columns in the
// statements below.
var (
	studyKeys = []dicom.Tag{
		tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.AccessionNumber, tag.ReferringPhysicianName, tag.StudyDate, tag.StudyTime,
		tag.StudyID, tag.StudyDescription,
	}
	seriesKeys = []dicom.Tag{tag.Modality, tag.SeriesNumber, tag.PerformedProcedureStepStartDate, tag.ManufacturerModelName}
)

// matched returns what is compared of an attribute, or nil when it has no value.
func matched(e *index.Entry, t dicom.Tag) any {
	v, ok := e.Matched[t]
	if !ok || v == "" {
		return nil
	}
	if k, _ := index.KeyOf(t); index.Folds(k.VR) {
		return index.Fold(v)
	}
	return v
}

func values(e *index.Entry, tags []dicom.Tag) []any {
	all := make([]any, len(tags))
	for i, t := range tags {
		all[i] = matched(e, t)
	}
	return all
}

// partition returns the number of a partition, which is made when it is missing and wanted.
func (x *Index) partition(tx *sqldb.Tx, name string, make bool) (key int64, err error) {
	found, err := tx.Get("SELECT partition_key FROM partition WHERE name = ?", []any{name}, &key)
	if err != nil || found {
		return key, err
	}
	if !make {
		return 0, fault.New(fault.NotFound, "there is no such partition")
	}
	_, err = tx.Get(`INSERT INTO partition (name, created) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET created = partition.created RETURNING partition_key`, []any{name, x.now().UnixMicro()}, &key)
	return key, err
}

// Partitions lists the partitions.
func (x *Index) Partitions(ctx context.Context) (all []index.Partition, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query("SELECT partition_key, name, created FROM partition ORDER BY name")
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var p index.Partition
			var created int64
			err := r.Scan(&p.Key, &p.Name, &created)
			p.Created = time.UnixMicro(created).UTC()
			all = append(all, p)
			return err
		})
	})
	return all, err
}
