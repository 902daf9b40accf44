package guard

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
)

var returns = []chat.Passage{
	{
		Document: "help/a b.md", Generation: "g1", Title: "Returns", Start: 10,
		Text: "You can return an item within 30 days of delivery. Sale items cannot be returned.\n\nReturn shipping is free — “always”.",
	},
	{
		Document: "warranty.md", Generation: "g1", Title: "Warranty", URL: "https://shop.example/warranty", Start: 0,
		Text: "Die Garantie beträgt zwei Jahre. Batteries are covered for 6 months, with order number AB-1234.",
	},
}

// gates is one conversation with a gate.
type gates struct {
	t      *testing.T
	turn   *chat.Turn
	gate   *Gate
	banned Forbidden
	text   string // what a reader sees
	marks  map[int]chat.Citation
	bodies []chat.Body
}

func newGates(t *testing.T, r Rules, banned ...string) *gates {
	t.Helper()
	f, err := NewForbidden(banned)
	if err != nil {
		t.Fatal(err)
	}
	turn := &chat.Turn{Passages: returns, Input: "Can I return order AB-1234?"}
	r.Checks = append(slices.Clone(r.Checks), f)
	return &gates{t: t, turn: turn, gate: NewGate(turn, r), banned: f, marks: map[int]chat.Citation{}}
}

var shownMark = regexp.MustCompile(`\[(\d+)\]`)

// look takes what may be shown, and checks what must always be true of it.
func (g *gates) look() {
	g.t.Helper()
	for _, b := range g.gate.Take() {
		g.bodies = append(g.bodies, b)
		switch b := b.(type) {
		case chat.TextShown:
			g.text += b.Text
			if b.Text == "" {
				g.t.Error("an empty text was shown")
			}
			for _, m := range shownMark.FindAllStringSubmatch(b.Text, -1) {
				n, _ := strconv.Atoi(m[1])
				if _, ok := g.marks[n]; !ok && !strings.Contains(g.text, "`") && !strings.Contains(g.text, "~~~") {
					g.t.Errorf("mark %d was shown before its citation: %q", n, g.text)
				}
			}
		case chat.Retracted:
			g.text = ""
		case chat.Cited:
			g.cited(b.Citation)
		}
		if v, _ := g.banned.Check(context.Background(), nil, chat.Text(g.text)); v.Action != chat.Allow {
			g.t.Errorf("shown: %s in %q", v.Reason, g.text)
		}
	}
	if got := string(g.gate.Shown()); got != g.text {
		g.t.Errorf("Shown = %q, want %q", got, g.text)
	}
}

func (g *gates) cited(c chat.Citation) {
	g.t.Helper()
	if before, ok := g.marks[c.Mark]; ok && before != c {
		g.t.Errorf("mark %d was %+v, is %+v", c.Mark, before, c)
	}
	if c.Mark > len(g.marks)+1 {
		g.t.Errorf("mark %d comes after %d marks", c.Mark, len(g.marks))
	}
	g.marks[c.Mark] = c
	for _, p := range g.turn.Passages {
		if runes := []rune(string(p.Text)); p.Document == c.Document && string(runes[c.Start-p.Start:c.End-p.Start]) == c.Quote {
			return
		}
	}
	g.t.Errorf("the quote is not at its place: %+v", c)
}

func (g *gates) write(chunks ...string) *gates {
	g.t.Helper()
	for _, c := range chunks {
		if err := g.gate.Write(context.Background(), c); err != nil {
			g.t.Fatal(err)
		}
		g.look()
	}
	return g
}

func (g *gates) close() string {
	g.t.Helper()
	if err := g.gate.Close(context.Background()); err != nil {
		g.t.Fatal(err)
	}
	g.look()
	return g.text
}

func (g *gates) restart() *gates {
	g.t.Helper()
	if err := g.gate.Restart(context.Background()); err != nil {
		g.t.Fatal(err)
	}
	g.look()
	return g
}

func (g *gates) want(text string) {
	g.t.Helper()
	if g.text != text {
		g.t.Errorf("shown\n got %q\nwant %q", g.text, text)
	}
}

var off = Claims{Off: true}

// replies are texts with forbidden phrases in all kinds of places.
var replies = []string{
	"We give a money-back guarantee. Yes.",
	"We give money\nback\n\nguarantee now",
	"- money\n- back guarantee\n- fine",
	"A mon**ey** ba\u200bck   gua\u00adrantee! B.",
	"Money [1] back [2] guarantee [1]. You can return an item within 30 days of delivery [1]. Ok.",
	"money money back guarantee",
	"MONEY back. Guarantee. money back",
	"At no risk\nno\nrisk at all. Fine.",
	"返金保証があります。はい。",
	"返金\n保証。はい。",
	"Ｍｏｎｅｙ ｂａｃｋ ｇｕａｒａｎｔｅｅ",
	"Hello! Return shipping is free. [1] money back | guarantee `money back guarantee` x",
	"```\nmoney\nback\nguarantee\n```\nDone. Good.",
	"no ris",
	"no risk",
	"no risky thing",
	"über alles. u\u0308ber alles",
	"Nothing here, [1] at all [",
	"보장\n합니다. 네.",
}

var banned = []string{"money-back guarantee", "no risk", "返金保証", "über alles", "보장합"}

// naive finds two of the phrases without the help of the code under test.
var naive = regexp.MustCompile(`(?i)\bno[\s*-]+risk\b|money[\s*-]+back[\s*-]+guarantee\b|返金\s*保証あ`)

// TestForbiddenSplitAnywhere cuts each reply at every border, and short ones at every
// two.
func TestForbiddenSplitAnywhere(t *testing.T) {
	for _, rules := range []Rules{
		{Unit: chat.Sentence, Claims: off},
		{Unit: chat.Sentence},
		{Unit: chat.Sentence, Final: true, Claims: Claims{Uncited: Allow}},
		{Unit: chat.Word, Claims: off},
		{Unit: chat.Word},
		{Unit: chat.Word, Claims: Claims{Uncited: Drop}},
	} {
		for _, reply := range replies {
			want := newGates(t, rules, banned...).write(reply).close()
			if found := naive.FindString(want); found != "" {
				t.Errorf("%+v: shown %q in %q", rules, found, want)
			}
			var cuts []int
			for i := range reply {
				cuts = append(cuts, i)
			}
			for a, i := range cuts {
				second := cuts[a:]
				if len(cuts) > 45 {
					second = second[:1]
				}
				for _, j := range second {
					got := newGates(t, rules, banned...).write(reply[:i], reply[i:j], reply[j:]).close()
					if got != want {
						t.Fatalf("%+v: %q | %q | %q\n got %q\nwant %q", rules, reply[:i], reply[i:j], reply[j:], got, want)
					}
				}
			}
			one := newGates(t, rules, banned...)
			for _, r := range reply {
				one.write(string(r))
			}
			if got := one.close(); got != want {
				t.Fatalf("%+v: %q by characters\n got %q\nwant %q", rules, reply, got, want)
			}
		}
	}
}

func TestSentenceUnit(t *testing.T) {
	for _, c := range []struct{ name, reply, want string }{
		{"all good", "\n\nHello!\n\n- One\n- Two\n\nBye.\n", "Hello!\n\n- One\n- Two\n\nBye."},
		{"the phrase's sentence is dropped", "One. We give a money back guarantee. Two.", "One. Two."},
		{"a paragraph stays one", "One. There is no risk.\n\nTwo.", "One.\n\nTwo."},
		{"first", "There is no risk. Two.", "Two."},
		{"item keeps its marker", "Hi.\n- Bad no risk. Good.\n- No risk.\n- Two", "Hi.\n- Good.\n- Two"},
		{"numbered item", "1. There is no risk. Good.\n2. Two", "1. Good.\n2. Two"},
		{"list", "- One\n- no risk\n- Two", "- One\n- Two"},
		{"across items", "- no\n- risk\n- Two", "- Two"},
		{"part of a word", "There is no risky casino risk. Piano risk.", "There is no risky casino risk. Piano risk."},
		{"begins a phrase", "I say no", "I say no"},
		{"indentation", "```\na\n    b\n```", "```\na\n    b\n```"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGates(t, Rules{Claims: off}, banned...)
			g.write(c.reply).close()
			g.want(c.want)
		})
	}
}

func TestTailWaits(t *testing.T) {
	g := newGates(t, Rules{Claims: off}, banned...)
	g.write("One.\nI want money\nTh")
	g.want("One.")
	g.write("ere. N")
	g.want("One.\nI want money\nThere.")
}

func TestLongSentence(t *testing.T) {
	long := strings.Repeat("word ", 60) + "and so, " + strings.Repeat("more ", 60) + "end."
	g := newGates(t, Rules{Claims: off})
	g.write(long)
	g.want(strings.Repeat("word ", 60) + "and so,")
	g.close()
	g.want(long)
	solid := strings.Repeat("界", 1000)
	g = newGates(t, Rules{Claims: off})
	for _, r := range solid {
		g.write(string(r))
	}
	g.want(strings.Repeat("界", 800))
	g.close()
	g.want(solid)
}

func TestWordUnit(t *testing.T) {
	g := newGates(t, Rules{Unit: chat.Word, Claims: off}, banned...)
	g.write("Hel").want("Hel") // the first word does not wait for its end
	g.write("lo wor").want("Hello")
	g.write("ld, no").want("Hello world,")
	g.write(" ris").want("Hello world,")
	g.write("ky").want("Hello world, no")
	g.write(" th").want("Hello world, no risky")
	g.write("ing. No risk").want("Hello world, no risky thing.")
	g.write(" no").want("Hello world, no risky thing.")
	g.write(" more. Yes").want("Hello world, no risky thing.")
	g.close()
	g.want("Hello world, no risky thing. Yes")
	if len(g.turn.Withheld) != 1 || g.turn.Withheld[0].Check != "forbidden" || g.turn.Retracts != 0 {
		t.Errorf("withheld %+v, %d retracts", g.turn.Withheld, g.turn.Retracts)
	}
}

func TestWordUnitTakesBack(t *testing.T) {
	g := newGates(t, Rules{Unit: chat.Word, Claims: Claims{Uncited: Drop}}, banned...)
	g.write("Return shipping is free. The moon is made ").want("Return shipping is free.[1] The moon is made")
	g.write("of cheese. Th").want("Return shipping is free.[1]")
	if g.turn.Retracts != 1 || len(g.turn.Citations) != 1 {
		t.Errorf("%d retracts, citations %+v", g.turn.Retracts, g.turn.Citations)
	}
	g.write("ank you!")
	g.close()
	g.want("Return shipping is free.[1] Thank you!")
}

func TestRestart(t *testing.T) {
	for _, unit := range []chat.Unit{chat.Sentence, chat.Word} {
		g := newGates(t, Rules{Unit: unit}, banned...)
		g.write("Return shipp").restart().write("Hello! Return shipping is free. Th").restart()
		g.want("")
		if unit == chat.Sentence && g.turn.Retracts != 1 {
			t.Errorf("%d retracts, want 1", g.turn.Retracts)
		}
		if len(g.turn.Citations) != 0 {
			t.Errorf("citations after a restart: %+v", g.turn.Citations)
		}
		g.write("Die Garantie beträgt zwei Jahre. Return shipping is free.").close()
		g.want("Die Garantie beträgt zwei Jahre.[2] Return shipping is free.[1]")
	}
}

func TestFinal(t *testing.T) {
	g := newGates(t, Rules{Unit: chat.Word, Final: true}, banned...)
	g.write("Hello! Return shipping is free. And the").restart()
	g.want("Hello! Return shipping is free.[1]")
	g.write("Hello! **Return** shipping is free. [1] Die Garantie beträgt zwei Jahre. ").close()
	g.want("Hello! Return shipping is free.[1] Die Garantie beträgt zwei Jahre.[2]")
	if g.turn.Retracts != 0 {
		t.Errorf("%d retracts on a face that cannot", g.turn.Retracts)
	}
	if n := len(g.turn.Withheld); n != 2 || g.turn.Withheld[0].Check != "repeat" {
		t.Errorf("withheld %+v", g.turn.Withheld)
	}
}

func TestLet(t *testing.T) {
	g := newGates(t, Rules{Claims: off}, banned...)
	g.write("One. No mon")
	g.gate.Let("I was interrupted.")
	g.look()
	g.close()
	g.want("One.\n\nI was interrupted.")
	g = newGates(t, Rules{Claims: off}, banned...)
	g.gate.Let("There is no")
	g.write("risk. Good.").close()
	g.want("There is no\n\nGood.")
}

// check is an Output made of a function.
type check struct {
	hold Hold
	f    func(text string) (chat.Verdict, error)
}

func (check) Name() string { return "test" }
func (c check) Hold() Hold { return c.hold }
func (c check) Check(_ context.Context, _ *chat.Turn, text chat.Text) (chat.Verdict, error) {
	return c.f(string(text))
}

func on(word string, f func() (chat.Verdict, error)) func(string) (chat.Verdict, error) {
	return func(text string) (chat.Verdict, error) {
		if strings.Contains(text, word) {
			return f()
		}
		return chat.Verdict{Action: chat.Allow}, nil
	}
}

func TestFailingChecksAreClosed(t *testing.T) {
	failing := map[string]func() (chat.Verdict, error){
		"error":   func() (chat.Verdict, error) { return chat.Verdict{}, errors.New("no model") },
		"panic":   func() (chat.Verdict, error) { panic("bug") },
		"late":    func() (chat.Verdict, error) { return chat.Verdict{}, context.DeadlineExceeded },
		"nothing": func() (chat.Verdict, error) { return chat.Verdict{}, nil },
	}
	for name, f := range failing {
		for _, hold := range []Hold{Sentence, 5} {
			for _, unit := range []chat.Unit{chat.Sentence, chat.Word} {
				t.Run(fmt.Sprint(name, hold, unit), func(t *testing.T) {
					c := check{hold, on("bad", f)}
					g := newGates(t, Rules{Unit: unit, Claims: off, Checks: []Output{c}})
					g.write("One. This is b", "ad. Two there is a word.").close()
					if hold == Sentence {
						g.want("One. Two there is a word.")
					}
					if strings.Contains(g.text, "bad") || len(g.turn.Withheld) == 0 {
						t.Errorf("shown %q, withheld %+v", g.text, g.turn.Withheld)
					}
					g = newGates(t, Rules{Unit: unit, Claims: off, Checks: []Output{Open{c}}})
					g.write("One. This is b", "ad. Two there is a word.").close()
					g.want("One. This is bad. Two there is a word.")
				})
			}
		}
	}
}

func TestRedact(t *testing.T) {
	c := check{6, func(text string) (chat.Verdict, error) {
		if strings.Contains(text, "secret") {
			return chat.Verdict{Action: chat.Redact, Text: chat.Text(strings.ReplaceAll(text, "secret", "(hidden)"))}, nil
		}
		return chat.Verdict{Action: chat.Allow}, nil
	}}
	for _, unit := range []chat.Unit{chat.Sentence, chat.Word} {
		g := newGates(t, Rules{Unit: unit, Claims: off, Checks: []Output{c}})
		g.write("One. My sec", "ret is out. ", "Two. ").close()
		g.want("One. My (hidden) is out. Two.")
	}
}

func TestEndOfContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	g := newGates(t, Rules{Claims: off, Checks: []Output{check{Sentence, func(string) (chat.Verdict, error) {
		cancel()
		return chat.Verdict{}, ctx.Err()
	}}}})
	if err := g.gate.Write(ctx, "One. Two."); !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v, want %v", err, context.Canceled)
	}
	if err := g.gate.Write(ctx, "Two."); !errors.Is(err, context.Canceled) {
		t.Errorf("Write = %v, want %v", err, context.Canceled)
	}
	g.look()
	g.want("")
	if len(g.turn.Withheld) != 0 {
		t.Errorf("withheld %+v", g.turn.Withheld)
	}
}

func TestSameChunksSameBodies(t *testing.T) {
	for _, unit := range []chat.Unit{chat.Sentence, chat.Word} {
		var first string
		for range 3 {
			g := newGates(t, Rules{Unit: unit}, banned...)
			g.write("Return ship", "ping is free. No r", "isk. Batteries are covered for ", "6 months [2]. Th", "ank you!").close()
			got := fmt.Sprintf("%#v %+v", g.bodies, g.turn.Withheld)
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("got %s\nwant %s", got, first)
			}
		}
	}
}

func FuzzGate(f *testing.F) {
	for i, r := range replies {
		f.Add(r, uint16(i*7), uint16(i*3), byte(i))
	}
	f.Add(strings.Repeat("Return shipping is free, ", 40)+"no risk.", uint16(9), uint16(200), byte(3))
	f.Add("[0000000000]0000000000000000", uint16(5), uint16(7), byte(2))
	f.Add(strings.Repeat("a", 399)+"["+strings.Repeat("b", 390)+"no risk 1] c.", uint16(5), uint16(7), byte(4))
	f.Fuzz(func(t *testing.T, reply string, a, b uint16, mode byte) {
		if len(reply) > 1200 || !utf8.ValidString(reply) {
			t.Skip()
		}
		rules := Rules{Unit: chat.Sentence, Final: mode&8 != 0}
		if mode&1 != 0 {
			rules.Unit = chat.Word
		}
		rules.Claims = []Claims{off, {}, {Uncited: Allow}, {Uncited: Drop}}[mode>>1&3]
		want := newGates(t, rules, banned...).write(reply).close()
		i := int(a) % (len(reply) + 1)
		j := i + int(b)%(len(reply)-i+1)
		for i > 0 && i < len(reply) && !utf8.RuneStart(reply[i]) {
			i--
		}
		for j > i && j < len(reply) && !utf8.RuneStart(reply[j]) {
			j--
		}
		if got := newGates(t, rules, banned...).write(reply[:i], reply[i:j], reply[j:]).close(); got != want {
			t.Errorf("in three\n got %q\nwant %q", got, want)
		}
		g := newGates(t, rules, banned...)
		restart := mode&16 != 0
		for k, r := range reply {
			g.write(string(r))
			if restart && k == i {
				g.restart()
			}
		}
		if got := g.close(); !restart && got != want {
			t.Errorf("by characters\n got %q\nwant %q", got, want)
		}
	})
}

// chunked is a reply of about 4 characters a chunk.
func chunked() []string {
	text := strings.Repeat("Hello! You can return an item within 30 days of delivery [1]. Return shipping is free. Batteries are covered for 6 months [2]. Is there anything else?\n", 4)
	var chunks []string
	for len(text) > 4 {
		chunks = append(chunks, text[:4])
		text = text[4:]
	}
	return append(chunks, text)
}

func BenchmarkGate(b *testing.B) {
	f, err := NewForbidden(banned)
	if err != nil {
		b.Fatal(err)
	}
	chunks := chunked()
	for _, rules := range []Rules{
		{Unit: chat.Sentence, Claims: off}, {Unit: chat.Word, Claims: off}, {Unit: chat.Sentence}, {Unit: chat.Word},
	} {
		rules.Checks = []Output{f}
		b.Run(fmt.Sprintf("%s/citations=%v", rules.Unit, !rules.Claims.Off), func(b *testing.B) {
			b.ReportAllocs()
			ctx := context.Background()
			n := 0
			for b.Loop() {
				turn := &chat.Turn{Passages: returns}
				g := NewGate(turn, rules)
				for i, c := range chunks {
					g.Write(ctx, c)
					if i%8 == 0 {
						g.Take()
					}
				}
				g.Close(ctx)
				g.Take()
				n += len(chunks)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/chunk")
			b.ReportMetric(float64(len(chunks)), "chunks/op")
		})
	}
}
