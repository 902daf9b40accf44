// Package wiretest holds the package of a vendor to what all of them promise. Run lets it
// ask a server that behaves as networks and vendors do on bad days; Collect reads one
// reply and checks that it ends as replies do.
package wiretest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// Vendor is what is tested.
type Vendor struct {
	New   func(wire.Config) (llm.Provider, error)
	Media string // the content type of Reply
	Reply string // a whole stream, as the vendor sends it, with characters outside ASCII
	Text  string // what it says
}

// Key is the key of the providers that Run makes. No error may show it.
const Key = "sk-test-0123456789abcdefXYZ"

// Ask is a request to which any reply will do.
var Ask = llm.Request{Model: "model-1", Messages: []llm.Message{{Role: llm.User, Text: "Hi?"}}}

// Reply is what came of a request.
type Reply struct {
	Text     string
	Thinking string
	Calls    []llm.Call
	Logprobs []float32
	Finish   llm.Finish // "" with an error
	Usage    *chat.Usage
	Declined string
}

// Collect reads a reply to its end. It fails the test if anything follows the end, if
// there is none, or if text ends inside a character.
func Collect(ctx context.Context, t testing.TB, p llm.Provider, req llm.Request) (r Reply, failure error) {
	t.Helper()
	for c, err := range p.Stream(ctx, req) {
		if failure != nil || r.Finish != "" {
			t.Fatalf("after the end came %+v, %v", c, err)
		}
		if failure = err; err != nil {
			continue
		}
		if !utf8.ValidString(c.Text + c.Thinking + c.Declined) {
			t.Errorf("%q is not UTF-8", c.Text+c.Thinking+c.Declined)
		}
		if c.Call != nil {
			r.Calls = append(r.Calls, *c.Call)
		}
		r.Text, r.Thinking, r.Logprobs = r.Text+c.Text, r.Thinking+c.Thinking, append(r.Logprobs, c.Logprobs...)
		r.Finish, r.Declined = c.Finish, c.Declined
		if c.Usage != nil {
			r.Usage = c.Usage
		}
	}
	if failure == nil && r.Finish == "" {
		t.Error("the stream ended without a finish and without an error")
	}
	return r, failure
}

// Failure returns an error as the *llm.Error that it must be, and checks that it has no
// part of the Key.
func Failure(t testing.TB, err error) *llm.Error {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v (%T), want an *llm.Error", err, err)
	}
	for i := 0; i+8 <= len(Key); i++ {
		if strings.Contains(err.Error(), Key[i:i+8]) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if e.Provider == "" || e.Fault == "" {
		t.Errorf("%#v, want a provider and a fault", e)
	}
	return e
}

// Network is a client's transport that answers requests itself.
type Network func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (n Network) RoundTrip(r *http.Request) (*http.Response, error) { return n(r) }

// Body returns a client that gets the same body for every request.
func Body(media string, body func() io.Reader) *http.Client {
	return &http.Client{Transport: Network(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {media}}, Body: io.NopCloser(body()), Request: r}, nil
	})}
}

// Serve starts a server for the time of the test and returns its address.
func Serve(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// Pieces writes body in pieces of random size, also cut inside characters and line ends.
func Pieces(w http.ResponseWriter, seed uint64, body string) {
	random := rand.New(rand.NewPCG(seed, seed))
	most := 1 + random.IntN(200)
	for body != "" {
		n := min(len(body), 1+random.IntN(most))
		io.WriteString(w, body[:n])
		w.(http.Flusher).Flush()
		body = body[n:]
	}
}

// provider makes one that asks the server at base.
func (v Vendor) provider(t testing.TB, base string, client *http.Client) llm.Provider {
	t.Helper()
	p, err := v.New(wire.Config{Base: base, Key: Key, KeyName: "THE_KEY", BaseName: "THE_BASE", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
