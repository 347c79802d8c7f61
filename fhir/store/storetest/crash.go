package storetest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"salus/fhir"
)

// CrashOptions tune RunCrash. The zero value is good.
type CrashOptions struct {
	Rounds  int           // how often a process is killed; 8, or what SALUS_CRASH_ROUNDS says, when 0
	Seed    uint64        // of every random choice; SALUS_CRASH_SEED or the time, when 0; it is logged
	Writers int           // concurrent writers; 6 when 0
	Life    time.Duration // how long a process writes at most; 400 ms when 0
}

// The variables by which a killed process knows what it is to do.
const (
	crashDir     = "SALUS_CRASH_DIR"
	crashSeed    = "SALUS_CRASH_SEED"
	crashWriters = "SALUS_CRASH_WRITERS"
)

// RunCrash runs the test binary again as a process that writes to an engine
// from several goroutines, kills it with SIGKILL at a random moment, opens the
// directory and verifies the contract: what was acknowledged is there with its
// exact bodies, each call is there wholly or not at all, at most the one call a
// writer had in work is there without acknowledgement, the index agrees with
// the bodies and the change log has no gap. The next round goes on in the same
// directory.
//
// It must be the only thing its test does, because the process runs the same
// test. SIGKILL leaves what the operating system has taken over: a missing sync
// to the disk it does not find.
func RunCrash(t *testing.T, open Factory, opt CrashOptions) {
	opt = opt.filled(t)
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(t, open, dir, opt)
		return
	}
	dir, err := os.MkdirTemp("", "salus-crash-")
	if err != nil {
		t.Fatalf("make a directory: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d; the store is left in %s", opt.Seed, dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the store: %v", err)
		}
	})
	t.Logf("seed %d", opt.Seed)
	rng := rand.New(rand.NewPCG(opt.Seed, 0))
	known := newAcknowledged()
	for round := range opt.Rounds {
		before := known.calls
		if err := known.killOne(t, dir, opt, rng, uint64(round)); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		s := open(t, dir, time.Now)
		err := known.verify(t.Context(), s, opt.Writers)
		if closeErr := s.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("close: %w", closeErr)
		}
		if err != nil {
			t.Fatalf("round %d, after %d acknowledged calls: %v", round, known.calls-before, err)
		}
	}
	if known.calls == 0 {
		t.Fatalf("no process has acknowledged anything")
	}
	t.Logf("%d acknowledged calls in %d rounds", known.calls, opt.Rounds)
}

func (opt CrashOptions) filled(t *testing.T) CrashOptions {
	t.Helper()
	number := func(name string, otherwise uint64) uint64 {
		text, ok := os.LookupEnv(name)
		if !ok {
			return otherwise
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s is not a number", name)
		}
		return n
	}
	if opt.Rounds == 0 {
		opt.Rounds = int(number("SALUS_CRASH_ROUNDS", 8))
	}
	if opt.Seed == 0 {
		opt.Seed = number(crashSeed, uint64(time.Now().UnixNano()))
	}
	if opt.Writers == 0 {
		opt.Writers = int(number(crashWriters, 6))
	}
	if opt.Life == 0 {
		opt.Life = 400 * time.Millisecond
	}
	return opt
}

// acknowledged is what the killed processes have said is written.
type acknowledged struct {
	calls   int
	ledgers map[int]promise // by writer
	singles map[int]promise
}

// promise is the newest acknowledged version of a resource, and the operation that made it.
type promise struct{ number, op int64 }

func newAcknowledged() *acknowledged {
	return &acknowledged{ledgers: map[int]promise{}, singles: map[int]promise{}}
}

// killOne runs a process and kills it: mostly while it writes, sometimes
// already while it opens the store.
func (a *acknowledged) killOne(t *testing.T, dir string, opt CrashOptions, rng *rand.Rand, round uint64) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = read.Close() }() // everything was read or the round has failed
	child := exec.Command(os.Args[0], "-test.run="+onlyThis(t), "-test.count=1", "-test.timeout=5m")
	child.Env = append(os.Environ(), crashDir+"="+dir,
		fmt.Sprintf("%s=%d", crashSeed, opt.Seed+round), fmt.Sprintf("%s=%d", crashWriters, opt.Writers))
	child.ExtraFiles = []*os.File{write}
	var said strings.Builder
	child.Stdout, child.Stderr = &said, &said
	if err := child.Start(); err != nil {
		return err
	}
	if err := write.Close(); err != nil {
		return err
	}
	lines := make(chan error, 1)
	opened := make(chan struct{})
	go func() { lines <- a.listen(read, opened) }()

	early, delay := rng.IntN(4) == 0, time.Duration(rng.Int64N(int64(opt.Life)))
	if early && round > 0 {
		time.Sleep(delay / 4)
	} else {
		select {
		case <-opened:
			time.Sleep(delay)
		case err := <-lines: // it ended by itself
			return fmt.Errorf("the process did not open the store: %v %v\n%s", err, child.Wait(), said.String())
		}
	}
	killed := child.Process.Kill()
	heard := <-lines
	ended := child.Wait()
	switch {
	case heard != nil:
		return heard
	case killed != nil || child.ProcessState.Exited():
		return fmt.Errorf("the process ended before it was killed: %v\n%s", ended, said.String())
	}
	return nil
}

// onlyThis is the pattern of -test.run for the running test.
func onlyThis(t *testing.T) string {
	parts := strings.Split(t.Name(), "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// listen notes what a process acknowledges until it ends. A last line that is
// cut short was not said.
func (a *acknowledged) listen(from io.Reader, opened chan<- struct{}) error {
	for in := bufio.NewReader(from); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return err
		}
		if line == "opened\n" {
			close(opened)
			continue
		}
		var kind string
		var writer int
		var p promise
		if _, err := fmt.Sscanf(line, "%s %d %d %d", &kind, &writer, &p.number, &p.op); err != nil {
			return fmt.Errorf("the process says %q", line)
		}
		a.calls++
		switch kind {
		case "ledger":
			a.ledgers[writer] = p
		case "single":
			a.singles[writer] = p
		default:
			return fmt.Errorf("the process says %q", line)
		}
	}
}

// keep checks what a writer's two promises have become, and makes what is there
// the promise for the next round.
func (a *acknowledged) keep(writer int, ledger, single promise, opAt func(fhir.Key, int64) int64) error {
	extra := int64(0)
	for _, c := range []struct {
		key      fhir.Key
		promised map[int]promise
		found    promise
	}{{ledgerKey(writer), a.ledgers, ledger}, {singleKey(writer), a.singles, single}} {
		was := c.promised[writer]
		if c.found.number < was.number {
			return fmt.Errorf("%s is at version %d, but %d was acknowledged", c.key, c.found.number, was.number)
		}
		if was.number > 0 && opAt(c.key, was.number) != was.op {
			return fmt.Errorf("version %d of %s is not the acknowledged one", was.number, c.key)
		}
		extra += c.found.number - was.number
		c.promised[writer] = c.found
	}
	if extra > 1 {
		return fmt.Errorf("writer %d has %d calls that were not acknowledged, but one at a time in work", writer, extra)
	}
	return nil
}
