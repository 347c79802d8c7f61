package liquid

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"strings"
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
		"escape":               onText(func(s string) convert.Value { return escapeHTML(s) }),
		"h":                    onText(func(s string) convert.Value { return escapeHTML(s) }),
		"escape_once":          onText(func(s string) convert.Value { return escapeHTML(html.UnescapeString(s)) }),
		"url_encode":           onText(func(s string) convert.Value { return urlEncode(s) }),
		"url_decode":           onText(func(s string) convert.Value { return urlDecode(s) }),
		"strip_html":           onText(func(s string) convert.Value { return htmlTags.ReplaceAllString(s, "") }),
		"strip_newlines":       onText(func(s string) convert.Value { return lineEnds.ReplaceAllString(s, "") }),
		"newline_to_br":        onText(func(s string) convert.Value { return lineEnds.ReplaceAllString(s, "<br />$0") }),
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
			return specialEscaper.Replace(s)
		}),
		"unescape_special_chars": onText(func(s string) convert.Value {
			return specialUnescaper.Replace(s)
		}),
	})
}

var (
	specialEscaper   = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	specialUnescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

	htmlTags = regexp.MustCompile(`(?s)<script.*?</script>|<!--.*?-->|<style.*?</style>|<.*?>`)
	lineEnds = regexp.MustCompile(`\r?\n`)
)

func size(v convert.Value) convert.Value {
	if s, ok := v.(string); ok {
		return int64(units(s))
	}
	if m, ok := v.(*convert.Map); ok {
		return int64(m.Len())
	}
	all, _ := items(v)
	return int64(len(all))
}

func remove(s, other string) (convert.Value, error) {
	if other == "" {
		return nil, convert.Errorf(convert.TemplateRenderingError, "remove wants a text that is not empty")
	}
	return strings.ReplaceAll(s, other, ""), nil
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
	parts := strings.SplitSeq(s, by)
	if by == "" {
		parts = strings.FieldsSeq(s) // where .NET splits at nothing it splits at blanks
	}
	for part := range parts {
		if part == "" {
			continue
		}
		if len(l.Items) == maxItems {
			return nil, tooMany()
		}
		l.Items = append(l.Items, part)
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
		return &convert.List{Items: l.Items[from : from+min(max(length, 0), len(l.Items)-from)]}, nil
	}
	if c.in == nil {
		return nil, nil
	}
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	chars := charsOf(s)
	if from < 0 {
		if from += chars.len(); from < 0 {
			length += from
			from = 0
		}
	}
	if from > chars.len() || length < 0 {
		return nil, nil
	}
	return chars.slice(from, from+min(length, chars.len()-from)), nil
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
	chars := charsOf(s)
	if length = max(length, 0); chars.len() <= length {
		return s, nil
	}
	return chars.slice(0, max(length-units(tail), 0)) + tail, nil
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

// otherwise is the filter default: another text for nothing and for blanks. What it is applied to becomes a text.
func otherwise(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(s) == "" {
		return c.arg(0), nil
	}
	return s, nil
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
	chars := charsOf(s)
	if n < 0 || n >= chars.len() {
		return nil, convert.Errorf(convert.TemplateRenderingError, "char_at goes beyond the text")
	}
	return chars.slice(n, n+1), nil
}

func toJSON(c *call) (convert.Value, error) {
	if c.in == nil {
		return nil, nil
	}
	b, err := jsontext.Append(nil, c.in, 0)
	return string(b), err
}
