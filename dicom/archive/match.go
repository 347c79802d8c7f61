package archive

import (
	"strings"

	"salus/dicom"
	"salus/dicom/index"
	"salus/fault"
)

// ParseMatch makes a condition of a value (PS3.4 §C.2.2.2). all says that everything matches.
func ParseMatch(key index.Key, v string, fuzzy bool) (m index.Match, all bool, err error) {
	m = index.Match{Key: key}
	switch {
	case v == "":
		return m, false, fault.New(fault.Invalid, "%s has no value", key.Tag.Keyword())
	case v == "*":
		return m, true, nil // universal matching
	case key.VR == dicom.UI:
		for _, u := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == '\\' }) {
			if u = strings.TrimSpace(u); !dicom.ValidUID(u) {
				return m, false, invalidValue(key)
			}
			m.OneOf = append(m.OneOf, u)
		}
		if m.OneOf == nil {
			return m, false, invalidValue(key)
		}
		return m, false, nil
	case key.VR == dicom.DA || key.VR == dicom.TM || key.VR == dicom.DT:
		return ranged(m, v)
	case key.VR == dicom.PN && fuzzy:
		if strings.Contains(v, `"`) {
			return m, false, fault.New(fault.Invalid, "%s: a name has no quotes", key.Tag.Keyword())
		}
		m.Words = index.Words(index.Fold(v))
		return m, len(m.Words) == 0, nil
	case strings.ContainsAny(v, "*?"):
		m.Pattern = v
		return m, false, nil
	}
	if m.OneOf = []string{Canonical(key.VR, v)}; !ValidValue(key.VR, m.OneOf[0]) {
		return m, false, invalidValue(key)
	}
	return m, false, nil
}

func invalidValue(key index.Key) error {
	return fault.New(fault.Invalid, "%s: the value is none of VR %s (PS3.5 §6.2)", key.Tag.Keyword(), key.VR)
}

// ranged reads a date or time, or a range of them (PS3.4 §C.2.2.2.5). Times are compared as texts, of which a shorter one stands for the
// whole minute or hour.
func ranged(m index.Match, v string) (index.Match, bool, error) {
	from, to, isRange := strings.Cut(v, "-")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if from == "" && to == "" || !dateOrTime(m.VR, from) || !dateOrTime(m.VR, to) {
		return m, false, invalidValue(m.Key)
	}
	m.Range = true
	switch {
	case !isRange && m.VR == dicom.DA:
		m.Range, m.OneOf = false, []string{from}
	case !isRange:
		m.From, m.To = from, from+"~" // whatever follows
	default:
		if m.From, m.To = from, to; to != "" && m.VR == dicom.TM {
			m.To += "~"
		}
		if from != "" && to != "" && from > m.To {
			return m, false, fault.New(fault.Invalid, "%s: the range ends before it begins", m.Tag.Keyword())
		}
	}
	return m, false, nil
}

func dateOrTime(vr dicom.VR, s string) bool {
	return s == "" || ValidValue(vr, s)
}
