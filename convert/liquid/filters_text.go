package liquid

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"salus/convert"
	"salus/convert/jsontext"
)

func init() {
	register(map[string]filter{
		"size":                 {call: func(c *call) (convert.Value, error) { return size(c.in), nil }},
		"upcase":               onText(func(s string) convert.Value { return strings.ToUpper(s) }),
		"downcase":             onText(func(s string) convert.Value { return strings.ToLower(s) }),
		"capitalize":           onText(func(s string) convert.Value { return titled(s) }),
		"strip":                onText(func(s string) convert.Value { return strings.TrimSpace(s) }),
		"lstrip":               onText(func(s string) convert.Value { return strings.TrimLeftFunc(s, unicode.IsSpace) }),
		"rstrip":               onText(func(s string) convert.Value { return strings.TrimRightFunc(s, unicode.IsSpace) }),
		"escape":               onText(func(s string) convert.Value { return html.EscapeString(s) }),
		"h":                    onText(func(s string) convert.Value { return html.EscapeString(s) }),
		"escape_once":          onText(func(s string) convert.Value { return html.EscapeString(html.UnescapeString(s)) }),
		"url_encode":           onText(func(s string) convert.Value { return url.QueryEscape(s) }),
		"url_decode":           onText(urlDecode),
		"strip_html":           onText(func(s string) convert.Value { return htmlTags.ReplaceAllString(s, "") }),
		"strip_newlines":       onText(func(s string) convert.Value { return lineEnds.ReplaceAllString(s, "") }),
		"newline_to_br":        onText(func(s string) convert.Value { return lineEnds.ReplaceAllString(s, "<br />\n") }),
		"append":               withText(func(s, other string) (convert.Value, error) { return s + other, nil }),
		"prepend":              withText(func(s, other string) (convert.Value, error) { return other + s, nil }),
		"remove":               withText(remove),
		"remove_first":         withText(func(s, other string) (convert.Value, error) { return strings.Replace(s, other, "", 1), nil }),
		"replace":              {min: 1, max: 2, call: func(c *call) (convert.Value, error) { return replace(c, -1) }},
		"replace_first":        {min: 1, max: 2, call: func(c *call) (convert.Value, error) { return replace(c, 1) }},
		"split":                {min: 1, max: 1, call: split},
		"slice":                {min: 1, max: 2, call: slice},
		"truncate":             {max: 2, call: truncate},
		"truncate_words":       {max: 2, call: truncateWords},
		"truncatewords":        {max: 2, call: truncateWords},
		"default":              {max: 1, call: otherwise},
		"contains":             {min: 1, max: 1, call: containsText},
		"char_at":              {min: 1, max: 1, call: charAt},
		"match":                {min: 1, max: 1, call: match},
		"to_json_string":       {call: toJSON},
		"base64_encode":        onText(func(s string) convert.Value { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"base64_decode":        {call: base64Decode},
		"sha1_hash":            onText(func(s string) convert.Value { sum := sha1.Sum([]byte(s)); return hex.EncodeToString(sum[:]) }),
		"gzip":                 {call: compress},
		"gunzip_base64_string": {call: decompress},
		"escape_special_chars": onText(func(s string) convert.Value {
			return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
		}),
		"unescape_special_chars": onText(func(s string) convert.Value {
			return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s)
		}),
	})
}

var (
	htmlTags = regexp.MustCompile(`(?s)<script.*?</script>|<!--.*?-->|<style.*?</style>|<.*?>`)
	lineEnds = regexp.MustCompile(`\r?\n`)
)

func size(v convert.Value) convert.Value {
	if s, ok := v.(string); ok {
		return int64(len([]rune(s)))
	}
	if m, ok := v.(*convert.Map); ok {
		return int64(m.Len())
	}
	all, _ := items(v)
	return int64(len(all))
}

// titled makes the first letter of each word a capital.
func titled(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		if start {
			r = unicode.ToUpper(r)
		}
		start = unicode.IsSpace(r)
		b.WriteRune(r)
	}
	return b.String()
}

func urlDecode(s string) convert.Value {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}

func remove(s, other string) (convert.Value, error) {
	if other == "" {
		return nil, convert.Errorf(convert.TemplateRenderingError, "remove wants a text that is not empty")
	}
	return strings.ReplaceAll(s, other, ""), nil
}

// patterns are the regular expressions that templates have, compiled.
var patterns sync.Map // of string to *regexp.Regexp

func pattern(s string) (*regexp.Regexp, error) {
	if known, ok := patterns.Load(s); ok {
		return known.(*regexp.Regexp), nil
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, &convert.Error{Code: convert.TemplateRenderingError, Rule: "a regular expression cannot be used (RE2 syntax)", Cause: err}
	}
	patterns.Store(s, re)
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
		return strings.Replace(s, what, by, times), nil
	}
	re, err := pattern(what)
	if err != nil {
		return nil, err
	}
	if times < 0 {
		return re.ReplaceAllString(s, by), nil
	}
	at := re.FindStringSubmatchIndex(s)
	if at == nil {
		return s, nil
	}
	return s[:at[0]] + string(re.ExpandString(nil, by, s, at)) + s[at[1]:], nil
}

// split parts a text; parts that are empty are left out.
func split(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	by, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	l := &convert.List{Fixed: true}
	if strings.TrimSpace(s) == "" {
		l.Items = []convert.Value{c.in}
		return l, nil
	}
	for part := range strings.SplitSeq(s, by) {
		if part != "" {
			l.Items = append(l.Items, part)
		}
	}
	return l, nil
}

func slice(c *call) (convert.Value, error) {
	from, err := c.number(0)
	if err != nil {
		return nil, err
	}
	length := 1
	if len(c.args) > 1 {
		if length, err = c.number(1); err != nil {
			return nil, err
		}
	}
	if l, ok := c.in.(*convert.List); ok {
		if from < 0 {
			from += len(l.Items)
		}
		if from < 0 || from >= len(l.Items) {
			return &convert.List{}, nil
		}
		return &convert.List{Items: l.Items[from:min(from+max(length, 0), len(l.Items))]}, nil
	}
	if c.in == nil {
		return nil, nil
	}
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	if from < 0 {
		if from += len(runes); from < 0 {
			length += from
			from = 0
		}
	}
	if from > len(runes) || length < 0 {
		return nil, nil
	}
	return string(runes[from:min(from+length, len(runes))]), nil
}

func truncate(c *call) (convert.Value, error) {
	if c.in == nil {
		return nil, nil
	}
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	length, tail := 50, "..."
	if len(c.args) > 0 {
		if length, err = c.number(0); err != nil {
			return nil, err
		}
	}
	if len(c.args) > 1 {
		if tail, _, err = c.text(1); err != nil {
			return nil, err
		}
	}
	runes := []rune(s)
	if len(runes) <= length {
		return s, nil
	}
	return string(runes[:max(length-len([]rune(tail)), 0)]) + tail, nil
}

func truncateWords(c *call) (convert.Value, error) {
	if c.in == nil {
		return nil, nil
	}
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	count, tail := 15, "..."
	if len(c.args) > 0 {
		if count, err = c.number(0); err != nil {
			return nil, err
		}
	}
	if len(c.args) > 1 {
		if tail, _, err = c.text(1); err != nil {
			return nil, err
		}
	}
	words := strings.Split(s, " ")
	if count = max(count, 0); len(words) <= count {
		return s, nil
	}
	return strings.Join(words[:count], " ") + tail, nil
}

// otherwise is the filter default: another value for nothing, false, and texts of blanks.
func otherwise(c *call) (convert.Value, error) {
	if c.in == nil || c.in == false {
		return c.arg(0), nil
	}
	s, err := printed(c.in)
	if err != nil {
		if all, ok := items(c.in); ok && len(all) > 0 {
			return c.in, nil
		}
		return nil, err
	}
	if strings.TrimSpace(s) == "" {
		return c.arg(0), nil
	}
	return c.in, nil
}

func containsText(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil || c.in == nil {
		return false, err
	}
	part, ok, err := c.text(0)
	return ok && strings.Contains(s, part), err
}

func charAt(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	n, err := c.number(0)
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	if n < 0 || n >= len(runes) {
		return nil, convert.Errorf(convert.TemplateRenderingError, "char_at goes beyond the text")
	}
	return string(runes[n]), nil
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
	re, err := pattern(what)
	if err != nil {
		return nil, err
	}
	if at := re.FindStringIndex(s); at != nil {
		l.Items = append(l.Items, s[at[0]:at[1]])
	}
	return l, nil
}

func toJSON(c *call) (convert.Value, error) {
	if c.in == nil {
		return nil, nil
	}
	b, err := jsontext.Append(nil, c.in, 0)
	return string(b), err
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
	return string(b), nil
}

func compress(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
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
	return string(out), nil
}
