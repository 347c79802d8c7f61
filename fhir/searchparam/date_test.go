package searchparam_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"salus/fhir/searchparam"
)

func TestParseDate(t *testing.T) {
	t.Parallel()
	at := func(s string) searchparam.Ticks {
		instant, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return searchparam.TicksOf(instant)
	}
	for text, want := range map[string][2]string{
		"2020":                              {"2020-01-01T00:00:00Z", "2020-12-31T23:59:59.9999999Z"},
		"2020-02":                           {"2020-02-01T00:00:00Z", "2020-02-29T23:59:59.9999999Z"},
		"2019-12":                           {"2019-12-01T00:00:00Z", "2019-12-31T23:59:59.9999999Z"},
		"2020-02-29":                        {"2020-02-29T00:00:00Z", "2020-02-29T23:59:59.9999999Z"},
		"2020-12-31":                        {"2020-12-31T00:00:00Z", "2020-12-31T23:59:59.9999999Z"},
		"2020-01-01T10:30":                  {"2020-01-01T10:30:00Z", "2020-01-01T10:30:59.9999999Z"},
		"2020-01-01T10:30Z":                 {"2020-01-01T10:30:00Z", "2020-01-01T10:30:59.9999999Z"},
		"2020-01-01T10:30:15":               {"2020-01-01T10:30:15Z", "2020-01-01T10:30:15.9999999Z"},
		"2020-01-01T10:30:15+02:30":         {"2020-01-01T08:00:15Z", "2020-01-01T08:00:15.9999999Z"},
		"2020-01-01T23:30:15-02:30":         {"2020-01-02T02:00:15Z", "2020-01-02T02:00:15.9999999Z"},
		"2020-01-01T10:30:15.5Z":            {"2020-01-01T10:30:15.5Z", "2020-01-01T10:30:15.5Z"},
		"2020-01-01T10:30:15.1234567-00:00": {"2020-01-01T10:30:15.1234567Z", "2020-01-01T10:30:15.1234567Z"},
		"2016-12-31T23:59:60Z":              {"2017-01-01T00:00:00Z", "2017-01-01T00:00:00.9999999Z"},
		"0001":                              {"0001-01-01T00:00:00Z", "0001-12-31T23:59:59.9999999Z"},
		"9999-12-31":                        {"9999-12-31T00:00:00Z", "9999-12-31T23:59:59.9999999Z"},
	} {
		start, end, ok := searchparam.ParseDate(text)
		if !ok || start != at(want[0]) || end != at(want[1]) {
			t.Errorf("%s: %d..%d %v, want %d..%d", text, start, end, ok, at(want[0]), at(want[1]))
		}
	}
	if start, _, _ := searchparam.ParseDate("0001-01-01T00:00:00+14:00"); start != searchparam.MinTicks {
		t.Errorf("an instant before all time is at %d", start)
	}
	if _, end, _ := searchparam.ParseDate("9999-12-31T23:59:59-14:00"); end != searchparam.MaxTicks {
		t.Errorf("an instant after all time is at %d", end)
	}
}

func TestParseDateRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "x", "20", "0000", "202", "20200", "2020-", "2020-1", "2020-00", "2020-13", "2020-02-30", "2019-02-29", "2020-04-31",
		"2020-01-00", "2020-01-01T", "2020-01-01T10", "2020-01-01T24:00", "2020-01-01T10:60", "2020-01-01T10:30:61", "2020-01-01T10:30:",
		"2020-01-01T10:30:15.", "2020-01-01T10:30:15.12345678", "2020-01-01T10:30:15 02:00", "2020-01-01T10:30:15+15:00",
		"2020-01-01T10:30:15+2", "2020-01-01T10:30:15ZZ", "2020-01-01 10:30", "2020-01-01Z", "2020/01/01", "２020", "-2020", "1e10",
	} {
		if _, _, ok := searchparam.ParseDate(text); ok {
			t.Errorf("%q is taken for a date", text)
		}
	}
}

func TestParseDateAgreesWithTheClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
		first := time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).Unix()
		zone := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(t, "zone")*60)
		instant := time.Unix(rapid.Int64Range(first, last).Draw(t, "s"), rapid.Int64Range(0, 9_999_999).Draw(t, "ticks")*100).In(zone)
		if y := instant.Year(); y < 1 || y > 9999 {
			t.Skip("not to be written")
		}
		start, end, ok := searchparam.ParseDate(instant.Format("2006-01-02T15:04:05.0000000Z07:00"))
		if want := searchparam.TicksOf(instant); !ok || start != want || end != want {
			t.Fatalf("%v: %d..%d %v, want %d", instant, start, end, ok, want)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2020", "2020-02-29T10:30:15.1234567+01:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start, end, ok := searchparam.ParseDate(s)
		if ok && (start > end || start < searchparam.MinTicks || end > searchparam.MaxTicks) {
			t.Errorf("%q: %d..%d", s, start, end)
		}
	})
}
