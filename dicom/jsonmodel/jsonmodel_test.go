package jsonmodel_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"salus/dicom"
	"salus/dicom/jsonmodel"
	"salus/dicom/part10"
	"salus/dicom/tag"
)

func TestWritesTheModelOfTheStandard(t *testing.T) {
	d := dicom.New(
		dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 100"),
		dicom.Text(tag.ImageType, dicom.CS, "A", "", `B"`),
		dicom.Text(tag.PatientName, dicom.PN, "M\xfcller^A=\xe4=", ""),
		dicom.Text(tag.StudyDescription, dicom.LO),
		dicom.Text(tag.PixelSpacing, dicom.DS, "0.50", "+1.5", ".5", "-07", "1.", "x"),
		dicom.Text(tag.InstanceNumber, dicom.IS, "12"),
		dicom.Uint16(tag.Rows, 3),
		dicom.Element{Tag: tag.FrameIncrementPointer, VR: dicom.AT, Value: []byte{0x18, 0, 0x63, 0x10}},
		dicom.Element{Tag: tag.RecommendedDisplayFrameRateInFloat, VR: dicom.FL, Value: []byte{0, 0, 0xC0, 0x7F, 0, 0, 0x80, 0x3F}},
		dicom.Sequence(tag.ProcedureCodeSequence, dicom.New(dicom.Text(tag.CodeValue, dicom.SH, "C")), dicom.New()),
		dicom.Element{Tag: 0x00290000, VR: dicom.UL, Value: []byte{1, 0, 0, 0}},
		dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: []byte{1, 2}},
	)
	d.Inherit(d.Charset())
	want := `{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00080008":{"vr":"CS","Value":["A",null,"B\""]},"00081030":{"vr":"LO"},` +
		`"00081032":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["C"]}},{}]},"00089459":{"vr":"FL","Value":["NaN",1]},` +
		`"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^A","Ideographic":"ä"},null]},"00200013":{"vr":"IS","Value":[12]},` +
		`"00280009":{"vr":"AT","Value":["00181063"]},"00280010":{"vr":"US","Value":[3]},"00280030":{"vr":"DS","Value":[0.50,1.5,0.5,-7,1,"x"]},` +
		`"7FE00010":{"vr":"OW",PIXELS}}`
	for pixels, o := range map[string]jsonmodel.Options{
		`"InlineBinary":"AQI="`:         {},
		`"BulkDataURI":"bulk/7FE00010"`: {BulkDataURI: func(path string) string { return "bulk/" + path }},
	} {
		if got := string(jsonmodel.Append(nil, d, o)); got != strings.Replace(want, "PIXELS", pixels, 1) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestReadsWhatItWrites(t *testing.T) {
	text := `{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00080008":{"vr":"CS","Value":["A",null,"B"]},` +
		`"00081032":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["C"]}},{}]},` +
		`"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^A","Phonetic":"x"}]},"00200013":{"vr":"IS","Value":[12]},` +
		`"00280009":{"vr":"AT","Value":["00181063"]},"00280010":{"vr":"US","Value":[3]},"00280030":{"vr":"DS","Value":[0.50,1.5]},` +
		`"00290010":{"vr":"LO","Value":["X"]},"00291001":{"vr":"UN","InlineBinary":"AQI="},"00291002":{"vr":"UV","Value":[18446744073709551615]}}`
	d, bulk, err := jsonmodel.Decode([]byte(text))
	if err != nil || len(bulk) != 0 {
		t.Fatal(err, bulk)
	}
	if got := string(jsonmodel.Append(nil, d, jsonmodel.Options{})); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
}

func TestRefusesWhatIsNoDataSet(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                       "no JSON object",
		`{"00100020":{"vr":"XX"}}`: "00100020: vr",
		`{"Foo":{"vr":"LO"}}`:      "Foo: neither",
		`{"00280010":{"vr":"US","Value":[70000]}}`:                                         "00280010: a value does not fit",
		`{"00081032":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":[{}]}}]}}`:         "00081032/1/00080100",
		`{"7FE00010":{"vr":"OW","InlineBinary":"*"}}`:                                      "base64",
		`{"00100020":{"vr":"LO","Value":["A\\B"]}}`:                                        "backslash",
		`{"00100020":{"vr":"LO"},"PatientID":{"vr":"LO"}}`:                                 "twice",
		`{"00100020":{"vr":"LO"}} x`:                                                       "no JSON object",
		strings.Repeat(`{"00081032":{"vr":"SQ","Value":[`, 40) + strings.Repeat(`]}}`, 40): "nested",
	} {
		if _, _, err := jsonmodel.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want one with %q", text, err, want)
		}
	}
}

// Whatever a file holds, what comes out is JSON, and is the same when it is read and written again.
func TestPublicFiles(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/dicom/*/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("NOT COVERED: files of pydicom and Microsoft; ../shared/data/dicom is absent")
	}
	seen := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := part10.Read(bytes.NewReader(data), part10.Options{})
		if err != nil {
			continue // part10 has the list of those that must be readable
		}
		seen++
		o := jsonmodel.Options{Skip: func(e *dicom.Element) bool { return e.VR.Bulk() || e.Bulk != nil }}
		first := jsonmodel.Append(nil, f.Dataset, o)
		if !json.Valid(first) {
			t.Errorf("%s: no JSON", name)
			continue
		}
		d, _, err := jsonmodel.Decode(first)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again := jsonmodel.Append(nil, d, o); !f.Dataset.Has(0x00080005) || bytes.Equal(first, again) {
			continue
		} else if !bytes.Equal(first, again) {
			t.Errorf("%s: read and written again it differs:\n%.2000s\n%.2000s", name, first, again)
		}
	}
	if seen < 60 {
		t.Errorf("only %d files were read", seen)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"00100020":{"vr":"LO","Value":["A"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, _, err := jsonmodel.Decode(data)
		if err != nil {
			return
		}
		if out := jsonmodel.Append(nil, d, jsonmodel.Options{}); !json.Valid(out) {
			t.Fatalf("no JSON: %q", out)
		}
	})
}
