package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// trace prints how an answer came about, from the record of its turn.
func (c *cli) trace(s *screen, t chat.Turn) {
	p := tracer{s}
	fmt.Fprintln(s)
	p.line("turn", string(t.ID))
	p.line("outcome", strings.ReplaceAll(string(t.Outcome), "_", " ")+" after "+brief(t.EndedAt.Sub(t.AcceptedAt.Time))+times(t))
	p.line("assistant", t.Assistant+", release "+short(t.Release)+", generation "+short(t.Generation)+", build "+t.Build)
	if t.Test {
		p.line("test", "counts in no statistics")
	}
	if t.Lives > 1 {
		p.line("lives", fmt.Sprintf("%d: a process died in it", t.Lives))
	}
	p.line("input", string(t.Input))
	for _, v := range t.Verdicts {
		p.line("check", v.Check+": "+string(v.Action)+because(v.Reason)+score(v.Score))
	}
	if t.Query != "" && t.Query != t.Input {
		p.line("query", string(t.Query))
	}
	p.passages(t)
	if t.Plan.Provider != "" {
		p.line("plan", model(t.Plan.Provider, t.Plan.Model)+because(t.Plan.Reason)+then(t.Plan.Others))
	}
	if len(t.Prompt) > 0 {
		rows := [][]string{{"PROMPT", "TOKENS", "CUT"}}
		for _, part := range t.Prompt {
			rows = append(rows, []string{part.Name, strconv.Itoa(part.Tokens), nonzero(part.Cut)})
		}
		p.table("prompt", rows)
	}
	p.attempts(t)
	for _, w := range t.Withheld {
		p.line("withheld", w.Check+because(w.Reason)+": “"+string(w.Text)+"”")
	}
	if t.Retracts > 0 {
		p.line("retracted", count(t.Retracts, "time"))
	}
	if t.Level != chat.Full {
		p.line("level", string(t.Level)+because(t.LevelReason))
	}
	if t.Handoff != nil {
		p.line("handoff", t.Handoff.Trigger+because(t.Handoff.Reason))
	}
	if t.Error != "" {
		p.line("error", t.Error)
	}
	p.line("cost", fmt.Sprintf("%s: %d tokens in (%d cached), %d out", usd(t.Cost), t.Usage.Input, t.Usage.Cached, t.Usage.Output))
}

type tracer struct{ s *screen }

// labels is how wide the column of labels is.
const labels = 11

// line prints a label and what belongs to it, broken and indented under itself.
func (p tracer) line(label, text string) {
	p.s.hang(p.s.paint(dim, label), labels, chat.Line(text))
}

// table prints rows under a label.
func (p tracer) table(label string, rows [][]string) {
	for i := range rows {
		head := strings.Repeat(" ", labels-2) // table puts two more behind it
		if i == 0 {
			head = pad(p.s.paint(dim, label), labels-2)
		}
		rows[i] = append([]string{head}, rows[i]...)
	}
	p.s.table(rows)
}

func (p tracer) passages(t chat.Turn) {
	if len(t.Passages) == 0 {
		p.line("passages", "none")
		return
	}
	rows := [][]string{{"SCORE", "CITED", "TOKENS", "DOCUMENT", "HEADING"}}
	for _, x := range t.Passages {
		var marks []string
		for _, c := range t.Citations {
			if c.Document == x.Document && x.Start <= c.Start && c.End <= x.End {
				marks = append(marks, fmt.Sprintf("[%d]", c.Mark))
			}
		}
		rows = append(rows, []string{fmt.Sprintf("%.2f", x.Score), strings.Join(slices.Compact(marks), ""), strconv.Itoa(x.Tokens),
			chat.Line(x.Document), chat.Line(cmp.Or(x.Heading, x.Title))})
	}
	p.table("passages", rows)
}

func (p tracer) attempts(t chat.Turn) {
	if len(t.Attempts) == 0 {
		return
	}
	rows := [][]string{{"MODEL", "FIRST", "TOTAL", "IN", "OUT", "COST", "END"}}
	for _, a := range t.Attempts {
		first := "-"
		if a.FirstTokenMS != nil {
			first = brief(time.Duration(*a.FirstTokenMS) * time.Millisecond)
		}
		rows = append(rows, []string{model(a.Provider, a.Model), first, brief(time.Duration(a.TotalMS) * time.Millisecond),
			strconv.Itoa(a.Usage.Input), strconv.Itoa(a.Usage.Output), usd(a.Cost), cmp.Or(a.Fault, a.Finish, a.Discarded, "-")})
	}
	p.table("attempts", rows)
	for i, a := range t.Attempts {
		for _, note := range []struct{ what, text string }{{"asked because", a.Reason}, {"void", a.Discarded}, {"error", a.Error}, {"declined", string(a.Declined)}} {
			if note.text != "" {
				p.line("", fmt.Sprintf("%d. %s: %s", i+1, note.what, note.text))
			}
		}
	}
}

// times says what came before the end, counted from when the message was accepted.
func times(t chat.Turn) string {
	s := "; begun after " + brief(t.StartedAt.Sub(t.AcceptedAt.Time))
	if t.FirstShownAt != nil {
		s += ", first text after " + brief(t.FirstShownAt.Sub(t.AcceptedAt.Time))
	}
	return s
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func score(s *float64) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf(", score %.2f", *s)
}

func then(others []string) string {
	if len(others) == 0 {
		return ""
	}
	return "; then " + strings.Join(others, ", ")
}

func model(provider, name string) string { return strings.TrimSpace(provider + " " + name) }

func nonzero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// short is enough of a hash to tell it from others.
func short(hash string) string { return fmt.Sprintf("%.12s", cmp.Or(hash, "none")) }

// brief writes a duration in milliseconds or seconds.
func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func usd(m chat.Money) string { return fmt.Sprintf("$%.6f", float64(m)/1e6) }
