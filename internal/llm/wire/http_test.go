package wire

import (
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/llm"
)

func TestParseBase(t *testing.T) {
	tests := []struct{ base, version, want string }{
		{"", "v1", "https://own.example/api"},
		{" https://x.example/ ", "v1", "https://x.example/v1"},
		{"https://x.example", "", "https://x.example"},
		{"https://x.example/a/b/?api-version=1#top", "v1", "https://x.example/a/b?api-version=1"},
	}
	for _, tt := range tests {
		u, err := ParseBase(tt.base, "https://own.example/api", tt.version)
		if err != nil || u.String() != tt.want {
			t.Errorf("ParseBase(%q, %q) = %v, %v, want %s", tt.base, tt.version, u, err, tt.want)
		}
	}
	for _, base := range []string{"x.example/v1", "file:///etc/passwd", "https://", ":", "sk-abcdefgh12345", "x://u:hunter22@h", "x?key=hunter22"} {
		_, err := ParseBase(base, "https://own.example", "v1")
		if err == nil || !strings.Contains(err.Error(), "https://own.example") || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "abcdefgh") {
			t.Errorf("ParseBase(%q) = %v, want an error that shows an example and no secret", base, err)
		}
	}
}

func TestURL(t *testing.T) {
	base, err := ParseBase("https://x.example/v1?api-version=1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	e := Endpoint{Base: base}
	if got, want := e.URL("/chat"), "https://x.example/v1/chat?api-version=1"; got != want {
		t.Errorf("URL = %s, want %s", got, want)
	}
}

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After-Ms", "250.5", 250500 * time.Microsecond},
		{"Retry-After-Ms", "-1", 0},
		{"Retry-After-Ms", "1e300", 0},
		{"Retry-After", "2", 2 * time.Second},
		{"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After", "NaN", 0},
		{"Retry-After", "Inf", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT", 0},
	}
	for _, tt := range tests {
		if got := RetryAfter(http.Header{tt.name: {tt.value}}); got != tt.want {
			t.Errorf("RetryAfter of %s: %s = %v, want %v", tt.name, tt.value, got, tt.want)
		}
	}
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got := RetryAfter(http.Header{"Retry-After": {date}}); got < 59*time.Minute || got > time.Hour {
		t.Errorf("RetryAfter of %s = %v, want about an hour", date, got)
	}
}

// TestQuote: no word of a vendor shows what is secret, and what is not secret stays.
func TestQuote(t *testing.T) {
	base, err := ParseBase("https://me:hunter2hunter2@x.example/v1?sig=QUERY-9f8e7d6c&api-version=2024-10-21", "", "")
	if err != nil {
		t.Fatal(err)
	}
	e := Endpoint{Base: base, Key: "4f3a1b9c8d7e6f50", Headers: func(h http.Header) {
		h.Set("X-Auth", "Bearer HEADER-5a4b3c2d")
		h.Set("Anthropic-Version", "2023-06-01")
	}}
	tests := []struct{ words, want string }{
		{"", "(no text)"},
		{" so\n it\tis \xff", "so it is \uFFFD"},
		{"key 4f3a1b9c8d7e6f50, base64 NGYzYTF4f3a1b9c8d7e6f50=", "key ***, base64 ***="},
		{"key 4f3a…6f50, 4f3a1b9c…", "key ***, ***"},
		{"key ending in 6f50", "key ending in ***"},
		{`{"key":"4f3a****6f50"}`, `{"key":"***"}`},
		{"a part b9c8d7e6 of it", "a part *** of it"},
		{"sk-proj-abcdefgh, gsk_abcdefgh; AIzaSyAbc eyJhbGciOiJIUzI1NiJ9.e30.abc", "***, ***; *** ***"},
		{"hunter2hunter2 QUERY-9f8e7d6c HEADER-5a4b3c2d", "*** *** ***"},
		{"Bearer tokens of gpt-5.4-mini since 2023-06-01 and 2024-10-21, task-based sk-1", "Bearer tokens of gpt-5.4-mini since 2023-06-01 and 2024-10-21, task-based sk-1"},
	}
	for _, tt := range tests {
		if got := e.Quote(tt.words); got != tt.want {
			t.Errorf("Quote(%q) = %q, want %q", tt.words, got, tt.want)
		}
		if again := e.Quote(e.Quote(tt.words)); again != tt.want {
			t.Errorf("Quote of Quote(%q) = %q", tt.words, again)
		}
	}
	if got := e.Quote(strings.Repeat("日", 1000)); len(got) > 310 || !strings.HasSuffix(got, "日 …") {
		t.Errorf("a long text became %q", got)
	}
}

// TestRedact: also an error that a vendor's package words itself shows no key.
func TestRedact(t *testing.T) {
	base, err := ParseBase("https://x.example", "", "")
	if err != nil {
		t.Fatal(err)
	}
	e := Endpoint{Provider: "p", Base: base, Key: "4f3a1b9c8d7e6f50", Classify: func(out *llm.Error, _ http.Header, body []byte) {
		out.Err, out.Advice = &redacted{text: string(body), err: llm.ErrTruncated}, "not "+string(body)
	}}
	if got, want := e.Refused(418, nil, []byte("4f3a1b9c8d7e6f50")).Error(), "p: ***; not ***"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAdvice: whatever fails, the operator is told what to look at.
func TestAdvice(t *testing.T) {
	base, err := ParseBase("https://x.example/v1", "", "")
	if err != nil {
		t.Fatal(err)
	}
	named := &Endpoint{Provider: "p", Base: base, Key: "k", KeyName: "THE_KEY", BaseName: "THE_BASE"}
	bare := &Endpoint{Provider: "p", Base: base}
	network := func(e *Endpoint, err error) error {
		return e.Failed(t.Context(), &url.Error{Op: "Post", URL: "https://x.example/v1?key=SECRET-IN-URL", Err: err})
	}
	tests := []struct {
		err   error
		fault llm.Fault
		words string
	}{
		{network(named, &net.DNSError{Err: "no such host", Name: "x.example", IsNotFound: true}), llm.Later, "look at THE_BASE"},
		{network(bare, &net.OpError{Op: "dial", Err: io.EOF}), llm.Later, "look at its base URL"},
		{network(named, &net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: io.EOF}}), llm.Later, "look at HTTPS_PROXY"},
		{network(named, x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x.example"}), llm.Broken, "SSL_CERT_FILE"},
		{network(named, io.ErrUnexpectedEOF), llm.Later, "unexpected EOF"},
		{named.Refused(401, nil, nil), llm.Broken, "the key is wrong or was revoked: set THE_KEY"},
		{bare.Refused(401, nil, nil), llm.Broken, "it wants a key: set its key"},
		{named.Refused(402, nil, nil), llm.Broken, "top it up"},
		{named.Refused(407, nil, nil), llm.Broken, "HTTPS_PROXY"},
		{named.Refused(301, nil, nil), llm.Broken, "nowhere"},
		{named.Refused(308, http.Header{"Location": {"/v2"}}, nil), llm.Broken, "https://x.example/v2: write the new address into THE_BASE"},
		{named.Refused(418, nil, []byte("no")), llm.Elsewhere, "p: HTTP 418: no"},
		{named.Refused(0, nil, []byte("no")), llm.Later, "p: no"},
	}
	for _, tt := range tests {
		var e *llm.Error
		if !errors.As(tt.err, &e) || e.Fault != tt.fault || !strings.Contains(e.Error(), tt.words) || strings.Contains(e.Error(), "SECRET") {
			t.Errorf("%v, want %s and %q", tt.err, tt.fault, tt.words)
		}
	}
}
