package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/jsonmodel"
	"salus/dicom/tag"
	"salus/fault"
)

const (
	typeDICOM = "application/dicom"
	typeJSON  = "application/dicom+json"
	typeXML   = "application/dicom+xml"
)

// store is Store Instances (PS3.18 §10.5).
func (s *server) store(w http.ResponseWriter, c *call) error { return s.storeAll(w, c, false) }

// replace is the reference service's upsert: instances that are there already give way.
func (s *server) replace(w http.ResponseWriter, c *call) error { return s.storeAll(w, c, true) }

func (s *server) storeAll(w http.ResponseWriter, c *call, replace bool) error {
	if !c.acceptsJSON() || len(c.Header.Values("Accept")) == 0 {
		return fault.New(fault.NotAcceptable, "Accept must name %s", typeJSON)
	}
	expires, err := s.expiry(c)
	if err != nil {
		return err
	}
	if err := s.allowTime(w); err != nil {
		return err
	}
	parts, err := s.parts(c)
	if err != nil {
		return err
	}
	defer parts.close()
	rules := archive.Rules{Partition: c.partition, Study: c.Study, Replace: replace, Strict: c.version == archive.V1, Expires: expires}
	var outcomes []archive.Outcome
	for {
		part, err := parts.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.allowTime(w); err != nil {
			return err
		}
		o, err := s.Archive.Store(c.Context(), part, rules)
		if made, ok := part.(io.Closer); ok {
			made.Close() // ends who makes it, when not all of it was read
		}
		if err != nil {
			return bodyFault(err)
		}
		outcomes = append(outcomes, o)
	}
	return c.writeOutcomes(w, outcomes)
}

// allowTime gives the next part its time: a large file may take longer than a request in general.
func (s *server) allowTime(w http.ResponseWriter) error {
	err := http.NewResponseController(w).SetReadDeadline(s.Now().Add(partTimeout))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// partTimeout is how long one part of a request may take to arrive.
const partTimeout = 30 * time.Minute

// bodyFault names what broke while a body was read.
func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.Wrap(fault.TooLarge, err, "the body is too large")
	case errors.Is(err, errCutOff):
		return fault.Wrap(fault.Invalid, err, "the body ends before its last part does (RFC 2046 §5.1.1)")
	}
	return err
}

// parts are the files of a request.
type parts struct {
	next  func() (io.Reader, error) // one after the other, and io.EOF at the end
	close func()
}

func nothing() {}

// parts reads what kind of body a request has: one file, files, or data sets and the bulk data that belongs to them.
func (s *server) parts(c *call) (parts, error) {
	kind, params, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil {
		// A type without quotes is against RFC 2045 and common.
		kind, params = looseMedia(c.Header.Get("Content-Type"))
	}
	switch {
	case kind == typeDICOM:
		return single(c.Body), nil
	case kind != "multipart/related":
		return parts{}, fault.New(fault.MediaType, "Content-Type must be %s, or multipart/related with parts of that type", typeDICOM)
	case params["boundary"] == "":
		return parts{}, fault.New(fault.MediaType, "Content-Type must name the boundary between the parts (RFC 2387)")
	}
	r := multipart.NewReader(c.Body, params["boundary"])
	switch of := params["type"]; {
	case strings.EqualFold(of, typeJSON):
		return readDataSets(r)
	case of != "" && !strings.EqualFold(of, typeDICOM):
		return parts{}, unsupportedPart()
	}
	return parts{func() (io.Reader, error) {
		p, err := nextPart(r)
		if err != nil {
			return nil, err
		}
		if kind := partType(p.Header); kind != "" && kind != typeDICOM {
			return nil, unsupportedPart()
		}
		return whole{p}, nil
	}, nothing}, nil
}

// single is a body that is one file.
func single(r io.Reader) parts {
	return parts{func() (io.Reader, error) {
		if r == nil {
			return nil, io.EOF
		}
		one := whole{r}
		r = nil
		return one, nil
	}, nothing}
}

// nextPart reads to the next part; io.EOF is the end.
func nextPart(r *multipart.Reader) (*multipart.Part, error) {
	p, err := r.NextRawPart()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(fault.Invalid, err, "the body is no multipart message with the boundary that Content-Type names (RFC 2046 §5.1)")
	}
	return p, err
}

// whole reads a part or body, of which an end before its time is the request's fault and not the file's.
type whole struct{ io.Reader }

var errCutOff = errors.New("the body was cut off")

func (w whole) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errCutOff
	}
	return n, err
}

func unsupportedPart() error {
	return fault.New(fault.MediaType, "parts must be of type %s, or %s with the bulk data that it names", typeDICOM, typeJSON)
}

// partType is the type of a part; empty when it has none, which is then the one that the request names for all.
func partType(h textproto.MIMEHeader) string {
	kind, _ := looseMedia(h.Get("Content-Type"))
	return kind
}

// looseMedia reads a media type whose parameters may have slashes without quotes.
func looseMedia(s string) (kind string, params map[string]string) {
	fields := cut(s, ';')
	params = map[string]string{}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		params[strings.ToLower(strings.TrimSpace(key))] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return strings.ToLower(strings.TrimSpace(fields[0])), params
}

// writeOutcomes answers with the Store Instances Response Module (PS3.18 §I.2).
func (c *call) writeOutcomes(w http.ResponseWriter, outcomes []archive.Outcome) error {
	if len(outcomes) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	var stored, failed []*dicom.Dataset
	warned := false
	for _, o := range outcomes {
		if o.Multiple {
			w.Header().Set("Warning", `299 `+c.Host+`: "One or more indexed Dicom tag(s) have multiple values, only first value is indexed."`)
		}
		if o.Failure != 0 {
			failed = append(failed, failure(o))
			continue
		}
		stored = append(stored, c.success(o))
		warned = warned || o.Warning != 0
	}
	d := dicom.New()
	if c.Study != "" && len(stored) > 0 {
		d.Set(dicom.Text(tag.RetrieveURL, dicom.UR, c.base+"/studies/"+c.Study))
	}
	if len(failed) > 0 {
		d.Set(dicom.Sequence(tag.FailedSOPSequence, failed...))
	}
	if len(stored) > 0 {
		d.Set(dicom.Sequence(tag.ReferencedSOPSequence, stored...))
	}
	status := http.StatusOK
	switch {
	case len(stored) == 0:
		status = http.StatusConflict
	case len(failed) > 0 || warned && c.version >= archive.V2:
		status = http.StatusAccepted
	}
	d.Inherit(dicom.NewCharset("ISO_IR 192"))
	return writeBytes(w, c, status, typeJSON, jsonmodel.Append(nil, d, jsonmodel.Options{}))
}

func failure(o archive.Outcome) *dicom.Dataset {
	d := dicom.New(dicom.Uint16(tag.FailureReason, o.Failure))
	if o.SOPClass != "" {
		d.Set(dicom.Text(tag.ReferencedSOPClassUID, dicom.UI, o.SOPClass))
	}
	if o.Instance != "" {
		d.Set(dicom.Text(tag.ReferencedSOPInstanceUID, dicom.UI, o.Instance))
	}
	if len(o.Comments) > 0 {
		d.Set(failedAttributes(o.Comments))
	}
	return d
}

func (c *call) success(o archive.Outcome) *dicom.Dataset {
	d := dicom.New(
		dicom.Text(tag.ReferencedSOPClassUID, dicom.UI, o.SOPClass),
		dicom.Text(tag.ReferencedSOPInstanceUID, dicom.UI, o.Instance),
		dicom.Text(tag.RetrieveURL, dicom.UR, c.instanceURL(o.UIDs)),
	)
	if o.Warning != 0 {
		d.Set(dicom.Uint16(tag.WarningReason, o.Warning))
	}
	if c.version >= archive.V2 {
		d.Set(failedAttributes(o.Comments))
	}
	return d
}

// expiry is when the study is to be deleted, by the reference service's headers; zero for never.
func (s *server) expiry(c *call) (time.Time, error) {
	after := c.Header.Get("msdicom-expiry-time-milliseconds")
	if after == "" {
		return time.Time{}, nil
	}
	ms, err := strconv.ParseInt(after, 10, 64)
	option, level := c.Header.Get("msdicom-expiry-option"), c.Header.Get("msdicom-expiry-level")
	switch {
	case err != nil || ms < 1 || ms > maxExpiry.Milliseconds():
		return time.Time{}, fault.New(fault.Invalid, "msdicom-expiry-time-milliseconds must be a number above 0, and not of more than 100 years")
	case option != "" && !strings.EqualFold(option, "RelativeToNow"):
		return time.Time{}, fault.New(fault.Invalid, "msdicom-expiry-option can only be RelativeToNow")
	case level != "" && !strings.EqualFold(level, "Study"):
		return time.Time{}, fault.New(fault.Invalid, "msdicom-expiry-level can only be Study")
	}
	return s.Now().Add(time.Duration(ms) * time.Millisecond), nil
}

const maxExpiry = 100 * 365 * 24 * time.Hour

func writeBytes(w http.ResponseWriter, c *call, status int, kind string, b []byte) error {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	if c.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write(b)
	return err
}
