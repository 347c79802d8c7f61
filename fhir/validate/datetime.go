package validate

// The formats of dates and times (FHIR R4 datatypes §2.24.0.1). A second of 60
// is a leap second; 24:00 is no time of day.

// isDate takes YYYY, YYYY-MM or YYYY-MM-DD.
func isDate(s string) bool {
	switch len(s) {
	case 4, 7, 10:
		return calendar(s)
	}
	return false
}

// isDateTime takes a date, or a whole date with time and zone.
func isDateTime(s string) bool { return isDate(s) || isInstant(s) }

// isInstant takes YYYY-MM-DDThh:mm:ss, with or without fraction, and a zone.
func isInstant(s string) bool {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' || !calendar(s[:10]) {
		return false
	}
	rest, ok := clock(s[11:])
	return ok && isZone(rest)
}

// isTime takes hh:mm:ss, with or without fraction.
func isTime(s string) bool {
	rest, ok := clock(s)
	return ok && rest == ""
}

// calendar takes the date YYYY, YYYY-MM or YYYY-MM-DD, by length of s.
func calendar(s string) bool {
	century, ok1 := two(s, 0)
	decade, ok2 := two(s, 2)
	year := 100*century + decade
	if !ok1 || !ok2 || year == 0 {
		return false
	}
	if len(s) == 4 {
		return true
	}
	month, ok := two(s, 5)
	if !ok || s[4] != '-' || month < 1 || month > 12 {
		return false
	}
	if len(s) == 7 {
		return true
	}
	day, ok := two(s, 8)
	return ok && s[7] == '-' && day >= 1 && day <= days(year, month)
}

func days(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// clock takes a time of day from the start of s and returns what follows.
func clock(s string) (rest string, ok bool) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return "", false
	}
	hour, ok1 := two(s, 0)
	minute, ok2 := two(s, 3)
	second, ok3 := two(s, 6)
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 60 {
		return "", false
	}
	if s = s[8:]; s == "" || s[0] != '.' {
		return s, true
	}
	digits := 1
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	return s[digits:], digits > 1
}

// isZone takes Z or an offset of up to 14 hours.
func isZone(s string) bool {
	if s == "Z" {
		return true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return false
	}
	hour, ok1 := two(s, 1)
	minute, ok2 := two(s, 4)
	return ok1 && ok2 && minute <= 59 && (hour < 14 || hour == 14 && minute == 0)
}

// two reads the two digits at i.
func two(s string, i int) (n int, ok bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}
