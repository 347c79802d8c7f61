package liquid_test

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"

	"salus/convert"
	"salus/convert/liquid"
)

// outcome renders a template and returns what it writes, or of an error the code.
func outcome(t *testing.T, s *liquid.Set, given string, o liquid.Run) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	got, err := s.Render(ctx, nil, "root", vars(t, given), o)
	if err == nil {
		return string(got)
	}
	for _, code := range []convert.Code{
		convert.InvalidCodeMapping, convert.TemplateSyntaxError, convert.InvalidJSONSchema, convert.TemplateRenderingError, convert.TemplateNotFound,
		convert.TimeoutError, convert.InvalidDateTimeFormat, convert.InvalidIDGenerationInput, convert.InvalidTimeZoneHandling,
		convert.InvalidMergeDiffBlockContent, convert.InvalidInputOfMergeDiffBlock,
	} {
		if convert.Is(err, code) {
			return fmt.Sprint(int(code))
		}
	}
	return err.Error()
}

const given = `{"t":true,"f":false,"l":["b","B","a"],"lb":[true,1],"m":{"a":1},"n":1,"d":1.5,"wide":"😀b","e":[],"o":{},"zero":0,
	"big":123456789012345678901}`

// Rules that no template of the reference exercises, so that its corpus does not hold them.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, template, want string }{
		// Lexing.
		{"hyphens count within quotes, too", "{{ '-%} ' }}", "%}"},
		{"and within raw text", "{% raw %}{{ a -}} b{%  x  %}{% endraw %}", "{{ a }}b{%  x  %}"},
		{"and where there is no tag", "a -%}\nb", "a %}b"},
		{"of two line ends the first goes", "{% assign x = 1 -%}\r\n\r\na", "\r\na"},
		{"blanks before are taken up to a line end", "a\n \t{{- n }}", "a\n1"},
		{"a hyphen that ends a name", "{% assign x- = 2 %}{{ x- }}", "2"},
		{"a comment may have anything in it", "{% comment %}don't {{ ' }} {% if %} {% endif{% endcomment %}x", "x"},
		{"an end with blanks", "{% raw %}{% end %}{%\tendraw  %}x", "{% end %}x"},
		{"an end that does not come", "{% comment %}{% endraw %}", "1104"},
		{"nothing between", "a{% comment %}{% endcomment %}{% raw %}{% endraw %}b", "ab"},
		{"literal", "{% literal %}{{ a }}{% endliteral %}", "{{ a }}"},
		{"three braces around all", "{{{ {{ n }} }}}", " {{ n }} "},
		{"but not around a part", "{{{ n }}}x", "}x"},
		{"a number sign", "{# {{ n }} #}", ""},
		{"but not around a part of it", "{# n #}x", "{# n #}x"},
		{"a line ends at the beginning of an output", "{{\n n }}", "1104"},
		{"at its end", "{{ n\n}}", "1104"},
		{"at the end of a tag", "{% assign x = 1\n%}", "1104"},
		{"behind the name of a tag", "{% assign\nx = 1 %}{{ x }}", "1"},
		{"a byte order mark", "\uFEFF{{ n }}", "1"},
		{"braces that do not close", "{{ n", "1104"},
		{"a tag without a name", "{% %}", "1104"},

		// Names and literals.
		{"whole numbers and decimals", "{{ +5 }} {{ -5 }} {{ 1. }} {{ 1.50 }} {{ -0.10 }} {{ 123456789012345678901 }}",
			"5 -5 1 1.5 -0.1 123456789012345678901"},
		{"more digits than a decimal has are a name", "{{ 1234567890123456789012345678901234567890 }}", ""},
		{"nothing and its names", "[{{ nil }}{{ null }}{{ nothing }}]", "[]"},
		{"an empty bracket", "{{ m[] }}{{ m['a'] }}", "[a, 1]1"},
		{"an item before the first", "{{ l[-1] }}", "1301"},
		{"one behind the last", "{{ l[3] }}", "1301"},
		{"an item by a text", "{{ l['1'] }}", ""},
		{"size of a dictionary", "{{ m.size }}{{ o.first }}", "1"},
		{"a number as a key", "{{ m[n] }}", ""},
		{"a truth value goes nowhere", "{{ t.size }}{{ n.first }}", ""},

		// Comparing.
		{"the right one is taken for an integer", "{% if 1 == '1.0' %}a{% else %}b{% endif %}", "b"},
		{"or rounded to one", "{% if 2 == d %}a{% endif %}{% if 1 < 1.4 %}b{% endif %}{% if 1 < 1.6 %}c{% endif %}", "ac"},
		{"decimals", "{% if 1.50 == d %}a{% endif %}{% if d == 1.50 %}b{% endif %}{% if 1.5 == '1.5' %}c{% endif %}", "abc"},
		{"the left one is taken for a text", "{% if n == 'x' %}a{% else %}b{% endif %}{% if t == 'True' %}c{% endif %}", "bc"},
		{"a truth value and a number", "{% if t == 2 %}a{% endif %}{% if f == zero %}b{% endif %}{% if n == t %}c{% endif %}", "abc"},
		{"a text and a truth value", "{% if 'True' == t %}a{% endif %}", "a"},
		{"nothing equals nothing only", "{% if nothing == null %}a{% endif %}{% if nothing == f %}b{% endif %}{% if nothing != '' %}c{% endif %}", "ac"},
		{"empty", "{% if e == empty %}a{% endif %}{% if empty == o %}b{% endif %}{% if m == empty %}c{% endif %}{% if 0 == empty %}d{% endif %}", "ab"},
		{"blank is empty", "{% if ' ' == blank %}a{% endif %}{% if '' == blank %}b{% endif %}{% if empty == blank %}c{% endif %}", "bc"},
		{"a list is itself only", "{% if l == l %}a{% endif %}{% if l == e %}b{% endif %}{% if l == 'b' %}c{% endif %}", "a"},
		{"large numbers", "{% if big == big %}a{% endif %}{% if big > 1 %}b{% endif %}", "ab"},
		{"order of a number and what is none", "{% if 1 < 'x' %}a{% endif %}", "1301"},
		{"order of a text and a number", "{% if '10' < 9 %}a{% endif %}", "a"},
		{"order of lists", "{% if l < e %}a{% endif %}", "1301"},
		{"order of truth values", "{% if f < t %}a{% endif %}{% if t <= t %}b{% endif %}{% if t < f %}c{% endif %}", "ab"},
		{"order of decimals and doubles", "{% if 1.4 < d %}a{% endif %}{% if d <= 1.4 %}b{% endif %}{% if d >= n %}c{% endif %}", "ac"},
		{"order of letters", "{% if 'a' < 'B' %}a{% endif %}{% if 'a' < 'A' %}b{% endif %}{% if 'B' < 'a' %}c{% endif %}", "ab"},
		{"other names of operators", "{% if 1 <> 2 %}a{% endif %}{% if 'ab' starts_with 'a' %}b{% endif %}{% if l EndsWith 'a' %}c{% endif %}", "abc"},
		{"ends of lists", "{% if l startsWith 'b' %}a{% endif %}{% if e startsWith 'b' %}b{% endif %}{% if e endsWith 'b' %}c{% endif %}", "a"},
		{"keys and values", "{% if m has_key 'a' %}a{% endif %}{% if m HasValue 1 %}b{% endif %}{% if l hasKey 'a' %}c{% endif %}", "ab"},
		{"a key that is a list", "{% if m hasKey l %}a{% endif %}", "1301"},
		{"contains nothing in a text", "{% if 'x' contains nothing %}a{% endif %}", "1301"},
		{"contains in nothing", "{% if nothing contains 'x' %}a{% endif %}{% if t contains 'x' %}b{% endif %}", ""},
		{"an and that is no word", "{% if m.and == null or orange %}a{% endif %}", "a"},
		{"a value is wanted", "{% if %}{% endif %}", "1104"},
		{"a value is wanted behind and", "{% if t and %}{% endif %}", "1104"},

		// Branches.
		{"else before a branch that has the value", "{% case n %}a{% else %}b{% when 1 %}c{% else %}d{% endcase %}", "bc"},
		{"a value twice in one branch", "{% case n %}{% when 1, 1 %}a{% endcase %}", "aa"},
		{"elsif within unless", "{% unless t %}a{% elsif t %}b{% else %}c{% endunless %}", "b"},
		{"case that does not end", "{% case n %}{% when 1 %}", "1104"},
		{"else of nothing", "{% else %}", "1104"},

		// Loops.
		{"state", "{% for i in l limit: 2 %}{{ forloop.name }} {{ forloop.length }} {{ forloop.rindex0 }}{{ forloop.none }};{% endfor %}",
			"i-l 2 1;i-l 2 0;"},
		{"limits that are texts", "{% for i in l limit: '1' offset: '1' %}{{ i }}{% endfor %}", "B"},
		{"an offset beyond", "{% for i in l offset: 9 %}{{ i }}{% else %}none{% endfor %}", "none"},
		{"backwards in part", "{% for i in l reversed limit: 2 %}{{ i }}{% endfor %}", "Bb"},
		{"a number", "{% for i in n %}{{ i }}{% else %}none{% endfor %}", "none"},
		{"a range of names", "{% for i in (n..m.size) %}{{ i }}{% endfor %}{% for i in (3..n) %}{{ i }}{% endfor %}", "1"},
		{"the key and the value of a member", "{% for p in m %}{{ p.Key }}{{ p.itemName }}{{ p[1] }}{{ p.a }}{{ p }}{% endfor %}", "aa11[a, 1]"},
		{"a break leaves a capture unassigned", "{% for i in l %}{% capture x %}a{% break %}{% endcapture %}{% endfor %}[{{ x }}]", "[]"},
		{"and mergeDiff unwritten", "{% for i in l %}{% mergeDiff m -%}{% break %}{}{% endmergeDiff %}{{ i }}{% endfor %}", ""},
		{"it passes case and unless", "{% for i in l %}{% case 1 %}{% when 1 %}{% unless f %}{% break %}{% endunless %}{% endcase %}{{ i }}{% endfor %}",
			""},
		{"the inner loop ends", "{% for i in l %}{% for k in l %}{% break %}{% endfor %}{{ i }}{% endfor %}", "bBa"},
		{"a break in no loop ends the template", "a{% break %}b", "a"},
		{"cycles by name", "{% cycle 'a': 1, 2 %}{% cycle 'b': 1, 2 %}{% cycle 'a': 1, 2 %}{% cycle n: 1, 2 %}", "1121"},
		{"cycle of nothing", "{% cycle %}", "1104"},
		{"columns", "{% tablerow i in l cols: 2 limit: 3 %}{{ tablerowloop.col }}{{ tablerowloop.col0 }}{{ tablerowloop.col_first }}" +
			"{{ tablerowloop.col_last }}{{ tablerowloop.index }}{% endtablerow %}",
			"<tr class=\"row1\">\n<td class=\"col1\">10truefalse1</td><td class=\"col2\">21falsetrue2</td></tr>\n" +
				"<tr class=\"row2\"><td class=\"col1\">10truefalse3</td></tr>\n"},

		// Scopes and templates.
		{"a loop's name hides what is assigned", "{% for i in l limit: 1 %}{% assign i = 9 %}{{ i }}{% endfor %}{{ i }}", "b9"},
		{"commas and blanks between attributes", "{% include 'two', a : 1 b:2,, %}", "12"},
		{"of one name the last counts", "{% include 'two' a: 1, A: 2 %}", "2"},
		{"names of templates have their case", "{% include 'Two' %}", "1305"},
		{"with and a colon reads a name of the caller's", "{% assign A = 'xy' %}{% include 'two' with A: 1 %}", "11"},
		{"for", "{% include 'one' for l %}", "bBa"},
		{"a dictionary is gone through", "{% include 'one' with m %}", "[a, 1]"},
		{"a template by a name out of data", "{% assign x = 'two' %}{% include x a: 3 %}", "3"},
		{"evaluate for nothing", "{% assign v = 1 %}{% evaluate v using 'blank' %}[{{ v }}]", "[]"},
		{"evaluate without using", "{% evaluate v 'blank' %}", "1104"},
		{"include of nothing", "{% include %}", "1104"},
		{"assign without a value", "{% assign x %}", "1104"},
		{"capture without a name", "{% capture %}{% endcapture %}", "1104"},
		{"mergeDiff without a name", "{% mergeDiff %}{% endmergeDiff %}", "1104"},
		{"a choice without a name", `{% mergeDiff m -%}{"[x]": 1}{% endmergeDiff %}`, "1310"},
		{"a choice of nothing", `{% mergeDiff m -%}{"value[x]": 1}{% endmergeDiff %}`, `{"a":1}`},
		{"a list that changes a dictionary", `{% mergeDiff m -%}[1]{% endmergeDiff %}`, "1310"},
		{"comments, and commas too many", "{% mergeDiff m -%}{/* a */ \"b\": [1,,2], \"c\": null,}{% endmergeDiff %}", `{"a":1,"b":[1,null,2],"c":""}`},
		{"date-times are written anew", `{% mergeDiff m -%}{"b": "2004-06-29T17:54:00.000Z"}{% endmergeDiff %}`, `{"a":1,"b":"2004-06-29T17:54:00Z"}`},

		// Filters, as they are called.
		{"an unknown one passes its arguments over", "{{ 'a' | none: 'x', 1 | append: 'b' }}", "ab"},
		{"commas with nothing between", "{{ 'a' | append: , , 'b' }}", "ab"},
		{"arguments too many", "{{ 'a' | append: 'b', 'c' }}", "ab"},
		{"too few", "{{ 'a' | replace }}", "1104"},
		{"a bar within quotes", "{{ 'a|b' | append: '|c' }}", "a|b|c"},
		{"values become texts", "{{ t | append: n }}{{ 1.50 | append: d }}", "True11.51.5"},
		{"texts become numbers", "{{ 'abcd' | slice: '1', '2' }}", "bc"},
		{"and others do not", "{{ 'abcd' | slice: 'x' }}", "1301"},
		{"nothing is no number but 0", "{{ 'abcd' | slice: nothing }}", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := set(t, c.template, "two.liquid\n{{ a }}{{ b }}", "one.liquid\n{{ one }}", "blank.liquid\n\u00A0\n")
			if got := outcome(t, s, given, clock); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// Every filter, and what .NET makes of numbers, dates and texts.
func TestMoreFilters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, want string }{
		{"f | default: 'x'", "False"}, {"t | default: 'x'", "True"}, {"n | default: 'x'", "1"}, {"l | default: 'x'", "1301"}, {"nothing | default", ""},
		{"wide | size", "3"}, {"wide.size", "3"}, {"n | size", "0"}, {"m | size", "1"}, {"nothing | size", "0"},
		{"wide | slice: 2", "b"}, {"wide | truncate: 2, ''", "😀"}, {"wide | char_at: 2", "b"}, {"wide.first", "😀"}, {"wide.last", "b"},
		{"'abc' | upcase", "ABC"}, {"'ABC' | downcase", "abc"}, {"nothing | upcase", ""}, {"n | upcase", "1"},
		{`"hELLO WORLD o'X 1abc a_b john's" | capitalize`, "Hello WORLD O'x 1Abc A_B John's"}, {"'' | capitalize", ""},
		{"' a ' | strip", "a"}, {"' a ' | lstrip | append: '.'", "a ."}, {"' a ' | rstrip", " a"},
		{`'<"é&€😀' | escape`, "&lt;&quot;&#233;&amp;€&#128512;"}, {`"'>" | h`, "&#39;&gt;"}, {"'&lt;&' | escape_once", "&lt;&amp;"},
		{"'a b~!*()/é' | url_encode", "a+b%7E!*()%2F%C3%A9"}, {"'%zz+%C3%A9%' | url_decode", "%zz é%"},
		{"'<p a=\"b\">x<!-- y --><script>z</script></p>' | strip_html", "x"},
		{"lines | strip_newlines", "abc"}, {"lines | newline_to_br", "a<br />\r\nb<br />\nc"},
		{"'abcabc' | remove: 'b'", "acac"}, {"'abcabc' | remove_first: 'b'", "acabc"}, {"'a' | remove: nothing", "1301"},
		{"'a1b2' | replace: '([a-z])([0-9])', '$2$1x'", "1ax2bx"}, {"'ab' | replace: '(?<x>a)', '[${x}${1}${y}]'", "[aa${y}]b"},
		{"'abc' | replace: 'b.?', '$$$&$`$_$+'", "a$bcaabcbc"}, {"'a.b' | replace: '.', 'x'", "xxx"}, {"'ab' | replace: '(a)|(b)', '$2$12$'", "$12$b$12$"},
		{`'abc' | replace: '[b]', "$'-"`, "ac-c"}, {"'ab' | replace: '(', 'x'", "1301"}, {"'ab' | replace: '(?=a)', 'x'", "1301"},
		{"'ab' | replace: '', 'x'", "ab"}, {"'aXbX' | replace_first: '[X]', '-'", "a-bX"}, {"'aXb' | replace_first: 'Y', '-'", "aXb"},
		{"nothing | replace: 'a'", ""},
		{"'a b  c' | split: '' | join: '+'", "a+b+c"}, {"'a--b' | split: '--' | join", "a b"}, {"nothing | split: ',' | size", "1"},
		{"'abc' | slice: 3", ""}, {"'abc' | slice: -5, 3", "a"}, {"'abc' | slice: 0, -1", ""}, {"l | slice: 1, 5 | join", "B a"},
		{"l | slice: -1 | join", "a"},
		{"l | slice: 9 | size", "0"}, {"l | slice: 1, 9223372036854775807 | size", "2"}, {"nothing | slice: 1", ""},
		{"'abc' | truncate: -9223372036854775808", "..."}, {"'abc' | truncate", "abc"}, {"'a b c' | truncate_words: 1, '-'", "a-"},
		{"nothing | truncate", ""},
		{"nothing | truncate_words", ""}, {"'a b' | truncate_words", "a b"},
		{"nothing | contains: 'x'", "false"}, {"'x' | contains: nothing", "false"}, {"'ab' | match: 'x' | size", "0"}, {"'' | match: 'x' | size", "0"},
		{"nothing | char_at: 0", "1301"}, {"'abab' | match: 'b' | size", "1"}, {"'ab' | match: '[' | size", "1301"},
		{"lb | join: ','", "True,1"}, {"n | join", ""}, {"l | sort | join", "a b B"}, {"l | sort_natural | join", "a b B"}, {"n | sort", "1"},
		{"lm | sort: 'k' | map: 'k' | join", " 1 2"}, {"lm | where: 'k' | size", "2"}, {"lm | compact | size", "3"}, {"n | map: 'x'", ""},
		{"n | where: 'x'", ""},
		{"mixed | sort", "1301"}, {"ln | compact | size", "1"}, {"ln | uniq | size", "2"}, {"mixed | uniq | size", "5"}, {"n | uniq", "1"},
		{"n | compact", "1"}, {"'ab' | reverse", "ab"}, {"l | reverse | first", "a"}, {"l | last", "a"}, {"nothing | first", ""}, {"'' | first", ""},
		{"nothing | to_array | size", "0"}, {"'ab' | to_array | size", "1"}, {"l | to_array | concat: l", "1301"},
		{"nothing | concat: nothing | size", "0"},
		{"'x' | concat: nothing", "1301"},
		{"'a,b' | split: ',' | batch_render: 'p', 'i'", "1301"}, {"'a,b' | split: ',' | to_array | batch_render_parallel: 'p', 'i', 'c'", "a2,b2,"},
		{"nothing | batch_render: 'p', 'i'", ""}, {"l | to_array | batch_render: 'none', 'i'", "1305"}, {"n | batch_render: 'p', 'i'", "1301"},
		{"1 | plus: 2.5", "3.5"}, {"0.1 | plus: 0.2", "0.3"}, {"d | plus: 1", "2.5"}, {"nothing | plus: 1", ""}, {"1 | plus: nothing", ""},
		{"7 | minus: '2'", "5"}, {"'7' | minus: 2.50", "4.5"}, {"d | minus: 0.5", "1"}, {"'x' | minus: 1", "1301"}, {"l | minus: 1", "1301"},
		{"3 | times: 4", "12"}, {"d | times: 2", "3"}, {"'ab' | times: -1", ""}, {"'x' | times: 1.5", "1301"}, {"2.50 | times: 2", "5"},
		{"nothing | times: 2", ""},
		{"5 | divided_by: 0", "1301"}, {"5.0 | divided_by: 0", "1301"}, {"d | divided_by: 0", "Infinity"},
		{"1.0 | divided_by: 3", "0.3333333333333333333333333333"},
		{"-7 | divided_by: 2", "-3"}, {"-7 | modulo: 3", "-1"}, {"7.5 | modulo: 2", "1.5"}, {"d | modulo: 1", "0.5"}, {"7 | modulo: 0", "1301"},
		{"9223372036854775807 | plus: 1", "1301"}, {"-9223372036854775808 | minus: 1", "1301"}, {"9223372036854775807 | times: 2", "1301"},
		{"-9223372036854775808 | divided_by: -1", "1301"}, {"-9223372036854775808 | times: -1", "1301"},
		{"9223372036854775807 | minus: 1", "9223372036854775806"},
		{"2.5 | round", "2"}, {"3.5 | round", "4"}, {"2.345 | round: 2", "2.34"}, {"d | round: 1", "1.5"}, {"7 | round: 29", "1301"},
		{"7 | round: -1", "1301"},
		{"nothing | round", ""}, {"'x' | round", "1301"}, {"'1e308' | round: 28", "1E+308"},
		{"1.2 | ceil", "2"}, {"-1.2 | floor", "-2"}, {"'x' | floor", ""}, {"'1e300' | ceil", "1E+300"},
		{"-1.5 | abs", "1.5"}, {"nothing | abs", "0"}, {"'x' | abs", "1301"}, {"'1,234.5' | to_double", "1234.5"}, {"'0x10' | to_double", "1301"},
		{"'inf' | is_nan", "false"}, {"nothing | is_nan", "false"}, {"'NaN' | is_nan", "false"},
		{"1 | divide: 0", "Infinity"}, {"-1 | divide: 0", "-Infinity"}, {"'x' | divide: 1", "1301"}, {"'x' | pow: 1", "1301"}, {"0 | divide: 0", "NaN"},
		{"0 | sign", "0"}, {"4.5 | sign", "1"}, {"'x' | sign", "1301"}, {"nothing | sign", "0"}, {"0 | random", "0"}, {"1 | random", "0"},
		{"3 | at_least: 5", "5"}, {"7 | at_least: 5", "7"}, {"7 | at_most: 5", "5"}, {"'x' | at_most: 5", "x"},
		{"-1234567.891 | currency", "(¤1,234,567.89)"}, {"1 | currency", "¤1.00"}, {"'x' | currency", "x"}, {"1 | currency: 'de-DE'", "1301"},
		{"'1e999999999' | minus: 1", "Infinity"}, {"'1e999999999' | round", "Infinity"}, {"'1e-999999999' | plus: 1", "1e-9999999991"},
		{"100000000000000000000.50", "100000000000000000000.5"}, {"'1e15' | to_double", "1E+15"}, {"'123456789012345' | to_double", "123456789012345"},
		{"'0.0001' | to_double", "0.0001"}, {"'0.00001' | to_double", "1E-05"}, {"big", "123456789012345678901"},
		{"'x' | base64_decode", "1301"}, {"nothing | base64_decode", ""}, {"'/w==' | base64_decode", "\uFFFD"}, {"'eA==' | gunzip_base64_string", "1301"},
		{"'!' | gunzip_base64_string", "1301"}, {`'a\\b\"' | unescape_special_chars`, `a\b"`}, {"nothing | sha1_hash", ""},
		{"lb | to_json_string", "[true,1]"}, {"1.50 | to_json_string", "1.50"}, {"d | to_json_string", "1.5"}, {"lines | to_json_string", `"a\r\nb\nc"`},
		{"'x' | get_property: ''", ""}, {"'' | get_property: 'G'", ""}, {"'F' | get_property: 'G', ''", ""}, {"'F' | get_property: 'G', 'empty'", ""},
		{"'F' | get_property: 'G', 'none'", ""}, {"'F' | get_property: 'G', , 'code'", "female"}, {"'z' | get_property: 'H', 'display'", "z"},
		{"l | get_property: 'G'", "1301"},
		{"'a' | generate_id_input: '', false", "1308"}, {"'a' | generate_id_input: 'T', true", "1308"}, {"'a' | generate_id_input: 'T', 'x', 'b'", "1301"},
		{"'a' | generate_id_input: 'T', 'True', 'b'", "T_a_b"}, {"nothing | generate_id_input: 'T', true", ""}, {"'a' | generate_id_input: 'T', 0", "T_a"},
		{"'a' | generate_id_input: 'T', f, nothing", "T_a"},
		// Dates of HL7v2.
		{"'0000' | format_as_date_time", "1307"}, {"'20041301' | format_as_date_time", "1307"}, {"'20040230' | format_as_date_time", "1307"},
		{"'2004010124' | format_as_date_time", "1307"}, {"'200401012360' | format_as_date_time", "1307"}, {"'20040101+1500' | format_as_date_time", "1307"},
		{"'2004-01' | format_as_date_time", "1307"}, {"'20046' | format_as_date_time", "1307"}, {"'20040101120000.' | format_as_date_time", "1307"},
		{"' 2004' | format_as_date_time", "1307"}, {"'x' | format_as_date_time", "1307"}, {"'' | format_as_date_time", ""},
		{"l | format_as_date_time", "1301"},
		{"'200406291754+0200' | format_as_date_time: 'LOCAL'", "2004-06-29T15:54:00Z"},
		{"'200406291754+0000' | format_as_date_time", "2004-06-29T17:54:00Z"},
		{"'20040629+0200' | format_as_date_time", "2004-06-29"}, {"'2004062923-0200' | add_hyphens_date", "2004-06-29"},
		{"'2004062923-0200' | add_hyphens_date: 'utc'", "2004-06-30"}, {"'2004' | add_hyphens_date", "2004"}, {"'x' | add_hyphens_date", "1307"},
		{"'2004' | add_hyphens_date: 'x'", "1309"}, {"'2004' | add_seconds: 1, 'x'", "1309"}, {"'2004' | format_as_hl7v2_date_time: 'x'", "1309"},
		{"'2004' | add_seconds: 1", "2004-01-01T00:00:01Z"}, {"'2004-01-01' | add_seconds: 99999999999", "5172-11-15T09:46:39Z"},
		{"'2004' | add_seconds: 1000000000000", "1307"}, {"'2004' | add_seconds: '1e300'", "1307"}, {"'2004' | add_seconds: 'x'", "1301"},
		{"'2004-01-01T00:00:00.25+01:00' | add_seconds: -0.5", "2003-12-31T23:59:59.750+01:00"}, {"nothing | add_seconds: 1", ""},
		{"'2004-01-01T00:00:00+01:00' | add_seconds: 0, 'utc'", "2003-12-31T23:00:00Z"},
		{"'2004-06-29T17:54:00Z' | format_as_hl7v2_date_time", "20040629175400+0000"}, {"'2004' | format_as_hl7v2_date_time", "2004"},
		{"'2004-06-29' | format_as_hl7v2_date_time", "20040629"}, {"'2004-06-29T17:54:00+02:00' | format_as_hl7v2_date_time: 'utc'", "20040629155400+0000"},
		{"'2004-6' | format_as_hl7v2_date_time", "1307"}, {"'2004-06-29T17:54:00+2' | format_as_hl7v2_date_time", "1307"},
		{"'2004-06-29T17:54:00+15:00' | format_as_hl7v2_date_time", "1307"},
		// Dates of .NET.
		{"'2004-06-29T17:54:00Z' | date: 'yyyy-MM-ddTHH:mm:ss.fff%K'", "2004-06-29T17:54:00.000+00:00"},
		{"'2004-06-29T17:54:00+02:00' | date: 'o'", "2004-06-29T15:54:00.0000000+00:00"}, {"'2004-06-29T17:54:00' | date: 'HH:mmK'", "17:54"},
		{"'2004-01-02' | date: 'gg yy y yyyyy MMMM MMM M dddd ddd dd d'", "A.D. 04 4 02004 January Jan 1 Friday Fri 02 2"},
		{"'2004-01-02 03:04:05.678' | date: 'h hh H m s t tt f ff fffffff F FFFFFFF'", "3 03 3 4 5 A AM 6 67 6780000 6 678"},
		{"'2004-01-02 03:04' | date: 's.FFF z zz zzz'", "0 +0 +00 +00:00"}, {`'2004-01-02' | date: "yyyy 'at' \y"`, "2004 at y"},
		{"'2004-01-02' | date: 'd'", "01/02/2004"}, {"'2004-01-02' | date: 'D'", "Friday, 02 January 2004"},
		{"'2004-01-02' | date: 'R'", "Fri, 02 Jan 2004 00:00:00 GMT"},
		{"'2004-01-02' | date: 'u'", "2004-01-02 00:00:00Z"}, {"'2004-01-02' | date: 'x'", "1301"}, {"'2004-01-02' | date: 'ffffffff'", "1301"},
		{"'1/2/2004 3:04 PM' | date: 'HH:mm'", "15:04"}, {"'today' | date: 'HH:mm'", "00:00"}, {"'now' | date: 'HH:mm'", "05:06"},
		{"5 | date: 'yyyy'", "5"},
		{"'x' | date: 'yyyy'", "x"}, {"nothing | date: 'yyyy'", ""}, {"'2004' | date: ''", "2004"}, {"l | date: 'yyyy'", "1301"},
		{"'' | now: 'K'", "1301"}, {"'' | now: '%K'", "Z"}, {"'' | now: 'yyyy-MM-ddTHH:mm:ss.fffZ'", "2025-03-04T05:06:07.080Z"},
	} {
		t.Run(c.expression, func(t *testing.T) {
			t.Parallel()
			s := set(t, "{{ "+c.expression+" }}", "p.liquid\n{{ i }}{{ c.size }}", "CodeSystem/CodeSystem.json\n"+
				`{"Mapping":{"G":{"F":{"code":"female","empty":""}},"H":{}}}`)
			more := strings.TrimSuffix(given, "}") + `,"lines":"a\r\nb\nc","lm":[{"k":2},{"k":1},{}],"mixed":[1,"1",1.0,true,[1]],"ln":[null,1,null]}`
			if got := outcome(t, s, more, clock); got != c.want {
				t.Errorf("got %q; want %q", got, c.want)
			}
		})
	}
}

// Values that sources have and templates cannot write: instants, decimals, and integers of many digits.
func TestValues(t *testing.T) {
	t.Parallel()
	at := time.Date(2004, 6, 29, 17, 54, 0, 0, time.UTC)
	given := map[string]convert.Value{
		"at": at, "same": at.In(time.FixedZone("", 7200)), "later": at.Add(time.Hour), "dec": apd.New(150, -2), "d": 1.5, "huge": 1e300,
		"big": new(big.Int).Lsh(big.NewInt(1), 70), "small": big.NewInt(5),
		"list": &convert.List{Items: []convert.Value{at, at, apd.New(15, -1), apd.New(150, -2)}},
	}
	for _, c := range []struct{ template, want string }{
		{"{{ at }} {{ same }} {{ dec }} {{ big }} {{ huge }}", "06/29/2004 17:54:00 06/29/2004 19:54:00 1.5 1180591620717411303424 1E+300"},
		{"{{ at | date: 'HH:mmK' }} {{ same | date: 'HH:mmK' }}", "17:54Z 19:54+02:00"},
		{"{% if at == same %}a{% endif %}{% if at < later %}b{% endif %}{% if at == 1 %}c{% endif %}", "ab"},
		{"{% if at == '2004-06-29T17:54:00Z' %}a{% endif %}{% if at < '2004-06-30' %}b{% endif %}", "ab"},
		{"{% if at < 'x' %}{% endif %}", "1301"},
		{"{% if dec == 1.5 %}a{% endif %}{% if dec == d %}b{% endif %}{% if dec == '1.5' %}c{% endif %}{% if dec == true %}d{% endif %}", "abc"},
		{"{% if dec < huge %}a{% endif %}", "1301"},
		{"{% if dec == huge %}a{% endif %}{% if huge == dec %}b{% endif %}{% if huge > 1 %}c{% endif %}", "c"},
		{"{% if small == 5 %}a{% endif %}{% if 5 == small %}b{% endif %}{% if 5 < big %}c{% endif %}", "1301"},
		{"{% if 5 == big %}a{% endif %}{% if big > small %}b{% endif %}{% if big == '1180591620717411303424' %}c{% endif %}", "bc"},
		{"{{ big | plus: 1 }} {{ small | times: 2 }} {{ at | append: '' }}", "1.1805916207174113E+21 10 06/29/2004 17:54:00"},
		{"{{ list | uniq | size }}", "2"},
		{"{{ at | plus: 1 }}", "1301"},
	} {
		s := set(t, c.template)
		got, err := s.Render(context.Background(), nil, "root", given, clock)
		if text := string(got); err == nil && text != c.want || err != nil && !strings.Contains(err.Error(), ": "+c.want+":") {
			t.Errorf("%s: got %q, %v; want %q", c.template, text, err, c.want)
		}
	}
}

// Whatever templates do, they end before they take the memory or the time of others.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, template, want string }{
		{"texts that double", "{% assign x = 'ab' %}{% for i in (1..100) %}{% assign x = x | append: x %}{% endfor %}", "1301"},
		{"captures that double", "{% assign x = 'ab' %}{% for i in (1..100) %}{% capture x %}{{ x }}{{ x }}{% endcapture %}{% endfor %}", "1301"},
		{"replacements", "{% assign x = 'a' | times: 10000 %}{% assign y = x | replace: 'a', x %}", "1301"},
		{"replacements of expressions", "{% assign x = 'a' | times: 10000 %}{% assign y = x | replace: '[a]', x %}", "1301"},
		{"repetitions", "{% assign x = 'ab' | times: 9223372036854775807 %}", "1301"},
		{"escapes of escapes", "{% assign x = 'ab' %}{% for i in (1..100) %}{% assign x = x | base64_encode %}{% endfor %}", "1301"},
		{"lists that double", "{% assign x = l | to_array %}{% for i in (1..100) %}{% assign x = x | concat: x %}{% endfor %}", "1301"},
		{"lists of long texts", "{% assign x = 'a' | times: 1000000 | to_array %}{% for i in (1..12) %}{% assign x = x | concat: x %}{% endfor %}{{ x }}",
			"1301"},
		{"joined, too", "{% assign x = 'a' | times: 1000000 | to_array %}{% for i in (1..12) %}{% assign x = x | concat: x %}{% endfor %}{{ x | join }}",
			"1301"},
		{"parts of a text", "{% assign x = 'a ' | times: 2000000 | split: ' ' %}", "1301"},
		{"characters of a text", "{% assign x = 'a' | times: 60000000 %}{% for c in x %}{% endfor %}", "1301"},
		{"of which some are wanted", "{% assign x = 'a' | times: 60000000 %}{% for c in x limit: 2 offset: 3 %}{{ c }}{% endfor %}", "aa"},
		{"templates for characters", "{% assign x = 'a' | times: 60000000 %}{% include 'blank' with x %}", "1301"},
		{"a text as a pattern", "{% assign x = 'a' | times: 100000 %}{{ 'b' | match: x }}", "1301"},
		{"a pattern on a long text", "{% assign x = 'a' | times: 5000000 %}{{ x | match: '[b]' }}", "1301"},
		{"items that are different", "{{ (1..100000) | uniq | size }}", "100000"},
		{"a range", "{{ (1..9223372036854775807) | size }}", "1301"},
		{"blocks within blocks", strings.Repeat("{% if t %}", 1_000_000), "1104"},
		{"captures within captures", strings.Repeat("{% capture x %}", 100_000), "1104"},
		{"conditions one after the other", "{% if " + strings.Repeat("t and ", 1_000_000) + "f %}a{% endif %}", ""},
		{"paths", "{{ m" + strings.Repeat(".a", 1_000_000) + " }}", ""},
		{"brackets", "{{ m" + strings.Repeat("[", 1_000_000) + " }}", "[a, 1]"},
		{"parentheses", "{{ " + strings.Repeat("(", 1_000_000) + ".." + strings.Repeat(")", 1_000_000) + " }}", "0"},
		{"ifs at work", strings.Repeat("{% if t %}", 81) + strings.Repeat("{% endif %}", 81), "1301"},
		{"as many as may be", strings.Repeat("{% if t %}", 80) + "a" + strings.Repeat("{% endif %}", 80), "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(t, c.template, "blank.liquid\n")
			if got := outcome(t, s, given, liquid.Run{MaxOutput: 64 << 20}); got != c.want {
				t.Errorf("got %.200q; want %q", got, c.want)
			}
		})
	}
}

// What one rendering knew is gone for the next, and many at once do not disturb one another.
func TestRenderingsAreApart(t *testing.T) {
	t.Parallel()
	s := set(t, "{{ x }}{% for i in l limit: 1 offset: continue %}{{ i }}{% endfor %}{% cycle 'a', 'b' %}{% ifchanged %}c{% endifchanged %}"+
		"{% assign x = x | append: '!' %}{% if boom %}{% include 'none' %}{% endif %}{{ x }}")
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 200 {
				name := fmt.Sprint(g, i)
				got, err := s.Render(context.Background(), nil, "root", vars(t, `{"x":"`+name+`","l":[1,2]}`), liquid.Run{})
				if want := name + "1ac" + name + "!"; err != nil || string(got) != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
				if _, err = s.Render(context.Background(), nil, "root", vars(t, `{"boom":true}`), liquid.Run{}); !convert.Is(err, convert.TemplateNotFound) {
					t.Errorf("a missing template: %v", err)
				}
				if got, err := s.Render(context.Background(), nil, "root", nil, liquid.Run{}); err != nil || string(got) != "ac" {
					t.Errorf("with nothing given: got %q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

func TestFiles(t *testing.T) {
	t.Parallel()
	files := []liquid.File{
		{Path: "root.liquid", Content: []byte("{% include 'A/B' %}{{ 'x' | get_property: 'G' }}")}, {Path: `A\_B.liquid`, Content: []byte("below")},
		{Path: "ValueSet/ValueSet.json", Content: []byte(`{"Mapping":{"G":{"__default__":{"code":"y"}}}}`)},
		{Path: "a.schema.json", Content: []byte("{")}, {Path: "_C.liquid", Content: []byte("{{")},
	}
	for _, c := range []struct {
		name string
		more []liquid.File
		want string
		code convert.Code
	}{
		{"backslashes, underscores and value sets", nil, "belowy", 0},
		{"a layer above", []liquid.File{{Path: "A/_B.liquid", Content: []byte("above")}}, "abovey", 0},
		{"an empty mapping", []liquid.File{{Path: "CodeSystem/CodeSystem.json"}}, "belowx", 0},
		{"a mapping that is no JSON", []liquid.File{{Path: "CodeSystem/CodeSystem.json", Content: []byte("{{")}}, "", convert.InvalidCodeMapping},
		{"a mapping without Mapping", []liquid.File{{Path: "CodeSystem/CodeSystem.json", Content: []byte("{}")}}, "", convert.InvalidCodeMapping},
		{"a mapping that is a list", []liquid.File{{Path: "CodeSystem/CodeSystem.json", Content: []byte("[]")}}, "", convert.InvalidCodeMapping},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := liquid.New(append(files[:len(files):len(files)], c.more...), liquid.Options{})
			if c.code != 0 {
				if !convert.Is(err, c.code) {
					t.Errorf("got %v; want %d", err, c.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(t, s, "", liquid.Run{}); got != c.want {
				t.Errorf("got %q; want %q", got, c.want)
			}
			if all := s.Check(); len(all) != 1 || !strings.HasPrefix(all[0].Error(), "_C, line 1: 1104") {
				t.Errorf("checked: %v", all)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	s, err := liquid.New([]liquid.File{
		{Path: "v/root.liquid", Content: []byte("{% include 'P' %}{{ 1 | twice: 2 }}{{ '2004062917' | format_as_date_time }}{{ 'a' | evaluate: '$' }}")},
		{Path: "P.liquid", Content: []byte("top ")}, {Path: "v/_P.liquid", Content: []byte("v ")},
	}, liquid.Options{Filters: map[string]liquid.Filter{
		"twice":    func(args []convert.Value) (convert.Value, error) { return convert.Value(int64(len(args))), nil },
		"evaluate": func([]convert.Value) (convert.Value, error) { return "!", nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	for noParent, want := range map[bool]string{true: "top 22004-06-29T17:00:00+02:00!", false: "v 22004-06-29T17:00:00+02:00!"} {
		got, err := s.Render(context.Background(), []byte{}, "v/root", nil, liquid.Run{NoParent: noParent, Zone: time.FixedZone("", 7200)})
		if err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

// Lines are counted where hyphens took line ends away, and errors say nothing that a message says.
func TestLinesAndSecrets(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"{% assign x = 1 -%}\n{% assign x = 1 -%}\r\n\n{{ l | upcase }}":                  "root, line 4: 1301",
		"{% comment %}\n\n{% endcomment -%}\n{{ l | upcase }}":                            "root, line 4: 1301",
		"{% raw %}\n{{\n{% endraw %}\n{% include 'none' %}":                               "root, line 4: 1305",
		"{% if n -%}\n{% for i in l -%}\n{% assign x = n -%}\n{% endfor -%}\n{{ 'a\n' }}": "root, line 5: 1104",
		"\n{{ secret | replace: secret, 'x' }}":                                           "root, line 2: 1301",
		"\n{{ secret | format_as_date_time }}":                                            "root, line 2: 1307",
		"\n{{ '2004' | format_as_date_time: secret }}":                                    "root, line 2: 1309",
		"\n{{ '2004-01-01' | date: secret }}{% include secret %}":                         "root, line 2: 1305",
		"\n{% if 1 < secret %}{% endif %}":                                                "root, line 2: 1301",
		"\n{% mergeDiff m -%}{ {{ secret }} }{% endmergeDiff %}":                          "root, line 2: 1310",
	} {
		_, err := set(t, template).Render(context.Background(), nil, "root", vars(t, `{"secret":"(Doe","l":["Doe"],"n":1,"m":{}}`), liquid.Run{})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v; want %s", template, err, want)
			continue
		}
		for e := err; e != nil; e = unwrap(e) {
			if strings.Contains(e.Error(), "Doe") {
				t.Errorf("%q: the error tells what the message says: %v", template, e)
			}
		}
	}
}

func unwrap(err error) error {
	u, ok := err.(interface{ Unwrap() error })
	if !ok {
		return nil
	}
	return u.Unwrap()
}
