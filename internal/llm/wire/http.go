// Package wire is what the wires of all model vendors have in common: a POST whose
// failures are classified, server-sent events, and JSON that is read in place. A vendor's
// package says what its bytes mean. Start with Endpoint.Post.
package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/llm"
)

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
	KeyName  string // the setting or variable that has the key, for advice
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
	t.ReadBufferSize, t.WriteBufferSize = 4<<10, 4<<10
	t.DisableCompression = true // a stream that is compressed is a stream that waits
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ParseBase reads a base URL. A version such as "v1" is added where its path has none; a
// blank base is the vendor's own.
func ParseBase(base, own, version string) (*url.URL, error) {
	if strings.TrimSpace(base) == "" {
		base = own
	}
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("want a URL such as %s, not %q", own, base)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if u.Path == "" && version != "" {
		u.Path = "/" + version
	}
	u.Fragment = ""
	return u, nil
}

// URL returns the address of a path of the API.
func (e *Endpoint) URL(path string) string {
	u := *e.Base
	u.Path += path
	return u.String()
}

// Post sends a body and returns the response of a request that was accepted: its status
// is 200 and its content type one of want. Every error is an *llm.Error, but for the end
// of ctx. The caller closes the body.
func (e *Endpoint) Post(ctx context.Context, address string, body []byte, want ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, &llm.Error{Provider: e.Provider, Fault: llm.Broken, Err: err, Advice: "look at " + e.BaseName}
	}
	req.Header.Set("Content-Type", "application/json")
	return e.do(req, want)
}

// Get is Post without a body.
func (e *Endpoint) Get(ctx context.Context, address string, want ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &llm.Error{Provider: e.Provider, Fault: llm.Broken, Err: err, Advice: "look at " + e.BaseName}
	}
	return e.do(req, want)
}

func (e *Endpoint) do(req *http.Request, want []string) (*http.Response, error) {
	req.Header.Set("User-Agent", "answerable")
	if e.Headers != nil {
		e.Headers(req.Header)
	}
	resp, err := e.Client.Do(req)
	if err != nil {
		return nil, e.Failed(req.Context(), err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, e.refused(resp)
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	for _, w := range want {
		if media == w {
			return resp, nil
		}
	}
	begin := excerpt(read(resp))
	return nil, &llm.Error{Provider: e.Provider, Fault: llm.Elsewhere, Status: resp.StatusCode,
		Err:    fmt.Errorf("%s answered with %q where %s was asked for: %s", req.URL.Host, media, strings.Join(want, " or "), begin),
		Advice: "look at " + e.BaseName + ": this may be a web page, a login, or a proxy in between"}
}

// Failed classifies an error of the network, before or in a stream. Of an ended ctx it is
// the cause.
func (e *Endpoint) Failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var done *llm.Error
	if errors.As(err, &done) {
		return err
	}
	out := &llm.Error{Provider: e.Provider, Fault: llm.Later, Err: hideURL(err)}
	var dns *net.DNSError
	var op *net.OpError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &authority), errors.As(err, &host), errors.As(err, &invalid):
		out.Fault = llm.Broken
		out.Advice = "its certificate is not trusted: if a proxy in between is yours, add its authority to this machine's (SSL_CERT_FILE)"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		out.Fault = llm.Broken
		out.Advice = "it does not speak TLS: write http:// in " + e.BaseName
	case errors.As(err, &dns) && dns.IsNotFound:
		out.Advice = "there is no such host: look at " + e.BaseName + " and at this machine's name server"
	case errors.As(err, &op) && op.Op == "dial":
		out.Advice = "nothing answers there: look at " + e.BaseName + ", at the firewall and at HTTPS_PROXY"
	}
	return out
}

// hideURL drops the address that package http puts around errors: it may have a secret
// in its query.
func hideURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// refused makes an error of a response that is not 200, and closes it.
func (e *Endpoint) refused(resp *http.Response) error {
	body := read(resp)
	out := &llm.Error{Provider: e.Provider, Status: resp.StatusCode, Fault: llm.Elsewhere, After: RetryAfter(resp.Header)}
	out.Err = fmt.Errorf("HTTP %d: %s", resp.StatusCode, excerpt(body))
	switch s := resp.StatusCode; {
	case s == http.StatusUnauthorized:
		out.Fault, out.Advice = llm.Broken, "the key is wrong or was revoked: set "+e.KeyName+" to one that is valid"
		if e.Key == "" {
			out.Advice = "it wants a key: set " + e.KeyName
		}
	case s == http.StatusForbidden:
		out.Fault, out.Advice = llm.Broken, "the key of "+e.KeyName+" may not do this: look at its rights, its project and its region"
	case s == http.StatusPaymentRequired:
		out.Fault, out.Advice = llm.Broken, "the account has no credit left: top it up"
	case s == http.StatusNotFound:
		out.Fault, out.Advice = llm.Broken, "there is no such address or model: look at "+e.BaseName+" and at the model's name"
	case s == http.StatusProxyAuthRequired:
		out.Fault, out.Advice = llm.Broken, "the proxy in between wants a password: put it into HTTPS_PROXY"
	case s == http.StatusRequestEntityTooLarge:
		out.Fault = llm.TooLong
	case s == http.StatusRequestTimeout, s == http.StatusConflict, s == http.StatusTooEarly, s == http.StatusTooManyRequests, s >= 500:
		out.Fault = llm.Later
	case s >= 300 && s < 400:
		out.Fault, out.Advice = llm.Broken, "it sends us to "+redirect(resp)+": write the new address into "+e.BaseName
	}
	if e.Classify != nil {
		e.Classify(out, resp.Header, body)
	}
	return out
}

// redirect returns where a response leads, without what may be secret in it.
func redirect(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// RetryAfter returns how long a response asks to wait, or 0: retry-after-ms, or
// retry-after in seconds or as a date (RFC 9110, 10.2.3).
func RetryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// maxRefusal is how much of an answer to a refused request is read.
const maxRefusal = 64 << 10

func read(resp *http.Response) []byte {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil && len(body) == 0 {
		body = []byte("(the answer did not arrive: " + err.Error() + ")")
	}
	resp.Body.Close() // what is read is all that is wanted
	return body
}

// excerpt returns the beginning of a body for an error.
func excerpt(body []byte) string {
	const most = 300
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "\uFFFD")), " ")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + " …"
	}
	if s == "" {
		return "(no text)"
	}
	return s
}

// Config is what a vendor's provider is made of. Its model comes with each request.
type Config struct {
	Name    string            // in plans and records; "": the vendor's
	Base    string            // base URL, with or without the version; "": the vendor's own
	Key     config.Secret     // "" where none is needed
	Headers map[string]string // sent with every request, over those of the vendor
	Extra   map[string]any    // fields of every request's body, over ours, such as reasoning_effort
	Client  *http.Client      // see NewClient
	// What the key and the base URL are called where the operator sets them, for advice.
	KeyName, BaseName string
}
