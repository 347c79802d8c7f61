// Package xmlmodel writes data sets as XML, in the Native DICOM Model (PS3.19 annex A).
//
// It makes them of their DICOM JSON, which has the same content in another form, so that what is stored as one can be answered as the other.
package xmlmodel

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"maps"
	"slices"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/fault"
)

// attribute is the value of one tag in DICOM JSON (PS3.18 §F.2.2).
type attribute struct {
	VR           string            `json:"vr"`
	Value        []json.RawMessage `json:"Value"`
	BulkDataURI  string            `json:"BulkDataURI"`
	InlineBinary string            `json:"InlineBinary"`
}

// personName is a value of VR PN.
type personName struct{ Alphabetic, Ideographic, Phonetic string }

// Append appends a data set, given as one object of DICOM JSON, as a document.
func Append(b []byte, object []byte) ([]byte, error) {
	w := writer{bytes.NewBuffer(b)}
	w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">`)
	if err := w.dataset(object); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a data set in DICOM JSON cannot be read")
	}
	w.WriteString(`</NativeDicomModel>`)
	return w.Bytes(), nil
}

type writer struct{ *bytes.Buffer }

func (w writer) dataset(object []byte) error {
	var all map[string]attribute
	if err := json.Unmarshal(object, &all); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		t, _ := dicom.ParseTag(key)
		a := all[key]
		w.WriteString(`<DicomAttribute tag="` + key + `" vr="` + a.VR + `"`)
		if known, ok := dicom.Lookup(t); ok && !t.Private() {
			w.WriteString(` keyword="` + known.Keyword + `"`)
		}
		if creator := creatorOf(all, t); creator != "" {
			w.WriteString(` privateCreator="`)
			w.text(creator)
			w.WriteByte('"')
		}
		w.WriteByte('>')
		if err := w.value(a); err != nil {
			return err
		}
		w.WriteString(`</DicomAttribute>`)
	}
	return nil
}

// creatorOf returns who has reserved the block of a private tag.
func creatorOf(all map[string]attribute, t dicom.Tag) (name string) {
	c := t.CreatorOf()
	if c == 0 || len(all[c.Hex()].Value) == 0 || json.Unmarshal(all[c.Hex()].Value[0], &name) != nil {
		return ""
	}
	return name
}

func (w writer) value(a attribute) error {
	switch {
	case a.BulkDataURI != "":
		w.WriteString(`<BulkData uri="`)
		w.text(a.BulkDataURI)
		w.WriteString(`"/>`)
		return nil
	case a.InlineBinary != "":
		w.WriteString(`<InlineBinary>` + a.InlineBinary + `</InlineBinary>`)
		return nil
	}
	for i, v := range a.Value {
		number := ` number="` + strconv.Itoa(i+1) + `"`
		if string(v) == "null" {
			continue // an empty value keeps its number
		}
		var err error
		switch a.VR {
		case "SQ":
			w.WriteString(`<Item` + number + `>`)
			err = w.dataset(v)
			w.WriteString(`</Item>`)
		case "PN":
			err = w.name(v, number)
		default:
			s := string(v)
			if v[0] == '"' {
				err = json.Unmarshal(v, &s)
			}
			w.WriteString(`<Value` + number + `>`)
			w.text(s)
			w.WriteString(`</Value>`)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// name writes a name with its groups and their components (PS3.19 §A.1.5).
func (w writer) name(v json.RawMessage, number string) error {
	var n personName
	if err := json.Unmarshal(v, &n); err != nil {
		return err
	}
	w.WriteString(`<PersonName` + number + `>`)
	for _, g := range [...]struct{ element, value string }{{"Alphabetic", n.Alphabetic}, {"Ideographic", n.Ideographic}, {"Phonetic", n.Phonetic}} {
		if g.value == "" {
			continue
		}
		c := dicom.ParseComponents(g.value)
		w.WriteString(`<` + g.element + `>`)
		for _, part := range [...]struct{ element, value string }{
			{"FamilyName", c.Family}, {"GivenName", c.Given}, {"MiddleName", c.Middle}, {"NamePrefix", c.Prefix}, {"NameSuffix", c.Suffix},
		} {
			if part.value != "" {
				w.WriteString(`<` + part.element + `>`)
				w.text(part.value)
				w.WriteString(`</` + part.element + `>`)
			}
		}
		w.WriteString(`</` + g.element + `>`)
	}
	w.WriteString(`</PersonName>`)
	return nil
}

// text writes characters. Those that XML has not become U+FFFD, and a quote is safe in an attribute too.
func (w writer) text(s string) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x80 || strings.ContainsRune(`<>&"'`, r) }) {
		w.WriteString(s)
		return
	}
	xml.EscapeText(w.Buffer, []byte(s)) //nolint:errcheck // a buffer takes everything
}
