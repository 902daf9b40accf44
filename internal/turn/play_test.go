package turn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/extractive"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// script is a file of testdata: one behaviour. Its sections are
//
//	docs/NAME.md   a document; none: the assistant has no knowledge
//	policies/NAME  a policy
//	rules          see parseRules; optional
//	customer       what the customer does, see play.act
//	model          the answers of the first provider, in llmtest's format
//	other          those of the provider that takes over; optional
//	want           what the customer saw, written by go test -update
type script struct {
	rules    rules
	docs     fstest.MapFS
	customer []string
	models   []model
	want     string
}

// model is a provider: its name and its answers, a script each.
type model struct {
	name    string
	answers []*llmtest.Script
}

type rules struct {
	turn.Rules
	final      bool
	stateless  bool
	extractive bool          // quotes passages when the providers have failed
	limit      time.Duration // of a turn
	blind      int           // how many searches fail
	rebuilt    bool          // after a death, another build of the binary goes on
	released   bool          // after a death, another release of the assistant goes on
	states     bool          // want has the states
	policies   []guard.Policy
	record     bool          // want has the attempts, what was withheld and the error
	heard      bool          // want has what the providers were told
	notices    []chat.Notice // in force, the newest last
	tokens     int           // of all passages
}

func parse(t testing.TB, name string, archive *txtar.Archive) *script {
	t.Helper()
	sc := &script{docs: fstest.MapFS{}}
	for _, f := range archive.Files {
		text := string(f.Data)
		switch {
		case strings.HasPrefix(f.Name, "docs/"):
			sc.docs[strings.TrimPrefix(f.Name, "docs/")] = &fstest.MapFile{Data: f.Data}
		case f.Name == "rules":
			sc.rules = parseRules(t, text) // before the policies
		case strings.HasPrefix(f.Name, "policies/"):
			var p guard.Policy
			if err := config.Decode(name+" "+f.Name, f.Data, &p); err != nil {
				t.Fatal(err)
			}
			sc.rules.policies = append(sc.rules.policies, p)
		case f.Name == "customer":
			sc.customer = strings.Split(strings.TrimSpace(text), "\n")
		case f.Name == "model", f.Name == "other":
			m := model{name: map[string]string{"model": "scripted", "other": "other"}[f.Name]}
			answers := strings.Split(text, "\n---\n")
			if strings.HasPrefix(text, "when ") {
				answers = []string{text} // each question finds its own
			}
			for _, answer := range answers {
				s, err := llmtest.Parse(name+" "+f.Name, answer)
				if err != nil {
					t.Fatal(err)
				}
				m.answers = append(m.answers, s)
			}
			sc.models = append(sc.models, m)
		case f.Name == "want":
			sc.want = text
		default:
			t.Fatalf("%s has a section %q", name, f.Name)
		}
	}
	if len(sc.customer) == 0 || len(sc.models) == 0 {
		t.Fatalf("%s needs the sections customer and model", name)
	}
	if len(sc.docs) == 0 {
		sc.rules.Claims.Off = true
	}
	return sc
}

// addLine adds one of the assistant's own lines to those of its language.
func addLine(t testing.TB, lines []turn.Line, language, which, text string) []turn.Line {
	t.Helper()
	if n := len(lines); n == 0 || lines[n-1].Language != language {
		lines = append(lines, turn.Line{Language: language})
	}
	l := &lines[len(lines)-1]
	field := map[string]*string{"nothing": &l.Nothing, "handover": &l.Handover, "interrupted": &l.Interrupted, "failed": &l.Failed}[which]
	if field == nil {
		t.Fatalf("there is no line %q", which)
	}
	*field = text
	return lines
}

// past is what the sender of a stateless message tells of what was said before.
func (r rules) past() []chat.Message {
	if !r.stateless {
		return nil
	}
	return []chat.Message{{Role: chat.Customer, Text: "Hi."}, {Role: chat.Assistant, Text: "Hello!"}}
}

// parseRules reads lines of a word and its value.
func parseRules(t testing.TB, text string) rules {
	t.Helper()
	var r rules
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "unit": // sentence or word
			r.Unit = chat.Unit(rest)
		case "forbidden": // a phrase
			r.Forbidden = append(r.Forbidden, rest)
		case "uncited": // drop, flag or allow
			r.Claims.Uncited = guard.Uncited(rest)
		case "languages": // that are answered in
			r.Languages = strings.Fields(rest)
		case "line": // LANGUAGE WHICH TEXT
			fields := strings.SplitN(rest, " ", 3)
			r.Lines = addLine(t, r.Lines, fields[0], fields[1], fields[2])
		case "canary": // that stands in the instructions
			r.Canary = rest
		case "final":
			r.final = true
		case "stateless": // whose sender told the history, and does not come back
			r.final, r.stateless = true, true
		case "extractive":
			r.extractive = true
		case "limit": // a duration
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			r.limit = d
		case "blind": // how many searches fail
			if _, err := fmt.Sscan(rest, &r.blind); err != nil {
				t.Fatal(err)
			}
		case "rebuilt":
			r.rebuilt = true
		case "released":
			r.released = true
		case "states":
			r.states = true
		case "record":
			r.record = true
		case "heard":
			r.heard = true
		case "tokens": // of all passages together
			if _, err := fmt.Sscan(rest, &r.tokens); err != nil {
				t.Fatal(err)
			}
		case "notice": // its text, behind a language in brackets
			n := chat.Notice{ID: fmt.Sprint(len(r.notices) + 1), Text: chat.Text(rest)}
			if locale, text, ok := strings.Cut(rest, "] "); ok {
				n.Locale, n.Text = strings.TrimPrefix(locale, "["), chat.Text(text)
			}
			r.notices = append(r.notices, n)
		default:
			t.Fatalf("there is no rule %q", word)
		}
	}
	return r
}

// play is a script that was played in a conversation of its own.
type play struct {
	testing.TB
	*script
	store  *store.Store
	runner *turn.Runner
	cast   *cast
	id     chat.ConversationID
	events []chat.Event // when it was over

	mu     sync.Mutex // what the customer does and the death of the process exclude each other
	inbox  *inbox.Inbox
	leave  func()
	asked  int  // calls of providers before the last message
	waited bool // the line before was a /wait
}

const never = -1

// play plays the script. The server dies at a chunk, and another one starts.
func (sc *script) play(t testing.TB, s *store.Store, dies int) *play {
	t.Helper()
	p := &play{TB: t, script: sc, store: s, cast: newCast(sc.models, dies)}
	providers := p.cast.providers()
	if sc.rules.extractive {
		providers = append(providers, extractive.New())
	}
	policies, err := guard.NewPolicies(sc.rules.policies)
	if err != nil {
		t.Fatal(err)
	}
	p.runner = &turn.Runner{Build: "test", Release: "first", Policies: policies, Store: turnStore{s}, Knowledge: sc.knowledge(t), Model: &llm.Client{Models: llm.Only(providers...)},
		Rules: sc.rules.Rules, Limits: turn.Limits{Whole: sc.rules.limit, Tokens: sc.rules.tokens}, Log: slog.New(slog.DiscardHandler),
		Notices: func(time.Time) []chat.Notice { return sc.rules.notices }}
	c, err := s.Create(t.Context(), store.NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	if err != nil {
		t.Fatal(err)
	}
	p.id = c.ID
	p.start()
	over := make(chan struct{})
	var death sync.WaitGroup
	death.Go(func() {
		select {
		case <-p.cast.dead:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.leave()
			if p.rules.rebuilt {
				p.runner.Build = "test, rebuilt"
			}
			if p.rules.released {
				p.runner.Release = "second"
			}
			p.start()
		case <-over:
		}
	})
	for _, line := range sc.customer {
		p.act(line)
	}
	p.idle()
	close(over)
	death.Wait()
	p.leave()
	if err := s.SwitchOn(t.Context(), ""); err != nil { // for the next script
		t.Fatal(err)
	}
	if p.events, err = s.After(t.Context(), p.id, 0, 10_000); err != nil {
		t.Fatal(err)
	}
	p.check()
	return p
}

// knowledge returns the documents' generation; the first searches may fail.
func (sc *script) knowledge(t testing.TB) turn.Knowledge {
	t.Helper()
	if len(sc.docs) == 0 {
		return nil
	}
	docs, _, err := knowledge.ReadFS(t.Context(), sc.docs, knowledge.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := knowledge.Build(docs)
	if err != nil {
		t.Fatal(err)
	}
	return &failing{Generation: g, times: sc.rules.blind}
}

type failing struct {
	*knowledge.Generation
	times int // one turn runs at a time
}

func (f *failing) Find(ctx context.Context, q knowledge.Query) (knowledge.Found, error) {
	if f.times > 0 {
		f.times--
		return knowledge.Found{}, errors.New("the index is damaged")
	}
	return f.Generation.Find(ctx, q)
}

type turnStore struct{ *store.Store }

func (s turnStore) Stream(o chat.OpenTurn) turn.Stream { return s.Store.Stream(o) }

// start starts a process. p.leave ends it and leaves its turns as they are, as a death
// would.
func (p *play) start() {
	in := &inbox.Inbox{Store: p.store, Node: chat.NewNodeID(), Resumes: true, Log: p.runner.Log,
		Runner: func(string) *turn.Runner { return p.runner },
		Limits: inbox.Limits{Stop: time.Nanosecond, Quiet: 20 * time.Millisecond}}
	if err := in.Join(p.Context()); err != nil {
		p.Error(err)
	}
	ctx, stop := context.WithCancel(p.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	p.inbox, p.leave = in, func() {
		stop()
		if err := <-done; err != nil {
			p.Error(err)
		}
	}
}

// act does what a line of the section customer says:
//
//	TEXT          sends a message when the turns before it are over, or after a /wait
//	/also TEXT    sends a message at once
//	/wait ask     waits until a provider was asked
//	/wait text    waits until the running turn has shown text
//	/wait end     waits until no turn runs
//	/stop  /handoff  /take NAME  /release
//	/off [LINE]    switches the assistant off: to people, or to a line ("-": its own)
//	/on            and on again
//	/retry         wants another answer to what the last turn answered
func (p *play) act(line string) {
	p.Helper()
	word, rest, _ := strings.Cut(line, " ")
	waited := p.waited
	p.waited = false
	var err error
	switch word {
	case "/wait":
		p.wait(rest)
		p.waited = true
	case "/also":
		p.send(rest)
	case "/stop":
		p.mu.Lock()
		_, err = p.inbox.Stop(p.Context(), p.id)
		p.mu.Unlock()
	case "/retry":
		p.idle()
		p.mu.Lock()
		p.asked = p.cast.count()
		_, err = p.inbox.Retry(p.Context(), p.id, p.last())
		p.mu.Unlock()
	case "/handoff":
		p.mu.Lock()
		_, err = p.inbox.HandOff(p.Context(), p.id, chat.Handoff{Reason: "asked", Trigger: "customer"})
		p.mu.Unlock()
	case "/take":
		p.mu.Lock()
		_, err = p.inbox.Take(p.Context(), p.id, rest)
		p.mu.Unlock()
	case "/off":
		off := chat.Off{Assistant: "demo", To: chat.OffToPeople, By: "ops", At: chat.Now()}
		if rest != "" {
			off.To, off.Line = chat.OffToLine, chat.Text(strings.TrimPrefix(rest, "-"))
		}
		p.mu.Lock()
		err = p.inbox.SwitchOff(p.Context(), off)
		p.mu.Unlock()
	case "/on":
		err = p.store.SwitchOn(p.Context(), "demo")
	case "/release":
		p.mu.Lock()
		_, err = p.inbox.Release(p.Context(), p.id, chat.Bot)
		p.mu.Unlock()
	default:
		if !waited {
			p.idle()
		}
		p.send(line)
	}
	if err != nil {
		p.Fatal(err)
	}
}

func (p *play) send(text string) {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = p.cast.count()
	if _, err := p.inbox.Accept(p.Context(), chat.Incoming{Conversation: p.id, Text: chat.Text(text), Final: p.rules.final,
		Stateless: p.rules.stateless, History: p.rules.past()}); err != nil {
		p.Fatal(err)
	}
}

func (p *play) wait(what string) {
	p.Helper()
	switch what {
	case "ask":
		p.until("a provider is asked", func() bool { return p.cast.count() > p.asked })
	case "text":
		p.until("text is shown", func() bool { return p.conversation().Shown })
	case "end":
		p.idle()
	default:
		p.Fatalf("there is nothing called %q to wait for", what)
	}
}

func (p *play) idle() {
	p.Helper()
	p.until("the turn ends", func() bool { return p.conversation().Turn == "" })
}

func (p *play) until(what string, so func() bool) {
	p.Helper()
	for range 10_000 {
		if so() {
			return
		}
		<-time.After(2 * time.Millisecond)
	}
	p.Fatalf("it does not happen that %s", what)
}

func (p *play) conversation() chat.Conversation {
	p.Helper()
	c, err := p.store.Conversation(p.Context(), p.id)
	if err != nil {
		p.Fatal(err)
	}
	return c
}

// last returns the turn that began last.
func (p *play) last() (id chat.TurnID) {
	p.Helper()
	events, err := p.store.After(p.Context(), p.id, 0, 10_000)
	if err != nil {
		p.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == chat.KindTurnStarted {
			id = e.Turn
		}
	}
	return id
}

// turns returns the turns in the order in which they began.
func (p *play) turns() []chat.PastTurn {
	p.Helper()
	var out []chat.PastTurn
	for _, e := range p.events {
		if e.Kind == chat.KindTurnStarted {
			past, err := p.store.Turn(p.Context(), e.Turn)
			if err != nil {
				p.Fatal(err)
			}
			out = append(out, past)
		}
	}
	return out
}

// check holds what is true of every conversation: events are numbered without a gap;
// each turn begins and ends once; the text since its last retract is what its end and
// the stored message say; nothing of the bot follows an owner event; nothing is taken
// back on a face that cannot; and a replay shows the same.
func (p *play) check() {
	p.Helper()
	messages, _, err := p.store.Messages(p.Context(), p.conversation(), 0, 1000)
	if err != nil {
		p.Fatal(err)
	}
	stored := map[chat.TurnID]chat.Text{}
	for _, m := range messages {
		if m.Role == chat.Assistant {
			stored[m.Turn] += m.Text
		}
	}
	began, over, text, owner := map[chat.TurnID]int{}, map[chat.TurnID]int{}, map[chat.TurnID]chat.Text{}, chat.Bot
	for i, e := range p.events {
		if e.Seq != int64(i+1) {
			p.Errorf("event %d has number %d", i+1, e.Seq)
		}
		if owner != chat.Bot && e.Turn != "" {
			p.Errorf("event %d (%s) of the bot while %s owns the conversation", e.Seq, e.Kind, owner)
		}
		switch e.Kind {
		case chat.KindTurnStarted:
			began[e.Turn]++
		case chat.KindText:
			text[e.Turn] += chat.Text(decode[chat.TextShown](p, e).Text)
		case chat.KindRetract:
			text[e.Turn] = ""
			if p.rules.final {
				p.Errorf("event %d takes text back on a face that cannot", e.Seq)
			}
		case chat.KindTurnEnded:
			over[e.Turn]++
			if end := decode[chat.TurnEnded](p, e).Text; end != text[e.Turn] {
				p.Errorf("a turn ended with %q, its texts make %q", string(end), string(text[e.Turn]))
			}
		case chat.KindOwner:
			owner = decode[chat.OwnerChanged](p, e).Owner
		}
	}
	for id := range began {
		if began[id] != 1 || over[id] != 1 {
			p.Errorf("a turn began %d times and ended %d times", began[id], over[id])
		}
		if stored[id] != text[id] {
			p.Errorf("a turn is stored as %q, shown was %q", string(stored[id]), string(text[id]))
		}
	}
	for _, past := range p.turns() {
		want, err := turn.Seen(past.Events)
		if err != nil {
			p.Fatal(err)
		}
		got, err := turn.Replay(p.Context(), past)
		if err != nil {
			p.Errorf("replay: %v", err)
		} else if d := got.Differs(want); d != "" {
			p.Errorf("the replay differs: %s\ngot  %+v\nwant %+v", d, got, want)
		}
		p.checkRelease(past)
	}
}

// checkRelease looks that the record names the release that answered: that of the last
// life. Only what cannot be taken back keeps that of a process that died.
func (p *play) checkRelease(past chat.PastTurn) {
	p.Helper()
	release := p.runner.Release
	for _, e := range past.Journal {
		if e.Step != "begin" {
			continue
		}
		var b struct {
			Release string `json:"release"`
		}
		if err := json.Unmarshal(e.Result, &b); err != nil {
			p.Fatal(err)
		}
		release = b.Release
	}
	if past.Record.Build != "" && past.Record.Release != release { // else its process has yet to complete it
		p.Errorf("the record names release %q, the last life began with %q", past.Record.Release, release)
	}
	if p.rules.released && past.Record.Lives > 1 && past.Record.Outcome == chat.Answered && release != "second" {
		p.Errorf("a turn was answered to its end by release %q, which was replaced", release)
	}
}

// resembles compares a play in which the server died with one in which it did not. Each
// turn ends alike, with the same text; where the customer or a limit ended it, the time
// of the death decides how much text there was.
func (p *play) resembles(whole *play) {
	p.Helper()
	timely := p.rules.limit > 0
	for _, line := range p.customer {
		for _, word := range []string{"/stop", "/handoff", "/take"} {
			timely = timely || strings.HasPrefix(line, word)
		}
	}
	got, want := p.turns(), whole.turns()
	if len(got) != len(want) {
		p.Fatalf("%d turns, want %d:\n%s", len(got), len(want), p.lines())
	}
	for i := range got {
		g, w := got[i].Record, want[i].Record
		if p.rules.stateless && g.Outcome == chat.Interrupted {
			continue // nobody comes back to it
		}
		if p.rules.released && p.rules.final && g.Outcome == chat.Interrupted && g.Release == "first" {
			continue // what was shown stays, and another release does not go on with it
		}
		if g.Outcome != w.Outcome || g.Shown != w.Shown && !timely {
			p.Errorf("turn %d ended %s with %q, without the death it is %s with %q\n%s",
				i+1, g.Outcome, string(g.Shown), w.Outcome, string(w.Shown), p.lines())
		}
	}
}

// cast is the providers of a script. A turn that a death undid is given the same
// answers again.
type cast struct {
	models []model
	dies   int           // at this chunk the server dies; never
	dead   chan struct{} // closed then

	mu     sync.Mutex
	next   []int // the answer that each model gives next
	before []int // next, when the first model was asked last
	calls  int
	sent   int // chunks
	heard  []string
}

func newCast(models []model, dies int) *cast {
	return &cast{models: models, dies: dies, dead: make(chan struct{}), next: make([]int, len(models)), before: make([]int, len(models))}
}

func (c *cast) providers() []llm.Provider {
	var out []llm.Provider
	for i := range c.models {
		out = append(out, player{c, i})
	}
	return out
}

func (c *cast) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// call notes what a model is told and returns who answers.
func (c *cast) call(i int, req llm.Request) llm.Provider {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if i == 0 {
		copy(c.before, c.next)
	}
	m := c.models[i]
	s := m.answers[min(c.next[i], len(m.answers)-1)]
	c.next[i]++
	note := func(format string, args ...any) {
		c.heard = append(c.heard, m.name+" heard "+fmt.Sprintf(format, args...))
	}
	for _, h := range req.History {
		note("%s %q", h.Role, h.Text)
	}
	for n, p := range req.Passages {
		note("passage %d %s", n+1, p.Document)
	}
	if req.Said != "" {
		note("said %q", req.Said)
	}
	note("question %q, language %q", req.Question, req.Language)
	return s.Provider()
}

// chunk counts a chunk and reports whether the server dies before it is received.
func (c *cast) chunk() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	if c.sent-1 != c.dies {
		return false
	}
	close(c.dead)
	return true
}

// undo gives the answers of the running turn back.
func (c *cast) undo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	copy(c.next, c.before)
}

// player is one provider of a cast.
type player struct {
	cast *cast
	i    int
}

func (p player) Name() string { return p.cast.models[p.i].name }

func (p player) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		for chunk, err := range p.cast.call(p.i, req).Stream(ctx, req) {
			if err == nil && p.cast.chunk() {
				<-ctx.Done()
				if errors.Is(context.Cause(ctx), turn.ErrLeft) { // and not stopped in the same moment
					p.cast.undo()
				}
				yield(llm.Chunk{}, ctx.Err())
				return
			}
			if !yield(chunk, err) {
				return
			}
		}
	}
}
