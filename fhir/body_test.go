package fhir_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"salus/fhir"
)

func TestBodyKeepsWhatCame(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"order, decimals and escapes", `{ "resourceType" : "Observation", "z" : 1.10, "a": [ 1E+2, -0.00 ], "s": "\u00e9 \" \/ x  y", "id": "old", "meta": { "profile": [ "p" ] } }`,
			`{"resourceType":"Observation","z":1.10,"a":[1E+2,-0.00],"s":"\u00e9 \" \/ x  y","id":"new","meta":{"profile":["p"]}}`},
		{"without id and meta", `{"resourceType":"Patient","active":true}`, `{"resourceType":"Patient","id":"new","meta":{},"active":true}`},
		{"without id", `{"resourceType":"Patient","meta":{"tag":[{"code":"a"}]}}`, `{"resourceType":"Patient","id":"new","meta":{"tag":[{"code":"a"}]}}`},
		{"without meta", `{"resourceType":"Patient","id":"x"}`, `{"resourceType":"Patient","id":"new","meta":{}}`},
		{"type last", `{"active":true,"resourceType":"Patient"}`, `{"active":true,"resourceType":"Patient","id":"new","meta":{}}`},
		{"all in reverse", `{"meta":{"a":1},"id":"x","resourceType":"Patient"}`, `{"meta":{"a":1},"id":"new","resourceType":"Patient"}`},
		{"stamps of another server", `{"resourceType":"Patient","meta":{"versionId":"7","tag":[{"code":"a"}],"lastUpdated":"2000-01-01T00:00:00Z","_lastUpdated":{"id":"a"},"_versionId":{"id":"b"}}}`,
			`{"resourceType":"Patient","id":"new","meta":{"tag":[{"code":"a"}]}}`},
		{"stamps only", `{"resourceType":"Patient","meta":{"versionId":"7"},"active":true}`, `{"resourceType":"Patient","id":"new","meta":{},"active":true}`},
		{"meta of contained resources", `{"resourceType":"Patient","contained":[{"resourceType":"Basic","id":"b","meta":{"versionId":"1"}}]}`,
			`{"resourceType":"Patient","id":"new","meta":{},"contained":[{"resourceType":"Basic","id":"b","meta":{"versionId":"1"}}]}`},
		{"escaped names", `{"resourc\u0065Type":"Patient","\u0069d":"x","m\u0065ta":{"version\u0049d":"1","x":2}}`, `{"resourc\u0065Type":"Patient","id":"new","meta":{"x":2}}`},
		{"empty containers", `{"resourceType":"Patient","a":[ ],"b":{ },"c":[ { } , [ ] ],"d":null,"e":false}`, `{"resourceType":"Patient","id":"new","meta":{},"a":[],"b":{},"c":[{},[]],"d":null,"e":false}`},
		{"strings that end like containers", `{"resourceType":"Patient","a":["{","["],"b{":"["}`, `{"resourceType":"Patient","id":"new","meta":{},"a":["{","["],"b{":"["}`},
		{"meta that is no object", `{"resourceType":"Patient","meta":"x","a":1}`, `{"resourceType":"Patient","id":"new","meta":{},"a":1}`},
		{"no type", `{"a":1}`, `{"id":"new","meta":{},"a":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := fhir.NewBody(parse(t, c.in), "new", nil)
			if string(b.JSON) != c.want {
				t.Errorf("got  %s\nwant %s", b.JSON, c.want)
			}
			if b.Meta < 1 || !strings.HasSuffix(string(b.JSON[:b.Meta]), `"meta":{`) {
				t.Errorf("Meta = %d", b.Meta)
			}
			again := fhir.NewBody(parse(t, string(b.JSON)), "new", nil)
			if diff := cmp.Diff(b, again); diff != "" {
				t.Errorf("not stable: %s", diff)
			}
			if read := fhir.ReadBody(b.JSON, b.Meta); cmp.Diff(b, read) != "" {
				t.Error("ReadBody makes another body")
			}
		})
	}
}

func TestVersionIsStamped(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 10_999_999, time.FixedZone("", 2*3600))
	for in, want := range map[string]string{
		`{"resourceType":"Patient","id":"a"}`:                                                     `{"resourceType":"Patient","id":"a","meta":{"versionId":"3","lastUpdated":"2024-05-06T05:08:09.010Z"}}`,
		`{"resourceType":"Patient","id":"a","meta":{"versionId":"9","source":"s"},"active":true}`: `{"resourceType":"Patient","id":"a","meta":{"versionId":"3","lastUpdated":"2024-05-06T05:08:09.010Z","source":"s"},"active":true}`,
	} {
		v := fhir.Version{Key: fhir.Key{Type: "Patient", ID: "a"}, Number: 3, Updated: at, Method: fhir.Put, Body: fhir.NewBody(parse(t, in), "a", nil)}
		if got := string(v.JSON()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := string(v.AppendJSON([]byte("["))); got != "["+want {
			t.Errorf("appended: %s", got)
		}
	}
	deleted := fhir.Version{Method: fhir.Delete}
	if !deleted.Deleted() || len(deleted.JSON()) != 0 {
		t.Error("a deleted version has a body")
	}
}

func TestBodyReplacesStrings(t *testing.T) {
	in := parse(t, `{"resourceType":"Patient","id":"x","meta":{"source":"urn:a"},"a":{"reference":"urn:a"},"b":["urn:a","urn:b",1]}`)
	var seen []string
	b := fhir.NewBody(in, "x", func(n fhir.Node) (string, bool) {
		seen = append(seen, n.Name()+"="+n.Text())
		return "Patient/\"1\"\n", n.Text() == "urn:a" && n.Name() == "reference"
	})
	if want := `{"resourceType":"Patient","id":"x","meta":{"source":"urn:a"},"a":{"reference":"Patient/\"1\"\n"},"b":["urn:a","urn:b",1]}`; string(b.JSON) != want {
		t.Errorf("got %s", b.JSON)
	}
	if got := strings.Join(seen, " "); got != "source=urn:a reference=urn:a =urn:a =urn:b" {
		t.Errorf("asked for %s", got)
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Patient","id":"x","meta":{"versionId":"1","tag":[]},"a":[1.0,"\u00e9",{}]}`))
	f.Add([]byte(`{"m\u0065ta":{},"\u0069d":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := fhir.Parse(text)
		if err != nil || d.Root().Kind() != fhir.Object || d.Root().Get("resourceType").Kind() == fhir.Object || d.Root().Get("resourceType").Kind() == fhir.Array {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &want); err != nil {
			return // numbers that float64 does not hold
		}
		meta, _ := want["meta"].(map[string]any)
		if meta == nil {
			meta = map[string]any{}
		}
		for _, name := range []string{"_versionId", "_lastUpdated"} {
			delete(meta, name)
		}
		meta["versionId"], meta["lastUpdated"] = "4", "2024-01-01T00:00:00.000Z"
		want["meta"], want["id"] = meta, "new"
		b := fhir.NewBody(d.Root(), "new", nil)
		var got map[string]any
		stamped := b.AppendJSON(nil, 4, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
		if err := json.Unmarshal(stamped, &got); err != nil {
			t.Fatalf("%v in %s", err, stamped)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if again := fhir.NewBody(parse(t, string(b.JSON)), "new", nil); !bytes.Equal(again.JSON, b.JSON) || again.Meta != b.Meta {
			t.Errorf("not stable: %s, %s", b.JSON, again.JSON)
		}
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\r\t\x00\x1f\x7fé\u2028😀")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		b := fhir.AppendString([]byte("x"), s)
		if b[0] != 'x' {
			t.Error("what was before is gone")
		}
		var got string
		if err := json.Unmarshal(b[1:], &got); err != nil || got != s {
			t.Errorf("%q comes back as %q (%v)", s, got, err)
		}
		if n := parse(t, string(b[1:])); n.Text() != s {
			t.Errorf("%q is read as %q", s, n.Text())
		}
	})
}
