package fhir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"salus/fault"
	"salus/fhir"
)

func parse(t testing.TB, text string) fhir.Node {
	t.Helper()
	d, err := fhir.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %.200q", err, text)
	}
	return d.Root()
}

func TestParseAccepts(t *testing.T) {
	for _, text := range []string{
		`null`, `true`, `false`, `0`, `-0`, `1.50`, `-1e5`, `1E+5`, `1e-5`, `""`, `{}`, `[]`, ` [ 1 , 2 ] `, "\t\r\n{\n}\n",
		`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, `"\u0000"`, `{"":1}`, `{"a":{"a":{"a":1}}}`, "\xef\xbb\xbf{}", `"` + "\x7f" + `"`, `"日本語"`,
		`[` + strings.Repeat(`"12345678",`, 20) + `"1234567\"\\"]`,
		strings.Repeat("[", fhir.MaxDepth) + strings.Repeat("]", fhir.MaxDepth),
	} {
		if _, err := fhir.Parse([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, place string }{
		{"", "line 1, column 1"}, {"  \n ", "line 2, column 2"}, {"{", ""}, {"[", ""}, {"{]", ""}, {"[}", ""}, {"[1,]", "line 1, column 4"}, {`{"a":1,}`, "line 1, column 8"},
		{"[1 2]", "line 1, column 4"}, {`{"a" 1}`, ""}, {`{a:1}`, ""}, {`{'a':1}`, ""}, {`{"a":}`, ""}, {`{"a"}`, ""}, {`{,}`, ""}, {`[,1]`, ""}, {`{"a":1`, ""}, {`[1`, ""},
		{"nul", ""}, {"nulll", ""}, {"True", ""}, {"NaN", ""}, {"01", ""}, {"-", ""}, {"+1", ""}, {".5", ""}, {"1.", ""}, {"1e", ""}, {"1e+", ""}, {"--1", ""}, {"0x1", ""}, {"-01", ""},
		{`"a`, "line 1, column 1"}, {`"\`, ""}, {`"\x"`, ""}, {`"\u12"`, ""}, {`"\u12g4"`, ""}, {"\"a\nb\"", "line 1, column 3"}, {"\"a\x00b\"", ""}, {"\"1234567\x1f\"", "line 1, column 9"}, {"\"\t\"", ""},
		{`"\ud83d"`, ""}, {`"\ud83dx"`, ""}, {`"\ud83d\u0041"`, ""}, {`"\ude00"`, ""}, {`"\ude00\ud83d"`, ""}, {`"\ud83d\ud83d"`, ""},
		{"\"\xff\"", "line 1, column 2"}, {"{\"a\":\n \"\xc3\"}", "line 2, column 3"}, {"\"\xed\xa0\x80\"", ""}, {"\"\xc0\x80\"", ""}, {"\x00", ""}, {"1\x00", ""},
		{"1 2", "line 1, column 3"}, {"{}{}", "line 1, column 3"}, {"{}x", ""}, {"// a\n1", ""}, {"1/**/", ""}, {"\xef\xbb\xbf", ""}, {"\xfe\xff1", ""},
		{`{"a":1,"a":2}`, "line 1, column 8"}, {`{"a":1,"b":2,"\u0061":3}`, "line 1, column 14"}, {`{"\u0061":1,"a":2}`, ""}, {`{"":1,"":2}`, ""}, {`{"é":1,"\u00e9":2}`, ""},
		{`[{"x":{"a":1,"b":[],"a":2}}]`, "line 1, column 21"},
		{strings.Repeat("[", fhir.MaxDepth+1) + strings.Repeat("]", fhir.MaxDepth+1), "line 1, column 201"},
		{strings.Repeat("[", 10_000), ""}, {strings.Repeat(`{"a":`, 10_000), ""},
		{`{"` + strings.Repeat("a", 1<<16) + `":1}`, ""},
	} {
		_, err := fhir.Parse([]byte(c.text))
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok || f.Kind != fault.Invalid || len(f.Issues) != 1 || f.Issues[0].Code != "structure" || f.Issues[0].Location == "" {
			t.Errorf("%.100q: %v", c.text, err)
			continue
		}
		if c.place != "" && f.Issues[0].Location != c.place {
			t.Errorf("%.100q: at %s, want %s", c.text, f.Issues[0].Location, c.place)
		}
	}
}

func TestDuplicatesAmongManyPropertiesAreFound(t *testing.T) {
	for _, n := range []int{2, 23, 24, 25, 26, 64, 1000} {
		for _, twin := range []int{0, n / 2, n - 1} {
			for _, name := range []string{"p%d", `\u0070%d`} {
				var b strings.Builder
				b.WriteByte('{')
				for i := range n {
					fmt.Fprintf(&b, `"p%d":%d,`, i, i)
				}
				if _, err := fhir.Parse([]byte(b.String() + `"q":1}`)); err != nil {
					t.Fatalf("%d properties: %v", n, err)
				}
				fmt.Fprintf(&b, `"`+name+`":0}`, twin)
				if _, err := fhir.Parse([]byte(b.String())); err == nil {
					t.Errorf("%d properties: number %d may stand twice as %s", n, twin, name)
				}
			}
		}
	}
}

func TestHostileTextsTakeLittleTime(t *testing.T) {
	var names strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&names, `"\u0061%d":0,`, i)
	}
	for name, text := range map[string]string{
		"many names":   "{" + names.String() + `"x":0}`,
		"many objects": "[" + strings.Repeat(`{"a":{},"b":{}},`, 100_000) + "{}]",
		"deep":         strings.Repeat("[", 1_000_000),
		"escapes":      `"` + strings.Repeat(`\ud83d\ude00`, 200_000) + `"`,
		"open strings": strings.Repeat(`"`, 1_000_000),
	} {
		begin := time.Now()
		if d, err := fhir.Parse([]byte(text)); err == nil {
			d.Release()
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

// strict says what encoding/json makes of a text, and whether it breaks a rule
// that Parse has and encoding/json has not.
func strict(b []byte) (accepts, breaks bool) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if !json.Valid(b) {
		return false, false
	}
	if !utf8.Valid(b) {
		return true, true
	}
	type open struct {
		names map[string]bool // nil for an array
		name  bool            // a property name is due
	}
	var stack []open
	r := json.NewDecoder(bytes.NewReader(b))
	r.UseNumber()
	for {
		token, err := r.Token()
		if err == io.EOF {
			return true, loneSurrogate(b)
		}
		if err != nil {
			return true, true
		}
		top := len(stack) - 1
		if s, ok := token.(string); ok && top >= 0 && stack[top].name {
			if stack[top].names[s] || len(s) > 60_000 {
				return true, true
			}
			stack[top].names[s], stack[top].name = true, false
			continue
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, open{map[string]bool{}, true})
		case json.Delim('['):
			stack = append(stack, open{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
		}
		if len(stack) > fhir.MaxDepth {
			return true, true
		}
		if top = len(stack) - 1; top >= 0 && stack[top].names != nil && token != json.Delim('{') {
			stack[top].name = true
		}
	}
}

// loneSurrogate reports whether valid JSON has an escape of half a character.
// encoding/json puts U+FFFD for it.
func loneSurrogate(b []byte) bool {
	for len(b) > 1 {
		if b[0] != '\\' {
			b = b[1:]
			continue
		}
		if b[1] != 'u' {
			b = b[2:]
			continue
		}
		var s string
		if json.Unmarshal(slices.Concat([]byte{'"'}, b[:6], []byte{'"'}), &s) != nil || s != "\ufffd" || strings.EqualFold(string(b[:6]), `\ufffd`) {
			b = b[6:]
			continue
		}
		if len(b) < 12 || json.Unmarshal(slices.Concat([]byte{'"'}, b[:12], []byte{'"'}), &s) != nil || strings.Contains(s, "\ufffd") {
			return true
		}
		b = b[12:]
	}
	return false
}

// decoded builds the value that encoding/json would.
func decoded(n fhir.Node) any {
	switch n.Kind() {
	case fhir.Bool:
		return n.True()
	case fhir.Number:
		return json.Number(n.Text())
	case fhir.String:
		return n.Text()
	case fhir.Array:
		list := []any{}
		for c := range n.Children {
			list = append(list, decoded(c))
		}
		return list
	case fhir.Object:
		object := map[string]any{}
		for c := range n.Children {
			object[c.Name()] = decoded(c)
		}
		return object
	}
	return nil
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.50,-3e4,"\u00e9\n",null,true],"b":{"a":{}},"\ud83d\ude00":""}`))
	f.Add([]byte(`{"a":1,"\u0061":2}`))
	f.Add([]byte(`"12345678\ud83d"`))
	f.Add([]byte("\xef\xbb\xbf[[[[1]]]] "))
	f.Add(bundle(1, false))
	f.Fuzz(func(t *testing.T, b []byte) {
		accepts, breaks := strict(b)
		d, err := fhir.Parse(bytes.Clone(b))
		if (err == nil) != (accepts && !breaks) {
			t.Fatalf("encoding/json accepts: %v, a stricter rule is broken: %v, Parse: %v", accepts, breaks, err)
		}
		if err != nil {
			return
		}
		r := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))))
		r.UseNumber()
		var want any
		if err := r.Decode(&want); err != nil {
			t.Fatal(err)
		}
		wantJSON, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		gotJSON, err := json.Marshal(decoded(d.Root()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(gotJSON, wantJSON) {
			t.Errorf("got %s, want %s", gotJSON, wantJSON)
		}
	})
}
