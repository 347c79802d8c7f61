package mirror

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/tag"
	"salus/fault"
)

// fields is a part of a resource; what is nil or empty is left out by add.
type fields map[string]any

func (f fields) add(key string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case []any:
		if len(v) == 0 {
			return
		}
	case fields:
		if len(v) == 0 {
			return
		}
	}
	f[key] = value
}

// wanted are the attributes that the mapping needs and a search does not return unasked.
var wanted = []dicom.Tag{
	tag.StudyInstanceUID, tag.StudyDate, tag.StudyTime, tag.TimezoneOffsetFromUTC, tag.AccessionNumber, tag.StudyDescription, tag.ReferringPhysicianName,
	tag.PatientName, tag.PatientID, tag.IssuerOfPatientID, tag.PatientBirthDate, tag.PatientSex,
	tag.SeriesInstanceUID, tag.SeriesNumber, tag.SeriesDate, tag.SeriesTime, tag.SeriesDescription, tag.Modality, tag.BodyPartExamined, tag.Laterality,
	tag.SOPClassUID, tag.InstanceNumber,
}

// pageSize is how many instances are read at a time.
const pageSize = 1000

// read returns what the archive has of a study, oldest instance first.
func (m *Mirror) read(ctx context.Context, s study) ([]*dicom.Dataset, error) {
	include := wanted
	if !m.o.IssuerAsSystem {
		// The index does not keep it ready.
		include = slices.DeleteFunc(slices.Clone(wanted), func(t dicom.Tag) bool { return t == tag.IssuerOfPatientID })
	}
	var all []*dicom.Dataset
	for {
		found, err := m.o.Archive.Search(ctx, archive.Search{
			Query:   index.Query{Partition: s.partition, Level: index.Instance, Within: index.UIDs{Study: s.uid}, Limit: pageSize, Offset: len(all)},
			Version: archive.V2, Include: include,
		})
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			d, _, err := jsonmodel.Decode(f)
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
		if len(found) < pageSize {
			slices.Reverse(all)
			return all, nil
		}
	}
}

// patient is whom a study shows.
type patient struct {
	system, id string
	name       dicom.PersonName
	gender     string
	birthDate  string
}

func (p patient) identified() bool { return p.id != "" }

func (m *Mirror) patientOf(d *dicom.Dataset) patient {
	p := patient{
		system: m.o.PatientSystem, id: d.String(tag.PatientID), name: dicom.ParsePersonName(d.String(tag.PatientName)),
		gender:    map[string]string{"M": "male", "F": "female", "O": "other"}[d.String(tag.PatientSex)],
		birthDate: date(d.String(tag.PatientBirthDate)),
	}
	if issuer := d.String(tag.IssuerOfPatientID); m.o.IssuerAsSystem && issuer != "" {
		p.system = issuer
	}
	return p
}

// query searches for the patient.
func (p patient) query() string { return "identifier=" + url.QueryEscape(token(p.system, p.id)) }

// token is a system and a value as searches have them (FHIR R4 search §3.1.1.4.10); any system when there is none.
func token(system, value string) string {
	escape := strings.NewReplacer(`\`, `\\`, "|", `\|`, ",", `\,`, "$", `\$`).Replace
	if system == "" {
		return escape(value)
	}
	return escape(system) + "|" + escape(value)
}

// humanName is the name as FHIR has it; empty when there is none.
func (p patient) humanName() fields {
	c := dicom.ParseComponents(p.name.Alphabetic)
	f := fields{}
	f.add("family", c.Family)
	var given []any
	for _, part := range strings.Fields(c.Given + " " + c.Middle) {
		given = append(given, part)
	}
	f.add("given", given)
	for key, value := range map[string]string{"prefix": c.Prefix, "suffix": c.Suffix} {
		if value != "" {
			f[key] = []any{value}
		}
	}
	if len(f) > 0 {
		f["use"] = "usual"
	}
	return f
}

func (p patient) resource() fields {
	id := fields{"value": p.id}
	id.add("system", p.system)
	f := fields{"resourceType": "Patient", "identifier": []any{id}}
	if n := p.humanName(); len(n) > 0 {
		f["name"] = []any{n}
	}
	f.add("gender", p.gender)
	f.add("birthDate", p.birthDate)
	return f
}

// updatePatient gives a patient that is there already what the images say otherwise: the usual name, sex and day of birth.
func (m *Mirror) updatePatient(ctx context.Context, p patient) error {
	found, err := m.o.FHIR.Find(ctx, "Patient", "identifier", token(p.system, p.id))
	if err != nil || found == nil {
		return err // there is none, which the transaction makes, or there are several, which it refuses
	}
	var have map[string]json.RawMessage
	if err := json.Unmarshal(found, &have); err != nil {
		return fault.Wrap(fault.Internal, err, "a resource of the FHIR service cannot be read")
	}
	changed := false
	set := func(key string, value any) {
		if b := encode(value); string(have[key]) != string(b) {
			have[key], changed = b, true
		}
	}
	if p.gender != "" {
		set("gender", p.gender)
	}
	if p.birthDate != "" {
		set("birthDate", p.birthDate)
	}
	if n := p.humanName(); len(n) > 0 && !sameUsualName(have["name"], n) {
		if names, ok := withUsualName(have["name"], n); ok {
			set("name", names)
		}
	}
	if !changed {
		return nil
	}
	var id string
	var meta struct{ VersionID string }
	if err := cmp.Or(json.Unmarshal(have["id"], &id), json.Unmarshal(have["meta"], &meta)); err != nil {
		return fault.Wrap(fault.Internal, err, "a resource of the FHIR service cannot be read")
	}
	put := request("PUT", "Patient/"+id, have)
	put["request"].(fields)["ifMatch"] = `W/"` + meta.VersionID + `"`
	return m.o.FHIR.Transaction(ctx, encode(bundle("transaction", put)))
}

// sameUsualName reports whether a patient has the name already, whatever its use.
func sameUsualName(names json.RawMessage, n fields) bool {
	var have []map[string]any
	if json.Unmarshal(names, &have) != nil {
		return false
	}
	for _, h := range have {
		if h["family"] == n["family"] && string(encode(h["given"])) == string(encode(n["given"])) {
			return true
		}
	}
	return false
}

// withUsualName puts the name in the place of the usual one. A patient whose names are for other uses keeps them and gets it besides.
func withUsualName(names json.RawMessage, n fields) ([]json.RawMessage, bool) {
	var have []json.RawMessage
	if names != nil && json.Unmarshal(names, &have) != nil {
		return nil, false
	}
	for i, h := range have {
		var use struct{ Use string }
		if json.Unmarshal(h, &use) == nil && use.Use == "usual" {
			have[i] = encode(n)
			return have, true
		}
	}
	return append(have, encode(n)), true
}

// date turns a date of VR DA into one of FHIR; "" when it is none.
func date(s string) string {
	if len(s) != 8 || !archive.ValidValue(dicom.DA, s) {
		return ""
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:]
}

// moment joins date and time. Compat: without an offset it is UTC, as in the reference service.
func moment(d *dicom.Dataset, day, clock dicom.Tag) string {
	date, t, zone := date(d.String(day)), d.String(clock), d.String(tag.TimezoneOffsetFromUTC)
	if date == "" || t == "" || !archive.ValidValue(dicom.TM, t) {
		return date
	}
	whole, fraction, _ := strings.Cut(t, ".")
	whole = (whole + "0000")[:6]
	s := date + "T" + whole[:2] + ":" + whole[2:4] + ":" + whole[4:]
	if fraction != "" {
		s += "." + fraction
	}
	if len(zone) == 5 && (zone[0] == '+' || zone[0] == '-') {
		return s + zone[:3] + ":" + zone[3:]
	}
	return s + "Z"
}
