package xmlformat

import (
	"bytes"
	"errors"
	"io"
)

// maxAttributes is how many attributes an element may have. FHIR knows three.
const maxAttributes = 100

// errCrowded says that an element has more than maxAttributes.
var errCrowded = errors.New("too many attributes")

// source hands a text to encoding/xml byte by byte and stops it from gathering
// attributes without end, which take many times the room of their text.
type source struct {
	raw        []byte
	at         int
	quiet      int  // where the comment, CDATA section or instruction ends that at is in
	tag        bool // at is in a tag
	quote      byte // that ends the value at is in, 0 outside of values
	attributes int  // of the tag, so far
}

// Read implements io.Reader, which encoding/xml asks for but does not use.
func (s *source) Read(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if b[n], err = s.ReadByte(); err == nil {
			n++
		}
	}
	return n, err
}

// ReadByte implements io.ByteReader.
func (s *source) ReadByte() (byte, error) {
	if s.at >= len(s.raw) {
		return 0, io.EOF
	}
	c := s.raw[s.at]
	s.at++
	switch {
	case s.at <= s.quiet:
	case s.quote != 0:
		if c == s.quote {
			s.quote = 0
		}
	case c == '<':
		s.tag, s.attributes = true, 0
		s.hush("!--", "-->")
		s.hush("![CDATA[", "]]>")
		s.hush("?", "?>")
	case !s.tag:
	case c == '>':
		s.tag = false
	case c == '"' || c == '\'':
		s.quote = c
	case c == '=':
		if s.attributes++; s.attributes > maxAttributes {
			return 0, errCrowded
		}
	}
	return c, nil
}

// hush passes over what begins behind a <, if it does, up to its end.
func (s *source) hush(begin, end string) {
	rest, ok := bytes.CutPrefix(s.raw[s.at:], []byte(begin))
	if !ok {
		return
	}
	s.tag, s.quiet = false, len(s.raw)
	if n := bytes.Index(rest, []byte(end)); n >= 0 {
		s.quiet = s.at + len(begin) + n + len(end)
	}
}
