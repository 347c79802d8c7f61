package rest

import (
	"bytes"
	"encoding/json"
	"net/http"

	"salus/fault"
	"salus/fhir"
)

// encode turns the JSON of a resource into the format f. It may use out for that.
func (s *server) encode(out *[]byte, f format, body []byte) ([]byte, error) {
	switch {
	case isXML(f.contentType):
		err := s.asXML(body, func(n fhir.Node) (err error) {
			*out, err = s.xml.Append(*out, n, f.pretty)
			return err
		})
		return *out, err
	case f.pretty:
		indented := bytes.NewBuffer(*out)
		if err := json.Indent(indented, body, "", "  "); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "the response is not valid JSON")
		}
		*out = indented.Bytes()
		return *out, nil
	}
	return body, nil
}

// asXML has the JSON of a response written by write.
func (s *server) asXML(body []byte, write func(fhir.Node) error) error {
	d, err := fhir.Parse(body)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the response is not valid JSON")
	}
	defer d.Release()
	if err := write(d.Root()); err != nil {
		return fault.Wrap(fault.Internal, err, "the response cannot be written as XML")
	}
	return nil
}

// newStream begins a response. XML for machines is made piece by piece.
func newStream(s *server, w http.ResponseWriter, f format) stream {
	o := stream{s: s, w: w, f: f, b: buffers.get()}
	if o.out = o.b; isXML(f.contentType) && !f.pretty {
		o.out = buffers.get()
	}
	return o
}

// piecemeal reports whether JSON becomes XML entry by entry.
func (o *stream) piecemeal() bool { return o.out != o.b }

// release gives the buffers back.
func (o *stream) release() {
	if o.piecemeal() {
		buffers.put(o.out)
	}
	buffers.put(o.b)
}

const bundleEnd = "</Bundle>"

// head writes a Bundle's XML up to its entries, of which *p.b holds the JSON without its end.
func (p *page) head() error {
	err := p.s.asXML(append(*p.b, '}'), func(n fhir.Node) (err error) {
		*p.out, err = p.s.xml.Append(*p.out, n, false)
		return err
	})
	*p.out = bytes.TrimSuffix(*p.out, []byte(bundleEnd))
	return err
}

// openXML begins an entry, whose JSON is then gathered by itself.
func (p *page) openXML() {
	if p.entries == 1 {
		p.err = p.head()
	}
	*p.b = append((*p.b)[:0], '{')
}

// closeXML ends an entry.
func (p *page) closeXML() error {
	if p.err != nil {
		return p.err
	}
	return p.s.asXML(*p.b, func(n fhir.Node) (err error) {
		*p.out, err = p.s.xml.AppendElement(*p.out, "Bundle", "entry", n)
		return err
	})
}

// finishXML ends the Bundle.
func (p *page) finishXML() error {
	if p.entries == 0 {
		p.err = p.head()
	}
	if p.err != nil {
		return p.err
	}
	*p.out = append(*p.out, bundleEnd...)
	return p.end()
}
