package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is the release that this source becomes.
const version = "0.1.0-dev"

type versionCmd struct{}

// Run prints the release, the commit where the build knows it, and what it was
// built with and for.
func (versionCmd) Run(t *terminal) error {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " commit " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	_, err := fmt.Fprintf(t.out, "salus %s%s %s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
