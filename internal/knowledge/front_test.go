package knowledge

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/google/go-cmp/cmp"
)

func TestFrontMatter(t *testing.T) {
	for _, tt := range []struct{ name, file, in, want string }{
		{"all of it", "a.md", "---\ntitle: 'Anna''s'\nurl: https://x.example/a\nupdated: 2026-05-01 # by Anna\nvalid_from: \"2026-01-01\"\nvalid_until: 2026-12-31\naudience: public\n---\nText",
			"Anna's https://x.example/a 2026-05-01 2026-01-01 2026-12-31: Text"},
		{"plain text", "a.txt", "---\nupdated: 2026-05-01\n---\nText", "Text  2026-05-01  : Text"},
		{"HTML", "a.html", "---\ntitle: Better\nupdated: 2026-05-01\n---\n<title>T</title><p>Text</p>", "Better  2026-05-01  : Text"},
		{"plain text between lines", "a.txt", "---\nHello\n---\nText", "A    : ---\nHello\n---\nText"},
		{"the keys of others, nested ones too", "a.md", "---\nlayout: page\nseo:\n  audience: internal\n---\nText", "A    : Text"},
		{"a rule", "a.md", "---\nText", "A    : Text"},
		{"internal", "a.md", "---\naudience: internal\n---\nText", "1 internal"},
		{"internal in another spelling", "a.md", "--- \nAudience : internal # staff\n...\nText", "1 internal"},
		{"internal page", "a.html", "---\naudience: internal\n---\n<p>Text</p>", "1 internal"},
		{"an unknown audience", "a.md", "---\naudience: staff\n---\nText", `skipped: audience: "staff" is not one of public, internal`},
		{"no audience", "a.md", "---\naudience:\n---\nText", `skipped: audience: "" is not one of public, internal`},
		{"two audiences", "a.md", "---\naudience: internal\naudience: public\n---\nText", "skipped: audience is set twice"},
		{"no end", "a.md", "---\naudience: public\nText", `skipped: the block at the top does not end; put a line "---" behind it`},
		{"not a date", "a.md", "---\nvalid_until: 31.12.2026\n---\nText", `skipped: valid_until: "31.12.2026" is not a date such as 2026-05-01`},
		{"no such date", "a.md", "---\nupdated: 2026-02-30\n---\nText", `skipped: updated: "2026-02-30" is not a date such as 2026-05-01`},
		{"valid never", "a.md", "---\nvalid_from: 2026-05-01\nvalid_until: 2026-04-30\n---\nText", "skipped: valid_until: 2026-04-30 is before valid_from, 2026-05-01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			docs, report, err := ReadFS(t.Context(), fstest.MapFS{tt.file: {Data: []byte(tt.in)}}, Limits{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range docs {
				got = append(got, strings.Join([]string{d.Title, d.URL, string(d.Updated), string(d.From), string(d.Until)}, " ")+": "+d.Text)
			}
			for _, s := range report.Skipped {
				got = append(got, "skipped: "+s.Reason)
			}
			if report.Internal > 0 {
				got = append(got, fmt.Sprint(report.Internal, " internal"))
			}
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// foundOn returns the documents that a question finds, best first.
func foundOn(t *testing.T, g *Generation, question, day string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, day)
	if err != nil {
		t.Fatal(err)
	}
	f, err := g.Find(t.Context(), Query{Text: chat.Text(question), At: at})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range f.Passages {
		ids = append(ids, p.Document)
	}
	return strings.Join(ids, " ")
}

func TestDocumentsAreFoundWhileTheyAreValid(t *testing.T) {
	g := build(t, []Document{
		{ID: "always", Text: "The lamp costs 30 euros."},
		{ID: "sale", Text: "The lamp costs 20 euros in the sale.", From: "2026-05-01", Until: "2026-05-31"},
		{ID: "soon", Text: "The lamp costs 40 euros in autumn.", From: "2026-09-01"},
	})
	for day, want := range map[string]string{
		"2026-04-30T23:59:59Z": "always", "2026-05-01T00:00:00Z": "always sale", "2026-05-31T23:59:59Z": "always sale",
		"2026-06-01T00:00:00Z": "always", "2026-06-01T01:00:00+02:00": "always sale", "2026-09-01T12:00:00Z": "always soon",
	} {
		if got := foundOn(t, g, "What does the lamp cost?", day); got != want {
			t.Errorf("on %s: found %s, want %s", day, got, want)
		}
	}
	again, err := decodeGeneration(g.data)
	if err != nil {
		t.Fatal(err)
	}
	if got := foundOn(t, again, "What does the lamp cost?", "2027-01-01T00:00:00Z"); got != "always soon" {
		t.Errorf("from the file: found %s", got)
	}
	if hits := g.Search(Query{Text: "lamp sale", At: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}, 10); len(hits) != 1 {
		t.Errorf("Search = %v, want one hit", hits)
	}
}

func TestTheNewerOfTwoEquallyGoodComesFirst(t *testing.T) {
	text := "You can return boots within %s days, if they were not worn."
	g := build(t, []Document{
		{ID: "a", Text: strings.ReplaceAll(text, "%s", "14"), Updated: "2025-01-01"},
		{ID: "b", Text: strings.ReplaceAll(text, "%s", "thirty full"), Updated: "2026-01-01"},
		{ID: "c", Text: "Boots are cleaned with a brush.", Updated: "2026-06-01"},
	})
	if got := foundOn(t, g, "Until when can I return boots?", "2026-07-01T00:00:00Z"); got != "b a c" {
		t.Errorf("found %s, want the newer one first, and behind both what says less", got)
	}
	p, err := g.Find(t.Context(), Query{Text: "return boots", Limit: 1})
	if err != nil || len(p.Passages) != 1 || p.Passages[0].Updated != "2026-01-01" {
		t.Errorf("Find = %+v, %v; want when the document was updated", p, err)
	}
}
