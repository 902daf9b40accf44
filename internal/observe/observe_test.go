package observe_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/observe"
)

func turn() chat.Turn {
	at, first := chat.Now(), int64(40)
	shown := chat.Time{Time: at.Add(300 * time.Millisecond)}
	return chat.Turn{
		ID: "t1", Conversation: "c1", Assistant: "demo", Outcome: chat.Answered, Level: chat.Extractive,
		Messages: []chat.Message{{Text: "where is my secret order"}}, Input: "where is my secret order", Shown: "it is a secret",
		Plan: chat.Plan{Provider: "openai", Model: "gpt"},
		Attempts: []chat.Attempt{{Provider: "openai", Model: "gpt", Fault: "broken", Error: "openai: HTTP 401; set OPENAI_API_KEY"},
			{Provider: "extractive", Finish: "stop", FirstTokenMS: &first}},
		Usage: chat.Usage{Input: 100, Output: 20, Cached: 50}, Cost: 1500,
		Withheld: []chat.Withheld{{Check: "forbidden", Text: "very secret"}}, Retracts: 1, Lives: 2,
		AcceptedAt: at, StartedAt: at, FirstShownAt: &shown, EndedAt: chat.Time{Time: at.Add(2 * time.Second)},
	}
}

func metrics() *observe.Metrics {
	n := func(n int) func() int { return func() int { return n } }
	n64 := func(n int64) func() int64 { return func() int64 { return n } }
	return observe.New(observe.Sources{Turns: n(1), Followers: n(2), Streams: n(3), Commits: n64(4), Events: n64(5), Bytes: n64(6),
		Models: func() []observe.Model { return []observe.Model{{Provider: "openai", Name: "gpt", Open: true}} },
		Releases: func() []observe.Release {
			return []observe.Release{{Assistant: "demo", Release: "r1", Generation: "g1"}}
		}})
}

func TestMetrics(t *testing.T) {
	m := metrics()
	m.Turn(turn())
	late := turn() // shown with its end
	late.FirstShownAt, late.Outcome = nil, chat.Stopped
	m.Turn(late)
	m.Turn(chat.Turn{Assistant: "demo", Outcome: chat.HandedOver, Level: chat.Full}) // all that is known of it
	trial := turn()
	trial.Test = true
	m.Turn(trial) // counts nowhere
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	page := w.Body.String()
	for _, want := range []string{
		`answerable_turns_total{assistant="demo",level="extractive",outcome="answered"} 1`,
		`answerable_turns_total{assistant="demo",level="full",outcome="handed_over"} 1`,
		`answerable_turn_seconds_sum 4`, `answerable_turn_seconds_count 2`,
		`answerable_first_shown_seconds_sum 2.3`, `answerable_first_shown_seconds_count 2`,
		`answerable_attempts_total{finish="stop",model="",provider="extractive"} 2`,
		`answerable_attempts_total{finish="none",model="gpt",provider="openai"} 2`,
		`answerable_provider_faults_total{fault="broken",model="gpt",provider="openai"} 2`,
		`answerable_failovers_total{from="openai",to="extractive"} 2`,
		`answerable_first_token_seconds_sum{provider="extractive"} 0.08`,
		`answerable_breaker_open{model="gpt",provider="openai"} 1`,
		`answerable_release_info{assistant="demo",generation="g1",release="r1"} 1`,
		`answerable_tokens_total{kind="input"} 200`, `answerable_tokens_total{kind="output"} 40`, `answerable_tokens_total{kind="cached"} 100`,
		`answerable_cost_dollars_total 0.003`,
		`answerable_withheld_total{check="forbidden"} 2`, `answerable_retracts_total 2`, `answerable_turn_lives_total 4`,
		`answerable_running_turns 1`, `answerable_followers 2`, `answerable_open_streams 3`,
		`answerable_store_commits_total 4`, `answerable_store_events_total 5`, `answerable_store_bytes_total 6`,
		`go_goroutines `,
	} {
		if !strings.Contains(page, "\n"+want) {
			t.Errorf("the metrics do not have %q", want)
		}
	}
	if t.Failed() {
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "answerable") {
				fmt.Print(line)
			}
		}
	}
	if strings.Contains(page, "secret") {
		t.Error("people's words are in the metrics")
	}
}

func TestTheLineOfATurn(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	observe.Log(log, turn())
	failed, line, _ := strings.Cut(b.String(), "\n")
	if want := `level=ERROR msg="provider failed" turn=t1 provider=openai model=gpt fault=broken error="openai: HTTP 401; set OPENAI_API_KEY"`; !strings.Contains(failed, want) {
		t.Errorf("%s does not have %s", failed, want)
	}
	for _, want := range []string{"level=INFO", `msg="turn ended"`, "turn=t1", "conversation=c1", "outcome=answered", "input=24", "shown=14",
		"first_shown_ms=300", " ms=2000", "withheld=1", "retracts=1", "lives=2", "cost_microusd=1500"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s does not have %s", line, want)
		}
	}
	if strings.Contains(line, "secret") {
		t.Errorf("people's words are in %s", line)
	}
	b.Reset()
	observe.Log(log, chat.Turn{Outcome: chat.Answered, Test: true})
	if line := b.String(); !strings.Contains(line, "test=true") {
		t.Errorf("a test is logged as %s", line)
	}
	b.Reset()
	observe.Log(log, chat.Turn{Outcome: chat.Failed, Error: "no model", Handoff: &chat.Handoff{Trigger: "asked"}})
	if line := b.String(); !strings.Contains(line, "level=WARN") || !strings.Contains(line, `error="no model"`) || !strings.Contains(line, "trigger=asked") {
		t.Errorf("a failure is logged as %s", line)
	}
}
