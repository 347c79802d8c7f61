package sqlindex

import (
	"context"
	"strings"

	"salus/dicom/index"
	"salus/fault"
	"salus/sqldb"
)

// below is the condition for the instances below UIDs, on instance i, series e and study s.
func below(partition int64, u index.UIDs) (where string, args []any) {
	where, args = "s.partition_key = ? AND s.uid = ?", []any{partition, u.Study}
	if u.Series != "" {
		where, args = where+" AND e.uid = ?", append(args, u.Series)
	}
	if u.Instance != "" {
		where, args = where+" AND i.uid = ?", append(args, u.Instance)
	}
	return where, args
}

// kept are the columns of what is retrieved, of instance i or of its original o.
func kept(originals bool) (stored, metadata, from string) {
	if !originals {
		return "i.transfer_syntax, i.object, i.size, i.start, i.layout", "k.size, k.crc, k.deflated", ""
	}
	choose := func(original, current string) string {
		return "CASE WHEN o.watermark IS NULL THEN " + current + " ELSE " + original + " END"
	}
	return strings.Join([]string{
			choose("o.transfer_syntax", "i.transfer_syntax"), choose("o.object", "i.object"), choose("o.size", "i.size"),
			choose("o.start", "i.start"), choose("o.layout", "i.layout"),
		}, ", "), strings.Join([]string{
			choose("o.metadata_size", "k.size"), choose("o.metadata_crc", "k.crc"), choose("o.metadata_deflated", "k.deflated"),
		}, ", "), " LEFT JOIN original o ON o.watermark = i.watermark"
}

const joined = " FROM study s JOIN series e ON e.study_key = s.study_key JOIN instance i ON i.series_key = e.series_key"

func notFound(u index.UIDs) error {
	return fault.New(fault.NotFound, "there is no such %s", [...]string{"study", "series", "instance"}[u.Level()])
}

// Has looks for an instance.
func (x *Index) Has(ctx context.Context, partition string, u index.UIDs) (bool, error) {
	_, n, err := x.Version(ctx, partition, u)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return n > 0, err
}

// Instances lists the instances below UIDs.
func (x *Index) Instances(ctx context.Context, partition string, u index.UIDs, originals bool) (all []index.Stored, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		key, err := x.partition(tx, partition, false)
		if err != nil {
			return notFound(u)
		}
		where, args := below(key, u)
		stored, _, from := kept(originals)
		rows, err := tx.Query("SELECT s.uid, e.uid, i.uid, i.watermark, i.sop_class, "+stored+joined+from+" WHERE "+where+" ORDER BY i.watermark", args...)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var s index.Stored
			err := r.Scan(&s.Study, &s.Series, &s.Instance, &s.Watermark, &s.SOPClass, &s.TransferSyntax, &s.Object, &s.Size, &s.Start, &s.Layout)
			all = append(all, s)
			return err
		})
	})
	if err == nil && len(all) == 0 {
		err = notFound(u)
	}
	return all, err
}

// Version returns what an ETag is made of.
func (x *Index) Version(ctx context.Context, partition string, u index.UIDs) (watermark int64, instances int, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		key, err := x.partition(tx, partition, false)
		if err != nil {
			return notFound(u)
		}
		where, args := below(key, u)
		query := "SELECT i.watermark, 1" + joined + " WHERE " + where
		switch u.Level() {
		case index.Study:
			query, args = "SELECT newest, instances FROM study WHERE partition_key = ? AND uid = ?", []any{key, u.Study}
		case index.Series:
			query = "SELECT e.newest, e.instances FROM study s JOIN series e ON e.study_key = s.study_key WHERE " + where
		}
		found, err := tx.Get(query, args, &watermark, &instances)
		if err == nil && !found {
			err = notFound(u)
		}
		return err
	})
	return watermark, instances, err
}

// Metadata reads the metadata below UIDs.
func (x *Index) Metadata(ctx context.Context, partition string, u index.UIDs, originals bool, f func(index.Part) error) error {
	return x.db.Read(ctx, func(tx *sqldb.Tx) error {
		key, err := x.partition(tx, partition, false)
		if err != nil {
			return notFound(u)
		}
		where, args := below(key, u)
		_, metadata, from := kept(originals)
		rows, err := tx.Query("SELECT "+metadata+joined+" JOIN metadata k ON k.watermark = i.watermark"+from+" WHERE "+where+" ORDER BY i.watermark", args...)
		if err != nil {
			return err
		}
		found := false
		if err := rows.Each(func(r *sqldb.Rows) error {
			found = true
			var p index.Part
			var crc int64
			if err := r.Scan(&p.Size, &crc, &p.Deflated); err != nil {
				return err
			}
			p.CRC = uint32(crc)
			return f(p)
		}); err != nil {
			return err
		}
		if !found {
			return notFound(u)
		}
		return nil
	})
}

// MetadataOf reads the metadata of one version.
func (x *Index) MetadataOf(ctx context.Context, watermark int64) (p index.Part, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		var crc int64
		found, err := tx.Get("SELECT size, crc, deflated FROM metadata WHERE watermark = ?", []any{watermark}, &p.Size, &crc, &p.Deflated)
		p.CRC = uint32(crc)
		if err == nil && !found {
			err = notFound(index.UIDs{Instance: "any"})
		}
		return err
	})
	return p, err
}
