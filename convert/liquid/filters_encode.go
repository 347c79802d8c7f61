package liquid

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"strconv"
	"strings"
	"sync"

	"salus/convert"
)

// escapeHTML replaces what .NET replaces: the signs of HTML, the second half of Latin 1, and what UTF-16 writes as two characters.
func escapeHTML(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\'':
			b.WriteString("&#39;")
		case r >= 0xA0 && r <= 0xFF, r > 0xFFFF:
			b.WriteString("&#" + strconv.Itoa(int(r)) + ";")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// urlEncode writes a text as forms of HTML have it. Letters, digits and -_.!*() stay.
func urlEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			b.WriteByte('+')
		case c < 0x80 && (isWord(c) || strings.IndexByte("-.!*()", c) >= 0):
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

const upperHex = "0123456789ABCDEF"

// urlDecode reads what urlEncode wrote. A percent sign without two digits stays.
func urlDecode(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		} else if c == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c = byte(n)
				i += 2
			}
		}
		b = append(b, c)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func base64Decode(c *call) (convert.Value, error) {
	if c.in == nil {
		return nil, nil
	}
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, &convert.Error{Code: convert.TemplateRenderingError, Rule: "the text is not base64", Cause: err}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}

// compressors are writers that are not in use: a new one takes a megabyte.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

func compress(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// maxInflated is how many bytes a text may have that gunzip_base64_string makes.
const maxInflated = 64 << 20

func decompress(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	wrong := convert.Errorf(convert.TemplateRenderingError, "the text is not gzip in base64, or more than %d MiB", maxInflated>>20)
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, wrong
	}
	zr, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, wrong
	}
	out, err := io.ReadAll(io.LimitReader(zr, maxInflated+1))
	if err != nil || len(out) > maxInflated {
		return nil, wrong
	}
	return strings.ToValidUTF8(string(out), "\uFFFD"), nil
}
