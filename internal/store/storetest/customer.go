package storetest

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// answer has a turn of a new conversation answered.
func (f *fixture) answer() (chat.ConversationID, chat.TurnID) {
	f.Helper()
	id := f.create()
	return id, f.answerTo(f.accept(id, "one", "").Open, "answer")
}

func (f *fixture) answerTo(o chat.OpenTurn, text string) chat.TurnID {
	f.Helper()
	_, err := f.settle(o, f.show(o, text), chat.Text(text))
	f.check(err)
	return o.ID
}

func (f *fixture) conversation(id chat.ConversationID) chat.Conversation {
	f.Helper()
	c, err := f.s.Conversation(f.ctx, id)
	f.check(err)
	return c
}

func (f *fixture) opinions(id chat.ConversationID) chat.Opinions {
	f.Helper()
	o, err := f.s.Opinions(f.ctx, f.conversation(id))
	f.check(err)
	return o
}

func (f *fixture) rates() {
	id, turn := f.answer()
	before := len(f.log(id))
	down := chat.Feedback{Turn: turn, Rating: chat.Down}
	seq, err := f.s.Rate(f.ctx, id, down)
	f.check(err)
	down.Reason, down.Text = "incomplete", "and Tyrol?"
	for range 2 {
		again, err := f.s.Rate(f.ctx, id, down)
		f.check(err)
		if again != seq {
			f.Errorf("the same rating is event %d, then %d", seq, again)
		}
	}
	if got := f.opinions(id).Feedback; !reflect.DeepEqual(got, []chat.Feedback{down}) {
		f.Errorf("feedback = %+v, want %+v", got, down)
	}
	_, err = f.s.End(f.ctx, id, "")
	f.check(err)
	up := chat.Feedback{Turn: turn, Rating: chat.Up}
	newer, err := f.s.Rate(f.ctx, id, up) // also when it was closed
	f.check(err)
	if got := f.opinions(id).Feedback; !reflect.DeepEqual(got, []chat.Feedback{up}) {
		f.Errorf("feedback = %+v, want %+v", got, up)
	}
	want := []string{"feedback down", "csat.requested", "closed", "feedback up"}
	if got := f.log(id)[before:]; !reflect.DeepEqual(got, want) || newer != seq+3 {
		f.Errorf("events %q, the ratings are %d and %d; want %q", got, seq, newer, want)
	}
}

func (f *fixture) ratesAnswers() {
	id, turn := f.answer()
	other, _ := f.answer()
	rate := func(id chat.ConversationID, turn chat.TurnID) error {
		_, err := f.s.Rate(f.ctx, id, chat.Feedback{Turn: turn, Rating: chat.Up})
		return err
	}
	f.wantKind(rate("c0", turn), chat.NotFound)
	f.wantKind(rate(id, "t0"), chat.NotFound)
	f.wantKind(rate(other, turn), chat.NotFound)
	running := f.accept(id, "two", "").Open
	f.wantKind(rate(id, running.ID), chat.Invalid)
	_, err := f.settle(running, f.s.Stream(running), "")
	f.check(err)
	f.wantKind(rate(id, running.ID), chat.Invalid) // it has shown nothing
	if got := f.opinions(id).Feedback; got != nil {
		f.Errorf("feedback = %+v", got)
	}
}

func (f *fixture) scores() {
	id, _ := f.answer()
	seq, err := f.s.Score(f.ctx, id, chat.CSAT{Score: 4})
	f.check(err)
	_, err = f.s.Score(f.ctx, id, chat.CSAT{Score: 5})
	f.wantKind(err, chat.Conflict)
	for _, text := range []chat.Text{"fine", "ignored", ""} {
		again, err := f.s.Score(f.ctx, id, chat.CSAT{Score: 4, Text: text})
		f.check(err)
		if again != seq {
			f.Errorf("the same score is event %d, then %d", seq, again)
		}
	}
	if got := f.opinions(id).CSAT; got == nil || *got != (chat.CSAT{Score: 4, Text: "fine"}) {
		f.Errorf("score = %+v", got)
	}
	_, err = f.s.End(f.ctx, id, "")
	f.check(err)
	if got := strings.Join(f.log(id), "|"); !strings.HasSuffix(got, "|csat 4|closed") {
		f.Errorf("events: %s", got)
	}
	_, err = f.s.Score(f.ctx, "c0", chat.CSAT{Score: 1})
	f.wantKind(err, chat.NotFound)
}

func (f *fixture) asksForScore() {
	nobody := f.create()
	f.accept(nobody, "one", "")
	agents := f.create()
	_, err := f.s.Take(f.ctx, agents, "Ann")
	f.check(err)
	_, _, err = f.s.Say(f.ctx, "Ann", chat.Incoming{Conversation: agents, Text: "hello"})
	f.check(err)
	stopped := f.create() // its turn ends with the conversation, and has shown text
	f.show(f.accept(stopped, "one", "").Open, "so far")
	for id, want := range map[chat.ConversationID]string{
		nobody:  "message.accepted one|turn.started|turn.ended handed_over: |closed",
		agents:  "owner agent|agent.message|csat.requested|closed",
		stopped: "message.accepted one|turn.started|text so far|turn.ended handed_over: so far|csat.requested|closed",
	} {
		_, err := f.s.End(f.ctx, id, "")
		f.check(err)
		if got := strings.Join(f.log(id), "|"); got != want {
			f.Errorf("events: %s, want %s", got, want)
		}
	}
	if _, err := f.s.Score(f.ctx, agents, chat.CSAT{Score: 1}); err != nil { // after it was closed
		f.Error(err)
	}
}

func (f *fixture) marksRead() {
	id, _ := f.answer()
	before := f.conversation(id)
	for _, c := range []struct {
		by      chat.Role
		seq     int64
		want    chat.ReadMarks
		changed bool
	}{
		{chat.Customer, 0, chat.ReadMarks{}, false},
		{chat.Customer, 2, chat.ReadMarks{Customer: 2}, true},
		{chat.Customer, 2, chat.ReadMarks{Customer: 2}, false},
		{chat.Customer, 1, chat.ReadMarks{Customer: 2}, false},
		{chat.Agent, 1 << 60, chat.ReadMarks{Customer: 2, Agent: before.Seq}, true},
		{chat.Agent, 1 << 60, chat.ReadMarks{Customer: 2, Agent: before.Seq}, false},
	} {
		got, changed, err := f.s.MarkRead(f.ctx, id, c.by, c.seq)
		f.check(err)
		if got != c.want || changed != c.changed {
			f.Errorf("MarkRead by %s to %d = %+v, %t, want %+v, %t", c.by, c.seq, got, changed, c.want, c.changed)
		}
	}
	f.accept(id, "more", "") // what else changes the conversation leaves the marks
	after := f.conversation(id)
	if after.Read != (chat.ReadMarks{Customer: 2, Agent: before.Seq}) {
		f.Errorf("marks = %+v", after.Read)
	}
	_, _, err := f.s.MarkRead(f.ctx, id, chat.Customer, 3)
	f.check(err)
	if now := f.conversation(id); now.Seq != after.Seq || now.LastAt != after.LastAt {
		f.Errorf("reading changed the conversation from %+v to %+v", after, now)
	}
	_, _, err = f.s.MarkRead(f.ctx, "c0", chat.Agent, 1)
	f.wantKind(err, chat.NotFound)
}

func (f *fixture) places() {
	var ids []chat.ConversationID
	for range 3 {
		id := f.create()
		_, err := f.s.HandOff(f.ctx, id, chat.Handoff{Reason: "r", Trigger: "asked"})
		f.check(err)
		ids = append(ids, id)
	}
	places := func(want ...int) {
		f.Helper()
		for i, id := range ids[len(ids)-len(want):] {
			n, err := f.s.Place(f.ctx, f.conversation(id))
			f.check(err)
			if n != want[i] {
				f.Errorf("conversation %d has place %d, want %d", i+1, n, want[i])
			}
		}
	}
	places(1, 2, 3)
	f.accept(ids[0], "still there", "") // who writes stays where they are
	places(1, 2, 3)
	_, err := f.s.Take(f.ctx, ids[0], "Ann")
	f.check(err)
	places(1, 2)
	_, err = f.s.End(f.ctx, ids[1], "")
	f.check(err)
	places(1)
	if _, err := f.s.Place(f.ctx, f.conversation(ids[0])); err == nil {
		f.Error("who does not wait has a place")
	}
}

func (f *fixture) retry(id chat.ConversationID, of chat.TurnID) chat.Accepted {
	f.Helper()
	a, err := f.s.Retry(f.ctx, id, of, f.node, nil)
	f.check(err)
	return a
}

func (f *fixture) texts(ms []chat.Message, err error) string {
	f.Helper()
	f.check(err)
	var out []string
	for _, m := range ms {
		out = append(out, string(m.Text))
	}
	return strings.Join(out, "|")
}

func (f *fixture) retries() {
	id, _ := f.answer()
	two := f.answerTo(f.accept(id, "two", "").Open, "second")
	var early string // before the commit
	a, err := f.s.Retry(f.ctx, id, two, f.node, func(o chat.OpenTurn) { early = f.texts(f.s.History(f.ctx, o, 10)) })
	f.check(err)
	if a.Effect != chat.Starts || a.Open.RetryOf != two || a.Message.Turn != a.Open.ID || a.Seq != a.Open.Conversation.Seq {
		f.Errorf("Retry = %+v", a)
	}
	o, err := f.s.OpenTurn(f.ctx, id, a.Open.ID, f.node)
	f.check(err)
	if !reflect.DeepEqual(o, a.Open) {
		f.Errorf("OpenTurn = %+v\nRetry gave %+v", o, a.Open)
	}
	if got := f.texts(o.Messages, nil); got != "two" {
		f.Errorf("it answers %q, want two", got)
	}
	if late := f.texts(f.s.History(f.ctx, o, 10)); early != "one|answer" || late != early {
		f.Errorf("the history is %q, before the commit %q", late, early)
	}
	f.answerTo(o, "better")
	three := f.accept(id, "three", "").Open
	if got := f.texts(f.s.History(f.ctx, three, 10)); got != "one|answer|two|better" {
		f.Errorf("the next turn's history is %q", got)
	}
	f.wantLog(id, "message.accepted one", "turn.started", "text answer", "turn.ended answered: answer",
		"message.accepted two", "turn.started", "text second", "turn.ended answered: second",
		"turn.started again", "text better", "turn.ended answered: better", "message.accepted three", "turn.started")
}

func (f *fixture) retriesOnce() {
	id, turn := f.answer()
	a := f.retry(id, turn)
	same := func() {
		f.Helper()
		if b := f.retry(id, turn); b.Effect != chat.Repeated || b.Message.Turn != a.Message.Turn || b.Seq != a.Seq {
			f.Errorf("again: %+v, first %+v", b, a)
		}
	}
	same()
	f.answerTo(a.Open, "better")
	same()
	f.answerTo(f.accept(id, "two", "").Open, "second")
	same()
	if got := strings.Count(fmt.Sprint(f.log(id)), "again"); got != 1 {
		f.Errorf("%d retries in %q", got, f.log(id))
	}
}

func (f *fixture) retriesAgain() {
	id, first := f.answer()
	a := f.retry(id, first)
	if m := f.accept(id, "and quickly", ""); m.Effect != chat.Merges || m.Message.Turn != a.Open.ID { // before it shows anything
		f.Errorf("Accept = %+v", m)
	}
	o, err := f.s.OpenTurn(f.ctx, id, a.Open.ID, f.node)
	f.check(err)
	b := f.retry(id, f.answerTo(o, "better"))
	for _, o := range []chat.OpenTurn{o, b.Open} {
		if got := f.texts(o.Messages, nil); got != "one|and quickly" {
			f.Errorf("it answers %q", got)
		}
		if got := f.texts(f.s.History(f.ctx, o, 10)); got != "" {
			f.Errorf("its history is %q", got)
		}
	}
}

func (f *fixture) retriesLast() {
	refused := func(id chat.ConversationID, turn chat.TurnID, kind chat.ErrorKind) {
		f.Helper()
		_, err := f.s.Retry(f.ctx, id, turn, f.node, nil)
		f.wantKind(err, kind)
	}
	id, one := f.answer()
	other, _ := f.answer()
	refused("c0", one, chat.NotFound)
	refused(other, one, chat.NotFound)
	refused(id, "", chat.NotFound)
	open := f.accept(id, "two", "").Open
	refused(id, open.ID, chat.Conflict)
	refused(id, one, chat.Conflict)
	two := f.answerTo(open, "second")
	refused(id, one, chat.Conflict)
	_, err := f.s.HandOff(f.ctx, id, chat.Handoff{Reason: "r", Trigger: "asked"})
	f.check(err)
	refused(id, two, chat.Conflict)
	_, err = f.s.Release(f.ctx, id, chat.Bot)
	f.check(err)
	f.answerTo(f.retry(id, two).Open, "better")
	_, err = f.s.End(f.ctx, id, "")
	f.check(err)
	refused(id, one, chat.Conflict)
	stateless := f.create()
	a, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: stateless, Text: "now", Final: true, Stateless: true, Node: f.node}, nil)
	f.check(err)
	refused(stateless, f.answerTo(a.Open, "done"), chat.Conflict)
}
