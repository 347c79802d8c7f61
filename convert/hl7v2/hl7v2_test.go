package hl7v2_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"salus/convert"
	"salus/convert/hl7v2"
)

const admission = "MSH|^~\\&|APP|FAC|||20250304||ADT^A01|1|P|2.8\r" +
	"PID|1||M1^^^H&1.2.3&ISO~M2^^^X||Invented^Ada^^^\"Dr.\"||19700101\n" +
	"NK1|1|First\r\n\r\n" +
	"OBX|1|TX|a\\T\\b||x\\.br\\y \\F\\\\S\\\\R\\\\E\\ \\X41C3\\ \\H\\z||\n" +
	"NTE|1\nOBX|2\nNTE|2\nNTE|3\n"

func parse(t testing.TB, text string) *hl7v2.Message {
	t.Helper()
	m, err := hl7v2.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// at follows members from a segment, and returns the text that it comes to; "nil" for nothing.
func at(t testing.TB, v convert.Value, path ...string) string {
	t.Helper()
	for _, name := range path {
		if v == nil {
			return "nil"
		}
		d, ok := v.(convert.Drop)
		if !ok {
			t.Fatalf("%v: %v has no members", path, v)
		}
		var err error
		if v, err = d.Member(name); err != nil {
			t.Fatalf("%v: %v", path, err)
		}
	}
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return v
	case convert.Enumerable:
		return "list of " + strings.Repeat("x", len(v.Items()))
	}
	return "part"
}

func segment(t testing.TB, m *hl7v2.Message, id string) convert.Value {
	t.Helper()
	v, err := hl7v2.Filters()["get_first_segments"]([]convert.Value{m, id})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := v.(*convert.Map).Get(id)
	return s
}

func TestPaths(t *testing.T) {
	t.Parallel()
	m := parse(t, admission)
	for _, c := range []struct{ segment, path, want string }{
		{"MSH", "1 Value", "|"}, {"MSH", "2 Value", `^~\&`}, {"MSH", "3 Value", "APP"}, {"MSH", "9 2 Value", "A01"}, {"MSH", "5", "nil"},
		{"PID", "0 Value", "PID"}, {"PID", "1 value", "1"}, {"PID", "2", "nil"}, {"PID", "99", "nil"},
		{"PID", "3 1 Value", "M1"}, {"PID", "3 4 2", "1.2.3"}, {"PID", "3 4 Value", "H&1.2.3&ISO"}, {"PID", "3 4 9", "nil"}, {"PID", "3 2", "nil"},
		{"PID", "3 Value", "M1^^^H&1.2.3&ISO~M2^^^X"}, {"PID", "3 Repeats", "list of xx"}, {"PID", "3 Repeats 1 1 Value", "M2"}, {"PID", "3 REPEATS last 4 1", "X"},
		{"PID", "5 Repeats", "list of x"}, {"PID", "5 5 Value", `\"Dr.\"`}, {"PID", "3 Repeats 7", "nil"},
		{"PID", "3 Components", "list of xxxxx"}, {"PID", "3 4 Subcomponents", "list of xxxx"}, {"PID", "Fields", "list of xxxxxxxx"},
		{"OBX", "3 Value", "a&b"}, {"OBX", "5 Value", `x\\ny |^~\\ AÃ \\H\\z`}, {"OBX", "7", "nil"},
		{"NK1", "Value", "NK1|1|First"},
	} {
		if got := at(t, segment(t, m, c.segment), strings.Fields(c.path)...); got != c.want {
			t.Errorf("%s.%s: got %q, want %q", c.segment, c.path, got, c.want)
		}
	}
	if got := at(t, m, "Meta"); got != "list of "+strings.Repeat("x", 8) {
		t.Errorf("segments: %s", got)
	}
	if _, err := segment(t, m, "PID").(convert.Drop).Member("Name"); !convert.Is(err, convert.PropertyNotFound) {
		t.Errorf("an unknown member: %v", err)
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		code convert.Code
	}{
		{" \n", convert.NullOrWhiteSpaceInput}, {"PID|1", convert.InvalidHL7v2Message}, {"FHS|^~\\&", convert.InvalidHL7v2Message}, {"MSH|^~", convert.MissingHL7v2Separators},
		{"MSH|^^\\&|", convert.DuplicateHL7v2Separators}, {"MSH|^~#&|", convert.InvalidHL7v2EscapeCharacter}, {"MSH|^~\\&|\nOBX|\\X414\\", convert.InvalidHexadecimalNumber},
	} {
		_, err := hl7v2.Parse(c.text)
		if !convert.Is(err, convert.InputParsingError) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if cause := err.(*convert.Error).Cause; !convert.Is(cause, c.code) {
			t.Errorf("%q: caused by %v, want %d", c.text, cause, c.code)
		}
	}
}

// The character that ends a sequence begins none, so what follows is text.
func TestSequencesThatShareNoCharacter(t *testing.T) {
	t.Parallel()
	m := parse(t, "MSH|^~\\&|\nOBX|\\E\\X414\\|\\H\\X41\\")
	for n, want := range map[string]string{"1": `\\X414\\`, "2": `\\HA`} {
		if got := at(t, segment(t, m, "OBX"), n, "Value"); got != want {
			t.Errorf("field %s: got %q, want %q", n, got, want)
		}
	}
}

// A component counts as looked at when something of it is asked for, and not when a path or condition comes as far as it.
func TestReachingAComponentIsNotLooking(t *testing.T) {
	t.Parallel()
	m := parse(t, "MSH|^~\\&\nPID|A^B^C")
	at(t, segment(t, m, "PID"), "1", "1")
	at(t, segment(t, m, "PID"), "1", "2", "Value")
	at(t, segment(t, m, "PID"), "1", "Components", "3", "1")
	if got := m.Unused(); len(got) != 1 || len(got[0].Components) != 1 || got[0].Components[0] != (convert.Place{Start: 4, End: 5}) {
		t.Errorf("got %v", got)
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	if got := at(t, segment(t, parse(t, "MSH|^~\\&\nPID|caf\xe9"), "PID"), "1", "Value"); got != "caf\uFFFD" {
		t.Errorf("got %q", got)
	}
}

func TestOtherSeparators(t *testing.T) {
	t.Parallel()
	m := parse(t, "MSH#*@\\%#APP\nPID###A*B%C@D")
	if got := at(t, segment(t, m, "PID"), "3", "2", "2"); got != "C" {
		t.Errorf("got %q", got)
	}
	if got := at(t, segment(t, m, "PID"), "3", "repeats", "1", "value"); got != "D" {
		t.Errorf("got %q", got)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	m := parse(t, admission)
	call := func(name string, args ...convert.Value) convert.Value {
		t.Helper()
		v, err := hl7v2.Filters()[name](append([]convert.Value{m}, args...))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	member := func(v convert.Value, key string) convert.Value {
		found, _ := v.(*convert.Map).Get(key)
		return found
	}
	lists := call("get_segment_lists", "OBX|NTE|ZZZ").(*convert.Map)
	if lists.Len() != 2 || len(member(lists, "NTE").(*convert.List).Items) != 3 {
		t.Errorf("lists: %v", lists)
	}
	second := member(lists, "OBX").(*convert.List).Items[1]
	if related := member(call("get_related_segment_list", second, "NTE"), "NTE").(*convert.List); len(related.Items) != 2 || at(t, related.Items[0], "1", "Value") != "2" {
		t.Errorf("related: %v", related)
	}
	if parent := member(call("get_parent_segment", "NTE", int64(1), "OBX"), "OBX"); parent != second {
		t.Errorf("parent: %v", parent)
	}
	if call("get_parent_segment", "NTE", int64(9), "OBX").(*convert.Map).Len() != 0 {
		t.Error("there is no tenth segment")
	}
	if call("has_segments", "PID|NK1") != true || call("has_segments", "PID|ZZZ") != false {
		t.Error("has_segments")
	}
	parts := call("split_data_by_segments", "OBX").(*convert.List)
	if len(parts.Items) != 3 || at(t, parts.Items[2], "Data") != "list of xxx" {
		t.Errorf("parts: %v", parts)
	}
	if whole := call("split_data_by_segments", "ZZZ").(*convert.List); len(whole.Items) != 1 || whole.Items[0] != convert.Value(m) {
		t.Errorf("whole: %v", whole)
	}
	for name, f := range hl7v2.Filters() {
		if _, err := f([]convert.Value{m}); !convert.Is(err, convert.TemplateSyntaxError) {
			t.Errorf("%s without arguments: %v", name, err)
		}
	}
	if _, err := hl7v2.Filters()["has_segments"]([]convert.Value{"text", "PID"}); !convert.Is(err, convert.TemplateDataMismatch) {
		t.Errorf("data of another kind: %v", err)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"MSH|1\rPID|1\r", []string{"MSH|1\rPID|1\r"}},
		{"MSH|1\r\nPID|1\r\n\r\nMSH|2\r\nPID|2", []string{"MSH|1\r\nPID|1\r\n\r\n", "MSH|2\r\nPID|2"}},
		{"FHS|^~\\&\nBHS|^~\\&\nMSH|1\nPID|1\nBTS|1\nBHS|x\nmsh|2\nBTS|1\nFTS|2\n", []string{"MSH|1\nPID|1\n", "msh|2\n"}},
		{"PID|1\nMSH|1\n", []string{"PID|1\nMSH|1\n"}},
		{"", []string{""}},
		{"FHS|\nFTS|0", []string{"FHS|\nFTS|0"}},
	} {
		if got := hl7v2.Split(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q", c.text, got)
		}
	}
}

func TestUnused(t *testing.T) {
	t.Parallel()
	text := "MSH|^~\\&|APP\nPID|1||A^B~C\nNK1|1"
	m := parse(t, text)
	at(t, segment(t, m, "MSH"), "3", "Value")
	at(t, segment(t, m, "PID"), "3", "1", "Value")
	at(t, segment(t, m, "NK1"), "Value")
	lines := strings.Split(text, "\n")
	var got []string
	for _, u := range m.Unused() {
		for _, c := range u.Components {
			got = append(got, u.Type+" "+lines[u.Line-1][c.Start:c.End])
		}
	}
	if want := "PID 1,PID B,PID C"; strings.Join(got, ",") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// Every message of the public corpus is read, and all of its fields can be looked at.
func TestPublicMessages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../shared/data/hl7v2/messages/*")
	if err != nil || len(files) == 0 {
		t.Skip("NOT COVERED: public messages: ../shared is not there")
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := hl7v2.Parse(strings.TrimPrefix(string(b), "\ufeff"))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
			continue
		}
		look(t, m)
		if len(m.Unused()) > 0 {
			t.Errorf("%s: something was not looked at", filepath.Base(f))
		}
	}
}

// look looks at everything in a message.
func look(t testing.TB, m *hl7v2.Message) {
	t.Helper()
	data, err := m.Member("Data")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range data.(convert.Enumerable).Items() {
		fields, err := s.(convert.Drop).Member("Fields")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields.(convert.Enumerable).Items() {
			if f == nil {
				continue
			}
			repeats, err := f.(convert.Drop).Member("Repeats")
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range repeats.(convert.Enumerable).Items() {
				at(t, r, "Value")
				at(t, r, "1", "1")
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(admission)
	f.Add("MSH#*@\\%#APP\nPID###A*B%C@D")
	f.Add("MSH|^~\\&|\\X41\\\\.br\\|\\")
	f.Fuzz(func(t *testing.T, text string) {
		size := 0
		for _, message := range hl7v2.Split(text) {
			size += len(message)
		}
		if size > len(text) {
			t.Error("parts of a text are longer than it")
		}
		m, err := hl7v2.Parse(text)
		if err != nil {
			if !convert.Is(err, convert.InputParsingError) {
				t.Errorf("%v", err)
			}
			return
		}
		m.Unused()
		look(t, m)
		m.Unused()
	})
}

func BenchmarkParse(b *testing.B) {
	text := admission + strings.Repeat("OBX|1|TX|code^text^system||a value of some words||\r", 40)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		look(b, parse(b, text))
	}
}
