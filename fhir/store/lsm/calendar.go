package lsm

import (
	"time"

	"salus/fhir/searchparam"
)

// ticksPerSecond of searchparam.Ticks.
const ticksPerSecond = 1e7

const secondsToUnixEpoch = 62135596800 // from 0001-01-01 to 1970-01-01

func timeOfTicks(t searchparam.Ticks) time.Time {
	return time.Unix(int64(t)/ticksPerSecond-secondsToUnixEpoch, int64(t)%ticksPerSecond*100).UTC()
}

func ticksOfMonth(year int, month int) searchparam.Ticks {
	return searchparam.TicksOf(time.Date(year, time.Month(month+1), 1, 0, 0, 0, 0, time.UTC))
}

// yearOf and monthOf return the calendar buckets of an instant: the year in two
// bytes, and year × 12 + month from 0 in three.
func yearOf(t searchparam.Ticks) []byte { return appendU16(nil, uint16(timeOfTicks(t).Year())) }

func monthOf(t searchparam.Ticks) []byte { return appendMonth(nil, monthNumber(t)) }

func monthNumber(t searchparam.Ticks) int {
	at := timeOfTicks(t)
	return at.Year()*12 + int(at.Month()) - 1
}

func appendMonth(dst []byte, n int) []byte { return append(dst, byte(n>>16), byte(n>>8), byte(n)) }

// month returns what appendMonth wrote.
func month(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// span is a closed interval of time cut into whole years, the whole months
// before and after them, and what is left at its ends: [low, edgeLow] and
// [edgeHigh, high].
type span struct {
	low, high         searchparam.Ticks
	edgeLow, edgeHigh searchparam.Ticks
	months            [2][2]int // first and last month number, empty when first > last
	years             [2]int
}

func newSpan(low, high searchparam.Ticks) span {
	low, high = max(low, searchparam.MinTicks), min(high, searchparam.MaxTicks)
	none := [2]int{1, 0}
	c := span{low: low, high: high, edgeLow: high, edgeHigh: high + 1, months: [2][2]int{none, none}, years: none}
	if low > high {
		return c
	}
	first, last := monthNumber(low), monthNumber(high)
	if low != startOfMonth(first) {
		first++
	}
	if high < searchparam.MaxTicks && high+1 != startOfMonth(last+1) {
		last--
	}
	if first > last {
		return c // no whole month: all is edge
	}
	c.edgeLow, c.edgeHigh = startOfMonth(first)-1, high+1
	if high < searchparam.MaxTicks {
		c.edgeHigh = startOfMonth(last + 1)
	}
	firstYear, lastYear := (first+11)/12, (last+1)/12-1
	if firstYear > lastYear {
		c.months[0] = [2]int{first, last}
		return c
	}
	c.years = [2]int{firstYear, lastYear}
	c.months = [2][2]int{{first, firstYear*12 - 1}, {(lastYear + 1) * 12, last}}
	return c
}

// startOfMonth returns the first instant of a month number.
func startOfMonth(n int) searchparam.Ticks { return ticksOfMonth(n/12, n%12) }
