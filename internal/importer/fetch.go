package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/temoto/robotstxt"
)

const (
	agent        = "answerable" // what robots.txt may call us
	maxRedirects = 5
	maxRobots    = 500 << 10
	maxDelay     = 30 * time.Second // that a robots.txt may ask for
)

// errGone is that a page is there no more.
var errGone = errors.New("the page is gone (404 or 410)")

// fetcher asks servers for pages: one at a time, with a pause, and only for what their
// robots.txt allows.
type fetcher struct {
	client *http.Client
	o      Options
	hosts  []string // that pages may be on, in lower case
	robots map[string]rules
	last   map[string]time.Time // when a host was asked, or answered, last
}

// rules are what the robots.txt of a host says to us; without a group all is allowed.
type rules struct {
	group    *robotstxt.Group
	sitemaps []string
}

func (r rules) allow(u *url.URL) bool { return r.group == nil || r.group.Test(u.RequestURI()) }

// response is what a server sent.
type response struct {
	url    *url.URL // after redirects
	status int
	header http.Header
	body   []byte
	same   bool // nothing was sent: the page is as it was known
}

func newFetcher(start *url.URL, o Options) *fetcher {
	f := &fetcher{o: o, hosts: []string{hostOf(start)}, robots: map[string]rules{}, last: map[string]time.Time{}}
	for _, h := range o.Hosts {
		f.hosts = append(f.hosts, strings.ToLower(h))
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: f.dial}
	f.client = &http.Client{
		// No proxy: what may be asked for is decided by the address that is really dialled.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: o.Timeout,
			MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			if err := f.host(r.URL); err != nil {
				return fmt.Errorf("redirected: %w", err)
			}
			return nil
		},
	}
	return f
}

// hostOf returns a host with its port, unless that is the usual one.
func hostOf(u *url.URL) string {
	h := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		return strings.TrimSuffix(h, ":80")
	}
	return strings.TrimSuffix(h, ":443")
}

// dial refuses addresses that are not on the public Internet, whatever their name was.
func (f *fetcher) dial(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := a.Addr().Unmap(); !f.o.Private && !public(ip) {
		return fmt.Errorf("%s is not an address on the public Internet: --allow-private reads it all the same", ip)
	}
	return nil
}

// notPublic are networks that netip has no word for: shared and documentation addresses,
// benchmarks, what carries an IPv4 address inside of an IPv6 one.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

func public(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() &&
		!slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip.WithZone("")) })
}

// host returns why pages of this host are not fetched, or nil.
func (f *fetcher) host(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q is not fetched, only http and https", u.Scheme)
	case !slices.Contains(f.hosts, hostOf(u)):
		return fmt.Errorf("on another host, %s: --also-host %s reads it too", u.Host, u.Host)
	}
	return nil
}

// allowed returns why a page is not fetched, as far as that is known without asking.
func (f *fetcher) allowed(u *url.URL) error {
	if err := f.host(u); err != nil {
		return err
	}
	if !f.robots[u.Host].allow(u) {
		return errors.New("robots.txt forbids it")
	}
	return nil
}

// get fetches a page of at most so many bytes.
func (f *fetcher) get(ctx context.Context, u *url.URL, most int64, before known) (response, error) {
	if err := f.ask(ctx, u); err != nil {
		return response{}, err
	}
	r, err := f.send(ctx, u, most, before)
	if err != nil || *r.url == *u {
		return r, err
	}
	if err := f.ask(ctx, r.url); err != nil {
		return response{}, fmt.Errorf("redirected to %s: %w", r.url, err)
	}
	return r, nil
}

// ask returns why a page is not fetched, or nil. It fetches the rules of its host first.
func (f *fetcher) ask(ctx context.Context, u *url.URL) error {
	if _, err := f.rules(ctx, u); err != nil {
		return err
	}
	return f.allowed(u)
}

func (f *fetcher) send(ctx context.Context, u *url.URL, most int64, before known) (response, error) {
	if err := f.pause(ctx, u.Host); err != nil {
		return response{}, err
	}
	defer func() { f.last[u.Host] = time.Now() }()
	limited, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodGet, u.String(), nil)
	if err != nil {
		return response{}, err
	}
	req.Header.Set("User-Agent", "answerable-import/"+f.o.Version+" (imports a help centre for its owner)")
	req.Header.Set("Accept", "text/html, application/xhtml+xml, application/xml;q=0.9, text/markdown;q=0.8, text/plain;q=0.7")
	if before.etag != "" {
		req.Header.Set("If-None-Match", before.etag)
	}
	if before.modified != "" {
		req.Header.Set("If-Modified-Since", before.modified)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return response{}, f.why(ctx, err)
	}
	defer resp.Body.Close()
	r := response{url: resp.Request.URL, status: resp.StatusCode, header: resp.Header}
	switch code := resp.StatusCode; {
	case code == http.StatusNotModified && before != (known{}):
		r.same = true
		return r, nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return r, errGone
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return r, fmt.Errorf("the server wants a sign-in (%d): export the articles and import the files", code)
	case code != http.StatusOK:
		return r, fmt.Errorf("the server answered %s", resp.Status)
	}
	if r.body, err = io.ReadAll(io.LimitReader(resp.Body, most+1)); err != nil {
		return r, f.why(ctx, err)
	}
	if int64(len(r.body)) > most {
		return r, fmt.Errorf("larger than %d MiB", most>>20)
	}
	return r, nil
}

// why words an error of the client without the address, which stands before it.
func (f *fetcher) why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no whole answer within %s", f.o.Timeout)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// pause waits until a host may be asked again.
func (f *fetcher) pause(ctx context.Context, host string) error {
	wait := time.Until(f.last[host].Add(f.delay(host)))
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// delay is how long a host is left in peace.
func (f *fetcher) delay(host string) time.Duration {
	delay := time.Duration(float64(time.Second) / f.o.Rate)
	if g := f.robots[host].group; g != nil && g.CrawlDelay > delay {
		delay = min(g.CrawlDelay, maxDelay)
	}
	return delay
}

// rules returns what the robots.txt of a host says; it is fetched once. As RFC 9309 has
// it, a host that refuses the file allows all, and one that cannot answer allows nothing.
func (f *fetcher) rules(ctx context.Context, u *url.URL) (rules, error) {
	if known, ok := f.robots[u.Host]; ok {
		return known, nil
	}
	if err := f.host(u); err != nil {
		return rules{}, err
	}
	r, err := f.send(ctx, &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}, maxRobots, known{})
	if err != nil && (r.status < 400 || r.status > 499) {
		return rules{}, fmt.Errorf("its robots.txt could not be read: %w", err)
	}
	var found rules
	if err == nil {
		data, err := robotstxt.FromBytes(r.body)
		if err != nil {
			return rules{}, fmt.Errorf("its robots.txt could not be read: %w", err)
		}
		found = rules{data.FindGroup(agent), data.Sitemaps}
	}
	f.robots[u.Host] = found
	return found, nil
}
