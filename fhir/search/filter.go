package search

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// maxFilterDepth bounds how deep the parentheses and brackets of a _filter nest.
const maxFilterDepth = 32

// filtering reads one _filter (FHIR R4 search_filter §3.1.3). and and or have no
// precedence and are taken from left to right, as that page says.
type filtering struct {
	*parsing
	text  string
	at    int
	depth int // of parentheses and brackets
}

// filterExpression makes the filter of a _filter for one resource type. chained
// is how many references were followed to get to the type.
func (s *parsing) filterExpression(t fhir.Type, text string, chained int) (Filter, error) {
	f := &filtering{parsing: s, text: text}
	filter, err := f.expression(t, chained)
	if err != nil {
		return nil, err
	}
	if f.space(); f.at < len(f.text) {
		return nil, f.malformed("and, or or the end is expected")
	}
	return filter, nil
}

func (f *filtering) malformed(rule string) error {
	return invalid("_filter", fmt.Sprintf("at character %d: %s", f.at+1, rule))
}

func (f *filtering) space() {
	for f.at < len(f.text) && f.text[f.at] <= ' ' {
		f.at++
	}
}

// take moves past a sign.
func (f *filtering) take(sign byte) bool {
	if f.at < len(f.text) && f.text[f.at] == sign {
		f.at++
		return true
	}
	return false
}

// word moves past a sequence of characters that can be in a name or an operator.
func (f *filtering) word() string {
	from := f.at
	for f.at < len(f.text) && strings.IndexByte(" \t\r\n()[].\"", f.text[f.at]) < 0 {
		f.at++
	}
	return f.text[from:f.at]
}

// expression reads tests that are joined by and and or.
func (f *filtering) expression(t fhir.Type, chained int) (Filter, error) {
	if f.depth++; f.depth > maxFilterDepth {
		return nil, f.malformed("parentheses nest too deep")
	}
	defer func() { f.depth-- }()
	left, err := f.term(t, chained)
	if err != nil {
		return nil, err
	}
	for {
		f.space()
		from := f.at
		switch f.word() {
		case "and":
			right, err := f.term(t, chained)
			if err != nil {
				return nil, err
			}
			left = And{left, right}
		case "or":
			right, err := f.term(t, chained)
			if err != nil {
				return nil, err
			}
			left = Or{left, right}
		default:
			f.at = from
			return left, nil
		}
	}
}

// term reads a test, an expression in parentheses, or not with one.
func (f *filtering) term(t fhir.Type, chained int) (Filter, error) {
	if f.values++; f.values > maxValues {
		return nil, tooMany()
	}
	f.space()
	from := f.at
	negated := f.word() == "not"
	if f.space(); negated && (f.at == len(f.text) || f.text[f.at] != '(') {
		return nil, f.malformed("not needs an expression in parentheses")
	}
	if !negated {
		f.at = from
	}
	if !f.take('(') {
		return f.test(t, chained)
	}
	inner, err := f.expression(t, chained)
	if err != nil {
		return nil, err
	}
	if f.space(); !f.take(')') {
		return nil, f.malformed("a closing parenthesis is missing")
	}
	if negated {
		return Not{inner}, nil
	}
	return inner, nil
}

// test reads path, operator and value.
func (f *filtering) test(t fhir.Type, chained int) (Filter, error) {
	if chained > maxChain {
		return nil, fault.New(fault.Invalid, "a chain may follow at most %d references", maxChain)
	}
	name := f.word()
	if name == "" {
		return nil, f.malformed("a parameter is expected")
	}
	if f.at < len(f.text) && strings.IndexByte("[.", f.text[f.at]) >= 0 {
		return f.path(t, name, chained)
	}
	f.space()
	op := f.word()
	f.space()
	value, err := f.value()
	if err != nil {
		return nil, err
	}
	return f.compare(t, name, op, value, chained)
}

// path follows a reference: name.rest, or name[filter].rest where the filter is
// about the resource referred to.
func (f *filtering) path(t fhir.Type, name string, chained int) (Filter, error) {
	code, modifier, _ := strings.Cut(name, ":")
	from := f.at
	return f.follow(t, code, modifier, func(target fhir.Type) (Filter, error) {
		f.at = from
		var within Filter
		if f.take('[') {
			var err error
			if within, err = f.expression(target, chained+1); err != nil {
				return nil, err
			}
			if f.space(); !f.take(']') {
				return nil, f.malformed("a closing bracket is missing")
			}
		}
		if !f.take('.') {
			return nil, f.malformed("behind a bracket the path goes on with a point")
		}
		rest, err := f.test(target, chained+1)
		if err != nil || within == nil {
			return rest, err
		}
		return And{within, rest}, nil
	})
}

// value reads a JSON string or a word that ends at a space, ) or ].
func (f *filtering) value() (string, error) {
	from := f.at
	if !f.take('"') {
		for f.at < len(f.text) && strings.IndexByte(" \t\r\n)]", f.text[f.at]) < 0 {
			f.at++
		}
		if from == f.at {
			return "", f.malformed("a value is expected")
		}
		return f.text[from:f.at], nil
	}
	for f.at < len(f.text) && f.text[f.at] != '"' {
		if f.take('\\'); f.at < len(f.text) {
			f.at++
		}
	}
	var value string
	if !f.take('"') || json.Unmarshal([]byte(f.text[from:f.at]), &value) != nil {
		return "", f.malformed("a text in quotes is malformed")
	}
	return value, nil
}

// operators are those of _filter, and for each kind of parameter what stands
// for them in an ordinary search: a modifier, or a prefix.
var operators = map[string]map[searchparam.Kind]string{
	"eq": {searchparam.Token: "", searchparam.Reference: "", searchparam.URI: "", searchparam.Composite: ""},
	"re": {searchparam.Reference: ""},
	"co": {searchparam.String: "contains"},
	"sw": {searchparam.String: ""},
	"sa": {}, "eb": {}, "gt": {}, "lt": {}, "ge": {}, "le": {}, "ap": {}, "po": {}, "ew": {},
	"in": {searchparam.Token: "in"},
	"ni": {searchparam.Token: "not-in"},
	"ss": {searchparam.Token: "below"}, // the value subsumes a concept of the resource
	"sb": {searchparam.Token: "above"}, // the value is subsumed by one
}

// compare makes the filter of one test.
func (f *filtering) compare(t fhir.Type, name, op, value string, chained int) (Filter, error) {
	if _, known := operators[op]; !known && op != "ne" && op != "pr" {
		return nil, f.malformed("an operator is expected")
	}
	escaped := strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace(value)
	switch {
	case op == "pr" && (value == "true" || value == "false"):
		return f.criterion(t, name+":missing", map[string]string{"true": "false", "false": "true"}[value], chained)
	case op == "pr":
		return nil, f.malformed("pr needs true or false")
	case op == "ne" && name == "_id":
		return f.criterion(t, "_id:not", escaped, chained)
	case strings.HasPrefix(name, "_has:") && op == "eq", name == "_id" && op == "eq", name == "_list" && op == "eq":
		return f.criterion(t, name, escaped, chained)
	case name == "_lastUpdated":
		return f.ordered(op, func(prefix string) (Filter, error) { return f.updated("", prefix+value) })
	}
	param, err := f.known(t, name)
	if err != nil {
		return nil, err
	}
	switch param.Kind {
	case searchparam.Date, searchparam.Number, searchparam.Quantity:
		return f.ordered(op, func(prefix string) (Filter, error) { return f.match(param, "", prefix+escaped) })
	case searchparam.String:
		if mode, is := textOperators[op]; is {
			return Match{Param: param, Operand: Text{Mode: mode, Text: value}}, nil
		}
	}
	if op == "ne" { // an item that is another, taken as: there are items, and none is equal
		equal, err := f.compare(t, name, "eq", value, chained)
		if err != nil {
			return nil, err
		}
		return And{Missing{Param: param}, Not{equal}}, nil
	}
	modifier, is := operators[op][param.Kind]
	if !is {
		return nil, notSupported(fmt.Sprintf("_filter: operator %s is not supported for %s", op, show(name)))
	}
	if modifier != "" {
		modifier = ":" + modifier
	}
	return f.criterion(t, name+modifier, escaped, chained)
}

// textOperators are the operators of string parameters. Values are never case-sensitive.
var textOperators = map[string]TextMode{"eq": Whole, "co": Contains, "sw": Starts, "ew": Ends}

// ordered makes the filter of an ordered value by the prefix that is the operator.
func (f *filtering) ordered(op string, make func(prefix string) (Filter, error)) (Filter, error) {
	switch {
	case op == "po":
		filter, err := make("eq")
		return overlapping(filter), err
	case !slices.Contains([]string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}, op):
		return nil, notSupported("_filter: operator " + op + " is not supported for dates, numbers and quantities")
	}
	return make(op)
}

// overlapping makes an equal date one that overlaps, which in FHIR R4 it is not.
func overlapping(filter Filter) Filter {
	switch m := filter.(type) {
	case Match:
		if d, is := m.Operand.(Date); is {
			d.Within = false
			m.Operand = d
		}
		return m
	case Updated:
		m.Date.Within = false
		return m
	}
	return filter
}
