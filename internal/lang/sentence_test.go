package lang

import (
	"strings"
	"testing"
)

// units are texts with a "¦" where one unit ends and the next begins.
var units = []string{
	"",
	" ",
	"One.",
	"One. ¦Two! ¦Three? ¦Four",
	"  \n One.\n\n¦Two.",
	"It costs 3.50 euros. ¦Really.",
	"Version 1.2.3 is out. ¦It is good.",
	"See e.g. the manual, i.e. Chapter 3. ¦Then go on.",
	"Das gilt z. B. für Hemden. ¦Nicht für Hosen.",
	"Das gilt d.h. Das nicht. ¦Gut.",
	"Am 5. Mai ist zu. ¦Am 6. auch nicht, bzw. Am Abend. ¦Ja.",
	"It was 2024. ¦The shop opened.",
	"We have 5. ¦The rest is gone.",
	"Ask Dr. Smith or Mrs. J. R. Jones. ¦They know.",
	"Order No. 5 is here. ¦No. ¦You cannot.",
	"Open until 5 p.m. ¦On Sundays closed. ¦At 9 a.m. we open.",
	"The U.S. Government said so. ¦Yes.",
	"Go to https://example.com/a.b?c=d. ¦Then click.",
	"Mail help@example.com. ¦We answer.",
	"Wait... what? ¦Well… ¦Yes… no.",
	"He said “Stop.” ¦Then (it is true.) ¦Next.",
	"\"Stop!\" he said. ¦Then he left.",
	"**Free.** ¦Not *really.* ¦Yes.",
	"Thirty days.[1] ¦Free. [2] ¦Next.[1][2] ¦Last [3]. ¦End.[4]",
	"Thirty days.[1, 2] ¦Free.【3】 ¦End. [^1] ¦All.【1†source】¦Over. [1-3] ¦Done.",
	"Thirty days. [1](https://x.y/z) ¦Next.",
	"これは本です。¦それは「ペン」です。¦本当？！¦はい。",
	"保修期为三年。[1]¦请联系我们。",
	"هل هذا صحيح؟ ¦نعم.",
	"यह सच है। ¦हाँ।",
	"- One\n¦- Two. ¦Still two.\n¦* Three\n\n¦1. Four\n¦2) Five",
	"1. You open it.\n¦2. You close it.",
	"# Title one. Two\n¦Text.",
	"Steps:\n¦open it",
	"| a | b. C |\n¦|---|---|\n¦| 1 | 2 |\n¦After.",
	"This line is long enough to have been wrapped by a\nprogram that does so. ¦Next.",
	"This line is long enough to have been wrapped by a\nProgram that does so. ¦Next.",
	"Short line\n¦Another",
	"Short line\ngoes on",
	"Line one  \n¦line two",
	"> Quoted. ¦Still.\n¦> More",
	"Run:\n\n¦```go\n¦x := 1. Y\n\n    ¦y := 2\n¦```\n¦Done. ¦Good.",
	"~~~\n¦a\n¦```\n¦b\n¦~~~\n¦Out. ¦Yes.",
	"Use `a.b`. ¦Then `c`.",
	"Really?Yes. ¦No.No.",
	"Hello world. this goes on. ¦But this not.",
	"Hallo!¦",
	"Er kostet 5 Euro inkl. Versand usw. ¦Danach nichts.",
	"...",
	". ¦. ¦.",
}

func TestSentences(t *testing.T) {
	for _, want := range units {
		want = strings.TrimSuffix(want, "¦")
		text := strings.ReplaceAll(want, "¦", "")
		var got []string
		at := 0
		for _, s := range Sentences(text) {
			if s.Start != at {
				t.Errorf("Sentences(%q): a unit begins at %d, want %d", text, s.Start, at)
			}
			at = s.End
			got = append(got, text[s.Start:s.End])
		}
		if g := strings.Join(got, "¦"); g != want {
			t.Errorf("Sentences(%q)\n got %q\nwant %q", text, g, want)
		}
		growing(t, text)
	}
}

// growing checks that the units of a text that comes piece by piece are those of the
// whole.
func growing(t *testing.T, text string) {
	t.Helper()
	var whole, stream Splitter
	for start := 0; start < len(text); {
		n := whole.Next(text[start:], true)
		if n <= 0 || start+n > len(text) {
			t.Fatalf("Next(%q, true) = %d", text[start:], n)
		}
		done := false
		for end := start; end <= len(text); end++ {
			got := stream.Next(text[start:end], false)
			if got == 0 {
				continue
			}
			if got != n {
				t.Fatalf("Next(%q, false) = %d, of the whole %q it is %d", text[start:end], got, text[start:], n)
			}
			done = true
			break
		}
		if !done {
			if got := stream.Next(text[start:], true); got != n {
				t.Fatalf("Next(%q, true) = %d after looking, want %d", text[start:], got, n)
			}
		}
		start += n
	}
}

func TestNextWaits(t *testing.T) {
	for _, text := range []string{"", "One", "One.", "One. ", "One.[", "One. [1", "One.\n", "Costs 3.", "「はい。", "a\xe3\x80"} {
		if n := Next(text, false); n != 0 {
			t.Errorf("Next(%q, false) = %d, want 0", text, n)
		}
	}
	for text, want := range map[string]int{"One. T": 5, "One.[1] T": 8, "はい。い": 9} {
		if n := Next(text, false); n != want {
			t.Errorf("Next(%q, false) = %d, want %d", text, n, want)
		}
	}
}

func FuzzSentences(f *testing.F) {
	for _, u := range units {
		f.Add(strings.ReplaceAll(u, "¦", ""))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 300 {
			text = text[:300]
		}
		growing(t, text)
	})
}

func BenchmarkSentences(b *testing.B) {
	text := strings.Repeat("You can return an item within 30 days of delivery, e.g. by post. Shipping is free. Is there anything else I can do for you?\n", 20)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Sentences(text)
	}
}
