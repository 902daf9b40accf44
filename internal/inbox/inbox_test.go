package inbox_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm/extractive"
	"github.com/answerable/answerable/internal/turn"
)

func TestAMessageIsAnswered(t *testing.T) {
	w := newWorld(t, script(t, "Hello there. How are you?"))
	p := w.start()
	id := w.create()
	w.accept(p, id, "hi")
	events := w.until(id, ended)
	wantLines(t, events, "message.accepted hi", "turn.started", "text Hello there. How are you?", "turn.ended answered")
	w.checkTurns(id, w.idle(id))
}

func TestFollowUpsMerge(t *testing.T) {
	w := newWorld(t, script(t, "ttft 2s\nYou asked {{question}}."))
	p := w.start()
	id := w.create()
	first := w.accept(p, id, "one")
	for _, s := range []chat.Text{"two", "three", "four", "five"} {
		wait(600 * time.Millisecond)
		if a := w.accept(p, id, s); a.Effect != chat.Merges || a.Message.Turn != first.Message.Turn {
			t.Errorf("Accept = %+v", a)
		}
	}
	events := w.until(id, ended)
	if !strings.Contains(lines(events), "text You asked one\ntwo\nthree\nfour\nfive.") {
		t.Errorf("events:\n%s", lines(events))
	}
	past, err := w.store.Turn(t.Context(), first.Message.Turn)
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for _, a := range past.Record.Attempts {
		if a.Finish != "" {
			whole++
		} else if a.Discarded == "" {
			t.Errorf("an attempt is neither whole nor discarded: %+v", a)
		}
	}
	if whole != 1 || len(past.Record.Messages) != 5 {
		t.Errorf("%d whole calls in %d attempts for %d messages", whole, len(past.Record.Attempts), len(past.Record.Messages))
	}
	w.checkTurns(id, w.idle(id))
}

func TestAFollowUpAfterTextWaits(t *testing.T) {
	w := newWorld(t, script(t, "One. \nitl 300ms\nTwo. Three. \n---\nFour."))
	p := w.start()
	id := w.create()
	w.accept(p, id, "first")
	w.until(id, hasText)
	if a := w.accept(p, id, "second"); a.Effect != chat.Waits {
		t.Errorf("Accept = %+v", a)
	}
	n := 0
	w.until(id, func(e chat.Event) bool {
		if ended(e) {
			n++
		}
		return n == 2
	})
	w.checkTurns(id, w.idle(id))
}

func TestStopEndsTheTurn(t *testing.T) {
	w := newWorld(t, script(t, "One. Two. \nstall"))
	p := w.start()
	id := w.create()
	w.accept(p, id, "first")
	w.until(id, hasText)
	began := time.Now()
	if _, err := p.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	events := w.until(id, ended)
	if !strings.HasSuffix(lines(events), "turn.ended stopped") {
		t.Errorf("events:\n%s", lines(events))
	}
	t.Logf("stopped after %v", time.Since(began))
	w.checkTurns(id, w.idle(id))
}

func TestATakenConversationEndsItsTurn(t *testing.T) {
	w := newWorld(t, script(t, "One. Two. \nstall"))
	p := w.start()
	id := w.create()
	w.accept(p, id, "first")
	w.until(id, hasText)
	if _, err := p.Take(t.Context(), id, "Ann"); err != nil {
		t.Fatal(err)
	}
	for p.Running() > 0 {
		wait(time.Millisecond)
	}
	w.checkTurns(id, w.idle(id))
}

func TestADeadProcessIsResumed(t *testing.T) {
	w := newWorld(t, script(t, "One. Two. \nstall\n---\nThree. Four."))
	p := w.start()
	id := w.create()
	w.accept(p, id, "first")
	w.until(id, hasText)
	p.leave()
	w.start()
	events := w.until(id, ended)
	wantLines(t, events, "message.accepted first", "turn.started", "text One.", "retract", "text Three. Four.", "turn.ended answered")
	w.checkTurns(id, w.idle(id))
}

func TestASecondDeathInterrupts(t *testing.T) {
	w := newWorld(t, script(t, "One. Two. \nstall"))
	id := w.create()
	p := w.start()
	w.accept(p, id, "first")
	w.until(id, hasText)
	p.leave()
	p = w.start()
	w.until(id, func(e chat.Event) bool { return e.Kind == chat.KindRetract })
	p.leave()
	w.start()
	events := w.until(id, ended)
	if got := lines(events); !strings.HasSuffix(got, "turn.ended interrupted") || !strings.Contains(got, "interrupted and is not complete") {
		t.Errorf("events:\n%s", got)
	}
	w.checkTurns(id, w.idle(id))
}

func TestAFailedProviderIsReplaced(t *testing.T) {
	w := newWorld(t, script(t, "One. Two. \nerror elsewhere \"down\""), extractive.New())
	p := w.start()
	id := w.create()
	w.accept(p, id, "Where is my parcel?")
	events := w.until(id, ended)
	if got := lines(events); !strings.Contains(got, "retract") || !strings.Contains(got, "level extractive") {
		t.Errorf("events:\n%s", got)
	}
	w.checkTurns(id, w.idle(id))
}

func TestAPanicIsOneTurnsFailure(t *testing.T) {
	w := newWorld(t, script(t, "One."))
	w.runner.Model = nil // any use of it panics
	w.runner.Limits.Whole = 300 * time.Millisecond
	p := w.start()
	id := w.create()
	w.accept(p, id, "first")
	events := w.until(id, ended)
	if got := lines(events); !strings.HasSuffix(got, "turn.ended interrupted") {
		t.Errorf("events:\n%s", got)
	}
}

func TestBadMessages(t *testing.T) {
	w := newWorld(t, script(t, "One."))
	p := w.start()
	id := w.create()
	for _, c := range []struct {
		text chat.Text
		want chat.ErrorKind
	}{{"", chat.Invalid}, {" \n\t", chat.Invalid}, {"a\x00b", chat.Invalid}, {"a\xffb", chat.Invalid}, {chat.Text(strings.Repeat("a", 32<<10+1)), chat.TooLarge}} {
		if _, err := p.Accept(t.Context(), chat.Incoming{Conversation: id, Text: c.text}); !errors.Is(err, c.want) {
			t.Errorf("Accept(%.10q) = %v, want %v", string(c.text), err, c.want)
		}
	}
	if _, err := p.Accept(t.Context(), chat.Incoming{Conversation: id, Text: chat.Text(strings.Repeat("a", 32<<10))}); err != nil {
		t.Errorf("Accept = %v", err)
	}
}

// TestATurnKeepsItsRunner swaps what answers between any two turns: a turn of several
// attempts is of one release, and the next turn of the next.
func TestATurnKeepsItsRunner(t *testing.T) {
	w := newWorld(t, script(t, "ttft 1s\nYou asked {{question}}."))
	p := w.start()
	releases := []string{"first", "second"}
	p.Runner = func(string) *turn.Runner {
		r := turn.Runner{Build: "test", Release: releases[0], Store: w.runner.Store, Model: w.runner.Model, Rules: w.runner.Rules, Log: w.runner.Log}
		releases = releases[1:]
		return &r
	}
	id := w.create()
	for _, want := range [][]chat.Text{{"one", "two"}, {"three"}} {
		var a chat.Accepted
		for _, text := range want {
			a = w.accept(p, id, text)
		}
		w.until(id, func(e chat.Event) bool { return ended(e) && e.Turn == a.Message.Turn })
		past, err := w.store.Turn(t.Context(), a.Message.Turn)
		if err != nil {
			t.Fatal(err)
		}
		release := map[chat.Text]string{"one": "first", "three": "second"}[want[0]]
		if past.Record.Release != release || len(past.Record.Messages) != len(want) {
			t.Errorf("%d messages were answered by release %q, want %d by %q", len(past.Record.Messages), past.Record.Release, len(want), release)
		}
	}
	w.checkTurns(id, w.idle(id))
}
