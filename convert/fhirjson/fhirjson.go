// Package fhirjson reads JSON into values for templates, and writes HL7v2 messages out of what templates for messages write.
package fhirjson

import (
	"math/big"
	"strconv"
	"strings"

	"salus/convert"
	"salus/convert/jsontext"
)

// Parse reads JSON. Dates says that texts in the form of an ISO 8601 date-time become instants.
func Parse(text []byte, dates bool) (convert.Value, error) {
	v, err := jsontext.Read(text, jsontext.Options{Dates: dates})
	if err != nil {
		return nil, &convert.Error{Code: convert.InputParsingError, Rule: "the input cannot be read: " + err.(*convert.Error).Rule, Cause: err}
	}
	return v, nil
}

// HL7v2 makes a message of JSON that names its segments: {"messageDefinition":[{"PID":{"3":"…"}}]}. Its separators are |^~\&. Each field is followed by
// a bar, and fields before the last that are not named are empty.
func HL7v2(clean []byte) ([]byte, error) {
	v, err := jsontext.Read(clean, jsontext.Options{})
	if err != nil {
		return nil, err
	}
	root, _ := v.(*convert.Map)
	if root == nil {
		return nil, wrong("the template makes no object")
	}
	definition, _ := root.Get("messageDefinition")
	segments, ok := definition.(*convert.List)
	if !ok {
		return nil, wrong("the template makes no list messageDefinition")
	}
	var b strings.Builder
	for _, item := range segments.Items {
		segment, ok := item.(*convert.Map)
		if !ok || segment.Len() == 0 {
			return nil, wrong("an item of messageDefinition is no segment")
		}
		id, fields := segment.At(0)
		if err := write(&b, strings.ToUpper(id), fields); err != nil {
			return nil, err
		}
	}
	return []byte(b.String()), nil
}

func wrong(rule string) error { return convert.Errorf(convert.JSONParsingError, "%s", rule) }

func write(b *strings.Builder, id string, v convert.Value) error {
	named, ok := v.(*convert.Map)
	if !ok || len(id) != 3 {
		return wrong("a segment has an id of three letters and an object of fields")
	}
	fields := map[int]string{}
	last := 0
	for i := range named.Len() {
		key, value := named.At(i)
		n, err := strconv.Atoi(key)
		text, ok := printed(value)
		if err != nil || n < 1 || n > 1000 || !ok {
			return wrong("a field has a number from 1 to 1000 and a text, number or boolean")
		}
		fields[n] = enclosed.Replace(text)
		last = max(last, n)
	}
	first := 1
	if id == "MSH" || id == "BHS" || id == "FHS" { // whose first field is the bar itself
		first = 2
	}
	b.WriteString(id + "|")
	for n := first; n <= last; n++ {
		b.WriteString(fields[n] + "|")
	}
	b.WriteString("\n")
	return nil
}

// enclosed keeps a value within its field: a bar or a line end in it would begin another field or segment, which the reference lets happen.
var enclosed = strings.NewReplacer("|", `\F\`, "\r\n", `\.br\`, "\r", `\.br\`, "\n", `\.br\`)

// printed returns what a field has of a value.
func printed(v convert.Value) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		if v {
			return "True", true
		}
		return "False", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case *big.Int:
		return v.String(), true
	case float64:
		b, err := jsontext.Append(nil, v, 0)
		return strings.TrimSuffix(string(b), ".0"), err == nil
	}
	return "", false
}
