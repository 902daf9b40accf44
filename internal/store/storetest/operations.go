package storetest

import (
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

func off(to chat.OffTo, assistant string) chat.Off {
	return chat.Off{Assistant: assistant, All: assistant == "", To: to, Reason: "it raves", By: "Ann", At: chat.Now()}
}

// say is the line for what the customer said.
func say(_ string, said []chat.Message) (chat.Text, chat.Entry) {
	return "Not now: " + said[0].Text, chat.Entry{Step: "cut", Error: "switched off"}
}

func (f *fixture) switchOff(o chat.Off) []chat.Conversation {
	f.Helper()
	cut, err := f.s.SwitchOff(f.ctx, o, say)
	f.check(err)
	return cut
}

func (f *fixture) switchesOff() {
	id, idle := f.create(), f.create()
	a := f.accept(id, "first", "")
	st := f.show(a.Open, "Shown.")
	f.accept(id, "second", "")
	other, err := f.s.Create(f.ctx, store.NewConversation{ID: chat.NewConversationID(), Assistant: "other", TokenHash: []byte("hash")})
	f.check(err)
	running := f.accept(other.ID, "hello", "")

	cut := f.switchOff(off(chat.OffToPeople, "demo"))
	if len(cut) != 1 || cut[0].ID != id || cut[0].Turn != "" || cut[0].Owner != chat.Queue {
		f.Errorf("SwitchOff = %+v", cut)
	}
	_, err = f.settle(a.Open, st, "Shown. More.")
	f.wantKind(err, chat.Fenced)
	if b := f.accept(idle, "third", ""); b.Open.Off == nil || b.Open.Off.To != chat.OffToPeople || b.Open.Off.Reason != "it raves" {
		f.Errorf("a new turn knows %+v", b.Open.Off)
	}
	open, err := f.s.OpenTurn(f.ctx, other.ID, running.Open.ID, f.node)
	f.check(err)
	if open.Off != nil {
		f.Errorf("another assistant's turn knows %+v", open.Off)
	}
	if c := f.switchOff(off(chat.OffToPeople, "")); len(c) != 2 {
		f.Errorf("SwitchOff of all cut %+v", c)
	}
	if c := f.switchOff(off(chat.OffToPeople, "")); len(c) != 0 {
		f.Errorf("SwitchOff again cut %+v", c)
	}
}

func (f *fixture) silences() {
	id, before, stateless := f.create(), f.create(), f.create()
	a := f.accept(id, "first", "")
	f.show(a.Open, "Shown.")
	f.accept(id, "second", "")
	f.accept(before, "third", "")
	if _, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: stateless, Text: "fourth", Stateless: true, Node: f.node}, nil); err != nil {
		f.Fatal(err)
	}
	if cut := f.switchOff(off(chat.OffToLine, "demo")); len(cut) != 3 {
		f.Errorf("SwitchOff = %+v", cut)
	}
	past, err := f.s.Turn(f.ctx, a.Open.ID)
	f.check(err)
	if past.Record.Outcome != chat.Refused || past.Record.Shown != "Shown.\n\nNot now: first" {
		f.Errorf("the turn ended %s with %q", past.Record.Outcome, string(past.Record.Shown))
	}
	if n := len(past.Journal); n == 0 || past.Journal[n-1].Error != "switched off" {
		f.Errorf("journal = %+v", past.Journal)
	}
	for _, c := range []chat.ConversationID{id, before, stateless} {
		now, err := f.s.Conversation(f.ctx, c)
		f.check(err)
		if now.Owner != chat.Bot || now.Turn != "" || now.Waiting != "" || now.Term < 2 {
			f.Errorf("the conversation is now %+v", now)
		}
	}
	messages, _, err := f.s.Messages(f.ctx, chat.Conversation{ID: id, Customer: a.Open.Conversation.Customer}, 0, 10)
	f.check(err)
	if n := len(messages); n != 4 || messages[2].Text != "Shown.\n\nNot now: first" || messages[3].Text != "Not now: second" {
		f.Errorf("messages = %+v", messages)
	}
}

// A stateless turn has nobody to hand over to.
func (f *fixture) silencesStateless() {
	id := f.create()
	_, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: "hello", Stateless: true, Node: f.node}, nil)
	f.check(err)
	f.switchOff(off(chat.OffToPeople, "demo"))
	c, err := f.s.Conversation(f.ctx, id)
	f.check(err)
	if c.Owner != chat.Bot || c.Turn != "" {
		f.Errorf("the conversation is now %+v", c)
	}
}

func (f *fixture) switchesOn() {
	demo, all := off(chat.OffToLine, "demo"), off(chat.OffToPeople, "")
	demo.Line = "Call us."
	f.switchOff(demo)
	f.switchOff(all)
	demo.Reason = "still"
	f.switchOff(demo) // again, in another way
	f.wantOff(all, demo)
	id := f.create()
	if a := f.accept(id, "hello", ""); a.Open.Off == nil || a.Open.Off.To != chat.OffToLine || a.Open.Off.Line != "Call us." {
		f.Errorf("its own switch goes before that of all: %+v", a.Open.Off)
	}
	f.check(f.s.SwitchOn(f.ctx, "demo"))
	f.check(f.s.SwitchOn(f.ctx, "demo"))
	f.wantOff(all)
	f.switchOff(demo)
	f.check(f.s.SwitchOn(f.ctx, ""))
	f.wantOff()
	if a := f.accept(f.create(), "hello", ""); a.Open.Off != nil {
		f.Errorf("a new turn knows %+v", a.Open.Off)
	}
}

func (f *fixture) wantOff(want ...chat.Off) {
	f.Helper()
	got, err := f.s.SwitchedOff(f.ctx)
	f.check(err)
	if len(got) != len(want) {
		f.Fatalf("SwitchedOff = %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			f.Errorf("SwitchedOff = %+v, want %+v", got[i], want[i])
		}
	}
}

func (f *fixture) notices() {
	now := chat.Now()
	hours := func(n int) chat.Time { return chat.Time{Time: now.Add(time.Duration(n) * time.Hour)} }
	add := func(id, assistant string, from, until int) error {
		return f.s.AddNotice(f.ctx, chat.Notice{ID: id, Assistant: assistant, Locale: "de", Text: "Later.", URL: "https://shop.example/n",
			From: hours(from), Until: hours(until), By: "Ann", CreatedAt: now})
	}
	f.check(add("over", "", -2, -1))
	f.check(add("later", "demo", 1, 2))
	f.check(add("now", "", -1, 3))
	got, err := f.s.Notices(f.ctx, now)
	f.check(err)
	if len(got) != 2 || got[0].ID != "now" || got[1].ID != "later" {
		f.Fatalf("Notices = %+v", got)
	}
	if want := (chat.Notice{ID: "later", Assistant: "demo", Locale: "de", Text: "Later.", URL: "https://shop.example/n",
		From: hours(1), Until: hours(2), By: "Ann", CreatedAt: now}); got[1] != want {
		f.Errorf("Notices = %+v, want %+v", got[1], want)
	}
	f.check(f.s.RemoveNotice(f.ctx, "now"))
	f.wantKind(f.s.RemoveNotice(f.ctx, "now"), chat.NotFound)
	for i := range store.NoticesInForce - 1 {
		f.check(add("demo"+string(rune('a'+i)), "demo", 1, 2))
	}
	f.wantKind(add("one more", "demo", 1, 2), chat.Conflict)
	f.wantKind(add("one for all", "", 1, 3), chat.Conflict)
	f.check(add("another's", "other", 1, 2))
	f.check(add("afterwards", "demo", 2, 3))
}
