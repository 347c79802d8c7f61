package dicom

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Charset decodes the text of a data set (PS3.3 §C.12.1.1.2, PS3.5 §6.1). It is safe for concurrent use.
type Charset struct {
	whole encoding.Encoding // of everything; nil when each character has its own set by code extension
	utf8  bool
	g0    half // what bytes below 0x80 mean at the beginning of a value
	g1    half // what bytes from 0xA0 mean
	// unknown are the defined terms that no standard lists; text is read as if they were not there.
	unknown []string
}

// half is one of the two code elements of ISO/IEC 2022 that are in use at a time.
type half struct {
	width  int    // bytes of a character
	prefix []byte // put before each character for the decoder
	high   bool   // set the top bit of each byte for the decoder
	set    encoding.Encoding
}

// The code elements that Specific Character Set and escape sequences name (PS3.3 tables C.12-3 and C.12-4).
var (
	ascii     = half{width: 1}
	latin1    = half{width: 1, set: charmap.ISO8859_1}
	latin2    = half{width: 1, set: charmap.ISO8859_2}
	latin3    = half{width: 1, set: charmap.ISO8859_3}
	latin4    = half{width: 1, set: charmap.ISO8859_4}
	cyrillic  = half{width: 1, set: charmap.ISO8859_5}
	arabic    = half{width: 1, set: charmap.ISO8859_6}
	greek     = half{width: 1, set: charmap.ISO8859_7}
	hebrew    = half{width: 1, set: charmap.ISO8859_8}
	latin5    = half{width: 1, set: charmap.ISO8859_9}
	latin9    = half{width: 1, set: charmap.ISO8859_15}
	thai      = half{width: 1, set: charmap.Windows874} // equals TIS 620 in the bytes that it has
	romaji    = half{width: 1}                          // JIS X 0201: ASCII but for the yen sign and the overline
	katakana  = half{width: 1, set: japanese.ShiftJIS}
	kanji     = half{width: 2, high: true, set: japanese.EUCJP}
	kanji2    = half{width: 2, high: true, prefix: []byte{0x8F}, set: japanese.EUCJP}
	hangul    = half{width: 2, set: korean.EUCKR}
	hanzi     = half{width: 2, set: simplifiedchinese.GBK} // GB 2312 is its older part
	bySetName = map[string][2]half{
		"6": {ascii, {}}, "100": {ascii, latin1}, "101": {ascii, latin2}, "109": {ascii, latin3}, "110": {ascii, latin4},
		"144": {ascii, cyrillic}, "127": {ascii, arabic}, "126": {ascii, greek}, "138": {ascii, hebrew}, "148": {ascii, latin5},
		"203": {ascii, latin9}, "166": {ascii, thai}, "13": {romaji, katakana},
		// Sets that begin with an escape sequence leave both halves as they are.
		"87": {ascii, {}}, "159": {ascii, {}}, "149": {ascii, {}}, "58": {ascii, {}},
	}
	escapes = []struct {
		sequence string
		high     bool
		half     half
	}{
		{"(B", false, ascii}, {"(J", false, romaji}, {")I", true, katakana},
		{"-A", true, latin1}, {"-B", true, latin2}, {"-C", true, latin3}, {"-D", true, latin4}, {"-L", true, cyrillic},
		{"-G", true, arabic}, {"-F", true, greek}, {"-H", true, hebrew}, {"-M", true, latin5}, {"-b", true, latin9}, {"-T", true, thai},
		{"$B", false, kanji}, {"$@", false, kanji}, {"$(D", false, kanji2}, {"$)C", true, hangul}, {"$)A", true, hanzi},
	}
)

var (
	defaultCharset = &Charset{g0: ascii}
	utf8Charset    = &Charset{utf8: true}
)

// NewCharset makes the decoder for the values of Specific Character Set. Without values it is the default repertoire; bytes that this
// does not have are then read as UTF-8 where they are that, and as Latin-1 where not, for that is what careless senders mean.
func NewCharset(names ...string) *Charset {
	if len(names) == 0 {
		return defaultCharset
	}
	c := &Charset{g0: ascii}
	for i, name := range names {
		name = strings.ToUpper(strings.TrimSpace(name))
		switch name {
		case "":
			continue
		case "ISO_IR 192", "ISO-IR 192", "ISO 2022 IR 192", "UTF-8", "UTF8":
			return utf8Charset
		case "GB18030":
			return &Charset{whole: simplifiedchinese.GB18030}
		case "GBK":
			return &Charset{whole: simplifiedchinese.GBK}
		}
		halves, ok := bySetName[setNumber(name)]
		if !ok {
			c.unknown = append(c.unknown, name)
			continue
		}
		if i == 0 {
			c.g0, c.g1 = halves[0], halves[1]
		}
	}
	return c
}

// setNumber returns the registration number in a defined term, in the spellings that are met: ISO_IR 100, ISO-IR 100, ISO IR 100,
// ISO 2022 IR 100, ISO 2022-100.
func setNumber(name string) string {
	rest, found := strings.CutPrefix(name, "ISO")
	if !found {
		return ""
	}
	if i := strings.LastIndexAny(rest, " _-R"); i >= 0 {
		return rest[i+1:]
	}
	return ""
}

// Unknown returns the defined terms that are not of the standard.
func (c *Charset) Unknown() []string { return c.unknown }

// UTF8 reports whether text is UTF-8 as it stands.
func (c *Charset) UTF8() bool { return c.utf8 }

// Decode returns text as UTF-8. Bytes that mean nothing become U+FFFD. Name says that the text is a person name, in which code extension
// ends at ^ and = as well (PS3.5 §6.1.2.5.3).
func (c *Charset) Decode(b []byte, name bool) string {
	switch {
	case plain(b):
		return string(b)
	case c.utf8:
		return strings.ToValidUTF8(string(b), "\uFFFD")
	case c.whole != nil:
		return decode(c.whole, b)
	case c == defaultCharset && utf8.Valid(b) && !hasEscape(b):
		return string(b)
	}
	return c.extended(b, name)
}

// plain reports whether bytes mean the same in each set that begins with ASCII.
func plain(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf || c == 0x1B {
			return false
		}
	}
	return true
}

func hasEscape(b []byte) bool {
	for _, c := range b {
		if c == 0x1B {
			return true
		}
	}
	return false
}

func decode(e encoding.Encoding, b []byte) string {
	s, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return "\uFFFD"
	}
	return string(s)
}

// extended reads text with code extension (PS3.5 §6.1.2.5): each half means what was designated last, and both return to the
// beginning at the end of a line, a value or a name's component.
func (c *Charset) extended(b []byte, name bool) string {
	var out strings.Builder
	low, high := c.g0, c.g1
	for len(b) > 0 {
		if b[0] == 0x1B {
			n, h, top := designation(b[1:])
			switch {
			case n == 0:
				out.WriteRune(utf8.RuneError)
			case top:
				high = h
			default:
				low = h
			}
			b = b[1+n:]
			continue
		}
		h := low
		if b[0] >= utf8.RuneSelf {
			h = high
			if h.width == 0 {
				h = latin1 // nothing was designated: what careless senders mean
			}
		} else if h.width == 1 && ends(b[0], name) {
			low, high = c.g0, c.g1
		}
		// Controls and spaces are single bytes also within sets of two.
		n := h.width
		if b[0] <= ' ' || n > len(b) {
			n = 1
		}
		h.write(&out, b[:n])
		b = b[n:]
	}
	return out.String()
}

// ends reports whether a character ends what code extension designated.
func ends(c byte, name bool) bool {
	switch c {
	case '\\', '\r', '\n', '\f', '\t':
		return true
	case '^', '=':
		return name
	}
	return false
}

// designation reads what follows an escape character: its length, and the half that it designates. The length is 0 when it is unknown.
func designation(b []byte) (n int, h half, high bool) {
	for _, e := range escapes {
		if len(b) >= len(e.sequence) && string(b[:len(e.sequence)]) == e.sequence {
			return len(e.sequence), e.half, e.high
		}
	}
	return 0, half{}, false
}

func (h half) write(out *strings.Builder, b []byte) {
	if h.set == nil || len(b) < h.width || b[0] <= ' ' {
		if b[0] >= utf8.RuneSelf {
			out.WriteRune(utf8.RuneError)
			return
		}
		out.Write(b)
		return
	}
	var coded [3]byte
	n := copy(coded[:], h.prefix)
	n += copy(coded[n:], b)
	if h.high {
		for i := len(h.prefix); i < n; i++ {
			coded[i] |= 0x80
		}
	}
	out.WriteString(decode(h.set, coded[:n]))
}
