// Package wire is what the wires of all model vendors have in common: a POST whose
// failures are classified, server-sent events, and JSON that is read in place. A vendor's
// package says what its bytes mean. Start with Endpoint.Post; wiretest holds a vendor's
// package to what all of them promise.
package wire

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/llm"
)

// Config is what a vendor's provider is made of. Its model comes with each request.
type Config struct {
	Name    string            // in plans and records; "": the vendor's
	Base    string            // base URL, with or without the version; "": the vendor's own
	Key     config.Secret     // "" where none is needed
	Headers map[string]string // sent with every request, over those of the vendor
	Extra   map[string]any    // fields of every request's body, over ours, such as reasoning_effort; null takes one away
	Client  *http.Client      // see NewClient
	// What the key and the base URL are called where the operator sets them, for advice.
	KeyName, BaseName string
}

// Endpoint is where a vendor's API is and how it is asked.
type Endpoint struct {
	Provider string        // its name in plans and records
	Base     *url.URL      // with what stands before the paths of the API; its query is kept
	Key      config.Secret // "" where none is needed, as on a local server
	Client   *http.Client
	// Headers makes the vendor's headers, also those that carry the key.
	Headers func(h http.Header)
	// Classify reads the vendor's answer to a refused request: it completes an error
	// that has its Status and what the status alone says.
	Classify func(e *llm.Error, h http.Header, body []byte)
	KeyName  string // the setting or variable that has the key, for advice; may be ""
	BaseName string // likewise, the base URL
}

// NewClient returns a client for calls of models: connect limits how long a connection
// may take to be made, TLS included. It follows no redirects, which would carry the key
// elsewhere, and keeps connections for the next call. Proxies are those of the environment.
func NewClient(connect time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connect
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 1024
	t.IdleConnTimeout = 90 * time.Second
	t.ReadBufferSize, t.WriteBufferSize = 2<<10, 1<<10 // a stream's events are short
	t.MaxResponseHeaderBytes = 256 << 10
	// Without pings, calls would go on to wait on a connection whose other end is gone.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second}
	t.DisableCompression = true // a stream that is compressed is a stream that waits
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
		if answer.StatusCode != http.StatusOK {
			return &proxyError{host: proxy.Host, status: answer.StatusCode}
		}
		return nil
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ParseBase reads a base URL. A version such as "v1" is added where its path has none; a
// blank base is the vendor's own.
func ParseBase(base, own, version string) (*url.URL, error) {
	if base = strings.TrimSpace(base); base == "" {
		base = own
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		base, _, _ = strings.Cut(base, "?") // what is in a query or before an @ may be secret
		return nil, fmt.Errorf("want a URL such as %s, not %q", own, hide(base[strings.LastIndexByte(base, '@')+1:], nil))
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if u.Path == "" && version != "" {
		u.Path = "/" + version
	}
	u.RawPath, u.Fragment, u.RawFragment = "", "", ""
	return u, nil
}

// URL returns the address of a path of the API.
func (e *Endpoint) URL(path string) string {
	u := *e.Base
	u.Path += path
	return u.String()
}

// Post sends a body and returns the response of a request that was accepted: its status
// is 200 and its content type one of want, of which "" stands for none. Every error is an
// *llm.Error, but for the end of ctx. The caller closes the body.
func (e *Endpoint) Post(ctx context.Context, address string, body []byte, want ...string) (*http.Response, error) {
	return e.do(ctx, http.MethodPost, address, &sending{body}, want)
}

// Get is Post without a body.
func (e *Endpoint) Get(ctx context.Context, address string, want ...string) (*http.Response, error) {
	return e.do(ctx, http.MethodGet, address, nil, want)
}

func (e *Endpoint) do(ctx context.Context, method, address string, body *sending, want []string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, &llm.Error{Provider: e.Provider, Fault: llm.Broken, Err: hideURL(err), Advice: "look at " + e.baseName()}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.ContentLength = int64(len(body.rest))
		req.Body, req.GetBody = body.again(), func() (io.ReadCloser, error) { return body.again(), nil }
		defer body.drop()
	}
	req.Header.Set("User-Agent", "answerable")
	if e.Headers != nil {
		e.Headers(req.Header)
	}
	resp, err := e.Client.Do(req)
	if err != nil {
		return nil, e.Failed(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, e.Refused(resp.StatusCode, resp.Header, read(resp))
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if slices.Contains(want, media) {
		return resp, nil
	}
	return nil, &llm.Error{Provider: e.Provider, Fault: llm.Elsewhere, Status: resp.StatusCode,
		Err:    fmt.Errorf("%s answered with %q where %s was asked for: %s", req.URL.Host, media, want[0], e.Quote(string(read(resp)))),
		Advice: "look at " + e.baseName() + ": this may be a web page, a login, or a proxy in between"}
}

// sending is the body of a request. A request is kept as long as its response is read, which
// for a stream is long; its body is let go when it has been sent and the answer begins.
type sending struct{ rest []byte }

// again returns a reader from the beginning.
func (s *sending) again() *sending { return &sending{s.rest} }

func (s *sending) Read(b []byte) (int, error) {
	n := copy(b, s.rest)
	if s.rest = s.rest[n:]; len(s.rest) == 0 {
		s.rest = nil
		return n, io.EOF
	}
	return n, nil
}

func (s *sending) Close() error { return nil }
func (s *sending) drop()        { s.rest = nil }

// Whole reads an answer that is one JSON value.
func Whole(body io.Reader) (Value, error) {
	data, err := io.ReadAll(io.LimitReader(body, MaxEvent))
	if err != nil {
		return nil, err
	}
	v, ok := Parse(data)
	if !ok {
		return nil, fmt.Errorf("the answer is not JSON, or has more than %d bytes", MaxEvent)
	}
	return v, nil
}

// maxRefusal is how much of an answer that is no reply is read.
const maxRefusal = 64 << 10

func read(resp *http.Response) []byte {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil && len(body) == 0 {
		body = []byte("(the answer did not arrive: " + err.Error() + ")")
	}
	resp.Body.Close() // what is read is all that is wanted
	return body
}

// Drain reads the little that stands behind the last event of a stream, so that the next
// call finds the connection open, and closes the body. It waits 20 ms at most.
func Drain(body io.ReadCloser) {
	late := time.AfterFunc(20*time.Millisecond, func() { body.Close() })
	defer late.Stop()
	io.CopyN(io.Discard, body, 4<<10) // whatever comes of it, the reply is whole
	body.Close()
}
