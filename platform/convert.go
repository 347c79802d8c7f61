package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"salus/convert"
	"salus/convert/collection"
	"salus/convert/engine"
	"salus/fault"
	"salus/fhir/rest"
)

// conversionTime is how long one conversion may take, the reference service's limit.
const conversionTime = 30 * time.Second

// converters are those of a service's collections of templates, by their reference.
type converters map[string]*engine.Converter

// openConverter reads the collections of a service. Without any there is no converter.
func (p *Platform) openConverter(templates map[string]string) (rest.Converter, error) {
	if len(templates) == 0 {
		return nil, nil
	}
	all := converters{}
	for reference, name := range templates {
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

// Convert implements rest.Converter.
func (c converters) Convert(ctx context.Context, reference string, r convert.Request) (convert.Result, error) {
	converter, ok := c[reference]
	if !ok {
		return convert.Result{}, fault.New(fault.Invalid, "The template collection reference is not configured.")
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
