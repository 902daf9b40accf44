package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// The trace has what a record can have.
func TestTrace(t *testing.T) {
	at := func(ms int) chat.Time { return chat.Time{Time: time.UnixMilli(int64(ms))} }
	first, score, shown := int64(180), 0.97, at(450)
	record := chat.Turn{
		ID: "t1", Assistant: "shop", Build: "v1", Release: "0123456789abcdef", Generation: "fedcba9876543210", Test: true, Lives: 2,
		Input: "Send it to [email]\x1b[2J.", Query: "parcel", Verdicts: []chat.Verdict{{Check: "pii", Action: chat.Redact, Reason: "an address", Score: &score}},
		Passages: []chat.Passage{{Document: "delivery.md", Title: "Delivery", Heading: "Delivery > Parcels", Start: 10, End: 90, Tokens: 20, Score: 3.2},
			{Document: "returns.md", Title: "Returns", Tokens: 15, Score: 1}},
		Citations: []chat.Citation{{Mark: 1, Document: "delivery.md", Start: 20, End: 40}, {Mark: 2, Document: "delivery.md", Start: 50, End: 60}},
		Plan:      chat.Plan{Provider: "openai", Model: "big", Reason: "the first", Others: []string{"anthropic", "extractive"}},
		Prompt:    []chat.Part{{Name: "instructions", Tokens: 600}, {Name: "documents", Tokens: 35, Cut: 9}},
		Attempts: []chat.Attempt{
			{Provider: "openai", Model: "big", TotalMS: 90, Error: "openai: overloaded: try later", Fault: "elsewhere", Discarded: "failed"},
			{Provider: "anthropic", FirstTokenMS: &first, TotalMS: 1500, Usage: chat.Usage{Input: 700, Output: 40}, Cost: 2500, Finish: "stop", Reason: "openai failed"}},
		Withheld: []chat.Withheld{{Text: "We promise.", Check: "commitment", Reason: "no source"}}, Retracts: 1,
		Level: chat.Fallback, LevelReason: "openai does not answer", Handoff: &chat.Handoff{Trigger: "asked", Reason: "a person, please"},
		Outcome: chat.HandedOver, Error: "nothing to do", Usage: chat.Usage{Input: 700, Output: 40, Cached: 100}, Cost: 2500,
		AcceptedAt: at(0), StartedAt: at(5), FirstShownAt: &shown, EndedAt: at(1700),
	}
	const want = `
turn       t1
outcome    handed over after 1.7 s; begun after 5 ms, first text after 450 ms
assistant  shop, release 0123456789ab, generation fedcba987654, build v1
test       counts in no statistics
lives      2: a process died in it
input      Send it to [email] [2J.
check      pii: redact (an address), score 0.97
query      parcel
passages   SCORE  CITED   TOKENS  DOCUMENT     HEADING
           3.20   [1][2]  20      delivery.md  Delivery > Parcels
           1.00           15      returns.md   Returns
plan       openai big (the first); then anthropic, extractive
prompt     PROMPT        TOKENS  CUT
           instructions  600
           documents     35      9
attempts   MODEL       FIRST   TOTAL  IN   OUT  COST       END
           openai big  -       90 ms  0    0    $0.000000  elsewhere
           anthropic   180 ms  1.5 s  700  40   $0.002500  stop
           1. void: failed
           1. error: openai: overloaded: try later
           2. asked because: openai failed
withheld   commitment (no source): “We promise.”
retracted  1 time
level      fallback (openai does not answer)
handoff    asked (a person, please)
error      nothing to do
cost       $0.002500: 700 tokens in (100 cached), 40 out
`
	var out bytes.Buffer
	(&cli{}).trace(newScreen(&out), record)
	if out.String() != want {
		t.Errorf("trace =\n%s\nwant\n%s", out.String(), want)
	}
}
