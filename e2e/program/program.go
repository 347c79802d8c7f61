// Package program builds and runs salus as a process, for tests that drive it
// from outside.
//
// It promises a clean environment for each process, a free port for each
// server, and that a server's exit code and its log can be looked at afterwards.
// What is asked of the server is left to the tests.
package program

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build builds the command in the directory source, cmd/salus of the tree, into
// the directory dir and returns the program's path.
func Build(source, dir string) (string, error) {
	path := filepath.Join(dir, "salus")
	build := exec.Command("go", "build", "-o", path, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build salus: %w\n%s", err, out)
	}
	return path, nil
}

// Command is the program at path with a clean environment and a home of its own.
func Command(ctx context.Context, path, home string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} { // of a test's own storage service
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Dir = home
	return cmd
}

// readyTimeout is generous: the race detector and a busy machine are slow.
const readyTimeout = 2 * time.Minute

// Server is a running `salus serve`.
type Server struct {
	URL      string   // of the server
	FHIR     string   // of its first service
	DIMSE    string   // host:port for associations; empty when there is none
	Services []string // the lines "service …" that it printed
	Log      *Log     // what it wrote to standard error

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Start starts a server on a free port and returns when it is ready, or when it
// ended before that. The end of ctx asks it to stop.
func Start(ctx context.Context, path, home string, args ...string) (*Server, error) {
	s := &Server{Log: new(Log), done: make(chan struct{})}
	s.cmd = Command(ctx, path, home, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.cmd.Stderr = s.Log
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 30 * time.Second
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go func() {
		defer close(s.done)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			switch word, rest, _ := strings.Cut(lines.Text(), " "); word {
			case "service":
				s.Services = append(s.Services, lines.Text())
				if fields := strings.Fields(rest); len(fields) == 3 && s.FHIR == "" {
					s.FHIR = fields[2]
				}
			case "dimse":
				s.DIMSE = rest
			case "ready":
				s.URL = rest
				close(ready)
			}
		}
		s.cmd.Wait() // the state tells
	}()
	select {
	case <-ready:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("salus ended before it was ready, with code %d:\n%s", s.cmd.ProcessState.ExitCode(), s.Log)
	case <-time.After(readyTimeout):
		s.Stop() // that it is not ready is told
		return nil, fmt.Errorf("salus is not ready:\n%s", s.Log)
	}
}

// Signal sends the process a signal. One that has ended does not mind.
func (s *Server) Signal(sig os.Signal) error {
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Wait waits for the end of the process and returns its exit code, -1 when a
// signal ended it. One that has not ended after a minute is killed, which is
// an error.
func (s *Server) Wait() (int, error) {
	select {
	case <-s.done:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(time.Minute):
	}
	err := s.Signal(syscall.SIGKILL)
	<-s.done
	return s.cmd.ProcessState.ExitCode(), errors.Join(err, fmt.Errorf("salus had to be killed:\n%s", s.Log))
}

// Stop asks the server to stop if it runs, and waits as Wait does.
func (s *Server) Stop() (int, error) {
	err := s.Signal(syscall.SIGTERM)
	code, late := s.Wait()
	return code, errors.Join(err, late)
}

// Log is a bytes.Buffer for several goroutines.
type Log struct {
	mu sync.Mutex // protects fields below
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what has been written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
