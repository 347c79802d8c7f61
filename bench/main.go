// Command bench measures a Salus server on this machine: loading, small writes,
// reads, searches, space, memory and start-up, client included, beside the same
// data written straight into the storage library.
//
// It promises to start and end everything it needs by itself, to be bounded in
// number and time, and to say what it found and not only how fast. README.md
// explains how to read the figures. It leaves judging them to the reader.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	patients  int
	seed      uint64
	clients   int           // that load at the same time
	budget    time.Duration // of one measurement
	reps      int           // of one search at most
	only      []string
	synthea   string
	json      string
	binary    string
	data      string
	keys      int // index keys per resource in the baseline
	limit     time.Duration
	keep      string // folder for the data of scales
	instances []int  // measure searches for so many DICOM instances, and nothing else
	dicom     bool   // measure the DICOM service, and nothing else
	orthanc   string // to measure beside it
	scales    []int  // measure searches on so many times the patients, and nothing else
}

// parts are what can be measured, in order. The load always runs: the others
// need what it loaded.
var parts = []string{"load", "read", "search", "write", "start", "raw"}

func parseFlags(args []string, w io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(w)
	f.IntVar(&s.patients, "patients", 1000, "invented patients to load, about 300 resources each")
	f.Uint64Var(&s.seed, "seed", 1, "seed of the population")
	f.IntVar(&s.clients, "clients", 4, "bundles sent at the same time")
	f.DurationVar(&s.budget, "time", 4*time.Second, "time for one measurement")
	f.IntVar(&s.reps, "reps", 400, "repetitions of one search at most")
	only := f.String("only", strings.Join(parts, ","), "parts to run; the load always runs")
	f.StringVar(&s.synthea, "synthea", "", "folder with bundles to load as well")
	f.StringVar(&s.json, "json", "", "file to write the results to, as JSON")
	f.StringVar(&s.binary, "bin", "", "server to measure; built from the sources when empty")
	f.StringVar(&s.data, "data", "", "folder to work in; a temporary one when empty")
	f.IntVar(&s.keys, "keys", 25, "index keys per resource that the baseline writes")
	scales := f.String("scales", "", "compare searches on so many times the data, such as 1,8,64, and measure nothing else")
	f.StringVar(&s.keep, "keep", "", "folder in which -scales leaves its data, and finds it the next time")
	instances := f.String("instances", "", "measure searches on an index of so many DICOM instances, such as 10000,1000000, and nothing else")
	f.BoolVar(&s.dicom, "images", false, "measure the DICOM service, beside Orthanc where it is installed, and nothing else")
	f.StringVar(&s.orthanc, "orthanc", "/usr/sbin/Orthanc", "Orthanc to measure with -images")
	f.DurationVar(&s.limit, "limit", 30*time.Minute, "time for everything")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	var err error
	if s.scales, err = parseScales(*scales); err != nil {
		return s, err
	}
	if s.instances, err = parseScales(*instances); err != nil {
		return s, err
	}
	s.only = strings.Split(*only, ",")
	for _, p := range s.only {
		if !slices.Contains(parts, p) {
			return s, fmt.Errorf("there is no part %q; there are %s", p, strings.Join(parts, ", "))
		}
	}
	if s.patients < 1 || s.clients < 1 || s.reps < 1 || s.keys < 0 || s.budget <= 0 || f.NArg() > 0 {
		return s, errors.New("sizes must be positive, and there are no arguments besides flags")
	}
	return s, nil
}

func (s *settings) wants(part string) bool { return slices.Contains(s.only, part) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, s, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and prints the report to out; what it is doing goes to log.
func run(ctx context.Context, s settings, out, log io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	dir, err := os.MkdirTemp(s.data, "salus-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if s.binary == "" {
		fmt.Fprintln(log, "building the server")
		if s.binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	r := &report{
		Started: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(),
		Patients: s.patients, Seed: s.seed, Clients: s.clients,
	}
	b := &bench{settings: s, report: r, log: log, dir: dir, served: filepath.Join(dir, "data")}
	err = b.all(ctx)
	// What was measured before something went wrong is still worth seeing.
	r.print(out)
	if s.json != "" && err == nil {
		err = r.write(s.json)
	}
	return err
}

// bench is one run.
type bench struct {
	settings
	report *report
	log    io.Writer
	dir    string
	server *server
	facts  *facts
	served string // folder of the server's data

	there int // in the data that is measured
}

func (b *bench) all(ctx context.Context) (err error) {
	if len(b.scales) > 0 {
		return b.growths(ctx)
	}
	if len(b.instances) > 0 {
		return b.indexed(ctx)
	}
	if b.dicom {
		return b.images(ctx)
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.stop()) }()
	for _, step := range []struct {
		part string
		run  func(context.Context) error
	}{
		{"load", b.load}, {"read", b.reads}, {"search", b.searches}, {"write", b.writes}, {"start", b.starts}, {"raw", b.raw},
	} {
		if step.part != "load" && !b.wants(step.part) {
			continue
		}
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.part, err)
		}
	}
	return nil
}

// say tells what is being done.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }
