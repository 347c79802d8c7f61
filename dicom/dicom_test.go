package dicom_test

import (
	"reflect"
	"testing"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/dicom/uid"
)

func TestTags(t *testing.T) {
	for _, c := range []struct {
		text string
		want dicom.Tag
		ok   bool
	}{
		{"PatientID", 0x00100020, true}, {"00100020", 0x00100020, true}, {"0020000d", 0x0020000D, true},
		{"StudyInstanceUID", 0x0020000D, true}, {"patientid", 0, false}, {"", 0, false}, {"0010002", 0, false}, {"NoSuchKeyword", 0, false},
	} {
		if got, ok := dicom.ParseTag(c.text); ok != c.ok || ok && got != c.want {
			t.Errorf("%q is %v, %v", c.text, got, ok)
		}
	}
	if s := tag.StudyInstanceUID.String() + tag.StudyInstanceUID.Hex() + tag.StudyInstanceUID.Keyword(); s != "(0020,000d)0020000DStudyInstanceUID" {
		t.Error(s)
	}
	if c := dicom.Tag(0x00191042).CreatorOf(); c != 0x00190010 {
		t.Errorf("creator of a private tag is %v", c)
	}
}

func TestDictionaryKnowsRepeatingGroups(t *testing.T) {
	for _, c := range []struct {
		tag     dicom.Tag
		keyword string
		vr      dicom.VR
	}{
		{0x60003000, "OverlayData", dicom.OB}, {0x60023000, "OverlayData", dicom.OB}, {0x50100010, "NumberOfPoints", dicom.US},
		{tag.PixelData, "PixelData", dicom.OB}, {tag.PatientName, "PatientName", dicom.PN}, {0x00280000, "", dicom.UL}, {0x00290010, "", dicom.LO},
	} {
		a, ok := dicom.Lookup(c.tag)
		if !ok || a.Keyword != c.keyword || a.VR != c.vr {
			t.Errorf("%v is %+v", c.tag, a)
		}
	}
	if a, ok := dicom.Lookup(0x00291010); ok {
		t.Errorf("a private tag is known as %+v", a)
	}
	if u, _ := dicom.LookupUID(uid.CTImageStorage); u.Name != "CT Image Storage" || u.Kind != "SOP Class" {
		t.Errorf("%+v", u)
	}
}

func TestUIDs(t *testing.T) {
	for s, want := range map[string]bool{
		"1.2.840.10008.1.1": true, "1": true, "1.02.3": true, "": false, "1.": false, ".1": false, "1..2": false, "1.a": false,
		"1.2345678901234567890123456789012345678901234567890123456789012345": false,
	} {
		if dicom.ValidUID(s) != want {
			t.Errorf("%q is valid: %v", s, !want)
		}
	}
}

// The examples are those of PS3.5 annexes H to K.
func TestCharacterSets(t *testing.T) {
	for _, c := range []struct {
		name  string
		sets  string
		bytes string
		want  string
	}{
		{"default", "", "Buc^Jerome", "Buc^Jerome"},
		{"latin 1", "ISO_IR 100", "Buc^J\xe9r\xf4me", "Buc^Jérôme"},
		{"latin 1, in another spelling", "ISO-IR 100", "Buc^J\xe9r\xf4me", "Buc^Jérôme"},
		{"cyrillic", "ISO_IR 144", "\xbb\xee\xda\x63\x65\xdc\xd1\x79\x70\xd3", "Люкceмбypг"},
		{"arabic", "ISO_IR 127", "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"},
		{"greek", "ISO_IR 126", "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"},
		{"hebrew", "ISO_IR 138", "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"},
		{"utf-8", "ISO_IR 192", "Wang^XiaoDong=王^小東=", "Wang^XiaoDong=王^小東="},
		{"GB18030", "GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="},
		{"GBK with a backslash in a character", "GBK", "\x8d\x5c\xcd\xf5", "峔王"},
		{"japanese, H.3.1", `\ISO 2022 IR 87`, "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
			"Yamada^Tarou=山田^太郎=やまだ^たろう"},
		{"japanese, H.3.2", `ISO 2022 IR 13\ISO 2022 IR 87`, "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
			"ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"},
		{"korean, I.2", `\ISO 2022 IR 149`, "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
			"Hong^Gildong=洪^吉洞=홍^길동"},
		{"chinese, K.2", `\ISO 2022 IR 58`, "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东="},
		{"an escape that means nothing", `\ISO 2022 IR 87`, "A\x1bZB", "A�ZB"},
		{"latin 1 that was not declared", "", "J\xe9r\xf4me", "Jérôme"},
		{"utf-8 that was not declared", "", "Jérôme", "Jérôme"},
		{"a broken byte", "ISO_IR 192", "A\xffB", "A�B"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := dicom.New(dicom.Text(tag.SpecificCharacterSet, dicom.CS, c.sets), dicom.Text(tag.PatientName, dicom.PN, c.bytes))
			if got := d.String(tag.PatientName); got != c.want {
				t.Errorf("read as %q, want %q", got, c.want)
			}
		})
	}
}

func TestItemsInheritTheCharacterSet(t *testing.T) {
	own := dicom.New(dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 144"), dicom.Text(tag.CodeMeaning, dicom.LO, "\xbb"))
	plain := dicom.New(dicom.Text(tag.CodeMeaning, dicom.LO, "\xe9"))
	d := dicom.New(dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 100"), dicom.Sequence(tag.ProcedureCodeSequence, own, plain))
	d.Inherit(d.Charset())
	if a, b := own.String(tag.CodeMeaning), plain.String(tag.CodeMeaning); a != "Л" || b != "é" {
		t.Errorf("%q %q", a, b)
	}
}

func TestValues(t *testing.T) {
	d := dicom.New(
		dicom.Text(tag.ImageType, dicom.CS, "ORIGINAL ", " PRIMARY", "", "AXIAL"),
		dicom.Text(tag.PixelSpacing, dicom.DS, "0.5", " 1e-1"),
		dicom.Text(tag.InstanceNumber, dicom.IS, "+7 "),
		dicom.Text(tag.TextValue, dicom.UT, ` with a \ in it`),
		dicom.Uint16(tag.Rows, 512),
		dicom.Element{Tag: tag.FrameIncrementPointer, VR: dicom.AT, Value: []byte{0x18, 0, 0x63, 0x10}},
		dicom.Element{Tag: tag.PatientID, VR: dicom.LO, Value: []byte("A1\x00")},
	)
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", what, got, want)
		}
	}
	check("padding", d.Strings(tag.ImageType), []string{"ORIGINAL", "PRIMARY", "", "AXIAL"})
	check("decimals", d.Floats(tag.PixelSpacing), []float64{0.5, 0.1})
	check("integer string", d.Ints(tag.InstanceNumber), []int64{7})
	check("a backslash in text", d.Strings(tag.TextValue), []string{` with a \ in it`})
	check("binary", d.Ints(tag.Rows), []int64{512})
	check("tag", d.Ints(tag.FrameIncrementPointer), []int64{0x00181063})
	check("padding with zero", d.String(tag.PatientID), "A1")
	check("absent", d.Strings(tag.StudyID), []string(nil))
}

func TestPersonNames(t *testing.T) {
	n := dicom.ParsePersonName("Yamada^Tarou=山田^太郎=やまだ^たろう")
	if c := dicom.ParseComponents(n.Alphabetic); n.Ideographic != "山田^太郎" || c.Family != "Yamada" || c.Given != "Tarou" {
		t.Errorf("%+v %+v", n, c)
	}
	for _, s := range []string{"A^B", "=山田", "A==C"} {
		if got := dicom.ParsePersonName(s).String(); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func FuzzCharset(f *testing.F) {
	f.Add(`\ISO 2022 IR 87`, []byte("\x1b$B;3ED\x1b(B"))
	f.Add("ISO_IR 13", []byte("\xd4"))
	f.Fuzz(func(t *testing.T, sets string, b []byte) {
		dicom.NewCharset(sets).Decode(b, true)
	})
}
