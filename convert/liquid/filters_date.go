package liquid

import (
	"math"
	"strconv"
	"strings"
	"time"

	"salus/convert"
)

func init() {
	register(map[string]filter{
		"format_as_date_time":       {max: 1, call: formatDateTime},
		"add_hyphens_date":          {max: 1, call: addHyphens},
		"add_seconds":               {min: 1, max: 2, call: addSeconds},
		"format_as_hl7v2_date_time": {max: 1, call: formatHL7v2},
		"now":                       {max: 1, call: now},
		"date":                      {max: 1, call: date},
	})
}

// partial is a date or time of which not all is known: FHIR's date and dateTime, HL7v2's DTM.
type partial struct {
	at       time.Time
	parts    int    // how many of year, month, day, hour, minute and second there are
	fraction string // digits of a second as they were given
	zoned    bool
}

// zoneOf returns how an argument of a filter wants zones handled.
func (c *call) zoneOf(i int) (string, error) {
	if len(c.args) <= i {
		return "preserve", nil
	}
	s, _, err := c.text(i)
	if err != nil {
		return "", err
	}
	switch s = strings.ToLower(s); s {
	case "preserve", "utc", "local":
		return s, nil
	}
	return "", convert.Errorf(convert.InvalidTimeZoneHandling, "zones are handled by preserve, utc or local")
}

func wrongTime() error {
	return convert.Errorf(convert.InvalidDateTimeFormat, "the text is no date or time of the form that is wanted")
}

// take reads n digits from the beginning of a text.
func take(s string, n int) (value int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return 0, s, false
		}
	}
	value, _ = strconv.Atoi(s[:n])
	return value, s[n:], true
}

// offset makes a zone of a sign and hours and minutes.
func offset(sign byte, hhmm string) (*time.Location, error) {
	h, rest, ok := take(hhmm, 2)
	m, rest, also := take(rest, 2)
	seconds := h*3600 + m*60
	if !ok || !also || rest != "" || m > 59 || seconds > 14*3600 {
		return nil, wrongTime()
	}
	if sign == '-' {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), nil
}

// parseDTM reads a time of HL7v2: YYYY[MM[DD[hh[mm[ss[.f]]]]]][±hhmm].
func parseDTM(s string, local *time.Location) (p partial, err error) {
	values := [6]int{1, 1, 1}
	rest := s
	for i, n := range [6]int{4, 2, 2, 2, 2, 2} {
		v, r, ok := take(rest, n)
		if !ok {
			break
		}
		values[i], rest = v, r
		p.parts++
	}
	if p.parts == 6 && strings.HasPrefix(rest, ".") {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 1 {
			return p, wrongTime()
		}
		p.fraction, rest = rest[1:n], rest[n:]
	}
	zone := local
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		if zone, err = offset(rest[0], rest[1:]); err != nil {
			return p, err
		}
		p.zoned, rest = true, ""
	}
	if p.parts == 0 || rest != "" {
		return p, wrongTime()
	}
	return p.finish(values, zone)
}

// parseISO reads a date or time of FHIR: YYYY[-MM[-DD[Thh:mm:ss[.f][Z|±hh:mm]]]].
func parseISO(s string, local *time.Location) (p partial, err error) {
	values := [6]int{1, 1, 1}
	rest := s
	for i, n := range [6]int{4, 2, 2, 2, 2, 2} {
		if i > 0 {
			if rest == "" || rest[0] != "--T::"[i-1] {
				break
			}
			rest = rest[1:]
		}
		v, r, ok := take(rest, n)
		if !ok {
			return p, wrongTime()
		}
		values[i], rest = v, r
		p.parts++
	}
	if p.parts == 6 && strings.HasPrefix(rest, ".") {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		p.fraction, rest = rest[1:n], rest[n:]
	}
	zone := local
	switch {
	case rest == "Z":
		zone, p.zoned, rest = time.UTC, true, ""
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		if zone, err = offset(rest[0], rest[1:3]+rest[4:]); err != nil {
			return p, err
		}
		p.zoned, rest = true, ""
	}
	if p.parts == 0 || rest != "" {
		return p, wrongTime()
	}
	return p.finish(values, zone)
}

func (p partial) finish(v [6]int, zone *time.Location) (partial, error) {
	nanos := 0
	if p.fraction != "" {
		nanos, _ = strconv.Atoi((p.fraction + "000000000")[:9])
	}
	p.at = time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], nanos, zone)
	if v[0] < 1 || p.at.Year() != v[0] || int(p.at.Month()) != v[1] || p.at.Day() != v[2] || p.at.Hour() != v[3] && v[3] > 23 || v[4] > 59 || v[5] > 59 {
		return p, wrongTime()
	}
	return p, nil
}

// in returns the time in the zone that is wanted.
func (p partial) in(zone string, local *time.Location) time.Time {
	switch zone {
	case "utc":
		return p.at.UTC()
	case "local":
		return p.at.In(local)
	}
	return p.at
}

// iso writes a date or time as FHIR does.
func (p partial) iso(t time.Time) string {
	switch p.parts {
	case 1:
		return t.Format("2006")
	case 2:
		return t.Format("2006-01")
	case 3:
		return t.Format(time.DateOnly)
	}
	s := t.Format("2006-01-02T15:04:05")
	if p.fraction != "" {
		s += "." + p.fraction
	}
	return s + t.Format("Z07:00")
}

// dated reads the value as a time of HL7v2; ok is false if there is none.
func (c *call) dated(parse func(string, *time.Location) (partial, error)) (p partial, ok bool, err error) {
	s, err := printed(c.in)
	if err != nil || s == "" {
		return p, false, err
	}
	p, err = parse(s, c.r.o.Zone)
	return p, true, err
}

func formatDateTime(c *call) (convert.Value, error) {
	zone, err := c.zoneOf(0)
	if err != nil {
		return nil, err
	}
	p, ok, err := c.dated(parseDTM)
	if err != nil || !ok {
		return c.in, err
	}
	if p.parts <= 3 {
		return p.iso(p.at), nil
	}
	return p.iso(p.in(zone, c.r.o.Zone)), nil
}

func addHyphens(c *call) (convert.Value, error) {
	zone, err := c.zoneOf(0)
	if err != nil {
		return nil, err
	}
	p, ok, err := c.dated(parseDTM)
	if err != nil || !ok {
		return c.in, err
	}
	t := p.at
	if p.parts > 3 {
		t = p.in(zone, c.r.o.Zone)
	}
	p.parts = min(p.parts, 3)
	return p.iso(t), nil
}

// maxSeconds is longer than the times are that .NET has.
const maxSeconds = 1e12

func addSeconds(c *call) (convert.Value, error) {
	zone, err := c.zoneOf(1)
	if err != nil {
		return nil, err
	}
	p, ok, err := c.dated(parseISO)
	if err != nil || !ok {
		return c.in, err
	}
	seconds, is := toDouble(c.args[0])
	if !is {
		return nil, noNumber()
	}
	whole, fraction := math.Modf(seconds)
	if math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds {
		return nil, wrongTime()
	}
	p.at = time.Unix(p.at.Unix()+int64(whole), int64(p.at.Nanosecond())).In(p.at.Location()).Add(time.Duration(fraction * float64(time.Second)))
	if year := p.at.Year(); year < 1 || year > 9999 {
		return nil, wrongTime()
	}
	p.parts, p.fraction = 6, ""
	t := p.in(zone, c.r.o.Zone)
	if ms := t.Nanosecond() / 1e6; ms > 0 {
		p.fraction = t.Format(".000")[1:]
	}
	return p.iso(t), nil
}

func formatHL7v2(c *call) (convert.Value, error) {
	zone, err := c.zoneOf(0)
	if err != nil {
		return nil, err
	}
	p, ok, err := c.dated(parseISO)
	if err != nil || !ok {
		return c.in, err
	}
	t := p.at
	switch p.parts {
	case 1:
		return t.Format("2006"), nil
	case 2:
		return t.Format("200601"), nil
	case 3:
		return t.Format("20060102"), nil
	}
	t = p.in(zone, c.r.o.Zone)
	s := t.Format("20060102150405")
	if p.fraction != "" {
		s += "." + p.fraction
	}
	return s + t.Format("-0700"), nil
}

func now(c *call) (convert.Value, error) {
	layout := "yyyy-MM-ddTHH:mm:ss.FFFZ"
	if len(c.args) > 0 {
		var err error
		if layout, _, err = c.text(0); err != nil {
			return nil, err
		}
	}
	return formatted(c.r.o.Now().UTC(), universal, layout)
}

func formatted(t time.Time, zoned kind, layout string) (convert.Value, error) {
	text, ok := formatDotNet(t, zoned, layout)
	if !ok {
		return nil, convert.Errorf(convert.TemplateRenderingError, "the format of a date is none of .NET")
	}
	return text, nil
}

// zonedForms are forms in which a text is taken for a time, with a zone, and plainForms those without.
var (
	zonedForms = []string{
		"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 Z07:00",
		"Mon, 02 Jan 2006 15:04:05 GMT",
	}
	plainForms = []string{
		"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "2006-01",
		"01/02/2006 15:04:05", "1/2/2006 15:04:05", "1/2/2006 15:04", "1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "1/2/2006", "2006/1/2",
		"January 2, 2006", "2 January 2006", "Jan 2, 2006", "2 Jan 2006",
	}
)

// maxDate is how long a text may be that is taken for a time.
const maxDate = 40

// parseDate reads a text as .NET does: what has a zone becomes a time of the service's, and what has none is taken for one.
func parseDate(s string, zone *time.Location) (t time.Time, zoned kind, ok bool) {
	if s = strings.TrimSpace(s); s == "" || len(s) > maxDate {
		return t, 0, false
	}
	for _, form := range zonedForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.In(zone), local, true
		}
	}
	for _, form := range plainForms {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			return t, unspecified, true
		}
	}
	return t, 0, false
}

// date writes a time by a format of .NET. A text that is no time stays what it is.
func date(c *call) (convert.Value, error) {
	if c.in == nil {
		return nil, nil
	}
	layout, ok, err := c.text(0)
	if err != nil || !ok || layout == "" {
		return c.in, err
	}
	if t, is := c.in.(time.Time); is {
		return formatted(t, kindOf(t), layout)
	}
	s, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	now := c.r.o.Now().In(c.r.o.Zone)
	switch strings.ToLower(s) {
	case "now":
		return formatted(now, local, layout)
	case "today":
		return formatted(time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location()), local, layout)
	}
	t, zoned, ok := parseDate(s, c.r.o.Zone)
	if !ok {
		return c.in, nil
	}
	return formatted(t, zoned, layout)
}
