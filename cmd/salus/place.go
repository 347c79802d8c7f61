package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// address checks a host:port to listen on. The host may be empty (every
// address), an IP address or a name.
func address(p *string, v string) error {
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080")
	}
	*p = v
	return nil
}

// loopback reports whether listening on addr is reachable from this machine
// alone. A name other than localhost is not trusted to stay so.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// domain checks a DNS name.
func domain(p *string, v string) error {
	wrong := v == "" || len(v) > 200 // leaves room for the labels in front
	for label := range strings.SplitSeq(v, ".") {
		wrong = wrong || label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.ContainsFunc(label, func(r rune) bool {
				return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
			})
	}
	if wrong {
		return fmt.Errorf("must be a domain name in lower case, such as salus.example.org")
	}
	*p = v
	return nil
}

func endpoint(p *string, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("must be an http or https URL without user, query and fragment")
	}
	*p = v
	return nil
}

func blobs(p *string, v string) error {
	u, err := url.Parse(v)
	good := err == nil && u.User == nil && (u.Scheme == "s3" && u.Host != "" || u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path))
	if !good {
		return fmt.Errorf("must be file:///DIR or s3://BUCKET/PREFIX, without credentials")
	}
	*p = v
	return nil
}
