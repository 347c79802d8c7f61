package jsontext_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"salus/convert"
	"salus/convert/jsontext"
)

func compact(t testing.TB, b []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return out.String()
}

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"commas too many", `{,"a":1,,"b":[,1,,2,],}`, `{"a":1,"b":[1,2]}`},
		{"characters that begin nothing", `x{"a":1 ].}`[1:], ``},
		{"a dot behind an array", `{"a":[1].,"b":2}`, `{"a":[1],"b":2}`},
		{"only the first object counts", `{"a":1}{"b":2}`, `{"a":1}`},
		{"what is empty goes", `{"a":"","b":{"c":"","d":[{}]},"e":[""],"f":null,"g":false,"h":0,"i":" "}`, `{"f":null,"g":false,"h":0,"i":" "}`},
		{"nothing is left", `{"a":{"b":""}}`, `{}`},
		{"the last of a name counts, unless it is empty", `{"a":1,"b":2,"a":3,"b":""}`, `{"a":3,"b":2}`},
		{"numbers", `{"a":[1.10,5.00,1e2,1E+20,0.00001,-0,12345678901234567890,1.5e-7]}`, `{"a":[1.1,5.0,100.0,1E+20,1E-05,0,12345678901234567890,1.5E-07]}`},
		{"spellings of texts", `{"a":"\/\u0041é\u00e9\u2028\n"}`, `{"a":"/Aéé\u2028\n"}`},
		{"entries of one resource", `{"entry":[{"resource":{"resourceType":"A","id":"1","x":[1,{"b":1,"c":2}],"y":"old"}},{"resource":{"resourceType":"A","id":"1","x":[{"c":2,"b":1},2],"y":"new","z":null}}]}`,
			`{"entry":[{"resource":{"resourceType":"A","id":"1","x":[1,{"b":1,"c":2},2],"y":"new","z":null}}]}`},
		{"nothing does not win", `{"entry":[{"resource":{"resourceType":"A","y":1}},{"resource":{"resourceType":"A","y":null}}]}`, `{"entry":[{"resource":{"resourceType":"A","y":1}}]}`},
		{"versions, ids and types apart", `{"entry":[{"resource":{"resourceType":"A","id":"1"}},{"resource":{"resourceType":"A","id":"2"}},{"resource":{"resourceType":"A","id":"1","meta":{"versionId":"2"}}},{"resource":{"resourceType":"B","id":"1"}}]}`,
			`{"entry":[{"resource":{"resourceType":"A","id":"1"}},{"resource":{"resourceType":"A","id":"2"}},{"resource":{"resourceType":"A","id":"1","meta":{"versionId":"2"}}},{"resource":{"resourceType":"B","id":"1"}}]}`},
		{"entries without a type", `{"entry":[{"a":1},{"a":1},{"a":2}]}`, `{"entry":[{"a":1},{"a":2}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := jsontext.Clean([]byte(c.in))
			if c.want == "" {
				if !convert.Is(err, convert.JSONParsingError) {
					t.Errorf("got %s, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s := compact(t, got); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
		})
	}
}

func TestCleanIsIndented(t *testing.T) {
	t.Parallel()
	got, err := jsontext.Clean([]byte(`{"a":{"b":[1,"x"]},"c":2}`))
	want := "{\n  \"a\": {\n    \"b\": [\n      1,\n      \"x\"\n    ]\n  },\n  \"c\": 2\n}"
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestCleanRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, place string }{
		{"", "1:1"}, {`[1]`, "1:1"}, {`{"a": }`, "1:7"}, {`{"a": ,"b":1}`, "1:7"}, {"{\n\"a\":1\n\"b\":2}", "3:1"}, {`{"a":word}`, "1:10"}, {`{"a":01}`, "1:7"},
		{`{"a":1`, "1:7"}, {"{\"a\":\"line\nend\"}", ""}, {`{"a":"\x"}`, ""}, {strings.Repeat(`{"a":`, 100), "1:"}, {`{"a" 1}`, "1:6"}, {`{1}`, "1:2"},
	} {
		_, err := jsontext.Clean([]byte(c.in))
		if !convert.Is(err, convert.JSONParsingError) || !strings.Contains(err.Error(), "line "+c.place) {
			t.Errorf("%.40q: got %v, want an error at %s", c.in, err, c.place)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{"a":1,}`, `{"a":1}`},
		{`{"a": ,"b": }`, `{"a":null,"b":null}`},
		{`[1,,2,]`, `[1,null,2]`},
		{"// one\n{/* two */ a: 'x', 'b': \"y\"}", `{"a":"x","b":"y"}`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{`[1.10, 2, -3e2, 123456789012345678901234567890]`, `[1.1,2,-300.0,123456789012345678901234567890]`},
		{`"\ud83d\ude00\u0041"`, `"😀A"`},
		{"\xEF\xBB\xBFtrue", `true`},
		{"[1, // one\r2]", `[1,2]`},
		{`['it\'s', "\/"]`, `["it's","/"]`},
		{`[true,false,null,undefined]`, `[true,false,null,null]`},
	} {
		v, err := jsontext.Read([]byte(c.in), jsontext.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		got, err := jsontext.Append(nil, v, 0)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", "{", `{"a"}`, `{"a":1 "b":2}`, "[1 2]", "word", "1 2", `"a`, "/* x", "[1.2.3]", strings.Repeat("[", 100), `"\x"`, `"\u12G4"`, `"\u12`, strings.Repeat("9", 381),
		strings.Repeat("[", 65) + strings.Repeat("]", 65)} {
		if _, err := jsontext.Read([]byte(in), jsontext.Options{}); !convert.Is(err, convert.JSONParsingError) {
			t.Errorf("%.20q: got %v", in, err)
		}
	}
}

func TestInstants(t *testing.T) {
	t.Parallel()
	v, err := jsontext.Read([]byte(`"2004-06-29T17:54:00.5+02:00"`), jsontext.Options{Dates: true})
	if at, ok := v.(time.Time); err != nil || !ok || at.UTC().Hour() != 15 {
		t.Errorf("got %v, %v", v, err)
	}
	for _, s := range []string{"2004-06-29", "20040629175400", "2004-06-29 17:54:00", "x"} {
		if v, _ := jsontext.Read([]byte(`"`+s+`"`), jsontext.Options{Dates: true}); v != s {
			t.Errorf("%s became %v", s, v)
		}
	}
}

func TestFormsOfInstants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"2015-02-07T13:28:17", "2015-02-07T13:28:17Z"}, {"2015-02-07T13:28:17.500", "2015-02-07T13:28:17.5Z"}, {"2015-02-07T13:28:17Z", "2015-02-07T13:28:17Z"},
		{"2015-02-07T13:28:17.000+02:00", "2015-02-07T13:28:17+02:00"}, {"2015-02-07T13:28:17+0200", "2015-02-07T13:28:17+02:00"},
		{"2015-02-07T13:28:17-05", "2015-02-07T13:28:17-05:00"}, {"2015-02-07T13:28:17,5Z", ""}, {"0000-02-07T13:28:17Z", ""}, {"2015-02-30T13:28:17Z", ""},
	} {
		at, ok := jsontext.ParseTime(c.in)
		if ok != (c.want != "") {
			t.Errorf("%s: taken for an instant: %v", c.in, ok)
		}
		if got, err := jsontext.Append(nil, at, 0); ok && (err != nil || string(got) != `"`+c.want+`"`) {
			t.Errorf("%s: got %s, %v", c.in, got, err)
		}
	}
}

func decimal(t *testing.T, s string) convert.Decimal {
	t.Helper()
	d, ok := reflect.New(reflect.TypeFor[convert.Decimal]().Elem()).Interface().(convert.Decimal)
	if !ok {
		t.Fatal("no decimal")
	}
	if _, _, err := d.SetString(s); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAppendScalars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    convert.Value
		want string
	}{
		{1.0, "1.0"}, {math.Copysign(0, -1), "-0.0"}, {1e15, "1E+15"}, {123456789012345.0, "123456789012345.0"}, {1e-5, "1E-05"}, {0.0001, "0.0001"}, {1e20, "1E+20"},
		{math.Inf(1), `"Infinity"`}, {math.Inf(-1), `"-Infinity"`}, {math.NaN(), `"NaN"`}, {decimal(t, "1"), "1.0"}, {decimal(t, "1.50"), "1.50"}, {decimal(t, "1e3"), "1000.0"},
		{"\x01\u0085\u2028/é\x7f", `"\u0001\u0085\u2028/é` + "\x7f\""}, {true, "true"}, {nil, "null"}, {int64(-7), "-7"},
	} {
		if got, err := jsontext.Append(nil, c.v, 0); err != nil || string(got) != c.want {
			t.Errorf("%v: got %s, %v; want %s", c.v, got, err, c.want)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		depth, most int
		ok          bool
	}{{64, 0, true}, {65, 0, false}, {2, 2, true}, {3, 2, false}} {
		in := strings.Repeat("[", c.depth) + strings.Repeat("]", c.depth)
		if _, err := jsontext.Read([]byte(in), jsontext.Options{MaxDepth: c.most}); (err == nil) != c.ok {
			t.Errorf("%d of %d: %v", c.depth, c.most, err)
		}
	}
}

func BenchmarkClean(b *testing.B) {
	var entries strings.Builder
	for i := range 300 {
		entries.WriteString(`{"resource":{"resourceType":"Observation","id":"` + strconv.Itoa(i) + `","status":"final","code":{"coding":[{"code":"A","system":"urn:a",},]},
"subject":{"reference":"Patient/1"},"valueQuantity":{"value":1.50,"unit":""}}},{"resource":{"resourceType":"Patient","id":"1","active":true}},`)
	}
	text := `{"resourceType":"Bundle","entry":[` + entries.String() + `]}`
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsontext.Clean([]byte(text)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	text := []byte(`[` + strings.Repeat(`{"code":"A","system":"urn:a","active":true,"value":1.5,"at":"2015-02-07T13:28:17Z"},`, 1000) + `]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsontext.Read(text, jsontext.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAppendIndents(t *testing.T) {
	t.Parallel()
	m := convert.NewMap(2)
	m.Set("a", &convert.List{Items: []convert.Value{int64(1), big.NewInt(2)}})
	m.Set("b", convert.NewMap(0))
	got, err := jsontext.Append(nil, m, 2)
	if want := "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}"; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// What is clean is JSON, and cleaning it again changes nothing.
func FuzzClean(f *testing.F) {
	for _, s := range []string{`{"a":[1,,{"b":""}],}`, `{"entry":[{"resource":{"resourceType":"A","id":"1"}},{"resource":{"resourceType":"A","id":"1","x":1.50}}]}`, `{"a":"\u00e9\/"}`, `{"a":1e400}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := jsontext.Clean(b)
		if err != nil {
			return
		}
		if !json.Valid(once) {
			t.Fatalf("no JSON: %s", once)
		}
		twice, err := jsontext.Clean(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%v\n%s\n%s", err, once, twice)
		}
	})
}

// What was read can be written, and reads back the same.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"a":[1,,2.5],'b': }`, `"\ud83d\ude00"`, "/*x*/[1e5]", "{a:1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := jsontext.Read(b, jsontext.Options{})
		if err != nil {
			return
		}
		once, err := jsontext.Append(nil, v, 0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := jsontext.Read(once, jsontext.Options{})
		if err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		if twice, err := jsontext.Append(nil, again, 0); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s\n%s", once, twice)
		}
	})
}
