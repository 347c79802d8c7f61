package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"salus/fault"
	"salus/fhir/client"
	"salus/fhir/client/load"
)

// LoadCmd is `salus load`: it speaks to a service by HTTP only, be it the one
// on this machine or another.
type LoadCmd struct {
	To      string   `help:"Base URL of the FHIR service." default:"http://127.0.0.1:8080/default/fhir" env:"SALUS_TO" placeholder:"URL"`
	Workers int      `help:"Bundles sent at the same time." default:"4" env:"SALUS_WORKERS" short:"j"`
	Batch   int      `help:"Resources in a transaction, where files hold none." default:"200" env:"SALUS_BATCH"`
	Gzip    bool     `help:"Compress what is sent; worth it on slow networks." env:"SALUS_GZIP"`
	Token   string   `help:"Bearer token; better given by the environment." env:"SALUS_TOKEN"`
	Verbose bool     `help:"Count by type, and list every failure." short:"v"`
	Paths   []string `arg:"" name:"path" help:"Files (.json, .ndjson, also .gz) and folders with such files."`
}

const (
	// loadGrace is how long an interrupted load waits for answers to what it sent.
	loadGrace = 5 * time.Second
	// loadFailures is how many failures are listed unless all are asked for.
	loadFailures = 20
	// loadLines is how often progress is told where there is no terminal.
	loadLines = 10 * time.Second
)

// Run loads the files and prints a summary.
func (c *LoadCmd) Run(ctx context.Context, t *terminal) error {
	o := client.Options{Gzip: c.Gzip, Header: http.Header{}}
	if c.Token != "" {
		o.Header.Set("Authorization", "Bearer "+c.Token)
	}
	service, err := client.New(c.To, o)
	if err != nil {
		return err
	}
	defer service.Close()
	start := time.Now()
	show := newLoadProgress(t.err, start)
	sum, err := load.Run(ctx, service, c.Paths, load.Options{
		Workers: c.Workers, Batch: c.Batch, Grace: loadGrace, Progress: show.tell,
	})
	show.end()
	c.summarize(t, sum, time.Since(start), err)
	if err == nil && sum.Failed > 0 {
		// The failures are listed; this names their number and gives the exit code.
		kind := fault.Invalid
		if len(sum.Failures) > 0 {
			kind = sum.Failures[0].Err.Kind
		}
		err = fault.New(kind, "%d resources were not loaded", sum.Failed)
	}
	return err
}

// summarize prints what became of the load; failed is why it ended early.
func (c *LoadCmd) summarize(t *terminal, s *load.Summary, took time.Duration, failed error) {
	shown := s.Failures
	if !c.Verbose && len(shown) > loadFailures {
		shown = shown[:loadFailures]
	}
	for _, f := range shown {
		writeLoadFailure(t.err, f)
	}
	if n := int64(0); len(shown) > 0 {
		for _, f := range shown {
			n += f.Count
		}
		if s.Failed > n {
			fmt.Fprintf(t.err, "… and %d more\n", s.Failed-n)
		}
	}
	if s.Files == 0 && failed != nil {
		return
	}
	if c.Verbose {
		for _, typ := range slices.Sorted(maps.Keys(s.Types)) {
			fmt.Fprintf(t.out, "%10d %s\n", s.Types[typ], typ)
		}
	}
	rate := float64(s.Resources) / max(took.Seconds(), 1e-3)
	fmt.Fprintf(t.out, "%d resources in %d bundles (%s) loaded in %.1f s, %.0f resources/s; %d failed\n",
		s.Resources, s.Bundles, byteSize(s.Bytes), took.Seconds(), rate, s.Failed)
	if s.Unknown > 0 {
		fmt.Fprintf(t.out, "%d more resources were sent but not answered: they may be loaded or not\n", s.Unknown)
	}
	if failed != nil {
		fmt.Fprintln(t.out, "the load is not complete: what is not counted here was not sent")
	}
}

func writeLoadFailure(w io.Writer, f load.Failure) {
	place := f.File
	if f.Place > 0 {
		place = fmt.Sprintf("%s:%d", f.File, f.Place)
	}
	if f.Type != "" {
		place += " (" + string(f.Type) + ")"
	}
	if f.Count > 1 {
		place += fmt.Sprintf(" (%d resources)", f.Count)
	}
	if len(f.Err.Issues) == 0 {
		fmt.Fprintf(w, "%s: %s\n", place, f.Err.Message)
	}
	for _, i := range f.Err.Issues {
		at := i.Expression
		if at == "" {
			at = i.Location
		}
		if at != "" {
			at = " at " + at
		}
		fmt.Fprintf(w, "%s: %s%s\n", place, i.Text, at)
	}
}

// byteSize renders n for people.
func byteSize(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}

// loadProgress shows how far a load is: a bar at a terminal, a line now and
// then elsewhere.
type loadProgress struct {
	w     io.Writer
	bars  *mpb.Progress
	bar   *mpb.Bar
	told  time.Time
	count atomic.Int64 // resources loaded; the bar reads it when it is drawn
}

func newLoadProgress(w io.Writer, now time.Time) *loadProgress {
	p := &loadProgress{w: w, told: now}
	if !isTerminal(w) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(48), mpb.WithRefreshRate(150*time.Millisecond))
	p.bar = p.bars.AddBar(0,
		mpb.PrependDecorators(decor.CountersKibiByte("% .1f / % .1f ")),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}),
			decor.Any(func(decor.Statistics) string { return fmt.Sprintf("  %d resources", p.count.Load()) })))
	return p
}

// tell is called by one goroutine at a time.
func (p *loadProgress) tell(at load.Progress) {
	p.count.Store(at.Resources)
	if p.bar != nil {
		p.bar.SetTotal(max(at.Total, 1), false)
		p.bar.SetCurrent(at.Read)
		return
	}
	if now := time.Now(); now.Sub(p.told) >= loadLines {
		p.told = now
		state := ""
		if at.Retrying {
			state = ", trying again what was refused"
		}
		fmt.Fprintf(p.w, "read %s of %s, %d resources loaded, %d failed%s\n",
			byteSize(at.Read), byteSize(at.Total), at.Resources, at.Failed, state)
	}
}

// end leaves the bar where it is.
func (p *loadProgress) end() {
	if p.bar != nil {
		p.bar.Abort(false)
		p.bars.Wait()
	}
}

// isTerminal reports whether someone watches w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
