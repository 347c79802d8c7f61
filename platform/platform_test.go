package platform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"

	"salus/fault"
	"salus/platform"
	"salus/workspace"
)

func config(t testing.TB) platform.Config {
	return platform.Config{
		Listen: "127.0.0.1:0", Data: t.TempDir(), Workspace: workspace.Default(), CacheBytes: 16 << 20, MaxBody: 1 << 20, MaxBundle: 2 << 20,
		BundleEntries: 10, Grace: 10 * time.Second, Version: "test", Logger: slog.New(slog.DiscardHandler),
	}
}

func open(t testing.TB, cfg platform.Config) *platform.Platform {
	t.Helper()
	p, err := platform.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func get(h http.Handler, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
	return w
}

func TestRun_ServesAndLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t)
	cfg := config(t)
	cfg.DemoPatients = 1
	p, err := platform.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := &http.Client{Transport: &http.Transport{}}
	err = p.Run(ctx, func(r platform.Ready) {
		defer cancel()
		if len(r.Services) != 2 || r.Services[1].Kind != workspace.DICOM || r.Services[0].URL != r.URL+"/default/fhir" || r.Services[0].Kind != workspace.FHIR {
			t.Errorf("ready says %+v", r)
			return
		}
		res, err := client.Get(r.Services[0].URL + "/Patient")
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		if b, err := io.ReadAll(res.Body); err != nil || !bytes.Contains(b, []byte(`"resourceType":"Patient"`)) {
			t.Errorf("no patient in %.300s (%v)", b, err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	client.CloseIdleConnections()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

func TestRun_SaysWhenItCannotListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := config(t)
	cfg.Listen = l.Addr().String()
	err = open(t, cfg).Run(t.Context(), func(platform.Ready) { t.Error("ready on a taken port") })
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestRun_EndsWhenInterruptedWhileItLoads(t *testing.T) {
	cfg := config(t)
	cfg.DemoPatients = 10_000
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	err := open(t, cfg).Run(ctx, func(platform.Ready) { t.Error("ready although interrupted") })
	if !fault.Is(err, fault.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNew_ReleasesWhatItOpenedWhenItFails(t *testing.T) {
	defer goleak.VerifyNone(t)
	cfg := config(t)
	cfg.Workspace.Services = append(cfg.Workspace.Services, workspace.Service{Name: "second", Kind: workspace.FHIR})
	broken := filepath.Join(cfg.Data, "default", "second")
	if err := os.MkdirAll(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	format := filepath.Join(broken, "FORMAT")
	if err := os.WriteFile(format, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := platform.New(cfg); !fault.Is(err, fault.Unprocessable) || !strings.Contains(err.Error(), "second") {
		t.Fatalf("got %v", err)
	}
	if err := os.Remove(format); err != nil {
		t.Fatal(err)
	}
	p, err := platform.New(cfg) // the first service's lock is free again
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestNew_RefusesWhatIsNotInThisBuild(t *testing.T) {
	cfg := config(t)
	cfg.Workspace.Services = []workspace.Service{{Name: "devices", Kind: workspace.MedTech}}
	if _, err := platform.New(cfg); !fault.Is(err, fault.NotSupported) {
		t.Errorf("got %v", err)
	}
}

func TestNew_RefusesADamagedPagingKey(t *testing.T) {
	cfg := config(t)
	p, err := platform.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(cfg.Data, "default", "fhir", "paging.key")
	info, err := os.Stat(key)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Fatalf("the key file: %v, %v", info, err)
	}
	if err := os.Truncate(key, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := platform.New(cfg); !fault.Is(err, fault.Unprocessable) {
		t.Errorf("got %v", err)
	}
}

func TestHealth_TellsWhenAStoreDoesNotAnswer(t *testing.T) {
	p := open(t, config(t))
	h := p.Handler()
	for _, path := range []string{"/health/check", "/default/fhir/health/check"} {
		if w := get(h, path); w.Code != 200 || !strings.Contains(w.Body.String(), `"overallStatus": "Healthy"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/health/check": 2, "/default/fhir/health/check": 1, "/default/dicom/health/check": 1} {
		w := get(h, path)
		var got struct {
			OverallStatus string
			Details       []struct{ Name, Status, Description string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if w.Code != 503 || got.OverallStatus != "Unhealthy" || len(got.Details) != want || got.Details[0].Status != "Unhealthy" {
			t.Errorf("%s: %d %+v", path, w.Code, got)
		}
	}
	if w := get(h, "/metrics"); w.Code != 500 {
		t.Errorf("metrics of a closed store: %d", w.Code)
	}
}

func TestMetrics_CountRequestsAndResources(t *testing.T) {
	h := open(t, config(t)).Handler()
	r := httptest.NewRequest("POST", "/default/fhir/Patient", strings.NewReader(`{"resourceType":"Patient"}`))
	r.Header.Set("Content-Type", "application/fhir+json")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 201 {
		t.Fatal(w.Code, w.Body)
	}
	got := get(h, "/metrics").Body.String()
	for _, want := range []string{
		`salus_http_requests_total{code="201",method="POST",route="/{type}",service="fhir"} 1`,
		`salus_store_resources{service="fhir",type="Patient",workspace="default"} 1`,
		`salus_store_versions_total{service="fhir",workspace="default"} 1`,
		"salus_store_disk_bytes", "go_goroutines", "process_start_time_seconds",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestLimits_ReachTheServices(t *testing.T) {
	h := open(t, config(t)).Handler()
	post := func(path, body string) int {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/fhir+json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	if code := post("/default/fhir/Patient", `{"resourceType":"Patient"}`+strings.Repeat(" ", 1<<20)); code != 413 {
		t.Errorf("a body over the limit: %d", code)
	}
	if code := post("/default/fhir", `{"resourceType":"Bundle","type":"batch"}`+strings.Repeat(" ", 1<<20)); code != 200 {
		t.Errorf("a bundle over the limit of other bodies: %d", code)
	}
	if code := post("/default/fhir", `{"resourceType":"Bundle","type":"batch"}`+strings.Repeat(" ", 2<<20)); code != 413 {
		t.Errorf("a bundle over its limit: %d", code)
	}
	entry := `{"request":{"method":"GET","url":"Patient"}}`
	bundle := func(n int) string {
		return `{"resourceType":"Bundle","type":"batch","entry":[` + strings.TrimSuffix(strings.Repeat(entry+",", n), ",") + `]}`
	}
	if code := post("/default/fhir", bundle(10)); code != 200 {
		t.Errorf("as many entries as allowed: %d", code)
	}
	if code := post("/default/fhir", bundle(11)); code < 400 || code >= 500 {
		t.Errorf("more entries than allowed: %d", code)
	}
}

func TestTraces_ReachTheCollectorWithoutPatientData(t *testing.T) {
	var mu sync.Mutex // protects fields below
	var spans bytes.Buffer
	var paths []string
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		if _, err := io.Copy(&spans, body); err != nil {
			t.Error(err)
		}
	}))
	defer collector.Close()
	cfg := config(t)
	cfg.Traces = collector.URL
	p := open(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	err := p.Run(ctx, func(r platform.Ready) {
		defer cancel()
		res, err := http.Get(r.URL + "/default/fhir/Patient?family=Zyxwv8841")
		if err != nil {
			t.Error(err)
			return
		}
		res.Body.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(paths) == 0 || paths[0] != "/v1/traces" || !bytes.Contains(spans.Bytes(), []byte("salus")) {
		t.Errorf("the collector got %q, %d bytes", paths, spans.Len())
	}
	if bytes.Contains(spans.Bytes(), []byte("Zyxwv8841")) {
		t.Error("a span holds a value of a query")
	}
}
