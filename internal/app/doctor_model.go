package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// trial asks one model and keeps what came of it; its findings read it.
type trial struct {
	place   int // in the order in which models are asked, from 1
	model   ModelConfig
	limits  ProviderLimits
	limit   time.Duration // of each call
	offline bool

	broken  error     // the entry gives no provider
	url     *url.URL  // that is asked first
	asked   string    // the name of the model, "" until one is known
	network []contact // one for each time that the models were listed
	names   []string  // of the models that there are
	unknown error     // why the names are not known
	chat    reply
	tool    reply
}

// contact is how long one request on a connection of its own took.
type contact struct{ connect, tls, whole time.Duration }

// reply is how a model answered.
type reply struct {
	first, last, whole time.Duration // to the first and the last text, and to the end
	chunks             int           // with text
	called             bool
	usage              *chat.Usage
	finish             llm.Finish
	err                error
}

// An average answer, for what it costs.
var average = chat.Usage{Input: 1500, Output: 200}

var (
	errSkipped = errors.New("not asked: there is no connection")
	errNoName  = errors.New("no model is named, and it lists none")
)

// run asks the model: three times for its list, then two short questions.
func (t *trial) run(ctx context.Context) {
	client := wire.NewClient(t.limits.Connect)
	defer client.CloseIdleConnections()
	p, err := t.model.open(client)
	if err == nil {
		t.url, err = t.firstURL(ctx)
	}
	if t.broken = err; err != nil {
		t.chat.err = err
		return
	}
	if t.offline {
		return
	}
	for range 3 {
		client.CloseIdleConnections()
		if t.unknown = t.list(ctx, p); t.unknown != nil {
			break
		}
	}
	if t.asked == "" && len(t.names) > 0 {
		t.asked = t.names[0]
	}
	switch {
	case t.unknown != nil && statusOf(t.unknown) == 0:
		t.chat.err = errSkipped
	case t.asked == "":
		t.chat.err = errNoName
	default:
		t.chat = t.ask(ctx, p, llm.Request{MaxTokens: 256,
			Messages: []llm.Message{{Role: llm.User, Text: "Write the numbers from one to thirty as words, with commas between them, and nothing else."}}})
	}
	if t.chat.err != nil {
		t.tool.err = errSkipped
		return
	}
	t.tool = t.ask(ctx, p, llm.Request{MaxTokens: 256, Tools: []llm.Tool{orders},
		Messages: []llm.Message{{Role: llm.User, Text: "Where is my order 7? Look it up with the tool."}}})
}

var orders = llm.Tool{Name: "look_up_order", Description: "Says where an order is.",
	Parameters: json.RawMessage(`{"type":"object","properties":{"order":{"type":"string","description":"the order's number"}},"required":["order"]}`)}

// statusOf returns the HTTP status that a provider answered with, or 0 for none.
func statusOf(err error) int {
	var e *llm.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// bounded limits a call, and has its end say so.
func (t *trial) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, t.limit, &llm.Error{Provider: t.model.Name, Fault: llm.Later,
		Err:    fmt.Errorf("no answer within %s", t.limit),
		Advice: "look at the provider's status page, the firewall and HTTPS_PROXY; a local server may still be loading its model"})
}

// list asks for the names of the models, on a new connection.
func (t *trial) list(ctx context.Context, p lister) error {
	ctx, cancel := t.bounded(ctx)
	defer cancel()
	var w watch
	began := time.Now()
	names, err := p.Models(httptrace.WithClientTrace(ctx, w.trace()))
	if err == nil || statusOf(err) != 0 {
		t.network = append(t.network, w.contact(time.Since(began)))
	}
	t.names = names
	return err
}

// watch measures a connection. Several addresses may be tried at once, so it locks.
type watch struct {
	mu            sync.Mutex
	began         time.Time
	reached, safe time.Time // connected, TLS done
}

func (w *watch) trace() *httptrace.ClientTrace {
	note := func(at *time.Time, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if at.IsZero() && err == nil {
			*at = time.Now()
		}
	}
	return &httptrace.ClientTrace{
		ConnectStart:     func(_, _ string) { note(&w.began, nil) },
		ConnectDone:      func(_, _ string, err error) { note(&w.reached, err) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) { note(&w.safe, err) },
	}
}

func (w *watch) contact(whole time.Duration) contact {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := contact{connect: w.reached.Sub(w.began), whole: whole}
	if !w.safe.IsZero() {
		c.tls = w.safe.Sub(w.reached)
	}
	return c
}

// ask asks a question and measures the answer.
func (t *trial) ask(ctx context.Context, p llm.Provider, req llm.Request) (r reply) {
	ctx, cancel := t.bounded(ctx)
	defer cancel()
	req.Model = t.asked
	began := time.Now()
	for c, err := range p.Stream(ctx, req) {
		if err != nil {
			r.err = err
			return r
		}
		if c.Text != "" {
			r.last = time.Since(began)
			if r.chunks++; r.chunks == 1 {
				r.first = r.last
			}
		}
		if c.Usage != nil {
			r.usage = c.Usage
		}
		r.called = r.called || c.Call != nil && len(req.Tools) > 0 && c.Call.Name == req.Tools[0].Name
		r.finish = c.Finish
	}
	if r.whole = time.Since(began); r.finish == "" {
		r.err = &llm.Error{Provider: t.model.Name, Fault: llm.Later, Err: llm.ErrTruncated}
	}
	return r
}

// firstURL returns what a provider asks first, without asking it.
func (t *trial) firstURL(ctx context.Context) (*url.URL, error) {
	var asked stopped
	p, err := t.model.open(&http.Client{Transport: &asked})
	if err != nil {
		return nil, err
	}
	if _, err := p.Models(ctx); asked.url == nil {
		return nil, err
	}
	return asked.url, nil
}

// stopped notes the address of a request and does not send it.
type stopped struct{ url *url.URL }

func (s *stopped) RoundTrip(r *http.Request) (*http.Response, error) {
	s.url = r.URL
	return nil, errors.New("only its address was wanted")
}
