package sqlindex

import (
	"context"

	"salus/dicom/index"
	"salus/fault"
	"salus/sqldb"
)

// ReplaceStudy puts new versions in the places of all instances of a study.
func (x *Index) ReplaceStudy(ctx context.Context, partition string, old []index.Stored, entries []*index.Entry) error {
	return x.change(ctx, func(tx *sqldb.Tx) error {
		key, err := x.partition(tx, partition, false)
		if err != nil {
			return err
		}
		all, err := doomed(tx, key, index.UIDs{Study: entries[0].Study})
		if err != nil {
			return err
		}
		changed := fault.New(fault.Busy, "the study has changed")
		if len(all) != len(old) {
			return changed
		}
		for i, was := range all {
			if was.watermark != old[i].Watermark {
				return changed
			}
			a := &adding{Index: x, tx: tx, e: entries[i], partition: key, study: was.study, series: was.series}
			if err := a.replace(was); err != nil {
				return err
			}
		}
		return summarize(tx, all[0].study)
	})
}

// replace puts the entry in the place of what was there, which becomes its original unless it has one.
func (a *adding) replace(was gone) error {
	if err := a.checkTags(); err != nil {
		return err
	}
	has, err := a.tx.Get("SELECT 1 FROM original WHERE watermark = ?", []any{was.watermark}, new(int))
	if err != nil {
		return err
	}
	if !has {
		if _, err := a.tx.Exec(`INSERT INTO original (watermark, transfer_syntax, object, size, start, layout, metadata_size, metadata_crc, metadata_deflated)
			SELECT i.watermark, i.transfer_syntax, i.object, i.size, i.start, i.layout, k.size, k.crc, k.deflated
			FROM instance i JOIN metadata k ON k.watermark = i.watermark WHERE i.watermark = ?`, was.watermark); err != nil {
			return err
		}
	} else if err := discardObject(a.tx, was.object); err != nil {
		return err
	}
	if err := remove(a.tx, was.watermark); err != nil {
		return err
	}
	watermark, err := a.insert()
	if err != nil {
		return err
	}
	if _, err := a.tx.Exec("UPDATE original SET watermark = ? WHERE watermark = ?", watermark, was.watermark); err != nil {
		return err
	}
	if err := a.raise(watermark, false, false, false); err != nil {
		return err
	}
	if err := a.writeValues(a.tx, a.study, a.series, watermark, a.e.Values); err != nil {
		return err
	}
	return a.note(a.tx, a.partition, a.e.UIDs, index.Update, watermark)
}
