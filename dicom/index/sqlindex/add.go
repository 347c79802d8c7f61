package sqlindex

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"salus/dicom/index"
	"salus/dicom/tag"
	"salus/fault"
	"salus/sqldb"
)

// Add makes an instance visible.
func (x *Index) Add(ctx context.Context, partition string, e *index.Entry, replace bool) (watermark int64, err error) {
	err = x.change(ctx, func(tx *sqldb.Tx) error {
		a := adding{Index: x, tx: tx, e: e}
		if a.partition, err = x.partition(tx, partition, true); err != nil {
			return err
		}
		watermark, err = a.add(replace)
		return err
	})
	return watermark, err
}

// adding is one instance on its way into the tables.
type adding struct {
	*Index
	tx        *sqldb.Tx
	e         *index.Entry
	partition int64

	study, series int64
}

func (a *adding) add(replace bool) (watermark int64, err error) {
	if err := a.checkTags(); err != nil {
		return 0, err
	}
	newStudy, newSeries, err := a.parents()
	if err != nil {
		return 0, err
	}
	action := index.Create
	before, err := a.replaced(replace)
	if err != nil {
		return 0, err
	}
	if before {
		action = index.Update
	}
	if watermark, err = a.insert(); err != nil {
		return 0, err
	}
	if err := a.raise(watermark, newStudy, newSeries, !before); err != nil {
		return 0, err
	}
	if err := a.expire(); err != nil {
		return 0, err
	}
	if err := a.writeValues(a.tx, a.study, a.series, watermark, a.e.Values); err != nil {
		return 0, err
	}
	return watermark, a.note(a.tx, a.partition, a.e.UIDs, action, watermark)
}

// checkTags reports Busy when the entry was made for other query tags than there are.
func (a *adding) checkTags() error {
	var tags int
	if _, err := a.tx.Get("SELECT COUNT(*) FROM query_tag", nil, &tags); err != nil {
		return err
	}
	if tags != len(a.e.Values) {
		return fault.New(fault.Busy, "the query tags are others now")
	}
	return nil
}

// insert writes the rows of the instance alone.
func (a *adding) insert() (watermark int64, err error) {
	e := a.e
	_, err = a.tx.Get(`INSERT INTO instance (study_key, series_key, uid, sop_class, number, transfer_syntax, object, size, start, layout, shown)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING watermark`,
		[]any{a.study, a.series, e.Instance, e.SOPClass, matched(e, tag.InstanceNumber), e.TransferSyntax, e.Object, e.Size, e.Start, e.Layout,
			appendAttributes(nil, e.Shown[index.Instance])}, &watermark)
	if sqldb.IsUnique(err) {
		return 0, exists(err)
	}
	if err != nil {
		return 0, err
	}
	if _, err := a.tx.Exec("INSERT INTO metadata (watermark, size, crc, deflated) VALUES (?, ?, ?, ?)",
		watermark, e.Metadata.Size, int64(e.Metadata.CRC), e.Metadata.Deflated); err != nil {
		return 0, err
	}
	return watermark, nil
}

func exists(cause error) error {
	return fault.Wrap(fault.Conflict, cause, "an instance with these UIDs is stored already")
}

// parents finds the study and the series, or makes them.
func (a *adding) parents() (newStudy, newSeries bool, err error) {
	e := a.e
	found, err := a.tx.Get("SELECT study_key FROM study WHERE partition_key = ? AND uid = ?", []any{a.partition, e.Study}, &a.study)
	if err != nil {
		return false, false, err
	}
	if !found {
		_, err = a.tx.Get(`INSERT INTO study (partition_key, uid, newest, instances, series, modalities, shown) VALUES (?, ?, 0, 0, 0, '', ?)
			ON CONFLICT (partition_key, uid) DO UPDATE SET newest = study.newest RETURNING study_key`,
			[]any{a.partition, e.Study, []byte{}}, &a.study)
		if err != nil {
			return false, false, err
		}
	}
	has, err := a.tx.Get("SELECT series_key FROM series WHERE study_key = ? AND uid = ?", []any{a.study, e.Series}, &a.series)
	if err != nil || has {
		return !found, false, err
	}
	_, err = a.tx.Get(`INSERT INTO series (study_key, uid, newest, instances, shown) VALUES (?, ?, 0, 0, ?)
		ON CONFLICT (study_key, uid) DO UPDATE SET newest = series.newest RETURNING series_key`,
		[]any{a.study, e.Series, []byte{}}, &a.series)
	return !found, true, err
}

// replaced takes away an instance with the same UIDs, and reports whether there was one.
func (a *adding) replaced(replace bool) (bool, error) {
	var old int64
	var object string
	found, err := a.tx.Get("SELECT watermark, object FROM instance WHERE series_key = ? AND uid = ?", []any{a.series, a.e.Instance}, &old, &object)
	switch {
	case err != nil || !found:
		return false, err
	case !replace:
		return false, exists(nil)
	}
	return true, discard(a.tx, old, object)
}

// discard removes an instance's row, so that its object can be removed too.
func discard(tx *sqldb.Tx, watermark int64, object string) error {
	if err := remove(tx, watermark); err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO discarded (object) SELECT object FROM original WHERE watermark = ? ON CONFLICT DO NOTHING", watermark); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM original WHERE watermark = ?", watermark); err != nil {
		return err
	}
	return discardObject(tx, object)
}

// remove deletes the rows of an instance alone.
func remove(tx *sqldb.Tx, watermark int64) error {
	for _, s := range []string{
		"DELETE FROM instance WHERE watermark = ?", "DELETE FROM metadata WHERE watermark = ?", "DELETE FROM tag_error WHERE watermark = ?",
		ownedBy(index.Instance),
	} {
		if _, err := tx.Exec(s, watermark); err != nil {
			return err
		}
	}
	return nil
}

// discardObject lets an object be removed.
func discardObject(tx *sqldb.Tx, object string) error {
	_, err := tx.Exec("INSERT INTO discarded (object) VALUES (?) ON CONFLICT DO NOTHING", object)
	return err
}

// ownedBy deletes what a study, series or instance has for query tags.
func ownedBy(l index.Level) string {
	return "DELETE FROM tag_value WHERE owner = ? AND tag IN (SELECT tag FROM query_tag WHERE level = " + strconv.Itoa(int(l)) + ")"
}

// raise gives the study and the series what the newest instance says of them. They count one more unless it took another's place.
func (a *adding) raise(watermark int64, newStudy, newSeries, more bool) error {
	e := a.e
	one := 0
	if more {
		one = 1
	}
	if _, err := a.tx.Exec(`UPDATE series SET newest = ?, instances = instances + ?, shown = ?, modality = ?, number = ?, performed_date = ?, model = ?
		WHERE series_key = ?`,
		slices.Concat([]any{watermark, one, appendAttributes(nil, e.Shown[index.Series])}, values(e, seriesKeys), []any{a.series})...); err != nil {
		return err
	}
	if _, err := a.tx.Exec(`UPDATE study SET newest = ?, instances = instances + ?, shown = ?, patient_name = ?, patient_id = ?, patient_birth_date = ?,
		accession_number = ?, referring_physician = ?, study_date = ?, study_time = ?, study_id = ?, description = ? WHERE study_key = ?`,
		slices.Concat([]any{watermark, one, appendAttributes(nil, e.Shown[index.Study])}, values(e, studyKeys), []any{a.study})...); err != nil {
		return err
	}
	if newStudy || newSeries {
		return summarize(a.tx, a.study)
	}
	return a.modality()
}

// expire sets when the study is deleted, or that it is not.
func (a *adding) expire() error {
	if a.e.Expires.IsZero() {
		_, err := a.tx.Exec("UPDATE study SET expires = NULL WHERE study_key = ? AND expires IS NOT NULL", a.study)
		return err
	}
	_, err := a.tx.Exec("UPDATE study SET expires = ? WHERE study_key = ?", a.e.Expires.UnixMicro(), a.study)
	return err
}

// modality brings the study's modalities up to date when the series' is not among them.
func (a *adding) modality() error {
	m, _ := a.e.Matched[tag.Modality]
	var have string
	if _, err := a.tx.Get("SELECT modalities FROM study WHERE study_key = ?", []any{a.study}, &have); err != nil {
		return err
	}
	if m == "" || slices.Contains(strings.Split(have, `\`), m) {
		return nil
	}
	return summarize(a.tx, a.study)
}

// summarize counts a study's series and gathers their modalities.
func summarize(tx *sqldb.Tx, study int64) error {
	rows, err := tx.Query("SELECT modality FROM series WHERE study_key = ? ORDER BY series_key", study)
	if err != nil {
		return err
	}
	n := 0
	var all []string
	if err := rows.Each(func(r *sqldb.Rows) error {
		var m *string
		if err := r.Scan(&m); err != nil {
			return err
		}
		n++
		if m != nil && !slices.Contains(all, *m) {
			all = append(all, *m)
		}
		return nil
	}); err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE study SET series = ?, modalities = ? WHERE study_key = ?", n, strings.Join(all, `\`), study)
	return err
}

// note writes an entry of the change feed.
func (x *Index) note(tx *sqldb.Tx, partition int64, u index.UIDs, action index.Action, watermark int64) error {
	_, err := tx.Exec("INSERT INTO change (partition_key, study, series, instance, action, watermark, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		partition, u.Study, u.Series, u.Instance, int64(action), watermark, x.now().UnixMicro())
	return err
}
