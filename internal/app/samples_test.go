package app_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/eval"
)

// golden asks the golden cases of an assistant without a language model.
func golden(t *testing.T, dir string) app.GoldenRun {
	t.Helper()
	o := app.Options{Config: app.DefaultConfig(), Dir: dir, Log: slog.New(slog.DiscardHandler), Extractive: true}
	r, err := app.Golden(t.Context(), o, nil, func(_ string, all []assistant.Case) ([]assistant.Case, error) { return all, nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every sample, and every step that has documents, answers and refuses most of its golden
// cases without a language model, and hands over where it must.
func TestSamplesPassTheirGoldenCases(t *testing.T) {
	var dirs []string
	for _, pattern := range []string{"samples/*/assistant.yaml", "steps/*/golden"} {
		found, err := filepath.Glob(filepath.Join(root, "assistants", pattern))
		if err != nil || len(found) < 2 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		for _, f := range found {
			dirs = append(dirs, filepath.Dir(f))
		}
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r := golden(t, dir)
			for _, want := range []struct {
				row   eval.Row
				least float64
			}{{r.Answered, .8}, {r.Refused, .8}, {r.HandedOver, 1}} {
				if want.row.All.Rate != nil && *want.row.All.Rate < want.least {
					t.Errorf("%s: %d of %d, want a share of %v", want.row.Name, want.row.All.Passed, want.row.All.N, want.least)
				}
			}
			for _, g := range r.Failed {
				t.Logf("%s: %s", g.ID, g.Why)
			}
		})
	}
}

// The demo answers four in five of its questions from a right source without a language
// model, refuses four in five of those that its articles do not answer, and hands over
// where its policy says so.
func TestTheDemoPassesItsGoldenCases(t *testing.T) {
	r := golden(t, "")
	for _, want := range []struct {
		row   eval.Row
		least float64
	}{{r.Sourced, .8}, {r.Refused, .8}, {r.HandedOver, 1}} {
		t.Logf("%s: %d of %d", want.row.Name, want.row.All.Passed, want.row.All.N)
		if *want.row.All.Rate < want.least {
			t.Errorf("%s: %d of %d, want a share of %v", want.row.Name, want.row.All.Passed, want.row.All.N, want.least)
		}
	}
}

// The first step has no documents: a model answers from what it knows, and nothing is cited.
func TestAnAssistantOfAPromptOnly(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script.txt")
	if err := os.WriteFile(script, []byte("Hello, I am Wren. A library lends books.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := app.DefaultConfig()
	cfg.Data = t.TempDir()
	o := app.Options{Config: cfg, Dir: filepath.Join(root, "assistants/steps/1-prompt-only"), FakeProvider: script, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := app.Connect(ctx, o)
	must(t, err)
	defer c.Close()
	id, err := c.Start(ctx, "", true)
	must(t, err)
	_, err = c.Send(ctx, id, "What is a library?")
	must(t, err)
	for e, err := range c.Events(ctx, id, 0) {
		must(t, err)
		switch e.Kind {
		case chat.KindCitation:
			t.Errorf("something is cited: %s", e.Body)
		case chat.KindTurnEnded:
			end, err := chat.Decode[chat.TurnEnded](e)
			if err != nil || end.Outcome != chat.Answered || end.Text != "Hello, I am Wren. A library lends books." {
				t.Errorf("the turn ended as %+v, %v", end, err)
			}
			return
		}
	}
}

// Each layer can be taken away, and the others go on without it.
func TestLayersCanBeOff(t *testing.T) {
	passed := func(dir string) map[string]bool {
		m := map[string]bool{}
		for _, g := range golden(t, dir).Cases {
			m[g.ID] = g.Passed
		}
		return m
	}
	copied := func() string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "assistants/steps/3-policies"))); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	t.Run("policies", func(t *testing.T) {
		dir := copied()
		if err := os.RemoveAll(filepath.Join(dir, "policies")); err != nil {
			t.Fatal(err)
		}
		if got := passed(dir); got["lawyer"] || !got["open-saturday"] {
			t.Errorf("passed: %v; want no policy, and the documents", got)
		}
	})
	t.Run("prompts", func(t *testing.T) {
		dir := copied()
		if err := os.RemoveAll(filepath.Join(dir, "prompts")); err != nil {
			t.Fatal(err)
		}
		if got := passed(dir); !got["lawyer"] || !got["open-saturday"] {
			t.Errorf("passed: %v; want both", got)
		}
	})
	t.Run("knowledge", func(t *testing.T) {
		dir := copied()
		cases := "- {id: lawyer, question: This goes to my lawyer, expect: hand_over}\n- {id: open, question: When are you open, expect: answer, contains: [\"10:00\"]}\n"
		for name, text := range map[string]string{"assistant.yaml": "knowledge: []\n", "golden/cases.yaml": cases} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.RemoveAll(filepath.Join(dir, "knowledge")); err != nil {
			t.Fatal(err)
		}
		if got := passed(dir); !got["lawyer"] || got["open"] {
			t.Errorf("passed: %v; want the policy, and no documents", got)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
