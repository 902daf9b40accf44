package app

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/anthropic"
	"github.com/answerable/answerable/internal/llm/extractive"
	"github.com/answerable/answerable/internal/llm/gemini"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/llm/openai"
	"github.com/answerable/answerable/internal/llm/wire"
)

// vendors are the wire formats that models are asked in, in the order in which those of
// the environment are asked.
var vendors = []vendor{
	{"openai", "OPENAI", "gpt-5.4-mini", func(c wire.Config) (lister, error) { return openai.New(c) }},
	{"anthropic", "ANTHROPIC", "claude-haiku-4-5", func(c wire.Config) (lister, error) { return anthropic.New(c) }},
	{"gemini", "GEMINI", "gemini-2.5-flash", func(c wire.Config) (lister, error) { return gemini.New(c) }},
}

// models returns who answers, in order: the script, if there is one, or the models of the
// configuration. The last one is always extractive, which needs nothing and never fails.
func models(c Config, entries []ModelConfig, fake *llmtest.Script) (*llm.Client, error) {
	client := &llm.Client{Reason: "no model is configured", Limits: llm.Limits{FirstToken: c.Limits.Provider.FirstToken,
		Between: c.Limits.Provider.Between, Whole: c.Limits.Provider.Whole}, Hedge: c.Limits.Provider.Hedge}
	if fake != nil && fake.Over() == "" {
		client.Models, entries = llm.Only(fake.Provider()), nil
	}
	connections := wire.NewClient(c.Limits.Provider.Connect)
	for _, entry := range entries {
		m, err := entry.model(connections)
		if err != nil {
			return nil, err
		}
		client.Models = append(client.Models, m)
		client.Reason = "the first of those that are configured"
	}
	if fake != nil {
		client.Reason = "answers are scripted (--fake-provider)"
	}
	client.Models = append(client.Models, llm.Only(extractive.New())...)
	return client, nil
}

// fakeScript reads a script file, or the settings of one such as ttft=200ms,itl=20ms.
func fakeScript(fake string) (*llmtest.Script, error) {
	b, err := os.ReadFile(fake)
	if err == nil {
		return llmtest.Parse(fake, string(b))
	}
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(fake, "=") {
		return llmtest.ParseSpec(fake)
	}
	return nil, &chat.Error{Kind: chat.NotFound, Err: err,
		Message: "--fake-provider wants a script file (docs/scripted-provider.md) or settings such as ttft=200ms,itl=20ms"}
}
