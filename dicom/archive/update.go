package archive

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/fault"
)

// MaxUpdated is how many studies one update can name (the reference service's limit).
const MaxUpdated = 50

// Retired attributes that can be updated all the same.
const (
	otherPatientIDs      dicom.Tag = 0x00101000
	medicalRecordLocator dicom.Tag = 0x00101090
)

// updatable are the attributes that an update can give other values (the reference service's).
var updatable = []dicom.Tag{
	tag.PatientName, tag.PatientID, tag.IssuerOfPatientID, tag.TypeOfPatientID, tag.PatientBirthDate, tag.PatientBirthTime, tag.PatientSex,
	tag.QualityControlSubject, otherPatientIDs, tag.OtherPatientNames, tag.PatientBirthName, tag.PatientAge, tag.PatientSize, tag.PatientWeight,
	tag.PatientAddress, tag.PatientMotherBirthName, tag.MilitaryRank, tag.BranchOfService, medicalRecordLocator, tag.CountryOfResidence,
	tag.RegionOfResidence, tag.PatientTelephoneNumbers, tag.EthnicGroup, tag.Occupation, tag.PatientReligiousPreference,
	tag.PatientSpeciesDescription, tag.PatientBreedDescription, tag.BreedRegistrationNumber, tag.ResponsiblePerson, tag.ResponsiblePersonRole,
	tag.ResponsibleOrganization, tag.PatientComments, tag.ConfidentialityConstraintOnPatientDataDescription, tag.AccessionNumber,
	tag.ReferringPhysicianName, tag.StudyDescription,
}

// updateRequest is what an update is to do.
type updateRequest struct {
	Partition string          `json:"partition"`
	Studies   []string        `json:"studies"`
	Change    json.RawMessage `json:"change"` // DICOM JSON
}

// updateResults are what came of it, as the reference service writes them.
type updateResults struct {
	Processed int      `json:"studyProcessed"`
	Updated   int      `json:"studyUpdated"`
	Failed    int      `json:"studyFailed"`
	Instances int64    `json:"instanceUpdated"`
	Errors    []string `json:"errors,omitempty"`
}

// Update gives all instances of some studies other values of some attributes, in the background, and returns the id of the operation. Comments say
// what is wrong with the change, which is then not begun. Only one update goes on at a time; with a Busy fault the id is that one's.
func (a *Archive) Update(ctx context.Context, partition string, studies []string, change *dicom.Dataset) (operation string, comments []string, err error) {
	if len(studies) == 0 || len(studies) > MaxUpdated {
		return "", nil, fault.New(fault.Invalid, "an update names 1 to %d studies", MaxUpdated)
	}
	for _, u := range studies {
		if !dicom.ValidUID(u) {
			return "", nil, fault.New(fault.Invalid, "a study of the update is no UID (PS3.5 §9.1)")
		}
	}
	if comments := checkChange(change); comments != nil {
		return "", comments, nil
	}
	request := updateRequest{partition, studies, jsonmodel.Append(nil, change, jsonmodel.Options{})}
	operation, err = a.begin(ctx, index.Updating, request, len(studies), true)
	return operation, nil, err
}

// checkChange holds the attributes of an update against the rules.
func checkChange(d *dicom.Dataset) (comments []string) {
	refuse := func(t dicom.Tag, text string) { comments = append(comments, "DICOM100: "+t.String()+" - "+text) }
	some := false
	for i := range d.Elements {
		e := &d.Elements[i]
		if e.Tag == tag.SpecificCharacterSet {
			continue // of the request's text
		}
		some = true
		known, _ := dicom.Lookup(e.Tag)
		switch {
		case !slices.Contains(updatable, e.Tag):
			refuse(e.Tag, "the attribute cannot be updated")
			continue
		case e.VR != known.VR:
			refuse(e.Tag, "the VR must be "+known.VR.String())
			continue
		case d.String(e.Tag) == "":
			refuse(e.Tag, "a value cannot be taken away")
		}
		for _, v := range d.Text(e) {
			if err := checkValue(e.VR, v); v != "" && err != nil {
				refuse(e.Tag, err.Error())
			}
		}
	}
	if !some {
		comments = append(comments, "the change has no attribute")
	}
	return comments
}

// update does an operation, study by study. A study is changed wholly or not at all.
func (a *Archive) update(ctx context.Context, o index.Operation) error {
	var request updateRequest
	var results updateResults
	if err := json.Unmarshal(o.Request, &request); err != nil {
		return err
	}
	if o.Results != nil {
		if err := json.Unmarshal(o.Results, &results); err != nil {
			return err
		}
	}
	change, _, err := jsonmodel.Decode(request.Change)
	if err != nil {
		return err
	}
	for o.Status != index.Succeeded {
		if o.Position < int64(len(request.Studies)) {
			study := request.Studies[o.Position]
			n, err := a.updateStudy(ctx, request.Partition, study, change)
			switch {
			case fault.Is(err, fault.Canceled), fault.Is(err, fault.Unavailable), fault.Is(err, fault.OutOfSpace):
				return err
			case fault.Is(err, fault.NotFound):
				// Compat: a study that there is not is no failure.
			case err != nil:
				results.Failed++
				results.Errors = append(results.Errors, study+": "+fault.As(err).Message)
			default:
				results.Updated, results.Instances = results.Updated+1, results.Instances+n
			}
			results.Processed++
			o.Position++
		}
		if o.Results, err = json.Marshal(results); err != nil {
			return err
		}
		switch o.Status = index.Running; {
		case o.Position < int64(len(request.Studies)):
		case results.Failed > 0:
			o.Status = index.Failed
			return a.index.SetOperation(ctx, o)
		default:
			o.Status = index.Succeeded
		}
		if err := a.index.SetOperation(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// attempts is how often a study is updated anew because something was stored or deleted in it meanwhile.
const attempts = 5

func (a *Archive) updateStudy(ctx context.Context, partition, study string, change *dicom.Dataset) (n int64, err error) {
	for range attempts {
		if n, err = a.tryStudy(ctx, partition, study, change); !fault.Is(err, fault.Busy) {
			break
		}
		if err := a.loadTags(ctx); err != nil {
			return 0, err
		}
	}
	if n > 0 && err == nil {
		a.wake()
		a.change()
	}
	return n, err
}

// tryStudy writes every instance of a study anew and then puts all in the places of the old ones.
func (a *Archive) tryStudy(ctx context.Context, partition, study string, change *dicom.Dataset) (n int64, err error) {
	old, err := a.index.Instances(ctx, partition, index.UIDs{Study: study}, false)
	if err != nil {
		return 0, err
	}
	entries := make([]*index.Entry, 0, len(old))
	defer func() {
		if err == nil {
			return
		}
		for _, e := range entries {
			err = errors.Join(err, a.objects.Delete(context.WithoutCancel(ctx), e.Object))
		}
	}()
	for _, s := range old {
		e, err := a.rewrite(ctx, s, change)
		if fault.Is(err, fault.NotFound) {
			err = fault.Wrap(fault.Busy, err, "an instance of the study was deleted meanwhile")
		}
		if err != nil {
			return 0, err
		}
		entries = append(entries, e)
	}
	return int64(len(old)), a.index.ReplaceStudy(ctx, partition, old, entries)
}

// rewrite writes an instance with other values as a new object.
func (a *Archive) rewrite(ctx context.Context, s index.Stored, change *dicom.Dataset) (*index.Entry, error) {
	o, err := a.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	f, err := part10.Read(io.NewSectionReader(o, 0, o.Size()), part10.Options{Whole: part10.SyntaxOf(s.TransferSyntax).Deflated})
	if err != nil {
		return nil, err
	}
	apply(f.Dataset, change)
	f.Preamble = make([]byte, preamble)
	part10.Sign(f.Meta)
	name := a.name()
	w, err := a.objects.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	// The new file is read while it is written, as one that is stored is.
	r, pipe := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := part10.WriteFile(pipe, f, o)
		pipe.CloseWithError(err)
		written <- err
	}()
	fresh, size, err := receive(r, w, a.o.MaxFile+1<<20) // what fitted still does when names get longer
	r.CloseWithError(context.Canceled)
	if e := <-written; err == nil {
		err = e
	}
	var e *index.Entry
	if err == nil {
		out := a.examine(fresh, Rules{})
		e, err = a.entry(fresh, size, name, out.invalid)
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return e, w.Commit()
}

// apply sets attributes. Text that the data set's characters cannot write makes all of its text UTF-8.
func apply(d, change *dicom.Dataset) {
	if change.Has(tag.SpecificCharacterSet) && !d.Charset().UTF8() {
		unify(d)
		d.Set(dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 192"))
	}
	for i := range change.Elements {
		if e := change.Elements[i]; e.Tag != tag.SpecificCharacterSet {
			d.Set(e)
		}
	}
}

// unify makes all text of a data set and its items UTF-8, as far as it depends on a character set (PS3.5 §6.1.2.3), and takes away what names one.
func unify(d *dicom.Dataset) {
	for i := range d.Elements {
		e := &d.Elements[i]
		for _, item := range e.Items {
			unify(item)
		}
		switch e.VR {
		case dicom.LO, dicom.SH, dicom.PN, dicom.LT, dicom.ST, dicom.UT, dicom.UC:
			*e = dicom.Text(e.Tag, e.VR, strings.Join(d.Text(e), `\`))
		}
	}
	d.Remove(func(e *dicom.Element) bool { return e.Tag == tag.SpecificCharacterSet })
}
