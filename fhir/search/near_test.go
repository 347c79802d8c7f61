package search_test

import (
	"fmt"
	"math/rand"
	"testing"

	"salus/fhir/decimal"
	"salus/fhir/search"
)

func cell(t *testing.T, latitude, longitude float64) search.Cell {
	t.Helper()
	lat, err := decimal.Parse(fmt.Sprintf("%.9f", latitude))
	if err != nil {
		t.Fatal(err)
	}
	lon, err := decimal.Parse(fmt.Sprintf("%.9f", longitude))
	if err != nil {
		t.Fatal(err)
	}
	c, ok := search.CellOf(lat, lon)
	if !ok {
		t.Fatalf("%f|%f is nowhere", latitude, longitude)
	}
	return c
}

func TestNear_HoldsByDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lat, lon, atLat, atLon, km float64 // km: between the two, to a metre or so
	}{
		{52.52, 13.405, 48.8566, 2.3522, 877.46}, // Berlin, Paris
		{0, 0, 0, 1, 111.195},
		{0, 179.9, 0, -179.9, 22.239},
		{89.9, 0, 89.9, 180, 22.239},
		{-33.8688, 151.2093, -33.8688, 151.2093, 0},
	} {
		at := cell(t, c.atLat, c.atLon)
		near := search.Near{Latitude: c.lat, Longitude: c.lon, Metres: c.km*1000 + 10}
		if !near.Holds(at) {
			t.Errorf("%v: not within", c)
		}
		if near.Metres -= 20; c.km > 0 && near.Holds(at) {
			t.Errorf("%v: nearer than it is", c)
		}
	}
}

func TestNear_RangesHaveAllThatIsNear(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(1))
	for range 3000 {
		near := search.Near{Latitude: r.Float64()*180 - 90, Longitude: r.Float64()*360 - 180}
		near.Metres = []float64{0, 1, 100, 10_000, 1_000_000, 9_000_000, 30_000_000}[r.Intn(7)]
		spread := (near.Metres + 10) / 111_000
		lat := min(max(near.Latitude+(r.Float64()*2-1)*spread, -90), 90)
		lon := near.Longitude + (r.Float64()*2-1)*spread*3
		for lon > 180 {
			lon -= 360
		}
		for lon < -180 {
			lon += 360
		}
		at := cell(t, lat, lon)
		ranges := near.Ranges()
		if len(ranges) == 0 || len(ranges) > 50 {
			t.Fatalf("%+v: %d ranges", near, len(ranges))
		}
		in := false
		for _, c := range ranges {
			in = in || c[0] <= at && at <= c[1]
		}
		if near.Holds(at) && !in {
			t.Fatalf("%+v: %f|%f is near but in no range", near, lat, lon)
		}
	}
}
