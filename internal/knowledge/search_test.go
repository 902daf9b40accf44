package knowledge

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/answerable/answerable/internal/chat"
)

// TestRankings runs the cases of testdata/rankings.txt.
func TestRankings(t *testing.T) {
	const path = "testdata/rankings.txt"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g := build(t, shop(t))
	cases := strings.Split(strings.TrimSpace(string(b)), "\n\n")
	for i, c := range cases[1:] {
		var q Query
		out := ""
		for line := range strings.SplitSeq(c, "\n") {
			who, said, _ := strings.Cut(line, ": ")
			switch who {
			case "customer":
				q.History = append(q.History, chat.Message{Role: chat.Customer, Text: chat.Text(said)})
			case "agent":
				q.History = append(q.History, chat.Message{Role: chat.Assistant, Text: chat.Text(said)})
			case "ask":
				q.Text = chat.Text(said)
			default:
				continue
			}
			out += line + "\n"
		}
		found, err := g.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf("searched: %s\n", found.Query)
		for _, p := range found.Passages {
			checkPassage(t, g, p)
			if p.Score <= 0 || p.Generation != g.ID() {
				t.Errorf("%q: passage %+v", q.Text, p)
			}
			out += strings.TrimRight(fmt.Sprintf("%5.2f %s > %s", p.Score, p.Document, p.Heading), "> ") + "\n"
		}
		cases[i+1] = strings.TrimSpace(out)
	}
	golden(t, path, strings.Join(cases, "\n\n")+"\n")
}

func TestSearchIsTheSameEveryTime(t *testing.T) {
	g := build(t, shop(t))
	q := Query{Text: "how do I return a broken lamp and get my money", History: []chat.Message{{Role: chat.Customer, Text: "express delivery abroad"}}}
	want := g.Search(q, 50)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if diff := cmp.Diff(want, g.Search(q, 50), cmp.AllowUnexported(Hit{})); diff != "" {
					t.Errorf("hits (-first +later):\n%s", diff)
					return
				}
				if _, err := g.Find(t.Context(), q); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSearchTopIsExact(t *testing.T) {
	var docs []Document
	for i := range 60 {
		docs = append(docs, Document{ID: fmt.Sprintf("%02d", i), Text: strings.Repeat("lamp ", 1+i*7%13) + strings.Repeat("oak ", i%5) + "base"})
	}
	g := build(t, docs)
	all := g.Search(Query{Text: "lamp oak"}, 1000)
	if len(all) != 60 {
		t.Fatalf("%d hits, want 60", len(all))
	}
	for i, h := range all[1:] {
		if before := all[i]; h.Score > before.Score || h.Score == before.Score && h.Document < before.Document {
			t.Errorf("%v comes after %v", h, before)
		}
	}
	for _, k := range []int{0, 1, 2, 7, 59, 60} {
		if diff := cmp.Diff(all[:k], g.Search(Query{Text: "lamp oak"}, k), cmp.AllowUnexported(Hit{})); k > 0 && diff != "" {
			t.Errorf("the first %d (-all +top):\n%s", k, diff)
		}
	}
}

func TestSearchLanguages(t *testing.T) {
	g := build(t, []Document{
		{ID: "de", Text: "Die Bestellungen werden am nächsten Tag verschickt. Wir senden sie mit der Post, und es ist auch am Samstag so."},
		{ID: "en", Text: "The orders are sent on the next day. We send them by mail, and this is also so on a Saturday."},
		{ID: "es", Text: "Las devoluciones son gratis para los clientes que tienen una cuenta. El dinero está en su cuenta en una semana."},
		{ID: "fr", Text: "L'article est remboursé dans les trente jours. Vous pouvez le renvoyer par la poste, et nous vous donnons une étiquette."},
		{ID: "ja", Text: "注文は翌日に発送されます。返品は三十日以内にお願いします。"},
	})
	for q, want := range map[string]string{
		"wann wird meine Bestellung verschickt": "de", "when are orders sent": "en", "devolución gratis": "es", "devolucion": "es",
		"articles remboursés": "fr", "返品できますか": "ja", "verschickte Bestellungen": "de",
	} {
		hits := g.Search(Query{Text: chat.Text(q)}, 1)
		if len(hits) == 0 || hits[0].Document != want {
			t.Errorf("%q finds %v, want %s", q, hits, want)
		}
	}
}

func TestRepair(t *testing.T) {
	g := build(t, []Document{
		{ID: "a", Text: "password password passport account lamp"},
		{ID: "b", Text: "password étagère lampe order ORD-4521"},
	})
	for word, want := range map[string]string{
		"passwrd": "password", "passsword": "password", "pasword": "password", "apssword": "password", "passwore": "password",
		"assword": "password", "passwor": "password", "passwordd": "password", "xpassword": "password",
		"accoumt": "account", "etagers": "etager", "lmp": "", "xyzzyx": "", "4522": "", "pazzword": "", "": "",
	} {
		if got := g.words.near(word); len(word) >= 4 && repairable(word) && got != want {
			t.Errorf("near(%q) = %q, want %q", word, got, want)
		}
	}
	r := repairer{words: g.words, left: 1, done: map[string]string{}}
	for _, w := range []string{"ord-4522", "4522", "lmp", "pasword", "accoumt"} {
		want := w
		if w == "pasword" {
			want = "password" // the only one that may and can be; then the budget is spent
		}
		if got := r.repair(w); got != want {
			t.Errorf("repair(%q) = %q, want %q", w, got, want)
		}
	}
}

// TestNearIsComplete compares the walk with trying every term.
func TestNearIsComplete(t *testing.T) {
	vocabulary := strings.Fields("ab abc abcd abcde abce abd acbd b bacd bcd xabcd abxcd zzzz éabc abéc aabc abbc abcc")
	g := build(t, []Document{{ID: "a", Language: "vi", Text: strings.Join(vocabulary, " ")}})
	for _, word := range []string{"abcd", "abc", "bacd", "abbd", "zzzy", "zzz", "zzzzz", "eabc", "abec", "q"} {
		want := ""
		for i := range g.words.len() {
			if term := g.words.term(i); want == "" && term != word && near(word, term) {
				want = term
			}
		}
		if got := g.words.near(word); got != want && got != word {
			t.Errorf("near(%q) = %q, want %q", word, got, want)
		}
	}
}

// near reports whether a and b differ by one insertion, deletion, replacement or
// exchange of neighbours.
func near(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return len(x) <= 1 && len(y) <= 1 || len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}

func TestSearchOfHostileQueries(t *testing.T) {
	g := build(t, shop(t))
	for name, q := range map[string]string{
		"empty": "", "stop words": "what is it and how do I", "signs": "?!… --- ((", "long": strings.Repeat("refund lamp ", 20_000),
		"unknown words": words5000(), "one word": strings.Repeat("x", 1<<20), "invalid": "refund \xff\xfe lamp", "zero": "refund\x00lamp",
	} {
		found, err := g.Find(t.Context(), Query{Text: chat.Text(q)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range found.Passages {
			checkPassage(t, g, p)
		}
	}
}

func words5000() string {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "w%c%c%c%c ", 'a'+i%26, 'a'+i/26%26, 'a'+i/7%26, 'z'-i/676%26)
	}
	return b.String()
}

func FuzzSearch(f *testing.F) {
	g := build(f, shop(f))
	f.Add("pasword of ORD-4521", "earlier")
	f.Add("返品できますか", "é\u0301")
	f.Fuzz(func(t *testing.T, text, before string) {
		q := Query{Text: chat.Text(text), History: []chat.Message{{Role: chat.Customer, Text: chat.Text(before)}}, Tokens: 1 + len(text)}
		found, err := g.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		tokens := 0
		for _, p := range found.Passages {
			checkPassage(t, g, p)
			tokens += p.Tokens
		}
		if tokens > q.Tokens || len(found.Passages) > usualLimit {
			t.Errorf("%d passages of %d tokens, want at most %d of %d", len(found.Passages), tokens, usualLimit, q.Tokens)
		}
	})
}
