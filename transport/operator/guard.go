package operator

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard lets operators through and tells everybody else why not.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := a.check(r)
		if f == nil {
			next.ServeHTTP(w, r)
			return
		}
		if f.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="aila operators"`)
		}
		refuse(w, f)
	})
}

// IsOperator tells whether a request comes from an operator: the guard for /metrics and
// pprof, which are served elsewhere.
func (a *API) IsOperator(r *http.Request) bool { return a.check(r) == nil }

// MetricsGuard puts the operators' check before /metrics, unless metrics are public.
func (a *API) MetricsGuard(next http.Handler) http.Handler {
	if a.opt.MetricsPublic {
		return next
	}
	return a.guard(next)
}

// check says why a request is not an operator's; nil: it is.
func (a *API) check(r *http.Request) *failure {
	if a.opt.Token == nil {
		if fromHere(r) {
			return nil
		}
		return fail(http.StatusForbidden, "forbidden", "auth is off, so only this machine itself may ask, and not through a proxy or another site")
	}
	token, ok := bearer(r)
	switch {
	case ok && a.opt.Token(token):
		return nil
	case ok && a.opt.ClientToken != nil && a.opt.ClientToken(token):
		return fail(http.StatusForbidden, "forbidden", "a client's token does not open the operators' API")
	}
	return fail(http.StatusUnauthorized, "unauthorized", "send the operator token: Authorization: Bearer TOKEN")
}

// bearer gives the token of the one Authorization header.
func bearer(r *http.Request) (string, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// fromHere tells whether a request was made on this machine, by a program or by a page of
// ours: a loopback peer, no trace of a proxy, a loopback Host (else DNS rebinding would turn
// any page into one of ours), and no other site behind it.
func fromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	return !forwarded(r.Header) && loopbackHost(r.Host) && ownPage(r)
}

// forwarded tells whether a proxy left its mark.
func forwarded(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded") {
			return true
		}
	}
	for _, name := range []string{"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "X-Original-Host"} {
		if h.Get(name) != "" {
			return true
		}
	}
	return false
}

// loopbackHost tells whether a Host header, with or without a port, names this machine.
func loopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && ip.IsLoopback()
}

// ownPage tells that no page of another site stands behind a request. A request without
// Origin and Sec-Fetch-Site is no browser's.
func ownPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	origin, err := url.Parse(origins[0])
	if err != nil || len(origins) > 1 {
		return false
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return origin.Scheme == scheme && origin.User == nil && strings.EqualFold(origin.Host, r.Host)
}
