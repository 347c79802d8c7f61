package mirror

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/fault"
)

// The names by which entries of a transaction refer to each other, and systems of codes.
const (
	patientURN  = "urn:uuid:5a1a5000-0000-4000-8000-000000000001"
	endpointURN = "urn:uuid:5a1a5000-0000-4000-8000-000000000002"

	dicomCodes      = "http://dicom.nema.org/resources/ontology/DCM"
	identifierTypes = "http://terminology.hl7.org/CodeSystem/v2-0203"
	connectionTypes = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
	studyUIDs       = "urn:dicom:uid"
	endpointSystem  = "urn:ietf:rfc:3986"
)

func bundle(kind string, entries ...fields) fields {
	return fields{"resourceType": "Bundle", "type": kind, "entry": entries}
}

func request(method, url string, resource any) fields {
	f := fields{"request": fields{"method": method, "url": url}}
	if resource != nil {
		f["resource"] = resource
	}
	return f
}

// encode writes what this package made, which always can be.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("mirror: a resource is not JSON: " + err.Error())
	}
	return b
}

// ofStudy searches for the ImagingStudy of a study.
func ofStudy(uid string) string {
	return "identifier=" + url.QueryEscape(token(studyUIDs, "urn:oid:"+uid))
}

// delete deletes the ImagingStudy of a study that is gone, when it is this service's.
func (m *Mirror) delete(ctx context.Context, uid string) error {
	found, err := m.o.FHIR.Find(ctx, "ImagingStudy", "identifier", token(studyUIDs, "urn:oid:"+uid))
	if err != nil || found == nil {
		return err
	}
	var have struct {
		ID   string
		Meta struct{ VersionID, Source string }
	}
	if err := json.Unmarshal(found, &have); err != nil {
		return fault.Wrap(fault.Internal, err, "a resource of the FHIR service cannot be read")
	}
	if !m.own(have.Meta.Source) {
		return nil
	}
	gone := request("DELETE", "ImagingStudy/"+have.ID, nil)
	gone["request"].(fields)["ifMatch"] = `W/"` + have.Meta.VersionID + `"`
	return m.o.FHIR.Transaction(ctx, encode(bundle("transaction", gone)))
}

// own reports whether a source is this service, which may have been at another port.
func (m *Mirror) own(source string) bool {
	a, e1 := url.Parse(source)
	b, e2 := url.Parse(m.o.Address())
	return e1 == nil && e2 == nil && a.Hostname() == b.Hostname() && a.Path == b.Path
}

// transaction makes what a study needs to be there.
func (m *Mirror) transaction(uid string, who patient, instances []*dicom.Dataset) []byte {
	endpoint := request("POST", "Endpoint", fields{
		"resourceType": "Endpoint", "status": "active", "name": "DICOMweb",
		"identifier":     []any{fields{"system": endpointSystem, "value": m.o.Address()}},
		"connectionType": fields{"system": connectionTypes, "code": "dicom-wado-rs"},
		"payloadType":    []any{fields{"text": "DICOM instances"}}, "payloadMimeType": []any{"application/dicom"},
		"address": m.o.Address(),
	})
	endpoint["fullUrl"] = endpointURN
	endpoint["request"].(fields)["ifNoneExist"] = "identifier=" + url.QueryEscape(token(endpointSystem, m.o.Address()))
	entries := []fields{endpoint}
	subject := fields{"display": "Patient without an identifier"}
	if who.identified() {
		p := request("POST", "Patient", who.resource())
		p["fullUrl"] = patientURN
		p["request"].(fields)["ifNoneExist"] = who.query()
		entries = append(entries, p)
		subject = fields{"reference": patientURN}
	}
	entries = append(entries, request("PUT", "ImagingStudy?"+ofStudy(uid), m.imagingStudy(uid, subject, instances)))
	return encode(bundle("transaction", entries...))
}

// imagingStudy maps a study (FHIR R4 imagingstudy §mappings). What belongs to the study is taken from its newest instance.
func (m *Mirror) imagingStudy(uid string, subject fields, instances []*dicom.Dataset) fields {
	newest := instances[len(instances)-1]
	identifiers := []any{fields{"system": studyUIDs, "value": "urn:oid:" + uid}}
	if accession := newest.String(tag.AccessionNumber); accession != "" {
		identifiers = append(identifiers, fields{
			"type":  fields{"coding": []any{fields{"system": identifierTypes, "code": "ACSN"}}},
			"value": accession,
		})
	}
	series, modalities := mapSeries(instances)
	f := fields{
		"resourceType": "ImagingStudy", "meta": fields{"source": m.o.Address()}, "status": "available", "identifier": identifiers, "subject": subject,
		"endpoint": []any{fields{"reference": endpointURN}}, "numberOfSeries": len(series), "numberOfInstances": len(instances), "series": series,
	}
	f.add("modality", modalities)
	f.add("started", moment(newest, tag.StudyDate, tag.StudyTime))
	if about := newest.String(tag.StudyDescription); about != "" {
		f["description"] = about
		f["note"] = []any{fields{"text": about}}
	}
	referrer := dicom.ParseComponents(dicom.ParsePersonName(newest.String(tag.ReferringPhysicianName)).Alphabetic)
	if display := strings.TrimSpace(referrer.Given + " " + referrer.Family); display != "" {
		f["referrer"] = fields{"display": display}
	}
	return f
}

func modality(code string) fields { return fields{"system": dicomCodes, "code": code} }

// mapSeries groups instances by their series, in the order in which these came.
func mapSeries(instances []*dicom.Dataset) (series, modalities []any) {
	at := map[string]fields{}
	var codes []string
	for _, d := range instances {
		uid := d.String(tag.SeriesInstanceUID)
		s, ok := at[uid]
		if !ok {
			s = fields{"uid": uid, "instance": []any{}}
			at[uid] = s
			series = append(series, s)
		}
		code := d.String(tag.Modality)
		if code != "" && !slices.Contains(codes, code) {
			codes = append(codes, code)
			modalities = append(modalities, modality(code))
		}
		describe(s, d, code)
		i := fields{"uid": d.String(tag.SOPInstanceUID), "sopClass": fields{"system": "urn:ietf:rfc:3986", "code": "urn:oid:" + d.String(tag.SOPClassUID)}}
		if n, ok := whole(d, tag.InstanceNumber); ok {
			i["number"] = n
		}
		s["instance"] = append(s["instance"].([]any), i)
		s["numberOfInstances"] = len(s["instance"].([]any))
	}
	return series, modalities
}

// describe writes what an instance says of its series; the newest has the last word.
func describe(s fields, d *dicom.Dataset, code string) {
	if code == "" {
		code = "OT" // the element is required; other is what is not known
	}
	s["modality"] = modality(code)
	if n, ok := whole(d, tag.SeriesNumber); ok {
		s["number"] = n
	}
	s.add("description", d.String(tag.SeriesDescription))
	s.add("started", moment(d, tag.SeriesDate, tag.SeriesTime))
	if part := d.String(tag.BodyPartExamined); part != "" {
		s["bodySite"] = fields{"display": part}
	}
	if side := map[string]string{"L": "7771000", "R": "24028007"}[d.String(tag.Laterality)]; side != "" {
		s["laterality"] = fields{"system": "http://snomed.info/sct", "code": side}
	}
}

// whole returns a number that an unsignedInt can have.
func whole(d *dicom.Dataset, t dicom.Tag) (int64, bool) {
	n, err := strconv.ParseInt(d.String(t), 10, 32)
	return n, err == nil && n >= 0
}
