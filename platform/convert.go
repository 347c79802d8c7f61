package platform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"salus/convert"
	"salus/convert/collection"
	"salus/convert/engine"
	"salus/convert/templates"
	"salus/fault"
)

// conversionTime is how long one conversion may take, the reference service's limit.
const conversionTime = 30 * time.Second

// defaults are the references of templates that Salus brings with it, in lower case, with what they are for. Those without are not there yet.
var defaults = map[string]convert.Source{
	"microsofthealth/fhirconverter:default":     convert.HL7v2,
	"microsofthealth/hl7v2templates:default":    convert.HL7v2,
	"microsofthealth/ccdatemplates:default":     0,
	"microsofthealth/jsontemplates:default":     0,
	"microsofthealth/stu3tor4templates:default": 0,
}

// ownTemplates are those that Salus brings with it. They are compiled as they are used, once for all services.
var ownTemplates = sync.OnceValues(func() (*engine.Converter, error) { return engine.New(templates.HL7v2(), engine.Options{}) })

// converters are those of a service's own collections of templates, by their reference.
type converters map[string]*engine.Converter

// openConverters reads the collections of a service.
func (p *Platform) openConverters(configured map[string]string) (converters, error) {
	all := converters{}
	for reference, name := range configured {
		files, err := collection.Open(name)
		if err != nil {
			return nil, fmt.Errorf("templates of %s: %w", reference, err)
		}
		if all[reference], err = engine.New(files, engine.Options{Now: p.cfg.Now}); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "templates of %s: %v", reference, err)
		}
	}
	return all, nil
}

// find returns the converter for a reference.
func (c converters) find(reference string, source convert.Source) (*engine.Converter, error) {
	if converter, ok := c[reference]; ok {
		return converter, nil
	}
	is, ok := defaults[strings.ToLower(reference)]
	switch {
	case !ok:
		return nil, fault.New(fault.Invalid, "The template collection reference is not configured.")
	case is == 0:
		return nil, fault.New(fault.Invalid, "The default templates of this reference are not in this build; those for HL7 v2 are.")
	case is != source:
		return nil, fault.New(fault.Invalid, "The input data type and the default template collection are inconsistent.")
	}
	return ownTemplates()
}

// Convert implements rest.Converter.
func (c converters) Convert(ctx context.Context, reference string, r convert.Request) (convert.Result, error) {
	converter, err := c.find(reference, r.Source)
	if err != nil {
		return convert.Result{}, err
	}
	limited, cancel := context.WithTimeout(ctx, conversionTime)
	defer cancel()
	result, err := converter.Convert(limited, r)
	var e *convert.Error
	switch {
	case err == nil:
		return result, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return result, fault.Wrap(fault.Canceled, err, "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded):
		return result, fault.Wrap(fault.Overdue, err, "Convert data operation has timed out.")
	case errors.As(err, &e):
		return result, fault.Wrap(fault.Invalid, err, "Failed to convert the input data. Reason: %s", e.Error())
	}
	return result, err
}
