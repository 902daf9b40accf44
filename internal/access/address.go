package access

import (
	"net/netip"
	"slices"
	"strings"
)

// Address returns the address of the client. peer is the other end of the connection,
// "host:port". While it is a trusted proxy, the proxy's word counts: the last address in
// X-Forwarded-For that is not a trusted proxy's, because everything to the left of it may
// be invented. It is the zero Addr when peer has none, as on a Unix socket.
func Address(peer string, forwarded []string, proxies []netip.Prefix) netip.Addr {
	client := parseAddress(peer)
	if len(proxies) == 0 || len(forwarded) == 0 {
		return client
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !client.IsValid() || !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(client) }) {
			break
		}
		before := parseAddress(strings.TrimSpace(hop))
		if !before.IsValid() {
			break // a proxy that does not tell
		}
		client = before
	}
	return client
}

// parseAddress reads an address with or without a port.
func parseAddress(s string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone("")
}

// Household returns what an address is counted under. A home or a company has a whole
// IPv6 network, the first 64 bits.
func Household(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
