// Package openai asks models through the chat completions API of OpenAI and of all who
// copy it: Azure, Ollama, vLLM, Groq, OpenRouter, DeepSeek, Mistral, xAI, LM Studio, and
// gateways. They differ in small things, and each is met where it comes up: request.go
// writes what is asked and leaves out what a model was seen to refuse, decode.go reads
// what is answered, call.go puts calls of tools together, fault.go says what a refusal
// means. Start with Provider.Stream.
package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

const (
	name = "openai"
	own  = "https://api.openai.com/v1"
)

// Provider asks one server. It may be used by many goroutines.
type Provider struct {
	endpoint wire.Endpoint
	extra    []field
	limit    string // what the limit of tokens is called there
	refused  refusedFields
}

// New returns a provider. It asks nobody yet; see Models.
func New(c wire.Config) (*Provider, error) {
	base, err := parseBase(c.Base)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmp.Or(c.BaseName, "base URL"), err)
	}
	extra, err := fields(c.Extra)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		endpoint: wire.Endpoint{
			Provider: cmp.Or(c.Name, name), Base: base, Key: c.Key, Client: c.Client,
			KeyName: c.KeyName, BaseName: c.BaseName,
		},
		extra: extra,
		limit: "max_tokens",
	}
	if azure(base) || base.Hostname() == "api.openai.com" {
		p.limit = "max_completion_tokens"
	}
	if p.endpoint.Client == nil {
		p.endpoint.Client = wire.NewClient(10 * time.Second)
	}
	p.endpoint.Headers = func(h http.Header) {
		if c.Key != "" {
			h.Set("Authorization", "Bearer "+c.Key.Reveal())
			if azure(base) {
				h.Set("Api-Key", c.Key.Reveal())
			}
		}
		for k, v := range c.Headers {
			h.Set(k, v)
		}
	}
	return p, nil
}

// parseBase accepts what people paste: a host, a base, or the whole address of the call.
func parseBase(base string) (*url.URL, error) {
	u, err := wire.ParseBase(base, own, "")
	if err != nil {
		return nil, err
	}
	u.Path = strings.TrimSuffix(u.Path, "/chat/completions")
	switch {
	case u.Path == "" && azure(u):
		u.Path = "/openai/v1"
	case u.Path == "":
		u.Path = "/v1"
	}
	return u, nil
}

// azure reports whether a host is Azure's, in any of its clouds.
func azure(u *url.URL) bool { return strings.Contains(u.Hostname(), ".azure.") }

// Name returns what the provider is called in plans and records.
func (p *Provider) Name() string { return p.endpoint.Provider }

// Models returns the names of the models that the server has for this key.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	e := p.asking("", nil)
	resp, err := e.Get(ctx, e.URL("/models"), "application/json")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxEvent))
	if err != nil {
		return nil, e.Failed(ctx, err)
	}
	v, ok := wire.Parse(body)
	if !ok {
		return nil, e.Failed(ctx, errors.New("the list of models is not JSON"))
	}
	var names []string
	for m := range v.Get("data").Elements() {
		if id := m.Get("id").Text(); id != "" {
			names = append(names, id)
		}
	}
	return names, nil
}

// Stream yields a reply; see llm.Provider.
func (p *Provider) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		err := p.stream(ctx, req, func(c llm.Chunk) bool { return yield(c, nil) })
		switch {
		case err == nil:
		case ctx.Err() != nil:
			yield(llm.Chunk{}, context.Cause(ctx))
		case errors.Is(err, errFiltered):
			yield(llm.Chunk{Finish: llm.Filtered}, nil)
		default:
			yield(llm.Chunk{}, err)
		}
	}
}

// stream yields chunks up to the one with the Finish, or returns why there is none. It
// returns nil when the consumer left.
func (p *Provider) stream(ctx context.Context, req llm.Request, yield func(llm.Chunk) bool) error {
	resp, err := p.ask(ctx, req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	d := newDecoder(resp.Body, len(req.Messages))
	defer d.stop()
	for {
		chunk, err := d.next()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return p.failed(ctx, req.Model, err)
		}
		stay := yield(chunk)
		if chunk.Finish != "" {
			wire.Drain(resp.Body)
			return nil
		}
		if !stay {
			return nil
		}
	}
}

// failed says what an error of a decoder means.
func (p *Provider) failed(ctx context.Context, model string, err error) error {
	e := p.asking(model, nil)
	var said *errorEvent
	if errors.As(err, &said) {
		return e.Refused(said.status, nil, said.body)
	}
	return e.Failed(ctx, err)
}

// ask sends the request; once more where the model is found to refuse one of its fields.
func (p *Provider) ask(ctx context.Context, req llm.Request) (*http.Response, error) {
	resp, err := p.post(ctx, req)
	var u *unsupported
	if errors.As(err, &u) {
		p.refused.add(req.Model, u.field)
		return p.post(ctx, req)
	}
	return resp, err
}

func (p *Provider) post(ctx context.Context, req llm.Request) (*http.Response, error) {
	body, optional := p.encode(req)
	e := p.asking(req.Model, optional)
	// Some gateways send events as plain text, or do not say what they send.
	return e.Post(ctx, e.URL("/chat/completions"), body, "text/event-stream", "application/json", "text/plain", "")
}

// asking returns the endpoint for a call of a model, to whom optional fields are sent.
func (p *Provider) asking(model string, optional []string) *wire.Endpoint {
	e := p.endpoint
	e.Classify = func(out *llm.Error, h http.Header, body []byte) {
		classify(out, h, refusal{answer: readAnswer(body), model: model, optional: optional, endpoint: &e})
	}
	return &e
}
