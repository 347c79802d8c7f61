package load_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/demo"
	"salus/fault"
	"salus/fhir"
	"salus/fhir/client"
	"salus/fhir/client/load"
)

// service keeps resources in memory and refuses what it is told to.
type service struct {
	mu     sync.Mutex
	stored map[string]int // times that "Type/id", or Type for a POST, was stored
	calls  int
	most   int // bundles at the same time
	now    int
	order  []string
	answer func(s *service, bundle fhir.Node) ([]client.Entry, error) // nil entry and error: store it
}

func (s *service) Bundle(ctx context.Context, bundle []byte) ([]client.Entry, error) {
	d, err := fhir.Parse(bundle)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.calls++
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
	if ctx.Err() != nil {
		return nil, fault.New(fault.Canceled, "given up")
	}
	if s.answer != nil {
		if entries, err := s.answer(s, d.Root()); entries != nil || err != nil {
			return entries, err
		}
	}
	for e := range d.Root().Get("entry").Children {
		url := e.Path("request", "url").Text()
		s.stored[url]++
		s.order = append(s.order, url)
	}
	return nil, nil
}

func newService() *service { return &service{stored: map[string]int{}} }

// folder writes files, compressed when their name says so.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		b := []byte(text)
		if strings.HasSuffix(name, ".gz") && !strings.HasPrefix(text, "plain") {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			if _, err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			b = z.Bytes()
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func run(t *testing.T, s load.Service, dir string, o load.Options) *load.Summary {
	t.Helper()
	sum, err := load.Run(t.Context(), s, []string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func patients(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"resourceType":"Patient","id":"p%d"}`+"\n", i)
	}
	return b.String()
}

func TestRun_TakesEveryFormat(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a.ndjson":         patients(0, 3) + "\n\n" + `{"resourceType":"Patient"}`,
		"b.ndjson.gz":      patients(3, 5),
		"deep/er/c.json":   `{"resourceType":"Basic","id":"b"}`,
		"d.json.gz":        `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Goal"},"request":{"method":"POST","url":"Goal"}}]}`,
		"e.json":           `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"DELETE","url":"Flag/1"}}]}`,
		"f.json":           `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"List","id":"l"}}]}`,
		"g.json":           `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"List","id":"m"}},{"search":{"mode":"outcome"},"resource":{"resourceType":"OperationOutcome"}}]}`,
		"notes.txt":        "not for loading",
		"deep/.er/h.jsonl": "nor this",
	})
	s := newService()
	sum := run(t, s, dir, load.Options{})
	want := []string{"Basic/b", "Flag/1", "Goal", "List/l", "List/m", "Patient", "Patient/p0", "Patient/p1", "Patient/p2", "Patient/p3", "Patient/p4"}
	slices.Sort(s.order)
	if !slices.Equal(s.order, want) {
		t.Errorf("stored %v\nwant %v", s.order, want)
	}
	if sum.Files != 7 || sum.Resources != 11 || sum.Failed != 0 || sum.Types["Patient"] != 6 || sum.Types["Flag"] != 1 || sum.Bundles != 7 {
		t.Errorf("%+v", sum)
	}
}

func TestRun_KeepsAFileAsItIsWhenItIsATransaction(t *testing.T) {
	t.Parallel()
	text := `{ "resourceType":"Bundle", "type":"transaction", "entry":[ ] }`
	var got []byte
	s := bundleFunc(func(b []byte) ([]client.Entry, error) { got = bytes.Clone(b); return nil, nil })
	run(t, s, folder(t, map[string]string{"a.json": text}), load.Options{})
	if string(got) != text {
		t.Errorf("sent %s", got)
	}
}

type bundleFunc func([]byte) ([]client.Entry, error)

func (f bundleFunc) Bundle(_ context.Context, b []byte) ([]client.Entry, error) { return f(b) }

func TestRun_DividesLinesIntoTransactions(t *testing.T) {
	t.Parallel()
	var sizes []int
	s := newService()
	s.answer = func(_ *service, b fhir.Node) ([]client.Entry, error) {
		sizes = append(sizes, b.Get("entry").Len())
		return nil, nil
	}
	// p1 occurs twice: one transaction may hold it once only.
	dir := folder(t, map[string]string{"a.ndjson": patients(0, 2) + patients(1, 9)})
	run(t, s, dir, load.Options{Batch: 4, Workers: 1})
	if !slices.Equal(sizes, []int{2, 4, 4}) {
		t.Errorf("sent bundles of %v", sizes)
	}
}

func TestRun_KeepsResourcesTogetherThatNameEachOther(t *testing.T) {
	t.Parallel()
	s := newService()
	s.answer = func(_ *service, b fhir.Node) ([]client.Entry, error) {
		if n := b.Get("entry").Len(); n != 3 {
			t.Errorf("%d entries, want all 3", n)
		}
		if u := b.Get("entry").First().Get("fullUrl").Text(); u != "urn:uuid:1" {
			t.Errorf("full URL %q was not kept", u)
		}
		return nil, fault.New(fault.Invalid, "no")
	}
	dir := folder(t, map[string]string{"a.json": `{"resourceType":"Bundle","type":"collection","entry":[
		{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"}},
		{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Goal"}},{"fullUrl":"urn:uuid:3","resource":{"resourceType":"Goal"}}]}`})
	sum := run(t, s, dir, load.Options{Batch: 2})
	if sum.Failed != 3 || len(sum.Failures) != 1 || sum.Failures[0].Count != 3 || s.calls != 1 {
		t.Errorf("%+v after %d calls", sum, s.calls)
	}
}

func TestRun_FindsTheResourceThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newService()
	s.answer = func(_ *service, b fhir.Node) ([]client.Entry, error) {
		for e := range b.Get("entry").Children {
			if id := e.Path("resource", "id").Text(); id == "p13" || id == "p77" {
				return nil, fault.With(fault.Unprocessable, fault.Issue{Text: "bad"})
			}
		}
		return nil, nil
	}
	sum := run(t, s, folder(t, map[string]string{"a.ndjson": patients(0, 100)}), load.Options{Batch: 50})
	if sum.Resources != 98 || sum.Failed != 2 || len(s.stored) != 98 {
		t.Errorf("%d loaded, %d failed, %d stored", sum.Resources, sum.Failed, len(s.stored))
	}
	slices.SortFunc(sum.Failures, func(a, b load.Failure) int { return a.Place - b.Place })
	if f := sum.Failures; len(f) != 2 || f[0].Place != 14 || f[1].Place != 78 || f[0].Type != "Patient" || f[0].Err.Kind != fault.Unprocessable {
		t.Errorf("%+v", f)
	}
}

func TestRun_TriesAgainWhatNeedsSomethingThatComesLater(t *testing.T) {
	t.Parallel()
	s := newService()
	s.answer = func(s *service, b fhir.Node) ([]client.Entry, error) {
		// a needs c, c needs z; x needs what never comes.
		for e := range b.Get("entry").Children {
			ref := e.Path("resource", "subject", "reference").Text()
			if need, ok := strings.CutPrefix(ref, "Group?identifier="); ok && s.stored["Group/"+need] == 0 {
				return nil, fault.New(fault.Invalid, "unresolved")
			}
		}
		return nil, nil
	}
	needs := func(id, need string) string {
		return fmt.Sprintf(`{"resourceType":"Group","id":"%s","subject":{"reference":"Group?identifier=%s"}}`, id, need)
	}
	dir := folder(t, map[string]string{
		"a.json": needs("a", "c"), "b.ndjson": patients(0, 10) + needs("b", "z"), "c.json": needs("c", "z"), "x.json": needs("x", "never"),
		"z.json": `{"resourceType":"Group","id":"z"}`,
	})
	sum := run(t, s, dir, load.Options{Workers: 1, Batch: 4})
	if sum.Resources != 14 || sum.Failed != 1 || len(sum.Failures) != 1 || filepath.Base(sum.Failures[0].File) != "x.json" {
		t.Errorf("%+v", sum)
	}
	for key, n := range s.stored {
		if n != 1 {
			t.Errorf("%s was stored %d times", key, n)
		}
	}
}

func TestRun_TriesAgainAfterAConflict(t *testing.T) {
	t.Parallel()
	s := newService()
	s.answer = func(s *service, _ fhir.Node) ([]client.Entry, error) {
		if s.calls == 1 {
			return nil, fault.New(fault.Conflict, "lost a race")
		}
		return nil, nil
	}
	sum := run(t, s, folder(t, map[string]string{"a.ndjson": patients(0, 5)}), load.Options{})
	if sum.Resources != 5 || sum.Failed != 0 {
		t.Errorf("%+v", sum)
	}
}

func TestRun_LoadsFirstWhatOthersReferTo(t *testing.T) {
	t.Parallel()
	s := newService()
	files := map[string]string{}
	for _, name := range []string{
		"AllergyIntolerance.ndjson", "Zoe_Ash.json", "hospitalInformation155.json", "practitionerInformation155.json.gz",
		"Patient.000.ndjson", "PractitionerRole.ndjson", "sub/Organization-1.ndjson", "Practitioner.ndjson", "Location.ndjson",
	} {
		id := strings.NewReplacer("/", "-", "_", "-").Replace(name)
		files[name] = fmt.Sprintf(`{"resourceType":"Basic","id":"%s"}`, id)
	}
	run(t, s, folder(t, files), load.Options{Workers: 1})
	want := []string{
		"hospitalInformation155.json", "sub-Organization-1.ndjson", "Location.ndjson", "Practitioner.ndjson",
		"practitionerInformation155.json.gz", "PractitionerRole.ndjson", "Patient.000.ndjson", "AllergyIntolerance.ndjson", "Zoe-Ash.json",
	}
	for i, w := range want {
		if s.order[i] != "Basic/"+w {
			t.Errorf("place %d: %s, want %s", i, s.order[i], w)
		}
	}
}

func TestRun_ReportsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a.ndjson":    patients(0, 1) + "{broken\n" + patients(1, 2) + `{"no":"type"}` + "\n" + `"text"`,
		"b.json":      `{"resourceType":"Bundle"}`,
		"c.json":      `{"resourceType":"Bundle","type":"history"}`,
		"d.json.gz":   "plain text",
		"e.json":      ``,
		"f.ndjson.gz": "plain text",
	})
	s := newService()
	sum := run(t, s, dir, load.Options{})
	var got []string
	for _, f := range sum.Failures {
		got = append(got, fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Place))
		if f.Err.Kind != fault.Invalid {
			t.Errorf("%s: %v, want Invalid", f.File, f.Err)
		}
	}
	slices.Sort(got)
	want := []string{"a.ndjson:2", "a.ndjson:4", "a.ndjson:5", "b.json:0", "c.json:0", "d.json.gz:0", "e.json:0", "f.ndjson.gz:0"}
	if !slices.Equal(got, want) || sum.Resources != 2 || sum.Failed != int64(len(want)) {
		t.Errorf("%v\nwant %v; %+v", got, want, sum)
	}
}

func TestRun_CountsEntriesOfBatchesOneByOne(t *testing.T) {
	t.Parallel()
	s := newService()
	s.answer = func(*service, fhir.Node) ([]client.Entry, error) {
		return []client.Entry{{Status: 201}, {Status: 400, Fault: fault.New(fault.Invalid, "bad")}}, nil
	}
	dir := folder(t, map[string]string{"a.json": `{"resourceType":"Bundle","type":"batch","entry":[
		{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}},
		{"resource":{"resourceType":"Goal"},"request":{"method":"POST","url":"Goal"}}]}`})
	sum := run(t, s, dir, load.Options{})
	if sum.Resources != 1 || sum.Failed != 1 || sum.Types["Patient"] != 1 || sum.Failures[0].Place != 2 || sum.Failures[0].Type != "Goal" {
		t.Errorf("%+v", sum)
	}
}

func TestRun_EndsWhenTheServiceTakesNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.Unavailable, fault.Unauthenticated, fault.Forbidden, fault.Throttled, fault.OutOfSpace} {
		s := newService()
		s.answer = func(*service, fhir.Node) ([]client.Entry, error) { return nil, fault.New(kind, "no") }
		dir := folder(t, map[string]string{"a.ndjson": patients(0, 500)})
		sum, err := load.Run(t.Context(), s, []string{dir}, load.Options{Batch: 1, Workers: 2})
		if !fault.Is(err, kind) || sum.Resources != 0 || s.calls > 4 {
			t.Errorf("%v after %d calls, want %v at once", err, s.calls, kind)
		}
	}
}

func TestRun_GoesOnAfterAnInternalError(t *testing.T) {
	t.Parallel()
	s := newService()
	s.answer = func(s *service, _ fhir.Node) ([]client.Entry, error) {
		if s.calls == 1 {
			return nil, fault.New(fault.Internal, "oops")
		}
		return nil, nil
	}
	sum := run(t, s, folder(t, map[string]string{"a.ndjson": patients(0, 30)}), load.Options{Batch: 10, Workers: 1})
	if sum.Resources != 20 || sum.Failed != 10 || s.calls != 3 {
		t.Errorf("%+v after %d calls", sum, s.calls)
	}
}

func TestRun_WaitsForAnswersWhenInterrupted(t *testing.T) {
	t.Parallel()
	for _, grace := range []time.Duration{0, 10 * time.Second} {
		ctx, cancel := context.WithCancel(t.Context())
		s := slowService{begun: make(chan struct{}), release: make(chan struct{})}
		go func() {
			<-s.begun
			cancel()
			if grace > 0 {
				time.Sleep(20 * time.Millisecond)
				close(s.release)
			}
		}()
		dir := folder(t, map[string]string{"a.ndjson": patients(0, 100)})
		sum, err := load.Run(ctx, s, []string{dir}, load.Options{Batch: 10, Workers: 1, Grace: grace})
		if !fault.Is(err, fault.Canceled) {
			t.Errorf("%v, want Canceled", err)
		}
		if grace > 0 && (sum.Resources != 10 || sum.Unknown != 0) || grace == 0 && (sum.Resources != 0 || sum.Unknown != 10) {
			t.Errorf("grace %v: %+v", grace, sum)
		}
	}
}

type slowService struct{ begun, release chan struct{} }

func (s slowService) Bundle(ctx context.Context, _ []byte) ([]client.Entry, error) {
	close(s.begun)
	select {
	case <-s.release:
		return nil, nil
	case <-ctx.Done():
		return nil, fault.New(fault.Canceled, "given up")
	}
}

func TestRun_RefusesPathsItCannotLoad(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.txt": "x"})
	if _, err := load.Run(t.Context(), newService(), []string{dir + "/none"}, load.Options{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v, want NotFound", err)
	}
	if _, err := load.Run(t.Context(), newService(), []string{dir + "/a.txt"}, load.Options{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v, want Invalid", err)
	}
}

func TestRun_ReportsProgressAndUsesItsWorkers(t *testing.T) {
	t.Parallel()
	s := newService()
	var last load.Progress
	dir := folder(t, map[string]string{"a.ndjson": patients(0, 200)})
	run(t, s, dir, load.Options{Batch: 5, Workers: 3, Progress: func(p load.Progress) {
		if p.Read < last.Read || p.Resources < last.Resources {
			t.Error("progress goes back")
		}
		last = p
	}})
	if last.Read != last.Total || last.Total == 0 || last.Resources != 200 {
		t.Errorf("ended at %+v", last)
	}
	if s.most != 3 {
		t.Errorf("%d bundles at the same time, want 3", s.most)
	}
}

func BenchmarkRun(b *testing.B) {
	dir := b.TempDir()
	f, err := os.Create(filepath.Join(dir, "demo.ndjson"))
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for line := range demo.Resources(1, 20) {
		n++
		if _, err := f.Write(append(line, '\n')); err != nil {
			b.Fatal(err)
		}
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	taker := bundleFunc(func([]byte) ([]client.Entry, error) { return nil, nil })
	for b.Loop() {
		if _, err := load.Run(b.Context(), taker, []string{dir}, load.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "resources/s")
}
