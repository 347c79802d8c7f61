package searchparam

import (
	"strings"
	"time"
)

// Describe renders a value of a parameter for people: as it would stand in a
// query where that is possible.
func (v Value) Describe(p *Param) string {
	switch p.Kind {
	case Token:
		return v.System + "|" + v.Code + shown(v.Text)
	case String, URI:
		return v.Text
	case Date:
		return v.Start.time() + "/" + v.End.time()
	case Number, Quantity:
		text := v.Low.String()
		if v.OpenLow || v.OpenHigh || v.Low.Cmp(v.High) != 0 {
			text = open(v.Low.String(), v.OpenLow) + "/" + open(v.High.String(), v.OpenHigh)
		}
		if p.Kind == Quantity {
			text += "|" + v.System + "|" + v.Code
		}
		return text
	case Reference:
		if v.System != "" || v.Code != "" {
			return v.Ref.String() + shown(v.System+"|"+v.Code)
		}
		return v.Ref.String()
	case Composite:
		parts := make([]string, len(v.Parts))
		for i := range v.Parts {
			parts[i] = v.Parts[i].Describe(p.Components[i])
		}
		return strings.Join(parts, "$")
	}
	return ""
}

func shown(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func open(text string, is bool) string {
	if is {
		return ".."
	}
	return text
}

// time renders ticks, ".." for an end of time.
func (t Ticks) time() string {
	if t == MinTicks || t == MaxTicks {
		return ".."
	}
	const unixEpoch = 62135596800 // seconds from 0001-01-01 to 1970-01-01
	return time.Unix(int64(t/1e7)-unixEpoch, int64(t%1e7)*100).UTC().Format("2006-01-02T15:04:05.9999999Z")
}
