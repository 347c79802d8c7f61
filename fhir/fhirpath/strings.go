package fhirpath

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

// stringFunctions are those of FHIRPath N1 §5.6 and the later additions of the
// same family (encode, escape, trim, split, join, matchesFull, lastIndexOf).
var stringFunctions = map[string]*function{
	"indexOf": {min: 1, max: 1, eval: onString(1, func(r *run, s string, a []string) ([]Item, error) { return position(s, strings.Index(s, a[0])), nil })},
	"lastIndexOf": {min: 1, max: 1, eval: onString(1, func(r *run, s string, a []string) ([]Item, error) {
		return position(s, strings.LastIndex(s, a[0])), nil
	})},
	"substring":      {min: 1, max: 2, eval: substring},
	"startsWith":     {min: 1, max: 1, eval: onString(1, func(_ *run, s string, a []string) ([]Item, error) { return boolean(strings.HasPrefix(s, a[0])), nil })},
	"endsWith":       {min: 1, max: 1, eval: onString(1, func(_ *run, s string, a []string) ([]Item, error) { return boolean(strings.HasSuffix(s, a[0])), nil })},
	"contains":       {min: 1, max: 1, eval: onString(1, func(_ *run, s string, a []string) ([]Item, error) { return boolean(strings.Contains(s, a[0])), nil })},
	"upper":          {eval: onString(0, func(r *run, s string, _ []string) ([]Item, error) { return r.stringItems(strings.ToUpper(s)) })},
	"lower":          {eval: onString(0, func(r *run, s string, _ []string) ([]Item, error) { return r.stringItems(strings.ToLower(s)) })},
	"trim":           {eval: onString(0, func(r *run, s string, _ []string) ([]Item, error) { return r.stringItems(strings.TrimSpace(s)) })},
	"replace":        {min: 2, max: 2, eval: onString(2, replace)},
	"matches":        {min: 1, max: 1, eval: matches, prepare: prepareRegexp},
	"matchesFull":    {min: 1, max: 1, eval: matches, prepare: prepareRegexp},
	"replaceMatches": {min: 2, max: 2, eval: replaceMatches, prepare: prepareRegexp},
	"length": {eval: onString(0, func(_ *run, s string, _ []string) ([]Item, error) {
		return []Item{Integer(int64(utf8.RuneCountInString(s)))}, nil
	})},
	"toChars":  {eval: onString(0, toChars)},
	"split":    {min: 1, max: 1, eval: onString(1, split)},
	"join":     {max: 1, eval: join},
	"encode":   {min: 1, max: 1, eval: onString(1, encode)},
	"decode":   {min: 1, max: 1, eval: onString(1, decode)},
	"escape":   {min: 1, max: 1, eval: onString(1, escapeFor)},
	"unescape": {min: 1, max: 1, eval: onString(1, unescapeFrom)},
}

// stringInput returns the only string of the input; ok is false when it is empty.
func stringInput(c *Call, in []Item) (string, bool, error) {
	it, ok, err := single(in, "what "+c.Name+" takes")
	if err != nil || !ok {
		return "", false, err
	}
	s, ok := it.AsString()
	if !ok && it.primitive() && !it.node.Exists() {
		return "", false, nil // a primitive without value
	}
	if !ok {
		return "", false, invalid("%s takes a String, not %s", c.Name, it.TypeName())
	}
	return s, true, nil
}

// onString makes a function of a string and so many string arguments; with any of them empty, the result is.
func onString(args int, compute func(r *run, s string, a []string) ([]Item, error)) evaluator {
	return func(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
		s, ok, err := stringInput(c, in)
		if err != nil || !ok {
			return nil, err
		}
		var a [2]string
		for i := range args {
			if a[i], ok, err = r.stringArg(c.Args[i], f, "the argument of "+c.Name); err != nil || !ok {
				return nil, err
			}
		}
		if err := r.spend(1 + len(s)/64); err != nil {
			return nil, err
		}
		return compute(r, s, a[:args])
	}
}

// position turns an offset in bytes into one in characters.
func position(s string, at int) []Item {
	if at > 0 {
		at = utf8.RuneCountInString(s[:at])
	}
	return []Item{Integer(int64(at))}
}

func substring(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	s, ok, err := stringInput(c, in)
	if err != nil || !ok {
		return nil, err
	}
	start, ok, err := r.integerArg(c.Args[0], f, "the start of substring")
	if err != nil || !ok {
		return nil, err
	}
	chars := []rune(s)
	if start < 0 || start >= int64(len(chars)) {
		return nil, nil
	}
	end := int64(len(chars))
	if len(c.Args) == 2 {
		length, given, err := r.integerArg(c.Args[1], f, "the length of substring")
		if err != nil {
			return nil, err
		}
		if given {
			end = start + min(max(length, 0), end-start)
		}
	}
	return r.stringItems(string(chars[start:end]))
}

func replace(r *run, s string, a []string) ([]Item, error) {
	if n := strings.Count(s, a[0]); n > 0 && len(a[1]) > maxString/n {
		return r.stringItems(strings.Repeat(" ", maxString+1)) // fails as too long without building it in full
	}
	return r.stringItems(strings.ReplaceAll(s, a[0], a[1]))
}

// compileRegexp compiles as the specification wants it: the point matches line ends too (FHIRPath N1 §5.6.9).
func compileRegexp(function, pattern string) (*regexp.Regexp, string) {
	if len(pattern) > 4096 {
		return nil, function + ": regular expression longer than 4096 bytes"
	}
	if function == "matchesFull" {
		pattern = "^(?:" + pattern + ")$"
	}
	re, err := regexp.Compile("(?s)" + pattern)
	if err != nil {
		return nil, function + ": regular expression that cannot be used; look-ahead, look-behind and back-references are not supported"
	}
	return re, ""
}

func prepareRegexp(c *Call) (any, string) {
	pattern, ok := literal(c.Args[0])
	if !ok {
		return nil, ""
	}
	return compileRegexp(c.Name, pattern)
}

// regexp returns the compiled pattern of the first argument; nil when it is empty.
func (r *run) regexp(c *Call, f *frame) (*regexp.Regexp, error) {
	if re, ok := c.prep.(*regexp.Regexp); ok && re != nil {
		return re, nil
	}
	pattern, ok, err := r.stringArg(c.Args[0], f, "the pattern of "+c.Name)
	if err != nil || !ok {
		return nil, err
	}
	if err := r.spend(100 + 10*len(pattern)); err != nil {
		return nil, err
	}
	re, problem := compileRegexp(c.Name, pattern)
	if problem != "" {
		return nil, invalid("%s", problem)
	}
	return re, nil
}

func matches(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	s, ok, err := stringInput(c, in)
	if err != nil || !ok {
		return nil, err
	}
	re, err := r.regexp(c, f)
	if err != nil || re == nil {
		return nil, err
	}
	return boolean(re.MatchString(s)), r.spend(1 + len(s)/4)
}

func replaceMatches(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	s, ok, err := stringInput(c, in)
	if err != nil || !ok {
		return nil, err
	}
	re, err := r.regexp(c, f)
	if err != nil || re == nil {
		return nil, err
	}
	with, ok, err := r.stringArg(c.Args[1], f, "the substitution of replaceMatches")
	if err != nil || !ok {
		return nil, err
	}
	if re.String() == "(?s)" {
		return r.stringItems(s) // the empty pattern replaces nothing
	}
	if err := r.spend(1 + len(s)/4); err != nil {
		return nil, err
	}
	with = groupNumbers.ReplaceAllString(with, "$${$1}")
	found := re.FindAllStringSubmatchIndex(s, -1)
	var b []byte
	last := 0
	for _, m := range found {
		b = append(b, s[last:m[0]]...)
		b = re.ExpandString(b, with, s, m)
		last = m[1]
		if len(b) > maxString {
			break
		}
	}
	return r.stringItems(string(b) + s[last:])
}

// groupNumbers finds $1: the digits end the name, whatever follows.
var groupNumbers = regexp.MustCompile(`\$(\d+)`)

func toChars(r *run, s string, _ []string) ([]Item, error) {
	out := make([]Item, 0, len(s))
	for i, c := range s {
		out = append(out, String(s[i:i+utf8.RuneLen(c)]))
	}
	return out, r.grown(out, len(out))
}

func split(r *run, s string, a []string) ([]Item, error) {
	parts := strings.Split(s, a[0])
	out := make([]Item, len(parts))
	for i, p := range parts {
		out[i] = String(p)
	}
	return out, r.grown(out, len(out))
}

func join(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	if len(in) == 0 {
		return nil, nil
	}
	separator := ""
	if len(c.Args) == 1 {
		var err error
		if separator, _, err = r.stringArg(c.Args[0], f, "the separator of join"); err != nil {
			return nil, err
		}
	}
	var b strings.Builder
	for i, it := range in {
		s, ok := it.AsString()
		if !ok {
			return nil, invalid("join takes Strings, not %s", it.TypeName())
		}
		if i > 0 {
			b.WriteString(separator)
		}
		if b.WriteString(s); b.Len() > maxString {
			break
		}
	}
	return r.stringItems(b.String())
}

func encode(r *run, s string, a []string) ([]Item, error) {
	switch a[0] {
	case "hex":
		return r.stringItems(hex.EncodeToString([]byte(s)))
	case "base64":
		return r.stringItems(base64.StdEncoding.EncodeToString([]byte(s)))
	case "urlbase64":
		return r.stringItems(base64.URLEncoding.EncodeToString([]byte(s)))
	}
	return nil, nil
}

func decode(r *run, s string, a []string) ([]Item, error) {
	var b []byte
	var err error
	switch a[0] {
	case "hex":
		b, err = hex.DecodeString(s)
	case "base64":
		b, err = base64.StdEncoding.DecodeString(s)
	case "urlbase64":
		b, err = base64.URLEncoding.DecodeString(s)
	default:
		return nil, nil
	}
	if err != nil || !utf8.Valid(b) {
		return nil, nil // what does not decode has no result
	}
	return r.stringItems(string(b))
}

var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

func escapeFor(r *run, s string, a []string) ([]Item, error) {
	switch a[0] {
	case "html":
		return r.stringItems(htmlEscapes.Replace(s))
	case "json":
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			return nil, nil // a string always encodes
		}
		quoted := strings.TrimSuffix(b.String(), "\n")
		return r.stringItems(quoted[1 : len(quoted)-1])
	}
	return nil, nil
}

func unescapeFrom(r *run, s string, a []string) ([]Item, error) {
	switch a[0] {
	case "html":
		return r.stringItems(html.UnescapeString(s))
	case "json":
		var plain string
		if json.Unmarshal([]byte(`"`+escapeQuotes(s)+`"`), &plain) != nil {
			return nil, nil // what is no JSON string has no result
		}
		return r.stringItems(plain)
	}
	return nil, nil
}

// escapeQuotes escapes the quotation marks that have no backslash.
func escapeQuotes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
		if s[i] == '\\' && i+1 < len(s) {
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
