package fhir_test

import (
	"strings"
	"testing"
)

// long is a city with more characters than most indexes hold of a value.
var long = "Lang" + strings.Repeat("enfeld", 60)

func TestSearch_String(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"smith", `{"resourceType":"Patient","name":[{"family":"Smith","given":["John","Jacob"],"text":"Sir John"}],"address":[{"city":"Seattle","line":["1 Main Street"]}]}`},
		thing{"smithson", `{"resourceType":"Patient","name":[{"family":"smithson","given":["Mary Ann"]}],"address":[{"city":"New Seattle"}]}`},
		thing{"muller", `{"resourceType":"Patient","name":[{"family":"Müller","given":["Zoë"],"prefix":["Dr."]}],"address":[{"city":"Göteborg"}]}`},
		thing{"comma", `{"resourceType":"Patient","name":[{"family":"O'Neil, Jr."}],"address":[{"city":"Muchalls"}]}`},
		thing{"long", `{"resourceType":"Patient","name":[{"family":"Richard"},{"family":"Smythe"}],"address":[{"city":"` + long + `"}]}`},
		thing{"bare", `{"resourceType":"Patient","active":true}`},
	)
	w.finds(t, []find{
		{"prefix", "Patient?family=Smith", "smith smithson"},
		{"prefix ignores case", "Patient?family=sMiTH", "smith smithson"},
		{"short prefix", "Patient?family=sm", "smith smithson long"},
		{"not the middle", "Patient?family=mith", ""},
		{"any of several values", "Patient?family=smy", "long"},
		{"without accents finds accents", "Patient?family=muller", "muller"},
		{"accents find themselves", "Patient?family=Müller", "muller"},
		{"accents find without", "Patient?address-city=goteborg", "muller"},
		{"exact", "Patient?family:exact=Smith", "smith"},
		{"exact heeds case", "Patient?family:exact=smith", ""},
		{"exact heeds accents", "Patient?family:exact=Muller", ""},
		{"exact with accents", "Patient?family:exact=Müller", "muller"},
		{"exact is no prefix", "Patient?family:exact=Smi", ""},
		{"contains", "Patient?family:contains=mith", "smith smithson"},
		{"contains ignores case", "Patient?address-city:contains=SEATTLE", "smith smithson"},
		{"contains at the end", "Patient?family:contains=son", "smithson"},
		{"contains ignores accents", "Patient?address-city:contains=teborg", "muller"},
		{"contains nothing", "Patient?family:contains=xyz", ""},
		{"or", "Patient?family=smithson,muller", "smithson muller"},
		{"or with one that finds nothing", "Patient?family=nobody,muller", "muller"},
		{"and", "Patient?family=smith&given=john", "smith"},
		{"and that finds nothing", "Patient?family=smith&given=zoe", ""},
		{"and of one parameter", "Patient?given=john&given=jacob", "smith"},
		{"exact or", "Patient?family:exact=Smith,Müller", "smith muller"},
		{"a blank within", "Patient?given=mary%20ann", "smithson"},
		{"an escaped comma", `Patient?family=O'Neil\,%20Jr.`, "comma"},
		{"a comma separates", `Patient?family=O'Neil,%20Jr.`, "comma"},
		{"over several elements", "Patient?name=sir", "smith"},
		{"over several elements, prefix of the name", "Patient?name=dr.", "muller"},
		{"a part of a structure", "Patient?address=1%20main", "smith"},
		{"a value of 364 characters", "Patient?address-city=" + long, "long"},
		{"a prefix of 300 characters", "Patient?address-city=" + long[:300], "long"},
		{"exactly 364 characters", "Patient?address-city:exact=" + long, "long"},
		{"one character more", "Patient?address-city=" + long + "x", ""},
		{"exactly one character less", "Patient?address-city:exact=" + long[:363], ""},
		{"contains 260 characters", "Patient?address-city:contains=" + long[50:310], "long"},
		{"missing", "Patient?family:missing=true", "bare"},
		{"not missing", "Patient?family:missing=false", "comma long muller smith smithson"},
		{"phonetic is not folded", "Patient?given=jon", ""},
	})
	refuses(t, first(), []refusal{
		{"Patient?family:below=x", 403, "invalid"},
		{"Patient?family:not=x", 403, "invalid"},
		{"Patient?family:missing=perhaps", 403, "invalid"},
		{"Patient?family:shoes=x", 403, "invalid"},
	})
}

func TestSearch_Token(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"a", `{"resourceType":"Observation","identifier":[{"system":"http://hospital.org/ids","value":"one"}],"status":"final","category":[{"coding":[{"system":"http://cat","code":"vital"}]}],"code":{"coding":[{"system":"http://sys1","code":"code1","display":"Blood pressure"}],"text":"Pressure of blood"}}`},
		thing{"b", `{"resourceType":"Observation","identifier":[{"system":"http://hospital.org/ids","value":"two"}],"status":"preliminary","code":{"coding":[{"system":"http://sys2","code":"code1"},{"system":"http://sys3","code":"code3","display":"Weight"}]}}`},
		thing{"c", `{"resourceType":"Observation","identifier":[{"value":"one"}],"status":"final","code":{"coding":[{"code":"code2"}]},"valueCodeableConcept":{"coding":[{"system":"http://sys1","code":"VALUE"}],"text":"high"}}`},
		thing{"d", `{"resourceType":"Observation","status":"final","code":{"text":"only text"},"valueCodeableConcept":{"coding":[{"system":"http://sys1","code":"value"}]}}`},
		thing{"e", `{"resourceType":"Observation","status":"cancelled","code":{"coding":[{"system":"http://sys1","code":"a|b"},{"system":"http://sys1","code":"x,y"}]}}`},
	)
	w.finds(t, []find{
		{"code of any system", "Observation?code=code1", "a b"},
		{"code of a system", "Observation?code=http://sys1|code1", "a"},
		{"code of another system", "Observation?code=http://sys3|code1", ""},
		{"any of several codings", "Observation?code=http://sys3|code3", "b"},
		{"code of no system", "Observation?code=|code2", "c"},
		{"code of no system, though it has one", "Observation?code=|code1", ""},
		{"any code of a system", "Observation?code=http://sys1|", "a e"},
		{"any code of an unknown system", "Observation?code=http://sys9|", ""},
		{"codes heed case", "Observation?value-concept=VALUE", "c"},
		{"codes heed case the other way", "Observation?value-concept=value", "d"},
		{"not a prefix", "Observation?code=code", ""},
		{"or", "Observation?code=code2,code3", "b c"},
		{"or of systems", "Observation?code=http://sys1|code1,http://sys2|code1", "a b"},
		{"and", "Observation?code=code1&code=code3", "b"},
		{"an escaped bar", `Observation?code=a\|b`, "e"},
		{"an escaped comma", `Observation?code=x\,y`, "e"},
		{"identifier", "Observation?identifier=one", "a c"},
		{"identifier of a system", "Observation?identifier=http://hospital.org/ids|one", "a"},
		{"identifier of no system", "Observation?identifier=|one", "c"},
		{"any identifier of a system", "Observation?identifier=http://hospital.org/ids|", "a b"},
		{"a code without a system", "Observation?status=final", "a c d"},
		{"a code with FHIR's system", "Observation?status=http://hl7.org/fhir/observation-status|final", "a c d"},
		{"not", "Observation?code:not=code1", "c d e"},
		{"not of a system", "Observation?code:not=http://sys1|code1", "b c d e"},
		{"not of several", "Observation?code:not=code1,code2", "d e"},
		{"not and not", "Observation?code:not=code1&code:not=code2", "d e"},
		{"not includes what lacks the element", "Observation?category:not=vital", "b c d e"},
		{"not of a status", "Observation?status:not=final", "b e"},
		{"not of several status", "Observation?status:not=final,cancelled", "b"},
		{"not with another parameter", "Observation?status:not=final&code=code1", "b"},
		{"not of a system's codes", "Observation?code:not=http://sys1|", "b c d"},
		{"text of a display", "Observation?code:text=blood", "a"},
		{"text ignores case", "Observation?code:text=WEIGHT", "b"},
		{"text of the concept", "Observation?code:text=pressure", "a"},
		{"text of a concept without codings", "Observation?code:text=only", "d"},
		{"text is no code", "Observation?code:text=code1", ""},
		{"missing", "Observation?category:missing=true", "b c d e"},
		{"not missing", "Observation?category:missing=false", "a"},
		{"over all values of a choice", "Observation?combo-code=code2", "c"},
	})
	refuses(t, first(), []refusal{
		{"Observation?code=a|b|c", 400, "invalid"},
		{"Observation?code:exact=code1", 403, "invalid"},
		{"Observation?code:contains=code1", 403, "invalid"},
	})
	people := build(t, first(),
		thing{"ann", `{"resourceType":"Patient","active":true,"telecom":[{"system":"email","value":"ann@example.org"},{"system":"phone","value":"555-1","use":"home"}],"gender":"female"}`},
		thing{"bob", `{"resourceType":"Patient","active":false,"telecom":[{"system":"phone","value":"555-2"}],"gender":"male","deceasedBoolean":false}`},
		thing{"cy", `{"resourceType":"Patient","deceasedDateTime":"2020-01-01"}`},
	)
	people.finds(t, []find{
		{"true", "Patient?active=true", "ann"},
		{"false", "Patient?active=false", "bob"},
		{"a contact point's value", "Patient?telecom=555-1", "ann"},
		{"a contact point by one kind", "Patient?email=ann@example.org", "ann"},
		{"a contact point by another kind", "Patient?phone=ann@example.org", ""},
		{"deceased", "Patient?deceased=true", "cy"},
		{"gender", "Patient?gender=male,female", "ann bob"},
		{"not a gender", "Patient?gender:not=male", "ann cy"},
		{"gender missing", "Patient?gender:missing=true", "cy"},
	})
}

func TestSearch_URI(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"v1", `{"resourceType":"ValueSet","url":"http://somewhere.com/{w}/test/system","status":"draft"}`},
		thing{"v2", `{"resourceType":"ValueSet","url":"http://somewhere.com/{w}/test","status":"draft"}`},
		thing{"v3", `{"resourceType":"ValueSet","url":"http://example.org/rdf#54135-9","status":"draft"}`},
		thing{"v4", `{"resourceType":"ValueSet","url":"http://example.org/rdf#54135-9-9","status":"draft"}`},
		thing{"v5", `{"resourceType":"ValueSet","url":"urn:oid:1.2.3.4.5","status":"draft"}`},
		thing{"v6", `{"resourceType":"ValueSet","status":"draft"}`},
	)
	w.finds(t, []find{
		{"exact", "ValueSet?url=http://somewhere.com/{w}/test", "v2"},
		{"exact heeds case", "ValueSet?url=http://somewhere.com/{w}/TEST", ""},
		{"heeds the case of the host", "ValueSet?url=http://SOMEWHERE.com/{w}/test", ""},
		{"is no prefix", "ValueSet?url=http://somewhere.com/{w}", ""},
		{"heeds a slash at the end", "ValueSet?url=http://somewhere.com/{w}/test/", ""},
		{"below", "ValueSet?url:below=http://somewhere.com/{w}/test", "v1 v2"},
		{"above", "ValueSet?url:above=http://somewhere.com/{w}/test/system", "v1 v2"},
		{"above what it is", "ValueSet?url:above=http://somewhere.com/{w}/test", "v2"},
		{"above of more", "ValueSet?url:above=http://somewhere.com/{w}/test/system/123", "v1 v2"},
		{"urn", "ValueSet?url=urn:oid:1.2.3.4.5", "v5"},
		{"or", "ValueSet?url=urn:oid:1.2.3.4.5,http://example.org/rdf%2354135-9", "v3 v5"},
		{"missing", "ValueSet?url:missing=true", "v6"},
		{"with a fragment", "ValueSet?url=http://example.org/rdf%2354135-9", "v3"},
	})
	if first().mode == azure {
		w.finds(t, []find{
			{"azure: below is a prefix of characters", "ValueSet?url:below=http", "v1 v2 v3 v4"},
			{"azure: above is a prefix of characters", "ValueSet?url:above=http://example.org/rdf%2354135-9-9-10", "v3 v4"},
			{"azure: below leaves urns out", "ValueSet?url:below=urn:oid:1.2.3", ""},
			{"azure: above leaves urns out", "ValueSet?url:above=urn:oid:1.2.3.4.5.6", ""},
		})
	}
	refuses(t, first(), []refusal{
		{"ValueSet?url:exact=x", 403, "invalid"},
		{"ValueSet?url:contains=x", 403, "invalid"},
	})
}
