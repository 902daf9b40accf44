// Package app puts the server together: kinds.go is the table of contents, New builds
// everything in the order of its dependencies, Run runs it and stops it in order.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// Options are what differs between two runs.
type Options struct {
	Config       Config
	Dir          string // of assistants or documents; "" for what was ingested, or the demo
	FakeProvider string // a script or its settings; "" for none
	Extractive   bool   // no language model is asked, whatever is configured
	Resume       bool   // a server: it goes on with turns that dead processes left open
	Version      string
	Log          *slog.Logger
	// Progress is told how far long work is; nil is allowed. Total is -1 where nobody knows
	// it. The last call of a work has done = total; with 0 and 0, what is a remark.
	Progress func(what string, done, total int64)
}

// App is a running process's parts. Close it.
type App struct {
	Options
	Store   *store.Store
	Feed    *feed.Feed
	Inbox   *inbox.Inbox
	Library *Library

	Models *llm.Client

	entries []ModelConfig // those of Models, but for extractive
	notices *notices
	key     store.Key
	lock    *lock       // of the data directory; nil on PostgreSQL
	fake    *fakeVendor // or nil
}

// New opens the store, reads the assistants and their documents, and puts the parts
// together. Nothing runs yet.
func New(ctx context.Context, o Options) (_ *App, err error) {
	a := &App{Options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := a.openModels(); err != nil {
		return nil, err
	}
	if err := a.open(ctx); err != nil {
		return nil, err
	}
	a.Feed = &feed.Feed{Log: a.Store}
	a.Store.Announce = a.Feed.Publish
	a.notices = &notices{store: a.Store}
	if err := a.notices.read(ctx); err != nil {
		return nil, err
	}
	a.Library = newLibrary(a.Store, o.Config.Data, o.Log)
	a.Library.runner = a.runner
	if err := a.Library.Load(ctx, o.Dir, o.Progress); err != nil {
		return nil, err
	}
	gone, err := a.runner(&assistant.Assistant{}, nil)
	if err != nil {
		return nil, err
	}
	a.Inbox = &inbox.Inbox{
		Store: a.Store, Node: chat.NewNodeID(), Shared: a.Store.Shared(), Resumes: o.Resume,
		Runner: func(name string) *turn.Runner {
			if s := a.Library.snapshot(name); s != nil {
				return s.runner
			}
			return gone // its files are no longer served; it knows nothing and says so
		},
		Limits: inbox.Limits{Message: o.Config.Limits.MessageBytes, Stop: o.Config.Limits.Stop},
		Log:    o.Log,
	}
	return a, nil
}

// runner returns what answers for an assistant with these documents.
func (a *App) runner(as *assistant.Assistant, g *knowledge.Generation) (*turn.Runner, error) {
	if err := a.checkModels(as); err != nil {
		return nil, err
	}
	policies, err := guard.NewPolicies(as.Policies)
	if err != nil {
		panic("app: policies of an assistant that was not validated: " + err.Error())
	}
	whole := as.Limits.Turn
	if whole == 0 {
		whole = a.Config.Limits.Turn
	}
	name := as.Name
	rules := turn.Rules{Unit: as.Unit, Forbidden: as.Never(), Reply: as.Limits.ReplyTokens, Canary: a.key.Derive("canary of " + name),
		Languages: as.LanguageCodes(), Lines: linesOf(as)}
	if a.FakeProvider != "" {
		// A script does not know the documents: its words pass, and are flagged.
		rules.Claims.Uncited = guard.Flag
	}
	r := &turn.Runner{
		Assistant: name, Company: as.Company, Release: as.Release, Build: a.build(), Store: turnStore{a.Store}, Model: a.modelsOf(as), Rules: rules, Policies: policies,
		Persona: turn.Persona{Name: as.Persona.Name, Style: as.Persona.Style, Languages: as.Languages, Tell: as.Tell(), Instructions: as.Instructions},
		Limits: turn.Limits{Whole: whole, Passages: as.Limits.Passages, Tokens: as.Limits.PassageTokens,
			Calls: a.Config.Limits.Calls, Paid: a.Config.Limits.Tokens},
		Notices: func(at time.Time) []chat.Notice { return a.notices.InForce(name, at) },
		Price:   cost(a.entries),
		Log:     a.Log,
	}
	if g != nil && g.Chunks() > 0 {
		r.Knowledge = g
	}
	return r, nil
}

// linesOf returns an assistant's own lines as turns say them. Of two locales of a language
// the plain one goes first.
func linesOf(as *assistant.Assistant) []turn.Line {
	var all []turn.Line
	for _, plain := range []bool{true, false} {
		for _, l := range as.Lines {
			if strings.Contains(l.Locale, "-") != plain {
				all = append(all, turn.Line{Language: assistant.BaseOf(l.Locale), Nothing: l.Nothing, Handover: l.Handover,
					Interrupted: l.Interrupted, Failed: l.Failed, Off: l.Off})
			}
		}
	}
	return all
}

// build names this binary in records and journals.
func (a *App) build() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return a.Version + " " + s.Value
			}
		}
	}
	return a.Version
}

// turnStore is the store as package turn sees it.
type turnStore struct{ *store.Store }

func (s turnStore) Stream(o chat.OpenTurn) turn.Stream { return s.Store.Stream(o) }

// open opens the store. The data directory is this process's alone; on PostgreSQL other
// nodes may use the same database.
func (a *App) open(ctx context.Context) error {
	c := a.Config
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return &chat.Error{Kind: chat.Unavailable, Err: err,
			Message: fmt.Sprintf("cannot make the data directory %s: make its parent writable for this user, or name another with --data", c.Data)}
	}
	if c.Postgres.Reveal() == "" {
		l, err := lockData(c.Data)
		if err != nil {
			return err
		}
		a.lock = l
	}
	key, err := InstallationKey(c)
	if err != nil {
		return err
	}
	a.key = key
	a.Store, err = store.Open(ctx, store.Options{Dir: c.Data, Postgres: c.Postgres.Reveal(), Key: key, Log: a.Log})
	return err
}

// InstallationKey returns the key that seals what is stored.
func InstallationKey(c Config) (store.Key, error) {
	if k := os.Getenv(keyVariable); k != "" {
		key, err := store.ParseKey(k)
		if err != nil {
			return key, fmt.Errorf("ANSWERABLE_KEY: %w", err)
		}
		return key, nil
	}
	if f := os.Getenv(keyFileVariable); f != "" {
		b, err := os.ReadFile(f)
		if err != nil {
			return store.Key{}, &chat.Error{Kind: chat.NotFound, Message: "the file that ANSWERABLE_KEY_FILE names cannot be read", Err: err}
		}
		key, err := store.ParseKey(string(b))
		if err != nil {
			return key, fmt.Errorf("ANSWERABLE_KEY_FILE: %s: %w", f, err)
		}
		return key, nil
	}
	if c.Postgres.Reveal() != "" {
		return store.Key{}, &chat.Error{Kind: chat.Invalid, Message: "with --postgres, set ANSWERABLE_KEY or ANSWERABLE_KEY_FILE: the key that seals what is stored must be the same on every node (make one with: openssl rand -hex 32)"}
	}
	key, err := store.DevelopmentKey(c.Data)
	if chat.KindOf(err) == chat.Internal && errors.Is(err, fs.ErrPermission) {
		return key, cannotRead(c.Data, err)
	}
	return key, err
}

// OpenReading opens the store for reading, beside a running server or without one.
func OpenReading(ctx context.Context, c Config) (*store.Store, error) {
	if c.Postgres.Reveal() == "" {
		_, err := os.Stat(filepath.Join(c.Data, store.File))
		if errors.Is(err, fs.ErrPermission) {
			return nil, cannotRead(c.Data, err)
		}
		if err != nil {
			return nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no database in %s yet: start the server once, or name its directory with --data", c.Data)}
		}
	}
	key, err := InstallationKey(c)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Options{Dir: c.Data, Postgres: c.Postgres.Reveal(), Key: key, ReadOnly: true})
}

// Run answers messages until ctx ends, and then lets running turns finish.
func (a *App) Run(ctx context.Context) error {
	if err := a.Inbox.Join(ctx); err != nil {
		return err
	}
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stop()
		return a.Inbox.Run(ctx)
	})
	g.Go(func() error {
		return a.Store.Listen(listening, store.Heard{Hint: a.hint, Signal: a.signal, Settings: a.settingsChanged, Joined: a.joined})
	})
	g.Go(func() error { return collectRarely(listening) })
	g.Go(func() error { return a.noteKeys(listening) })
	if a.Resume {
		g.Go(func() error { return a.dropUnsent(listening) })
		g.Go(func() error {
			again := make(chan os.Signal, 1)
			signal.Notify(again, syscall.SIGHUP)
			defer signal.Stop(again)
			return a.Library.Watch(ctx, again)
		})
	}
	if a.fake != nil {
		g.Go(func() error { return a.fake.serve(listening) })
	}
	return g.Wait()
}

// keepUnsent is how long a file may wait for the message that it is meant for.
const keepUnsent = 24 * time.Hour

// dropUnsent removes files that never became part of a message, at once and every hour.
func (a *App) dropUnsent(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, err := a.Store.DropUnsent(ctx, time.Now().Add(-keepUnsent)); err != nil && ctx.Err() == nil {
			a.Log.Warn("files that were not sent could not be dropped", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// joined is told that what other nodes said until now was lost.
func (a *App) joined() {
	a.Feed.HintAll()
	a.settingsChanged()
}

// hint is told that another node wrote to a conversation.
func (a *App) hint(id chat.ConversationID, seq int64) {
	a.Feed.Hint(id, seq)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.Inbox.Look(ctx, id); err != nil {
		a.Log.Warn("another node's news could not be read", "conversation", id, "error", err)
	}
}

// signal is told what was signalled on another node.
func (a *App) signal(id chat.ConversationID, e chat.Event) {
	a.Feed.Signal(id, e)
	a.Inbox.Signal(id, e)
}

// Close closes the store and gives the data directory back.
func (a *App) Close() error {
	var errs []error
	if a.fake != nil {
		errs = append(errs, a.fake.listener.Close())
	}
	if a.Store != nil {
		errs = append(errs, a.Store.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.release())
	}
	return errors.Join(errs...)
}
