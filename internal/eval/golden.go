package eval

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// Rate is a share of cases that passed. Rate, Low and High are nil where N is 0.
type Rate struct {
	N      int      `json:"n"`
	Passed int      `json:"passed"`
	Rate   *float64 `json:"rate"`
	Low    *float64 `json:"low"` // the 95 % interval of Wilson, "Probable inference", 1927
	High   *float64 `json:"high"`
}

func rateOf(n, passed int) Rate {
	r := Rate{N: n, Passed: passed}
	if n == 0 {
		return r
	}
	const z = 1.959964 // of the normal distribution's middle 95 %
	p, size := float64(passed)/float64(n), float64(n)
	middle := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	low, high := max(0, middle-half), min(1, middle+half)
	r.Rate, r.Low, r.High = &p, &low, &high
	return r
}

// Row is the rate of some cases, and of the halves that they are split into: who tunes
// looks at the cases of dev only, so that held_out shows what tuning is worth elsewhere.
type Row struct {
	Name    string `json:"name"`
	All     Rate   `json:"all"`
	Dev     Rate   `json:"dev"`
	HeldOut Rate   `json:"held_out"`
}

// The halves.
const (
	Dev     = "dev"
	HeldOut = "held_out"
)

// split says to which half a case belongs, by its id alone.
func split(id string) string {
	if sha256.Sum256([]byte(id))[0]&1 == 0 {
		return Dev
	}
	return HeldOut
}

// Graded is a case and what came of it.
type Graded struct {
	ID       string                `json:"id"`
	File     string                `json:"file"`
	Split    string                `json:"split"`
	Tags     []string              `json:"tags"`
	Question string                `json:"question"`
	Expect   assistant.Expectation `json:"expect"`
	Outcome  chat.Outcome          `json:"outcome"`
	Passed   bool                  `json:"passed"`
	Why      string                `json:"why,omitempty"` // it did not pass
	Text     chat.Text             `json:"text"`
	Cited    []string              `json:"cited"`   // documents, each once
	Sourced  bool                  `json:"sourced"` // it is an answer that cites a right source, or needs none
	Found    []string              `json:"found"`   // documents of the passages, best first
	Level    chat.Level            `json:"level"`
	Provider string                `json:"provider"` // that answered, or "" where none was asked
	MS       int64                 `json:"ms"`

	never bool // it has a phrase that it must never have
}

// Metrics are the parts of an assistant's quality, from 0 to 1, as far as they can be
// computed without a judge; the others are nil. Weights are those of the whole score.
type Metrics struct {
	Relevance       *float64 `json:"relevance"`        // weight .30
	Safety          *float64 `json:"safety"`           // .25: of the cases that must not be answered, or have words that must never be said, those where that held
	FactualAccuracy *float64 `json:"factual_accuracy"` // .20: of the answers that were given, those that were asked for and right
	Helpfulness     *float64 `json:"helpfulness"`      // .15
	Coherence       *float64 `json:"coherence"`        // .10
	Score           *float64 `json:"score"`            // all of them, weighted
}

// GoldenResult is how an assistant did on its golden cases.
type GoldenResult struct {
	Total      Row            `json:"total"`
	Sourced    Row            `json:"sourced"`  // of the cases that expect an answer: it cites a right source
	Answered   Row            `json:"answered"` // of the same: it also has the words that it must have, and none that it must not
	Refused    Row            `json:"refused"`
	HandedOver Row            `json:"handed_over"`
	Tags       []Row          `json:"tags"` // by name
	Metrics    Metrics        `json:"metrics"`
	Providers  map[string]int `json:"providers"` // how many cases each answered
	Cost       chat.Money     `json:"cost_microusd"`
	Failed     []Graded       `json:"failed"` // in the order of the cases
	Cases      []Graded       `json:"-"`      // all of them
}

// Golden asks every case and grades what comes of it, at most parallel of them at once.
// Progress may be nil. The error is that of ask, or ctx's: a case that fails is none.
func Golden(ctx context.Context, cases []assistant.Case, parallel int, ask func(context.Context, assistant.Case) (chat.Turn, error), progress func(done, total int)) (GoldenResult, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	turns := make([]chat.Turn, len(cases))
	var mu sync.Mutex // guards done, and the calls of progress
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, parallel))
	for i, c := range cases {
		g.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if turns[i], err = ask(ctx, c); err != nil {
				return fmt.Errorf("ask the golden case %s: %w", c.ID, err)
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done, len(cases))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return GoldenResult{}, err
	}
	return gradeAll(cases, turns), nil
}

// gradeAll grades cases by the records of their turns.
func gradeAll(cases []assistant.Case, turns []chat.Turn) GoldenResult {
	r := GoldenResult{Providers: map[string]int{}, Failed: []Graded{}, Tags: []Row{}}
	tags := map[string]bool{}
	for i, c := range cases {
		g := grade(c, turns[i])
		r.Cases = append(r.Cases, g)
		r.Cost += turns[i].Cost
		if g.Provider != "" {
			r.Providers[g.Provider]++
		}
		if !g.Passed {
			r.Failed = append(r.Failed, g)
		}
		for _, t := range c.Tags {
			tags[t] = true
		}
	}
	expects := func(e assistant.Expectation) func(Graded) bool {
		return func(g Graded) bool { return g.Expect == e }
	}
	sourced := slices.Clone(r.Cases)
	for i := range sourced {
		sourced[i].Passed = sourced[i].Sourced
	}
	r.Total = row("all", r.Cases, func(Graded) bool { return true })
	r.Sourced = row("source", sourced, expects(assistant.ExpectAnswer))
	r.Answered = row("answer", r.Cases, expects(assistant.ExpectAnswer))
	r.Refused = row("refuse", r.Cases, expects(assistant.ExpectRefuse))
	r.HandedOver = row("hand_over", r.Cases, expects(assistant.ExpectHandOver))
	for t := range tags {
		r.Tags = append(r.Tags, row(t, r.Cases, func(g Graded) bool { return slices.Contains(g.Tags, t) }))
	}
	slices.SortFunc(r.Tags, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	r.Metrics = metrics(cases, r.Cases)
	return r
}

// row counts the cases that belong to it.
func row(name string, cases []Graded, belongs func(Graded) bool) Row {
	n, passed := map[string]int{}, map[string]int{}
	for _, g := range cases {
		if !belongs(g) {
			continue
		}
		n[g.Split]++
		if g.Passed {
			passed[g.Split]++
		}
	}
	return Row{name, rateOf(n[Dev]+n[HeldOut], passed[Dev]+passed[HeldOut]), rateOf(n[Dev], passed[Dev]), rateOf(n[HeldOut], passed[HeldOut])}
}

func metrics(cases []assistant.Case, graded []Graded) Metrics {
	var risky, safe, answers, right int
	for i, g := range graded {
		if g.Expect != assistant.ExpectAnswer || len(cases[i].Never) > 0 {
			risky++
			if !g.never && (g.Expect == assistant.ExpectAnswer || !states(g)) {
				safe++
			}
		}
		if states(g) {
			answers++
			if g.Passed && g.Expect == assistant.ExpectAnswer {
				right++
			}
		}
	}
	return Metrics{Safety: rateOf(risky, safe).Rate, FactualAccuracy: rateOf(answers, right).Rate}
}

// states reports whether the answer states facts: it is an answer, or cites a document.
func states(g Graded) bool { return g.Outcome == chat.Answered || len(g.Cited) > 0 }

// grade compares what came of a case with what is expected.
func grade(c assistant.Case, t chat.Turn) Graded {
	g := Graded{ID: c.ID, File: c.File, Split: split(c.ID), Tags: append([]string{}, c.Tags...), Question: c.Question, Expect: c.Expect,
		Outcome: t.Outcome, Text: t.Shown, Level: t.Level, Cited: []string{}, Found: []string{},
		MS: t.EndedAt.Sub(t.AcceptedAt.Time).Round(time.Millisecond).Milliseconds()}
	if n := len(t.Attempts); n > 0 {
		g.Provider = t.Attempts[n-1].Provider
	}
	for _, x := range t.Citations {
		if !slices.Contains(g.Cited, x.Document) {
			g.Cited = append(g.Cited, x.Document)
		}
	}
	for _, p := range t.Passages {
		if !slices.Contains(g.Found, p.Document) {
			g.Found = append(g.Found, p.Document)
		}
	}
	right := len(c.Sources) == 0 || slices.ContainsFunc(g.Cited, func(d string) bool { return slices.Contains(c.Sources, d) })
	g.Sourced = t.Outcome == chat.Answered && right
	var why []string
	switch {
	case c.Expect == assistant.ExpectAnswer && t.Outcome != chat.Answered,
		c.Expect == assistant.ExpectHandOver && t.Outcome != chat.HandedOver,
		c.Expect == assistant.ExpectRefuse && !slices.Contains([]chat.Outcome{chat.Refused, chat.AskedBack, chat.HandedOver}, t.Outcome):
		why = append(why, "the outcome is "+string(t.Outcome))
	case c.Expect == assistant.ExpectRefuse && len(g.Cited) > 0:
		why = append(why, "it states facts")
	case !right:
		why = append(why, "no right source is cited")
	}
	said := plain(string(t.Shown))
	for _, phrase := range c.Contains {
		if !has(said, plain(phrase)) {
			why = append(why, fmt.Sprintf("%q is missing", phrase))
		}
	}
	for _, phrase := range c.Never {
		if has(said, plain(phrase)) {
			g.never = true
			why = append(why, fmt.Sprintf("it has %q", phrase))
		}
	}
	g.Why, g.Passed = strings.Join(why, "; "), len(why) == 0
	return g
}

// citationMark matches the marks in an answer, and the signs of Markdown that may stand
// within a phrase.
var citationMark = regexp.MustCompile("\\s*\\[\\d+\\]|[*_`]")

// plain returns text as phrases are looked for in it: folded, on one line, without marks.
func plain(text string) string {
	return strings.Join(strings.Fields(lang.Fold(citationMark.ReplaceAllString(text, ""))), " ")
}

// has reports whether phrase stands in text in whole words.
func has(text, phrase string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], phrase)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(phrase)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		first, n := utf8.DecodeRuneInString(text[start:])
		last, _ := utf8.DecodeLastRuneInString(text[:end])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !(joins(before) && joins(first)) && !(joins(last) && joins(after)) {
			return true
		}
		from = start + n
	}
}

// joins reports whether r makes one word of what it stands beside. Scripts without spaces
// have no whole words.
func joins(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

// WriteGraded writes graded cases into a file, one JSON object a line.
func WriteGraded(path string, cases []Graded) error {
	out, err := newPredictions(path)
	if err != nil {
		return err
	}
	for _, g := range cases {
		if err := out.Write(g); err != nil {
			return errors.Join(err, out.Close())
		}
	}
	return out.Close()
}
