package liquid

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"salus/convert"
)

// patterns are the regular expressions that templates have, compiled. It has no more than maxPatterns, since they can come out of data.
var patterns struct {
	sync.RWMutex
	known map[string]*regexp.Regexp
}

const (
	maxPatterns      = 256
	maxPattern       = 1 << 10 // how long one may be that is kept
	maxPatternLength = 1 << 16 // and how long one may be at all
	maxMatched       = 4 << 20 // how long a text may be that one is applied to
)

// pattern returns a regular expression for a text, of the syntax RE2.
func pattern(s, text string) (*regexp.Regexp, error) {
	if len(text) > maxMatched || len(s) > maxPatternLength {
		return nil, convert.Errorf(convert.TemplateRenderingError, "regular expressions are for texts of at most %d MiB", maxMatched>>20)
	}
	patterns.RLock()
	re := patterns.known[s]
	patterns.RUnlock()
	if re != nil {
		return re, nil
	}
	re, err := regexp.Compile(s)
	if err != nil { // its text may be out of data, and so is left out
		return nil, convert.Errorf(convert.TemplateRenderingError, "a regular expression cannot be used (RE2 syntax)")
	}
	patterns.Lock()
	defer patterns.Unlock()
	if patterns.known == nil {
		patterns.known = map[string]*regexp.Regexp{}
	}
	if len(patterns.known) < maxPatterns && len(s) <= maxPattern {
		patterns.known[s] = re
	}
	return re, nil
}

// replace replaces what a regular expression matches.
func replace(c *call, times int) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil || s == "" {
		return c.in, err
	}
	what, ok, err := c.text(0)
	if err != nil || !ok || what == "" {
		return s, err
	}
	by, _, err := c.text(1)
	if err != nil {
		return nil, err
	}
	if regexp.QuoteMeta(what) == what && !strings.Contains(by, "$") {
		if n := strings.Count(s, what); n > 0 && n*len(by) > maxText {
			return nil, tooLong()
		}
		return strings.Replace(s, what, by, times), nil
	}
	re, err := pattern(what, s)
	if err != nil {
		return nil, err
	}
	var b []byte
	at := 0
	for _, match := range re.FindAllStringSubmatchIndex(s, times) {
		b = appendReplacement(append(b, s[at:match[0]]...), re, by, s, match)
		if at = match[1]; len(b) > maxText {
			return nil, tooLong()
		}
	}
	return string(append(b, s[at:]...)), nil
}

// appendReplacement appends a replacement of .NET: $1 and ${name} are groups, $& the match, $` and $' what is before and behind it, $_ the text,
// $+ the last group and $$ a dollar sign. A dollar sign before anything else stays.
func appendReplacement(b []byte, re *regexp.Regexp, by, s string, match []int) []byte {
	group := func(n int) []byte {
		if match[2*n] < 0 {
			return b
		}
		return append(b, s[match[2*n]:match[2*n+1]]...)
	}
	for i := 0; i < len(by); {
		if by[i] != '$' || i+1 == len(by) {
			b = append(b, by[i])
			i++
			continue
		}
		next := by[i+1]
		n, length := -1, 2
		switch {
		case next >= '0' && next <= '9':
			for length < len(by)-i && by[i+length] >= '0' && by[i+length] <= '9' {
				length++
			}
			if number, err := strconv.Atoi(by[i+1 : i+length]); err == nil && number < len(match)/2 {
				n = number
			}
		case next == '{':
			end := strings.IndexByte(by[i:], '}')
			if end < 0 {
				break
			}
			name := by[i+2 : i+end]
			if number, err := strconv.Atoi(name); err == nil && number >= 0 && number < len(match)/2 {
				n = number
			} else if number := re.SubexpIndex(name); number > 0 {
				n = number
			}
			length = end + 1
		case next == '&':
			n = 0
		case next == '+':
			n = len(match)/2 - 1
		case next == '$':
			b, i = append(b, '$'), i+2
			continue
		case next == '`':
			b, i = append(b, s[:match[0]]...), i+2
			continue
		case next == '\'':
			b, i = append(b, s[match[1]:]...), i+2
			continue
		case next == '_':
			b, i = append(b, s...), i+2
			continue
		}
		if n < 0 { // no group: the sign stays
			b = append(b, '$')
			i++
			continue
		}
		b = group(n)
		i += length
	}
	return b
}

// match returns a list with what a regular expression matches first.
func match(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	l := &convert.List{}
	if err != nil || s == "" {
		return l, err
	}
	what, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	re, err := pattern(what, s)
	if err != nil {
		return nil, err
	}
	if at := re.FindStringIndex(s); at != nil {
		l.Items = append(l.Items, s[at[0]:at[1]])
	}
	return l, nil
}
