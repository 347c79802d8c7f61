package archive

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/dicom/gzipped"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/fault"
)

// maxTags is how many query tags there can be (the reference service's limit).
const maxTags = 128

// indexable are the VRs that query tags can have.
var indexable = map[dicom.VR]bool{
	dicom.AE: true, dicom.AS: true, dicom.CS: true, dicom.DA: true, dicom.DS: true, dicom.DT: true, dicom.FD: true, dicom.FL: true, dicom.IS: true,
	dicom.LO: true, dicom.PN: true, dicom.SH: true, dicom.SL: true, dicom.SS: true, dicom.TM: true, dicom.UI: true, dicom.UL: true, dicom.US: true,
}

// loadTags reads the query tags anew, for those who store and search.
func (a *Archive) loadTags(ctx context.Context) error {
	all, err := a.index.QueryTags(ctx)
	if err != nil {
		return err
	}
	a.tags.Store(&all)
	return nil
}

// Key returns what searches can compare of an attribute: one of the service's own, or a query tag that is indexed and enabled. errors says that the
// tag has instances without it because their values were invalid.
func (a *Archive) Key(t dicom.Tag) (k index.Key, errors, ok bool) {
	if k, ok := index.KeyOf(t); ok {
		return k, false, true
	}
	for _, q := range *a.tags.Load() {
		if q.Tag == t && q.Status == index.Ready && q.Enabled {
			return index.Key{Tag: t, VR: q.VR, Level: q.Level}, q.Errors > 0, true
		}
	}
	return index.Key{}, false, false
}

// compared reports whether an attribute is one that searches compare, now or when it is indexed.
func (a *Archive) compared(t dicom.Tag) bool {
	if _, ok := index.KeyOf(t); ok {
		return true
	}
	return slices.ContainsFunc(*a.tags.Load(), func(q index.QueryTag) bool { return q.Tag == t })
}

// AddTags adds query tags and returns the id of the operation that indexes what is stored already. With a Busy fault it is the id of the one that
// is under way.
func (a *Archive) AddTags(ctx context.Context, tags []index.QueryTag) (operation string, err error) {
	if len(tags) == 0 {
		return "", fault.New(fault.Invalid, "there are no query tags in the request")
	}
	have, err := a.index.QueryTags(ctx)
	if err != nil {
		return "", err
	}
	if len(have)+len(tags) > maxTags {
		return "", fault.New(fault.Invalid, "there can be no more than %d query tags", maxTags)
	}
	seen := map[dicom.Tag]bool{}
	for i := range tags {
		if err := checkTag(&tags[i]); err != nil {
			return "", err
		}
		if seen[tags[i].Tag] {
			return "", fault.New(fault.Invalid, "%s is there more than once", tags[i].Tag.Hex())
		}
		seen[tags[i].Tag] = true
	}
	if operation, err = a.operationID(); err != nil {
		return "", err
	}
	if running, err := a.index.AddTags(ctx, tags, operation); err != nil {
		return running, err
	}
	if err := a.loadTags(ctx); err != nil {
		return "", err
	}
	a.wake()
	return operation, nil
}

// checkTag holds a query tag against the rules, and completes it by the dictionary.
func checkTag(q *index.QueryTag) error {
	name := q.Tag.Hex()
	known, found := dicom.Lookup(q.Tag)
	switch _, own := index.KeyOf(q.Tag); {
	case own:
		return fault.New(fault.Invalid, "%s can be searched for without a query tag", name)
	case q.Tag.Private() && q.Tag.CreatorOf() == 0:
		return fault.New(fault.Invalid, "%s is not the tag of a private attribute (PS3.5 §7.8.1)", name)
	case q.Tag.Private() && (q.Creator == "" || q.VR == 0):
		return fault.New(fault.Invalid, "%s is private, so privateCreator and vr are required", name)
	case !q.Tag.Private() && q.Creator != "":
		return fault.New(fault.Invalid, "%s is not private, so it has no privateCreator", name)
	case !q.Tag.Private() && !found && q.VR == 0:
		return fault.New(fault.Invalid, "%s is not in the dictionary, so vr is required", name)
	case !q.Tag.Private() && found && q.VR != 0 && q.VR != known.VR && !strings.Contains(known.Or, q.VR.String()):
		return fault.New(fault.Invalid, "%s has VR %s and not %s (PS3.6)", name, known.VR, q.VR)
	case q.VR == 0:
		q.VR = known.VR
	}
	if !indexable[q.VR] {
		return fault.New(fault.Invalid, "%s: attributes of VR %s cannot be query tags", name, q.VR)
	}
	return nil
}

// QueryTags returns all query tags, by tag.
func (a *Archive) QueryTags(ctx context.Context) ([]index.QueryTag, error) {
	return a.index.QueryTags(ctx)
}

// QueryTag returns one query tag.
func (a *Archive) QueryTag(ctx context.Context, t dicom.Tag) (index.QueryTag, error) {
	all, err := a.index.QueryTags(ctx)
	if err != nil {
		return index.QueryTag{}, err
	}
	i := slices.IndexFunc(all, func(q index.QueryTag) bool { return q.Tag == t })
	if i < 0 {
		return index.QueryTag{}, fault.New(fault.NotFound, "%s is no query tag", t.Hex())
	}
	return all[i], nil
}

// EnableTag lets searches use a query tag, or not.
func (a *Archive) EnableTag(ctx context.Context, t dicom.Tag, enabled bool) error {
	if err := a.index.EnableTag(ctx, t, enabled); err != nil {
		return err
	}
	return a.loadTags(ctx)
}

// DeleteTag takes away a query tag. One that is being indexed is Busy.
func (a *Archive) DeleteTag(ctx context.Context, t dicom.Tag) error {
	q, err := a.QueryTag(ctx, t)
	if err != nil {
		return err
	}
	if q.Status != index.Ready {
		return fault.New(fault.Busy, "%s is being indexed", t.Hex())
	}
	if err := a.index.DeleteTag(ctx, t); err != nil {
		return err
	}
	return a.loadTags(ctx)
}

// TagErrors returns instances whose values could not be indexed.
func (a *Archive) TagErrors(ctx context.Context, t dicom.Tag, limit, offset int) ([]index.TagError, error) {
	return a.index.TagErrors(ctx, t, limit, offset)
}

// tagValues returns what a data set has for query tags.
func tagValues(d *dicom.Dataset, tags []index.QueryTag) (all []index.Value) {
	for _, q := range tags {
		v := index.Value{Tag: q.Tag}
		e := d.Get(q.Tag)
		switch {
		case e == nil || e.Empty() || q.Creator != "" && d.PrivateCreator(q.Tag) != q.Creator:
		case e.VR != q.VR:
			v.Error = "the attribute has VR " + e.VR.String() + " and not " + q.VR.String()
		default:
			v.Text = firstValue(d, e)
			if err := checkValue(q.VR, v.Text); v.Text != "" && err != nil {
				v.Text, v.Error = "", err.Error()
			}
		}
		all = append(all, v)
	}
	return all
}

// firstValue returns an element's first value as text, numbers in their shortest form.
func firstValue(d *dicom.Dataset, e *dicom.Element) string {
	switch e.VR {
	case dicom.FL, dicom.FD:
		if f, ok := d.Float(e.Tag); ok {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	case dicom.SL, dicom.SS, dicom.UL, dicom.US:
		if n, ok := d.Int(e.Tag); ok {
			return strconv.FormatInt(n, 10)
		}
	default:
		return Canonical(e.VR, d.String(e.Tag))
	}
	return ""
}

// Canonical writes numbers in their shortest form, so that equal ones are equal as texts.
func Canonical(vr dicom.VR, s string) string {
	switch vr {
	case dicom.DS, dicom.FL, dicom.FD:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	case dicom.IS, dicom.SL, dicom.SS, dicom.UL, dicom.US:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	}
	return s
}

// reindexBatch is how many instances are indexed at a time; between two batches others can write.
const reindexBatch = 200

// reindexFor does an operation from where it is.
func (a *Archive) reindexFor(ctx context.Context, o index.Operation) error {
	var tags []index.QueryTag
	for _, q := range *a.tags.Load() {
		if slices.Contains(o.Tags, q.Tag) {
			tags = append(tags, q)
		}
	}
	for o.Status != index.Succeeded {
		sources, err := a.index.Sources(ctx, o.Position, o.End, reindexBatch)
		if err != nil {
			return err
		}
		values := make(map[int64][]index.Value, len(sources))
		for _, s := range sources {
			if values[s.Watermark], err = sourceValues(s, tags); err != nil {
				return err
			}
			o.Position = s.Watermark
		}
		o.Status = index.Running
		if len(sources) < reindexBatch {
			o.Status, o.Position = index.Succeeded, o.End
		}
		if err := a.index.Reindex(ctx, o, values); err != nil {
			return err
		}
	}
	return a.loadTags(ctx)
}

// sourceValues reads the values of query tags from an instance's metadata, which has everything that can be one.
func sourceValues(s index.Source, tags []index.QueryTag) ([]index.Value, error) {
	text, err := gzipped.Piece(s.Metadata).Inflate(nil)
	if err != nil {
		return nil, err
	}
	d, _, err := jsonmodel.Decode(text)
	if err != nil {
		return nil, err
	}
	return tagValues(d, tags), nil
}
