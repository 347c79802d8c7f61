package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"salus/convert"
	"salus/fault"
	"salus/fhir"
)

// Converter converts messages and documents with the collection of templates that a reference names. Whatever the caller can mend is a fault of kind
// Invalid; a conversion that takes too long is Overdue.
type Converter interface {
	Convert(ctx context.Context, collection string, r convert.Request) (convert.Result, error)
}

// The parameters of $convert-data.
const (
	inputData          = "inputData"
	inputDataType      = "inputDataType"
	templateCollection = "templateCollectionReference"
	rootTemplate       = "rootTemplate"
	datesAsStrings     = "jsonDeserializationTreatDatesAsStrings"
)

// conversionParams are the parameters in their definition.
var conversionParams = []parameter{
	{name: inputData, min: 1, max: "1", typ: "string", text: "The message, XML or JSON."},
	{name: inputDataType, min: 1, max: "1", typ: "string", text: "Hl7v2, Ccda, Json or Fhir."},
	{name: templateCollection, min: 1, max: "1", typ: "string", text: "Reference of the templates."},
	{name: rootTemplate, min: 1, max: "1", typ: "string", text: "Template to begin with, such as ADT_A01."},
	{name: datesAsStrings, max: "1", typ: "boolean", text: "Of JSON: texts that look like dates stay texts."},
}

// converting are the operations on data that is no FHIR yet.
var converting = []operation{{
	name: "convert-data", code: "convert-data",
	title:  "Convert data to FHIR",
	text:   "Makes a bundle of an HL7v2 message, a C-CDA document, JSON or a resource of FHIR STU3, by templates. Nothing is stored.",
	routes: []route{{http.MethodPost, "/$convert-data", (*server).convertData, apart, nil, nil}},
	params: conversionParams,
}}

// convertData is POST /$convert-data.
//
// Compat: the answer is text/plain, as the reference has it, whatever the template makes.
func (s *server) convertData(w http.ResponseWriter, r *http.Request) error {
	if s.converter == nil {
		return fault.New(fault.NotSupported, "this service has no templates, so it converts nothing")
	}
	collection, request, err := s.conversion(r)
	if err != nil {
		return err
	}
	done, err := s.converter.Convert(r.Context(), collection, request)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(done.Output)))
	_, err = w.Write(done.Output)
	return err
}

// conversion reads the parameters of $convert-data.
//
// Compat: parameters that it does not know are refused, as the reference does.
func (s *server) conversion(r *http.Request) (collection string, request convert.Request, err error) {
	given := map[string]string{}
	err = s.given(r, func(name string, n fhir.Node) error {
		if !slices.ContainsFunc(conversionParams, func(p parameter) bool { return p.name == name }) {
			return refuseParameter("Convert data does not support a parameter that is given; it supports %s, %s, %s, %s and %s.",
				inputData, inputDataType, templateCollection, rootTemplate, datesAsStrings)
		}
		if _, twice := given[name]; twice {
			return refuseParameter("The parameter %s is there more than once.", name)
		}
		given[name] = valueOf(n)
		return nil
	})
	if err != nil {
		return "", request, err
	}
	invalid := func(name string) error {
		return refuseParameter("Value of the following parameter %s is invalid.", name)
	}
	for _, p := range conversionParams {
		if p.min > 0 && strings.TrimSpace(given[p.name]) == "" {
			return "", request, invalid(p.name)
		}
	}
	source, ok := convert.ParseSource(given[inputDataType])
	if !ok || source == convert.FHIRBundle {
		return "", request, invalid(inputDataType)
	}
	dates, err := strconv.ParseBool(given[datesAsStrings])
	if err != nil && given[datesAsStrings] != "" {
		return "", request, invalid(datesAsStrings)
	}
	return given[templateCollection], convert.Request{Source: source, Template: given[rootTemplate], Input: []byte(given[inputData]), DatesAsStrings: dates}, nil
}

func refuseParameter(format string, args ...any) error {
	f := fault.New(fault.Invalid, format, args...)
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: f.Message, Expression: "Parameters.parameter"})
}
