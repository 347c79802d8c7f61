package fhirpath_test

import (
	"fmt"

	"salus/fhir"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

func Example() {
	doc, err := fhir.Parse([]byte(`{"resourceType":"Patient","name":[{"given":["Ada","Augusta"]}],"birthDate":"1815-12-10"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := fhirpath.Compile("name.given.where(length() > 3) | birthDate.toString()", spec.R4())
	if err != nil {
		fmt.Println(err)
		return
	}
	items, err := e.Eval(nil, fhirpath.NodeItem(spec.R4(), doc.Root()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, it := range items {
		text, _ := it.Text()
		fmt.Println(it.TypeName(), text)
	}
	// Output:
	// string Augusta
	// String 1815-12-10
}
