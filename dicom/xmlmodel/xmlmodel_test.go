package xmlmodel_test

import (
	"encoding/xml"
	"testing"

	"salus/dicom/xmlmodel"
	"salus/fault"
)

const open = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">`

func TestAppend(t *testing.T) {
	for _, c := range []struct{ name, json, want string }{
		{"nothing", `{}`, ``},
		{"text", `{"00100020":{"vr":"LO","Value":["a<b>&\"c"]}}`,
			`<DicomAttribute tag="00100020" vr="LO" keyword="PatientID"><Value number="1">a&lt;b&gt;&amp;&#34;c</Value></DicomAttribute>`},
		{"several, with an empty one", `{"00080008":{"vr":"CS","Value":["A",null,"B"]}}`,
			`<DicomAttribute tag="00080008" vr="CS" keyword="ImageType"><Value number="1">A</Value><Value number="3">B</Value></DicomAttribute>`},
		{"numbers as they are", `{"00280010":{"vr":"US","Value":[512]},"00180050":{"vr":"DS","Value":[2.50]}}`,
			`<DicomAttribute tag="00180050" vr="DS" keyword="SliceThickness"><Value number="1">2.50</Value></DicomAttribute>` +
				`<DicomAttribute tag="00280010" vr="US" keyword="Rows"><Value number="1">512</Value></DicomAttribute>`},
		{"a name", `{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Yamada^Tarou^^Dr.","Ideographic":"山田^太郎"}]}}`,
			`<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic><FamilyName>Yamada</FamilyName><GivenName>Tarou</GivenName>` +
				`<NamePrefix>Dr.</NamePrefix></Alphabetic><Ideographic><FamilyName>山田</FamilyName><GivenName>太郎</GivenName></Ideographic></PersonName></DicomAttribute>`},
		{"a sequence", `{"00081140":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}},{}]}}`,
			`<DicomAttribute tag="00081140" vr="SQ" keyword="ReferencedImageSequence"><Item number="1"><DicomAttribute tag="00081155" vr="UI" ` +
				`keyword="ReferencedSOPInstanceUID"><Value number="1">1.2</Value></DicomAttribute></Item><Item number="2"></Item></DicomAttribute>`},
		{"bulk data", `{"7FE00010":{"vr":"OW","BulkDataURI":"/b?a&c"}}`,
			`<DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData"><BulkData uri="/b?a&amp;c"/></DicomAttribute>`},
		{"bytes", `{"00282000":{"vr":"OB","InlineBinary":"AQI="}}`,
			`<DicomAttribute tag="00282000" vr="OB" keyword="ICCProfile"><InlineBinary>AQI=</InlineBinary></DicomAttribute>`},
		{"private", `{"00090010":{"vr":"LO","Value":["ACME \"1\""]},"00091001":{"vr":"SH","Value":["x"]}}`,
			`<DicomAttribute tag="00090010" vr="LO"><Value number="1">ACME &#34;1&#34;</Value></DicomAttribute>` +
				`<DicomAttribute tag="00091001" vr="SH" privateCreator="ACME &#34;1&#34;"><Value number="1">x</Value></DicomAttribute>`},
		{"what XML has not", `{"00100020":{"vr":"LO","Value":["a\u0001b"]}}`,
			"<DicomAttribute tag=\"00100020\" vr=\"LO\" keyword=\"PatientID\"><Value number=\"1\">a\uFFFDb</Value></DicomAttribute>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := xmlmodel.Append(nil, []byte(c.json))
			if err != nil {
				t.Fatal(err)
			}
			if want := open + c.want + "</NativeDicomModel>"; string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if err := xml.Unmarshal(got, new(struct{})); err != nil {
				t.Errorf("no XML: %v", err)
			}
		})
	}
	if _, err := xmlmodel.Append(nil, []byte(`{"00100010":{"vr":"PN","Value":["no object"]}}`)); !fault.Is(err, fault.Internal) {
		t.Errorf("broken JSON: %v", err)
	}
}
