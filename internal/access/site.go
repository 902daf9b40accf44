package access

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Site is where a server can be found, as browsers name it.
//
// The rules keep strange pages out. A page that a browser loaded from elsewhere is known
// by its Origin. One that made its own name point to 127.0.0.1 (DNS rebinding) is known
// by its Host, which is why a server that listens on the loopback interface, where no
// key may be asked for, answers to the names of that interface alone.
type Site struct {
	Loopback bool     // it listens on the loopback interface
	Origins  []string // that may call it beside its own, as "https://shop.example"
}

// KnowsHost reports whether a request for this host is meant for the site. On the
// loopback interface, a proxy in front that passes the public host on has its origin in
// Origins.
func (s Site) KnowsHost(host string) bool {
	name, _ := splitHost(host)
	return !s.Loopback || isLoopback(name) || slices.ContainsFunc(s.Origins, func(allowed string) bool {
		o, ok := parseOrigin(allowed)
		return ok && o.name == name
	})
}

// Ours reports whether an Origin is the site's own, for a request to host. The scheme is
// not compared: behind a proxy that ends TLS the server does not know its own.
func (s Site) Ours(origin, host string) bool {
	o, ok := parseOrigin(origin)
	if !ok {
		return false
	}
	name, port := splitHost(host)
	if port == "" {
		port = o.usualPort()
	}
	if o.port != port {
		return false
	}
	return o.name == name || s.Loopback && isLoopback(o.name) && isLoopback(name)
}

// Listed reports whether an Origin is in a list of origins.
func Listed(origin string, list []string) bool {
	o, ok := parseOrigin(origin)
	return ok && slices.ContainsFunc(list, func(allowed string) bool {
		a, ok := parseOrigin(allowed)
		return ok && a == o
	})
}

// origin is an origin that can be compared: in lower case, always with a port.
type origin struct{ scheme, name, port string }

// parseOrigin reads the Origin header of a browser. "null", what pages without an origin
// send, is none.
func parseOrigin(s string) (origin, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return origin{}, false
	}
	o := origin{scheme: strings.ToLower(u.Scheme)}
	o.name, o.port = splitHost(u.Host)
	if o.port == "" {
		o.port = o.usualPort()
	}
	return o, o.port != "" && o.name != ""
}

func (o origin) usualPort() string {
	switch o.scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// splitHost separates name and port of a Host header. The name is in lower case, without
// the brackets of IPv6 and the dot of the root.
func splitHost(host string) (name, port string) {
	name = strings.ToLower(host)
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		name, port = name[:i], name[i+1:]
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		name = strings.TrimSuffix(inner, "]")
	}
	return strings.TrimSuffix(name, "."), port
}

func isLoopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().IsLoopback()
}
