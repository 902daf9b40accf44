package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/eval"
	"github.com/answerable/answerable/internal/store"
)

// GoldenRun is an assistant's golden cases, asked.
type GoldenRun struct {
	Assistant  string `json:"assistant"`
	Release    string `json:"release"`
	Generation string `json:"generation"`
	eval.GoldenResult
}

// Baseline returns which cases passed.
func (r GoldenRun) Baseline() eval.Baseline {
	b := eval.Baseline{Assistant: r.Assistant, Release: r.Release, Cases: map[string]bool{}}
	for _, g := range r.Cases {
		b.Cases[g.ID] = g.Passed
	}
	return b
}

// Golden asks the golden cases of the assistant in o.Dir, or of the demo, that pick lets
// through; with files, names or patterns, those that are in them. Each is a turn like any other, in a test conversation of its own; what they
// need is in a folder that is removed afterwards, so that nothing of a server's is touched.
func Golden(ctx context.Context, o Options, files []string, pick func(assistant.Case) bool, progress func(done, total int)) (_ GoldenRun, err error) {
	dir, err := os.MkdirTemp("", "answerable-golden-")
	if err != nil {
		return GoldenRun{}, fmt.Errorf("make a folder for the test conversations: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Config.Data, o.Config.Postgres, o.Resume = filepath.Join(dir, "data"), config.Secret(""), false
	a, err := New(ctx, o)
	if err != nil {
		return GoldenRun{}, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	r, err := a.golden(ctx, files, pick, progress)
	stop()
	if ended := <-done; !errors.Is(ended, context.Canceled) { // it may not have begun
		err = errors.Join(err, ended)
	}
	return r, errors.Join(err, a.Close())
}

func (a *App) golden(ctx context.Context, files []string, pick func(assistant.Case) bool, progress func(done, total int)) (GoldenRun, error) {
	all := a.Library.snapshots()
	if len(all) != 1 {
		return GoldenRun{}, &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("%s holds %d assistants: name the folder of one of them", a.Dir, len(all))}
	}
	as, g := all[0].Assistant, all[0].generation
	cases, err := as.Golden()
	if len(files) > 0 {
		cases, err = casesIn(as, files)
	}
	if err != nil {
		return GoldenRun{}, err
	}
	if len(cases) == 0 {
		return GoldenRun{}, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("%s has no golden cases: write some into %s (docs/golden.md says how)",
			as.Dir, filepath.Join(as.Dir, assistant.GoldenFolder, "cases.yaml"))}
	}
	r := GoldenRun{Assistant: as.Name, Release: as.Release}
	if g != nil {
		r.Generation = g.ID()
		if err := checkCited(cases, func(id string) bool { _, ok := g.Document(id); return ok }); err != nil {
			return r, err
		}
	}
	cases = slices.DeleteFunc(cases, func(c assistant.Case) bool { return !pick(c) })
	if len(cases) == 0 {
		return r, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("none of the golden cases of %s is meant by --tag and --case", as.Dir)}
	}
	ask := func(ctx context.Context, c assistant.Case) (chat.Turn, error) { return a.askCase(ctx, as.Name, c) }
	r.GoldenResult, err = eval.Golden(ctx, cases, runtime.GOMAXPROCS(0), ask, progress)
	return r, err
}

// casesIn reads cases for an assistant from files elsewhere, by name or pattern.
func casesIn(as *assistant.Assistant, patterns []string) ([]assistant.Case, error) {
	var files []assistant.OwnFile
	for _, p := range patterns {
		names, err := filepath.Glob(p)
		if err != nil || len(names) == 0 {
			return nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no file %q: name files of golden cases, or a pattern such as 'more/*.yaml'", p), Err: err}
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read the golden cases in %s: %w", name, err)
			}
			files = append(files, assistant.OwnFile{Path: name, Data: data})
		}
	}
	return as.CasesIn(files)
}

// checkCited checks that what cases want cited can be: a file that was skipped is no
// document.
func checkCited(cases []assistant.Case, document func(id string) bool) error {
	var missing []string
	for _, c := range cases {
		for _, s := range c.Sources {
			if !document(s) {
				missing = append(missing, fmt.Sprintf("%s wants %s cited", c.ID, s))
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &chat.Error{Kind: chat.Invalid, Message: "some sources are no documents, for the reason why each was skipped: name others (" + strings.Join(missing, "; ") + ")"}
}

// askCase has a case answered in a conversation of its own, behind its history, and
// returns the record.
func (a *App) askCase(ctx context.Context, name string, c assistant.Case) (chat.Turn, error) {
	id := chat.NewConversationID()
	_, hash := access.NewToken(id)
	if _, err := a.Store.Create(ctx, store.NewConversation{ID: id, Assistant: name, TokenHash: hash, Test: true}); err != nil {
		return chat.Turn{}, err
	}
	if err := a.tell(ctx, id, c.History); err != nil {
		return chat.Turn{}, fmt.Errorf("tell what was said before: %w", err)
	}
	m, err := a.Inbox.Accept(ctx, chat.Incoming{Conversation: id, Text: chat.Text(c.Question)})
	if err != nil {
		return chat.Turn{}, err
	}
	for e, err := range a.Feed.Follow(ctx, id, m.Seq) {
		if err != nil {
			return chat.Turn{}, err
		}
		if e.Kind == chat.KindTurnEnded && e.Turn == m.Message.Turn {
			past, err := a.Store.Turn(ctx, e.Turn)
			return past.Record, err
		}
	}
	return chat.Turn{}, ctx.Err()
}

// tell makes a history part of a conversation, as if it had been said there: each answer
// ends the turn of the messages before it.
func (a *App) tell(ctx context.Context, id chat.ConversationID, said []assistant.Said) error {
	for len(said) > 0 {
		var open chat.Fence
		for len(said) > 0 && said[0].Customer != "" {
			m, err := a.Store.Accept(ctx, chat.Incoming{Conversation: id, Text: chat.Text(said[0].Customer), Node: a.Inbox.Node}, nil)
			if err != nil {
				return err
			}
			c := m.Open.Conversation
			open, said = chat.Fence{Conversation: id, Customer: c.Customer, Term: c.Term, Turn: m.Message.Turn}, said[1:]
		}
		var answer []string
		for len(said) > 0 && said[0].Assistant != "" {
			answer, said = append(answer, said[0].Assistant), said[1:]
		}
		text := chat.Text(strings.Join(answer, "\n\n"))
		if _, err := a.Store.Settle(ctx, open, chat.Ending{Record: chat.Turn{ID: open.Turn, Test: true, Shown: text, Outcome: chat.Answered}, State: chat.Completed}); err != nil {
			return err
		}
	}
	return nil
}
