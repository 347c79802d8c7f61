package s3_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"salus/blob"
	"salus/blob/blobtest"
	"salus/blob/s3"
	"salus/fault"
)

// The test binary is the storage service too, in a process of its own: what the service keeps in memory is not ours.
func TestMain(m *testing.M) {
	if os.Getenv("SALUS_TEST_S3_SERVICE") == "" {
		os.Exit(m.Run())
	}
	backend := s3mem.New()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		err = backend.CreateBucket("images")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	go func() { // it ends with who started it
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // any end is one
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, http.Serve(l, gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()))
}

// service is a storage service with one bucket, and in front of it something that notes what is asked of it.
type service struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

func start(t testing.TB) *service {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "SALUS_TEST_S3_SERVICE=1")
	cmd.Stderr = os.Stderr
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		alive.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	to := &url.URL{Scheme: "http", Host: strings.TrimSpace(address)}
	s := &service{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method)
		s.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// asked returns the methods of the requests so far.
func (s *service) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *service) options(t testing.TB, path string) s3.Options {
	t.Helper()
	o, err := s3.ParseURL("s3://" + path + "?region=us-east-1&endpoint=" + url.QueryEscape(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	o.AccessKey, o.SecretKey = "key", "secret"
	return o
}

func (s *service) open(t testing.TB) blob.Store {
	t.Helper()
	store, err := s3.Open(t.Context(), s.options(t, "images/clinic/dicom"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestSuite(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return start(t).open(t) })
}

func TestLargeObjectsAreReadInRanges(t *testing.T) {
	s := start(t)
	store := s.open(t)
	data := make([]byte, 20<<20)
	rand.NewChaCha8([32]byte{1}).Read(data) //nolint:errcheck // it never fails
	if _, err := blob.Put(t.Context(), store, "a/large", strings.NewReader(string(data))); err != nil {
		t.Fatal(err)
	}
	o, err := store.Open(t.Context(), "a/large")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	before := len(s.asked())
	for _, at := range []int64{0, 4096, 8192, 19 << 20, 5 << 20, 5<<20 + 100} {
		b := make([]byte, 4096)
		if _, err := o.ReadAt(b, at); err != nil || string(b) != string(data[at:at+4096]) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if n := len(s.asked()) - before; n != 3 {
		t.Errorf("%d requests for three places", n)
	}
	// Another version under the same name is not mixed in.
	if _, err := blob.Put(t.Context(), store, "a/large", strings.NewReader(string(data[1:]))); err != nil {
		t.Fatal(err)
	}
	if _, err := o.ReadAt(make([]byte, 10), 10<<20); err == nil {
		t.Error("bytes of another version were read")
	}
}

func TestUploadsThatAreGivenUpLeaveNothing(t *testing.T) {
	s := start(t)
	store := s.open(t)
	w, err := store.Create(t.Context(), "half")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), "half"); !fault.Is(err, fault.NotFound) {
		t.Errorf("half an object: %v", err)
	}
	if asked := s.asked(); !slices.Contains(asked, http.MethodDelete) {
		t.Errorf("the parts were not removed: %v", asked)
	}
}

func TestWhatCannotBeReached(t *testing.T) {
	s := start(t)
	store := s.open(t)
	if _, err := s3.Open(t.Context(), s.options(t, "elsewhere")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("another bucket: %v", err)
	}
	s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := store.Open(ctx, "a"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("open: %v", err)
	}
	if _, err := blob.Put(ctx, store, "a", io.LimitReader(strings.NewReader("abc"), 3)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("put: %v", err)
	}
	for _, err := range store.List(ctx, "a") {
		if !fault.Is(err, fault.Unavailable) || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("list: %v", err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"http://bucket", "s3://", "s3://key:secret@bucket", "s3://bucket?endpoint=ftp://x", "s3://bucket?endpoint=host", "%"} {
		if _, err := s3.ParseURL(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	o, err := s3.ParseURL("s3://bucket/a/b/?region=eu")
	if err != nil || o.Bucket != "bucket" || o.Prefix != "a/b/" || o.Region != "eu" || o.Endpoint != nil {
		t.Errorf("%+v, %v", o, err)
	}
}
