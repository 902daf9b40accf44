// Package storetest says in code what a store must do: Run is the contract, the names
// of its subtests are the specification, and both engines run all of it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// Run tests the stores that open makes. Each call of open gives an empty store.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, c := range []struct {
		name string
		test func(*fixture)
	}{
		{"a conversation begins open and with the bot", (*fixture).begins},
		{"an unknown conversation is not found", (*fixture).unknown},
		{"an accepted message starts a turn", (*fixture).starts},
		{"a client_id is accepted once", (*fixture).once},
		{"a client_id is accepted once, by many at a time", (*fixture).onceRaced},
		{"a follow-up before text merges and fences the attempt", (*fixture).merges},
		{"a follow-up after text waits for the next turn", (*fixture).waits},
		{"what a stream shows is numbered and read back", (*fixture).streams},
		{"text and its journal are durable together", (*fixture).journals},
		{"a turn settles once", (*fixture).settles},
		{"history leaves out what waits", (*fixture).history},
		{"handing over ends the turn before the owner changes", (*fixture).handsOver},
		{"a turn that promises a person hands over before it says so", (*fixture).promises},
		{"taking over ends the waiting turn too", (*fixture).takesWaiting},
		{"no bot event follows the owner event", (*fixture).raced},
		{"only its agent speaks in a conversation", (*fixture).says},
		{"the queue lists who waits longest first", (*fixture).queue},
		{"an ended conversation takes no message and folds its text", (*fixture).ends},
		{"a dead node's turns are adopted and fenced", (*fixture).adopts},
		{"a stop is remembered", (*fixture).stops},
		{"a stateless turn is known as one", (*fixture).stateless},
		{"a person's conversations are theirs alone", (*fixture).persons},
		{"a person is made once, by many at a time", (*fixture).personRaced},
		{"an anonymous conversation becomes a person's", (*fixture).links},
		{"of two who claim a conversation one gets it", (*fixture).linkRaced},
		{"a person's list is paged, newest first", (*fixture).listed},
		{"a rating replaces the one before", (*fixture).rates},
		{"only an answer can be rated", (*fixture).ratesAnswers},
		{"a score is given once", (*fixture).scores},
		{"who was answered is asked for a score", (*fixture).asksForScore},
		{"a read mark never goes back", (*fixture).marksRead},
		{"the place in the queue counts who waits longer", (*fixture).places},
		{"a retry answers the same messages in the answer's place", (*fixture).retries},
		{"a retry is the same one when it is asked for again", (*fixture).retriesOnce},
		{"a retry of a retry answers the first one's messages", (*fixture).retriesAgain},
		{"only the bot's last turn is retried, when it has ended", (*fixture).retriesLast},
		{"a file is read back as it was uploaded", (*fixture).uploads},
		{"an upload that breaks off leaves nothing", (*fixture).uploadsWhole},
		{"a conversation has room for so many files", (*fixture).fileRoom},
		{"a file is sent once, in its own conversation", (*fixture).sendsFiles},
		{"a message without words starts no turn", (*fixture).sendsNoWords},
		{"files that were not sent are dropped", (*fixture).dropsUnsent},
		{"what is switched off ends what runs and tells what comes", (*fixture).switchesOff},
		{"what is switched off with a line says it and no more", (*fixture).silences},
		{"a stateless turn has nobody to hand over to", (*fixture).silencesStateless},
		{"an assistant's own switch goes before that of all", (*fixture).switchesOn},
		{"notices are read until they are over, so many at a time", (*fixture).notices},
		{"one member's failure leaves the others", (*fixture).members},
		{"a list is of the assistants that are asked for", (*fixture).listsAssistants},
		{"keys are found by their hash", (*fixture).keys},
		{"a revoked key stays, and its name is free", (*fixture).revokesKeys},
		{"the last admin key goes only by force, of many at a time too", (*fixture).lastAdminKey},
		{"the use of a key is noted once an hour", (*fixture).notesKeys},
		{"the newest published generation is served", (*fixture).publishes},
		{"the last promotion is in force", (*fixture).promotes},
		{"of two who promote at a time one does", (*fixture).promotesOnce},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fixture{T: t, s: open(t), ctx: t.Context(), node: chat.NewNodeID()}
			if err := f.s.Join(f.ctx, f.node); err != nil {
				t.Fatal(err)
			}
			c.test(f)
		})
	}
}

type fixture struct {
	*testing.T
	s    *store.Store
	ctx  context.Context
	node chat.NodeID
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) wantKind(err error, kind chat.ErrorKind) {
	f.Helper()
	if !errors.Is(err, kind) {
		f.Fatalf("error = %v, want %v", err, kind)
	}
}

func (f *fixture) create() chat.ConversationID {
	f.Helper()
	c, err := f.s.Create(f.ctx, store.NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("hash")})
	f.check(err)
	return c.ID
}

func (f *fixture) accept(id chat.ConversationID, text chat.Text, clientID string) chat.Accepted {
	f.Helper()
	a, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: text, ClientID: clientID, Node: f.node}, nil)
	f.check(err)
	return a
}

func (f *fixture) show(o chat.OpenTurn, text string) *store.Stream {
	f.Helper()
	st := f.s.Stream(o)
	f.check(st.Add([]chat.Body{chat.TextShown{Text: text}}, []chat.Entry{{Step: "chunk", Result: []byte(`{}`)}}))
	f.check(st.Flush(f.ctx))
	return st
}

func (f *fixture) settle(o chat.OpenTurn, st *store.Stream, text chat.Text) (chat.TurnID, error) {
	f.Helper()
	e := chat.Ending{State: chat.Completed, Record: chat.Turn{
		ID: o.ID, Conversation: o.Conversation.ID, Customer: o.Conversation.Customer, Shown: text, Outcome: chat.Answered}}
	var err error
	e.Bodies, e.Entries, err = st.Rest(f.ctx)
	if err != nil {
		return "", err
	}
	return f.s.Settle(f.ctx, o.Fence(), e)
}

// log describes the events of a conversation, a line each, and checks their numbers.
func (f *fixture) log(id chat.ConversationID) []string {
	f.Helper()
	events, err := f.s.After(f.ctx, id, 0, 1000)
	f.check(err)
	var out []string
	for i, e := range events {
		if e.Seq != int64(i+1) {
			f.Errorf("event %d has number %d", i+1, e.Seq)
		}
		line := string(e.Kind)
		switch e.Kind {
		case chat.KindText:
			b, err := chat.Decode[chat.TextShown](e)
			f.check(err)
			line += " " + b.Text
		case chat.KindTurnEnded:
			b, err := chat.Decode[chat.TurnEnded](e)
			f.check(err)
			line += " " + string(b.Outcome) + ": " + string(b.Text)
		case chat.KindOwner:
			b, err := chat.Decode[chat.OwnerChanged](e)
			f.check(err)
			line += " " + string(b.Owner)
		case chat.KindAccepted:
			b, err := chat.Decode[chat.MessageAccepted](e)
			f.check(err)
			line += " " + string(b.Message.Text)
		case chat.KindTurnStarted:
			b, err := chat.Decode[chat.TurnStarted](e)
			f.check(err)
			if b.RetryOf != "" {
				line += " again"
			}
		case chat.KindFeedback:
			b, err := chat.Decode[chat.FeedbackGiven](e)
			f.check(err)
			line += " " + string(b.Rating)
		case chat.KindCSAT:
			b, err := chat.Decode[chat.CSATGiven](e)
			f.check(err)
			line += fmt.Sprint(" ", b.Score)
		}
		out = append(out, line)
	}
	return out
}

func (f *fixture) wantLog(id chat.ConversationID, want ...string) {
	f.Helper()
	if got := f.log(id); !reflect.DeepEqual(got, want) {
		f.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (f *fixture) begins() {
	id := f.create()
	c, err := f.s.Conversation(f.ctx, id)
	f.check(err)
	if c.Owner != chat.Bot || c.Term != 1 || c.Seq != 0 || c.Status != chat.Open || c.State != chat.Initial || c.Level != chat.Full {
		f.Errorf("conversation = %+v", c)
	}
	h, err := f.s.TokenHash(f.ctx, id)
	f.check(err)
	if string(h) != "hash" {
		f.Errorf("TokenHash = %q", h)
	}
}

func (f *fixture) unknown() {
	_, err := f.s.Conversation(f.ctx, "c0")
	f.wantKind(err, chat.NotFound)
	_, err = f.s.Accept(f.ctx, chat.Incoming{Conversation: "c0", Text: "hello", Node: f.node}, nil)
	f.wantKind(err, chat.NotFound)
	_, err = f.s.After(f.ctx, "c0", 0, 1)
	f.wantKind(err, chat.NotFound)
	_, err = f.s.Take(f.ctx, "c0", "Ann")
	f.wantKind(err, chat.NotFound)
	_, err = f.s.Turn(f.ctx, "t0")
	f.wantKind(err, chat.NotFound)
}

func (f *fixture) starts() {
	id := f.create()
	a := f.accept(id, "Where is my order? 日本", "")
	if a.Effect != chat.Starts || a.Seq != 1 || a.Message.Turn == "" || a.Open.ID != a.Message.Turn {
		f.Errorf("Accept = %+v", a)
	}
	f.wantLog(id, "message.accepted Where is my order? 日本", "turn.started")
	o, err := f.s.OpenTurn(f.ctx, id, a.Open.ID, f.node)
	f.check(err)
	if !reflect.DeepEqual(o, a.Open) {
		f.Errorf("OpenTurn = %+v\nAccept gave %+v", o, a.Open)
	}
	_, err = f.s.OpenTurn(f.ctx, id, a.Open.ID, "another")
	f.wantKind(err, chat.Fenced)
}

func (f *fixture) once() {
	id := f.create()
	a := f.accept(id, "hello", "k1")
	b := f.accept(id, "hello", "k1")
	if b.Effect != chat.Repeated || b.Seq != a.Seq || !reflect.DeepEqual(b.Message, a.Message) {
		f.Errorf("second Accept = %+v, first %+v", b, a)
	}
	_, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: "other", ClientID: "k1", Node: f.node}, nil)
	f.wantKind(err, chat.Conflict)
	f.wantLog(id, "message.accepted hello", "turn.started")
}

func (f *fixture) onceRaced() {
	id := f.create()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: "hello", ClientID: "k", Node: f.node}, nil); err != nil {
				f.Error(err)
			}
		})
	}
	wg.Wait()
	f.wantLog(id, "message.accepted hello", "turn.started")
}

func (f *fixture) merges() {
	id := f.create()
	a := f.accept(id, "one", "")
	first := f.s.Stream(a.Open)
	b := f.accept(id, "two", "")
	if b.Effect != chat.Merges || b.Message.Turn != a.Message.Turn {
		f.Errorf("Accept = %+v", b)
	}
	f.check(first.Add([]chat.Body{chat.TextShown{Text: "void"}}, nil))
	f.wantKind(first.Flush(f.ctx), chat.Fenced)
	o, err := f.s.OpenTurn(f.ctx, id, a.Open.ID, f.node)
	f.check(err)
	if len(o.Messages) != 2 || o.Messages[1].Text != "two" {
		f.Errorf("messages = %+v", o.Messages)
	}
	f.show(o, "both")
	f.wantLog(id, "message.accepted one", "turn.started", "message.accepted two", "text both")
}

func (f *fixture) waits() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.show(a.Open, "answer")
	b, c := f.accept(id, "two", ""), f.accept(id, "three", "")
	if b.Effect != chat.Waits || c.Effect != chat.Waits || b.Message.Turn != c.Message.Turn || b.Message.Turn == a.Message.Turn {
		f.Errorf("Accept = %+v and %+v", b, c)
	}
	next, err := f.settle(a.Open, st, "answer")
	f.check(err)
	if next != b.Message.Turn {
		f.Errorf("next = %q, want %q", next, b.Message.Turn)
	}
	o, err := f.s.OpenTurn(f.ctx, id, next, f.node)
	f.check(err)
	if len(o.Messages) != 2 {
		f.Errorf("messages of the next turn = %+v", o.Messages)
	}
	f.wantLog(id, "message.accepted one", "turn.started", "text answer", "message.accepted two", "message.accepted three",
		"turn.ended answered: answer", "turn.started")
}

func (f *fixture) streams() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.s.Stream(a.Open)
	cite := chat.Citation{Mark: 1, Title: "T", Quote: "q", Start: 3, End: 4}
	f.check(st.Add([]chat.Body{chat.LevelChanged{Level: chat.Extractive, Reason: "no model"}, chat.TextShown{Text: "a"}}, nil))
	f.check(st.Add([]chat.Body{chat.TextShown{Text: "b \"\u2028\x01"}}, nil))
	f.check(st.Add([]chat.Body{chat.Cited{Citation: cite}, chat.TextShown{Text: "c"}}, nil))
	f.check(st.Flush(f.ctx))
	events, err := f.s.After(f.ctx, id, 2, 10)
	f.check(err)
	var text string
	for _, e := range events {
		switch e.Kind {
		case chat.KindText:
			b, err := chat.Decode[chat.TextShown](e)
			f.check(err)
			text += b.Text
		case chat.KindCitation:
			b, err := chat.Decode[chat.Cited](e)
			f.check(err)
			if b.Citation != cite {
				f.Errorf("citation = %+v", b)
			}
			text += "|"
		}
	}
	if want := "ab \"\u2028\x01|c"; text != want {
		f.Errorf("text = %q, want %q", text, want)
	}
	c, err := f.s.Conversation(f.ctx, id)
	f.check(err)
	if c.Level != chat.Extractive || !c.Shown {
		f.Errorf("conversation = %+v", c)
	}
	if len(events) > 0 && c.Seq != events[len(events)-1].Seq {
		f.Errorf("seq = %d, last event %d", c.Seq, events[len(events)-1].Seq)
	}
}

func (f *fixture) journals() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.s.Stream(a.Open)
	for i := range 5 {
		f.check(st.Add([]chat.Body{chat.TextShown{Text: fmt.Sprint(i)}}, []chat.Entry{{Step: fmt.Sprint(i), Error: "e"}}))
		f.check(st.Flush(f.ctx))
	}
	f.check(st.Add(nil, []chat.Entry{{Step: "rest"}}))
	o, err := f.s.OpenTurn(f.ctx, id, a.Open.ID, f.node)
	f.check(err)
	var steps string
	for _, e := range o.Journal {
		steps += e.Step
	}
	if steps != "01234" {
		f.Errorf("journal = %q", steps)
	}
}

func (f *fixture) settles() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.show(a.Open, "answer")
	f.check(st.Add([]chat.Body{chat.TextShown{Text: "."}}, []chat.Entry{{Step: "end"}}))
	_, err := f.settle(a.Open, st, "answer.")
	f.check(err)
	_, err = f.settle(a.Open, st, "again")
	f.wantKind(err, chat.Fenced)
	f.check(st.Add([]chat.Body{chat.TextShown{Text: "late"}}, nil))
	f.wantKind(st.Flush(f.ctx), chat.Fenced)
	p, err := f.s.Turn(f.ctx, a.Open.ID)
	f.check(err)
	if p.Record.Shown != "answer." || p.Journal[len(p.Journal)-1].Step != "end" || len(p.Events) == 0 {
		f.Errorf("past = %+v", p)
	}
	c, err := f.s.Conversation(f.ctx, id)
	f.check(err)
	ms, next, err := f.s.Messages(f.ctx, c, 0, 10)
	f.check(err)
	if len(ms) != 2 || next != 0 || ms[1].Role != chat.Assistant || ms[1].Text != "answer." || c.State != chat.Completed {
		f.Errorf("messages = %+v, conversation = %+v", ms, c)
	}
	ms, next, err = f.s.Messages(f.ctx, c, 0, 1)
	f.check(err)
	if len(ms) != 1 || next != 1 {
		f.Errorf("first page = %+v, next %d", ms, next)
	}
	text := f.log(id)
	if text[len(text)-1] != "turn.ended answered: answer." {
		f.Errorf("events = %q", text)
	}
}

func (f *fixture) history() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.show(a.Open, "first")
	b := f.accept(id, "two", "")
	next, err := f.settle(a.Open, st, "first")
	f.check(err)
	o, err := f.s.OpenTurn(f.ctx, id, next, f.node)
	f.check(err)
	st = f.show(o, "second")
	f.accept(id, "three", "")
	h, err := f.s.History(f.ctx, o, 10)
	f.check(err)
	var got []string
	for _, m := range h {
		got = append(got, string(m.Text))
	}
	if fmt.Sprint(got) != "[one first]" {
		f.Errorf("history of %q = %q", b.Message.Text, got)
	}
	_, err = f.settle(o, st, "second")
	f.check(err)
}

func (f *fixture) handsOver() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.show(a.Open, "so far")
	f.check(st.Add([]chat.Body{chat.TextShown{Text: " dropped"}}, nil))
	c, err := f.s.HandOff(f.ctx, id, chat.Handoff{Reason: "I want a person", Trigger: "asked"})
	f.check(err)
	if c.Owner != chat.Queue || c.Turn != "" || c.QueuedAt == nil || c.Term != 2 {
		f.Errorf("conversation = %+v", c)
	}
	f.wantKind(st.Flush(f.ctx), chat.Fenced)
	f.wantLog(id, "message.accepted one", "turn.started", "text so far", "handoff", "turn.ended handed_over: so far", "owner queue")
	if b := f.accept(id, "still there?", ""); b.Effect != chat.Rests || b.Message.Turn != "" {
		f.Errorf("Accept = %+v", b)
	}
	again, err := f.s.HandOff(f.ctx, id, chat.Handoff{})
	f.check(err)
	if again.Term != c.Term {
		f.Errorf("the second hand-off changed the conversation: %+v", again)
	}
	p, err := f.s.Turn(f.ctx, a.Open.ID)
	f.check(err)
	if p.Record.Outcome != chat.HandedOver || p.Record.Shown != "so far" {
		f.Errorf("record = %+v", p.Record)
	}
	p.Record.Error = "more is known"
	f.check(f.s.SaveRecord(f.ctx, p.Record))
	p, err = f.s.Turn(f.ctx, a.Open.ID)
	f.check(err)
	if p.Record.Error != "more is known" {
		f.Errorf("record = %+v", p.Record)
	}
}

func (f *fixture) promises() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.show(a.Open, "so far.")
	f.accept(id, "two", "")
	bodies, entries, err := st.Rest(f.ctx)
	f.check(err)
	e := chat.Ending{Bodies: append(bodies, chat.TextShown{Text: " A person will help."}), Entries: entries, State: chat.Completed,
		Record: chat.Turn{ID: a.Open.ID, Conversation: id, Customer: a.Open.Conversation.Customer, Outcome: chat.HandedOver,
			Shown: "so far. A person will help.", Handoff: &chat.Handoff{Reason: "the documents do not say", Trigger: "unsure"}}}
	next, err := f.s.Settle(f.ctx, a.Open.Fence(), e)
	f.check(err)
	if next != "" {
		f.Errorf("turn %s comes next, want none: a person owns the conversation", next)
	}
	f.wantLog(id, "message.accepted one", "turn.started", "text so far.", "message.accepted two", "handoff", "text  A person will help.",
		"turn.ended handed_over: so far. A person will help.", "turn.started", "turn.ended handed_over: ", "owner queue")
	c, err := f.s.Conversation(f.ctx, id)
	f.check(err)
	if c.Owner != chat.Queue || c.Turn != "" || c.Waiting != "" || c.QueuedAt == nil {
		f.Errorf("conversation = %+v", c)
	}
	_, err = f.s.Settle(f.ctx, a.Open.Fence(), e)
	f.wantKind(err, chat.Fenced)
}

func (f *fixture) takesWaiting() {
	id := f.create()
	a := f.accept(id, "one", "")
	f.show(a.Open, "so far")
	f.accept(id, "two", "")
	_, err := f.s.Take(f.ctx, id, "Ann")
	f.check(err)
	f.wantLog(id, "message.accepted one", "turn.started", "text so far", "message.accepted two",
		"turn.ended handed_over: so far", "turn.started", "turn.ended handed_over: ", "owner agent")
	_, err = f.s.Take(f.ctx, id, "Bob")
	f.wantKind(err, chat.Conflict)
	if !strings.Contains(err.Error(), "Ann") {
		f.Errorf("the error does not name the owner: %v", err)
	}
	c, err := f.s.Take(f.ctx, id, "Ann")
	f.check(err)
	if c.Term != 2 {
		f.Errorf("taking one's own changed the term: %+v", c)
	}
}

// raced lets a bot that shows and settles race an agent who takes over.
func (f *fixture) raced() {
	for range 40 {
		id := f.create()
		a := f.accept(id, "one", "")
		st := f.s.Stream(a.Open)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 3 {
				if st.Add([]chat.Body{chat.TextShown{Text: "x"}}, nil) != nil || st.Flush(f.ctx) != nil {
					return
				}
			}
			if _, err := f.settle(a.Open, st, "xxx"); err != nil && !errors.Is(err, chat.Fenced) {
				f.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := f.s.Take(f.ctx, id, "Ann"); err != nil {
				f.Error(err)
			}
		})
		wg.Wait()
		log := f.log(id)
		ended := 0
		for i, line := range log {
			if strings.HasPrefix(line, "owner") && i != len(log)-1 {
				f.Fatalf("events after the owner event: %q", log)
			}
			if strings.HasPrefix(line, "turn.ended") {
				ended++
			}
		}
		if ended != 1 {
			f.Fatalf("%d ends: %q", ended, log)
		}
	}
}

func (f *fixture) says() {
	id := f.create()
	_, _, err := f.s.Say(f.ctx, "Ann", chat.Incoming{Conversation: id, Text: "hello"})
	f.wantKind(err, chat.Conflict)
	_, err = f.s.Take(f.ctx, id, "Ann")
	f.check(err)
	m, seq, err := f.s.Say(f.ctx, "Ann", chat.Incoming{Conversation: id, Text: "hello", ClientID: "a1"})
	f.check(err)
	again, same, err := f.s.Say(f.ctx, "Ann", chat.Incoming{Conversation: id, Text: "hello", ClientID: "a1"})
	f.check(err)
	if seq != same || again.ID != m.ID {
		f.Errorf("repeated: %+v %d, first %+v %d", again, same, m, seq)
	}
	_, _, err = f.s.Say(f.ctx, "Bob", chat.Incoming{Conversation: id, Text: "hello"})
	f.wantKind(err, chat.Conflict)
	c, err := f.s.Release(f.ctx, id, chat.Bot)
	f.check(err)
	if c.Owner != chat.Bot || c.Term != 3 {
		f.Errorf("conversation = %+v", c)
	}
	_, err = f.s.Release(f.ctx, id, chat.AgentOwner)
	f.wantKind(err, chat.Invalid)
	f.wantLog(id, "owner agent", "agent.message", "owner bot")
	if a := f.accept(id, "and now?", ""); a.Effect != chat.Starts {
		f.Errorf("Accept = %+v", a)
	}
}

func (f *fixture) queue() {
	var ids []chat.ConversationID
	for range 5 {
		id := f.create()
		_, err := f.s.HandOff(f.ctx, id, chat.Handoff{Reason: "r", Trigger: "asked"})
		f.check(err)
		ids = append(ids, id)
	}
	f.create()
	var got []chat.ConversationID
	var after chat.ConversationID
	for {
		page, err := f.s.Conversations(f.ctx, chat.Queue, nil, after, 2, nil)
		f.check(err)
		for _, c := range page {
			got = append(got, c.ID)
			after = c.ID
		}
		if len(page) < 2 {
			break
		}
	}
	if !reflect.DeepEqual(got, ids) {
		f.Errorf("queue = %v, want %v", got, ids)
	}
}

func (f *fixture) ends() {
	id := f.create()
	a := f.accept(id, "one", "")
	var st *store.Stream
	for _, s := range []string{"a", "b", "c"} {
		if st == nil {
			st = f.show(a.Open, s)
			continue
		}
		f.check(st.Add([]chat.Body{chat.TextShown{Text: s}}, nil))
		f.check(st.Flush(f.ctx))
	}
	f.check(st.Add([]chat.Body{chat.Retracted{}, chat.TextShown{Text: "d"}}, nil))
	f.check(st.Flush(f.ctx))
	_, err := f.settle(a.Open, st, "d")
	f.check(err)
	_, err = f.s.End(f.ctx, id, "done")
	f.check(err)
	_, err = f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: "more", Node: f.node}, nil)
	f.wantKind(err, chat.Conflict)
	events, err := f.s.After(f.ctx, id, 0, 100)
	f.check(err)
	var got []string
	for _, e := range events {
		s := fmt.Sprint(e.Seq, " ", e.Kind)
		if e.Kind == chat.KindText {
			b, err := chat.Decode[chat.TextShown](e)
			f.check(err)
			s += fmt.Sprint(" from ", b.First, " ", b.Text)
		}
		got = append(got, s)
	}
	want := []string{"1 message.accepted", "2 turn.started", "5 text from 3 abc", "6 retract", "7 text from 0 d", "8 turn.ended", "9 csat.requested", "10 closed"}
	if !reflect.DeepEqual(got, want) {
		f.Errorf("events = %q, want %q", got, want)
	}
	_, err = f.s.End(f.ctx, id, "again")
	f.check(err)
	_, err = f.s.Take(f.ctx, id, "Ann")
	f.wantKind(err, chat.Conflict)
}

func (f *fixture) adopts() {
	id := f.create()
	a := f.accept(id, "one", "")
	st := f.show(a.Open, "so far")
	f.accept(id, "two", "")
	orphans, err := f.s.Adopt(f.ctx, f.node, 10)
	f.check(err)
	if len(orphans) != 0 {
		f.Errorf("a living node's turns were adopted: %v", orphans)
	}
	other := chat.NewNodeID()
	f.check(f.s.Join(f.ctx, other))
	f.check(f.s.Leave(f.ctx, f.node))
	orphans, err = f.s.Adopt(f.ctx, other, 10)
	f.check(err)
	if len(orphans) != 1 || orphans[0].Turn != a.Open.ID {
		f.Fatalf("orphans = %v", orphans)
	}
	f.check(st.Add([]chat.Body{chat.TextShown{Text: "late"}}, nil))
	f.wantKind(st.Flush(f.ctx), chat.Fenced)
	o, err := f.s.OpenTurn(f.ctx, id, a.Open.ID, other)
	f.check(err)
	if o.Lives != 2 || o.Conversation.Term != 2 {
		f.Errorf("open turn = %+v", o)
	}
	next, err := f.settle(o, f.s.Stream(o), "so far")
	f.check(err)
	if _, err := f.s.OpenTurn(f.ctx, id, next, other); err != nil {
		f.Errorf("the waiting turn does not follow: %v", err)
	}
}

func (f *fixture) stateless() {
	id := f.create()
	past := []chat.Message{{Role: chat.Customer, Text: "before"}}
	a, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: "now", Final: true, Stateless: true, History: past, Node: f.node}, nil)
	f.check(err)
	if !a.Open.Stateless || len(a.Open.History) != 1 || a.Open.History[0].Text != "before" {
		f.Errorf("Accept = %+v", a.Open)
	}
	o, err := f.s.OpenTurn(f.ctx, id, a.Open.ID, f.node)
	f.check(err)
	if !o.Stateless || !o.Final {
		f.Errorf("OpenTurn = %+v, want a stateless, final turn", o)
	}
	seq, final, err := f.s.Began(f.ctx, id, a.Open.ID)
	if err != nil || !final || seq > a.Seq+1 {
		f.Errorf("Began = %d, %v, %v, want at most %d and true", seq, final, err, a.Seq+1)
	}
	_, _, err = f.s.Began(f.ctx, id, "t0")
	f.wantKind(err, chat.NotFound)
}

func (f *fixture) stops() {
	id := f.create()
	turn, _, _, err := f.s.Stop(f.ctx, id)
	f.check(err)
	if turn != "" {
		f.Errorf("Stop = %q without a turn", turn)
	}
	a := f.accept(id, "one", "")
	turn, node, _, err := f.s.Stop(f.ctx, id)
	f.check(err)
	if turn != a.Open.ID || node != f.node {
		f.Errorf("Stop = %q, %q", turn, node)
	}
	o, err := f.s.OpenTurn(f.ctx, id, turn, f.node)
	f.check(err)
	if !o.Stop {
		f.Error("the stop was forgotten")
	}
}

// members sends good and bad writes at once, so that they share commits.
func (f *fixture) members() {
	var ids []chat.ConversationID
	for range 8 {
		ids = append(ids, f.create())
	}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			if i%2 == 1 {
				_, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: "c0", Text: "x", Node: f.node}, nil)
				if !errors.Is(err, chat.NotFound) {
					f.Errorf("error = %v", err)
				}
				return
			}
			if _, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: ids[i/2%8], Text: "x", Node: f.node}, nil); err != nil {
				f.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if n := len(f.log(id)); n != 5 { // four messages and one turn
			f.Errorf("%d events, want 5", n)
		}
	}
}

func (f *fixture) publishes() {
	none, err := f.s.Published(f.ctx, 10)
	f.check(err)
	f.check(f.s.Publish(f.ctx, "a", "g1", "./a"))
	f.check(f.s.Publish(f.ctx, "a", "g2", "./a"))
	all, err := f.s.Published(f.ctx, 10)
	f.check(err)
	if len(none) != 0 || len(all) != 2 || all[0].Generation != "g2" || all[0].Source != "./a" {
		f.Errorf("Published = %+v and %+v", none, all)
	}
}
