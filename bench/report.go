package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// report is everything that was measured.
type report struct {
	Started  time.Time `json:"started"`
	Go       string    `json:"go"`
	CPUs     int       `json:"cpus"`
	Patients int       `json:"patients"`
	Seed     uint64    `json:"seed"`
	Clients  int       `json:"clients"`
	Rows     []*row    `json:"rows"`
	Figures  []*figure `json:"figures"`
	Scales   []int     `json:"scales,omitempty"`
	Growths  []*growth `json:"growths,omitempty"`
	// Beside are measurements of DICOM services: Salus and, where it is there, another.
	Beside   map[string][]*row `json:"beside,omitempty"`
	Memories []*figure         `json:"memories,omitempty"`
}

// row is one measurement of many operations. Times are milliseconds, 0 when
// single operations were not timed.
type row struct {
	Part  string  `json:"part"`
	Name  string  `json:"name"`
	Count int     `json:"count"` // operations
	Rate  float64 `json:"rate"`  // of resources in the loads, of operations elsewhere, per second
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Raw   float64 `json:"raw,omitempty"` // rate of the baseline; 0 when there is none
	Note  string  `json:"note,omitempty"`
}

// figure is a single number.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Raw   float64 `json:"raw,omitempty"` // of the baseline; 0 when there is none
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// row adds a measurement.
func (r *report) row(part, name string, s *sample) *row {
	x := &row{
		Part: part, Name: name, Count: len(s.each), Rate: s.rate(),
		P50: milliseconds(s.percentile(50)), P95: milliseconds(s.percentile(95)), P99: milliseconds(s.percentile(99)),
	}
	r.Rows = append(r.Rows, x)
	return x
}

// figure adds a number.
func (r *report) figure(name string, value float64, unit string) {
	r.Figures = append(r.Figures, &figure{Name: name, Value: value, Unit: unit})
}

// compare notes the baseline's rate for a measurement that is there.
func (r *report) compare(part, name string, rate float64) {
	for _, x := range r.Rows {
		if x.Part == part && x.Name == name {
			x.Raw = rate
		}
	}
}

// compareFigure notes the baseline's number.
func (r *report) compareFigure(name string, value float64) {
	for _, x := range r.Figures {
		if x.Name == name {
			x.Raw = value
		}
	}
}

func (r *report) write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// print writes the report as aligned tables.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\nSalus, %s, %s, %d CPUs: %d patients (seed %d), %d loading clients\n\n",
		r.Started.Format(time.DateTime), r.Go, r.CPUs, r.Patients, r.Seed, r.Clients)
	if len(r.Growths) > 0 {
		r.printGrowths(w)
	}
	if len(r.Beside) > 0 {
		r.printImages(w)
		return
	}
	rows := [][]string{{"part", "measurement", "count", "rate/s", "p50 ms", "p95 ms", "p99 ms", "raw/s", "of raw", "note"}}
	for i, x := range r.Rows {
		if i > 0 && x.Part != r.Rows[i-1].Part {
			rows = append(rows, nil)
		}
		rows = append(rows, []string{
			x.Part, x.Name, fmt.Sprint(x.Count), number(x.Rate), number(x.P50), number(x.P95), number(x.P99),
			number(x.Raw), share(x.Rate, x.Raw), x.Note,
		})
	}
	table(w, rows, "llrrrrrrrl")
	fmt.Fprintln(w)
	rows = [][]string{{"figure", "value", "unit", "raw", "of raw"}}
	for _, x := range r.Figures {
		rows = append(rows, []string{x.Name, number(x.Value), x.Unit, number(x.Raw), share(x.Value, x.Raw)})
	}
	table(w, rows, "lrlrr")
}

// printGrowths prints the shapes by how they take more data, the worst first.
func (r *report) printGrowths(w io.Writer) {
	head := []string{"search", "ratio of p95"}
	for _, name := range []string{"p50", "p95", "p99"} {
		for _, scale := range r.Scales {
			head = append(head, fmt.Sprintf("%s %d×", name, scale))
		}
	}
	rows := [][]string{append(head, "found", "pages/s")}
	for _, g := range r.Growths {
		cells := []string{g.Name, number(g.Ratio)}
		for _, list := range [][]float64{g.P50, g.P95, g.P99} {
			for i := range r.Scales {
				cell := "–" // not measured at the largest scales
				if i < len(list) {
					cell = number(list[i])
				}
				cells = append(cells, cell)
			}
		}
		rows = append(rows, append(cells, list("%.1f", g.Found), list("%.0f", g.Rate)))
	}
	table(w, rows, "lr"+strings.Repeat("r", 3*len(r.Scales))+"ll")
	fmt.Fprintln(w)
}

// list prints numbers one behind the other.
func list(format string, values []float64) string {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprintf(format, v))
	}
	return strings.Join(all, ", ")
}

// table prints rows in columns, each aligned to the left or right as sides says
// with l and r. A row without cells is an empty line.
func table(w io.Writer, rows [][]string, sides string) {
	widths := make([]int, len(sides))
	for _, cells := range rows {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, cells := range rows {
		var b strings.Builder
		for i, c := range cells {
			fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if sides[i] == 'r' {
				b.WriteString(fill + c + "  ")
			} else {
				b.WriteString(c + fill + "  ")
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

func number(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v < 100:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func share(v, of float64) string {
	if of == 0 || v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*v/of)
}
