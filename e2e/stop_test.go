package e2e_test

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestTerm_LetsRequestsInWorkFinish stops the server under load. Whatever was
// answered is there afterwards, and whatever is there was answered.
func TestTerm_LetsRequestsInWorkFinish(t *testing.T) {
	t.Parallel()
	stopUnderLoad(t, syscall.SIGTERM)
}

// TestKill_LosesNothingThatWasAnswered kills the server under load.
func TestKill_LosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	for range 3 {
		stopUnderLoad(t, syscall.SIGKILL)
	}
}

func stopUnderLoad(t *testing.T, sig syscall.Signal) {
	data := t.TempDir()
	s := start(t, "--open", "--data", data)
	const writers = 8
	var (
		wg                   sync.WaitGroup
		mu                   sync.Mutex // protects fields below
		answered, unanswered []string
	)
	for w := range writers {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
			for n := 0; ; n++ {
				id := fmt.Sprintf("w%d-%d", w, n)
				bundle := fmt.Sprintf(`{"resourceType":"Bundle","type":"transaction","entry":[
				 {"resource":{"resourceType":"Patient","id":"%[1]s"},"request":{"method":"PUT","url":"Patient/%[1]s"}},
				 {"resource":{"resourceType":"Basic","id":"%[1]s","code":{"text":"x"}},"request":{"method":"PUT","url":"Basic/%[1]s"}}]}`, id)
				r, err := send(c, "POST", s.FHIR, []byte(bundle))
				mu.Lock()
				if err == nil && r.status == http.StatusOK {
					answered = append(answered, id)
				} else {
					unanswered = append(unanswered, id)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	time.Sleep(700 * time.Millisecond)
	s.signal(sig)
	code := s.wait()
	wg.Wait()
	if len(answered) < writers {
		t.Fatalf("only %d transactions were answered; the test proves nothing", len(answered))
	}
	if sig == syscall.SIGTERM && code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, s.Log)
	}
	s = start(t, "--open", "--data", data)
	for _, id := range answered {
		request(t, "GET", s.FHIR+"/Patient/"+id, nil).want(t, 200)
	}
	if sig == syscall.SIGTERM {
		for _, id := range unanswered {
			request(t, "GET", s.FHIR+"/Patient/"+id, nil).outcome(t, 404)
		}
	}
	// A transaction is there whole or not at all, answered or not.
	count := func(typ string) any {
		return request(t, "GET", s.FHIR+"/"+typ+"?_summary=count", nil).want(t, 200).json(t)["total"]
	}
	if p, b := count("Patient"), count("Basic"); p != b {
		t.Errorf("%v patients, but %v that were written together with them", p, b)
	}
}

func TestSecondSignal_EndsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, "--open", "--shutdown-grace", "10m")
	release := hang(t, s)
	defer release()
	s.signal(syscall.SIGINT)
	waitFor(t, func() bool { return contains(s.Log, "stopping") })
	s.signal(syscall.SIGINT)
	if code := s.wait(); code != -1 {
		t.Errorf("exit code %d, want an end by the signal itself", code)
	}
}

func TestGrace_CutsOffWhatTakesLonger(t *testing.T) {
	t.Parallel()
	s := start(t, "--open", "--shutdown-grace", "200ms")
	release := hang(t, s)
	defer release()
	if code := s.stop(); code != 130 {
		t.Errorf("exit code %d, want 130:\n%s", code, s.Log)
	}
}

func TestSignalDuringStart_Interrupts(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	cmd := command(t, home, "serve", "--demo", "--demo-patients", "100000", "--listen", "127.0.0.1:0")
	log := new(buffer)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return contains(log, "loading sample data") })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d, want 130:\n%s", cmd.ProcessState.ExitCode(), log)
	}
	if left := files(t, home); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
