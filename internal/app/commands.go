package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
)

// CheckAssistants reads the assistants in a directory and returns their names.
func CheckAssistants(dir string) ([]string, error) {
	all, err := assistant.LoadDir(dir)
	var names []string
	for _, a := range all {
		names = append(names, a.Name)
	}
	return names, err
}

// OpenPublished opens the generation that an assistant serves; with "" the one that was
// published last. It reads beside a running server.
func OpenPublished(ctx context.Context, c Config, name string) (*knowledge.Generation, error) {
	s, err := OpenReading(ctx, c)
	if err != nil {
		return nil, err
	}
	published, err := s.Published(ctx, 1000)
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	for _, p := range published {
		if name == "" || p.Assistant == name {
			return knowledge.OpenGeneration(filepath.Join(c.Data, "generations", knowledge.FileName(p.Generation)))
		}
	}
	if name != "" {
		return nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("nothing was published for an assistant %q", name)}
	}
	return nil, &chat.Error{Kind: chat.NotFound, Message: "no documents were ingested yet: run answerable ingest DIR, or the server once"}
}

// Ingested is what ingest did.
type Ingested struct {
	Assistant  string    `json:"assistant"`
	Generation string    `json:"generation"`
	Documents  int       `json:"documents"`
	Passages   int       `json:"passages"`
	Skipped    []Skipped `json:"skipped"`
}

// Skipped is a file that was left out, and why.
type Skipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Ingest indexes a folder and publishes it. When a server runs on the data directory,
// it is the server that publishes.
func Ingest(ctx context.Context, o Options, dir string) (Ingested, error) {
	all, err := assistant.LoadDir(dir)
	if err != nil {
		return Ingested{}, err
	}
	if len(all) != 1 {
		return Ingested{}, &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("%s holds %d assistants: ingest them one by one", dir, len(all))}
	}
	a := all[0]
	whole, err := filepath.Abs(dir)
	if err != nil {
		return Ingested{}, err
	}
	w, err := openWriting(ctx, o)
	if err != nil {
		return Ingested{}, err
	}
	out, err := w.ingest(ctx, a, whole, o)
	return out, errors.Join(err, w.close())
}

// CreateKey makes an API key and returns it. Only its hash is stored.
func CreateKey(ctx context.Context, o Options, name string) (string, error) {
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return "", &chat.Error{Kind: chat.Invalid, Message: "a key's name has 1 to 64 bytes without control characters"}
	}
	w, err := openWriting(ctx, o)
	if err != nil {
		return "", err
	}
	key, hash := access.NewKey()
	if w.server != nil {
		err = w.server.post(ctx, "/api/keys", map[string]any{"name": name, "hash": hash})
	} else {
		err = w.app.Store.AddKey(ctx, string(chat.NewMessageID()), name, hash)
	}
	return key, errors.Join(err, w.close())
}

// writing is the right to write: that of a running server, or our own.
type writing struct {
	server *remote
	app    *App // with its store open, and nothing else
}

func openWriting(ctx context.Context, o Options) (*writing, error) {
	if o.Config.Postgres.Reveal() == "" {
		s, err := ServingAt(o.Config.Data)
		if err != nil {
			return nil, err
		}
		if s != nil {
			return &writing{server: &remote{*s}}, nil
		}
	}
	a := &App{Options: o}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return &writing{app: a}, nil
}

func (w *writing) close() error {
	if w.app != nil {
		return w.app.Close()
	}
	return nil
}

func (w *writing) ingest(ctx context.Context, a *assistant.Assistant, dir string, o Options) (Ingested, error) {
	var s *store.Store
	var err error
	if w.app != nil {
		s = w.app.Store
	} else if s, err = OpenReading(ctx, o.Config); err != nil {
		return Ingested{}, err
	} else {
		defer s.Close()
	}
	l := newLibrary(s, o.Config.Data, o.Log)
	g, report, err := l.Ingest(ctx, a, o.Progress)
	if err != nil {
		return Ingested{}, err
	}
	out := Ingested{Assistant: a.Name, Generation: g.ID(), Documents: len(g.Documents()), Passages: g.Chunks(), Skipped: []Skipped{}}
	for _, s := range report.Skipped {
		out.Skipped = append(out.Skipped, Skipped(s))
	}
	if report.Empty() {
		return out, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no document in %s: Markdown, text and HTML files are read", dir)}
	}
	if w.server != nil {
		return out, w.server.post(ctx, "/api/knowledge", map[string]any{"assistant": a.Name, "generation": g.ID(), "source": dir})
	}
	return out, l.Publish(ctx, a, g, ingested+dir)
}

// Ask asks one question in a new conversation and passes on the events of its turn. A
// server that runs on the data directory answers, unless o names what to answer from.
func Ask(ctx context.Context, o Options, name string, question chat.Text, show func(chat.ConversationID, chat.Event) error) error {
	if o.Dir == "" && o.FakeProvider == "" && o.Config.Postgres.Reveal() == "" {
		s, err := ServingAt(o.Config.Data)
		if err != nil {
			return err
		}
		if s != nil {
			return (&remote{*s}).ask(ctx, name, question, show)
		}
	}
	a, err := New(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(a.ask(ctx, name, question, show), a.Close())
}

// ask answers in this process.
func (a *App) ask(ctx context.Context, name string, question chat.Text, show func(chat.ConversationID, chat.Event) error) error {
	names := a.Library.Names()
	if name == "" && len(names) > 0 {
		name = names[0]
	}
	if !a.Library.Has(name) {
		return &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no assistant %q; there are: %s", name, strings.Join(names, ", "))}
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	err := a.askHere(ctx, name, question, show)
	stop()
	return errors.Join(err, <-done)
}

func (a *App) askHere(ctx context.Context, name string, question chat.Text, show func(chat.ConversationID, chat.Event) error) error {
	id := chat.NewConversationID()
	_, hash := access.NewToken(id)
	if _, err := a.Store.Create(ctx, store.NewConversation{ID: id, Assistant: name, TokenHash: hash}); err != nil {
		return err
	}
	m, err := a.Inbox.Accept(ctx, chat.Incoming{Conversation: id, Text: question})
	if err != nil {
		return err
	}
	for e, err := range a.Feed.Follow(ctx, id, 0) {
		if err != nil {
			return err
		}
		if e.Turn != m.Message.Turn {
			continue
		}
		if err := show(id, e); err != nil {
			return err
		}
		if e.Kind == chat.KindTurnEnded {
			return nil
		}
	}
	return ctx.Err()
}

// remote is a running server.
type remote struct{ Serving }

func (r *remote) send(ctx context.Context, path, accept string, body any) (*http.Response, error) {
	return r.do(ctx, http.MethodPost, path, accept, body)
}

// do sends a request; no body is nil.
func (r *remote) do(ctx context.Context, method, path, accept string, body any) (*http.Response, error) {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the server at %s: %w", r.URL, err)
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		var p struct {
			Detail string `json:"detail"`
		}
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		if json.Unmarshal(b, &p) != nil || p.Detail == "" {
			p.Detail = resp.Status
		}
		return nil, &chat.Error{Kind: chat.Conflict, Message: p.Detail}
	}
	return resp, nil
}

// call sends a request and reads the answer, which is JSON.
func (r *remote) call(ctx context.Context, method, path string, body, answer any) error {
	resp, err := r.do(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	err = json.NewDecoder(resp.Body).Decode(answer)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

func (r *remote) post(ctx context.Context, path string, body any) error {
	resp, err := r.send(ctx, path, "application/json", body)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (r *remote) ask(ctx context.Context, name string, question chat.Text, show func(chat.ConversationID, chat.Event) error) error {
	body := map[string]any{}
	if name != "" {
		body["assistant"] = name
	}
	resp, err := r.send(ctx, "/v1/conversations", "application/json", body)
	if err != nil {
		return err
	}
	var c struct {
		ID chat.ConversationID `json:"id"`
	}
	err = json.NewDecoder(resp.Body).Decode(&c)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	resp, err = r.send(ctx, "/v1/conversations/"+string(c.ID)+"/messages", "text/event-stream", map[string]any{"text": question})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e chat.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		if err := show(c.ID, e); err != nil {
			return err
		}
		if e.Kind == chat.KindTurnEnded {
			return nil
		}
	}
	return fmt.Errorf("the server's answer broke off: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
