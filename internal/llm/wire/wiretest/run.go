package wiretest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// Run tests a vendor's package. The names of its tests say what is promised.
func Run(t *testing.T, v Vendor) {
	t.Run("a reply may come in pieces of any size", v.pieces)
	t.Run("a reply that is cut off anywhere is no reply", v.cut)
	t.Run("whoever leaves ends the call", v.leave)
	t.Run("the end of ctx ends the call", v.cancel)
	t.Run("the connection is used again", v.reuse)
	t.Run("nobody waits for a server that does not hang up", v.linger)
	t.Run("nothing answers", v.nothing)
	t.Run("TLS", v.tls)
	t.Run("a proxy", v.proxy)
	t.Run("refusals", v.refusals)
	t.Run("not a reply", v.notReply)
}

func (v Vendor) pieces(t *testing.T) {
	var seed atomic.Uint64
	base := Serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", v.Media)
		Pieces(w, seed.Add(1), v.Reply)
	})
	p := v.provider(t, base, wire.NewClient(time.Second))
	for range 20 {
		r, err := Collect(t.Context(), t, p, Ask)
		if err != nil || r.Text != v.Text || r.Finish != llm.Stop {
			t.Fatalf("seed %d: %+v, %v, want %q", seed.Load(), r, err, v.Text)
		}
	}
}

func (v Vendor) cut(t *testing.T) {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
		whole := 0
		for n := range len(v.Reply) {
			client := Body(v.Media, func() io.Reader { return io.MultiReader(strings.NewReader(v.Reply[:n]), iotest.ErrReader(end)) })
			r, err := Collect(t.Context(), t, v.provider(t, "", client), Ask)
			if !strings.HasPrefix(v.Text, r.Text) {
				t.Fatalf("after %d bytes: text %q", n, r.Text)
			}
			if err == nil {
				if whole++; r.Text != v.Text {
					t.Fatalf("after %d bytes: %q was taken for a whole reply", n, r.Text)
				}
			} else if f := Failure(t, err); f.Fault != llm.Later || !errors.Is(err, llm.ErrTruncated) {
				t.Fatalf("after %d bytes: %v (%s), want ErrTruncated, later", n, err, f.Fault)
			}
		}
		t.Logf("%v: %d of %d beginnings were taken for the whole", end, whole, len(v.Reply))
	}
}

// half answers with the first half of the reply and then with nothing, until the call is
// ended.
func (v Vendor) half(t *testing.T) (base string, ended chan struct{}) {
	ended = make(chan struct{})
	return Serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", v.Media)
		io.WriteString(w, v.Reply[:len(v.Reply)/2])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	}), ended
}

func (v Vendor) leave(t *testing.T) {
	base, ended := v.half(t)
	for _, err := range v.provider(t, base, wire.NewClient(time.Second)).Stream(t.Context(), Ask) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	wait(t, ended, "the call goes on")
}

func (v Vendor) cancel(t *testing.T) {
	stopped := errors.New("stopped by the test")
	t.Run("in a reply", func(t *testing.T) {
		base, ended := v.half(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		var last error
		for _, err := range v.provider(t, base, wire.NewClient(time.Second)).Stream(ctx, Ask) {
			cancel(stopped)
			last = err
		}
		if last != stopped {
			t.Errorf("error = %v, want the cause", last)
		}
		wait(t, ended, "the call goes on")
	})
	t.Run("before one", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		ended := make(chan struct{})
		base := Serve(t, func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel(stopped)
			<-r.Context().Done()
			close(ended)
		})
		if _, err := Collect(ctx, t, v.provider(t, base, wire.NewClient(time.Second)), Ask); err != stopped {
			t.Errorf("error = %v, want the cause", err)
		}
		wait(t, ended, "the call goes on")
	})
}

func wait(t *testing.T, ended <-chan struct{}, otherwise string) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error(otherwise)
	}
}

func (v Vendor) reuse(t *testing.T) {
	var connections atomic.Int32
	finished := make(chan struct{}, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", v.Media)
		io.WriteString(w, v.Reply)
		w.(http.Flusher).Flush()
		select { // the end of the body comes after that of the reply
		case <-finished:
		case <-time.After(time.Millisecond): // for those who wait for it
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	p := v.provider(t, s.URL, wire.NewClient(time.Second))
	for range 3 {
		for c, err := range p.Stream(t.Context(), Ask) {
			if err != nil {
				t.Fatal(err)
			}
			if c.Finish != "" {
				finished <- struct{}{}
				break // as llm.Client does
			}
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for three calls, want 1", n)
	}
}

func (v Vendor) linger(t *testing.T) {
	ended := make(chan struct{})
	base := Serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", v.Media)
		io.WriteString(w, v.Reply)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	})
	start := time.Now()
	r, err := Collect(t.Context(), t, v.provider(t, base, wire.NewClient(time.Second)), Ask)
	if took := time.Since(start); err != nil || r.Text != v.Text || took > 3*time.Second {
		t.Errorf("%+v, %v, after %v", r, err, took)
	}
	wait(t, ended, "the connection stays open")
}

func (v Vendor) nothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	v.fails(t, "http://"+l.Addr().String(), llm.Later, "THE_BASE")
}

// fails asks and wants an error with this fault and these words.
func (v Vendor) fails(t *testing.T, base string, fault llm.Fault, words string) *llm.Error {
	t.Helper()
	r, err := Collect(t.Context(), t, v.provider(t, base, wire.NewClient(time.Second)), Ask)
	if err == nil {
		t.Fatalf("%+v, want an error", r)
	}
	f := Failure(t, err)
	if f.Fault != fault || !strings.Contains(err.Error(), words) {
		t.Errorf("%v (%s), want %s and %q", err, f.Fault, fault, words)
	}
	return f
}

func (v Vendor) tls(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	v.fails(t, s.URL, llm.Broken, "not trusted")
	plain := Serve(t, http.NotFound)
	v.fails(t, strings.Replace(plain, "http:", "https:", 1), llm.Broken, "http:// in THE_BASE")
}

func (v Vendor) proxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	client := wire.NewClient(time.Second)
	client.Transport.(*http.Transport).Proxy = func(r *http.Request) (*url.URL, error) { return r.URL.Parse(proxy.URL) }
	_, err := Collect(t.Context(), t, v.provider(t, "https://model.invalid", client), Ask)
	if f := Failure(t, err); f.Fault != llm.Broken || !strings.Contains(err.Error(), "407") || !strings.Contains(f.Advice, "HTTPS_PROXY") {
		t.Errorf("%v (%s), want broken, 407 and HTTPS_PROXY", err, f.Fault)
	}
}

func (v Vendor) refusals(t *testing.T) {
	tests := []struct {
		status int
		header string // name=value
		body   string
		fault  llm.Fault
		words  string
		after  time.Duration
	}{
		{status: 401, body: `{"error":{"message":"Incorrect API key provided: ` + Key + `."}}`, fault: llm.Broken, words: "THE_KEY"},
		{status: 401, body: `{"error":{"message":"Incorrect API key provided: ` + Key[:8] + `*********` + Key[len(Key)-4:] + `."}}`, fault: llm.Broken, words: "THE_KEY"},
		{status: 403, fault: llm.Broken, words: "THE_KEY"},
		{status: 404, body: "404 page not found", fault: llm.Broken, words: "THE_BASE"},
		{status: 408, fault: llm.Later},
		{status: 413, fault: llm.TooLong},
		{status: 429, header: "Retry-After-Ms=1534", fault: llm.Later, after: 1534 * time.Millisecond},
		{status: 429, header: "Retry-After=2", fault: llm.Later, after: 2 * time.Second},
		{status: 500, fault: llm.Later},
		{status: 503, header: "Retry-After=1", body: "<html>no healthy upstream</html>", fault: llm.Later, words: "no healthy upstream", after: time.Second},
		{status: 529, fault: llm.Later},
		{status: 302, header: "Location=https://elsewhere.example/v1?token=" + Key, fault: llm.Broken, words: "https://elsewhere.example/v1:"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, tt.header), func(t *testing.T) {
			f := v.fails(t, Serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if name, value, ok := strings.Cut(tt.header, "="); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}), tt.fault, tt.words)
			if f.Status != tt.status || f.After != tt.after {
				t.Errorf("status %d after %v, want %d after %v", f.Status, f.After, tt.status, tt.after)
			}
		})
	}
}

func (v Vendor) notReply(t *testing.T) {
	line := strings.Repeat("x", 10<<20)
	tests := []struct {
		name, media, body string
		fault             llm.Fault
		words             string
	}{
		{"a web page", "text/html; charset=utf-8", "<!doctype html><title>Sign in with " + Key + "</title>", llm.Elsewhere, "THE_BASE"},
		{"nothing", v.Media, "", llm.Later, "cut off"},
		{"a line without end", v.Media, "data: " + line, llm.Elsewhere, "bytes"},
		{"an event without end", v.Media, strings.Repeat("data: "+line[:1<<20]+"\n", 10), llm.Elsewhere, "bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v.fails(t, Serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.media)
				io.WriteString(w, tt.body)
			}), tt.fault, tt.words)
		})
	}
}
