package searchparam

import (
	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/spec"
)

// near is the parameter of positions. It is typed special.
const near = "http://hl7.org/fhir/SearchParameter/Location-near"

// positionConverter returns how a value of a type becomes a position, nil when it does not.
func positionConverter(t *spec.Type) converter {
	if t.Name == "Location.position" {
		return position
	}
	return nil
}

// The ends of the earth, in degrees. What lies beyond is nowhere.
var maxLatitude, maxLongitude = decimal.FromInt(90), decimal.FromInt(180)

func position(x *extraction, s *sink, n fhir.Node) {
	latitude, hasLatitude := number(n.Get("latitude"))
	longitude, hasLongitude := number(n.Get("longitude"))
	if hasLatitude && hasLongitude && latitude.Abs().Cmp(maxLatitude) <= 0 && longitude.Abs().Cmp(maxLongitude) <= 0 {
		x.add(s.param, Value{Low: latitude, High: longitude})
	}
}
