package mirror_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/mirror"
	"salus/dicom/tag"
	"salus/fault"
)

// images is an archive of which the test says what it has.
type images struct {
	mu      sync.Mutex
	changes []index.Change
	studies map[string][]*dicom.Dataset // newest first
	at      int64
	done    context.CancelFunc // called when everything has been followed
}

func (a *images) Follow(ctx context.Context, _ string, count int64) ([]index.Change, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if rest := a.changes[a.at:]; len(rest) > 0 {
		return rest[:min(int64(len(rest)), count)], nil
	}
	a.done()
	return nil, ctx.Err()
}

func (a *images) Followed(_ context.Context, _ string, sequence int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = sequence
	return nil
}

func (a *images) Search(_ context.Context, s archive.Search) (found []archive.Found, err error) {
	for _, d := range a.studies[s.Within.Study] {
		found = append(found, jsonmodel.Append(nil, d, jsonmodel.Options{}))
	}
	return found, nil
}

// records is a FHIR service that keeps the bundles it got.
type records struct {
	found   []byte // what every search finds
	bundles []string
	refuse  []error // the first answers
}

func (r *records) Find(context.Context, string, string, string) ([]byte, error) { return r.found, nil }

func (r *records) Transaction(_ context.Context, b []byte) error {
	if len(r.refuse) > 0 {
		err := r.refuse[0]
		r.refuse = r.refuse[1:]
		return err
	}
	r.bundles = append(r.bundles, string(b))
	return nil
}

func follow(t *testing.T, a *images, f *records, o mirror.Options) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.done = cancel
	o.Archive, o.FHIR, o.Logger, o.Follower = a, f, slog.New(slog.DiscardHandler), "fhir"
	o.Address = func() string { return "http://salus.example/dicom/v2" }
	mirror.New(o).Run(ctx)
}

func instance(study, series, uid string, more ...dicom.Element) *dicom.Dataset {
	d := dicom.New(
		dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 192"), dicom.Text(tag.StudyInstanceUID, dicom.UI, study),
		dicom.Text(tag.SeriesInstanceUID, dicom.UI, series), dicom.Text(tag.SOPInstanceUID, dicom.UI, uid), dicom.Text(tag.SOPClassUID, dicom.UI, "1.2.840.10008.5.1.4.1.1.2"),
		dicom.Text(tag.PatientID, dicom.LO, "P|1"), dicom.Text(tag.PatientName, dicom.PN, "Invented^Ada^Maria^Dr."), dicom.Text(tag.PatientSex, dicom.CS, "F"),
		dicom.Text(tag.PatientBirthDate, dicom.DA, "19700203"), dicom.Text(tag.StudyDate, dicom.DA, "20250304"), dicom.Text(tag.StudyTime, dicom.TM, "0506"),
		dicom.Text(tag.Modality, dicom.CS, "CT"), dicom.Text(tag.InstanceNumber, dicom.IS, "3"),
	)
	for _, e := range more {
		d.Set(e)
	}
	return d
}

func created(n int64, study string) index.Change {
	return index.Change{UIDs: index.UIDs{Study: study}, Sequence: n, Partition: "p"}
}

// entries reads the resources and requests of a bundle, as "POST Patient" with the resource.
func entries(t *testing.T, bundle string) map[string]map[string]any {
	t.Helper()
	var b struct {
		Entry []struct {
			Request  struct{ Method, URL, IfNoneExist, IfMatch string }
			Resource map[string]any
		}
	}
	if err := json.Unmarshal([]byte(bundle), &b); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, e := range b.Entry {
		kind, _, _ := strings.Cut(e.Request.URL, "?")
		if e.Resource == nil {
			e.Resource = map[string]any{}
		}
		e.Resource["request"] = strings.TrimSpace(e.Request.URL + " " + e.Request.IfNoneExist + e.Request.IfMatch)
		all[e.Request.Method+" "+kind] = e.Resource
	}
	return all
}

func TestAStudyBecomesResources(t *testing.T) {
	a := &images{
		changes: []index.Change{created(1, "1.1"), created(2, "1.1"), created(3, "1.1")},
		studies: map[string][]*dicom.Dataset{"1.1": {
			instance("1.1", "1.1.2", "1.1.2.1", dicom.Text(tag.Modality, dicom.CS, "SR"), dicom.Text(tag.StudyDescription, dicom.LO, "Head"),
				dicom.Text(tag.AccessionNumber, dicom.SH, "A7"), dicom.Text(tag.ReferringPhysicianName, dicom.PN, "House^Gregory")),
			instance("1.1", "1.1.1", "1.1.1.2", dicom.Text(tag.SeriesDescription, dicom.LO, "axial"), dicom.Text(tag.Laterality, dicom.CS, "L")),
			instance("1.1", "1.1.1", "1.1.1.1", dicom.Text(tag.InstanceNumber, dicom.IS, "x"), dicom.Text(tag.BodyPartExamined, dicom.CS, "HEAD")),
		}},
	}
	f := &records{}
	follow(t, a, f, mirror.Options{PatientSystem: "http://example.org/mrn"})
	if len(f.bundles) != 1 {
		t.Fatalf("%d bundles for three changes of one study", len(f.bundles))
	}
	all := entries(t, f.bundles[0])
	for _, c := range []struct {
		entry, want string
		get         func(map[string]any) any
	}{
		{"POST Patient", `Patient identifier=http%3A%2F%2Fexample.org%2Fmrn%7CP%5C%7C1`, func(r map[string]any) any { return r["request"] }},
		{"POST Patient", `[map[family:Invented given:[Ada Maria] prefix:[Dr.] use:usual]]`, func(r map[string]any) any { return r["name"] }},
		{"POST Patient", `female 1970-02-03`, func(r map[string]any) any { return fmt.Sprint(r["gender"], " ", r["birthDate"]) }},
		{"POST Endpoint", `http://salus.example/dicom/v2`, func(r map[string]any) any { return r["address"] }},
		{"PUT ImagingStudy", `ImagingStudy?identifier=urn%3Adicom%3Auid%7Curn%3Aoid%3A1.1`, func(r map[string]any) any { return r["request"] }},
		{"PUT ImagingStudy", `2 3 2025-03-04T05:06:00Z Head`, func(r map[string]any) any {
			return fmt.Sprint(r["numberOfSeries"], " ", r["numberOfInstances"], " ", r["started"], " ", r["description"])
		}},
		{"PUT ImagingStudy", `[map[code:CT system:http://dicom.nema.org/resources/ontology/DCM] map[code:SR system:http://dicom.nema.org/resources/ontology/DCM]]`,
			func(r map[string]any) any { return r["modality"] }},
		{"PUT ImagingStudy", `map[display:Gregory House]`, func(r map[string]any) any { return r["referrer"] }},
		{"PUT ImagingStudy", `axial map[display:HEAD] map[code:7771000 system:http://snomed.info/sct] 2`, func(r map[string]any) any {
			s := r["series"].([]any)[0].(map[string]any)
			return fmt.Sprint(s["description"], " ", s["bodySite"], " ", s["laterality"], " ", s["numberOfInstances"])
		}},
		{"PUT ImagingStudy", `<nil> 3`, func(r map[string]any) any {
			i := r["series"].([]any)[0].(map[string]any)["instance"].([]any)
			return fmt.Sprint(i[0].(map[string]any)["number"], " ", i[1].(map[string]any)["number"])
		}},
	} {
		if got := fmt.Sprint(c.get(all[c.entry])); got != c.want {
			t.Errorf("%s: %s, want %s", c.entry, got, c.want)
		}
	}
}

func TestPatientsThatAreThereKeepWhatIsTheirs(t *testing.T) {
	a := &images{changes: []index.Change{created(1, "1.1")}, studies: map[string][]*dicom.Dataset{"1.1": {instance("1.1", "1.1.1", "1.1.1.1")}}}
	f := &records{found: []byte(`{"resourceType":"Patient","id":"p1","meta":{"versionId":"4"},"active":true,"gender":"unknown","name":[{"use":"official","family":"Lovelace"}]}`)}
	follow(t, a, f, mirror.Options{})
	if len(f.bundles) != 2 {
		t.Fatalf("%d bundles", len(f.bundles))
	}
	p := entries(t, f.bundles[0])["PUT Patient/p1"]
	if p == nil || p["request"] != `Patient/p1 W/"4"` || p["active"] != true || p["gender"] != "female" || len(p["name"].([]any)) != 2 {
		t.Errorf("%v", p)
	}
	// The same again changes nothing.
	f.found, f.bundles, a.at = []byte(`{"resourceType":"Patient","id":"p1","meta":{"versionId":"5"},"gender":"female","birthDate":"1970-02-03",`+
		`"name":[{"family":"Invented","given":["Ada","Maria"]}]}`), nil, 0
	follow(t, a, f, mirror.Options{})
	if len(f.bundles) != 1 {
		t.Errorf("%d bundles for what is known", len(f.bundles))
	}
}

func TestWhatIsGoneIsDeleted(t *testing.T) {
	for _, c := range []struct {
		name, source string
		deleted      bool
	}{
		{"what the service made", "http://salus.example/dicom/v2", true},
		{"what it made at another port", "http://salus.example:8081/dicom/v2", true},
		{"what another made", "http://salus.example/other/v2", false},
		{"what nobody knows", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &images{changes: []index.Change{created(1, "1.1")}}
			f := &records{found: fmt.Appendf(nil, `{"id":"s1","meta":{"versionId":"4","source":%q}}`, c.source)}
			follow(t, a, f, mirror.Options{})
			if !c.deleted {
				if len(f.bundles) > 0 {
					t.Errorf("%v", f.bundles)
				}
				return
			}
			if d := entries(t, f.bundles[0])["DELETE ImagingStudy/s1"]; d == nil || d["request"] != `ImagingStudy/s1 W/"4"` {
				t.Errorf("%v", f.bundles)
			}
		})
	}
	f := &records{}
	follow(t, &images{changes: []index.Change{created(1, "1.1")}}, f, mirror.Options{})
	if len(f.bundles) > 0 {
		t.Errorf("what is not there was deleted: %v", f.bundles)
	}
}

func TestFailuresAreTriedAgainOrPassedOver(t *testing.T) {
	a := &images{
		changes: []index.Change{created(1, "1.1"), created(2, "1.2")},
		studies: map[string][]*dicom.Dataset{"1.1": {instance("1.1", "1.1.1", "1.1.1.1")}, "1.2": {instance("1.2", "1.2.1", "1.2.1.1")}},
	}
	f := &records{refuse: []error{fault.New(fault.Unavailable, "not now"), fault.New(fault.Unprocessable, "never")}}
	follow(t, a, f, mirror.Options{})
	if a.at != 2 || len(f.bundles) != 1 || !strings.Contains(f.bundles[0], "1.2.1.1") {
		t.Errorf("it came to %d with %v", a.at, f.bundles)
	}
}

func TestIssuersBecomeSystems(t *testing.T) {
	a := &images{
		changes: []index.Change{created(1, "1.1")},
		studies: map[string][]*dicom.Dataset{"1.1": {instance("1.1", "1.1.1", "1.1.1.1", dicom.Text(tag.IssuerOfPatientID, dicom.LO, "urn:hospital"))}},
	}
	f := &records{}
	follow(t, a, f, mirror.Options{PatientSystem: "urn:other", IssuerAsSystem: true})
	if !strings.Contains(f.bundles[0], "urn%3Ahospital%7C") {
		t.Errorf("%v", f.bundles)
	}
	// Nobody is made of an image without an ID.
	a.studies["1.1"][0].Set(dicom.Text(tag.PatientID, dicom.LO))
	f.bundles, a.at = nil, 0
	follow(t, a, f, mirror.Options{})
	if all := entries(t, f.bundles[0]); all["POST Patient"] != nil || all["PUT ImagingStudy"] == nil {
		t.Errorf("%v", f.bundles)
	}
}
