package sqlindex

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/tag"
	"salus/fault"
	"salus/sqldb"
)

// Search finds studies, series or instances.
func (x *Index) Search(ctx context.Context, q index.Query) (found []index.Result, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		key, err := x.partition(tx, q.Partition, false)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		query, args := statement(key, q)
		rows, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			one, err := result(r, q.Level)
			found = append(found, one)
			return err
		})
	})
	return found, err
}

const (
	studyColumns    = "s.uid, s.newest, s.instances, s.series, s.modalities, s.shown"
	seriesColumns   = studyColumns + ", e.uid, e.newest, e.instances, e.shown"
	instanceColumns = seriesColumns + ", i.uid, i.watermark, i.shown, i.sop_class, i.transfer_syntax, i.object, i.size, i.start"
)

// statement makes the query of a search.
func statement(partition int64, q index.Query) (string, []any) {
	var b strings.Builder
	order := "s.study_key"
	switch q.Level {
	case index.Study:
		b.WriteString("SELECT " + studyColumns + " FROM study s")
	case index.Series:
		b.WriteString("SELECT " + seriesColumns + " FROM series e JOIN study s ON s.study_key = e.study_key")
		order = "e.series_key"
	case index.Instance:
		b.WriteString("SELECT " + instanceColumns + " FROM instance i JOIN series e ON e.series_key = i.series_key JOIN study s ON s.study_key = i.study_key")
		order = "i.watermark"
	}
	b.WriteString(" WHERE " + walked(q) + "s.partition_key = ?")
	args := []any{partition}
	if q.Within.Study != "" {
		b.WriteString(" AND s.uid = ?")
		args = append(args, q.Within.Study)
	}
	if q.Within.Series != "" {
		b.WriteString(" AND e.uid = ?")
		args = append(args, q.Within.Series)
	}
	for _, m := range q.Matches {
		text, values := condition(m)
		b.WriteString(" AND " + text)
		args = append(args, values...)
	}
	b.WriteString(" ORDER BY " + order + " DESC LIMIT ? OFFSET ?")
	return b.String(), append(args, q.Limit, q.Offset)
}

// walked keeps the database from beginning with the partition, whose rows it would sort, when series or instances are only listed from the newest on.
// It is an operator that does nothing, on both databases.
func walked(q index.Query) string {
	if q.Level > index.Study && q.Within.Study == "" && len(q.Matches) == 0 {
		return "+"
	}
	return ""
}

// condition makes the text of one match.
func condition(m index.Match) (string, []any) {
	if m.Tag == tag.ModalitiesInStudy && m.OneOf != nil {
		return listed("s.modalities", m.OneOf)
	}
	if m.Tag == tag.ModalitiesInStudy {
		inner := m
		inner.Tag = tag.Modality
		text, args := condition(inner)
		return "EXISTS (SELECT 1 FROM series e WHERE e.study_key = s.study_key AND " + text + ")", args
	}
	column, ok := columns[m.Tag]
	if !ok {
		return extended(m)
	}
	return compare(column, m)
}

// listed makes a condition that one of some values is among those that a column lists. It looks at the studies themselves, newest first: to begin
// with all series of a modality, of which there are as many as there are series, would take longer the more there are.
func listed(column string, values []string) (string, []any) {
	texts := make([]string, len(values))
	args := make([]any, len(values))
	for i, v := range values {
		// Without the value it would be another text: on both databases the way to look within one by its very characters.
		texts[i], args[i] = `REPLACE('\' || `+column+` || '\', ?, '') <> '\' || `+column+` || '\'`, `\`+v+`\`
	}
	return "(" + strings.Join(texts, " OR ") + ")", args
}

// owners are the keys of what has values of query tags.
var owners = [...]string{index.Study: "s.study_key", index.Series: "e.series_key", index.Instance: "i.watermark"}

// extended makes the text of a match of a query tag.
func extended(m index.Match) (string, []any) {
	text, args := compare("v.value", m)
	return owners[m.Level] + " IN (SELECT v.owner FROM tag_value v WHERE v.tag = ? AND " + text + ")", append([]any{int64(m.Tag)}, args...)
}

// compare makes the text that compares a column.
func compare(column string, m index.Match) (string, []any) {
	fold := func(s string) string { return s }
	if index.Folds(m.VR) {
		fold = index.Fold
	}
	switch {
	case m.Range && m.To == "":
		return column + " >= ?", []any{m.From}
	case m.Range && m.From == "":
		return column + " <= ?", []any{m.To}
	case m.Range:
		return column + " BETWEEN ? AND ?", []any{m.From, m.To}
	case m.Pattern != "":
		return pattern(column, fold(m.Pattern))
	case m.Words != nil:
		return words(column, m.Words)
	case m.VR == dicom.PN:
		return names(column, m.OneOf)
	case len(m.OneOf) == 1:
		return column + " = ?", []any{fold(m.OneOf[0])}
	}
	args := make([]any, len(m.OneOf))
	for i, v := range m.OneOf {
		args[i] = fold(v)
	}
	return column + " IN (?" + strings.Repeat(", ?", len(args)-1) + ")", args
}

// pattern makes a condition of wildcards. What stands before the first of them bounds the values, so that an index helps.
func pattern(column, p string) (string, []any) {
	text, args := column+` LIKE ? ESCAPE '!'`, []any{like(p)}
	if start := p[:strings.IndexAny(p+"*", "*?")]; start != "" {
		return column + " >= ? AND " + column + " < ? AND " + text, append([]any{start, start + "\U0010FFFF"}, args...)
	}
	return text, args
}

// like turns the wildcards of DICOM into those of SQL (PS3.4 §C.2.2.2.4).
func like(pattern string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", "*", "%", "?", "_").Replace(pattern)
}

// words makes a condition that each word begins one of the column's.
func words(column string, all []string) (string, []any) {
	var texts []string
	var args []any
	for _, w := range all {
		start := like(strings.NewReplacer("*", "", "?", "").Replace(index.Fold(w))) + "%"
		texts = append(texts, "("+column+" LIKE ? ESCAPE '!' OR "+column+" LIKE ? ESCAPE '!' OR "+column+" LIKE ? ESCAPE '!' OR "+column+" LIKE ? ESCAPE '!')")
		args = append(args, start, "%^"+start, "% "+start, "%="+start)
	}
	return strings.Join(texts, " AND "), args
}

// names makes a condition for names, whose first group is enough to be equal (PS3.5 §6.2.1).
func names(column string, all []string) (string, []any) {
	var texts []string
	var args []any
	for _, v := range all {
		v = index.Fold(v)
		texts = append(texts, column+" = ? OR "+column+" >= ? AND "+column+" < ?")
		args = append(args, v, v+"=", v+">") // > follows =
	}
	return "(" + strings.Join(texts, " OR ") + ")", args
}

// result reads one row.
func result(r *sqldb.Rows, level index.Level) (one index.Result, err error) {
	var modalities string
	var shown [index.Instance + 1][]byte
	into := []any{&one.Study, &one.Newest[index.Study], &one.Instances[index.Study], &one.StudySeries, &modalities, &shown[index.Study]}
	if level >= index.Series {
		into = append(into, &one.UIDs.Series, &one.Newest[index.Series], &one.Instances[index.Series], &shown[index.Series])
	}
	if level == index.Instance {
		into = append(into, &one.Instance, &one.Newest[index.Instance], &shown[index.Instance],
			&one.Object.SOPClass, &one.Object.TransferSyntax, &one.Object.Object, &one.Object.Size, &one.Object.Start)
	}
	if err := r.Scan(into...); err != nil {
		return one, err
	}
	if modalities != "" {
		one.Modalities = strings.Split(modalities, `\`)
	}
	for l, b := range shown {
		if one.Shown[l], err = parseAttributes(b); err != nil {
			return one, err
		}
	}
	one.Object.UIDs, one.Object.Watermark = one.UIDs, one.Newest[index.Instance]
	return one, nil
}

// attributesFormat is the version of what appendAttributes writes.
const attributesFormat = 1

// appendAttributes writes attributes as tags, lengths and JSON.
func appendAttributes(b []byte, all index.Attributes) []byte {
	b = append(b, attributesFormat)
	for _, a := range all {
		b = binary.BigEndian.AppendUint32(b, uint32(a.Tag))
		b = binary.AppendUvarint(b, uint64(len(a.JSON)))
		b = append(b, a.JSON...)
	}
	return b
}

func parseAttributes(b []byte) (all index.Attributes, err error) {
	if len(b) == 0 {
		return nil, nil
	}
	damaged := fault.New(fault.Internal, "the index has a row with attributes that cannot be read")
	if b[0] != attributesFormat {
		return nil, damaged
	}
	all = make(index.Attributes, 0, 16)
	for b = slices.Clone(b[1:]); len(b) > 0; {
		if len(b) < 5 {
			return nil, damaged
		}
		t := dicom.Tag(binary.BigEndian.Uint32(b))
		n, size := binary.Uvarint(b[4:])
		if size <= 0 || n > uint64(len(b)-4-size) {
			return nil, damaged
		}
		b = b[4+size:]
		all = append(all, index.Attribute{Tag: t, JSON: b[:n:n]})
		b = b[n:]
	}
	return all, nil
}
