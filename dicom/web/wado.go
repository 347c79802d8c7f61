package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/transcode"
	"salus/dicom/uid"
	"salus/fault"
)

// asStored is the transfer syntax that asks for what is stored.
const asStored = "*"

// retrieve is Retrieve Study, Series and Instance (PS3.18 §10.4).
func (s *server) retrieve(w http.ResponseWriter, c *call) error {
	read := s.Archive.Instances
	if c.original() {
		read = s.Archive.Originals
	}
	all, err := read(c.Context(), c.partition, c.UIDs)
	if err != nil {
		return err
	}
	m, err := c.chooseFile(len(all) == 1 && c.UIDs.Level() == index.Instance)
	if err != nil {
		return err
	}
	plan, err := s.plan(all, m)
	if err != nil {
		return err
	}
	if !m.multipart {
		return s.sendFile(w, c, plan[0])
	}
	out := newRelated(w, c, typeDICOM)
	for _, f := range plan {
		if err := s.sendPart(c.Context(), out, f); err != nil {
			return err
		}
	}
	return out.close()
}

// original reports whether instances are asked for as they were before they were changed in place (the reference service's header).
func (c *call) original() bool {
	return strings.EqualFold(c.Header.Get("msdicom-request-original"), "true")
}

// chooseFile chooses a form of answer for files. A single part can only be asked of one instance.
func (c *call) chooseFile(one bool) (media, error) {
	var best *media
	for _, m := range c.accepted() {
		if best != nil && (m.q < best.q || m.transferSyntax != asStored) {
			continue // a later one is better only when it takes what is stored
		}
		switch {
		case m.multipart && m.takes(typeDICOM):
		case !m.multipart && m.name == "*/*":
			// Compat: as in the reference service, all instances as they are stored.
			m.multipart, m.transferSyntax = true, asStored
		case !m.multipart && m.takes(typeDICOM) && one:
		default:
			continue
		}
		if err := checkSyntax(m.transferSyntax); err != nil {
			return m, err
		}
		best = &m
	}
	if best == nil {
		return media{}, fault.New(fault.NotAcceptable, "Accept must name %s, or multipart/related with that type", typeDICOM)
	}
	return *best, nil
}

// checkSyntax refuses a transfer syntax that is no UID of one.
func checkSyntax(s string) error {
	if s == "" || s == asStored {
		return nil
	}
	if u, ok := dicom.LookupUID(s); !ok || u.Kind != "Transfer Syntax" {
		return fault.New(fault.Invalid, "the transfer-syntax in Accept is none that PS3.6 annex A lists")
	}
	return nil
}

// sending is an instance with the transfer syntax that it is sent in.
type sending struct {
	index.Stored
	as string
}

// plan says for each instance how it is sent. What was asked for by name must be possible; without a name uncompressed data is explicit VR little
// endian and everything else as it is stored, since no viewer is helped by a refusal (PS3.18 §8.7.3).
func (s *server) plan(all []index.Stored, m media) ([]sending, error) {
	plan := make([]sending, len(all))
	for i, one := range all {
		plan[i] = sending{one, one.TransferSyntax}
		switch want := m.transferSyntax; {
		case want == asStored || want == one.TransferSyntax:
		case want == "" && transcode.Can(one.TransferSyntax, uid.ExplicitVRLittleEndian):
			plan[i].as = uid.ExplicitVRLittleEndian
		case want == "":
		case transcode.Can(one.TransferSyntax, want):
			plan[i].as = want
		default:
			return nil, fault.New(fault.NotAcceptable, "an instance in transfer syntax %s cannot be sent as %s", one.TransferSyntax, want)
		}
	}
	return plan, nil
}

func fileType(as string) string { return typeDICOM + "; transfer-syntax=" + as }

// sendFile answers with one file.
func (s *server) sendFile(w http.ResponseWriter, c *call, f sending) error {
	o, err := s.Archive.Open(c.Context(), f.Stored)
	if err != nil {
		return err
	}
	defer o.Close()
	h := w.Header()
	h.Set("Content-Type", fileType(f.as))
	if f.as == f.TransferSyntax {
		h.Set("ETag", etag(f.Watermark, 0))
		http.ServeContent(slow(w), c.Request, "", s.Now().Add(0), io.NewSectionReader(o, 0, o.Size()))
		return nil
	}
	if c.Method == http.MethodHead {
		return nil
	}
	return transcode.To(w, o, o.Size(), f.as)
}

// sendPart writes one file as a part.
func (s *server) sendPart(ctx context.Context, out *related, f sending) error {
	o, err := s.Archive.Open(ctx, f.Stored)
	if err != nil {
		return err
	}
	defer o.Close()
	if f.as == f.TransferSyntax {
		return out.part(fileType(f.as), "", io.NewSectionReader(o, 0, o.Size()))
	}
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := transcode.To(w, o, o.Size(), f.as)
		w.CloseWithError(err)
		done <- err
	}()
	err = out.part(fileType(f.as), "", r)
	r.CloseWithError(context.Canceled) // the writer ends, whatever came of the part
	if converting := <-done; err == nil {
		err = converting
	}
	return err
}

// delete takes away a study, series or instance.
func (s *server) delete(w http.ResponseWriter, c *call) error {
	if err := s.Archive.Delete(c.Context(), c.partition, c.UIDs); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// etag is of a version of an instance, or with a number of instances of what they are in.
func etag(watermark int64, instances int) string {
	if instances == 0 {
		return fmt.Sprintf(`"%d"`, watermark)
	}
	return fmt.Sprintf(`"%d-%d"`, watermark, instances)
}

// bulkdata is Retrieve Bulkdata (PS3.18 §10.4.1.1.5).
func (s *server) bulkdata(w http.ResponseWriter, c *call) error {
	one, err := s.Archive.Instance(c.Context(), c.partition, c.UIDs)
	if err != nil {
		return err
	}
	b, err := s.Archive.BulkData(c.Context(), one, c.PathValue("path"))
	if err != nil {
		return err
	}
	defer b.Close()
	const kind = "application/octet-stream"
	single, ok := c.chooseBulk(kind)
	if !ok {
		return fault.New(fault.NotAcceptable, "Accept must name %s, or multipart/related with that type", kind)
	}
	syntax := ""
	if b.Encapsulated {
		syntax = "; transfer-syntax=" + one.TransferSyntax
	}
	if !single {
		out := newRelated(w, c, kind)
		if err := out.part(kind+syntax, c.instanceURL(c.UIDs)+"/bulkdata/"+c.PathValue("path"), b); err != nil {
			return err
		}
		return out.close()
	}
	w.Header().Set("Content-Type", kind+syntax)
	w.Header().Set("Content-Length", strconv.FormatInt(b.Size, 10))
	if c.Method == http.MethodHead {
		return nil
	}
	return copyTo(w, b)
}

// chooseBulk reports whether bytes are sent as a single part, and whether they can be sent at all.
func (c *call) chooseBulk(kind string) (single, ok bool) {
	for _, m := range c.accepted() {
		if m.takes(kind) || m.name == "application/pdf" || m.takes("video/mp4") {
			return !m.multipart, true
		}
	}
	return false, false
}

// related writes a multipart/related answer (RFC 2387, PS3.18 §8.6.1.2). Its headers are sent with the first part, so that an error before is
// still an answer of its own.
type related struct {
	w     http.ResponseWriter
	head  bool // only headers are wanted
	kind  string
	begun bool
}

// boundary stands between parts. It cannot occur in what DICOM writes by chance; that it does not in one file is not known, as with every boundary
// that is chosen before the body has been read.
const boundary = "salus-5f0c1ae27f9d4ad09bb6a6b7e3f6a5d1"

func newRelated(w http.ResponseWriter, c *call, kind string) *related {
	return &related{w: w, head: c.Method == http.MethodHead, kind: kind}
}

func (r *related) begin() {
	if !r.begun {
		r.w.Header().Set("Content-Type", `multipart/related; type="`+r.kind+`"; boundary=`+boundary)
		r.w.WriteHeader(http.StatusOK)
		r.begun = true
	}
}

// part writes one part. Where it is found by itself is said when location is given.
func (r *related) part(kind, location string, body io.Reader) error {
	if r.begin(); r.head {
		return nil
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Type", kind)
	head := "\r\n--" + boundary + "\r\nContent-Type: " + kind + "\r\n"
	if location != "" {
		head += "Content-Location: " + location + "\r\n"
	}
	if _, err := io.WriteString(r.w, head+"\r\n"); err != nil {
		return err
	}
	return copyTo(r.w, body)
}

func (r *related) close() error {
	if r.begin(); r.head {
		return nil
	}
	_, err := io.WriteString(r.w, "\r\n--"+boundary+"--\r\n")
	return err
}
