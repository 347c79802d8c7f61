// Package engine converts messages and documents: it parses a source, renders the root template and makes clean JSON of what the template wrote.
//
// Every error is a [convert.Error] with the reference service's code; errors of templates have name and line. No error has a value of the source in it.
package engine

import (
	"bytes"
	"context"
	"sync"
	"time"

	"salus/convert"
	"salus/convert/ccda"
	"salus/convert/fhirjson"
	"salus/convert/hl7v2"
	"salus/convert/jsontext"
	"salus/convert/liquid"
)

// Options bound conversions and say what they may know of their surroundings.
type Options struct {
	MaxIterations int              // of one loop; 100,000 when 0
	MaxOutput     int              // bytes that a template writes; 256 MiB when 0
	Now           func() time.Time // time.Now when nil
	Zone          *time.Location   // of times without one; UTC when nil
}

// defaultMaxOutput is what a template may write at most unless Options say otherwise.
const defaultMaxOutput = 256 << 20

// Converter converts with one collection of templates. It is safe for concurrent use.
type Converter struct {
	templates *liquid.Set
	o         Options
}

// New makes a converter of the files of a collection.
func New(files []liquid.File, o Options) (*Converter, error) {
	filters := map[string]liquid.Filter{}
	for name, f := range hl7v2.Filters() {
		filters[name] = f
	}
	for name, f := range ccda.Filters() {
		filters[name] = f
	}
	templates, err := liquid.New(files, liquid.Options{Filters: filters})
	if err != nil {
		return nil, err
	}
	if o.MaxOutput == 0 {
		o.MaxOutput = defaultMaxOutput
	}
	return &Converter{templates, o}, nil
}

// Check compiles all templates and returns what is wrong with them, in the order of their names.
func (c *Converter) Check() []error { return c.templates.Check() }

// Convert converts a message or document.
func (c *Converter) Convert(ctx context.Context, r convert.Request) (convert.Result, error) {
	var result convert.Result
	vars, message, err := read(r)
	if err != nil {
		return result, err
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	text, err := c.templates.Render(ctx, (*buffer)[:0], r.Template, vars, liquid.Run{
		MaxIterations: c.o.MaxIterations, MaxOutput: c.o.MaxOutput, Now: c.o.Now, Zone: c.o.Zone, NoParent: r.Source == convert.FHIRBundle,
	})
	*buffer = text
	if err != nil {
		return result, err
	}
	if result.Output, err = jsontext.Clean(text); err != nil {
		return result, err
	}
	if r.Source == convert.FHIRBundle {
		result.Output, err = fhirjson.HL7v2(result.Output)
	}
	if message != nil {
		result.Unused = message.Unused()
	}
	return result, err
}

// buffers are what templates write into; what is made of it is copied.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// read parses the source into the variables that templates have of it.
func read(r convert.Request) (vars map[string]convert.Value, message *hl7v2.Message, err error) {
	r.Input = bytes.TrimPrefix(r.Input, []byte("\xEF\xBB\xBF"))
	if len(bytes.TrimSpace(r.Input)) == 0 {
		return nil, nil, &convert.Error{Code: convert.InputParsingError, Rule: "the input is empty", Cause: convert.Errorf(convert.NullOrWhiteSpaceInput, "the input is empty")}
	}
	var v convert.Value
	switch r.Source {
	case convert.HL7v2:
		message, err = hl7v2.Parse(string(r.Input))
		return map[string]convert.Value{"hl7v2Data": message}, message, err
	case convert.CCDA:
		v, err = ccda.Parse(r.Input)
	case convert.JSON:
		v, err = fhirjson.Parse(r.Input, !r.DatesAsStrings)
	case convert.FHIR, convert.FHIRBundle:
		v, err = fhirjson.Parse(r.Input, false)
	default:
		return nil, nil, convert.Errorf(convert.InputParsingError, "there is no data type of this name")
	}
	return map[string]convert.Value{"msg": v}, nil, err
}
