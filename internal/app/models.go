package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/llm/wire"
)

// ModelConfig is one language model.
type ModelConfig struct {
	// The API that it speaks.
	Provider string `yaml:"provider" oneof:"openai,anthropic,gemini" need:"it is one of openai, anthropic, gemini"`
	// What it is called in records, in metrics and by assistants. Default: that of the
	// provider.
	Name string `yaml:"name"`
	// The vendor's name of it. Default: the vendor's small one; of a local server its first.
	Model string `yaml:"model"`
	// The address of the API. Default: that of the environment, or the vendor's.
	BaseURL string `yaml:"base_url"`
	// The environment variable that has the key. Default: the vendor's, such as
	// OPENAI_API_KEY.
	KeyEnv string `yaml:"key_env"`
	// Further headers of each request, as in "X-Title: shop". Default: none.
	Headers []Header `yaml:"headers"`
	// Further fields of each request, as a JSON object in quotes. Default: none.
	Extra Object `yaml:"extra"`
	// Tokens that the model takes and gives together; 0 is unknown.
	Window int `yaml:"window" between:"0,100000000"`
	// What a million tokens cost, in dollars. Default: unknown.
	Price Price `yaml:"price"`

	key      config.Secret // of the environment
	keyName  string
	baseName string
}

// Price is what a million tokens cost, in dollars.
type Price struct {
	// Of what a model is told.
	Input Dollars `yaml:"input"`
	// Of what it writes.
	Output Dollars `yaml:"output"`
	// Of what it is told and had in its cache. Default: as input.
	Cached Dollars `yaml:"cached"`
}

// Dollars are written 0.15.
type Dollars struct{ chat.Money }

func (d *Dollars) UnmarshalText(text []byte) error {
	f, err := strconv.ParseFloat(strings.TrimPrefix(string(text), "$"), 64)
	if err != nil || f < 0 || f > 1e6 || math.IsNaN(f) {
		return fmt.Errorf("want dollars for a million tokens, such as 0.15, not %q", text)
	}
	d.Money = chat.Money(math.Round(f * 1e6))
	return nil
}

func (d Dollars) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d.Money)/1e6, 'f', -1, 64), nil
}

// Header is written "Name: value".
type Header struct{ Name, Value string }

func (h *Header) UnmarshalText(text []byte) error {
	name, value, ok := strings.Cut(string(text), ":")
	h.Name, h.Value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || h.Name == "" || strings.ContainsAny(h.Name, " \t") {
		return fmt.Errorf("want a header such as \"X-Title: shop\"")
	}
	return nil
}

// MarshalText masks the value, which may be a key.
func (h Header) MarshalText() ([]byte, error) { return []byte(h.Name + ": (secret)"), nil }

// Object is a JSON object.
type Object map[string]any

func (o *Object) UnmarshalText(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode((*map[string]any)(o)); err != nil || *o == nil || d.More() {
		return errors.New(`want a JSON object in quotes, such as '{"reasoning_effort": "low"}'`)
	}
	return nil
}

var environmentName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,63}$`)

// Validate checks what a type alone does not say.
func (m ModelConfig) Validate() error {
	var errs []error
	if _, err := wire.ParseBase(m.BaseURL, "https://api.example.com", ""); err != nil {
		errs = append(errs, config.At("base_url", "%w", err))
	}
	switch {
	case m.KeyEnv == "":
	case !environmentName.MatchString(m.KeyEnv):
		errs = append(errs, config.At("key_env", "want the name of an environment variable that has the key, such as GROQ_API_KEY, not the key itself"))
	case os.Getenv(m.KeyEnv) == "":
		errs = append(errs, config.At("key_env", "the environment variable %s is not set: set it to the key, or leave key_env out", m.KeyEnv))
	}
	return errors.Join(errs...)
}

// is reports whether two entries are one to records and breakers.
func (m ModelConfig) is(n ModelConfig) bool {
	return cmp.Or(m.Name, m.Provider) == cmp.Or(n.Name, n.Provider) && m.Model == n.Model
}

// fromEnvironment completes an entry with what the environment says of its vendor.
func (m ModelConfig) fromEnvironment(v vendor) ModelConfig {
	m.Provider = v.name
	m.keyName, m.baseName = v.prefix+"_API_KEY", v.prefix+"_BASE_URL"
	if m.BaseURL == "" {
		m.BaseURL = os.Getenv(m.baseName)
	} else {
		m.baseName = "base_url of models"
	}
	if m.KeyEnv != "" {
		m.keyName = m.KeyEnv
	}
	m.key = config.Secret(strings.TrimSpace(os.Getenv(m.keyName)))
	if m.Model == "" {
		m.Model = os.Getenv(v.prefix + "_MODEL")
	}
	if m.Model == "" && m.BaseURL == "" {
		m.Model = v.model
	}
	if m.Name == "" {
		m.Name = v.name
	}
	return m
}

// configured returns the models in the order in which they are asked: those of the file,
// or else those whose key or base URL is in the environment.
func configured(entries []ModelConfig) []ModelConfig {
	var all []ModelConfig
	for _, m := range entries {
		for _, v := range vendors {
			if v.name == m.Provider {
				all = append(all, m.fromEnvironment(v))
			}
		}
	}
	if len(entries) > 0 {
		return all
	}
	for _, v := range vendors {
		if m := (ModelConfig{}).fromEnvironment(v); m.key != "" || m.BaseURL != "" {
			all = append(all, m)
		}
	}
	return all
}

// vendor is a wire format: its name, what its environment variables begin with, the model
// that is asked where none is named, and its constructor.
type vendor struct {
	name, prefix, model string
	open                func(wire.Config) (lister, error)
}

// lister is a provider that can say which models it has.
type lister interface {
	llm.Provider
	Models(ctx context.Context) ([]string, error)
}

// open returns the provider of an entry.
func (m ModelConfig) open(client *http.Client) (lister, error) {
	c := wire.Config{Name: m.Name, Base: m.BaseURL, Key: m.key, Extra: m.Extra, Client: client, KeyName: m.keyName, BaseName: m.baseName}
	for _, h := range m.Headers {
		if c.Headers == nil {
			c.Headers = map[string]string{}
		}
		c.Headers[h.Name] = h.Value
	}
	for _, v := range vendors {
		if v.name == m.Provider {
			return v.open(c)
		}
	}
	return nil, fmt.Errorf("there is no provider called %q", m.Provider)
}

// model returns what the client asks for an entry.
func (m ModelConfig) model(client *http.Client) (llm.Model, error) {
	p, err := m.open(client)
	if err != nil {
		return llm.Model{}, fmt.Errorf("model %s: %w", m.Name, err)
	}
	if m.Model == "" {
		return llm.Model{Provider: newFirstOf(p), Window: m.Window}, nil
	}
	return llm.Model{Provider: p, Name: m.Model, Window: m.Window}, nil
}

// firstOf asks the first model that a provider has: a local server often has but one,
// whose name nobody wants to write down twice.
type firstOf struct {
	lister
	model chan string // has the name once it is known, or "": who takes it out puts it back
}

func newFirstOf(p lister) firstOf {
	f := firstOf{p, make(chan string, 1)}
	f.model <- ""
	return f
}

func (f firstOf) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		name, err := f.first(ctx)
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		req.Model = name
		for c, err := range f.lister.Stream(ctx, req) {
			if !yield(c, err) {
				return
			}
		}
	}
}

func (f firstOf) first(ctx context.Context) (name string, err error) {
	select {
	case name = <-f.model:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { f.model <- name }()
	if name != "" {
		return name, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	names, err := f.Models(ctx)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", &llm.Error{Provider: f.Name(), Fault: llm.Broken, Err: errors.New("it has no model"), Advice: "load one on that server, or name one"}
	}
	return names[0], nil
}

// cost returns what an attempt costs by the prices of the configuration; 0 where they
// are unknown.
func cost(models []ModelConfig) func(provider, model string, u chat.Usage) chat.Money {
	return func(provider, model string, u chat.Usage) chat.Money {
		for _, m := range models {
			if m.Name == provider && (m.Model == model || m.Model == "") {
				return m.Price.of(u)
			}
		}
		return 0
	}
}

// of returns the price of so many tokens, rounded up to a micro-dollar.
func (p Price) of(u chat.Usage) chat.Money {
	cached := p.Cached.Money
	if cached == 0 {
		cached = p.Input.Money
	}
	sum := int64(u.Input-u.Cached)*int64(p.Input.Money) + int64(u.Cached)*int64(cached) + int64(u.Output)*int64(p.Output.Money)
	return chat.Money((sum + 999_999) / 1_000_000)
}

// fakeVendor is a vendor's API on this machine that answers from a script.
type fakeVendor struct {
	listener net.Listener
	script   *llmtest.Script
}

func (f *fakeVendor) serve(ctx context.Context) error {
	server := &http.Server{Handler: f.script.Handler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(f.listener); !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("serve the scripted answers: %w", err)
	}
	return nil
}

// modelsOf returns who answers for an assistant: all models, or those that its file names,
// in its order. A script answers for every assistant.
func (a *App) modelsOf(as *assistant.Assistant) *llm.Client {
	if len(as.Models) == 0 || a.FakeProvider != "" || a.Extractive {
		return a.Models
	}
	var chain []llm.Model
	for _, name := range as.Models {
		for i, entry := range a.entries {
			if entry.called(name) {
				chain = append(chain, a.Models.Models[i]) // they are in the order of the entries
			}
		}
	}
	reason := "the first of those that " + assistant.File + " names"
	if len(chain) == 0 {
		reason = assistant.File + " names no language model"
	}
	last := a.Models.Models[len(a.entries):] // extractive
	return a.Models.Of(append(chain, last...), reason)
}

// checkModels checks that there are the models that an assistant names.
func (a *App) checkModels(as *assistant.Assistant) error {
	if a.FakeProvider != "" || a.Extractive {
		return nil
	}
	return checkModels(as, a.entries)
}

// called reports whether an assistant means this entry by a name.
func (m ModelConfig) called(name string) bool { return name == m.Name || name == m.Model }

// checkModels checks that the server has the models that an assistant names.
func checkModels(as *assistant.Assistant, entries []ModelConfig) error {
	var errs []error
	names := []string{assistant.Extractive}
	for _, entry := range entries {
		names = append(names, entry.Name)
	}
	for i, name := range as.Models {
		if name == assistant.Extractive || slices.ContainsFunc(entries, func(m ModelConfig) bool { return m.called(name) }) {
			continue
		}
		hint := config.Meant(name, names)
		if hint == "" {
			hint = "; it has " + strings.Join(names, ", ") + "; add it to models in " + ConfigFile + ", or put its key into the environment"
		}
		errs = append(errs, as.Wrong(fmt.Sprintf("models[%d]", i), "this server has no model %q%s", name, hint))
	}
	return config.Join(errs...)
}

// openModels reads who answers from the configuration, or from a script.
func (a *App) openModels() (err error) {
	var script *llmtest.Script
	if !a.Extractive {
		a.entries = configured(a.Config.Models)
	}
	if a.FakeProvider != "" {
		if script, err = fakeScript(a.FakeProvider); err != nil {
			return err
		}
		a.entries = nil
	}
	if script != nil && script.Over() != "" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for the scripted answers: %w", err)
		}
		a.fake = &fakeVendor{listener, script}
		a.entries = []ModelConfig{{Provider: script.Over(), Name: llmtest.Name, Model: llmtest.Name, BaseURL: "http://" + listener.Addr().String()}}
	}
	a.Models, err = models(a.Config, a.entries, script)
	return err
}
