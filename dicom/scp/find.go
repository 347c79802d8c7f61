package scp

import (
	"bytes"
	"context"
	"io"
	"strings"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/dimse"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

const preferredSyntax = uid.ExplicitVRLittleEndian

// maxIdentifier bounds the bytes of an identifier in memory.
const maxIdentifier = 4 << 20

// readIdentifier reads the data set of a request.
func readIdentifier(m *dimse.Message) (*dicom.Dataset, error) {
	if m.Data == nil {
		return nil, fault.New(fault.Invalid, "there is no identifier")
	}
	return part10.ReadDataset(m.Data, m.Context.Transfer(), part10.Options{Whole: true, Memory: maxIdentifier})
}

// level is a level of the query and retrieve models (PS3.4 §C.6).
type level struct {
	name    string
	index   index.Level
	key     dicom.Tag // the unique key
	patient bool
}

var levels = map[string]level{
	"PATIENT": {"PATIENT", index.Study, tag.PatientID, true},
	"STUDY":   {"STUDY", index.Study, tag.StudyInstanceUID, false},
	"SERIES":  {"SERIES", index.Series, tag.SeriesInstanceUID, false},
	"IMAGE":   {"IMAGE", index.Instance, tag.SOPInstanceUID, false},
}

func levelOf(d *dicom.Dataset) (level, error) {
	l, ok := levels[strings.TrimSpace(d.String(tag.QueryRetrieveLevel))]
	if !ok {
		return l, fault.New(fault.Invalid, "the level is none of the model (PS3.4 §C.6)")
	}
	return l, nil
}

// page is how many matches are read at a time.
const page = 500

// find is C-FIND on studies (PS3.4 §C.4.1).
func (s *node) find(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	identifier, err := readIdentifier(m)
	var l level
	if err == nil {
		l, err = levelOf(identifier)
	}
	var q archive.Search
	var unmatched bool
	if err == nil {
		q, unmatched, err = s.query(identifier, l)
	}
	if err != nil {
		return s.refuse(a, m, err)
	}
	pending := dimse.Pending
	if unmatched {
		pending = dimse.PendingUnsupported
	}
	seen := map[string]bool{}
	for q.Offset = 0; ; q.Offset += page {
		found, err := s.o.Archive.Search(ctx, q)
		if err != nil {
			return s.fail(a, m, err)
		}
		for _, one := range found {
			d, _, err := jsonmodel.Decode(one)
			if err != nil {
				return s.fail(a, m, err)
			}
			if l.patient {
				if seen[d.String(tag.PatientID)] {
					continue
				}
				seen[d.String(tag.PatientID)] = true
			}
			if err := send(a, m, pending, s.answer(identifier, d, l)); err != nil {
				return err
			}
		}
		if stop, err := s.over(a, m, len(found) < page); stop || err != nil {
			return err
		}
	}
}

// over ends the answers when there are no more or the other side does not want them.
func (s *node) over(a *dimse.Association, m *dimse.Message, last bool) (bool, error) {
	if last {
		return true, a.Send(m.Context, m.Command.Respond(dimse.Success), nil)
	}
	canceled, err := a.Canceled()
	if !canceled || err != nil {
		return false, err
	}
	return true, a.Send(m.Context, m.Command.Respond(dimse.Canceled), nil)
}

// send sends an answer with a data set.
func send(a *dimse.Association, m *dimse.Message, status dimse.Status, d *dicom.Dataset) error {
	return a.Send(m.Context, m.Command.Respond(status), func(w io.Writer) error {
		var b bytes.Buffer
		if err := part10.WriteDataset(&b, d, m.Context.Transfer(), nil); err != nil {
			return err
		}
		_, err := b.WriteTo(w)
		return err
	})
}

// refuse answers a request that does not make sense.
func (s *node) refuse(a *dimse.Association, m *dimse.Message, err error) error {
	if err := a.Drain(); err != nil {
		return err
	}
	return a.Send(m.Context, m.Command.Respond(dimse.DataSetMismatch).Comment(fault.As(err).Message), nil)
}

// fail answers a request that could not be done.
func (s *node) fail(a *dimse.Association, m *dimse.Message, err error) error {
	s.o.Logger.Error("a request was not answered", "error", err)
	return a.Send(m.Context, m.Command.Respond(dimse.CannotUnderstand).Comment("internal error"), nil)
}

// query makes a search of an identifier. unmatched says that a key with a value is not one that searches compare.
func (s *node) query(d *dicom.Dataset, l level) (q archive.Search, unmatched bool, err error) {
	q = archive.Search{
		Query:   index.Query{Partition: s.o.Partition, Level: l.index, Join: true, Limit: page},
		Version: archive.V2,
	}
	for i := range d.Elements {
		e := &d.Elements[i]
		switch {
		case e.Tag == tag.QueryRetrieveLevel, e.Tag == tag.SpecificCharacterSet, e.Tag == tag.RetrieveAETitle, e.Tag.GroupLength(), e.Tag == tag.TimezoneOffsetFromUTC:
			continue
		case e.Items != nil || e.Empty():
			q.Include = append(q.Include, e.Tag)
			continue
		}
		key, _, ok := s.o.Archive.Key(e.Tag)
		if !ok || key.Level > l.index {
			q.Include = append(q.Include, e.Tag)
			unmatched = true
			continue
		}
		m, all, err := archive.ParseMatch(key, strings.Join(d.Strings(e.Tag), `\`), false)
		switch {
		case err != nil:
			return q, false, err
		case all:
			q.Include = append(q.Include, e.Tag)
		default:
			q.Matches = append(q.Matches, m)
		}
	}
	return q, unmatched, nil
}

// answer has what was asked for, empty where there is nothing (PS3.4 §C.2.2.1).
func (s *node) answer(asked, found *dicom.Dataset, l level) *dicom.Dataset {
	d := pick(asked, found)
	d.Set(dicom.Text(tag.QueryRetrieveLevel, dicom.CS, l.name))
	d.Set(dicom.Text(tag.RetrieveAETitle, dicom.AE, s.o.AETitle))
	if e := found.Get(l.key); e != nil {
		d.Set(*e)
	}
	return d
}

// pick takes the attributes of one data set that another asks for.
func pick(asked, found *dicom.Dataset) *dicom.Dataset {
	d := dicom.New(dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 192"))
	for i := range asked.Elements {
		e := &asked.Elements[i]
		if e.Tag == tag.SpecificCharacterSet || e.Tag.GroupLength() {
			continue
		}
		if have := found.Get(e.Tag); have != nil {
			d.Set(*have)
			continue
		}
		empty := dicom.Element{Tag: e.Tag, VR: e.VR}
		if e.VR == dicom.SQ {
			empty.Items = []*dicom.Dataset{}
		}
		d.Set(empty)
	}
	return d
}
