package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"salus/fhir"
)

// Literals are JSON. Every primitive type may be the value of an extension.
func TestPrimitives(t *testing.T) {
	for _, c := range []struct{ typ, good, bad string }{
		{"Boolean", `true|false`, `"true"|1|0|null`},
		{"Integer", `0|1|-1|2147483647|-2147483648`, `2147483648|-2147483649|-0|1.0|1e3|"1"|12345678901|99999999999999999999`},
		{"UnsignedInt", `0|1|2147483647`, `-1|2147483648|0.5`},
		{"PositiveInt", `1|2147483647`, `0|-1|2147483648`},
		{"Decimal", `0|-0|1|1.10|-0.5|1e3|1E-7|1.234567890123456|12345678901234567890.123456789|0.000000000000000001`,
			`"1"|1e1001|1E-1001|1e99999999999999999999`},
		{"String", `"a"|" a "|"\t\r\n"|"\u00e9"|"\u0080"|"\ud83d\ude00"|" "`, `""|"\u0000"|"a\u0008"|"\u001f"|1|{}`},
		{"Markdown", `"# a\n\nb"`, `""|"\u000c"`},
		{"Uri", `"http://example.org/a?b=c#d"|"urn:oid:1.2"|"a"|"%C3%A9"|"\u00e9"|"urn:uuid:C757873D"`, `""|"a b"|" a"|"a\n"|"\t"`},
		{"Url", `"http://example.org"|"mailto:a@example.org"`, `"http://example.org/a b"`},
		{"Canonical", `"http://example.org/a|1.0"|"#a"`, `"a b"`},
		{"Oid", `"urn:oid:1.2.3"|"urn:oid:2.16.840.1.113883.6.238"|"urn:oid:0.0"|"urn:oid:1.10.0"`,
			`"1.2.3"|"urn:oid:3.1"|"urn:oid:1"|"urn:oid:1."|"urn:oid:1..2"|"urn:oid:1.02"|"urn:oid:1.2."|"urn:oid:1.a"|"urn:oid:"|"urn:oid:11.2"`},
		{"Uuid", `"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"`,
			`"c757873d-ec9a-4326-a141-556f43239520"|"urn:uuid:C757873D-EC9A-4326-A141-556F43239520"|"urn:uuid:c757873dec9a4326a141556f43239520"|"urn:uuid:c757873d-ec9a-4326-a141-556f4323952"|"urn:uuid:c757873d-ec9a-4326-a141-556f43239520a"`},
		{"Code", `"a"|"a b"|"a b c"|"<="|"\u00e9"`, `""|" a"|"a "|"a  b"|" "|"a\tb"|"a\nb"`},
		{"Id", `"a"|"A-1.b"|"` + strings.Repeat("a", 64) + `"`, `""|"a_b"|"a b"|"a/b"|"\u00e9"|"` + strings.Repeat("a", 65) + `"`},
		{"Date", `"2000"|"2000-01"|"2000-01-31"|"2000-02-29"|"2024-02-29"|"0001"|"9999-12-31"`,
			`"200"|"20000"|"2000-1"|"2000-13"|"2000-00"|"2000-01-00"|"2000-01-32"|"2000-04-31"|"2001-02-29"|"1900-02-29"|"2000-02-30"|"0000"|"0000-01-01"|"2000-01-01T00:00:00Z"|"2000/01"|"2000-01-1"|"+000"|"2000-"|"2000-01-01 "|"20a0"`},
		{"DateTime", `"2000"|"2000-01"|"2000-01-31"|"2000-01-31T00:00:00Z"|"2000-01-31T23:59:60.123456789+14:00"|"2000-01-31T12:30:00-00:30"`,
			`"2021-10-13+02:00"|"2000-01-31T00:00:00"|"2000-01-31T00:00Z"|"2000-01-31T24:00:00Z"|"2000-01-31T00:60:00Z"|"2000-01-31T00:00:61Z"|"2000-01T00:00:00Z"|"2000-02-30T00:00:00Z"|"2000-01-31t00:00:00Z"|"2000-01-31T00:00:00z"|"2000-01-31T00:00:00.Z"|"2000-01-31T00:00:00+15:00"|"2000-01-31T00:00:00+14:01"|"2000-01-31T00:00:00+01:60"|"2000-01-31T00:00:00+0100"|"2000-01-31T00:00:00Z "|"2000-01-31 00:00:00Z"`},
		{"Instant", `"2015-02-07T13:28:17.239+02:00"|"2017-01-01T00:00:00Z"`, `"2017"|"2017-01-01"|"2017-01-01T00:00:00"|"2017-01-01T00:00Z"|"2017-02-29T00:00:00Z"`},
		{"Time", `"00:00:00"|"23:59:60"|"12:00:00.5"`, `"24:00:00"|"12:00"|"12:60:00"|"12:00:00Z"|"12:00:00."|"1:00:00"|"12-00-00"|"12:00:0"`},
		{"Base64Binary", `"TQ=="|"TWE="|"TWFu"|"TWFu\nTWFu"|" TW Fu "|"+/+/"|"\u0054WFu"`, `"TQ"|"TWE"|"T==="|"TQ==TQ=="|"===="|"TW-u"|"TW_u"|" "|"TQ=a"|"TWFu="`},
	} {
		for good, literals := range map[bool]string{true: c.good, false: c.bad} {
			for literal := range strings.SplitSeq(literals, "|") {
				if c.typ == "Canonical" && literal == `"http://example.org/a` {
					literal += `|1.0"`
				} else if literal == `1.0"` {
					continue
				}
				list := issues(t, fmt.Sprintf(`{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"u","value%s":%s}]}`, c.typ, literal))
				if good != (len(list) == 0) {
					t.Errorf("%s %s: issues %v, want none: %v", c.typ, literal, list, good)
				}
				want := "Basic.extension[0].value.ofType(" + strings.ToLower(c.typ[:1]) + c.typ[1:] + ")"
				if len(list) > 0 && (list[0].Expression != want || list[0].Code != "value" && list[0].Code != "structure") {
					t.Errorf("%s %s: issue %+v", c.typ, literal, list[0])
				}
			}
		}
	}
}

func TestLengthOfStringsIsLimited(t *testing.T) {
	for text, want := range map[string]int{
		strings.Repeat("a", 1<<20):        0,
		strings.Repeat("é", 1<<20):        0, // characters, not bytes
		strings.Repeat("a", 1<<20+1):      1,
		strings.Repeat("é", 1<<19) + "\n": 0,
	} {
		resource := fhir.AppendString([]byte(`{"resourceType":"Basic","code":{"text":`), text)
		if got := len(issues(t, string(resource)+`}}`)); got != want {
			t.Errorf("%d bytes: %d issues, want %d", len(text), got, want)
		}
	}
}
