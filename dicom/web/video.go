package web

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"salus/dicom/index"
	"salus/dicom/uid"
)

// videoType is the media type of the stream in a transfer syntax of video; empty for others (PS3.18 table 8.7.3-6).
func videoType(transferSyntax string) string {
	switch {
	case strings.HasPrefix(transferSyntax, uid.MPEG2MPML), strings.HasPrefix(transferSyntax, uid.MPEG2MPHL):
		return "video/mpeg"
	case strings.HasPrefix(transferSyntax, uid.MPEG4HP41), strings.HasPrefix(transferSyntax, uid.MPEG4HP41BD),
		strings.HasPrefix(transferSyntax, uid.MPEG4HP422D), strings.HasPrefix(transferSyntax, uid.MPEG4HP423D),
		strings.HasPrefix(transferSyntax, uid.MPEG4HP42STEREO), transferSyntax == uid.HEVCMP51, transferSyntax == uid.HEVCM10P51:
		return "video/mp4"
	}
	return ""
}

// takes reports whether a media type is accepted.
func (c *call) takes(kind string) bool {
	return slices.ContainsFunc(c.accepted(), func(m media) bool { return !m.multipart && m.takes(kind) })
}

// video answers with the stream of an instance as it is stored, of which ranges can be asked for where it is one fragment.
func (s *server) video(w http.ResponseWriter, c *call, one index.Stored, kind string) error {
	b, err := s.Archive.BulkData(c.Context(), one, "7FE00010")
	if err != nil {
		return err
	}
	defer b.Close()
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("ETag", etag(one.Watermark, 0))
	if seeker, ok := b.Reader.(io.ReadSeeker); ok {
		http.ServeContent(slow(w), c.Request, "", zeroTime, seeker)
		return nil
	}
	h.Set("Content-Length", strconv.FormatInt(b.Size, 10))
	if c.Method == http.MethodHead {
		return nil
	}
	return copyTo(w, b)
}
