package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// TestHotSwap changes an assistant's files, every second time to something broken, while
// clients ask over HTTP. Each good state bears its mark in every file: settings, persona,
// policy and document. No turn fails and no request is refused; each record names a release
// and a generation that were served together, and all marks that went to the model, stood
// in the journal or came out of the answer are that state's.
func TestHotSwap(t *testing.T) {
	changes, clients := 40, 10
	if os.Getenv("ANSWERABLE_PROOF") == "long" {
		changes, clients = 500, 50
	}
	p := newSwapping(t)
	ctx, stop := context.WithCancel(t.Context())
	asking, asked := errgroup.WithContext(ctx)
	for i := range clients {
		asking.Go(func() error { return p.ask(asked, i) })
	}
	began := time.Now()
	for i := 1; i <= changes; i++ {
		if i%2 == 0 {
			p.breakIt(i)
			continue
		}
		p.change(asked, i)
		if i%8 == 1 { // promoted and taken back, from then on it is the folder again
			p.move(asked, "promote")
			p.move(asked, "undo")
		}
	}
	took := time.Since(began)
	close(p.over)
	if err := asking.Wait(); err != nil {
		t.Error(err)
	}
	stop()
	p.stop()
	p.check()
	t.Logf("%d changes in %s, half of them refused, %d promotions and undos; %d answers of %d releases to %d clients",
		changes, took.Round(time.Millisecond), p.moves, len(p.answers), len(p.used), clients)
}

// swapping is a server whose assistant changes.
type swapping struct {
	*testing.T
	app    *App
	server remote
	link   string // the assistant's folder: a link to one of its states
	dir    string
	over   chan struct{}
	stop   func()
	said   chan slog.Record // of the library
	model  *echo
	moves  int

	mu      sync.Mutex
	served  map[string]string // mark by release and generation
	answers []answer
	used    map[string]bool // marks in answers
}

// answer is what a client got.
type answer struct {
	turn    chat.TurnID
	text    string
	outcome chat.Outcome
}

func newSwapping(t *testing.T) *swapping {
	p := &swapping{T: t, dir: t.TempDir(), over: make(chan struct{}), said: make(chan slog.Record, 1000), model: &echo{},
		served: map[string]string{}, used: map[string]bool{}}
	p.link = filepath.Join(p.dir, "shop")
	p.point(p.state(0))
	o := Options{Config: DefaultConfig(), Dir: p.link, Resume: true, Version: "test", Log: slog.New(listener(p.said))}
	o.Config.Data, o.Config.Listen, o.Config.Limits.Anonymous = t.TempDir(), "127.0.0.1:0", AnonymousLimits{}
	var err error
	if p.app, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	p.server.http = http.DefaultClient
	p.app.Models.Models = llm.Only(p.model)
	p.app.Library.every = time.Millisecond
	p.note("mark-0000")
	ctx, stop := context.WithCancel(context.Background())
	out, done := &greeting{said: make(chan string, 1)}, make(chan error, 1)
	go func() { done <- p.app.serve(ctx, time.Now(), out) }()
	select {
	case p.server.URL = <-out.said:
	case err := <-done:
		t.Fatal(err)
	}
	p.stop = func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() {
		if err := p.app.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// greeting finds the server's address in what it says at the start.
type greeting struct {
	text strings.Builder
	said chan string
}

var pageLine = regexp.MustCompile(`customer page  (\S+)/\n`)

func (g *greeting) Write(b []byte) (int, error) {
	g.text.Write(b)
	if m := pageLine.FindStringSubmatch(g.text.String()); m != nil && len(g.said) == 0 {
		g.said <- m[1]
	}
	return len(b), nil
}

// listener hands on what the library logs.
type listener chan slog.Record

func (l listener) Enabled(context.Context, slog.Level) bool { return true }
func (l listener) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "assistant ") {
		l <- r
	}
	return nil
}
func (l listener) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l listener) WithGroup(string) slog.Handler      { return l }

func markOf(i int) string { return fmt.Sprintf("mark-%04d", i) }

// state writes the i-th state of the assistant, which bears its mark everywhere, and
// returns its folder.
func (p *swapping) state(i int) string {
	p.Helper()
	dir := filepath.Join(p.dir, markOf(i))
	for name, text := range map[string]string{
		"assistant.yaml":        "name: shop\ncompany: Shop MARK\npersona: {name: MARK}\nforbidden: [never-MARK]\n",
		"prompts/persona.md":    "You speak as MARK does.\n",
		"policies/secrets.yaml": "tell: [Mention MARK.]\nrules:\n  - name: secret\n    when: [secret word]\n    say: [{locale: en, text: The policy says MARK.}]\n",
		"knowledge/code.md":     "# Code\n\nThe code of today is MARK.\n",
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(strings.ReplaceAll(text, "MARK", markOf(i))), 0o600)); err != nil {
			p.Fatal(err)
		}
	}
	return dir
}

// point turns the link to a folder, in one step.
func (p *swapping) point(dir string) {
	p.Helper()
	next := p.link + ".next"
	if err := errors.Join(os.Symlink(dir, next), os.Rename(next, p.link)); err != nil {
		p.Fatal(err)
	}
}

// change points at a good state and waits until it is served.
func (p *swapping) change(ctx context.Context, i int) {
	p.Helper()
	dir := p.state(i)
	as, err := assistant.Load(os.DirFS(dir), dir)
	if err != nil {
		p.Fatal(err)
	}
	p.point(dir)
	p.wait("assistant swapped", "release", as.Release)
	p.note(markOf(i))
}

// note notes that a state with a mark is served.
func (p *swapping) note(mark string) {
	s := p.app.Library.snapshot("shop")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served[s.Release+" "+s.generation.ID()] = mark
}

// broken are ways to break a state.
var broken = []func(dir string) error{
	func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "assistant.yaml"), []byte("gatee: word\n"), 0o600)
	},
	func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "assistant.yaml"), []byte("company: [half"), 0o600)
	},
	func(dir string) error { return os.Remove(filepath.Join(dir, "assistant.yaml")) },
	func(dir string) error { return os.RemoveAll(filepath.Join(dir, "knowledge")) },
	func(dir string) error { return os.Remove(filepath.Join(dir, "knowledge", "code.md")) },
	func(dir string) error {
		return os.Rename(filepath.Join(dir, "prompts", "persona.md"), filepath.Join(dir, "prompts", "persna.md"))
	},
	func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "policies", "secrets.yaml"), []byte("rules: nothing"), 0o600)
	},
	func(dir string) error { return os.RemoveAll(dir) },
}

// breakIt points at a broken state and waits until it is refused.
func (p *swapping) breakIt(i int) {
	p.Helper()
	dir := p.state(i)
	if err := broken[i/2%len(broken)](dir); err != nil {
		p.Fatal(err)
	}
	p.point(dir)
	p.wait("assistant refused", "assistant", "shop")
}

// wait waits until the library has logged a message with an attribute.
func (p *swapping) wait(message, key, value string) {
	p.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case r := <-p.said:
			found := false
			r.Attrs(func(a slog.Attr) bool {
				found = found || a.Key == key && a.Value.String() == value
				return !found
			})
			if r.Message == message && found {
				return
			}
		case <-limit:
			p.Fatalf("it was never said: %s, %s=%s", message, key, value)
		}
	}
}

// move promotes what the folder holds, or undoes that, over HTTP.
func (p *swapping) move(ctx context.Context, what string) {
	p.Helper()
	if err := p.server.post(ctx, "/api/releases/shop/"+what, map[string]string{}); err != nil {
		p.Fatalf("%s: %v", what, err)
	}
	p.moves++
}

// ask asks until the changes are over. Every fourth question is one for the policy.
func (p *swapping) ask(ctx context.Context, client int) error {
	for n := client; ; n++ {
		select {
		case <-p.over:
			return nil
		default:
		}
		question := chat.Text("What is the code of today?")
		if n%4 == 0 {
			question = "What is the secret word?"
		}
		a, err := p.once(ctx, question)
		if err != nil {
			return fmt.Errorf("a request was refused: %w", err)
		}
		want := map[bool]chat.Outcome{false: chat.Answered, true: chat.Refused}[n%4 == 0]
		if a.outcome != want {
			return fmt.Errorf("turn %s ended %s with %q, want %s", a.turn, a.outcome, a.text, want)
		}
		p.mu.Lock()
		p.answers = append(p.answers, a)
		p.mu.Unlock()
	}
}

// once asks one question in a conversation of its own.
func (p *swapping) once(ctx context.Context, question chat.Text) (answer, error) {
	c := &Client{server: p.server}
	id, err := c.Start(ctx, "shop", false)
	if err != nil {
		return answer{}, err
	}
	if _, err := c.Send(ctx, id, question); err != nil {
		return answer{}, err
	}
	for e, err := range c.Events(ctx, id, 0) {
		if err != nil {
			return answer{}, err
		}
		if e.Kind == chat.KindTurnEnded {
			end, err := chat.Decode[chat.TurnEnded](e)
			return answer{e.Turn, string(end.Text), end.Outcome}, err
		}
	}
	return answer{}, ctx.Err()
}

// check looks at every answer, its record and its journal, and at all that the model was
// told.
func (p *swapping) check() {
	p.Helper()
	if len(p.model.mixed) > 0 {
		p.Errorf("the model was told marks of several states: %q", p.model.mixed)
	}
	if len(p.answers) == 0 || p.model.asked == 0 {
		p.Fatal("nobody was answered")
	}
	for _, a := range p.answers {
		past, err := p.app.Store.Turn(context.Background(), a.turn)
		if err != nil {
			p.Fatal(err)
		}
		r := past.Record
		journal, err := json.Marshal(past.Journal)
		if err != nil {
			p.Fatal(err)
		}
		marks := slices.Concat(marksIn(a.text), marksIn(string(r.Shown)), marksIn(string(journal)))
		slices.Sort(marks)
		marks = slices.Compact(marks)
		if len(marks) != 1 {
			p.Errorf("turn %s has marks of several states: %q", a.turn, marks)
			continue
		}
		p.used[marks[0]] = true
		if a.outcome == chat.Refused { // by the policy: nothing was searched
			found := false
			for pair, mark := range p.served {
				found = found || strings.HasPrefix(pair, r.Release+" ") && mark == marks[0]
			}
			if !found {
				p.Errorf("turn %s says %s and names the release %.12s, which is another", a.turn, marks[0], r.Release)
			}
			continue
		}
		if mark := p.served[r.Release+" "+r.Generation]; mark != marks[0] {
			p.Errorf("turn %s says %s; its record names the release %.12s with the generation %.12s, which is %q", a.turn, marks[0], r.Release, r.Generation, mark)
		}
	}
}

var markPattern = regexp.MustCompile(`mark-0\d\d\d`)

func marksIn(text string) []string {
	all := markPattern.FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// echo is a model that says what the document says, and looks at all that it is told.
type echo struct {
	mu    sync.Mutex
	asked int
	mixed [][]string
}

func (*echo) Name() string { return "echo" }

func (e *echo) Stream(_ context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	var told strings.Builder
	for _, b := range req.System {
		told.WriteString(b.Text)
	}
	system := marksIn(told.String())
	for _, m := range req.Messages {
		told.WriteString(m.Text)
	}
	for _, p := range req.Passages {
		told.WriteString(string(p.Text))
	}
	marks := marksIn(told.String())
	e.mu.Lock()
	e.asked++
	if len(marks) != 1 || len(system) != 1 {
		e.mixed = append(e.mixed, marks)
	}
	e.mu.Unlock()
	return func(yield func(llm.Chunk, error) bool) {
		text := "I don't have information about that."
		if len(marks) > 0 {
			text = "The code of today is " + marks[len(marks)-1] + ".[1]"
		}
		if yield(llm.Chunk{Text: text}, nil) {
			yield(llm.Chunk{Finish: llm.Stop}, nil)
		}
	}
}
