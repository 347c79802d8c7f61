package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"salus/dicom/phantom"
)

// What the DICOM services are given: invented CT images of half a megabyte each.
const (
	imageStudies = 8
	imageSlices  = 50 // in the one series of each study
	imageSize    = 512
	extraImages  = 100 // stored by one client, and as many again by C-STORE
)

// pacs is a DICOM service that is measured.
type pacs struct {
	name string
	root string // of DICOMweb
	port string // for associations; empty for none
	cmd  *exec.Cmd
	http *http.Client
}

// images measures Salus, and Orthanc beside it where it is installed: the same requests with the same files, one server after the other.
func (b *bench) images(ctx context.Context) error {
	b.say("inventing %d images", imageStudies*imageSlices+2*extraImages)
	files := map[string][]byte{}
	for st := range imageStudies {
		for n := range imageSlices {
			files[instancePath(st, n)] = invent(st, n)
		}
	}
	rows := map[string][]*row{}
	for _, start := range []func(context.Context) (*pacs, error){
		b.startSalus, b.startOrthanc,
	} {
		p, err := start(ctx)
		if err != nil {
			return err
		}
		if p == nil {
			b.say("orthanc is not measured: it is not installed")
			continue
		}
		err = b.measureImages(ctx, p, files, rows)
		if err = errors.Join(err, p.stop()); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	b.report.Beside = rows
	return nil
}

func invent(study, n int) []byte {
	s := phantom.Slice{
		PatientID: fmt.Sprintf("MRN-%04d", study), Name: "Invented^Ada", Patient: 1, Study: study, Instance: n, Slices: imageSlices, Size: imageSize,
		Date: time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC),
	}
	b, err := s.File()
	if err != nil {
		panic(err) // an invented image is always good
	}
	return b
}

func seriesPath(study int) string {
	uid := phantom.StudyUID(1, study)
	return "/studies/" + uid + "/series/" + uid + ".0"
}

func instancePath(study, n int) string {
	return fmt.Sprintf("%s/instances/%s.0.%d", seriesPath(study), phantom.StudyUID(1, study), n)
}

// measureImages stores the files and asks for them in the ways that viewers do.
func (b *bench) measureImages(ctx context.Context, p *pacs, files map[string][]byte, rows map[string][]*row) error {
	b.say("measuring %s", p.name)
	note := func(name string, s *sample, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rows[name] = append(rows[name], new(report).row(p.name, name, s))
		return nil
	}
	all := make(chan []byte, len(files))
	for _, f := range files {
		all <- f
	}
	s, err := repeat(ctx, 4, time.Hour, len(files)-3, func(ctx context.Context, _ *rand.Rand) error { return p.store(ctx, <-all) })
	if err := note("store, 4 clients", s, err); err != nil {
		return err
	}
	for len(all) > 0 { // what the clients left to each other
		if err := p.store(ctx, <-all); err != nil {
			return err
		}
	}
	var extra atomic.Int64
	more := make([][]byte, extraImages)
	for i := range more {
		more[i] = invent(imageStudies, i)
	}
	s, err = repeat(ctx, 1, time.Hour, extraImages, func(ctx context.Context, _ *rand.Rand) error { return p.store(ctx, more[extra.Add(1)-1]) })
	if err := note("store, 1 client", s, err); err != nil {
		return err
	}
	if p.port != "" {
		s, err := p.associate(ctx, b.dir, more)
		if err := note("C-STORE, 1 association", s, err); err != nil {
			return err
		}
	}
	const (
		jsonType  = "application/dicom+json"
		frameType = `multipart/related; type="application/octet-stream"; transfer-syntax=*`
	)
	study := func(r *rand.Rand) int { return r.IntN(imageStudies) }
	instance := func(r *rand.Rand) string { return instancePath(study(r), r.IntN(imageSlices)) }
	for _, m := range []struct {
		name, accept string
		clients      int
		path         func(*rand.Rand) string
		least        int // bytes of an answer
	}{
		{"metadata of a series, gzip", jsonType, 1, func(r *rand.Rand) string { return seriesPath(study(r)) + "/metadata#gzip" }, 2000},
		{"studies by PatientID", jsonType, 1, func(r *rand.Rand) string { return fmt.Sprintf("/studies?PatientID=MRN-%04d", study(r)) }, 100},
		{"study list as OHIF asks", jsonType, 1, func(*rand.Rand) string {
			return "/studies?limit=101&offset=0&fuzzymatching=true&includefield=00081030,00080060,00080090,00100030"
		}, 1000},
		{"instances of a series", jsonType, 1, func(r *rand.Rand) string { return seriesPath(study(r)) + "/instances" }, 3000},
		{"metadata of a series", jsonType, 1, func(r *rand.Rand) string { return seriesPath(study(r)) + "/metadata" }, 50_000},
		{"raw frame", frameType, 1, func(r *rand.Rand) string { return instance(r) + "/frames/1" }, 2 * imageSize * imageSize},
		{"raw frame, 8 clients", frameType, 8, func(r *rand.Rand) string { return instance(r) + "/frames/1" }, 2 * imageSize * imageSize},
		// A window of its own each time, so that no picture is there already.
		{"rendered JPEG", "image/jpeg", 1, func(r *rand.Rand) string {
			return fmt.Sprintf("%s/rendered?quality=90&window=%f,400,linear", instance(r), 40+r.Float64())
		}, 1000},
		{"rendered JPEG, 4 clients", "image/jpeg", 4, func(r *rand.Rand) string {
			return fmt.Sprintf("%s/rendered?quality=90&window=%f,400,linear", instance(r), 40+r.Float64())
		}, 1000},
		{"rendered JPEG, seen before", "image/jpeg", 1, func(r *rand.Rand) string { return instance(r) + "/rendered?quality=90" }, 1000},
		{"whole series", `multipart/related; type="application/dicom"; transfer-syntax=*`, 1, func(r *rand.Rand) string { return seriesPath(study(r)) },
			imageSlices * 2 * imageSize * imageSize},
	} {
		get := func(ctx context.Context, r *rand.Rand) error { return p.get(ctx, m.path(r), m.accept, m.least) }
		if err := get(ctx, rand.New(rand.NewPCG(1, 2))); err != nil { // warm
			return fmt.Errorf("%s: %w", m.name, err)
		}
		s, err := repeat(ctx, m.clients, b.budget, 1<<20, get)
		if err := note(m.name, s, err); err != nil {
			return err
		}
	}
	b.report.Memories = append(b.report.Memories, &figure{Name: p.name + ", most memory", Value: float64((&server{cmd: p.cmd}).memory("VmHWM")) / (1 << 20), Unit: "MiB"})
	return nil
}

// store stores one file in a request of its own.
func (p *pacs) store(ctx context.Context, file []byte) error {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/dicom"}})
	if err != nil {
		return err
	}
	if _, err := part.Write(file); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.root+"/studies", &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", `multipart/related; type="application/dicom"; boundary=`+w.Boundary())
	return p.do(req, "application/dicom+json", 10)
}

func (p *pacs) get(ctx context.Context, path, accept string, least int) error {
	path, compressed := strings.CutSuffix(path, "#gzip")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.root+path, nil)
	if err != nil {
		return err
	}
	if compressed { // as browsers ask
		req.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	}
	return p.do(req, accept, least)
}

func (p *pacs) do(req *http.Request, accept string, least int) error {
	req.Header.Set("Accept", accept)
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || n < int64(least)) {
		err = fmt.Errorf("status %d and %d bytes", res.StatusCode, n)
	}
	return err
}

// associate sends files by storescu of DCMTK, over one association. What they are is another study's, since equal ones would be refused.
func (p *pacs) associate(ctx context.Context, dir string, files [][]byte) (*sample, error) {
	if _, err := exec.LookPath("storescu"); err != nil {
		return &sample{}, nil
	}
	folder := filepath.Join(dir, "send-"+p.name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	for i := range files {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), invent(imageStudies+1, i), 0o600); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	send := exec.CommandContext(ctx, "storescu", "-aet", "BENCH", "-aec", "SALUS", "127.0.0.1", p.port, "+sd", folder)
	send.Env = append(os.Environ(), noNagle)
	out, err := send.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("storescu: %w: %s", err, out)
	}
	took := time.Since(began)
	s := &sample{took: took}
	for range files {
		s.each = append(s.each, took/time.Duration(len(files)))
	}
	return s, nil
}

// noNagle lets DCMTK send small packets at once.
const noNagle = "TCP_NODELAY=1"

// stop ends the server.
func (p *pacs) stop() error {
	p.http.CloseIdleConnections()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		if state, ok := errors.AsType[*exec.ExitError](err); !ok || state.Exited() && state.ExitCode() > 1 {
			return err
		}
	}
	return nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// run starts a program and waits until it answers.
func (p *pacs) run(ctx context.Context, program string, args ...string) (*pacs, error) {
	p.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	p.cmd = exec.CommandContext(ctx, program, args...)
	p.cmd.Env = append(os.Environ(), noNagle)
	log := &tail{}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 600 {
		res, err := p.http.Get(p.root + "/studies?limit=1")
		if err == nil {
			res.Body.Close()
			if res.StatusCode < 300 {
				return p, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("%s does not answer: %s", p.name, log.last.Bytes()), p.stop())
}

func (b *bench) startSalus(ctx context.Context) (*pacs, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dimse, err := freePort()
	if err != nil {
		return nil, err
	}
	description := filepath.Join(b.dir, "images.yaml")
	const text = "workspace: bench\nservices:\n- name: images\n  kind: dicom\n  settings:\n    dimse: {aeTitle: SALUS, peers: {BENCH: ''}}\n"
	if err := os.WriteFile(description, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p := &pacs{name: "salus", root: "http://127.0.0.1:" + port + "/bench/images/v2", port: dimse}
	return p.run(ctx, b.binary, "serve", "--open", "--log-level", "warn", "--data", b.served, "--listen", "127.0.0.1:"+port, "--workspace", description,
		"--dimse", "127.0.0.1:"+dimse)
}

// startOrthanc starts Orthanc with its DICOMweb plugin, as Debian has them, with its own settings but for addresses and folders. It brings files to the
// disk before it answers (SyncStorageArea). Its DCMTK, like that of storescu, is told to do without Nagle's algorithm, which would be all that is measured.
func (b *bench) startOrthanc(ctx context.Context) (*pacs, error) {
	const plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
	if _, err := os.Stat(b.orthanc); err != nil {
		return nil, nil
	}
	var ports [2]int
	for i := range ports {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		if ports[i], err = strconv.Atoi(port); err != nil {
			return nil, err
		}
	}
	dir := filepath.Join(b.dir, "orthanc")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{
		"Name": "bench", "StorageDirectory": dir, "IndexDirectory": dir, "HttpPort": ports[0], "DicomPort": ports[1], "DicomAet": "SALUS",
		"RemoteAccessAllowed": false, "AuthenticationEnabled": false, "Plugins": []string{plugin}, "DicomAlwaysAllowStore": true,
		"DicomWeb": map[string]any{"Enable": true, "Root": "/dicom-web/"},
	})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "orthanc.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	p := &pacs{name: "orthanc", root: fmt.Sprintf("http://127.0.0.1:%d/dicom-web", ports[0]), port: fmt.Sprint(ports[1])}
	return p.run(ctx, b.orthanc, file)
}

// printImages writes what was measured side by side.
func (r *report) printImages(w io.Writer) {
	fmt.Fprintf(w, "DICOM services, the same requests one after the other\n\n")
	rows := [][]string{{"", "salus /s", "orthanc /s", "ratio", "salus p50", "p99 ms", "orthanc p50", "p99 ms"}}
	for _, name := range imageOrder {
		beside := r.Beside[name]
		for len(beside) < 2 {
			beside = append(beside, &row{})
		}
		own, other := beside[0], beside[1]
		rows = append(rows, []string{
			name, number(own.Rate), number(other.Rate), times(own.Rate, other.Rate), number(own.P50), number(own.P99), number(other.P50), number(other.P99),
		})
	}
	table(w, rows, "lrrrrrrr")
	fmt.Fprintln(w)
	for _, f := range r.Memories {
		fmt.Fprintf(w, "%s: %.0f %s\n", f.Name, f.Value, f.Unit)
	}
}

func times(a, b float64) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f×", a/b)
}

// imageOrder is the order in which the measurements are shown.
var imageOrder = []string{
	"store, 1 client", "store, 4 clients", "C-STORE, 1 association", "studies by PatientID", "study list as OHIF asks", "instances of a series",
	"metadata of a series", "metadata of a series, gzip", "raw frame", "raw frame, 8 clients", "rendered JPEG", "rendered JPEG, 4 clients", "rendered JPEG, seen before", "whole series",
}
