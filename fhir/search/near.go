package search

import (
	"math"
	"slices"
	"strconv"

	"salus/fhir/decimal"
	"salus/fhir/searchparam"
	"salus/fhir/ucum"
)

// Near compares a position: it is at most Metres from Latitude and Longitude,
// along a great circle of a sphere with the earth's mean radius.
type Near struct {
	Latitude, Longitude float64 // degrees
	Metres              float64
}

func (Near) isOperand() {}

// defaultDistance is what counts as near unless the search says.
const defaultDistance = 50_000

const earthRadius = 6_371_008.8 // metres

// near reads latitude|longitude|distance|units; a distance without units is in
// kilometres (FHIR R4 location §8.7.7), one that is left out is 50 km.
func near(param *searchparam.Param, text string) (Near, error) {
	parts := split(text, '|')
	if len(parts) < 2 || len(parts) > 4 {
		return Near{}, invalid(param.Code, "must be latitude|longitude|distance|units")
	}
	var n Near
	var ok1, ok2 bool
	n.Latitude, ok1 = degrees(parts[0], 90)
	n.Longitude, ok2 = degrees(parts[1], 180)
	if !ok1 || !ok2 {
		return Near{}, invalid(param.Code, "latitude and longitude are decimal degrees, up to 90 and 180 in either direction")
	}
	n.Metres = defaultDistance
	if len(parts) > 2 && parts[2] != "" {
		unit := "km"
		if len(parts) > 3 && parts[3] != "" {
			unit = unescape(parts[3])
		}
		d, err := decimal.Parse(parts[2])
		if err == nil {
			d, err = ucum.Convert(d, unit, "m")
		}
		if err != nil {
			return Near{}, invalid(param.Code, "the distance must be a number, and its units a UCUM unit of length")
		}
		if n.Metres, err = strconv.ParseFloat(d.String(), 64); err != nil || n.Metres < 0 {
			return Near{}, invalid(param.Code, "the distance must be a number from 0 on")
		}
	}
	return n, nil
}

func degrees(s string, most float64) (float64, bool) {
	d, err := decimal.Parse(s)
	if err != nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(d.String(), 64)
	return f, err == nil && math.Abs(f) <= most
}

// Cell is a place on the earth to about a centimetre: 32 bits of longitude and of
// latitude, interleaved, so that what is near lies in a few ranges of cells.
type Cell uint64

// CellOf returns the cell of a position in degrees, as searchparam.Value has it;
// ok is false for what is nowhere on the earth.
func CellOf(latitude, longitude decimal.Decimal) (c Cell, ok bool) {
	lat, ok1 := degrees(latitude.String(), 90)
	lon, ok2 := degrees(longitude.String(), 180)
	return Cell(spread(steps(lon, 360))<<1 | spread(steps(lat, 180))), ok1 && ok2
}

// steps returns where a coordinate lies in its whole range, in 2^32 steps.
func steps(degrees, whole float64) uint32 {
	return uint32(min(math.Floor((degrees/whole+0.5)*(1<<32)), 1<<32-1))
}

// spread puts a zero before each bit.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

func gather(x uint64) uint32 {
	x &= 0x5555555555555555
	x = (x | x>>1) & 0x3333333333333333
	x = (x | x>>2) & 0x0f0f0f0f0f0f0f0f
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return uint32(x | x>>16)
}

// Holds reports whether a cell is near enough.
func (n Near) Holds(c Cell) bool {
	const radian = math.Pi / 180
	lat := ((float64(gather(uint64(c)))+0.5)/(1<<32) - 0.5) * 180 * radian
	lon := ((float64(gather(uint64(c)>>1))+0.5)/(1<<32) - 0.5) * 360 * radian
	lat0, lon0 := n.Latitude*radian, n.Longitude*radian
	a, b := math.Sin((lat-lat0)/2), math.Sin((lon-lon0)/2)
	h := a*a + math.Cos(lat)*math.Cos(lat0)*b*b
	return 2*earthRadius*math.Asin(min(math.Sqrt(h), 1)) <= n.Metres+0.02 // a cell's size
}

// Ranges returns ranges of cells, first and last, ascending, in which all near
// ones lie, and others that Holds tells apart.
func (n Near) Ranges() [][2]Cell {
	reach := (n.Metres + 1) / earthRadius * 180 / math.Pi
	south, north := n.Latitude-reach, n.Latitude+reach
	boxes := [][2]float64{{-180, 180}}
	if south > -90 && north < 90 {
		// The meridians that touch the circle (the reach is less than a quarter of the earth's circumference).
		wide := math.Asin(min(math.Sin(reach*math.Pi/180)/math.Cos(n.Latitude*math.Pi/180), 1)) * 180 / math.Pi
		west, east := n.Longitude-wide, n.Longitude+wide
		switch {
		case wide >= 90:
		case west < -180:
			boxes = [][2]float64{{-180, east}, {west + 360, 180}}
		case east > 180:
			boxes = [][2]float64{{-180, east - 360}, {west, 180}}
		default:
			boxes = [][2]float64{{west, east}}
		}
	}
	south, north = max(south, -90), min(north, 90)
	var found [][2]Cell
	for _, b := range boxes {
		found = append(found, cover(south, north, b[0], b[1])...)
	}
	slices.SortFunc(found, func(a, b [2]Cell) int {
		if a[0] < b[0] {
			return -1
		}
		return 1
	})
	return found
}

// cover returns the ranges of the squares that a box touches. Squares are such
// that the longer side of the box touches at most five.
func cover(south, north, west, east float64) [][2]Cell {
	x0, x1 := steps(west, 360), steps(east, 360)
	y0, y1 := steps(south, 180), steps(north, 180)
	level := uint(0) // low bits that a square leaves open
	for level < 32 && (x1>>level-x0>>level > 4 || y1>>level-y0>>level > 4) {
		level++
	}
	var found [][2]Cell
	for x := uint64(x0 >> level); x <= uint64(x1>>level); x++ {
		for y := uint64(y0 >> level); y <= uint64(y1>>level); y++ {
			first := Cell(spread(uint32(x<<level))<<1 | spread(uint32(y<<level)))
			last := first | Cell(uint64(1)<<(2*level)-1) // level 32: all of them
			found = append(found, [2]Cell{first, last})
		}
	}
	return found
}
