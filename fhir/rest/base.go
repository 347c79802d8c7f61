package rest

import (
	"net/http"
	"strings"
)

// Base returns a function that tells the public base URL of a service mounted
// at path, such as /default/fhir, without a trailing slash. X-Forwarded-Proto
// and X-Forwarded-Host replace what the request came with, X-Forwarded-Prefix is
// put before path: it is what a proxy in front has cut off.
func Base(path string) func(*http.Request) string {
	path = strings.TrimRight(path, "/")
	return func(r *http.Request) string {
		proto := "http"
		if r.TLS != nil {
			proto = "https"
		}
		if p := strings.ToLower(forwarded(r, "X-Forwarded-Proto")); p == "http" || p == "https" {
			proto = p
		}
		host := r.Host
		if h := forwarded(r, "X-Forwarded-Host"); h != "" && only(h, ".-:[]_") {
			host = h
		}
		prefix := ""
		if p := strings.TrimRight(forwarded(r, "X-Forwarded-Prefix"), "/"); strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "//") && only(p, "/.-_~%") {
			prefix = p
		}
		return proto + "://" + host + prefix + path
	}
}

// forwarded returns the value that the proxy nearest to the client has set.
func forwarded(r *http.Request, header string) string {
	first, _, _ := strings.Cut(r.Header.Get(header), ",")
	return strings.TrimSpace(first)
}

// only reports whether s holds nothing but ASCII letters, digits and the extra characters.
func only(s, extra string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(extra, c) >= 0) {
			return false
		}
	}
	return true
}
