package searchparam

import "salus/fhir/spec"

// expiry finds resources by the instant from which they are of no more use.
// Compat: the reference's own parameter of all types, over an extension that it
// puts into meta.
var expiry = &spec.SearchParam{
	URL:        "https://azurehealthcareapis.com/data-extensions/expiry-date",
	Code:       "_expiryDate",
	Name:       "ahcapis-expiry-date",
	Type:       "date",
	Base:       []string{"Resource"},
	Expression: "Resource.meta.extension.where(url='https://azurehealthcareapis.com/data-extensions/expiry-date').value as dateTime",
}
