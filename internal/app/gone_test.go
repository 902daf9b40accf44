package app

import (
	"log/slog"
	"testing"

	"github.com/answerable/answerable/internal/llm/extractive"
)

// TestNoModelIsAskedForAnAssistantThatIsGone: conversations go on when the files of their
// assistant are no longer served. Its policies, what it must never say and its documents are
// gone with them, so no model may answer in its name.
func TestNoModelIsAskedForAnAssistantThatIsGone(t *testing.T) {
	o := Options{Config: DefaultConfig(), Version: "test", Log: slog.New(slog.DiscardHandler)}
	o.Config.Data = t.TempDir()
	o.Config.Models = []ModelConfig{{Provider: "openai", Model: "small", BaseURL: "http://127.0.0.1:1/v1"}}
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if p := a.Inbox.Runner("demo").Model.Plan(); p.Provider != "openai" {
		t.Errorf("the demo is answered for by %+v", p)
	}
	if p := a.Inbox.Runner("gone").Model.Plan(); p.Provider != extractive.Name {
		t.Errorf("what is gone is answered for by %+v", p)
	}
}
