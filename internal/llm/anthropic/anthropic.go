// Package anthropic asks Anthropic's models, or a gateway that speaks as they do: the
// Messages API with its stream of events. Start with New and Provider.Stream.
package anthropic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

const (
	name    = "anthropic"
	own     = "https://api.anthropic.com"
	version = "2023-06-01" // of the API
)

// Provider asks the models of one account. It may be used by many goroutines.
type Provider struct {
	endpoint wire.Endpoint
	extra    map[string]json.RawMessage
}

// New returns a provider. It asks nobody yet; see Models.
func New(c wire.Config) (*Provider, error) {
	baseName := cmp.Or(c.BaseName, "ANTHROPIC_BASE_URL")
	base, err := wire.ParseBase(c.Base, own, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", baseName, err)
	}
	base.Path = strings.TrimSuffix(base.Path, "/messages") // as people paste it
	if !strings.HasSuffix(base.Path, "/v1") {
		base.Path += "/v1"
	}
	p := &Provider{endpoint: wire.Endpoint{
		Provider: cmp.Or(c.Name, name),
		Base:     base,
		Key:      c.Key,
		Client:   c.Client,
		KeyName:  cmp.Or(c.KeyName, "ANTHROPIC_API_KEY"),
		BaseName: baseName,
	}}
	if p.endpoint.Client == nil {
		p.endpoint.Client = wire.NewClient(5 * time.Second)
	}
	p.endpoint.Headers = func(h http.Header) {
		h.Set("Anthropic-Version", version)
		if c.Key != "" {
			h.Set("X-Api-Key", c.Key.Reveal())
		}
		for k, v := range c.Headers {
			h.Set(k, v)
		}
	}
	if p.extra, err = wire.Fields(c.Extra); err != nil {
		return nil, fmt.Errorf("the extra fields of provider %q: %w", p.Name(), err)
	}
	return p, nil
}

// Name returns what the provider is called in plans and records.
func (p *Provider) Name() string { return p.endpoint.Provider }

// Models returns the names of the models that the key may use. It is also how to find
// out whether key and address are right.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	e := p.asking("")
	u := *e.Base
	u.Path += "/models"
	q := u.Query()
	q.Set("limit", "1000")
	u.RawQuery = q.Encode()
	resp, err := e.Get(ctx, u.String(), "application/json")
	if err != nil {
		return nil, p.endpoint.Failed(ctx, err)
	}
	defer resp.Body.Close()
	v, err := wire.Whole(resp.Body)
	if err != nil {
		return nil, p.endpoint.Failed(ctx, err)
	}
	var names []string
	for m := range v.Get("data").Elements() {
		names = append(names, m.Get("id").Text())
	}
	return names, nil
}

// Stream yields a reply; see llm.Provider. What the reply took to read is yielded as
// soon as it is known, before the first text.
func (p *Provider) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		if err := p.stream(ctx, req, yield); err != nil && !errors.Is(err, errLeft) {
			yield(llm.Chunk{}, p.endpoint.Failed(ctx, err))
		}
	}
}

// stream yields chunks up to the one with the Finish, or returns why there is none.
func (p *Provider) stream(ctx context.Context, req llm.Request, yield func(llm.Chunk, error) bool) error {
	body, err := encode(req, p.Name(), p.extra)
	if err != nil {
		return &llm.Error{Provider: p.Name(), Fault: llm.Elsewhere, Err: fmt.Errorf("write the request: %w", err)}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e := p.asking(req.Model)
	resp, err := e.Post(ctx, e.URL("/messages"), body, "text/event-stream", "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	d := decoder{yield: yield, endpoint: e, tools: len(req.Tools) > 0}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "application/json" {
		v, err := wire.Whole(resp.Body)
		if err != nil {
			return err
		}
		return d.message(v)
	}
	if err := d.events(ctx, resp.Body); err != nil {
		return err
	}
	wire.Drain(resp.Body)
	return nil
}

// asking returns the endpoint for a call of a model, whose errors then name it.
func (p *Provider) asking(model string) *wire.Endpoint {
	e := p.endpoint
	e.Classify = func(out *llm.Error, h http.Header, body []byte) { classify(&e, model, out, h, body) }
	return &e
}
