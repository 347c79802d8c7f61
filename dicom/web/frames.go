package web

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"

	"salus/dicom/archive"
	"salus/dicom/transcode"
	"salus/dicom/uid"
	"salus/fault"
)

const typeBytes = "application/octet-stream"

// imageTypes are the media types of frames in compressed transfer syntaxes (PS3.18 table 8.7.3-2).
var imageTypes = map[string]string{
	uid.JPEGBaseline8Bit: "image/jpeg", uid.JPEGExtended12Bit: "image/jpeg", uid.JPEGLossless: "image/jpeg", uid.JPEGLosslessSV1: "image/jpeg",
	uid.RLELossless: "image/dicom-rle", uid.JPEGLSLossless: "image/jls", uid.JPEGLSNearLossless: "image/jls",
	uid.JPEG2000Lossless: "image/jp2", uid.JPEG2000: "image/jp2", uid.JPEG2000MCLossless: "image/jpx", uid.JPEG2000MC: "image/jpx",
	uid.HTJ2KLossless: "image/jphc", uid.HTJ2KLosslessRPCL: "image/jphc", uid.HTJ2K: "image/jphc",
	uid.JPEGXLLossless: "image/jxl", uid.JPEGXLJPEGRecompression: "image/jxl", uid.JPEGXL: "image/jxl",
}

// frameForm is how frames are sent.
type frameForm struct {
	single bool
	kind   string // media type of a part
	as     string // transfer syntax
}

// frames is Retrieve Frames (PS3.18 §10.4.1.1.6).
func (s *server) frames(w http.ResponseWriter, c *call) error {
	numbers, err := frameList(c.PathValue("frames"))
	if err != nil {
		return err
	}
	one, err := s.Archive.Instance(c.Context(), c.partition, c.UIDs)
	if err != nil {
		return err
	}
	f, err := s.Archive.Frames(c.Context(), one)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, n := range numbers {
		if n > f.Count() {
			return fault.New(fault.NotFound, "the instance has only %d frames", f.Count())
		}
	}
	form, err := c.chooseFrames(one.TransferSyntax, len(numbers))
	if err != nil {
		return err
	}
	tag := etag(one.Watermark, 0)
	w.Header().Set("ETag", tag)
	// An instance is replaced under a new version, and what a version has does not change.
	w.Header().Set("Cache-Control", "private, max-age=3600")
	if unchanged(c.Request, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	kind := form.kind + "; transfer-syntax=" + form.as
	if form.single {
		return c.sendFrame(w, f, numbers[0]-1, form, kind)
	}
	out := newRelated(w, c, form.kind)
	for _, n := range numbers {
		r, _, err := frameReader(f, n-1, form.as)
		if err != nil {
			return err
		}
		if err := out.part(kind, c.instanceURL(c.UIDs)+"/frames/"+strconv.Itoa(n), r); err != nil {
			return err
		}
	}
	return out.close()
}

// frameList reads numbers of frames, which count from 1.
func frameList(s string) ([]int, error) {
	var all []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return nil, fault.New(fault.Invalid, "the frames in the path are no list of numbers from 1 (PS3.18 §10.4.1.1.6)")
		}
		all = append(all, n)
	}
	return all, nil
}

// chooseFrames chooses a form of answer. Bytes are wanted as they are stored when the transfer syntax is *; without a name they are uncompressed
// where that is possible.
func (c *call) chooseFrames(stored string, count int) (frameForm, error) {
	many := false
	for _, m := range c.accepted() {
		if err := checkSyntax(m.transferSyntax); err != nil {
			return frameForm{}, err
		}
		form := frameForm{single: !m.multipart, kind: typeBytes}
		image := imageTypes[stored]
		switch {
		case m.name == "*/*" && !m.multipart:
			form.single, form.as = false, stored
		case m.takes(typeBytes):
			form.as = frameSyntax(stored, m.transferSyntax)
		case image != "" && m.takes(image) && (m.transferSyntax == "" || m.transferSyntax == asStored || m.transferSyntax == stored):
			form.kind, form.as = image, stored
		case imageTypes[m.transferSyntax] == m.name && transcode.Can(stored, m.transferSyntax):
			form.kind, form.as = m.name, m.transferSyntax
		}
		if form.as == "" {
			continue
		}
		if form.single && count > 1 {
			many = true
			continue
		}
		return form, nil
	}
	if many {
		return frameForm{}, fault.New(fault.Invalid, "several frames need multipart/related in Accept (PS3.18 §10.4.1.1.6)")
	}
	return frameForm{}, fault.New(fault.NotAcceptable, "frames in transfer syntax %s cannot be sent in a form that Accept names", stored)
}

// frameSyntax returns the transfer syntax in which bytes are sent; "" when what is wanted is not possible.
func frameSyntax(stored, want string) string {
	switch {
	case want == asStored || want == stored:
		return stored
	case want == "" && transcode.Can(stored, uid.ExplicitVRLittleEndian), want == uid.ExplicitVRLittleEndian && transcode.Can(stored, want):
		return uid.ExplicitVRLittleEndian
	case want == "":
		return stored
	case transcode.Can(stored, want):
		return want
	}
	return ""
}

// frameReader reads a frame in a transfer syntax. The size is -1 when it is not known before.
func frameReader(f *archive.Frames, i int, as string) (io.Reader, int64, error) {
	r, err := f.Frame(i)
	if err != nil || as == f.Stored.TransferSyntax || transcode.SameFrames(f.Stored.TransferSyntax, as) {
		return r, f.Size(i), err
	}
	file, err := f.File()
	if err != nil {
		return nil, 0, err
	}
	data := make([]byte, f.Size(i))
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, 0, err
	}
	out, err := transcode.Frame(file, data, as)
	return bytes.NewReader(out), int64(len(out)), err
}

// sendFrame answers with one frame, of which a range can be asked for when it is sent as it is stored.
func (c *call) sendFrame(w http.ResponseWriter, f *archive.Frames, i int, form frameForm, kind string) error {
	r, size, err := frameReader(f, i, form.as)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	if seeker, ok := r.(io.ReadSeeker); ok {
		http.ServeContent(slow(w), c.Request, "", zeroTime, seeker)
		return nil
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if c.Method == http.MethodHead {
		return nil
	}
	return copyTo(w, r)
}
