// Package e2e drives the built program as a user does: it starts salus on a free
// port and an empty directory, and speaks to it by HTTP and signals alone.
//
// It promises that what README.md and docs/ show is run as it stands there. What
// one package does is left to that package's own tests.
package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"salus/e2e/program"
)

// salus is the path of the built program.
var salus string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "salus-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if salus, err = program.Build("../cmd/salus", dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// server is a running `salus serve`.
type server struct {
	*program.Server
	t testing.TB
}

// buffer is what a process has written so far.
type buffer = program.Log

// command is salus with a clean environment and a home of its own.
func command(t testing.TB, home string, args ...string) *exec.Cmd {
	return program.Command(t.Context(), salus, home, args...)
}

// run runs a command to its end and returns what it printed and its exit code.
func run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runIn(t, t.TempDir(), args...)
}

func runIn(t testing.TB, home string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := command(t, home, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	stuck := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() }) // it may just have ended
	defer stuck.Stop()
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// start starts a server on a free port and waits until it is ready. It is
// stopped at the end of the test.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	return startIn(t, t.TempDir(), args...)
}

func startIn(t testing.TB, home string, args ...string) *server {
	t.Helper()
	running, err := program.Start(t.Context(), salus, home, args...)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{running, t}
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) signal(sig os.Signal) {
	if err := s.Signal(sig); err != nil {
		s.t.Error(err)
	}
}

// wait waits for the end of the process and returns its exit code, -1 when a
// signal ended it.
func (s *server) wait() int {
	s.t.Helper()
	code, err := s.Wait()
	if err != nil {
		s.t.Error(err)
	}
	return code
}

// stop stops the server if it runs and returns its exit code.
func (s *server) stop() int {
	s.t.Helper()
	code, err := s.Stop()
	if err != nil {
		s.t.Error(err)
	}
	return code
}
