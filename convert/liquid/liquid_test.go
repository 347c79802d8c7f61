package liquid_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"salus/convert"
	"salus/convert/jsontext"
	"salus/convert/liquid"
)

// vars makes variables of JSON. Lists in it are fixed, as those of sources are.
func vars(t testing.TB, text string) map[string]convert.Value {
	t.Helper()
	if text == "" {
		return nil
	}
	v, err := jsontext.Read([]byte(text), jsontext.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := v.(*convert.Map)
	all := map[string]convert.Value{}
	for i := range m.Len() {
		key, value := m.At(i)
		all[key] = value
	}
	return all
}

// set makes a set of a root template and others, each a name, a line end and the text.
func set(t testing.TB, template string, partials ...string) *liquid.Set {
	t.Helper()
	files := []liquid.File{{Path: "root.liquid", Content: []byte(template)}}
	for _, p := range partials {
		name, text, _ := strings.Cut(p, "\n")
		files = append(files, liquid.File{Path: name, Content: []byte(text)})
	}
	s, err := liquid.New(files, liquid.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var clock = liquid.Run{Now: func() time.Time { return time.Date(2025, 3, 4, 5, 6, 7, 80_000_000, time.UTC) }}

func TestTemplates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, template, vars, want string }{
		// Lexing.
		{"a minus takes one line end", "a{% assign x = 1 -%}\n\nb", "", "a\nb"},
		{"or one run of blanks", "a{% assign x = 1 -%}  \nb", "", "a\nb"},
		{"never both", "a{% assign x = 1 -%}\n  b", "", "a  b"},
		{"a minus takes blanks before, but no line end", "a\n  {%- assign x = 1 %}b", "", "a\nb"},
		{"output, too", "a {{- 'x' -}}\nb", "", "axb"},
		{"quotes hide braces", `{{ '}}' }}{% assign x = "%}" %}{{ x }}`, "", "}}%}"},
		{"braces within a tag's value", "{% assign n = 2 %}{% assign x = 'abcd' | slice: 0, {{n}} %}{{ x }}", "", "ab"},
		{"raw", "{% raw %}{{ x }}{% endraw %}", "", "{{ x }}"},
		{"comment", "a{% comment %}{{ x | }}{% nothing %}{% endcomment %}b", "", "ab"},
		{"a brace alone", "{ {a} %} }}", "", "{ {a} %} }}"},

		// Names and paths.
		{"names in any case", "{% assign Abc = 1 %}{{ aBC }}", "", "1"},
		{"keys in their case", "{{ m.a }}{{ m.A }}", `{"m":{"a":1}}`, "1"},
		{"dots more than one, and other signs", "{{ m..a }}{{ m:a }}", `{"m":{"a":1}}`, "11"},
		{"brackets", `{{ m["x:y"] }}{{ m[k] }}`, `{"m":{"x:y":1,"z":2},"k":"z"}`, "12"},
		{"digits as a key", "{{ m.2_16 }}", `{"m":{"2_16":"x"}}`, "x"},
		{"an item", "{{ l[1] }}{{ l.first }}{{ l.last }}{{ l.size }}", `{"l":[1,2,3]}`, "2133"},
		{"a variable by a name out of data", "{% assign x = 1 %}{{ [k] }}{{ ['nothing'] }}", `{"k":"X"}`, "1"},
		{"a dotted number is no item", "{{ l.1 }}", `{"l":[1,2,3]}`, ""},
		{"ends of a text", "{{ s.size }}{{ s.first }}{{ s.last }}", `{"s":"abc"}`, "3ac"},
		{"nothing on the way", "{{ m.a.b.c }}", `{"m":{}}`, ""},

		// Output.
		{"values", "{{ a }} {{ b }} {{ c }} {{ d }}", `{"a":true,"b":1.10,"c":null,"d":"x"}`, "true 1.1  x"},
		{"lists", "{{ l }}", `{"l":[1,"a",true,null]}`, "1aTrue"},
		{"dictionaries", "{{ m }}", `{"m":{"a":1,"b":"x"}}`, "[a, 1][b, x]"},
		{"decimals", "{{ 1.50 }}", "", "1.5"},

		// Scopes.
		{"assign is seen by all", "{% include 'p' %}{{ x }}", "", "1"},
		{"an attribute hides what is assigned", "{% include 'shadow' x: 2 %}{{ x }}", "", "23"},
		{"attributes see those before them", "{% include 'two' A: 'v', B: A %}", "", "vv"},
		{"variables that were given can be assigned", "{% assign g = 2 %}{{ g }}", `{"g":1}`, "2"},

		// Conditions.
		{"an empty text is true", "{% if '' %}a{% endif %}{% if 0 %}b{% endif %}{% if nothing %}c{% endif %}", "", "ab"},
		{"no precedence", "{% if false and true or true %}a{% else %}b{% endif %}", "", "b"},
		{"from the right", "{% if true or false and false %}a{% else %}b{% endif %}", "", "a"},
		{"number and text", "{% if '1' == 1 %}a{% endif %}{% if 1 == '1' %}b{% endif %}", "", "ab"},
		{"truth and text", "{% if t == 'true' %}a{% endif %}{% if 'true' == t %}b{% endif %}", `{"t":true}`, "a"},
		{"empty", "{% if l == empty %}a{% endif %}{% if nothing == empty %}b{% endif %}{% if '' == empty %}c{% endif %}", `{"l":[]}`, "ac"},
		{"nothing has no order", "{% if nothing < 1 %}a{% endif %}{% if 1 > nothing %}b{% endif %}", "", ""},
		{"order takes the left one's kind", "{% if 2 < '10' %}a{% endif %}{% if '2' < '10' %}b{% endif %}", "", "a"},
		{"contains", "{% if 'abc' contains 'b' %}a{% endif %}{% if l contains 2 %}b{% endif %}", `{"l":[1,2]}`, "ab"},
		{"else if is else", "{% if false %}a{% else if false %}b{% endif %}", "", "b"},
		{"elsif and elseif", "{% if false %}a{% elsif false %}b{% elseif true %}c{% endif %}", "", "c"},
		{"unless", "{% unless false %}a{% else %}b{% endunless %}", "", "a"},
		{"parentheses are trimmed", "{% if (false and false) or true %}a{% else %}b{% endif %}", "", "b"},
		{"keys", "{% if m hasKey 'a' %}a{% endif %}{% if m hasValue 2 %}b{% endif %}", `{"m":{"a":1}}`, "a"},
		{"starts and ends", "{% if 'abc' startsWith 'a' %}a{% endif %}{% if 'abc' endsWith 'c' %}b{% endif %}", "", "ab"},
		{"every branch that has the value", "{% case 1 %}x{% when 1 %}a{% when 2, 1 %}b{% else %}c{% endcase %}", "", "ab"},
		{"no branch has it", "{% case 3 %}{% when 1 or 2 %}a{% else %}c{% endcase %}", "", "c"},

		// Loops.
		{"over a text", "{% for c in 'abc' %}{{ c }}.{% endfor %}", "", "a.b.c."},
		{"over a range", "{% for i in (1..3) %}{{ i }}{% endfor %}", "", "123"},
		{"over nothing", "{% for i in nothing %}a{% else %}b{% endfor %}", "", "b"},
		{"over a dictionary", "{% for p in m %}{{ p[0] }}={{ p.Value }};{{ p.x }}{% endfor %}", `{"m":{"a":1,"b":{"x":2}}}`, "a=1;b=[x, 2];2"},
		{"parts of one",
			"{% for i in l limit:2 offset:1 %}{{ i }}{% endfor %}{% for i in l limit:1 offset:continue %}-{{ i }}{% endfor %}", `{"l":[1,2,3,4]}`, "23-4"},
		{"backwards", "{% for i in l reversed %}{{ i }}{% endfor %}", `{"l":[1,2,3]}`, "321"},
		{"its state",
			"{% for i in l %}{{ forloop.index }}{{ forloop.index0 }}{{ forloop.rindex }}{{ forloop.first }}{{ forloop.last }} {% endfor %}",
			`{"l":[1,2]}`, "102truefalse 211falsetrue "},
		{"break and continue",
			"{% for i in l %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", `{"l":[1,2,3,4,5]}`, "13"},
		{"a break ends with its template", "{% for i in l %}{% include 'breaks' %}{{ i }}{% endfor %}", `{"l":[1,2]}`, "a1a2"},
		{"cycle", "{% for i in l %}{% cycle 'a', 'b' %}{% endfor %}", `{"l":[1,2,3]}`, "aba"},
		{"ifchanged", "{% for i in l %}{% ifchanged %}{{ i }}{% endifchanged %}{% endfor %}", `{"l":[1,1,2]}`, "12"},
		{"tablerow", "{% tablerow i in l cols:2 %}{{ i }}{% endtablerow %}", `{"l":[1,2,3]}`,
			"<tr class=\"row1\">\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\n<tr class=\"row2\"><td class=\"col1\">3</td></tr>\n"},

		// Templates within templates.
		{"with binds the name", "{% include 'Patient' with p %}", `{"p":{"a":1}}`, "1"},
		{"a list renders once for each", "{% include 'item' with l %}", `{"l":[1,2]}`, "1,2,"},
		{"a text of the template's name renders once for each character", "{% assign item = 'ab' %}{% include 'item' %}", "", "a,b,"},
		{"and not at all when it is empty", "{% assign item = '' %}{% include 'item' %}", "", ""},
		{"evaluate trims", "{% evaluate x using 'blanks' -%}[{{ x }}]", "", "[a b]"},
		{"evaluate of nothing", "{% evaluate x using 'none' %}{% if x == nil %}nil{% endif %}", "", "nil"},
		{"capture", "{% capture x %} a {% endcapture %}[{{ x }}]", "", "[ a ]"},
		{"batch_render", "{{ l | to_array | batch_render: 'dir/item', 'i', 'all' }}", `{"l":[1,2]}`, "1/2,2/2,"},

		// mergeDiff.
		{"members replaced and added",
			`{% mergeDiff m -%}{"a": "x", "c": , "d": [1,],}{% endmergeDiff -%}`, `{"m":{"a":1,"b":2}}`, `{"a":"x","b":2,"c":"","d":[1]}`},
		{"nothing changes nothing", "{% mergeDiff m -%} {% endmergeDiff -%}", `{"m":{"a":1}}`, `{"a":1}`},
		{"of nothing", "{% mergeDiff m -%}{}{% endmergeDiff -%}", "", `""`},
		{"a choice", `{% mergeDiff m -%}{"value[x]": ""}{% endmergeDiff -%}`, `{"m":{"valueString":"s","b":1}}`, `{"valueString":"","b":1}`},

		// Filters that are not like others.
		{"an unknown one does nothing", "{{ 'a' | appand: 'b' }}", "", "a"},
		{"commas too many", "{{ 'a' | append : , 'b' }}", "", "ab"},
		{"a blank before the colon", "{{ nothing | default : 'x' }}", "", "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := set(t, c.template, "p.liquid\n{% assign x = 1 %}", "shadow.liquid\n{% assign x = 3 %}{{ x }}", "two.liquid\n{{ A }}{{ b }}",
				"breaks.liquid\na{% break %}b",
				"Patient.liquid\n{{ Patient.a }}", "item.liquid\n{{ item }},", "blanks.liquid\n \n a b\t\n", "none.liquid\n  ",
				"dir/_item.liquid\n{{ i }}/{{ all.size }}")
			got, err := s.Render(context.Background(), nil, "root", vars(t, c.vars), clock)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, vars, want string }{
		{"'MRN12345' | generate_uuid", "", "e7ce584a-acf4-7cf0-5b4e-d4961c8123e2"},
		{"' ' | generate_uuid", "", ""},
		{"' a ' | generate_id_input: 'Patient', false", "", "Patient_a"},
		{"'a' | generate_id_input: 'Patient', true, 'b'", "", "Patient_a_b"},
		{"'a' | generate_id_input: 'Patient', false, ''", "", "Patient_a_"},
		{"'20040629175400000' | format_as_date_time | default: 'x'", "", "1307"},
		{"'2004' | format_as_date_time", "", "2004"},
		{"'200406' | format_as_date_time", "", "2004-06"},
		{"'20040629' | format_as_date_time", "", "2004-06-29"},
		{"'2004062917' | format_as_date_time", "", "2004-06-29T17:00:00Z"},
		{"'20040629175400.123-0500' | format_as_date_time", "", "2004-06-29T17:54:00.123-05:00"},
		{"'20040629175400-0500' | format_as_date_time: 'utc'", "", "2004-06-29T22:54:00Z"},
		{"'20040629175400+00' | format_as_date_time", "", "1307"},
		{"'20040629' | format_as_date_time: 'x'", "", "1309"},
		{"'20040629175400-0800' | add_hyphens_date: 'utc'", "", "2004-06-30"},
		{"'20040629' | add_hyphens_date", "", "2004-06-29"},
		{"'1970-01-01T00:00:00Z' | add_seconds: 60.5", "", "1970-01-01T00:01:00.500Z"},
		{"'2004-06-29T17:54:00.1+02:00' | format_as_hl7v2_date_time", "", "20040629175400.1+0200"},
		{"'2004-06' | format_as_hl7v2_date_time", "", "200406"},
		{"'' | now", "", "2025-03-04T05:06:07.08Z"},
		{"'' | now: 'yyyy-MM-dd'", "", "2025-03-04"},
		{"'2004-06-29' | date: 'MM/dd/yyyy'", "", "06/29/2004"},
		{"'2004-06-29T17:54:00Z' | date: 'ddd d MMM yy h:mm tt'", "", "Tue 29 Jun 04 5:54 PM"},
		{"'no date' | date: 'yyyy'", "", "no date"},
		{"'a b' | replace: ' ', '_'", "", "a_b"},
		{"'a1b22' | replace: '[0-9]+', '#'", "", "a#b#"},
		{"'aa' | replace_first: 'a', 'b'", "", "ba"},
		{"'a,,b' | split: ',' | size", "", "2"},
		{"'' | split: ',' | size", "", "1"},
		{"'  ' | default: 'x'", "", "x"},
		{"'a' | plus: 1", "", "a1"},
		{"1 | plus: 2", "", "3"},
		{"7 | divided_by: 2", "", "3"},
		{"7.0 | divided_by: 2", "", "3.5"},
		{"'ab' | times: 2", "", "abab"},
		{"'2' | times: 1.0", "", "2"},
		{"'hello world' | capitalize", "", "Hello World"},
		{"l | sort | join: ','", `{"l":["b","A","c"]}`, "A,b,c"},
		{"nothing | append: 'a'", "", ""},
		{"'abc' | slice: 5", "", ""},
		{"'abc' | slice: 1, 5", "", "bc"},
		{"'abc' | slice: -2, 1", "", "b"},
		{"'abc' | remove: ''", "", "1301"},
		{"'abc' | char_at: 1", "", "b"},
		{"'abc' | char_at: 3", "", "1301"},
		{"'a1b2' | match: '[0-9]' | first", "", "1"},
		{"'abc' | contains: 'b'", "", "true"},
		{"1 | is_nan", "", "true"},
		{"'x' | is_nan", "", "false"},
		{"1 | divide: 0", "", "Infinity"},
		{"-2.7 | truncate_number", "", "-2"},
		{"2 | pow: 10", "", "1024"},
		{"'-3' | sign", "", "-1"},
		{`'a"b\' | escape_special_chars`, "", `a\"b\\`},
		{"'abc' | sha1_hash", "", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"'abc' | base64_encode", "", "YWJj"},
		{"'YWJj' | base64_decode", "", "abc"},
		{"'abc' | gzip | gunzip_base64_string", "", "abc"},
		{"m | to_json_string", `{"m":{"a":1.0,"b":[null,"é/\u0001"]}}`, `{"a":1.0,"b":[null,"é/\u0001"]}`},
		{"nothing | to_json_string | default: 'x'", "", "x"},
		{"l | concat: l", `{"l":[1]}`, "1301"},
		{"l | to_array | concat: nothing | size", `{"l":[1]}`, "1"},
		{"m | to_array | size", `{"m":{"a":1,"b":2}}`, "1"},
		{"l | map: 'a' | join: ','", `{"l":[{"a":1},{"a":2}]}`, "1,2"},
		{"l | where: 'a', 2 | size", `{"l":[{"a":1},{"a":2}]}`, "1"},
		{"l | uniq | size", `{"l":[1,1,2]}`, "2"},
		{"l | reverse | join: ''", `{"l":[1,2]}`, "21"},
		{"'abcdef' | truncate: 5", "", "ab..."},
		{"'a b c' | truncate_words: 2", "", "a b..."},
		{"'<b>x</b>' | strip_html", "", "x"},
		{"m | upcase", `{"m":{}}`, "1301"},
		{"'{}' | evaluate: '$.a'", "", "1301"},
		{"'F' | get_property: 'CodeSystem/Gender', 'display'", "", "Female"},
		{"'F' | get_property: 'CodeSystem/Gender'", "", "female"},
		{"'X' | get_property: 'CodeSystem/Gender', 'code'", "", "unknown"},
		{"'X' | get_property: 'CodeSystem/None', 'code'", "", "X"},
		{"'X' | get_property: 'CodeSystem/None', 'system'", "", ""},
	} {
		t.Run(c.expression, func(t *testing.T) {
			t.Parallel()
			s := set(t, "{{ "+c.expression+" }}", `CodeSystem/CodeSystem.json
{"Mapping":{"CodeSystem/Gender":{"F":{"code":"female","display":"Female"},"__default__":{"code":"unknown"}}}}`)
			got, err := s.Render(context.Background(), nil, "root", vars(t, c.vars), clock)
			if err != nil {
				got = []byte(strings.TrimPrefix(err.Error(), "root, line 1: ")[:4])
			}
			if string(got) != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestErrorsNameTheirPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, template string
		code           convert.Code
		place          string
	}{
		{"a quote that does not end", "\n{{ 'a }}", convert.TemplateSyntaxError, "root, line 2"},
		{"a tag that does not end", "a\n{% if true", convert.TemplateSyntaxError, "root, line 2"},
		{"a line end within a tag", "{{ a |\n append: 'b' }}", convert.TemplateSyntaxError, "root, line 1"},
		{"an unknown tag", "\n\n{% nothing %}", convert.TemplateSyntaxError, "root, line 3"},
		{"a block that does not end", "a\n{% if true %}b", convert.TemplateSyntaxError, "root, line 2"},
		{"an end without a block", "{% endif %}", convert.TemplateSyntaxError, "root, line 1"},
		{"an unknown operator", "{% if 1 ~ 2 %}{% endif %}", convert.TemplateSyntaxError, "root, line 1"},
		{"a missing argument", "\n{{ 'a' | append }}", convert.TemplateSyntaxError, "root, line 2"},
		{"a missing template", "\n\n{% include 'none' %}", convert.TemplateNotFound, "root, line 3"},
		{"an item that is not there", "{{ l[5] }}", convert.TemplateRenderingError, "root, line 1"},
		{"a missing template of a name out of data",
			"{% include m.a %}", convert.TemplateNotFound, "root, line 1: 1305: there is no template of the name that is made here"},
		{"an error within a template", "\n{% include 'bad' %}", convert.TemplateRenderingError, "bad, line 2"},
		{"templates without end", "{% include 'root' %}", convert.TemplateRenderingError, "root, line 1"},
		{"mergeDiff of no dictionary", "{% mergeDiff l -%}{}{% endmergeDiff %}", convert.InvalidInputOfMergeDiffBlock, "root, line 1"},
		{"a block that is no JSON", "{% mergeDiff m -%}{a b}{% endmergeDiff %}", convert.InvalidMergeDiffBlockContent, "root, line 1"},
		{"validate", "{% validate 'x.schema.json' %}{}{% endvalidate %}", convert.InvalidJSONSchema, "root, line 1"},
		{"numbers that are compared with lists", "{% if 1 < l %}{% endif %}", convert.TemplateRenderingError, "root, line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := set(t, c.template, "bad.liquid\nx\n{{ l | upcase }}")
			_, err := s.Render(context.Background(), nil, "root", vars(t, `{"l":[1],"m":{"a":"secret"}}`), liquid.Run{})
			if !convert.Is(err, c.code) || !strings.HasPrefix(err.Error(), c.place) {
				t.Errorf("got %v; want %d at %s", err, c.code, c.place)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	run := func(template string, ctx context.Context, o liquid.Run) error {
		_, err := set(t, template).Render(ctx, nil, "root", nil, o)
		return err
	}
	background := context.Background()
	err := run("{% for i in (1..11) %}{% endfor %}", background, liquid.Run{MaxIterations: 10})
	if !convert.Is(err, convert.TemplateRenderingError) {
		t.Errorf("a long loop: %v", err)
	}
	err = run("{% for i in (1..1000) %}0123456789{% endfor %}", background, liquid.Run{MaxOutput: 100})
	if !convert.Is(err, convert.TemplateRenderingError) {
		t.Errorf("much output: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run("{% for i in (1..1000) %}a{% endfor %}", ctx, liquid.Run{}); !convert.Is(err, convert.TimeoutError) {
		t.Errorf("a rendering whose time is over: %v", err)
	}
	if _, err := set(t, "").Render(context.Background(), nil, "", nil, liquid.Run{}); !convert.Is(err, convert.NullOrEmptyRootTemplate) {
		t.Errorf("no root: %v", err)
	}
	if _, err := set(t, "").Render(context.Background(), nil, "none", nil, liquid.Run{}); !convert.Is(err, convert.TemplateNotFound) {
		t.Errorf("a root that is not there: %v", err)
	}
}

func TestTemplatesAreFoundBelowTheRootsFolder(t *testing.T) {
	t.Parallel()
	s := set(t, "", "v2/A.liquid\n{% include 'Part/P' %}{{ 'F' | get_property: 'G' }}", "v2/Part/_P.liquid\nin v2 ", "Part/_P.liquid\nat the top ",
		`v2/CodeSystem/CodeSystem.json`+"\n"+`{"Mapping":{"G":{"F":{"code":"f"}}}}`)
	got, err := s.Render(context.Background(), nil, "v2/A", nil, liquid.Run{})
	if err != nil || string(got) != "in v2 f" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A template that two roots share finds others below the folder of the root that is rendered.
func TestSharedTemplatesFollowTheirRoot(t *testing.T) {
	t.Parallel()
	s := set(t, "{% include 'v2/P' %}", "v2/A.liquid\n{% include 'P' %}", "v2/_P.liquid\n{% include 'Q' %}", "Q.liquid\ntop", "v2/_Q.liquid\nv2")
	for range 2 {
		for root, want := range map[string]string{"root": "top", "v2/A": "v2"} {
			if got, err := s.Render(context.Background(), nil, root, nil, liquid.Run{}); err != nil || string(got) != want {
				t.Errorf("%s: got %q, %v; want %q", root, got, err, want)
			}
		}
	}
}

// Whatever a template is, it is compiled and rendered in bounded time or refused.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"{% for a in b limit:2 %}{{ a | append: 'x' | split: ',' }}{% else %}{% endfor %}", "{% if a == 1 and b or c contains 'x' %}{% elsif %}{% endif %}",
		"{% case a %}{% when 1, 2 %}{% else %}{% endcase %}", "{% evaluate x using 'root' a: b %}", "{{- a[b.c]['d'].0 | default : 1.5 -}}",
		"{% mergeDiff m -%}{\"a\":1,}{% endmergeDiff -%}", "{% capture a %}{% raw %}{% endraw %}{% comment %}{% endcomment %}{% endcapture %}",
		"{% tablerow a in (1..3) cols:2 %}{% endtablerow %}",
		"{{{ a }}}", "{# a #}", "{{ a | replace: '(x)', '$1${1}$&$+' | capitalize | split: '' | sort | uniq | join }}",
		"{{ 1.5 | round: 2 | times: '1e9' }}",
		"{% ifchanged %}{% break %}{% endifchanged %}{% literal %}{{ -}}{% endliteral %}", "{{ '2004' | add_seconds: 1.5 | date: 'gg FFF zz' }}",
		"{% if a == empty and b > 1 or m hasKey 'a' %}{{ forloop.index }}{% endif %}", "{{ a | slice: -1, 2 | truncate: 1 | escape | url_encode }}",
		"{{ '20040629' | format_as_date_time: 'utc' | date: 'yyyy %K' }}", "{% cycle 'a': 1, 2 %}{% include 'root' with a for: b %}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, template string) {
		s, err := liquid.New([]liquid.File{{Path: "root.liquid", Content: []byte(template)}}, liquid.Options{})
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		given := vars(t, `{"a":[1,"x",{"b":null}],"b":{"c":"d"},"m":{"a":1}}`)
		_, err = s.Render(ctx, nil, "root", given, liquid.Run{MaxIterations: 100, MaxOutput: 1 << 16})
		if convert.Is(err, convert.TimeoutError) {
			t.Error("a template took more than five seconds")
		}
	})
}
