package e2e_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestConditionalWrites_OfRacingClientsMakeOneResource lets 32 clients ask for
// the same resource by criteria that differ, in every form that FHIR has for it.
func TestConditionalWrites_OfRacingClientsMakeOneResource(t *testing.T) {
	t.Parallel()
	s := start(t, "--open", "--data", t.TempDir())
	for round := range 5 {
		value := fmt.Sprint("mrn-", round)
		body := `{"resourceType":"Patient","active":true,"identifier":[{"system":"urn:example:mrn","value":"` + value + `"}]}`
		criteria := []string{
			"identifier=urn:example:mrn|" + value, "identifier=urn%3Aexample%3Amrn%7C" + value, "identifier=" + value,
			"active=true&identifier=" + value, "identifier=" + value + "&active:missing=false", "identifier=" + value + "," + value + "-other",
		}
		bundle := func(typ, entry string) []byte {
			return fmt.Appendf(nil, `{"resourceType":"Bundle","type":%q,"entry":[{"resource":%s,"request":{%s}},
				{"resource":{"resourceType":"Basic","code":{"text":"x"}},"request":{"method":"POST","url":"Basic"}}]}`, typ, body, entry)
		}
		var wg sync.WaitGroup
		var created atomic.Int64
		for i := range 32 {
			c := criteria[i%len(criteria)]
			create := fmt.Sprintf(`"method":"POST","url":"Patient","ifNoneExist":%q`, c)
			update := fmt.Sprintf(`"method":"PUT","url":%q`, "Patient?"+c)
			wg.Go(func() {
				var r reply
				var err error
				switch i % 5 {
				case 0:
					r, err = send(web, "POST", s.FHIR+"/Patient", []byte(body), "If-None-Exist", c)
				case 1:
					r, err = send(web, "PUT", s.FHIR+"/Patient?"+strings.ReplaceAll(c, "|", "%7C"), []byte(body))
				case 2:
					r, err = send(web, "POST", s.FHIR, bundle("batch", create))
				case 3:
					r, err = send(web, "POST", s.FHIR, bundle("transaction", create))
				default:
					r, err = send(web, "POST", s.FHIR, bundle("transaction", update))
				}
				if err != nil || r.status >= 300 {
					t.Errorf("client %d: %d, %v: %.300s", i, r.status, err, r.body)
				}
				if r.status == http.StatusCreated || strings.Contains(string(r.body), `"status":"201","location":"`+s.FHIR+`/Patient/`) {
					created.Add(1)
				}
			})
		}
		wg.Wait()
		total := request(t, "GET", s.FHIR+"/Patient?identifier="+value+"&_summary=count", nil).want(t, 200).json(t)["total"]
		if total != 1.0 || created.Load() != 1 {
			t.Fatalf("%v patients are there and %d were created", total, created.Load())
		}
	}
}

// TestKill_TransactionsOfEveryVerbAreWholeOrNotAtAll kills the server at random
// moments under transactions whose parts must agree with each other.
func TestKill_TransactionsOfEveryVerbAreWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	const writers = 6
	data := t.TempDir()
	answered := make([]int, writers)
	for round := range 4 {
		s := start(t, "--open", "--data", data)
		next := make([]int, writers)
		for w := range writers {
			done := s.verifyLedger(t, w)
			if done < answered[w] {
				t.Fatalf("round %d: writer %d had an answer to transaction %d, %d is there", round, w, answered[w], done)
			}
			next[w] = done + 1
		}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
				for n := next[w]; ; n++ {
					r, err := send(c, "POST", s.FHIR, ledger(w, n))
					if err != nil {
						return
					}
					if r.status != http.StatusOK {
						t.Errorf("transaction %d of writer %d: %d: %.300s", n, w, r.status, r.body)
						return
					}
					answered[w] = n
				}
			})
		}
		time.Sleep(time.Duration(150+rand.IntN(500)) * time.Millisecond)
		s.signal(syscall.SIGKILL)
		s.wait()
		wg.Wait()
	}
	s := start(t, "--open", "--data", data)
	sum := 0
	for w := range writers {
		if done := s.verifyLedger(t, w); done < answered[w] {
			t.Errorf("writer %d had an answer to transaction %d, %d is there", w, answered[w], done)
		}
		sum += answered[w]
	}
	if sum < writers {
		t.Fatalf("only %d transactions were answered; the test proves nothing", sum)
	}
}

// ledger is transaction n of a writer: it deletes one thing that n-1 has put and
// patches another, puts both anew, counts in an organization by criteria, creates a device by criteria
// and an observation about it.
func ledger(w, n int) []byte {
	patch := ""
	if n > 1 {
		text := base64.StdEncoding.EncodeToString([]byte(`[{"op":"replace","path":"/status","value":"suspended"}]`))
		patch = fmt.Sprintf(`{"resource":{"resourceType":"Binary","contentType":"application/json-patch+json","data":%q},"request":{"method":"PATCH","url":"Location/l%d-%d"}},`, text, w, n-1)
	}
	return fmt.Appendf(nil, `{"resourceType":"Bundle","type":"transaction","entry":[%[4]s
	 {"resource":{"resourceType":"Location","id":"l%[1]d-%[2]d","status":"active","name":"w%[1]d"},"request":{"method":"PUT","url":"Location/l%[1]d-%[2]d"}},
	 {"request":{"method":"GET","url":"Organization?identifier=o%[1]d"}},
	 {"resource":{"resourceType":"Organization","identifier":[{"value":"o%[1]d"}],"name":"%[2]d"},"request":{"method":"PUT","url":"Organization?identifier=o%[1]d"}},
	 {"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"w%[1]d"}]},"subject":{"reference":"urn:uuid:device"}},"request":{"method":"POST","url":"Observation"}},
	 {"fullUrl":"urn:uuid:device","resource":{"resourceType":"Device","identifier":[{"value":"d%[1]d-%[2]d"}],"lotNumber":"x"},"request":{"method":"POST","url":"Device","ifNoneExist":"identifier=d%[1]d-%[2]d"}},
	 {"resource":{"resourceType":"Basic","id":"b%[1]d-%[2]d","code":{"coding":[{"code":"w%[1]d"}]}},"request":{"method":"PUT","url":"Basic/b%[1]d-%[2]d"}},
	 {"request":{"method":"DELETE","url":"Basic/b%[1]d-%[3]d"}}]}`, w, n, n-1, patch)
}

// verifyLedger checks that all parts of a writer's transactions agree on how
// many there were, and returns that.
func (s *server) verifyLedger(t *testing.T, w int) int {
	t.Helper()
	count := func(query string) int {
		total, _ := request(t, "GET", s.FHIR+"/"+query+"&_summary=count", nil).want(t, 200).json(t)["total"].(float64)
		return int(total)
	}
	n := count(fmt.Sprintf("Observation?code=w%d", w))
	organizations := request(t, "GET", fmt.Sprintf("%s/Organization?identifier=o%d", s.FHIR, w), nil).want(t, 200).json(t).entries()
	if n == 0 && len(organizations) == 0 {
		return 0
	}
	if len(organizations) != 1 || organizations[0].text("name") != fmt.Sprint(n) {
		t.Fatalf("writer %d: %d observations, but organizations %v", w, n, organizations)
	}
	if linked := count(fmt.Sprintf("Observation?code=w%[1]d&subject:Device.identifier=d%[1]d-1,d%[1]d-%[2]d", w, n)); linked != min(n, 2) {
		t.Fatalf("writer %d: %d observations lead to the first and the last device", w, linked)
	}
	for status, want := range map[string]int{"suspended": n - 1, "active": 1} {
		if got := count(fmt.Sprintf("Location?name=w%d&status=%s", w, status)); got != want {
			t.Fatalf("writer %d: %d locations are %s, want %d", w, got, status, want)
		}
	}
	if basics := count(fmt.Sprintf("Basic?code=w%d", w)); basics != 1 {
		t.Fatalf("writer %d: %d basics are left", w, basics)
	}
	request(t, "GET", fmt.Sprintf("%s/Basic/b%d-%d", s.FHIR, w, n), nil).want(t, 200)
	for _, i := range []int{1, n} {
		if devices := count(fmt.Sprintf("Device?identifier=d%d-%d", w, i)); devices != 1 {
			t.Fatalf("writer %d: %d devices of transaction %d", w, devices, i)
		}
	}
	return n
}
