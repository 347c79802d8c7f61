package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"salus/fhir/client"
)

const (
	stopWait  = 60 * time.Second // for a server that was told to stop
	startWait = 60 * time.Second // for a server to become ready
)

// build compiles the server into dir.
func build(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "salus")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "salus/cmd/salus")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return bin, nil
}

// server is a running one.
type server struct {
	cmd     *exec.Cmd
	url     string
	service *client.Client
	http    *http.Client
	ready   time.Duration // from its start to its word that it is ready
	log     *tail
	ended   chan error
	drained chan struct{}
}

// tail keeps the last of what a server logs, for when it fails.
type tail struct{ last bytes.Buffer }

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.last.Write(p)
	if n := t.last.Len() - tailBytes; n > 0 {
		t.last.Next(n)
	}
	return len(p), nil
}

// startServer runs bin on the data in dir until it is ready.
func startServer(ctx context.Context, bin, dir string) (*server, error) {
	s := &server{log: &tail{}, ended: make(chan error, 1), drained: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, bin, "serve", "--open", "--data", dir, "--listen", "127.0.0.1:0")
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopWait
	s.cmd.Stderr = s.log
	out, w := io.Pipe()
	s.cmd.Stdout = w
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		err := s.cmd.Wait()
		w.Close()
		s.ended <- err
	}()
	ready := make(chan string, 1)
	go func() {
		defer close(s.drained)
		defer close(ready)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if url, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
				ready <- url
			}
		}
	}()
	select {
	case url, ok := <-ready:
		if !ok {
			return nil, fmt.Errorf("the server ended before it was ready: %w\n%s", <-s.ended, s.log.last.Bytes())
		}
		s.ready, s.url = time.Since(began), strings.TrimRight(url, "/")
	case <-time.After(startWait):
		return nil, errors.Join(errors.New("the server did not become ready"), s.stop())
	}
	// Compression of answers would measure the compressor.
	s.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	var err error
	s.service, err = client.New(s.url+"/default/fhir", client.Options{HTTP: s.http, Header: http.Header{"Prefer": {"handling=strict"}}}) // nothing is left out
	return s, err
}

// stop ends the server and waits for it. It may be called twice.
func (s *server) stop() error {
	if s == nil || s.cmd == nil {
		return nil
	}
	if s.service != nil {
		s.service.Close()
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var err error
	select {
	case err = <-s.ended:
	case <-time.After(stopWait):
		err = errors.Join(errors.New("the server did not stop and was killed"), s.cmd.Process.Kill(), <-s.ended)
	}
	<-s.drained
	s.cmd = nil
	return err
}

func (b *bench) start(ctx context.Context) (err error) {
	b.server, err = startServer(ctx, b.binary, b.served)
	return err
}

// memory returns a figure of the server's process in bytes, such as VmHWM, the
// most memory it ever had; 0 where the system does not tell.
func (s *server) memory(name string) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}

// counters reads the server's metrics, summed over their labels.
func (s *server) counters(ctx context.Context) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return readCounters(resp.Body)
}

// readCounters reads Prometheus' text format.
func readCounters(r io.Reader) (map[string]float64, error) {
	sums := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		name, _, _ := strings.Cut(line[:at], "{")
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("read metric %s: %w", name, err)
		}
		sums[name] += v
	}
	return sums, lines.Err()
}

// settle waits until the files below dir stop changing, as the storage engine
// has work left after a load, and returns their bytes.
func settle(ctx context.Context, dir string) (int64, error) {
	const quiet, most = 6, 120 // half seconds
	last, same := int64(-1), 0
	for range most {
		n, err := diskBytes(dir)
		if err != nil {
			return 0, err
		}
		if same++; n != last {
			last, same = n, 0
		}
		if same >= quiet {
			break
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return last, nil
}

func diskBytes(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // compacted away meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		sum += info.Size()
		return nil
	})
	return sum, err
}
