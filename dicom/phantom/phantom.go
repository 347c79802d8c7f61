// Package phantom invents images: CT series of ellipses in a head, of patients that do not exist, as DICOM files. Demonstrations, measurements and
// tests store them.
//
// The same numbers always give the same bytes. Pixels have the grain of a real scan, so that compressing them is as hard, but show nobody.
package phantom

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
)

// Root begins the UIDs of everything invented here (PS3.5 §B.2).
const Root = "2.25.58372910461"

// Slice says which image is wanted.
type Slice struct {
	PatientID string // such as MRN-00000001
	Name      string // of VR PN
	BirthDate string // of VR DA; may be empty
	Sex       string // of VR CS; may be empty
	Patient   int    // numbers of which UIDs are made
	Study     int
	Series    int
	Instance  int // from 0, from the feet to the head
	Slices    int // in the series
	Size      int // rows and columns
	Date      time.Time
}

// StudyUID returns the UID of a study.
func StudyUID(patient, study int) string { return fmt.Sprintf("%s.%d.%d", Root, patient, study) }

// File returns the image as a file in explicit VR little endian.
func (s Slice) File() ([]byte, error) {
	d := s.Dataset()
	meta, err := part10.NewMeta(d, uid.ExplicitVRLittleEndian)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(2*s.Size*s.Size + 4<<10)
	err = part10.WriteFile(&b, &part10.File{Preamble: make([]byte, 128), Meta: meta, TransferSyntax: uid.ExplicitVRLittleEndian, Dataset: d}, nil)
	return b.Bytes(), err
}

// Dataset returns the image's data set with its pixels, with the modules of a CT image (PS3.3 §A.3).
func (s Slice) Dataset() *dicom.Dataset {
	study := StudyUID(s.Patient, s.Study)
	series := fmt.Sprintf("%s.%d", study, s.Series)
	date, clock := s.Date.Format("20060102"), s.Date.Add(time.Duration(s.Instance)*time.Second).Format("150405")
	position := float64(s.Instance) * 2.5
	kernels := []string{"thin", "soft tissue", "bone", "lung"}
	text := func(t dicom.Tag, vr dicom.VR, values ...string) dicom.Element { return dicom.Text(t, vr, values...) }
	return dicom.New(
		text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 192"),
		text(tag.ImageType, dicom.CS, "ORIGINAL", "PRIMARY", "AXIAL"),
		text(tag.SOPClassUID, dicom.UI, uid.CTImageStorage),
		text(tag.SOPInstanceUID, dicom.UI, fmt.Sprintf("%s.%d", series, s.Instance)),
		text(tag.StudyDate, dicom.DA, date), text(tag.SeriesDate, dicom.DA, date), text(tag.ContentDate, dicom.DA, date),
		text(tag.StudyTime, dicom.TM, s.Date.Format("150405")), text(tag.SeriesTime, dicom.TM, clock), text(tag.ContentTime, dicom.TM, clock),
		text(tag.AccessionNumber, dicom.SH, fmt.Sprintf("A%06d%03d", s.Patient, s.Study)),
		text(tag.Modality, dicom.CS, "CT"), text(tag.Manufacturer, dicom.LO, "Salus Phantom Works"),
		text(tag.ReferringPhysicianName, dicom.PN, "Invented^Doctor"),
		text(tag.StudyDescription, dicom.LO, "CT head (invented)"),
		text(tag.SeriesDescription, dicom.LO, kernels[s.Series%len(kernels)]),
		text(tag.ManufacturerModelName, dicom.LO, "Ellipse 1"),
		text(tag.PatientName, dicom.PN, s.Name), text(tag.PatientID, dicom.LO, s.PatientID),
		text(tag.PatientBirthDate, dicom.DA, s.BirthDate), text(tag.PatientSex, dicom.CS, s.Sex),
		text(tag.BodyPartExamined, dicom.CS, "HEAD"), text(tag.SliceThickness, dicom.DS, "2.5"), text(tag.KVP, dicom.DS, "120"),
		text(tag.PatientPosition, dicom.CS, "HFS"),
		text(tag.StudyInstanceUID, dicom.UI, study), text(tag.SeriesInstanceUID, dicom.UI, series),
		text(tag.StudyID, dicom.SH, fmt.Sprint(s.Study+1)), text(tag.SeriesNumber, dicom.IS, fmt.Sprint(s.Series+1)),
		text(tag.InstanceNumber, dicom.IS, fmt.Sprint(s.Instance+1)),
		text(tag.ImagePositionPatient, dicom.DS, "-125", "-125", fmt.Sprintf("%g", position)),
		text(tag.ImageOrientationPatient, dicom.DS, "1", "0", "0", "0", "1", "0"),
		text(tag.FrameOfReferenceUID, dicom.UI, study+".0"), text(tag.SliceLocation, dicom.DS, fmt.Sprintf("%g", position)),
		dicom.Uint16(tag.SamplesPerPixel, 1), text(tag.PhotometricInterpretation, dicom.CS, "MONOCHROME2"),
		dicom.Uint16(tag.Rows, uint16(s.Size)), dicom.Uint16(tag.Columns, uint16(s.Size)),
		text(tag.PixelSpacing, dicom.DS, fmt.Sprintf("%.6g", 250/float64(s.Size)), fmt.Sprintf("%.6g", 250/float64(s.Size))),
		dicom.Uint16(tag.BitsAllocated, 16), dicom.Uint16(tag.BitsStored, 12), dicom.Uint16(tag.HighBit, 11), dicom.Uint16(tag.PixelRepresentation, 0),
		text(tag.WindowCenter, dicom.DS, "40"), text(tag.WindowWidth, dicom.DS, "400"),
		text(tag.RescaleIntercept, dicom.DS, "-1024"), text(tag.RescaleSlope, dicom.DS, "1"), text(tag.RescaleType, dicom.LO, "HU"),
		dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: s.pixels()},
	)
}

// ellipse is one organ: where it is, how large, in parts of the picture, and how dense in Hounsfield units.
type ellipse struct{ x, y, a, b, density float64 }

// pixels draws the slice.
func (s Slice) pixels() []byte {
	r := rand.New(rand.NewPCG(uint64(s.Patient), uint64(s.Series*10_000+s.Instance)))
	height := 1.0
	if s.Slices > 1 {
		z := 2*float64(s.Instance)/float64(s.Slices-1) - 1
		height = math.Sqrt(1 - 0.8*z*z) // the head narrows to both ends
	}
	own := 0.02 * float64(s.Patient%5)
	organs := []ellipse{
		{0, 0, 0.72 * height, (0.88 - own) * height, 900},            // skull
		{0, 0, 0.66 * height, (0.82 - own) * height, 35},             // brain
		{0.14, -0.05, 0.09 * height, 0.26 * height, 5},               // ventricles
		{-0.14, -0.05, 0.09 * height, 0.26 * height, 5},              //
		{0.25 - own, 0.35, 0.06 * height, (0.05 + own) * height, 65}, // a lesion, elsewhere in everybody
	}
	b := make([]byte, 0, 2*s.Size*s.Size)
	for row := range s.Size {
		y := 2*float64(row)/float64(s.Size) - 1
		for column := range s.Size {
			x := 2*float64(column)/float64(s.Size) - 1
			density := -1000.0
			for _, o := range organs {
				dx, dy := (x-o.x)/o.a, (y-o.y)/o.b
				if dx*dx+dy*dy < 1 {
					density = o.density
				}
			}
			grain := int(r.Uint32()>>28) - 8
			b = binary.LittleEndian.AppendUint16(b, uint16(min(max(int(density)+1024+grain, 0), 4095)))
		}
	}
	return b
}
