package storetest

import (
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

func matchDates(f *fixture) {
	indexed{
		{"a", values{when("2020-01-15T12:00:00Z")}},
		{"b", values{when("2020-01-15")}},
		{"c", values{when("2020-01")}},
		{"d", values{when("2020")}},
		{"e", values{when("..2020-01-14")}},
		{"f", values{when("..2020-01-15")}},
		{"g", values{when("2020-01-15..")}},
		{"h", values{when("2020-01-16..")}},
		{"i", values{when("..")}},
		{"j", values{when("2020-01-10..2020-01-15")}},
		{"k", values{when("2020-01-14"), when("2020-01-16")}},
		{"l", values{when("1850-06-01..2150-06-01")}},
	}.write(f)
	withinBy := func(p search.Prefix, s string) search.Date { d := dateIs(p, s); d.Within = true; return d }
	within := func(s string) search.Date { return withinBy(search.Eq, s) }
	for _, c := range []struct {
		operand search.Date
		want    string
	}{
		{dateIs(search.Eq, "2020-01-15"), "a b c d f g i j l"},
		{within("2020-01-15"), "a b"},
		{withinBy(search.Ge, "2020-01-15"), "a b c d g h i k l"},
		{withinBy(search.Le, "2020-01-15"), "a b c d e f i j k l"},
		{withinBy(search.Ge, "2020-01"), "a b c d g h i j k l"},
		{withinBy(search.Le, "2020"), "a b c d e f i j k l"},
		{dateIs(search.Ap, "2020-01-15"), "a b c d f g i j l"},
		{dateIs(search.Ne, "2020-01-15"), "c d e f g h i j k l"},
		{dateIs(search.Lt, "2020-01-15"), "c d e f i j k l"},
		{dateIs(search.Le, "2020-01-15"), "a b c d e f g i j k l"},
		{dateIs(search.Gt, "2020-01-15"), "c d g h i k l"},
		{dateIs(search.Ge, "2020-01-15"), "a b c d f g h i j k l"},
		{dateIs(search.Sa, "2020-01-15"), "h k"},
		{dateIs(search.Eb, "2020-01-15"), "e k"},
		{dateIs(search.Eq, "2020-01-15T12:00:00Z"), "a b c d f g i j l"},
		{dateIs(search.Eq, "2020-01-15T12:00:01Z"), "b c d f g i j l"},
		{within("2020-01-15T12:00:00Z"), "a"},
		{dateIs(search.Lt, "2020-01-15T12:00:00Z"), "b c d e f g i j k l"},
		{dateIs(search.Gt, "2020-01-15T12:00:00Z"), "b c d f g h i j k l"},
		{within("2020-01"), "a b c j k"},
		{within("2020"), "a b c d j k"},
		{dateIs(search.Eq, "2019"), "e f i l"},
		{dateIs(search.Sa, "2019"), "a b c d g h j k"},
		{dateIs(search.Eb, "2021"), "a b c d e f j k"},
		{dateIs(search.Ge, "2021"), "g h i l"},
		{dateIs(search.Eq, "1900"), "e f i l"},
		{dateIs(search.Eq, "2200"), "g h i"},
	} {
		f.finds(match(date, c.operand), c.want)
	}
	tick := dateIs(search.Eq, "2020-01-15T12:00:00Z")
	tick.Start = tick.End + 1 // one tick behind the stored second
	tick.End = tick.Start
	f.finds(match(date, tick), "b c d f g i j l")
	tick.Start--
	tick.End--
	f.finds(match(date, tick), "a b c d f g i j l")
}

func matchNumbers(f *fixture) {
	indexed{
		{"a", values{num("1")}},
		{"b", values{num("1.00")}},
		{"c", values{num("1.04")}},
		{"d", values{num("-1")}},
		{"e", values{num("0")}},
		{"f", values{num("123456789012345678901234567890.5")}},
		{"g", values{num("0.0000000000000000000000001")}},
		{"h", values{num("-1e30")}},
		{"i", values{num("9"), num("11")}},
		{"j", values{num("10")}},
	}.write(f)
	for _, c := range []struct {
		operand search.Number
		want    string
	}{
		{numberIs(search.Eq, "1"), "a b c"}, // 0.5 to 1.5
		{search.Number{Low: dec("0"), High: dec("1.04")}, "a b c e g"},
		{search.Number{Low: dec("0"), High: dec("1.04"), Open: true}, "a b e g"},
		{search.Number{Prefix: search.Ne, Low: dec("0"), High: dec("1.04"), Open: true}, "c d f h i j"},
		{numberIs(search.Eq, "1.0"), "a b c"},
		{numberIs(search.Eq, "1.00"), "a b"},
		{numberIs(search.Ap, "1.00"), "a b"},
		{numberIs(search.Ne, "1.00"), "c d e f g h i j"},
		{numberIs(search.Gt, "1"), "c f i j"},
		{numberIs(search.Ge, "1"), "a b c f i j"},
		{numberIs(search.Lt, "0"), "d h"},
		{numberIs(search.Le, "0"), "d e h"},
		{numberIs(search.Sa, "10"), "f i"},
		{numberIs(search.Eb, "10"), "a b c d e g h i"},
		{numberIs(search.Eq, "10"), "j"}, // between the two values of i
		{numberIs(search.Gt, "-1"), "a b c e f g i j"},
		{numberIs(search.Ge, "123456789012345678901234567890.5"), "f"},
		{numberIs(search.Gt, "123456789012345678901234567890.5"), ""},
		{numberIs(search.Gt, "123456789012345678901234567890.4"), "f"},
		{numberIs(search.Le, "-1000000000000000000000000000000"), "h"},
		{numberIs(search.Eq, "0.0000000000000000000000001"), "g"},
		{numberIs(search.Eq, "0.00"), "e g"},
		{numberIs(search.Eq, "-1.0"), "d"},
	} {
		f.finds(match(number, c.operand), c.want)
	}
}

func matchRanges(f *fixture) {
	indexed{
		{"a", values{num("1..3")}},
		{"b", values{num("..2")}},
		{"c", values{num("2..")}},
		{"d", values{num("-5..-3")}},
		{"e", values{num("2")}},
		{"f", values{num("..")}},
	}.write(f)
	window := func(p search.Prefix, low, high string) search.Number {
		return search.Number{Prefix: p, Low: dec(low), High: dec(high)}
	}
	for _, c := range []struct {
		operand search.Number
		want    string
	}{
		{window(search.Eq, "1", "3"), "a e"},
		{search.Number{Low: dec("1"), High: dec("3"), Open: true}, "e"},
		{search.Number{Prefix: search.Ne, Low: dec("1"), High: dec("3"), Open: true}, "a b c d f"},
		{window(search.Ap, "1", "2.9"), "e"},
		{window(search.Eq, "-100", "100"), "a d e"}, // an open end is in no window
		{window(search.Ne, "1", "3"), "b c d f"},
		{numberIs(search.Gt, "2"), "a c f"},
		{numberIs(search.Ge, "2"), "a b c e f"},
		{numberIs(search.Lt, "2"), "a b d f"},
		{numberIs(search.Le, "2"), "a b c d e f"},
		{numberIs(search.Sa, "1"), "c e"},
		{numberIs(search.Sa, "0"), "a c e"},
		{numberIs(search.Eb, "3"), "b d e"},
		{numberIs(search.Eb, "4"), "a b d e"},
		{numberIs(search.Gt, "1000000"), "c f"},
		{numberIs(search.Lt, "-1000000"), "b f"},
	} {
		f.finds(match(number, c.operand), c.want)
	}
}

func matchQuantities(f *fixture) {
	indexed{
		{"a", values{qty("5.4 u|mg")}},
		{"b", values{qty("5.4 u|g")}},
		{"c", values{qty("5.4 v|mg")}},
		{"d", values{qty("5.4 mg")}},
		{"e", values{qty("5.4")}},
		{"f", values{qty("9 u|mg"), qty("5.4 u|g")}},
		{"g", values{qty("1..9 u|mg")}},
		{"h", values{qty("..9 u|mg")}},
	}.write(f)
	is := func(p search.Prefix, n, unit string) search.Quantity {
		v := tokenValue(unit)
		return search.Quantity{Number: numberIs(p, n), System: v.System, Code: v.Code}
	}
	anySystem := is(search.Eq, "5.4", "mg")
	anySystem.AnySystem = true
	anyCode := is(search.Eq, "5.4", "u|")
	anyCode.AnyCode = true
	anyUnit := is(search.Eq, "5.4", "")
	anyUnit.AnyUnit = true
	anyUnitMore := is(search.Gt, "5.4", "")
	anyUnitMore.AnyUnit = true
	for _, c := range []struct {
		operand search.Quantity
		want    string
	}{
		{is(search.Eq, "5.4", "u|mg"), "a"}, // f has number and unit in two values
		{is(search.Eq, "5.4", "u|g"), "b f"},
		{is(search.Eq, "5.4", "mg"), "d"}, // without a system
		{is(search.Eq, "5.4", "u|kg"), ""},
		{anySystem, "a c d"},
		{anyCode, "a b f"},
		{anyUnit, "a b c d e f"},
		{anyUnitMore, "f g h"},
		{is(search.Ne, "5.4", "u|mg"), "f g h"},
		{is(search.Gt, "5.4", "u|mg"), "f g h"},
		{is(search.Ge, "9", "u|mg"), "f g h"},
		{is(search.Lt, "5.4", "u|mg"), "g h"},
		{is(search.Le, "5.4", "u|mg"), "a g h"},
		{is(search.Sa, "0.5", "u|mg"), "a f g"},
		{is(search.Eb, "9.5", "u|mg"), "a f g h"},
		{search.Quantity{Number: search.Number{Low: dec("0"), High: dec("10")}, System: "u", Code: "mg"}, "a f g"},
	} {
		f.finds(match(quantity, c.operand), c.want)
	}
}

func matchUCUM(f *fixture) {
	const u = " " + search.UCUM + "|"
	indexed{
		{"a", values{qty("5.4" + u + "g")}},
		{"b", values{qty("5400" + u + "mg")}},
		{"c", values{qty("5400 mg")}},
		{"d", values{qty("5.4 v|g")}},
		{"e", values{qty("0.0054" + u + "kg")}},
		{"f", values{qty("98.6" + u + "[degF]")}},
		{"g", values{qty("37" + u + "Cel")}},
		{"h", values{qty("5.4" + u + "L")}},
		{"i", values{qty("5000..5500" + u + "mg")}},
		{"j", values{qty("5.4" + u + "nonsense")}},
		{"k", values{qty("7.4" + u + "[pH]")}},
		{"l", values{pair(reading, token("s|w"), qty("5400"+u+"mg"))}},
		{"m", values{qty("12.0" + u + "ug"), qty("6.6" + u + "g")}},
	}.write(f)
	is := func(p search.Prefix, n, code string) search.Quantity {
		return search.Quantity{Number: numberIs(p, n), System: search.UCUM, Code: code}
	}
	anySystem := is(search.Eq, "5.4", "g")
	anySystem.System, anySystem.AnySystem = "", true
	for _, c := range []struct {
		operand search.Quantity
		want    string
	}{
		{is(search.Eq, "5.4", "g"), "a b e"},
		{is(search.Eq, "5400", "mg"), "a b e"},
		{is(search.Eq, "5", "g"), "a b e i"}, // from 4.5 to 5.5
		{is(search.Gt, "5.4", "g"), "i m"},
		{is(search.Lt, "5.4", "g"), "i m"},
		{is(search.Ge, "5400000", "ug"), "a b e i m"},
		{is(search.Ne, "5.4", "g"), "i m"},
		{is(search.Eq, "37.0", "Cel"), "f g"},
		{is(search.Eq, "98.6", "[degF]"), "f g"},
		{is(search.Eq, "5.4", "L"), "h"},
		{is(search.Eq, "5.4", "dm3"), "h"},
		{is(search.Eq, "5.4", "nonsense"), "j"},
		{is(search.Gt, "1", "mol/L"), ""}, // pH runs the other way
		{is(search.Eq, "7.4", "[pH]"), "k"},
		{anySystem, "a d"}, // the code alone
	} {
		f.finds(match(quantity, c.operand), c.want)
	}
	w := search.Token{System: "s", Code: "w"}
	f.finds(match(reading, search.Composite{Parts: []search.Operand{w, is(search.Eq, "5.4", "g")}}), "l")
	f.finds(match(reading, search.Composite{Parts: []search.Operand{search.Token{System: "s", AnyCode: true}, is(search.Ge, "5.4", "g")}}), "l")
	f.finds(match(reading, search.Composite{Parts: []search.Operand{w, is(search.Eq, "5.4", "mg")}}), "")
}

func matchNear(f *fixture) {
	at := func(latitude, longitude string) searchparam.Entry {
		return entry(near, searchparam.Value{Low: dec(latitude), High: dec(longitude)})
	}
	indexed{
		{"a", values{at("52.520000", "13.405000")}},
		{"b", values{at("52.520000", "13.406000")}}, // 68 m east of a
		{"c", values{at("48.8566", "2.3522")}},
		{"d", values{at("0", "179.99")}},
		{"e", values{at("0", "-179.99")}}, // 2.2 km east of d
		{"f", values{at("90", "0")}},
		{"h", values{at("-33.9", "151.2"), at("52.6", "13.4")}},
	}.write(f)
	for _, c := range []struct {
		operand search.Near
		want    string
	}{
		{search.Near{Latitude: 52.52, Longitude: 13.405, Metres: 0}, "a"},
		{search.Near{Latitude: 52.52, Longitude: 13.405, Metres: 60}, "a"},
		{search.Near{Latitude: 52.52, Longitude: 13.405, Metres: 70}, "a b"},
		{search.Near{Latitude: 52.52, Longitude: 13.405, Metres: 10_000}, "a b h"},
		{search.Near{Latitude: 52.52, Longitude: 13.405, Metres: 900_000}, "a b c h"},
		{search.Near{Latitude: 0, Longitude: 180, Metres: 2_000}, "d e"},
		{search.Near{Latitude: 0, Longitude: 179.99, Metres: 2_000}, "d"},
		{search.Near{Latitude: 0, Longitude: -179.99, Metres: 2_300}, "d e"},
		{search.Near{Latitude: 89.99, Longitude: -120, Metres: 2_000}, "f"},
		{search.Near{Latitude: -60, Longitude: 0, Metres: 1_000}, ""},
		{search.Near{Latitude: 0, Longitude: 0, Metres: 30_000_000}, "a b c d e f h"},
	} {
		f.finds(match(near, c.operand), c.want)
	}
}
