package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"salus/dicom"
	"salus/dicom/gzipped"
	"salus/dicom/index"
	"salus/dicom/index/sqlindex"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/sqldb/sqlite"
)

// What an index of many instances has: studies of two series of fifty, five studies for each patient.
const (
	perSeries  = 50
	perStudy   = 2 * perSeries
	perPatient = 5
)

// indexed asks services with so many instances in the index, and no files, how long searches take.
func (b *bench) indexed(ctx context.Context) error {
	b.report.Scales = b.instances
	growths := map[string]*growth{}
	for _, n := range b.instances {
		dir := filepath.Join(b.dir, fmt.Sprintf("index-%d", n))
		b.say("indexing %d instances", n)
		began := time.Now()
		if err := fillIndex(ctx, filepath.Join(dir, "default", "dicom"), n); err != nil {
			return err
		}
		b.say("%.0f/s", float64(n)/time.Since(began).Seconds())
		if err := b.searchIndex(ctx, dir, n, growths); err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// fillIndex writes the index of a service that is not running.
func fillIndex(ctx context.Context, dir string, n int) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	db, err := sqlite.Open(filepath.Join(dir, "index.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	x, err := sqlindex.Open(ctx, db, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	const writers = 32 // share commits
	g, ctx := errgroup.WithContext(ctx)
	for w := range writers {
		g.Go(func() error {
			for study := w; study < n/perStudy; study += writers {
				for i := range perStudy {
					e, err := indexEntry(study, i)
					if err != nil {
						return err
					}
					if _, err := x.Add(ctx, "Microsoft.Default", e, false); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func studyOf(n int) string { return fmt.Sprintf("2.25.77.%d", n) }

func studyDate(n int) string {
	return time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n%3650).Format("20060102")
}

// indexEntry is what the index keeps of an instance, as archive makes it of a file.
func indexEntry(study, n int) (*index.Entry, error) {
	s := studyOf(study)
	u := index.UIDs{Study: s, Series: fmt.Sprintf("%s.%d", s, n/perSeries), Instance: fmt.Sprintf("%s.%d.%d", s, n/perSeries, n%perSeries)}
	patient, name := fmt.Sprintf("MRN-%07d", study/perPatient), fmt.Sprintf("Invented^Patient %d", study/perPatient)
	texts := func(vr, v string) []byte { return fmt.Appendf(nil, `{"vr":%q,"Value":[%q]}`, vr, v) }
	names := fmt.Appendf(nil, `{"vr":"PN","Value":[{"Alphabetic":%q}]}`, name)
	e := &index.Entry{
		Stored: index.Stored{UIDs: u, SOPClass: uid.CTImageStorage, TransferSyntax: uid.ExplicitVRLittleEndian, Object: "run0/" + u.Instance + ".dcm", Size: 1024},
		Matched: map[dicom.Tag]string{
			tag.PatientID: patient, tag.PatientName: name, tag.StudyDate: studyDate(study), tag.StudyTime: "101500", tag.AccessionNumber: fmt.Sprintf("A%07d", study),
			tag.Modality: "CT", tag.SeriesNumber: fmt.Sprint(n/perSeries + 1), tag.InstanceNumber: fmt.Sprint(n%perSeries + 1),
			tag.StudyInstanceUID: u.Study, tag.SeriesInstanceUID: u.Series, tag.SOPInstanceUID: u.Instance, tag.SOPClassUID: uid.CTImageStorage,
		},
	}
	e.Shown[index.Study] = index.Attributes{
		{Tag: tag.StudyDate, JSON: texts("DA", studyDate(study))}, {Tag: tag.AccessionNumber, JSON: texts("SH", fmt.Sprintf("A%07d", study))},
		{Tag: tag.StudyDescription, JSON: texts("LO", "CT head (invented)")}, {Tag: tag.PatientName, JSON: names},
		{Tag: tag.PatientID, JSON: texts("LO", patient)}, {Tag: tag.StudyInstanceUID, JSON: texts("UI", s)},
	}
	e.Shown[index.Series] = index.Attributes{{Tag: tag.Modality, JSON: texts("CS", "CT")}, {Tag: tag.SeriesInstanceUID, JSON: texts("UI", u.Series)}}
	e.Shown[index.Instance] = index.Attributes{{Tag: tag.SOPInstanceUID, JSON: texts("UI", u.Instance)}}
	piece, err := gzipped.Compress(fmt.Appendf(nil, `{"00100010":%s,"00080018":%s}`, names, texts("UI", u.Instance)))
	e.Metadata = index.Part(piece)
	return e, err
}

// searchIndex measures searches on an index.
func (b *bench) searchIndex(ctx context.Context, dir string, n int, growths map[string]*growth) error {
	s, err := startServer(ctx, b.binary, dir)
	if err != nil {
		return err
	}
	p := &pacs{name: "salus", root: s.url + "/default/dicom/v2", http: s.http}
	studies := n / perStudy
	any := func(r *rand.Rand) int { return r.IntN(studies) }
	for _, m := range []struct {
		name string
		path func(*rand.Rand) string
	}{
		{"studies by PatientID", func(r *rand.Rand) string { return fmt.Sprintf("/studies?PatientID=MRN-%07d", any(r)/perPatient) }},
		{"study by UID", func(r *rand.Rand) string { return "/studies?StudyInstanceUID=" + studyOf(any(r)) }},
		{"study by accession number", func(r *rand.Rand) string { return fmt.Sprintf("/studies?AccessionNumber=A%07d", any(r)) }},
		{"studies of a day", func(r *rand.Rand) string { return "/studies?StudyDate=" + studyDate(any(r)) + "&limit=25" }},
		{"studies of a month", func(r *rand.Rand) string {
			d := studyDate(any(r))
			return "/studies?limit=25&StudyDate=" + d[:6] + "01-" + d[:6] + "31"
		}},
		{"study list as OHIF asks", func(*rand.Rand) string {
			return "/studies?limit=101&offset=0&fuzzymatching=true&includefield=00081030,00080060,00080090,00100030"
		}},
		{"the beginning of a name", func(r *rand.Rand) string {
			return fmt.Sprintf("/studies?PatientName=invented^patient%%20%d*&limit=25", any(r)/perPatient)
		}},
		{"series of a study", func(r *rand.Rand) string { return "/studies/" + studyOf(any(r)) + "/series" }},
		{"instances of a series", func(r *rand.Rand) string {
			st := studyOf(any(r))
			return "/studies/" + st + "/series/" + st + ".1/instances"
		}},
		{"an instance by UID", func(r *rand.Rand) string { return fmt.Sprintf("/instances?SOPInstanceUID=%s.1.7", studyOf(any(r))) }},
		{"studies of a year", func(r *rand.Rand) string {
			d := studyDate(any(r))
			return "/studies?limit=25&StudyDate=" + d[:4] + "0101-" + d[:4] + "1231"
		}},
		{"studies by a modality that all have", func(*rand.Rand) string { return "/studies?ModalitiesInStudy=CT&limit=25" }},
		{"series by a modality that all have", func(*rand.Rand) string { return "/series?Modality=CT&limit=25" }},
		{"instances by a class that all have", func(*rand.Rand) string { return "/instances?SOPClassUID=" + uid.CTImageStorage + "&limit=25" }},
		{"newest series", func(*rand.Rand) string { return "/series?limit=25" }},
		{"newest instances", func(*rand.Rand) string { return "/instances?limit=25" }},
	} {
		get := func(ctx context.Context, r *rand.Rand) error {
			return p.get(ctx, m.path(r), "application/dicom+json", 50)
		}
		sample, err := repeat(ctx, 1, b.budget, 1<<20, get)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", m.name, err), s.stop())
		}
		g := growths[m.name]
		if g == nil {
			g = &growth{Name: m.name}
			growths[m.name] = g
			b.report.Growths = append(b.report.Growths, g)
		}
		g.P50, g.P95, g.P99 = append(g.P50, milliseconds(sample.percentile(50))), append(g.P95, milliseconds(sample.percentile(95))), append(g.P99, milliseconds(sample.percentile(99)))
		g.Rate, g.Found = append(g.Rate, sample.rate()), append(g.Found, 0)
		g.Ratio = g.P95[len(g.P95)-1] / g.P95[0]
	}
	return s.stop()
}
