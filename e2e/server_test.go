// Package e2e drives the built program as a user does: it starts salus on a free
// port and an empty directory, and speaks to it by HTTP and signals alone.
//
// It promises that what README.md and docs/ show is run as it stands there. What
// one package does is left to that package's own tests.
package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
		salus = filepath.Join(dir, "salus")
		build := exec.Command("go", "build", "-o", salus, "../cmd/salus")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build salus: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// readyTimeout is generous: the race detector and a busy machine are slow.
const readyTimeout = 2 * time.Minute

// server is a running `salus serve`.
type server struct {
	t        testing.TB
	cmd      *exec.Cmd
	url      string   // of the server
	fhir     string   // of the FHIR service
	services []string // the lines "service …"
	log      *buffer
	done     chan struct{} // closed when the process has ended
}

// command is salus with a clean environment and a home of its own.
func command(t testing.TB, home string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), salus, args...)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}
	cmd.Dir = home
	return cmd
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
	s := &server{t: t, log: new(buffer), done: make(chan struct{})}
	s.cmd = command(t, home, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.cmd.Stderr = s.log
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 30 * time.Second
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		defer close(s.done)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			switch word, rest, _ := strings.Cut(lines.Text(), " "); word {
			case "service":
				s.services = append(s.services, lines.Text())
				if fields := strings.Fields(rest); len(fields) == 3 && s.fhir == "" {
					s.fhir = fields[2]
				}
			case "ready":
				s.url = rest
				close(ready)
			}
		}
		s.cmd.Wait() // the state tells
	}()
	t.Cleanup(func() { s.stop() })
	select {
	case <-ready:
	case <-s.done:
		t.Fatalf("salus ended before it was ready, with code %d:\n%s", s.cmd.ProcessState.ExitCode(), s.log)
	case <-time.After(readyTimeout):
		t.Fatalf("salus is not ready:\n%s", s.log)
	}
	return s
}

func (s *server) signal(sig os.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Error(err)
	}
}

// wait waits for the end of the process and returns its exit code, -1 when a
// signal ended it.
func (s *server) wait() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		s.signal(syscall.SIGKILL)
		<-s.done
		s.t.Errorf("salus had to be killed:\n%s", s.log)
	}
	return s.cmd.ProcessState.ExitCode()
}

// stop stops the server if it runs and returns its exit code.
func (s *server) stop() int {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	return s.wait()
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex // protects fields below
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what has been written so far.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
