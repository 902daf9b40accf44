package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
)

func TestGrade(t *testing.T) {
	boots := assistant.Case{ID: "boots", Expect: assistant.ExpectAnswer, Sources: []string{"a.md", "b.md"}, Contains: []string{"30 days", "Größe"}, Never: []string{"free"}}
	refuse := assistant.Case{ID: "mayor", Expect: assistant.ExpectRefuse}
	person := assistant.Case{ID: "person", Expect: assistant.ExpectHandOver}
	for _, tt := range []struct {
		name    string
		c       assistant.Case
		outcome chat.Outcome
		shown   chat.Text
		cited   string
		why     string
	}{
		{"right", boots, chat.Answered, "Within **30\n days**.[1] In your grosse? No, GRÖSSE, with freedom.[2]", "x.md b.md", ""},
		{"a mark inside what it must have", boots, chat.Answered, "30[1] days, Größe", "a.md", ""},
		{"a wrong source", boots, chat.Answered, "30 days, Größe", "x.md", "no right source is cited"},
		{"no source", boots, chat.Answered, "30 days, Größe", "", "no right source is cited"},
		{"part of a word", boots, chat.Answered, "130 days, Größenlehre", "a.md", `"30 days" is missing; "Größe" is missing`},
		{"what it must not have", boots, chat.Answered, "30 days, Größe, Free!", "a.md", `it has "free"`},
		{"refused", boots, chat.Refused, "I do not know.", "", `the outcome is refused; "30 days" is missing; "Größe" is missing`},
		{"interrupted", boots, chat.Interrupted, "30 days, Größe", "a.md", "the outcome is interrupted"},

		{"a refusal", refuse, chat.Refused, "I do not know.", "", ""},
		{"asked back", refuse, chat.AskedBack, "Which mayor?", "", ""},
		{"a person knows", refuse, chat.HandedOver, "", "", ""},
		{"refused and stated", refuse, chat.Refused, "It is Ann.[1]", "a.md", "it states facts"},
		{"answered", refuse, chat.Answered, "Hello!", "", "the outcome is answered"},
		{"failed", refuse, chat.Failed, "", "", "the outcome is failed"},

		{"handed over", person, chat.HandedOver, "", "", ""},
		{"not handed over", person, chat.Refused, "", "", "the outcome is refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			turn := chat.Turn{Outcome: tt.outcome, Shown: tt.shown}
			for _, d := range strings.Fields(tt.cited) {
				turn.Citations = append(turn.Citations, chat.Citation{Document: d})
			}
			if g := grade(tt.c, turn); g.Why != tt.why || g.Passed != (tt.why == "") {
				t.Errorf("grade = %v, %q; want %q", g.Passed, g.Why, tt.why)
			}
		})
	}
}

// The interval of 8 of 10 is printed in Wilson's tables as .490 to .943.
func TestRate(t *testing.T) {
	r := rateOf(10, 8)
	if math.Abs(*r.Rate-.8) > 1e-9 || math.Abs(*r.Low-.4902) > 5e-4 || math.Abs(*r.High-.9433) > 5e-4 {
		t.Errorf("rateOf(10, 8) = %v, %v to %v", *r.Rate, *r.Low, *r.High)
	}
	if r := rateOf(5, 5); *r.High != 1 || *r.Low < .5 {
		t.Errorf("rateOf(5, 5) = %v to %v", *r.Low, *r.High)
	}
	if r := rateOf(0, 0); r.Rate != nil || r.Low != nil || r.High != nil {
		t.Errorf("rateOf(0, 0) = %+v, want nothing", r)
	}
}

func TestSplitIsByTheID(t *testing.T) {
	dev := 0
	for i := range 1000 {
		if split(fmt.Sprint("case-", i)) == Dev {
			dev++
		}
	}
	if dev < 450 || dev > 550 {
		t.Errorf("%d of 1000 cases are dev, want about half", dev)
	}
}

func TestGolden(t *testing.T) {
	var cases []assistant.Case
	for i := range 40 {
		c := assistant.Case{ID: fmt.Sprint("c", i), Expect: assistant.ExpectAnswer, Sources: []string{"a.md"}, Tags: []string{"common"}}
		if i%4 == 3 {
			c.Expect, c.Sources, c.Tags, c.Never = assistant.ExpectRefuse, nil, []string{"unanswerable"}, []string{"a secret"}
		}
		cases = append(cases, c)
	}
	ask := func(_ context.Context, c assistant.Case) (chat.Turn, error) {
		right := chat.Turn{Outcome: chat.Answered, Shown: "Yes.", Citations: []chat.Citation{{Document: "a.md"}}, Cost: 2,
			Attempts: []chat.Attempt{{Provider: "tried"}, {Provider: "kiesel"}}}
		switch c.ID {
		case "c5": // no answer
			return chat.Turn{Outcome: chat.Refused}, nil
		case "c3": // an answer where there is none
			return chat.Turn{Outcome: chat.Answered, Shown: "It is a secret."}, nil
		}
		if c.Expect == assistant.ExpectRefuse {
			return chat.Turn{Outcome: chat.Refused}, nil
		}
		return right, nil
	}
	last := 0
	r, err := Golden(t.Context(), cases, 4, ask, func(done, total int) {
		if done != last+1 || total != 40 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Total.All.Passed != 38 || r.Answered.All.N != 30 || r.Answered.All.Passed != 29 || r.Refused.All.N != 10 || r.Refused.All.Passed != 9 || r.HandedOver.All.N != 0 {
		t.Errorf("all %+v, answered %+v, refused %+v", r.Total.All, r.Answered.All, r.Refused.All)
	}
	if r.Total.Dev.N+r.Total.HeldOut.N != 40 || r.Total.Dev.N == 0 || r.Total.HeldOut.N == 0 {
		t.Errorf("dev %+v, held out %+v", r.Total.Dev, r.Total.HeldOut)
	}
	var tags, failed []string
	for _, x := range r.Tags {
		tags = append(tags, fmt.Sprint(x.Name, " ", x.All.Passed, " of ", x.All.N))
	}
	for _, x := range r.Failed {
		failed = append(failed, x.ID)
	}
	if diff := cmp.Diff([]string{"common 29 of 30", "unanswerable 9 of 10"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"c3", "c5"}, failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	m := r.Metrics
	if *m.Safety != .9 || math.Abs(*m.FactualAccuracy-29./30) > 1e-9 || m.Relevance != nil || m.Helpfulness != nil || m.Coherence != nil || m.Score != nil {
		t.Errorf("metrics %v %v", *m.Safety, *m.FactualAccuracy)
	}
	if r.Cost != 58 || r.Providers["kiesel"] != 29 || len(r.Providers) != 1 {
		t.Errorf("cost %d, providers %v", r.Cost, r.Providers)
	}
}

func TestGoldenStopsAtAnError(t *testing.T) {
	cases := []assistant.Case{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	var asked atomic.Int32
	broken := errors.New("the store is gone")
	_, err := Golden(t.Context(), cases, 1, func(context.Context, assistant.Case) (chat.Turn, error) {
		asked.Add(1)
		return chat.Turn{}, broken
	}, nil)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "case a") || asked.Load() != 1 {
		t.Errorf("Golden = %v after %d cases", err, asked.Load())
	}
}

func TestAgainst(t *testing.T) {
	b := Baseline{Cases: map[string]bool{"a": true, "b": true, "c": false, "d": false, "gone": true}}
	got := b.Against([]Graded{{ID: "a", Passed: true}, {ID: "b"}, {ID: "c", Passed: true}, {ID: "d"}, {ID: "e"}})
	if diff := cmp.Diff(Compared{Regressions: []string{"b"}, Mended: []string{"c"}, New: []string{"e"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
