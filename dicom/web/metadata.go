package web

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"salus/dicom/gzipped"
	"salus/dicom/index"
	"salus/dicom/xmlmodel"
	"salus/internal/serve"
)

// zeroTime is the time of modification that says that there is none.
var zeroTime time.Time

// metadata is Retrieve Metadata (PS3.18 §10.4.1.1.2). What is stored is sent as it is, compressed for all who take it so.
func (s *server) metadata(w http.ResponseWriter, c *call) error {
	xml, err := c.dataSets()
	if err != nil {
		return err
	}
	watermark, instances, err := s.Archive.Version(c.Context(), c.partition, c.UIDs)
	if err != nil {
		return err
	}
	if c.UIDs.Level() == index.Instance {
		instances = 0
	}
	tag := etag(watermark, instances)
	if c.original() {
		tag = `"original-` + tag[1:]
	}
	if xml {
		tag = `"xml-` + tag[1:]
	}
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache") // keep it, but ask
	h.Set("Vary", "Accept, Accept-Encoding, msdicom-request-original")
	if unchanged(c.Request, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if xml {
		return s.sendXML(w, c)
	}
	h.Set("Content-Type", typeJSON)
	if c.Method == http.MethodHead {
		return nil
	}
	if serve.AcceptsGzip(c.Request) {
		return s.sendGzip(w, c)
	}
	return s.sendPlain(w, c)
}

// unchanged reports whether If-None-Match has the tag (RFC 9110 §13.1.2), with quotes or, as clients of the reference service send it, without.
func unchanged(r *http.Request, tag string) bool {
	for _, h := range r.Header.Values("If-None-Match") {
		for one := range strings.SplitSeq(h, ",") {
			if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" || `"`+one+`"` == tag {
				return true
			}
		}
	}
	return false
}

func (s *server) sendGzip(w http.ResponseWriter, c *call) error {
	var z *gzipped.Writer
	between := []byte{'['}
	err := s.Archive.Metadata(c.Context(), c.partition, c.UIDs, c.original(), func(p index.Part) error {
		if z == nil {
			w.Header().Set("Content-Encoding", "gzip")
			z = gzipped.NewWriter(w)
		}
		z.Plain(between)
		between = []byte{','}
		return z.Piece(gzipped.Piece(p))
	})
	if err != nil {
		return err
	}
	z.Plain([]byte{']'})
	return z.Close()
}

func (s *server) sendPlain(w http.ResponseWriter, c *call) error {
	var buffer []byte
	between := byte('[')
	err := s.Archive.Metadata(c.Context(), c.partition, c.UIDs, c.original(), func(p index.Part) (err error) {
		buffer = append(buffer[:0], between)
		between = ','
		if buffer, err = gzipped.Piece(p).Inflate(buffer); err != nil {
			return err
		}
		_, err = w.Write(buffer)
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.Write([]byte{']'})
	return err
}

// sendXML sends one part for each instance.
func (s *server) sendXML(w http.ResponseWriter, c *call) error {
	out := newRelated(w, c, typeXML)
	err := s.Archive.Metadata(c.Context(), c.partition, c.UIDs, c.original(), func(p index.Part) error {
		object, err := gzipped.Piece(p).Inflate(nil)
		if err != nil {
			return err
		}
		return out.xml(object)
	})
	if err != nil {
		return err
	}
	return out.close()
}

// xml writes a data set, given as DICOM JSON, as a part.
func (r *related) xml(object []byte) error {
	b, err := xmlmodel.Append(nil, object)
	if err != nil {
		return err
	}
	return r.part(typeXML, "", bytes.NewReader(b))
}
