package serve

import (
	"net/http"
	"net/netip"
	"slices"
)

// forwardedHeaders are the headers by which a proxy says how it was called.
var forwardedHeaders = [...]string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix"}

// Forwarded removes X-Forwarded-Host, -Proto and -Prefix from requests whose
// connection does not come from one of the proxies, so that what is below can
// believe them.
func Forwarded(proxies []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range forwardedHeaders {
			if r.Header[name] != nil && !among(proxies, r.RemoteAddr) {
				for _, name := range forwardedHeaders {
					r.Header.Del(name)
				}
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}

// among reports whether a host:port is in one of the networks.
func among(networks []netip.Prefix, remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := at.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
