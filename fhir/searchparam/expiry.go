package searchparam

import "salus/fhir/spec"

// expiry finds resources by the instant from which they are of no more use.
//
// Compat: all types have the search parameter _expiryDate, which is the reference's
// own, over an extension that it puts into meta.
var expiry = &spec.SearchParam{
	URL:        "https://azurehealthcareapis.com/data-extensions/expiry-date",
	Code:       "_expiryDate",
	Name:       "ahcapis-expiry-date",
	Type:       "date",
	Base:       []string{"Resource"},
	Expression: "Resource.meta.extension.where(url='https://azurehealthcareapis.com/data-extensions/expiry-date').value as dateTime",
}
