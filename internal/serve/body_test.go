package serve_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"salus/fault"
	"salus/internal/serve"
)

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 100)
	whole := gzipped(t, []byte(text))
	bomb := gzipped(t, make([]byte, 50<<20))
	broken := bytes.Clone(whole)
	broken[len(broken)-6] ^= 0xff // in the checksum
	for _, c := range []struct {
		name, coding string
		body         []byte
		limit        int64
		want         string
		kind         fault.Kind
	}{
		{"plain", "", []byte(text), 1000, text, 0},
		{"identity", "Identity", []byte(text), 1000, text, 0},
		{"empty", "", nil, 1000, "", 0},
		{"one byte too many", "", []byte(text), 999, "", fault.TooLarge},
		{"gzip", "gzip", whole, 1000, text, 0},
		{"gzip over the limit once inflated", "gzip", whole, 999, "", fault.TooLarge},
		{"gzip bomb", "gzip", bomb, 1 << 20, "", fault.TooLarge},
		{"gzip cut short", "gzip", whole[:len(whole)-3], 1000, "", fault.Invalid},
		{"gzip with a bad checksum", "gzip", broken, 1000, "", fault.Invalid},
		{"not gzip", "gzip", []byte(text), 1000, "", fault.Invalid},
		{"empty gzip", "gzip", nil, 1000, "", fault.Invalid},
		{"unknown coding", "br", []byte(text), 1000, "", fault.MediaType},
	} {
		for _, length := range []string{"declared length", "chunked"} {
			t.Run(c.name+"/"+length, func(t *testing.T) {
				t.Parallel()
				r := httptest.NewRequest("POST", "/", bytes.NewReader(c.body))
				r.Header.Set("Content-Encoding", c.coding)
				if length == "chunked" {
					r.ContentLength = -1
				}
				got, err := serve.ReadBody(r, c.limit)
				if c.kind != 0 {
					if !fault.Is(err, c.kind) {
						t.Fatalf("err = %v, want kind %v", err, c.kind)
					}
					return
				}
				if err != nil || string(got) != c.want {
					t.Fatalf("got %d bytes, err %v; want %d bytes", len(got), err, len(c.want))
				}
			})
		}
	}
}

func TestReadBody_DoesNotTrustADeclaredLength(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader("x"))
	r.ContentLength = 60 << 20
	allocated := testing.AllocsPerRun(1, func() {
		if b, err := serve.ReadBody(r, 64<<20); err != nil || cap(b) > 2<<20 {
			t.Errorf("reserved %d bytes for a body of one, err %v", cap(b), err)
		}
	})
	if allocated > 10 {
		t.Errorf("%v allocations", allocated)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestReadBody_NamesWhyReadingFailed(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/", failing{io.ErrUnexpectedEOF})
	if _, err := serve.ReadBody(r, 10); !fault.Is(err, fault.Invalid) {
		t.Errorf("err = %v, want an Invalid fault", err)
	}
}

// A client that sends a body that is too large still gets to read the answer,
// unless the body is larger by far or the client waits for leave to send it.
func TestReadBody_ReadsOnWhenTooLarge(t *testing.T) {
	t.Parallel()
	const limit = 1000
	for _, c := range []struct {
		name        string
		size        int
		declared    int64
		expect      string
		most, least int64 // bytes that are read
	}{
		{"declared", 1500, 1500, "", 1500, 1500},
		{"chunked", 1500, -1, "", 1500, 1500},
		{"declared, far larger", 1 << 20, 1 << 20, "", 3 * limit, 2 * limit},
		{"chunked, far larger", 1 << 20, -1, "", 4 * limit, 2 * limit},
		{"client waits for leave", 1500, 1500, "100-continue", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := &counting{r: bytes.NewReader(make([]byte, c.size))}
			r := httptest.NewRequest("POST", "/", body)
			r.ContentLength = c.declared
			if c.expect != "" {
				r.Header.Set("Expect", c.expect)
			}
			if _, err := serve.ReadBody(r, limit); !fault.Is(err, fault.TooLarge) {
				t.Fatalf("err = %v, want a TooLarge fault", err)
			}
			if body.n < c.least || body.n > c.most {
				t.Errorf("read %d bytes, want %d to %d", body.n, c.least, c.most)
			}
		})
	}
}

type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
