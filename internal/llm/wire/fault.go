package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
)

// Failed classifies an error of the network, before or in a stream, which was cut off where
// err is the bare end of its body. Of an ended ctx it is the cause.
func (e *Endpoint) Failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var done *llm.Error
	if errors.As(err, &done) {
		return err
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF { // what fails before the body is wrapped
		err = llm.ErrTruncated
	}
	out := &llm.Error{Provider: e.Provider, Fault: llm.Later, Err: hideURL(err)}
	var dns *net.DNSError
	var op *net.OpError
	var proxy *proxyError
	switch {
	case errors.Is(err, errLong):
		out.Fault = llm.Elsewhere
	case untrusted(err):
		out.Fault = llm.Broken
		out.Advice = "its certificate is not trusted: if a proxy in between is yours, add its authority to this machine's (SSL_CERT_FILE)"
	case plainHTTP(err):
		out.Fault = llm.Broken
		out.Advice = "it does not speak TLS: write http:// in " + e.baseName()
	case errors.As(err, &proxy):
		out.Fault = llm.Broken
		out.Advice = "look at HTTPS_PROXY: it may want a user and a password, or not allow this host"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		out.Advice = "the proxy cannot be reached: look at HTTPS_PROXY"
	case errors.As(err, &dns) && dns.IsNotFound:
		out.Advice = "there is no such host: look at " + e.baseName() + " and at this machine's name server"
	case errors.As(err, &op) && op.Op == "dial":
		out.Advice = "nothing answers there: look at " + e.baseName() + ", at the firewall and at HTTPS_PROXY"
	}
	e.redact(out)
	return out
}

func untrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

func plainHTTP(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// proxyError: a proxy did not let us through.
type proxyError struct {
	host   string
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy %s refused the connection: HTTP %d %s", e.host, e.status, http.StatusText(e.status))
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

// Refused makes an error of a vendor's answer that is not a reply: of a response by its
// status, or of an error inside a stream, whose status is what it says itself, or 0.
func (e *Endpoint) Refused(status int, h http.Header, body []byte) error {
	out := &llm.Error{Provider: e.Provider, Status: status, After: RetryAfter(h)}
	out.Err = errors.New(e.Quote(string(body)))
	if status != 0 {
		out.Err = fmt.Errorf("HTTP %d: %w", status, out.Err)
	}
	out.Fault, out.Advice = e.byStatus(status, h)
	if e.Classify != nil {
		e.Classify(out, h, body)
	}
	e.redact(out)
	return out
}

// byStatus is what a status alone says.
func (e *Endpoint) byStatus(status int, h http.Header) (fault llm.Fault, advice string) {
	switch status {
	case http.StatusUnauthorized:
		if e.Key == "" {
			return llm.Broken, "it wants a key: set " + e.keyName()
		}
		return llm.Broken, "the key is wrong or was revoked: set " + e.keyName() + " to one that is valid"
	case http.StatusForbidden:
		return llm.Broken, "the key of " + e.keyName() + " may not do this: look at its rights, its project and its region"
	case http.StatusPaymentRequired:
		return llm.Broken, "the account has no credit left: top it up"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return llm.Broken, "there is no such address or model: look at " + e.baseName() + " and at the model's name"
	case http.StatusProxyAuthRequired:
		return llm.Broken, "the proxy in between wants a password: put it into HTTPS_PROXY"
	case http.StatusRequestEntityTooLarge:
		return llm.TooLong, ""
	case 0, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return llm.Later, ""
	}
	switch {
	case status >= 500:
		return llm.Later, ""
	case status >= 300 && status < 400:
		return llm.Broken, "it sends us to " + e.redirect(h) + ": write the new address into " + e.baseName()
	}
	return llm.Elsewhere, ""
}

// redirect returns where a response leads, without what may be secret in it.
func (e *Endpoint) redirect(h http.Header) string {
	u, err := e.Base.Parse(h.Get("Location"))
	if err != nil || h.Get("Location") == "" {
		return "nowhere"
	}
	return cut(u.Scheme+"://"+u.Host+u.EscapedPath(), 120)
}

func (e *Endpoint) keyName() string {
	if e.KeyName == "" {
		return "its key"
	}
	return e.KeyName
}

func (e *Endpoint) baseName() string {
	if e.BaseName == "" {
		return "its base URL"
	}
	return e.BaseName
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
