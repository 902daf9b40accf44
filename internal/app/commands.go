package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
)

// CheckAssistants reads the assistants in a directory, their golden cases too, and returns
// their names. What they want of the server must be in c.
func CheckAssistants(c Config, dir string) ([]string, error) {
	all, err := assistant.CheckDir(dir)
	names, errs := []string{}, []error{err}
	for _, a := range all {
		names = append(names, a.Name)
		errs = append(errs, checkModels(a, configured(c.Models)))
	}
	return names, errors.Join(errs...)
}

// Mistake is one mistake in a file, as programs read it. Line is 0 where the whole file is
// meant, and File is empty where the mistake is not in a file.
type Mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Mistakes are all that an error of [CheckAssistants] or [Load] joins.
func Mistakes(err error) []Mistake {
	all := []Mistake{}
	switch e := err.(type) {
	case nil:
	case config.Errors:
		for _, m := range e {
			all = append(all, Mistake(m))
		}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, Mistakes(one)...)
		}
	default:
		all = append(all, Mistake{Message: err.Error()})
	}
	return all
}

// OpenPublished opens the generation that an assistant serves; with "" that of the one
// whose documents were published last. It reads beside a running server.
func OpenPublished(ctx context.Context, c Config, name string) (*knowledge.Generation, error) {
	s, err := OpenReading(ctx, c)
	if err != nil {
		return nil, err
	}
	published, err := s.Published(ctx)
	promoted, err2 := s.Promoted(ctx)
	if err = errors.Join(err, err2, s.Close()); err != nil {
		return nil, err
	}
	for _, p := range published {
		if name != "" && p.Assistant != name {
			continue
		}
		for _, q := range promoted {
			if q.Assistant == p.Assistant && q.Generation != "" {
				p.Generation = q.Generation
			}
		}
		return knowledge.OpenGeneration(filepath.Join(c.Data, "generations", knowledge.FileName(p.Generation)))
	}
	if name != "" {
		return nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("nothing was published for an assistant %q", name)}
	}
	return nil, &chat.Error{Kind: chat.NotFound, Message: "no documents were ingested yet: run answerable ingest DIR, or the server once"}
}

// PublishedNames returns the names of the assistants for which something was ever
// published. It reads beside a running server.
func PublishedNames(ctx context.Context, c Config) ([]string, error) {
	s, err := OpenReading(ctx, c)
	if err != nil {
		return nil, err
	}
	names, err := publishedNames(ctx, s)
	return names, errors.Join(err, s.Close())
}

func publishedNames(ctx context.Context, s *store.Store) ([]string, error) {
	published, err := s.Published(ctx)
	names := []string{}
	for _, p := range published {
		names = append(names, p.Assistant)
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// Ingested is what ingest did.
type Ingested struct {
	Assistant  string    `json:"assistant"`
	Generation string    `json:"generation"`
	Documents  int       `json:"documents"`
	Passages   int       `json:"passages"`
	Skipped    []Skipped `json:"skipped"`
	Internal   int       `json:"internal"` // left out as well: they are not for customers
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
			return &writing{server: &remote{Serving: *s, http: http.DefaultClient}}, nil
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
	out := Ingested{Assistant: a.Name, Generation: g.ID(), Documents: len(g.Documents()), Passages: g.Chunks(), Internal: report.Internal, Skipped: []Skipped{}}
	for _, s := range report.Skipped {
		out.Skipped = append(out.Skipped, Skipped(s))
	}
	if report.Empty() {
		return out, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no document in %s: Markdown, text and HTML files are read", dir)}
	}
	if w.server != nil {
		return out, w.server.post(ctx, "/api/knowledge", map[string]any{"assistant": a.Name, "generation": g.ID(), "source": dir})
	}
	_, err = l.publishIngested(ctx, a.Name, g, dir, thisMachine)
	return out, err
}

// remote is a running server.
type remote struct {
	Serving
	http *http.Client
}

func (r *remote) send(ctx context.Context, method, path, accept string, body any) (*http.Response, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL+path, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Accept", accept)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.http.Do(req)
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

// call sends body, unless it is nil, and reads the answer into out, unless that is nil.
func (r *remote) call(ctx context.Context, method, path string, body, out any) error {
	resp, err := r.send(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	if out != nil {
		err = json.NewDecoder(resp.Body).Decode(out)
	}
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

func (r *remote) post(ctx context.Context, path string, body any) error {
	return r.call(ctx, http.MethodPost, path, body, nil)
}
