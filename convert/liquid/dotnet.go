package liquid

import (
	"strconv"
	"strings"
	"time"
)

// standardForms are the formats of .NET that are one letter, in the invariant culture.
var standardForms = map[string]string{
	"d": "MM/dd/yyyy", "D": "dddd, dd MMMM yyyy", "f": "dddd, dd MMMM yyyy HH:mm", "F": "dddd, dd MMMM yyyy HH:mm:ss", "g": "MM/dd/yyyy HH:mm",
	"G": "MM/dd/yyyy HH:mm:ss", "m": "MMMM dd", "M": "MMMM dd", "o": "yyyy-MM-ddTHH:mm:ss.fffffffK", "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
	"r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'", "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'", "s": "yyyy-MM-ddTHH:mm:ss", "t": "HH:mm", "T": "HH:mm:ss",
	"u": "yyyy-MM-dd HH:mm:ssZ", "y": "yyyy MMMM", "Y": "yyyy MMMM",
}

// kind says what .NET knows of the zone of a time, which is what the letter K writes.
type kind uint8

const (
	universal kind = iota
	local          // of the service's zone, or an offset
	unspecified
)

// kindOf returns the kind of an instant that a source has.
func kindOf(t time.Time) kind {
	if t.Location() == time.UTC {
		return universal
	}
	return local
}

// maxFraction is how many digits of a second .NET has.
const maxFraction = 7

// formatDotNet writes a time by a format of .NET, of one letter or a custom one; ok is false if there is no such format.
func formatDotNet(t time.Time, zoned kind, layout string) (text string, ok bool) {
	if form, known := standardForms[layout]; known {
		layout = form
	} else if len(layout) == 1 {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(layout); {
		c := layout[i]
		n := i
		for n < len(layout) && layout[n] == c {
			n++
		}
		run := n - i
		switch c {
		case 'y':
			if run <= 2 {
				b.WriteString(pad(t.Year()%100, run))
			} else {
				b.WriteString(pad(t.Year(), run))
			}
		case 'M':
			b.WriteString(choose(run, pad(int(t.Month()), run), t.Format("Jan"), t.Month().String()))
		case 'd':
			b.WriteString(choose(run, pad(t.Day(), run), t.Format("Mon"), t.Weekday().String()))
		case 'H':
			b.WriteString(pad(t.Hour(), min(run, 2)))
		case 'h':
			b.WriteString(pad((t.Hour()+11)%12+1, min(run, 2)))
		case 'm':
			b.WriteString(pad(t.Minute(), min(run, 2)))
		case 's':
			b.WriteString(pad(t.Second(), min(run, 2)))
		case 'f', 'F':
			if run > maxFraction {
				return "", false
			}
			digits := pad(t.Nanosecond(), 9)[:run]
			if c == 'F' {
				digits = strings.TrimRight(digits, "0")
				if text := b.String(); digits == "" && strings.HasSuffix(text, ".") {
					b.Reset()
					b.WriteString(text[:len(text)-1])
				}
			}
			b.WriteString(digits)
		case 't':
			b.WriteString(t.Format("PM")[:min(run, 2)])
		case 'z':
			b.WriteString(zone(t, run))
		case 'K':
			n = i + 1
			switch zoned {
			case universal:
				b.WriteByte('Z')
			case local:
				b.WriteString(t.Format("-07:00"))
			}
		case 'g':
			b.WriteString("A.D.")
		case '\'', '"':
			end := strings.IndexByte(layout[i+1:], c)
			if end < 0 {
				end = len(layout) - i - 1
			}
			b.WriteString(layout[i+1 : i+1+end])
			n = min(i+end+2, len(layout))
		case '\\':
			n = min(i+2, len(layout))
			b.WriteString(layout[i+1 : n])
		case '%':
			n = i + 1
		default:
			b.WriteString(layout[i:n])
		}
		i = n
	}
	return b.String(), true
}

func pad(n, width int) string {
	s := strconv.Itoa(n)
	if len(s) < width {
		s = strings.Repeat("0", width-len(s)) + s
	}
	return s
}

func choose(run int, number, short, long string) string {
	switch {
	case run <= 2:
		return number
	case run == 3:
		return short
	}
	return long
}

func zone(t time.Time, run int) string {
	if run >= 3 {
		return t.Format("-07:00")
	}
	s := t.Format("-07")
	if run == 1 && s[1] == '0' {
		return s[:1] + s[2:]
	}
	return s
}
