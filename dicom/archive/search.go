package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/maypok86/otter/v2"

	"salus/dicom"
	"salus/dicom/gzipped"
	"salus/dicom/index"
	"salus/dicom/tag"
)

// Search is what a search asks for besides its conditions.
type Search struct {
	index.Query
	Version Version
	Include []dicom.Tag // attributes to return besides those of the version
	All     bool        // return all that there are
}

// Found is one match: the attributes of its levels as one DICOM JSON object.
type Found []byte

// Find returns the places of what matches, newest first, without their attributes.
func (a *Archive) Find(ctx context.Context, q index.Query) ([]index.Result, error) {
	return a.index.Search(ctx, q)
}

// Search returns what matches, newest first (PS3.18 §10.6).
func (a *Archive) Search(ctx context.Context, s Search) ([]Found, error) {
	results, err := a.index.Search(ctx, s.Query)
	if err != nil {
		return nil, err
	}
	wanted := s.wanted()
	all := make([]Found, 0, len(results))
	for i := range results {
		attributes, err := a.attributes(ctx, s, &results[i], wanted)
		if err != nil {
			return nil, err
		}
		all = append(all, object(attributes))
	}
	return all, nil
}

// levels are those whose attributes are returned.
func (s *Search) levels() []index.Level {
	if !s.Join {
		return []index.Level{s.Level}
	}
	all := []index.Level{index.Study, index.Series, index.Instance}[:s.Level+1]
	return slices.DeleteFunc(slices.Clone(all), func(l index.Level) bool {
		// What the path names needs no telling (PS3.18 §10.6.3.3).
		return l == index.Study && s.Within.Study != "" || l == index.Series && s.Within.Series != ""
	})
}

// wanted lists the attributes to return: the defaults of the levels, what is asked for, and what was compared.
func (s *Search) wanted() map[dicom.Tag]bool {
	all := map[dicom.Tag]bool{}
	add := func(tags []dicom.Tag) {
		for _, t := range tags {
			all[t] = true
		}
	}
	version := s.Version
	if s.All {
		version = V1
	}
	for _, l := range s.levels() {
		add(defaults[version][l])
		if s.All {
			add(defaults[V2][l])
			add(further[l])
			for t, level := range computed {
				all[t] = all[t] || level == l
			}
		}
	}
	add(s.Include)
	for _, m := range s.Matches {
		all[m.Tag] = true
	}
	return all
}

// attributes gathers the attributes of one result, by what is nearest: the index, what it computes, and last the metadata of the newest
// instance.
func (a *Archive) attributes(ctx context.Context, s Search, r *index.Result, wanted map[dicom.Tag]bool) (index.Attributes, error) {
	var all index.Attributes
	have := map[dicom.Tag]bool{}
	take := func(t dicom.Tag, json []byte) {
		if wanted[t] && !have[t] {
			have[t] = true
			all = append(all, index.Attribute{Tag: t, JSON: json})
		}
	}
	for l := range s.Level + 1 {
		for _, at := range r.Shown[l] {
			take(at.Tag, at.JSON)
		}
	}
	if wanted[tag.InstanceAvailability] && s.Version == V1 {
		take(tag.InstanceAvailability, []byte(`{"vr":"CS","Value":["ONLINE"]}`))
	}
	if r.Shown[index.Study] != nil {
		take(tag.ModalitiesInStudy, codes(r.Modalities))
		take(tag.NumberOfStudyRelatedSeries, number(r.StudySeries))
		take(tag.NumberOfStudyRelatedInstances, number(r.Instances[index.Study]))
	}
	if s.Level >= index.Series {
		take(tag.NumberOfSeriesRelatedInstances, number(r.Instances[index.Series]))
	}
	if s.beyond(wanted, have) {
		if err := a.fromMetadata(ctx, s, r, take); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b index.Attribute) int { return int(int64(a.Tag) - int64(b.Tag)) })
	return all, nil
}

// beyond reports whether an attribute is wanted that the index does not keep ready at the levels it has.
func (s *Search) beyond(wanted, have map[dicom.Tag]bool) bool {
	for t := range wanted {
		if _, made := computed[t]; made || have[t] {
			continue
		}
		kept := false
		for l := range s.Level + 1 {
			kept = kept || slices.Contains(shown[l], t)
		}
		if !kept {
			return true
		}
	}
	return false
}

// fromMetadata takes attributes from the metadata of the newest instance of the result.
func (a *Archive) fromMetadata(ctx context.Context, s Search, r *index.Result, take func(dicom.Tag, []byte)) error {
	version := r.Newest[s.Level]
	all, ok := a.metadata.GetIfPresent(version)
	if !ok {
		var err error
		if all, err = a.readMetadata(ctx, version); err != nil {
			return err
		}
		a.metadata.Set(version, all)
	}
	for _, at := range all {
		take(at.Tag, at.JSON)
	}
	return nil
}

// readMetadata reads the attributes of a version.
func (a *Archive) readMetadata(ctx context.Context, version int64) (index.Attributes, error) {
	part, err := a.index.MetadataOf(ctx, version)
	if err != nil {
		return nil, err
	}
	text, err := gzipped.Piece(part).Inflate(nil)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	all := make(index.Attributes, 0, len(object))
	for key, value := range object {
		if t, ok := dicom.ParseTag(key); ok {
			all = append(all, index.Attribute{Tag: t, JSON: value})
		}
	}
	return all, nil
}

// keptMetadata is how many bytes of metadata are kept apart into attributes: lists of studies ask for the same few of the newest again and again.
const keptMetadata = 16 << 20

// newMetadata makes the cache of the metadata of versions, which never change.
func newMetadata() *otter.Cache[int64, index.Attributes] {
	return otter.Must(&otter.Options[int64, index.Attributes]{
		MaximumWeight: keptMetadata,
		Weigher: func(_ int64, all index.Attributes) uint32 {
			n := 64
			for _, at := range all {
				n += 32 + len(at.JSON)
			}
			return uint32(n)
		},
	})
}

func codes(all []string) []byte {
	if len(all) == 0 {
		return []byte(`{"vr":"CS"}`)
	}
	b := []byte(`{"vr":"CS","Value":[`)
	for i, s := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, s) // codes have no character that JSON writes otherwise
	}
	return append(b, "]}"...)
}

func number(n int) []byte {
	return append(strconv.AppendInt([]byte(`{"vr":"IS","Value":[`), int64(n), 10), "]}"...)
}

// object writes attributes as one object.
func object(all index.Attributes) Found {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, a := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(a.Tag.Hex())
		b.WriteString(`":`)
		b.Write(a.JSON)
	}
	b.WriteByte('}')
	return b.Bytes()
}
