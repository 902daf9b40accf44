package app

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/extractive"
	"github.com/answerable/answerable/internal/llm/llmtest"
)

// providers returns who answers, in order. The last one is always extractive, which
// needs nothing and never fails.
func providers(fake string) (*llm.Client, error) {
	if fake == "" {
		return &llm.Client{Models: llm.Only(extractive.New()), Reason: "no model is configured"}, nil
	}
	script, err := fakeScript(fake)
	if err != nil {
		return nil, err
	}
	return &llm.Client{Models: llm.Only(script.Provider(), extractive.New()), Reason: "answers are scripted (--fake-provider)"}, nil
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
