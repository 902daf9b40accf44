package knowledge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

func TestFindLimits(t *testing.T) {
	g := build(t, shop(t))
	for _, tt := range []struct{ limit, tokens, passages int }{
		{0, 0, 5}, {1, 0, 1}, {3, 0, 3}, {100, 100_000, 7}, {5, 60, 1}, {5, 10, 1}, {5, 1, 0}, {-1, 0, 0},
	} {
		found, err := g.Find(t.Context(), Query{Text: "parcel lamp order days", Limit: tt.limit, Tokens: tt.tokens})
		if err != nil {
			t.Fatal(err)
		}
		tokens := 0
		for _, p := range found.Passages {
			checkPassage(t, g, p)
			tokens += p.Tokens
		}
		if tt.tokens > 0 && tokens > tt.tokens || len(found.Passages) != tt.passages {
			t.Errorf("limit %d, tokens %d: %d passages of %d tokens, want %d passages", tt.limit, tt.tokens, len(found.Passages), tokens, tt.passages)
		}
	}
}

func TestFindSpreadsOverDocuments(t *testing.T) {
	section := func(n int) string {
		return fmt.Sprintf("## Part %d\n\n%s\n\n", n, strings.Repeat(fmt.Sprintf("The lamp number%d shines w%d. ", n, n), 25))
	}
	var long strings.Builder
	for i := range 10 {
		long.WriteString(section(i))
	}
	var docs []Document
	d := markdown(long.String())
	docs = append(docs, d.document("long.md"))
	alone := build(t, docs)
	other := "The lamp stands in the hall of the house, next to another thing that is not one, where people come and go all day long."
	docs = append(docs, Document{ID: "other.md", Text: other})
	both := build(t, docs)

	count := func(g *Generation) map[string]int {
		found, err := g.Find(t.Context(), Query{Text: "lamp", Limit: 3, Tokens: 5000})
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int{}
		for _, p := range found.Passages {
			n[p.Document]++
		}
		return n
	}
	if n := count(alone); n["long.md"] != 3 {
		t.Errorf("alone: %v, want 3 of long.md", n)
	}
	if n := count(both); n["long.md"] != 2 || n["other.md"] != 1 {
		t.Errorf("together: %v, want 2 of long.md and 1 of other.md", n)
	}
}

func TestFindLeavesOutRepetitions(t *testing.T) {
	text := "Refunds take seven days. The money comes the way that you paid. Gift cards are refunded as gift cards, always."
	g := build(t, []Document{
		{ID: "a", Text: text}, {ID: "b", Text: text + " Really."}, {ID: "c", Text: "Refunds of deposits need a form, which the clerk at the desk has."},
	})
	found, err := g.Find(t.Context(), Query{Text: "refunds"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range found.Passages {
		ids = append(ids, p.Document)
	}
	if len(ids) != 2 {
		t.Errorf("found %v, want one of a and b, and c", ids)
	}
}

// TestFindHeadingThatIsTheQuestion checks that of many documents that all name a thing, the
// one comes first in which a heading asks what it is.
func TestFindHeadingThatIsTheQuestion(t *testing.T) {
	docs := []Document{{ID: "z.md", Title: "The guide to a Lumo", Text: "1.1. What is Lumo?\n\nIt is a lamp, made by people who like lamps and were asked again and again what it was that they had made of all that oak.",
		Headings: []Heading{{Level: 1, Text: "1.1. What is Lumo?", Start: 0, End: 18}}}}
	for i := range 9 {
		docs = append(docs, Document{ID: fmt.Sprintf("%d.md", i), Title: "Lumo", Text: fmt.Sprintf("Part %d of Lumo can be had as a spare from all who sell it.", i)})
	}
	g := build(t, docs)
	found, err := g.Find(t.Context(), Query{Text: "what is lumo"})
	if err != nil || len(found.Passages) == 0 || found.Passages[0].Document != "z.md" {
		t.Errorf("Find = %+v, %v, want z.md first", found.Passages, err)
	}
}

// TestWorthIsTheSameInSmallAndLargeBases checks that a passage which has a word that no
// other has is worth about one such word, however many others there are.
func TestWorthIsTheSameInSmallAndLargeBases(t *testing.T) {
	for _, others := range []int{5, 500} {
		docs := []Document{{ID: "lamp", Text: "The lamp shines."}}
		for i := range others {
			docs = append(docs, Document{ID: fmt.Sprint(i), Text: "The chair creaks."})
		}
		found, err := build(t, docs).Find(t.Context(), Query{Text: "lamp"})
		if err != nil || len(found.Passages) != 1 || math.Abs(found.Passages[0].Scores["worth"]-0.5) > 0.2 {
			t.Errorf("among %d others: %+v, %v, want a worth of about .5", others, found.Passages, err)
		}
	}
}

func TestFindStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := build(t, shop(t)).Find(ctx, Query{Text: "lamp"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}

func TestFindInNothing(t *testing.T) {
	for name, docs := range map[string][]Document{"no documents": nil, "no text": {{ID: "a", Title: "lamp"}}} {
		found, err := build(t, docs).Find(t.Context(), Query{Text: "lamp", History: []chat.Message{{Text: "before"}}})
		if err != nil || len(found.Passages) != 0 {
			t.Errorf("%s: %v, %v", name, found.Passages, err)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	docs := many(b, 2000)
	for b.Loop() {
		build(b, docs)
	}
}

func BenchmarkOpen(b *testing.B) {
	path, err := build(b, many(b, 10_000)).WriteFile(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := OpenGeneration(path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	g := build(b, many(b, 10_000))
	for b.Loop() {
		if _, err := g.Find(b.Context(), Query{Text: "when is the money of a broken lamp refunded"}); err != nil {
			b.Fatal(err)
		}
	}
}

// many mixes the sentences of the shop into n documents of about 800 bytes.
func many(b *testing.B, n int) []Document {
	var sentences []string
	for _, d := range shop(b) {
		for s := range strings.SplitSeq(d.Text, ". ") {
			sentences = append(sentences, s+". ")
		}
	}
	docs := make([]Document, n)
	at := 0
	for i := range docs {
		var text strings.Builder
		for text.Len() < 800 {
			at = (at*31 + 17 + i) % len(sentences)
			text.WriteString(sentences[at])
			fmt.Fprintf(&text, "Number%d. ", at*n+i)
		}
		docs[i] = Document{ID: fmt.Sprintf("%06d", i), Title: sentences[i%len(sentences)], Text: text.String()}
	}
	return docs
}

func TestOtherWordsForTheSameAreSearched(t *testing.T) {
	g := build(t, []Document{
		{ID: "contact", Text: "The telephone of the workshop is staffed in the morning."},
		{ID: "lamp", Text: "The lamp has a phone holder, and the lamp shines on the telephone."},
		{ID: "delivery", Text: "Delivery takes three days."},
		{ID: "abroad", Text: "A parcel to Denmark takes a week."},
	})
	for question, want := range map[string]string{
		"workshop phone":        "contact lamp", // "phone" alone would not make "telephone" count
		"shipping":              "delivery",     // no document has the word
		"is the lamp for free?": "lamp",         // "price" is near "free", and is not searched
		"I live in Aarhus":      "abroad",       // nor is what is near a word, but where no document has the word
		"delivery to Aarhus":    "delivery abroad",
	} {
		if got := foundOn(t, g, question, "2026-01-01T00:00:00Z"); got != want {
			t.Errorf("%q found %q, want %q", question, got, want)
		}
	}
}
