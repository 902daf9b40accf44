package storetest

import (
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
	_, _, err = f.s.Say(f.ctx, agents, "Ann", "hello", "")
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
