package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"salus/fault"
	"salus/workspace"
)

type configCmd struct {
	Print configPrintCmd `cmd:"" help:"Print every setting with its value and where that came from."`
	Check configCheckCmd `cmd:"" help:"Check all settings and the files they name, and serve nothing."`
	Docs  configDocsCmd  `cmd:"" hidden:"" help:"Write docs/configuration.md."`
}

type configPrintCmd struct {
	kong.Plugins
	flags flagSet
}

// Run prints the effective settings, secrets masked, as lines of
// "name: value  # origin", which are YAML again.
func (c *configPrintCmd) Run(t *terminal) error {
	e, err := c.flags.gather()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, r := range table {
		if r.noFile && e.texts[r.name] == "" {
			continue
		}
		line := r.name + ": " + e.shown(r) + "\t# " + string(e.origins[r.name])
		if r.noFile || e.texts[r.name] == "" {
			line = "# " + line
		}
		fmt.Fprintln(w, line)
	}
	return w.Flush()
}

// shown returns the text of a setting as it may be shown.
func (e *effective) shown(r setting) string {
	text := e.texts[r.name]
	switch {
	case text == "":
		return "(" + r.note + ")"
	case r.secret:
		return "********"
	}
	return text
}

type configCheckCmd struct {
	kong.Plugins
	flags flagSet
}

// Run checks the settings and the workspace file.
func (c *configCheckCmd) Run(t *terminal) error {
	e, err := c.flags.gather()
	if err != nil {
		return err
	}
	w, err := e.workspace()
	if err != nil {
		return err
	}
	for _, name := range e.unused {
		fmt.Fprintf(t.err, "salus: %s has no effect: there is no such setting\n", name)
	}
	_, err = fmt.Fprintf(t.out, "fine: workspace %s with %d service(s)\n", w.Name, len(w.Services))
	return err
}

// workspace returns the workspace that the settings describe.
func (e *effective) workspace() (workspace.Workspace, error) {
	if e.Workspace == "" {
		return workspace.Default(), nil
	}
	f, err := os.Open(e.Workspace)
	if err != nil {
		return workspace.Workspace{}, fault.Wrap(fault.Invalid, err, "%s: the workspace file cannot be read", e.origins["workspace"])
	}
	defer f.Close() // only read from
	return workspace.Read(e.Workspace, f)
}
