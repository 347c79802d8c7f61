package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"salus/blob"
	"salus/dicom"
	"salus/dicom/archive/archivetest"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/dicom/web"
	"salus/dicom/worklist"
)

// service is a server with an empty archive.
type service struct {
	t   testing.TB
	url string
	out blob.Store // the container named out, for exports
}

func start(t testing.TB, partitions bool) *service {
	t.Helper()
	a := archivetest.Open(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { a.Run(ctx); close(ended) }()
	var h http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	h = web.New(web.Options{Archive: a.Archive, Base: func(*http.Request) string { return s.URL }, Partitions: partitions, Now: time.Now, Worklist: worklist.New(a.Index, time.Now)})
	t.Cleanup(func() {
		s.Close()
		cancel()
		<-ended
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return &service{t, s.URL, a.Out}
}

// answer is a response with its body.
type answer struct {
	*http.Response
	body []byte
}

// do sends a request; headers are pairs of name and value.
func (s *service) do(method, path string, body []byte, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	transport := http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res, b}
}

func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("status %d, want %d: %.300s", a.StatusCode, status, a.body)
	}
	return a
}

func (a answer) json(t testing.TB) (v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v in %.300s", err, a.body)
	}
	return v
}

// parts are the bodies of a multipart answer with their types.
func (a answer) parts(t testing.TB) (bodies [][]byte, types []string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || params["type"] == "" {
		t.Fatalf("content type %q: %v", a.Header.Get("Content-Type"), err)
	}
	r := multipart.NewReader(bytes.NewReader(a.body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return bodies, types
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		bodies, types = append(bodies, b), append(types, p.Header.Get("Content-Type"))
	}
}

const (
	dicomJSON = "application/dicom+json"
	related   = `multipart/related; type="application/dicom"; boundary=x`
)

func image(study, series, instance string, change ...dicom.Element) *dicom.Dataset {
	d := dicom.New(
		dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 192"),
		dicom.Text(tag.SOPClassUID, dicom.UI, uid.CTImageStorage), dicom.Text(tag.SOPInstanceUID, dicom.UI, instance),
		dicom.Text(tag.StudyInstanceUID, dicom.UI, study), dicom.Text(tag.SeriesInstanceUID, dicom.UI, series),
		dicom.Text(tag.PatientID, dicom.LO, "P-"+study), dicom.Text(tag.PatientName, dicom.PN, "Müller^Änne"), dicom.Text(tag.StudyDate, dicom.DA, "20240105"),
		dicom.Text(tag.StudyTime, dicom.TM, "101530"), dicom.Text(tag.Modality, dicom.CS, "CT"), dicom.Text(tag.InstanceNumber, dicom.IS, "7"),
		dicom.Text(tag.NumberOfFrames, dicom.IS, "2"),
		dicom.Uint16(tag.Rows, 2), dicom.Uint16(tag.Columns, 2), dicom.Uint16(tag.BitsAllocated, 16), dicom.Uint16(tag.BitsStored, 16),
		dicom.Uint16(tag.HighBit, 15), dicom.Uint16(tag.PixelRepresentation, 0),
		dicom.Uint16(tag.SamplesPerPixel, 1), dicom.Text(tag.PhotometricInterpretation, dicom.CS, "MONOCHROME2"),
		dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: []byte{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0}},
	)
	for _, e := range change {
		d.Set(e)
	}
	return d
}

func encode(t testing.TB, d *dicom.Dataset, syntax string) []byte {
	t.Helper()
	meta := dicom.New(dicom.Text(tag.TransferSyntaxUID, dicom.UI, syntax))
	part10.SetGroupLength(meta)
	var b bytes.Buffer
	if err := part10.WriteFile(&b, &part10.File{Preamble: make([]byte, 128), Meta: meta, TransferSyntax: syntax, Dataset: d}, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// message puts files into a multipart body with the boundary x.
func message(t testing.TB, files ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("x"); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/dicom"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fill stores two instances in one series and one in another study.
func (s *service) fill() {
	s.t.Helper()
	s.do("POST", "/v2/studies", message(s.t, encode(s.t, image("1.1", "1.1.1", "1.1.1.1"), uid.ExplicitVRLittleEndian),
		encode(s.t, image("1.1", "1.1.1", "1.1.1.2"), uid.ExplicitVRLittleEndian), encode(s.t, image("1.2", "1.2.1", "1.2.1.1"), uid.ExplicitVRBigEndian)),
		"Accept", dicomJSON, "Content-Type", related).want(s.t, 200)
}

func TestStore(t *testing.T) {
	good := func(n int) []byte {
		return encode(t, image("1.1", "1.2", fmt.Sprintf("1.3.%d", n)), uid.ExplicitVRLittleEndian)
	}
	bad := encode(t, image("1.1", "1.2", "1.x"), uid.ExplicitVRLittleEndian)
	for _, c := range []struct {
		name, path, accept, kind string
		body                     []byte
		status                   int
		has                      string // something in the answer
	}{
		{"one file", "/v2/studies", dicomJSON, related, message(t, good(1)), 200, `"00081199":{"vr":"SQ","Value":[{"00081150"`},
		{"one file by itself", "/v2/studies", dicomJSON, "application/dicom", good(1), 200, "00081199"},
		{"into its study", "/v2/studies/1.1", dicomJSON, related, message(t, good(1)), 200, `"00081190":{"vr":"UR","Value":["http`},
		{"into another study", "/v2/studies/1.9", dicomJSON, related, message(t, good(1)), 409, `"00081197":{"vr":"US","Value":[43264]}`},
		{"some of them bad", "/v2/studies", dicomJSON, related, message(t, good(1), bad, []byte("no DICOM")), 202, `"00081198"`},
		{"all of them bad", "/v2/studies", dicomJSON, related, message(t, bad), 409, `"00081197":{"vr":"US","Value":[43264]}`},
		{"the same twice", "/v2/studies", dicomJSON, related, message(t, good(1), good(1)), 202, `"00081197":{"vr":"US","Value":[45070]}`},
		{"a warning, version 2", "/v2/studies", dicomJSON, related, message(t, encode(t, image("1.1", "1.2", "1.3", dicom.Text(tag.StudyDate, dicom.DA, "2024")), uid.ExplicitVRLittleEndian)), 202,
			`"00741048":{"vr":"SQ","Value":[{"00000902":{"vr":"LO","Value":["DICOM100: (0008,0020) - `},
		{"an invalid date, version 1", "/v1/studies", dicomJSON, related, message(t, encode(t, image("1.1", "1.2", "1.3", dicom.Text(tag.StudyDate, dicom.DA, "2024")), uid.ExplicitVRLittleEndian)), 409, "43264"},
		{"implicit VR", "/v1/studies", dicomJSON, related, message(t, encode(t, image("1.1", "1.2", "1.3"), uid.ImplicitVRLittleEndian)), 200, `"00081196":{"vr":"US","Value":[45063]}`},
		{"no parts", "/v2/studies", dicomJSON, related, []byte("--x--\r\n"), 204, ""},
		{"an empty part", "/v2/studies", dicomJSON, related, message(t, nil), 409, `"00081197":{"vr":"US","Value":[272]}`},
		{"nothing", "/v2/studies", dicomJSON, "application/dicom", nil, 409, "272"},
		{"a study that is no UID", "/v2/studies/abc", dicomJSON, related, message(t, good(1)), 400, ""},
		{"another Accept", "/v2/studies", "application/dicom", related, message(t, good(1)), 406, ""},
		{"no Accept", "/v2/studies", "", related, message(t, good(1)), 406, ""},
		{"another type", "/v2/studies", dicomJSON, "application/json", good(1), 415, ""},
		{"parts of another type", "/v2/studies", dicomJSON, `multipart/related; type="application/dicom+json"; boundary=x`, message(t, good(1)), 415, ""},
		{"a type without quotes", "/v2/studies", dicomJSON, `multipart/related; type=application/dicom; boundary=x`, message(t, good(1)), 200, ""},
		{"no boundary", "/v2/studies", dicomJSON, `multipart/related; type="application/dicom"`, message(t, good(1)), 415, ""},
		{"cut off", "/v2/studies", dicomJSON, related, message(t, good(1))[:300], 400, ""},
		{"too large", "/v2/studies", dicomJSON, related, message(t, encode(t, image("1.1", "1.2", "1.3", dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: make([]byte, 2<<20)}), uid.ExplicitVRLittleEndian)), 413, ""},
		{"no such version", "/v3/studies", dicomJSON, related, message(t, good(1)), 404, ""},
		{"a partition where there are none", "/v2/partitions/a/studies", dicomJSON, related, message(t, good(1)), 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, false)
			headers := []string{"Content-Type", c.kind}
			if c.accept != "" {
				headers = append(headers, "Accept", c.accept)
			}
			a := s.do("POST", c.path, c.body, headers...).want(t, c.status)
			if !strings.Contains(string(a.body), c.has) {
				t.Errorf("no %s in %s", c.has, a.body)
			}
			if c.status == 200 && a.Header.Get("Content-Type") != dicomJSON {
				t.Errorf("type %s", a.Header.Get("Content-Type"))
			}
		})
	}
}

func TestPutReplaces(t *testing.T) {
	s := start(t, false)
	s.fill()
	data := encode(t, image("1.1", "1.1.1", "1.1.1.1", dicom.Text(tag.PatientName, dicom.PN, "New^Name")), uid.ExplicitVRLittleEndian)
	s.do("POST", "/v2/studies", data, "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 409)
	s.do("PUT", "/v2/studies", data, "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 200)
	if a := s.do("GET", "/v2/studies/1.1/series/1.1.1/instances/1.1.1.1/metadata", nil); !strings.Contains(string(a.body), "New^Name") {
		t.Errorf("%s", a.body)
	}
	feed := s.do("GET", "/v2/changefeed?includemetadata=false", nil).want(t, 200).json(t).([]any)
	if got := fmt.Sprint(feed[0].(map[string]any)["state"], feed[3].(map[string]any)["action"]); len(feed) != 4 || got != "ReplacedUpdate" {
		t.Errorf("%d entries: %s", len(feed), got)
	}
}

func TestRetrieve(t *testing.T) {
	s := start(t, false)
	s.fill()
	s.do("POST", "/v2/studies", encode(t, image("1.3", "1.3.1", "1.3.1.1"), uid.JPEG2000Lossless), "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 200)
	const one = "/v2/studies/1.1/series/1.1.1/instances/1.1.1.1"
	for _, c := range []struct {
		name, path, accept string
		status, parts      int
		kind               string // of the answer or its parts
	}{
		{"a study", "/v2/studies/1.1", `multipart/related; type="application/dicom"; transfer-syntax=*`, 200, 2, "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"},
		{"a series", "/v2/studies/1.1/series/1.1.1", `multipart/related; type="application/dicom"`, 200, 2, "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"},
		{"without quotes", "/v2/studies/1.1", `multipart/related; type=application/dicom; transfer-syntax=*`, 200, 2, ""},
		{"whatever there is", "/v2/studies/1.1", "*/*", 200, 2, ""},
		{"the second of a list", "/v2/studies/1.1", `text/html, multipart/related; type="application/dicom"`, 200, 2, ""},
		{"a study as one part", "/v2/studies/1.1", "application/dicom", 406, 0, ""},
		{"another type", "/v2/studies/1.1", "text/html", 406, 0, ""},
		{"an instance", one, "application/dicom", 200, 0, "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"},
		{"an instance in a message", one, `multipart/related; type="application/dicom"`, 200, 1, ""},
		{"big endian becomes little endian", "/v2/studies/1.2/series/1.2.1/instances/1.2.1.1", "application/dicom", 200, 0, "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"},
		{"big endian as it is", "/v2/studies/1.2/series/1.2.1/instances/1.2.1.1", "application/dicom; transfer-syntax=*", 200, 0, "application/dicom; transfer-syntax=1.2.840.10008.1.2.2"},
		{"what cannot be decoded, unasked", "/v2/studies/1.3/series/1.3.1/instances/1.3.1.1", "application/dicom", 200, 0, "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90"},
		{"what cannot be decoded, by name", "/v2/studies/1.3/series/1.3.1/instances/1.3.1.1", "application/dicom; transfer-syntax=1.2.840.10008.1.2.1", 406, 0, ""},
		{"a transfer syntax that is none", one, "application/dicom; transfer-syntax=1.2.3", 400, 0, ""},
		{"one that is not supported", one, "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.100", 406, 0, ""},
		{"no such study", "/v2/studies/9.9", "*/*", 404, 0, ""},
		{"no such instance", "/v2/studies/1.1/series/1.1.1/instances/9.9", "application/dicom", 404, 0, ""},
		{"no UID", "/v2/studies/x", "*/*", 400, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.do("GET", c.path, nil, "Accept", c.accept).want(t, c.status)
			if c.status != 200 {
				return
			}
			if c.parts == 0 {
				if got := a.Header.Get("Content-Type"); got != c.kind {
					t.Errorf("type %s", got)
				}
				if f, err := part10.Read(bytes.NewReader(a.body), part10.Options{}); err != nil || !strings.HasSuffix(c.kind, f.TransferSyntax) {
					t.Errorf("the file: %v", err)
				}
				return
			}
			bodies, types := a.parts(t)
			if len(bodies) != c.parts || c.kind != "" && types[0] != c.kind {
				t.Errorf("%d parts of type %v", len(bodies), types)
			}
			for _, b := range bodies {
				if _, err := part10.Read(bytes.NewReader(b), part10.Options{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if a := s.do("GET", one, nil, "Accept", "application/dicom", "Range", "bytes=128-131").want(t, 206); string(a.body) != "DICM" {
		t.Errorf("range %q", a.body)
	}
}

func TestFrames(t *testing.T) {
	s := start(t, false)
	s.fill()
	const one, big = "/v2/studies/1.1/series/1.1.1/instances/1.1.1.1/frames/", "/v2/studies/1.2/series/1.2.1/instances/1.2.1.1/frames/"
	first, second := []byte{1, 0, 2, 0, 3, 0, 4, 0}, []byte{5, 0, 6, 0, 7, 0, 8, 0}
	for _, c := range []struct {
		name, path, accept string
		status             int
		kind               string
		frames             [][]byte
	}{
		{"as viewers ask", one + "1", `multipart/related; type=application/octet-stream; transfer-syntax=*`, 200, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", [][]byte{first}},
		{"two", one + "2,1", `multipart/related; type="application/octet-stream"`, 200, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", [][]byte{second, first}},
		{"big endian as bytes of little endian", big + "1", `multipart/related; type="application/octet-stream"`, 200, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", [][]byte{first}},
		{"whatever there is", one + "1", "*/*", 200, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", [][]byte{first}},
		{"two as one part", one + "1,2", "application/octet-stream", 400, "", nil},
		{"none of that number", one + "3", "*/*", 404, "", nil},
		{"zero", one + "0", "*/*", 400, "", nil},
		{"no number", one + "x", "*/*", 400, "", nil},
		{"a form that it has not", one + "1", `multipart/related; type="image/jp2"`, 406, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.do("GET", c.path, nil, "Accept", c.accept).want(t, c.status)
			if c.status != 200 {
				return
			}
			bodies, types := a.parts(t)
			if types[0] != c.kind || len(bodies) != len(c.frames) {
				t.Fatalf("%d parts of type %v", len(bodies), types)
			}
			for i := range bodies {
				if !bytes.Equal(bodies[i], c.frames[i]) {
					t.Errorf("frame %d is %v", i, bodies[i])
				}
			}
		})
	}
	a := s.do("GET", one+"2", nil, "Accept", "application/octet-stream; transfer-syntax=*").want(t, 200)
	if !bytes.Equal(a.body, second) || a.Header.Get("ETag") == "" {
		t.Errorf("one part: %v", a.body)
	}
	s.do("GET", one+"2", nil, "Accept", "*/*", "If-None-Match", a.Header.Get("ETag")).want(t, 304)
	bulk := s.do("GET", strings.TrimSuffix(one, "frames/")+"bulkdata/7FE00010", nil, "Accept", "application/octet-stream").want(t, 200)
	if !bytes.Equal(bulk.body, append(bytes.Clone(first), second...)) {
		t.Errorf("bulk data %v", bulk.body)
	}
	s.do("GET", strings.TrimSuffix(one, "frames/")+"bulkdata/00100010", nil, "Accept", "*/*").want(t, 200)
	s.do("GET", strings.TrimSuffix(one, "frames/")+"bulkdata/00100099", nil, "Accept", "*/*").want(t, 404)
}

func TestMetadata(t *testing.T) {
	s := start(t, false)
	s.fill()
	plain := s.do("GET", "/v2/studies/1.1/metadata", nil, "Accept", dicomJSON).want(t, 200)
	all := plain.json(t).([]any)
	first := all[0].(map[string]any)
	if len(all) != 2 || first["00100010"] == nil || first["00020010"] != nil || !strings.Contains(fmt.Sprint(first["7FE00010"]), "BulkDataURI") {
		t.Fatalf("%s", plain.body)
	}
	zipped := s.do("GET", "/v2/studies/1.1/metadata", nil, "Accept", dicomJSON, "Accept-Encoding", "gzip").want(t, 200)
	if zipped.Header.Get("Content-Encoding") != "gzip" || !bytes.Equal(gunzip(t, zipped.body), plain.body) {
		t.Error("gzip gives something else")
	}
	etag := plain.Header.Get("ETag")
	s.do("GET", "/v2/studies/1.1/metadata", nil, "Accept", dicomJSON, "If-None-Match", etag).want(t, 304)
	s.do("GET", "/v2/studies/1.1/metadata", nil, "Accept", dicomJSON, "If-None-Match", strings.Trim(etag, `"`)).want(t, 304)
	s.do("DELETE", "/v2/studies/1.1/series/1.1.1/instances/1.1.1.2", nil).want(t, 204)
	s.do("GET", "/v2/studies/1.1/metadata", nil, "Accept", dicomJSON, "If-None-Match", etag).want(t, 200)
	s.do("GET", "/v2/studies/1.1/metadata", nil, "Accept", "text/html").want(t, 406)
	s.do("GET", "/v2/studies/7.7/metadata", nil, "Accept", dicomJSON).want(t, 404)
}

func TestDataSetsAsXML(t *testing.T) {
	s := start(t, false)
	s.fill()
	for path, n := range map[string]int{"/v2/studies/1.1/metadata": 2, "/v2/studies/1.1/series/1.1.1/instances/1.1.1.1/metadata": 1, "/v2/studies": 2} {
		parts, types := s.do("GET", path, nil, "Accept", `multipart/related; type="application/dicom+xml"`).want(t, 200).parts(t)
		if len(parts) != n || types[0] != "application/dicom+xml" || !strings.Contains(string(parts[0]), "<FamilyName>Müller</FamilyName>") {
			t.Errorf("%s: %d parts of type %v: %.300s", path, len(parts), types, parts[0])
		}
	}
	s.do("GET", "/v2/studies/1.1/metadata", nil, "Accept", "application/dicom+xml").want(t, 406)
	s.do("GET", "/v2/studies", nil, "Accept", "text/html").want(t, 406)
	json := s.do("GET", "/v2/studies", nil, "Accept", `multipart/related; type="application/dicom+xml"; q=0.5, application/dicom+json`).want(t, 200)
	if json.Header.Get("Content-Type") != dicomJSON {
		t.Errorf("type %s", json.Header.Get("Content-Type"))
	}
}

func TestDelete(t *testing.T) {
	s := start(t, false)
	s.fill()
	s.do("DELETE", "/v2/studies/1.1/series/1.1.1", nil).want(t, 204)
	s.do("DELETE", "/v2/studies/1.1/series/1.1.1", nil).want(t, 404)
	s.do("GET", "/v2/studies/1.1", nil, "Accept", "*/*").want(t, 404)
	s.do("GET", "/v2/studies/1.2", nil, "Accept", "*/*").want(t, 200)
	s.do("DELETE", "/v2/studies/x", nil).want(t, 400)
	s.do("DELETE", "/v2/studies", nil).want(t, 405)
}

func TestSearch(t *testing.T) {
	s := start(t, false)
	s.fill()
	for _, c := range []struct {
		query  string
		status int
		found  int
	}{
		{"/v2/studies", 200, 2},
		{"/v2/studies?PatientID=P-1.1", 200, 1},
		{"/v2/studies?00100020=P-1.1&StudyDate=20240101-20241231", 200, 1},
		{"/v2/studies?PatientName=m%C3%BCller^anne", 200, 2},
		{"/v2/studies?PatientName=*ller*", 200, 2},
		{"/v2/studies?PatientName=ann&fuzzymatching=true", 200, 2},
		{"/v2/studies?PatientName=*", 200, 2},
		{"/v2/studies?StudyInstanceUID=1.1,1.2", 200, 2},
		{"/v2/studies?StudyInstanceUID=1.1%5C1.9", 200, 1},
		{"/v2/studies?StudyTime=1015", 200, 2},
		{"/v2/studies?StudyTime=1016-", 204, 0},
		{"/v2/studies?StudyDate=-20240105&ModalitiesInStudy=CT", 200, 2},
		{"/v2/studies?limit=1", 200, 1},
		{"/v2/studies?offset=2", 204, 0},
		{"/v2/studies?PatientID=none", 204, 0},
		{"/v2/studies?limit=101&offset=0&fuzzymatching=true&includefield=00081030,00080060,00080090,00100030", 200, 2},
		{"/v2/series?Modality=CT", 200, 2},
		{"/v2/instances?PatientID=P-1.1&InstanceNumber=7", 200, 2},
		{"/v2/studies/1.1/series", 200, 1},
		{"/v2/studies/1.1/instances", 200, 2},
		{"/v2/studies/1.1/series/1.1.1/instances?SOPInstanceUID=1.1.1.2", 200, 1},
		{"/v2/studies?Modality=CT", 400, 0},
		{"/v2/studies?PatientID=", 400, 0},
		{"/v2/studies?PatientID=a&00100020=b", 400, 0},
		{"/v2/studies?PatientID=a&PatientID=b", 400, 0},
		{"/v2/studies?foo=bar", 400, 0},
		{"/v2/studies?PatientWeight=80", 400, 0},
		{"/v2/studies?StudyDate=-", 400, 0},
		{"/v2/studies?StudyDate=20240201-20240101", 400, 0},
		{"/v2/studies?StudyDate=yesterday", 400, 0},
		{"/v2/studies?limit=0", 400, 0},
		{"/v2/studies?offset=-1", 400, 0},
		{"/v2/studies?includefield=nothing", 400, 0},
		{"/v2/studies?fuzzymatching=perhaps", 400, 0},
		{"/v2/studies/1.1/series?StudyInstanceUID=1.1", 400, 0},
	} {
		a := s.do("GET", c.query, nil, "Accept", dicomJSON).want(t, c.status)
		if c.status != a.StatusCode {
			t.Error(c.query)
		} else if c.status == 200 {
			if got := len(a.json(t).([]any)); got != c.found {
				t.Errorf("%s found %d, want %d", c.query, got, c.found)
			}
		}
	}
	s.do("GET", "/v2/studies", nil, "Accept", "application/dicom").want(t, 406)
	row := s.do("GET", "/v2/studies?PatientID=P-1.1&includefield=ModalitiesInStudy&includefield=NumberOfStudyRelatedInstances", nil, "Accept", dicomJSON).json(t).([]any)[0]
	if got := fmt.Sprint(row.(map[string]any)["00201208"], row.(map[string]any)["00080061"]); got != "map[Value:[2] vr:IS] map[Value:[CT] vr:CS]" {
		t.Error(got)
	}
}

func TestChangeFeed(t *testing.T) {
	s := start(t, false)
	s.do("GET", "/v2/changefeed/latest", nil).want(t, 204)
	if a := s.do("GET", "/v2/changefeed", nil).want(t, 200); string(a.body) != "[]" {
		t.Errorf("%s", a.body)
	}
	s.fill()
	s.do("DELETE", "/v2/studies/1.2", nil).want(t, 204)
	all := s.do("GET", "/v2/changefeed", nil).want(t, 200).json(t).([]any)
	if len(all) != 4 {
		t.Fatalf("%d entries", len(all))
	}
	first, third, last := all[0].(map[string]any), all[2].(map[string]any), all[3].(map[string]any)
	if first["state"] != "Current" || first["metadata"] == nil || third["state"] != "Deleted" || third["metadata"] != nil ||
		last["action"] != "Delete" || last["sopInstanceUid"] != "1.2.1.1" || first["sequence"] != 1.0 {
		t.Errorf("%v\n%v\n%v", first["state"], third, last)
	}
	if got := s.do("GET", "/v1/changefeed?offset=1&limit=2&includemetadata=false", nil).json(t).([]any); len(got) != 2 || got[0].(map[string]any)["sequence"] != 2.0 {
		t.Errorf("version 1: %v", got)
	}
	if got := s.do("GET", "/v2/changefeed/latest?includemetadata=false", nil).want(t, 200).json(t).(map[string]any); got["sequence"] != 4.0 {
		t.Errorf("latest: %v", got)
	}
	if got := s.do("GET", "/v2/changefeed?startTime=2000-01-01T00:00:00Z&endTime=2001-01-01T00:00:00Z", nil).want(t, 200); string(got.body) != "[]" {
		t.Errorf("%s", got.body)
	}
	for _, q := range []string{"/v1/changefeed?limit=101", "/v2/changefeed?limit=201", "/v2/changefeed?limit=0", "/v2/changefeed?offset=-1",
		"/v2/changefeed?startTime=2024-01-01T00:00:00", "/v2/changefeed?startTime=2024-01-02T00:00:00Z&endTime=2024-01-01T00:00:00Z", "/v2/changefeed?includemetadata=x"} {
		s.do("GET", q, nil).want(t, 400)
	}
}

func TestDescription(t *testing.T) {
	s := start(t, false)
	for _, version := range []string{"v1", "v2"} {
		a := s.do("GET", "/"+version+"/api.yaml", nil).want(t, 200)
		d := a.json(t).(map[string]any)
		paths := d["paths"].(map[string]any)
		if d["openapi"] != "3.0.3" || len(paths) < 35 || paths["/studies/{study}/series"] == nil {
			t.Errorf("%s: %d paths", version, len(paths))
		}
		for path, methods := range paths {
			for method, o := range methods.(map[string]any) {
				if o := o.(map[string]any); o["summary"] == "" || strings.Count(path, "{") > 0 && o["parameters"] == nil {
					t.Errorf("%s %s is not described: %v", method, path, o)
				}
			}
		}
	}
	divided := start(t, true).do("GET", "/v2/api.yaml", nil).want(t, 200)
	if !strings.Contains(string(divided.body), `"/partitions/{partition}/studies/{study}"`) || strings.Contains(string(divided.body), `"/studies/{study}"`) {
		t.Errorf("%.300s", divided.body)
	}
}

func TestPartitions(t *testing.T) {
	s := start(t, true)
	data := encode(t, image("1.1", "1.2", "1.3"), uid.ExplicitVRLittleEndian)
	s.do("POST", "/v2/studies", data, "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 400)
	for _, name := range []string{"north", "south"} {
		s.do("POST", "/v2/partitions/"+name+"/studies", data, "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 200)
	}
	s.do("DELETE", "/v2/partitions/north/studies/1.1", nil).want(t, 204)
	s.do("GET", "/v2/partitions/south/studies/1.1", nil, "Accept", "*/*").want(t, 200)
	s.do("GET", "/v2/partitions/west/studies", nil, "Accept", dicomJSON).want(t, 204)
	s.do("GET", "/v2/partitions/a%20b/studies", nil, "Accept", dicomJSON).want(t, 400)
	list := s.do("GET", "/v2/partitions", nil).want(t, 200).json(t).([]any)
	if len(list) != 2 || list[0].(map[string]any)["partitionName"] != "north" {
		t.Errorf("%v", list)
	}
	feed := s.do("GET", "/v2/changefeed?includemetadata=false", nil).json(t).([]any)
	if len(feed) != 3 || feed[1].(map[string]any)["partitionName"] != "south" {
		t.Errorf("%v", feed)
	}
}
