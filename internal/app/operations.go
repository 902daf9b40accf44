package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// notices are what operators tell customers for a time, as the store had them last. They
// are read at every answer, and rarely change.
type notices struct {
	store *store.Store

	mu  sync.RWMutex
	all []chat.Notice
}

// read takes the notices from the store. Call it when they have changed.
func (b *notices) read(ctx context.Context) error {
	b.mu.Lock() // also while it reads: of two that change them, the later one has the last word
	defer b.mu.Unlock()
	all, err := b.store.Notices(ctx, chat.Now())
	if err == nil {
		b.all = all
	}
	return err
}

// InForce returns the notices of an assistant at a time, the newest last.
func (b *notices) InForce(assistant string, at time.Time) []chat.Notice {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []chat.Notice
	for _, n := range b.all {
		if n.InForce(chat.Time{Time: at}) && (n.Assistant == "" || n.Assistant == assistant) {
			out = append(out, n)
		}
	}
	return out
}

func (b *notices) All(ctx context.Context) ([]chat.Notice, error) {
	return b.store.Notices(ctx, chat.Now())
}

func (b *notices) Add(ctx context.Context, n chat.Notice) error {
	if err := b.store.AddNotice(ctx, n); err != nil {
		return err
	}
	return b.read(ctx)
}

func (b *notices) Remove(ctx context.Context, id string) error {
	if err := b.store.RemoveNotice(ctx, id); err != nil {
		return err
	}
	return b.read(ctx)
}

// settingsChanged reads again what operators have set on another node.
func (a *App) settingsChanged() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.notices.read(ctx); err != nil {
		a.Log.Warn("the notices could not be read: those known before stay", "error", err)
	}
	a.Library.Told()
}

// Switches are what is switched off, and what could be.
type Switches struct {
	Assistants []string   `json:"assistants"`
	Off        []chat.Off `json:"off"`
}

// Switched tells what is switched off: the running server, or the store.
func Switched(ctx context.Context, o Options) (Switches, error) {
	return operate(ctx, o, func(r *remote) (out Switches, err error) {
		return out, r.call(ctx, "GET", "/api/off", nil, &out)
	}, switchesOf)
}

// switchesOf reads what is switched off. Assistants are those that were ever published.
func switchesOf(ctx context.Context, s *store.Store) (Switches, error) {
	out := Switches{Assistants: []string{}}
	published, err := s.Published(ctx, 1000)
	if err != nil {
		return out, err
	}
	for _, p := range published {
		out.Assistants = append(out.Assistants, p.Assistant)
	}
	slices.Sort(out.Assistants)
	out.Assistants = slices.Compact(out.Assistants)
	out.Off, err = s.SwitchedOff(ctx)
	return out, err
}

// SwitchOff switches off.Assistant off, or all, and returns what is off then.
func SwitchOff(ctx context.Context, o Options, off chat.Off) (Switches, error) {
	if err := off.Check(); err != nil {
		return Switches{}, err
	}
	return operate(ctx, o, func(r *remote) (out Switches, err error) {
		body := map[string]any{"to": off.To, "reason": off.Reason, "line": off.Line}
		return out, r.call(ctx, "POST", "/api/off", which(body, off.Assistant), &out)
	}, func(ctx context.Context, s *store.Store) (Switches, error) {
		off.By, off.At = thisMachine, chat.Now()
		say := func(_ string, said []chat.Message) (chat.Text, chat.Entry) {
			return new(turn.Runner).Silence(off, said)
		}
		if _, err := s.SwitchOff(ctx, off, say); err != nil {
			return Switches{}, err
		}
		return switchesOf(ctx, s)
	})
}

// SwitchOn switches an assistant on again, or with "" all, and returns what is off then.
func SwitchOn(ctx context.Context, o Options, name string) (Switches, error) {
	return operate(ctx, o, func(r *remote) (out Switches, err error) {
		return out, r.call(ctx, "POST", "/api/on", which(map[string]any{}, name), &out)
	}, func(ctx context.Context, s *store.Store) (Switches, error) {
		if err := s.SwitchOn(ctx, name); err != nil {
			return Switches{}, err
		}
		return switchesOf(ctx, s)
	})
}

// switchedOff finds what operators have switched off. s may be nil.
func switchedOff(ctx context.Context, s *store.Store) []Finding {
	if s == nil {
		return nil
	}
	off, err := s.SwitchedOff(ctx)
	if err != nil {
		return []Finding{failed(serverArea, "off", err)}
	}
	var found []Finding
	for _, o := range off {
		found = append(found, Finding{serverArea, "off", Warn, describe(o), "answerable on " + again(o)})
	}
	return found
}

// again is what on is told to undo a switch.
func again(o chat.Off) string {
	if o.All {
		return "--all"
	}
	return o.Assistant
}

// describe says what is switched off, and how.
func describe(o chat.Off) string {
	who := o.Assistant
	if o.All {
		who = "all assistants"
	}
	how := "to people"
	if o.To == chat.OffToLine {
		how = "to a fixed line"
	}
	why := ""
	if o.Reason != "" {
		why = ": " + o.Reason
	}
	return fmt.Sprintf("%s, %s, by %s at %s%s", who, how, o.By, o.At.Local().Format("2006-01-02 15:04"), why)
}

// which names an assistant in a request, or all.
func which(body map[string]any, name string) map[string]any {
	if name == "" {
		body["all"] = true
		return body
	}
	body["assistant"] = name
	return body
}

// Board is what customers are told now and later.
type Board struct {
	Zone    string        `json:"zone,omitempty"` // of the assistant's hours
	Notices []chat.Notice `json:"notices"`
}

// ListNotices returns the notices that are in force or will be, and the time zone of an
// assistant, as far as it is known.
func ListNotices(ctx context.Context, o Options, assistant string) (Board, error) {
	return operate(ctx, o, func(r *remote) (out Board, err error) {
		return out, r.call(ctx, "GET", "/api/notices?assistant="+url.QueryEscape(assistant), nil, &out)
	}, func(ctx context.Context, s *store.Store) (out Board, err error) {
		out.Notices, err = s.Notices(ctx, chat.Now())
		return out, err
	})
}

// AddNotice adds a notice and returns it as it is kept.
func AddNotice(ctx context.Context, o Options, n chat.Notice) (chat.Notice, error) {
	now := chat.Now()
	n.ID, n.By, n.CreatedAt = chat.NewNoticeID(), thisMachine, now
	if n.From.IsZero() {
		n.From = now
	}
	if err := n.Check(now.Time); err != nil {
		return n, err
	}
	return operate(ctx, o, func(r *remote) (kept chat.Notice, err error) {
		return kept, r.call(ctx, "POST", "/api/notices", map[string]any{"assistant": n.Assistant, "locale": n.Locale, "text": n.Text, "url": n.URL,
			"from": n.From, "until": n.Until}, &kept)
	}, func(ctx context.Context, s *store.Store) (chat.Notice, error) { return n, s.AddNotice(ctx, n) })
}

// RemoveNotice takes a notice away.
func RemoveNotice(ctx context.Context, o Options, id string) error {
	_, err := operate(ctx, o, func(r *remote) (struct{}, error) {
		return struct{}{}, r.call(ctx, "DELETE", "/api/notices/"+url.PathEscape(id), nil, new(struct{}))
	}, func(ctx context.Context, s *store.Store) (struct{}, error) {
		return struct{}{}, s.RemoveNotice(ctx, id)
	})
	return err
}

// operate does something by the running server, or else in the store.
func operate[T any](ctx context.Context, o Options, there func(*remote) (T, error), here func(context.Context, *store.Store) (T, error)) (out T, err error) {
	w, err := openWriting(ctx, o)
	if err != nil {
		return out, err
	}
	if w.server != nil {
		out, err = there(w.server)
	} else {
		out, err = here(ctx, w.app.Store)
	}
	return out, errors.Join(err, w.close())
}
