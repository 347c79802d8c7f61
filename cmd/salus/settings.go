package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are what `salus serve` can be told, checked one by one. Each field
// has one row in table.
type settings struct {
	Listen         string
	Data           string
	Config         string
	Workspace      string
	Open           bool
	Demo           bool
	DemoPatients   int
	Domain         string
	CacheSize      int64
	MaxBody        int64
	MaxBundle      int64
	BundleEntries  int
	MaxRequests    int
	MaxQueue       int
	QueueWait      time.Duration
	MaxBodies      int64
	RequestTimeout time.Duration
	Proxies        []netip.Prefix
	ShutdownGrace  time.Duration
	LogLevel       slog.Level
	LogFormat      string
	OTLPEndpoint   string
	BlobURL        string
	DIMSE          string
	DIMSECert      string
	DIMSEKey       string
	DIMSECA        string
}

// setting is a row of the table: one name in three spellings (flag --log-level,
// environment SALUS_LOG_LEVEL, YAML key log-level), and what it takes.
type setting struct {
	name   string
	value  string // what the value is, in capitals for the help; empty for a switch
	preset string // default
	note   string // said of the default where the preset alone does not say it
	help   string // one sentence
	since  string // release that brought it
	secret bool   // never shown
	noFile bool   // cannot stand in the file itself

	set func(*settings, string) error // checks and stores; the error is the rule
}

// table is the one list of settings. Flags, environment, file, help and
// docs/configuration.md come from it.
var table = []setting{
	{name: "listen", value: "ADDR", preset: "127.0.0.1:8080", since: "0.1",
		help: "Address and port to serve HTTP on; port 0 takes a free one.",
		set:  func(s *settings, v string) error { return address(&s.Listen, v) }},
	{name: "data", value: "DIR", note: "the user's data directory; with demo a temporary one", since: "0.1",
		help: "Directory that holds all data; it is created when missing.",
		set:  func(s *settings, v string) error { return directory(&s.Data, v) }},
	{name: "config", value: "FILE", since: "0.1", noFile: true,
		help: "YAML file with settings.",
		set:  func(s *settings, v string) error { s.Config = v; return nil }},
	{name: "workspace", value: "FILE", note: "workspace default with the service fhir", since: "0.1",
		help: "YAML file that names the workspace and its services.",
		set:  func(s *settings, v string) error { s.Workspace = v; return nil }},
	{name: "open", preset: "false", since: "0.1",
		help: "Serve without authentication, on loopback addresses only.",
		set:  func(s *settings, v string) error { return truth(&s.Open, v) }},
	{name: "demo", preset: "false", since: "0.1",
		help: "Serve as with open, with made-up patients, in a temporary directory that is removed at the end unless data names one.",
		set:  func(s *settings, v string) error { return truth(&s.Demo, v) }},
	{name: "demo-patients", value: "N", preset: "100", since: "0.1",
		help: "Number of made-up patients that demo starts with.",
		set:  func(s *settings, v string) error { return count(&s.DemoPatients, v, 1, 100_000) }},
	{name: "domain", value: "NAME", note: "none; services are reached by path alone", since: "0.1",
		help: "Domain below which services also answer by host name, as {workspace}-{service}.fhir.NAME.",
		set:  func(s *settings, v string) error { return domain(&s.Domain, v) }},
	{name: "cache-size", value: "SIZE", preset: "128MiB", since: "0.1",
		help: "Memory for cached blocks, shared out evenly among the services.",
		set:  func(s *settings, v string) error { return size(&s.CacheSize, v, 8<<20, 1<<40) }},
	{name: "max-body", value: "SIZE", preset: "28MiB", since: "0.1",
		help: "Largest request body that is accepted for anything but a batch or transaction.",
		set:  func(s *settings, v string) error { return size(&s.MaxBody, v, 1<<10, 1<<30) }},
	{name: "max-bundle", value: "SIZE", preset: "128MiB", since: "0.1",
		help: "Largest request body that is accepted for a batch or transaction.",
		set:  func(s *settings, v string) error { return size(&s.MaxBundle, v, 1<<10, 1<<30) }},
	{name: "bundle-entries", value: "N", preset: "10000", since: "0.1",
		help: "Most entries that a batch or transaction may have.",
		set:  func(s *settings, v string) error { return count(&s.BundleEntries, v, 1, 100_000) }},
	{name: "max-requests", value: "N", preset: "256", since: "0.1",
		help: "Most requests that are in work at a time.",
		set:  func(s *settings, v string) error { return count(&s.MaxRequests, v, 1, 100_000) }},
	{name: "max-queue", value: "N", preset: "1024", since: "0.1",
		help: "Most requests that wait, in order, while max-requests are in work; more are answered with 429 at once.",
		set:  func(s *settings, v string) error { return count(&s.MaxQueue, v, 0, 100_000) }},
	{name: "queue-wait", value: "DURATION", preset: "5s", since: "0.1",
		help: "How long a request may wait before it is answered with 429.",
		set:  func(s *settings, v string) error { return duration(&s.QueueWait, v, 0, 5*time.Minute) }},
	{name: "max-bodies", value: "SIZE", preset: "512MiB", since: "0.1",
		help: "Most bytes that the bodies of requests in work may have together, those up to 64 KiB not counted; others wait for at most queue-wait.",
		set:  func(s *settings, v string) error { return size(&s.MaxBodies, v, 1<<20, 1<<40) }},
	{name: "request-timeout", value: "DURATION", preset: "100s", since: "0.1",
		help: "How long a request may be in work, its body and answer included, before it is answered with 408 or cut off.",
		set:  func(s *settings, v string) error { return duration(&s.RequestTimeout, v, time.Second, time.Hour) }},
	{name: "trusted-proxies", value: "NETWORKS", preset: "127.0.0.0/8,::1/128", since: "0.1",
		help: "Networks, with commas between, whose X-Forwarded-Host, -Proto and -Prefix are believed; none trusts nobody.",
		set:  func(s *settings, v string) error { return networks(&s.Proxies, v) }},
	{name: "shutdown-grace", value: "DURATION", preset: "20s", since: "0.1",
		help: "How long requests in work may take to finish once the server is told to stop.",
		set:  func(s *settings, v string) error { return duration(&s.ShutdownGrace, v, 0, time.Hour) }},
	{name: "log-level", value: "LEVEL", preset: "info", since: "0.1",
		help: "Least level that is logged: debug, info, warn or error.",
		set:  func(s *settings, v string) error { return level(&s.LogLevel, v) }},
	{name: "log-format", value: "FORMAT", preset: "text", since: "0.1",
		help: "Format of the log: text or json.",
		set:  func(s *settings, v string) error { return oneOf(&s.LogFormat, v, "text", "json") }},
	{name: "otlp-endpoint", value: "URL", note: "none; nothing is traced", since: "0.1",
		help: "OTLP/HTTP collector that traces are sent to (below it, to /v1/traces), such as http://127.0.0.1:4318.",
		set:  func(s *settings, v string) error { return endpoint(&s.OTLPEndpoint, v) }},
	{name: "blob-url", value: "URL", note: "files below data", since: "0.1",
		help: "Where the files of DICOM services are kept: file:///DIR, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME with credentials from the environment.",
		set:  func(s *settings, v string) error { return blobs(&s.BlobURL, v) }},
	{name: "dimse", value: "ADDR", note: "none; DIMSE is off", since: "0.1",
		help: "Address and port to accept DICOM associations on (C-STORE, C-FIND and others), for the DICOM services whose settings have dimse.",
		set:  func(s *settings, v string) error { return address(&s.DIMSE, v) }},
	{name: "dimse-cert", value: "FILE", note: "none; associations are not encrypted", since: "0.1",
		help: "Certificate, in PEM, with which DICOM associations are encrypted.",
		set:  func(s *settings, v string) error { s.DIMSECert = v; return nil }},
	{name: "dimse-key", value: "FILE", since: "0.1",
		help: "Private key, in PEM, of dimse-cert.",
		set:  func(s *settings, v string) error { s.DIMSEKey = v; return nil }},
	{name: "dimse-ca", value: "FILE", note: "none; callers are known by their addresses", since: "0.1",
		help: "Certificates, in PEM, of which one must have signed a caller's.",
		set:  func(s *settings, v string) error { s.DIMSECA = v; return nil }},
}

func (r setting) flag() string { return "--" + r.name }

func (r setting) env() string {
	return "SALUS_" + strings.ToUpper(strings.ReplaceAll(r.name, "-", "_"))
}

// isSwitch reports whether the setting is on or off.
func (r setting) isSwitch() bool { return r.value == "" }

func rowNamed(name string) (setting, bool) {
	i := slices.IndexFunc(table, func(r setting) bool { return r.name == name })
	if i < 0 {
		return setting{}, false
	}
	return table[i], true
}

// userData returns the directory for a user's data by the custom of the system.
func userData() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "salus"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserConfigDir() // on both, data stands beside configuration
		return filepath.Join(dir, "salus"), err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share", "salus"), err
}

func directory(p *string, v string) error {
	abs, err := filepath.Abs(v)
	if v == "" || err != nil {
		return fmt.Errorf("must be the path of a directory")
	}
	*p = abs
	return nil
}

func truth(p *bool, v string) error {
	switch v {
	case "true":
		*p = true
	case "false":
		*p = false
	default:
		return fmt.Errorf("must be true or false")
	}
	return nil
}

func count(p *int, v string, least, most int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return fmt.Errorf("must be a whole number from %d to %d", least, most)
	}
	*p = n
	return nil
}

func duration(p *time.Duration, v string, least, most time.Duration) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < least || d > most {
		return fmt.Errorf("must be a duration from %v to %v, such as 90s or 1m30s", least, most)
	}
	*p = d
	return nil
}

func networks(p *[]netip.Prefix, v string) error {
	*p = nil
	if v == "none" {
		return nil
	}
	for text := range strings.SplitSeq(v, ",") {
		network, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("must be networks such as 10.0.0.0/8,fd00::/8, or none")
		}
		*p = append(*p, network.Masked())
	}
	return nil
}

func level(p *slog.Level, v string) error {
	var name string
	if err := oneOf(&name, v, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return p.UnmarshalText([]byte(name))
}

func oneOf(p *string, v string, allowed ...string) error {
	if !slices.Contains(allowed, v) {
		return fmt.Errorf("must be one of %s", strings.Join(allowed, ", "))
	}
	*p = v
	return nil
}

var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"", 1}}

func size(p *int64, v string, least, most int64) error {
	for _, u := range units {
		digits, ok := strings.CutSuffix(v, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > most/u.bytes || n*u.bytes < least {
			break
		}
		*p = n * u.bytes
		return nil
	}
	return fmt.Errorf("must be a size from %s to %s, such as 64MiB or 1GB", formatSize(least), formatSize(most))
}

// formatSize renders n in the largest binary unit that needs no fraction.
func formatSize(n int64) string {
	best := units[len(units)-1]
	for _, u := range units[:4] {
		if n != 0 && n%u.bytes == 0 {
			best = u
		}
	}
	return strconv.FormatInt(n/best.bytes, 10) + best.suffix
}
