package fhir_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// span is a time of some precision: [from, to], with to the last tick in it.
type span struct{ from, to time.Time }

const tick = 100 * time.Nanosecond // of the reference's clock

// spanOf reads a FHIR date, dateTime or instant.
func spanOf(s string) span {
	for _, form := range []struct {
		layout              string
		years, months, days int
		length              time.Duration
	}{
		{"2006", 1, 0, 0, 0},
		{"2006-01", 0, 1, 0, 0},
		{"2006-01-02", 0, 0, 1, 0},
		{"2006-01-02T15:04Z07:00", 0, 0, 0, time.Minute},
		{"2006-01-02T15:04", 0, 0, 0, time.Minute},
		{"2006-01-02T15:04:05Z07:00", 0, 0, 0, time.Second},
		{"2006-01-02T15:04:05", 0, 0, 0, time.Second},
	} {
		if strings.Contains(s, ".") { // Parse would take a fraction for seconds
			break
		}
		if from, err := time.Parse(form.layout, s); err == nil {
			return span{from, from.AddDate(form.years, form.months, form.days).Add(form.length - tick)}
		}
	}
	from, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", s, err))
	}
	return span{from, from} // a fraction is exact
}

// matches compares what is stored with what is asked, by the definitions of the
// reference's prefixes or, for eq, ge and le, FHIR's (R4 search §3.1.1.4.5).
func (s span) matches(prefix string, q span, rules mode) bool {
	overlaps := !s.from.After(q.to) && !s.to.Before(q.from)
	contained := !s.from.Before(q.from) && !s.to.After(q.to)
	switch prefix {
	case "", "eq":
		if rules == azure {
			return overlaps
		}
		return contained
	case "ne":
		return !contained
	case "lt":
		return s.from.Before(q.from)
	case "le":
		if rules == strict {
			return s.from.Before(q.from) || contained
		}
		return !s.from.After(q.to)
	case "gt":
		return s.to.After(q.to)
	case "ge":
		if rules == strict {
			return s.to.After(q.to) || contained
		}
		return !s.to.Before(q.from)
	case "sa":
		return s.from.After(q.to)
	default: // eb
		return s.to.Before(q.from)
	}
}

var births = []struct{ name, value string }{
	{"d1", "1980"},
	{"d2", "1980-05"},
	{"d3", "1980-05-11"},
	{"d4", "1980-05-11T16:32:15Z"},
	{"d5", "1980-05-11T16:32:15.500Z"},
	{"d6", "1981-01-01"},
	{"d7", "1980-05-11T23:30:00-05:00"},
	{"d8", "1979-12-31T23:59:59Z"},
	{"d9", "2000-02-29"},
	{"d10", "1980-05-11T16:32:15.9999999Z"},
}

var periods = []struct{ name, start, end string }{
	{"p1", "1980-04-01", "1980-06"},
	{"p2", "1980-05-11", "1980-05-11"},
	{"p3", "1980-05-11T10:00:00Z", "1981"},
	{"p4", "1980-06", ""},
	{"p5", "", "1980-05-10"},
}

// queries are asked with each prefix.
var queries = []string{
	"1980", "1980-05", "1980-05-11", "1980-05-11T16:32Z", "1980-05-11T16:32:15Z", "1980-05-11T16:32:15.500Z", "1980-05-11T16:32:15.5000000Z", "1980-05-11T16:32:15", "1980-05-11T18:32:15+02:00",
	"1980-05-12", "1979-12-31", "1981", "2000-02-29", "2000-03-01",
}

func TestSearch_Date(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, service target) {
		var things []thing
		for _, b := range births {
			things = append(things, thing{b.name, `{"resourceType":"Observation","status":"final","code":{"text":"x"},"effectiveDateTime":"` + b.value + `"}`})
		}
		for _, p := range periods {
			var parts []string
			if p.start != "" {
				parts = append(parts, `"start":"`+p.start+`"`)
			}
			if p.end != "" {
				parts = append(parts, `"end":"`+p.end+`"`)
			}
			things = append(things, thing{p.name, `{"resourceType":"Observation","status":"final","code":{"text":"x"},"effectivePeriod":{` + strings.Join(parts, ",") + `}}`})
		}
		things = append(things, thing{"none", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`})
		w := build(t, service, things...)
		rows := []find{
			{"missing", "Observation?date:missing=true", "none"},
			{"or", "Observation?date=2000-02-29,1979-12-31", map[mode]string{azure: "d8 d9 p4 p5", strict: "d8 d9"}[service.mode]},
			{"and", "Observation?date=ge1980-05-12&date=le1980-05-31", "d1 d2 d7 p1 p3"},
		}
		for _, query := range queries {
			for _, prefix := range []string{"", "eq", "ne", "lt", "le", "gt", "ge", "sa", "eb"} {
				q := spanOf(query)
				var want []string
				for _, b := range births {
					if spanOf(b.value).matches(prefix, q, service.mode) {
						want = append(want, b.name)
					}
				}
				for _, p := range periods {
					s := span{from: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), to: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}
					if p.start != "" {
						s.from = spanOf(p.start).from
					}
					if p.end != "" {
						s.to = spanOf(p.end).to
					}
					if s.matches(prefix, q, service.mode) {
						want = append(want, p.name)
					}
				}
				rows = append(rows, find{prefix + query, "Observation?date=" + prefix + url.QueryEscape(query), strings.Join(want, " ")})
			}
		}
		w.finds(t, rows)
	})
}

func TestSearch_DatesThatAreNone(t *testing.T) {
	t.Parallel()
	alternatives(t, "Observation?date=gt1980,lt1990")
	refuses(t, first(), []refusal{
		{"Observation?date=soon", 400, "invalid"},
		{"Observation?date=1980-13", 400, "invalid"},
		{"Observation?date=1980-02-30", 400, "invalid"},
		{"Observation?date=1980-05-11T25:00:00Z", 400, "invalid"},
		{"Observation?date=1980-5-1", 400, "invalid"},
		{"Observation?date=gt", 400, ""},
		{"Observation?date=1980-05-11T16:32:15.12345678901234Z", 400, "invalid"},
		{"Observation?date=1980-05-11T16:32:15+02:00", 400, "invalid"},
		{"Observation?date:exact=1980", 403, "invalid"},
		{"Observation?date:not=1980", 403, "invalid"},
		{"Observation?_lastUpdated=soon", 400, "invalid"},
	})
}

// TestSearch_PartialBirthDates fixes what a day finds among less precise dates.
func TestSearch_PartialBirthDates(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, service target) {
		w := build(t, service, thing{"y", `{"resourceType":"Patient","birthDate":"2000"}`}, thing{"m", `{"resourceType":"Patient","birthDate":"2000-03"}`}, thing{"d", `{"resourceType":"Patient","birthDate":"2000-03-03"}`})
		if service.mode == azure {
			w.finds(t, []find{
				{"a day", "Patient?birthdate=2000-03-03", "d m y"},
				{"a month", "Patient?birthdate=2000-03", "d m y"},
				{"a year", "Patient?birthdate=2000", "d m y"},
				{"another day", "Patient?birthdate=2000-03-04", "m y"},
			})
		} else {
			w.finds(t, []find{
				{"a day", "Patient?birthdate=2000-03-03", "d"},
				{"a month", "Patient?birthdate=2000-03", "d m"},
				{"a year", "Patient?birthdate=2000", "d m y"},
				{"another day", "Patient?birthdate=2000-03-04", ""},
			})
		}
	})
}
