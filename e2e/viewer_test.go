package e2e_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"salus/dicom/phantom"
)

// ohif is the viewer that is tried, as its makers publish it.
const ohif = "@ohif/app@3.13.2"

// TestViewer lets OHIF show a series in a browser: the list of studies, and an image.
func TestViewer(t *testing.T) {
	t.Parallel()
	tools := map[string]string{"node": "", "npm": "", "chromium": ""}
	for tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("NOT COVERED: images in OHIF: %v", err)
		}
		tools[tool] = path
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("viewer")); err != nil {
		t.Fatal(err)
	}
	install(t, dir, "images in OHIF")
	dist := fetchViewer(t, dir)

	s := start(t, "--open", "--data", t.TempDir())
	for n := range 10 {
		image := phantom.Slice{PatientID: "MRN-1", Name: "Invented^Ada", Patient: 1, Study: 1, Instance: n, Slices: 10, Size: 256, Date: time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)}
		file, err := image.File()
		if err != nil {
			t.Fatal(err)
		}
		request(t, "POST", s.URL+"/default/dicom/v2/studies", file, "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 200)
	}
	site := httptest.NewServer(viewerSite(t, dist, s.URL))
	defer site.Close()

	shot := filepath.Join(t.ArtifactDir(), "ohif.png")
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "node", "ohif.js")
	cmd.Dir, cmd.WaitDelay = dir, 10*time.Second // a browser that is left must not be waited for
	cmd.Env = append(os.Environ(), "OHIF_URL="+site.URL, "STUDY="+phantom.StudyUID(1, 1), "SCREENSHOT="+shot, "CHROMIUM="+tools["chromium"], "HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "ok ") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
}

// fetchViewer unpacks the published viewer.
func fetchViewer(t *testing.T, dir string) (dist string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "npm", "pack", "--prefer-offline", "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=120000", ohif)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		for _, code := range offline {
			if strings.Contains(string(out), code) {
				t.Skipf("NOT COVERED: images in OHIF: it cannot be fetched: %s", code)
			}
		}
		t.Fatalf("npm pack: %v\n%s", err, out)
	}
	lines := strings.Fields(string(out))
	f, err := os.Open(filepath.Join(dir, lines[len(lines)-1]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(dir, "package", "dist")
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || !strings.HasPrefix(h.Name, "package/dist/") {
			continue
		}
		data, err := io.ReadAll(r)
		if err == nil {
			err = root.MkdirAll(filepath.Dir(h.Name), 0o700)
		}
		if err == nil {
			err = root.WriteFile(h.Name, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// viewerSite serves the viewer, with the server's workspace below the same origin, as docs/dicom.md describes.
func viewerSite(t *testing.T, dist, server string) http.Handler {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/default/", httputil.NewSingleHostReverseProxy(to))
	mux.HandleFunc("/app-config.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `window.config = {
  routerBasename: '/', extensions: [], modes: [], showStudyList: true, maxNumberOfWebWorkers: 2,
  defaultDataSourceName: 'salus',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'salus',
    configuration: {
      friendlyName: 'Salus', name: 'salus',
      wadoUriRoot: '/default/dicom/v2/wado', qidoRoot: '/default/dicom/v2', wadoRoot: '/default/dicom/v2',
      qidoSupportsIncludeField: true, imageRendering: 'wadors', thumbnailRendering: 'thumbnail', enableStudyLazyLoad: true,
      supportsFuzzyMatching: true, supportsWildcard: true, dicomUploadEnabled: true, bulkDataURI: { enabled: true, relativeResolution: 'studies' },
    },
  }],
};`)
	})
	files := http.FileServer(http.Dir(dist))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		// Shared memory needs a page that is isolated from others.
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		if _, err := os.Stat(filepath.Join(dist, filepath.FromSlash(r.URL.Path))); err != nil {
			r.URL.Path = "/" // the viewer's own addresses
		}
		files.ServeHTTP(w, r)
	})
	return mux
}
