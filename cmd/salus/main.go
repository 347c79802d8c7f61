// Command salus serves and works with a workspace of health data services.
//
// It promises the exit codes in exit.go, results on standard output and
// everything else on standard error. Each subcommand is one file here; what
// `salus serve` can be told is the table in settings.go. The work itself is
// left to platform and the packages below it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// grammar is the command line.
type grammar struct {
	Serve   serveCmd   `cmd:"" help:"Serve a workspace over HTTP until told to stop."`
	Load    LoadCmd    `cmd:"" help:"Load bundles and NDJSON files into a FHIR service."`
	Convert convertCmd `cmd:"" help:"Convert HL7v2, C-CDA, JSON and FHIR STU3 by templates."`
	DICOM   dicomCmd   `cmd:"" name:"dicom" help:"Send, get and print DICOM files."`
	Config  configCmd  `cmd:"" help:"Show or check the settings of serve."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// terminal is where a command writes to.
type terminal struct {
	out io.Writer // results
	err io.Writer // logs, progress, errors
}

func main() {
	t := &terminal{out: os.Stdout, err: os.Stderr}
	os.Exit(run(untilSignal(), os.Args[1:], t))
}

// untilSignal returns a context that the first signal to stop ends. By then the second one kills the process the hard way.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		// Before anybody can know of the first: a signal in between would be taken and do nothing.
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

func run(ctx context.Context, args []string, t *terminal) int {
	g := grammar{
		Serve:  serveCmd{flags: newFlagSet()},
		Config: configCmd{Print: configPrintCmd{flags: newFlagSet()}, Check: configCheckCmd{flags: newFlagSet()}},
	}
	g.Serve.Plugins = g.Serve.flags.plugin()
	g.Config.Print.Plugins = g.Config.Print.flags.plugin()
	g.Config.Check.Plugins = g.Config.Check.flags.plugin()

	helped := false
	k, err := kong.New(&g, kong.Name("salus"), kong.Writers(t.out, t.err),
		kong.Description("An open, self-hosted platform for health data."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Exit(func(int) { helped = true }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(t))
	if err != nil {
		return report(t.err, err)
	}
	c, err := k.Parse(args)
	switch {
	case helped:
		return exitFine
	case err != nil:
		fmt.Fprintf(t.err, "salus: %v\nsalus: --help lists what there is\n", err)
		return exitUsage
	}
	return report(t.err, c.Run())
}
