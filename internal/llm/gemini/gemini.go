// Package gemini asks Google's Gemini models over the Gemini API, streaming. Start with
// New and Provider.Stream.
package gemini

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

const (
	name    = "gemini"
	own     = "https://generativelanguage.googleapis.com"
	version = "/v1beta" // of the API
)

// Provider asks the models of one project. It may be used by many goroutines.
type Provider struct {
	endpoint wire.Endpoint
	extra    map[string]json.RawMessage
}

var versioned = regexp.MustCompile(`/v[0-9]+[a-z0-9]*$`)

// New returns a provider. It asks nobody yet; see Models.
func New(c wire.Config) (*Provider, error) {
	baseName := cmp.Or(c.BaseName, "GEMINI_BASE_URL")
	base, err := wire.ParseBase(c.Base, own, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", baseName, err)
	}
	if !versioned.MatchString(base.Path) {
		base.Path += version
	}
	p := &Provider{endpoint: wire.Endpoint{
		Provider: cmp.Or(c.Name, name),
		Base:     base,
		Key:      c.Key,
		Client:   c.Client,
		KeyName:  cmp.Or(c.KeyName, "GEMINI_API_KEY"),
		BaseName: baseName,
	}}
	if p.endpoint.Client == nil {
		p.endpoint.Client = wire.NewClient(5 * time.Second)
	}
	p.endpoint.Headers = func(h http.Header) {
		if c.Key != "" {
			h.Set("X-Goog-Api-Key", c.Key.Reveal()) // not into the address, which is logged on the way
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

// Models returns the names of the models that write text and that the key may use. It is
// also how to find out whether key and address are right.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	e := p.asking("")
	resp, err := e.Get(ctx, p.address("/models", "pageSize", "1000"), "application/json")
	if err != nil {
		return nil, p.endpoint.Failed(ctx, err)
	}
	defer resp.Body.Close()
	v, err := wire.Whole(resp.Body)
	if err != nil {
		return nil, p.endpoint.Failed(ctx, err)
	}
	var names []string
	for m := range v.Get("models").Elements() {
		for method := range m.Get("supportedGenerationMethods").Elements() {
			if method.Is("generateContent") {
				names = append(names, strings.TrimPrefix(m.Get("name").Text(), "models/"))
			}
		}
	}
	return names, nil
}

// Stream yields a reply; see llm.Provider. What the reply took to read is yielded as
// soon as it is known.
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
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	e := p.asking(req.Model)
	path := "/models/" + strings.TrimPrefix(req.Model, "models/") + ":streamGenerateContent"
	resp, err := e.Post(call, p.address(path, "alt", "sse"), body, "text/event-stream", "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	d := decoder{yield: yield, endpoint: e, hangUp: cancel}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "application/json" {
		v, err := wire.Whole(resp.Body)
		if err != nil {
			return err
		}
		return d.array(v)
	}
	return d.events(ctx, resp.Body)
}

// address returns that of a path of the API, with a parameter.
func (p *Provider) address(path, key, value string) string {
	u := *p.endpoint.Base
	u.Path += path
	q, _ := url.ParseQuery(u.RawQuery)
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// asking returns the endpoint for a call of a model, whose errors then name it.
func (p *Provider) asking(model string) *wire.Endpoint {
	e := p.endpoint
	e.Classify = func(out *llm.Error, _ http.Header, body []byte) { classify(&e, model, out, body) }
	return &e
}
