package web_test

import (
	"bytes"
	stdimage "image"
	_ "image/jpeg"
	_ "image/png"
	"slices"
	"testing"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/dicom/uid"
)

const wide = "/v2/studies/1.1/series/1.1.1/instances/1.1.1.1"

// picture decodes a picture.
func (a answer) picture(t *testing.T) (img stdimage.Image, format string) {
	t.Helper()
	img, format, err := stdimage.Decode(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return img, format
}

// greys are the values of a picture, row by row.
func greys(img stdimage.Image) (all []byte) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, _, _, _ := img.At(x, y).RGBA()
			all = append(all, byte(r>>8))
		}
	}
	return all
}

func TestRendered(t *testing.T) {
	s := start(t, false)
	s.fill()
	for _, c := range []struct {
		name, path, accept string
		want               []byte
	}{
		{"from the smallest to the largest value", wide + "/rendered", "image/png", []byte{0, 85, 170, 255}},
		{"another frame", wide + "/frames/2/rendered", "image/png", []byte{0, 85, 170, 255}},
		{"a window of half of them", wide + "/rendered?window=2,2,linear-exact", "image/png", []byte{0, 128, 255, 255}},
		{"a linear window", wide + "/rendered?window=2.5,4,linear", "image/png", []byte{43, 128, 212, 255}},
		{"a part", wide + "/rendered?viewport=2,1,0,1,2,1", "image/png", []byte{170, 255}},
		{"a part to the edge", wide + "/rendered?viewport=1,1,1,1,,", "image/png", []byte{255}},
		{"mirrored", wide + "/rendered?viewport=2,2,0,0,-2,-2", "image/png", []byte{255, 170, 85, 0}},
		{"by the query's accept", wide + "/rendered?accept=image/png", "text/html", []byte{0, 85, 170, 255}},
		{"the URI service", "/v2/wado?requestType=WADO&studyUID=1.1&seriesUID=1.1.1&objectUID=1.1.1.1&contentType=image/png&frameNumber=2", "*/*", []byte{0, 85, 170, 255}},
		{"a region of the URI service",
			"/v2/wado?requestType=WADO&studyUID=1.1&seriesUID=1.1.1&objectUID=1.1.1.1&contentType=image%2Fpng&region=0.5,0,1,1&windowCenter=2&windowWidth=2", "*/*",
			[]byte{255, 255}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.do("GET", c.path, nil, "Accept", c.accept).want(t, 200)
			if got := a.Header.Get("Content-Type"); got != "image/png" {
				t.Errorf("type %s", got)
			}
			if img, _ := a.picture(t); !slices.Equal(greys(img), c.want) {
				t.Errorf("%v, want %v", greys(img), c.want)
			}
		})
	}
}

func TestFormsOfPictures(t *testing.T) {
	s := start(t, false)
	s.fill()
	for _, c := range []struct {
		name, path, accept string
		status             int
		kind               string
		parts              int // 0 for a single one
	}{
		{"JPEG when anything will do", wide + "/rendered", "*/*", 200, "image/jpeg", 0},
		{"the better of two", wide + "/rendered", "image/jpeg;q=0.5, image/png", 200, "image/png", 0},
		{"as browsers ask", wide + "/rendered", "image/avif,image/webp,image/*,*/*;q=0.8", 200, "image/jpeg", 0},
		{"all frames of an instance", wide + "/rendered", `multipart/related; type="image/jpeg"`, 200, "image/jpeg", 2},
		{"a list of frames", wide + "/frames/2,1/rendered", "*/*", 200, "image/jpeg", 2},
		{"a series", "/v2/studies/1.1/series/1.1.1/rendered", "*/*", 200, "image/jpeg", 4},
		{"a study as PNG", "/v2/studies/1.1/rendered", "multipart/related; type=image/png", 200, "image/png", 4},
		{"a study as one picture", "/v2/studies/1.1/rendered", "image/jpeg", 406, "", 0},
		{"a form that there is not", wide + "/rendered", "image/gif", 406, "", 0},
		{"a thumbnail of a study", "/v2/studies/1.1/thumbnail", "image/jpeg", 200, "image/jpeg", 0},
		{"of a series", "/v2/studies/1.1/series/1.1.1/thumbnail", "*/*", 200, "image/jpeg", 0},
		{"of an instance", wide + "/thumbnail", "image/png", 200, "image/png", 0},
		{"of a frame", wide + "/frames/2/thumbnail?viewport=64,64", "*/*", 200, "image/jpeg", 0},
		{"quality 0", wide + "/rendered?quality=0", "*/*", 400, "", 0},
		{"quality 101", wide + "/rendered?quality=101", "*/*", 400, "", 0},
		{"no number of quality", wide + "/rendered?quality=best", "*/*", 400, "", 0},
		{"half a viewport", wide + "/rendered?viewport=5", "*/*", 400, "", 0},
		{"a viewport of nothing", wide + "/rendered?viewport=0,4", "*/*", 400, "", 0},
		{"a viewport beyond the image", wide + "/rendered?viewport=5,5,0,0,3,3", "*/*", 400, "", 0},
		{"a window without width", wide + "/rendered?window=5", "*/*", 400, "", 0},
		{"a window of width 0", wide + "/rendered?window=5,0", "*/*", 400, "", 0},
		{"a window that is no number", wide + "/rendered?window=NaN,1", "*/*", 400, "", 0},
		{"a shape that there is not", wide + "/rendered?window=5,1,cubic", "*/*", 400, "", 0},
		{"notes", wide + "/rendered?annotation=patient,technique&viewport=128,128", "*/*", 200, "image/jpeg", 0},
		{"notes of other things", wide + "/rendered?annotation=weather", "*/*", 400, "", 0},
		{"a profile", wide + "/rendered?iccprofile=srgb", "*/*", 400, "", 0},
		{"a frame that there is not", wide + "/frames/3/rendered", "*/*", 404, "", 0},
		{"frame 0", wide + "/frames/0/rendered", "*/*", 400, "", 0},
		{"an instance that there is not", "/v2/studies/1.1/series/1.1.1/instances/9/rendered", "*/*", 404, "", 0},
		{"the URI service's file", "/v2/wado?requestType=WADO&studyUID=1.1&seriesUID=1.1.1&objectUID=1.1.1.1&contentType=application/dicom", "*/*", 200,
			"application/dicom; transfer-syntax=1.2.840.10008.1.2.1", 0},
		{"without what it is", "/v2/wado?studyUID=1.1&seriesUID=1.1.1&objectUID=1.1.1.1", "*/*", 400, "", 0},
		{"without an instance", "/v2/wado?requestType=WADO&studyUID=1.1&seriesUID=1.1.1", "*/*", 400, "", 0},
		{"without names", "/v2/wado?requestType=WADO&studyUID=1.1&seriesUID=1.1.1&objectUID=1.1.1.1&anonymize=yes", "*/*", 501, "", 0},
		{"as text", "/v2/wado?requestType=WADO&studyUID=1.1&seriesUID=1.1.1&objectUID=1.1.1.1&contentType=text/html", "*/*", 406, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.do("GET", c.path, nil, "Accept", c.accept).want(t, c.status)
			if c.status != 200 {
				return
			}
			types := []string{a.Header.Get("Content-Type")}
			if c.parts > 0 {
				_, types = a.parts(t)
			}
			if types[0] != c.kind || len(types) != max(c.parts, 1) {
				t.Errorf("%d of type %v", len(types), types)
			}
		})
	}
}

func TestPicturesAreKept(t *testing.T) {
	s := start(t, false)
	s.fill()
	a := s.do("GET", wide+"/rendered", nil, "Accept", "image/png").want(t, 200)
	s.do("GET", wide+"/rendered", nil, "Accept", "image/png", "If-None-Match", a.Header.Get("ETag")).want(t, 304)
	s.do("GET", wide+"/rendered", nil, "Accept", "image/jpeg", "If-None-Match", a.Header.Get("ETag")).want(t, 200)
	head := s.do("HEAD", wide+"/rendered", nil, "Accept", "image/png").want(t, 200)
	if len(head.body) > 0 || head.ContentLength != int64(len(a.body)) {
		t.Errorf("HEAD with %d bytes and length %d", len(head.body), head.ContentLength)
	}
}

func TestKeptPicturesAreOfTheirVersion(t *testing.T) {
	s := start(t, false)
	s.fill()
	get := func(query string) []byte {
		t.Helper()
		img, _ := s.do("GET", wide+"/rendered"+query, nil, "Accept", "image/png").want(t, 200).picture(t)
		return greys(img)
	}
	plain, again, windowed, mirrored := get(""), get(""), get("?window=2,2,linear-exact"), get("?viewport=2,2,0,0,-2,2")
	if !slices.Equal(plain, again) || slices.Equal(plain, windowed) || slices.Equal(plain, mirrored) {
		t.Errorf("%v, again %v, with a window %v, mirrored %v", plain, again, windowed, mirrored)
	}
	other := image("1.1", "1.1.1", "1.1.1.1", dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: []byte{9, 0, 1, 0, 1, 0, 1, 0, 5, 0, 6, 0, 7, 0, 8, 0}})
	s.do("PUT", "/v2/studies", message(t, encode(t, other, uid.ExplicitVRLittleEndian)), "Accept", dicomJSON, "Content-Type", related).want(t, 200)
	if now := get(""); !slices.Equal(now, []byte{255, 0, 0, 0}) {
		t.Errorf("after another version came: %v", now)
	}
	s.do("DELETE", "/v2/studies/1.1", nil).want(t, 204)
	s.do("GET", wide+"/rendered", nil, "Accept", "image/png").want(t, 404)
}

func TestWhatHasNoPixelsHasNoPicture(t *testing.T) {
	s := start(t, false)
	report := image("1.1", "1.1.1", "1.1.1.1", dicom.Text(tag.SOPClassUID, dicom.UI, uid.BasicTextSRStorage))
	report.Remove(func(e *dicom.Element) bool { return e.Tag == tag.PixelData })
	s.do("POST", "/v2/studies", message(t, encode(t, report, uid.ExplicitVRLittleEndian)), "Accept", dicomJSON, "Content-Type", related).want(t, 200)
	s.do("GET", wide+"/rendered", nil, "Accept", "*/*").want(t, 404)
	s.do("GET", "/v2/studies/1.1/thumbnail", nil, "Accept", "*/*").want(t, 404)
	s.do("GET", "/v2/wado?requestType=WADO&studyUID=1.1&seriesUID=1.1.1&objectUID=1.1.1.1", nil, "Accept", "*/*").want(t, 200)
}
