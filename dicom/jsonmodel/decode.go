package jsonmodel

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/fault"
)

// maxDepth bounds how deep sequences are nested.
const maxDepth = 32

// attribute is the value of one tag (PS3.18 §F.2.2).
type attribute struct {
	VR           string
	Value        []json.RawMessage
	InlineBinary *string
	BulkDataURI  *string
}

// Bulk is a value of which only the address was sent.
type Bulk struct {
	Path string // as in Options.BulkDataURI
	URI  string
}

// Decode reads one JSON object as a data set whose text is UTF-8. Values that are only named by an address are empty in it and returned beside
// it. Faults name the path of the attribute, and the rule.
func Decode(data []byte) (*dicom.Dataset, []Bulk, error) {
	r := &decoder{}
	d, err := r.dataset(data, "", 0)
	if err != nil {
		return nil, nil, err
	}
	if r.extended || d.String(tag.SpecificCharacterSet) != "" {
		d.Set(dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 192"))
	}
	d.Inherit(dicom.NewCharset("ISO_IR 192"))
	return d, r.bulk, nil
}

// DecodeArray reads an array of data sets, as the services of PS3.18 exchange them, none of which has a value that is only an address.
func DecodeArray(data []byte) ([]*dicom.Dataset, error) {
	sets, err := DecodeBulk(data)
	if err != nil {
		return nil, err
	}
	all := make([]*dicom.Dataset, len(sets))
	for i, s := range sets {
		if len(s.Bulk) > 0 {
			return nil, wrong(s.Bulk[0].Path, "the value is only an address")
		}
		all[i] = s.Dataset
	}
	return all, nil
}

// Set is a data set with the values of it that are only named by an address.
type Set struct {
	*dicom.Dataset
	Bulk []Bulk
}

// DecodeBulk reads an array of data sets.
func DecodeBulk(data []byte) ([]Set, error) {
	var raw []json.RawMessage
	if err := unmarshal(data, &raw); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body is no JSON array of data sets (PS3.18 §F.2.1): %s", syntax(err))
	}
	all := make([]Set, 0, len(raw))
	for _, one := range raw {
		d, bulk, err := Decode(one)
		if err != nil {
			return nil, err
		}
		all = append(all, Set{d, bulk})
	}
	return all, nil
}

type decoder struct {
	bulk     []Bulk
	extended bool // there is text beyond ASCII
}

func wrong(path, format string, args ...any) error {
	text := path + ": " + fmt.Sprintf(format, args...)
	return fault.With(fault.Invalid, fault.Issue{Severity: fault.Error, Code: "value", Text: text, Location: path})
}

// unmarshal reads one value and nothing after it; numbers keep their digits.
func unmarshal(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is something after the value")
	}
	return nil
}

// syntax says where JSON is broken, without what stands there.
func syntax(err error) string {
	switch e := err.(type) {
	case *json.SyntaxError:
		return fmt.Sprintf("syntax error at byte %d", e.Offset)
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("byte %d has another type of value than expected", e.Offset)
	}
	return "it breaks off"
}

func (r *decoder) dataset(data []byte, path string, depth int) (*dicom.Dataset, error) {
	if depth > maxDepth {
		return nil, wrong(path, "sequences are nested more than %d deep", maxDepth)
	}
	var all map[string]attribute
	if err := unmarshal(data, &all); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%sno JSON object of attributes (PS3.18 §F.2.2): %s", path, syntax(err))
	}
	d := &dicom.Dataset{Elements: make([]dicom.Element, 0, len(all))}
	for key, a := range all {
		t, ok := dicom.ParseTag(key)
		if !ok {
			return nil, wrong(path+key, "neither eight hexadecimal digits nor a keyword (PS3.18 §F.2.2)")
		}
		e, err := r.element(t, &a, path+t.Hex(), depth)
		if err != nil {
			return nil, err
		}
		d.Elements = append(d.Elements, e)
	}
	slices.SortFunc(d.Elements, func(a, b dicom.Element) int { return int(int64(a.Tag) - int64(b.Tag)) })
	for i := 1; i < len(d.Elements); i++ {
		if d.Elements[i].Tag == d.Elements[i-1].Tag {
			return nil, wrong(path+d.Elements[i].Tag.Hex(), "the attribute is there twice")
		}
	}
	return d, nil
}

func (r *decoder) element(t dicom.Tag, a *attribute, path string, depth int) (dicom.Element, error) {
	e := dicom.Element{Tag: t}
	vr, ok := dicom.ParseVR(a.VR)
	switch known, found := dicom.Lookup(t); {
	case ok:
	case a.VR == "" && found && known.VR != 0:
		vr = known.VR // some clients leave it out
	default:
		return e, wrong(path, "vr is missing or none of PS3.5 §6.2")
	}
	e.VR = vr
	switch {
	case a.InlineBinary != nil:
		b, err := base64.StdEncoding.DecodeString(*a.InlineBinary)
		if err != nil {
			return e, wrong(path, "InlineBinary is not base64 (PS3.18 §F.2.7)")
		}
		e.Value = pad(b, vr)
		return e, nil
	case a.BulkDataURI != nil:
		r.bulk = append(r.bulk, Bulk{Path: path, URI: *a.BulkDataURI})
		return e, nil
	case vr == dicom.SQ:
		return e, r.sequence(&e, a.Value, path, depth)
	case vr.Bulk() && len(a.Value) > 0:
		return e, wrong(path, "VR %s has InlineBinary or BulkDataURI, not Value (PS3.18 §F.2.7)", vr)
	}
	var err error
	if vr.Text() {
		e.Value, err = r.texts(a.Value, vr, path)
	} else {
		e.Value, err = numbers(a.Value, vr, path)
	}
	return e, err
}

func (r *decoder) sequence(e *dicom.Element, values []json.RawMessage, path string, depth int) error {
	e.Items = []*dicom.Dataset{}
	for i, v := range values {
		item := &dicom.Dataset{}
		if string(v) != "null" {
			var err error
			if item, err = r.dataset(v, path+"/"+strconv.Itoa(i+1)+"/", depth+1); err != nil {
				return err
			}
		}
		e.Items = append(e.Items, item)
	}
	return nil
}

func (r *decoder) texts(values []json.RawMessage, vr dicom.VR, path string) ([]byte, error) {
	all := make([]string, 0, len(values))
	for _, v := range values {
		s, ok := text(v, vr)
		if !ok {
			return nil, wrong(path, "a value is none that VR %s has (PS3.18 §F.2.3)", vr)
		}
		if strings.Contains(s, `\`) && !vr.Single() {
			return nil, wrong(path, "a value of VR %s has a backslash (PS3.5 §6.2)", vr)
		}
		for i := range len(s) {
			r.extended = r.extended || s[i] >= 0x80
		}
		all = append(all, s)
	}
	return pad([]byte(strings.Join(all, `\`)), vr), nil
}

// text returns one value as a file writes it.
func text(v json.RawMessage, vr dicom.VR) (string, bool) {
	switch {
	case string(v) == "null":
		return "", true
	case vr == dicom.PN && v[0] == '{':
		var n dicom.PersonName
		if json.Unmarshal(v, &n) != nil {
			return "", false
		}
		return n.String(), true
	case (vr == dicom.IS || vr == dicom.DS) && v[0] != '"':
		return string(v), isNumber(string(v))
	}
	var s string
	err := json.Unmarshal(v, &s)
	return s, err == nil
}

func pad(b []byte, vr dicom.VR) []byte {
	if len(b)%2 == 1 {
		return append(b, vr.Padding())
	}
	return b
}

func numbers(values []json.RawMessage, vr dicom.VR, path string) ([]byte, error) {
	var b []byte
	for _, v := range values {
		var err error
		if b, err = number(b, strings.Trim(string(v), `"`), vr); err != nil {
			return nil, wrong(path, "a value does not fit into VR %s (PS3.5 §6.2)", vr)
		}
	}
	return b, nil
}

// number appends a value in little-endian order. Numbers may be written as strings, as those of 64 bits are.
func number(b []byte, s string, vr dicom.VR) ([]byte, error) {
	le := binary.LittleEndian
	switch vr {
	case dicom.FL:
		f, err := strconv.ParseFloat(s, 32)
		return le.AppendUint32(b, math.Float32bits(float32(f))), err
	case dicom.FD:
		f, err := strconv.ParseFloat(s, 64)
		return le.AppendUint64(b, math.Float64bits(f)), err
	case dicom.AT:
		n, err := strconv.ParseUint(s, 16, 32)
		return le.AppendUint16(le.AppendUint16(b, uint16(n>>16)), uint16(n)), err
	case dicom.SV:
		n, err := strconv.ParseInt(s, 10, 64)
		return le.AppendUint64(b, uint64(n)), err
	case dicom.UV:
		n, err := strconv.ParseUint(s, 10, 64)
		return le.AppendUint64(b, n), err
	case dicom.SS:
		n, err := strconv.ParseInt(s, 10, 16)
		return le.AppendUint16(b, uint16(n)), err
	case dicom.US:
		n, err := strconv.ParseUint(s, 10, 16)
		return le.AppendUint16(b, uint16(n)), err
	case dicom.SL:
		n, err := strconv.ParseInt(s, 10, 32)
		return le.AppendUint32(b, uint32(n)), err
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return le.AppendUint32(b, uint32(n)), err
}
