package turn_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

var update = flag.Bool("update", false, "rewrite want in testdata")

// TestScripts plays each script of testdata to its end and compares what the customer
// saw with want. Then it plays it again and again, each time with a death of the server
// at another chunk, and looks at what must hold whatever happens: see play.check.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	s := opened(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sc := parse(t, file, archive)
			whole := sc.play(t, s, never)
			if *update {
				rewrite(t, file, archive, whole.lines())
			} else if d := cmp.Diff(sc.want, whole.lines()); d != "" {
				t.Errorf("the customer saw (-want +got):\n%s", d)
			}
			for _, k := range sample(whole.cast.sent, 6) {
				t.Run(fmt.Sprintf("killed at chunk %d", k), func(t *testing.T) {
					sc.play(t, s, k).resembles(whole)
				})
			}
		})
	}
}

// sample returns up to limit of the numbers below n, the first and the last among them.
func sample(n, limit int) []int {
	var out []int
	for i := range min(n, limit) {
		out = append(out, i*(n-1)/max(1, min(n, limit)-1))
	}
	return slices.Compact(out)
}

func rewrite(t *testing.T, file string, archive *txtar.Archive, want string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(want)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func opened(t testing.TB) *store.Store {
	t.Helper()
	dir := t.TempDir()
	key, err := store.DevelopmentKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// lines describes what the customer saw, a line for each event. Neighbouring texts are
// joined; numbers and times are left out.
func (p *play) lines() string {
	var out []string
	text := ""
	flush := func() {
		if text != "" {
			out = append(out, fmt.Sprintf("text %q", text))
			text = ""
		}
	}
	for _, e := range p.events {
		if e.Kind == chat.KindText {
			text += decode[chat.TextShown](p, e).Text
			continue
		}
		if e.Kind == chat.KindState && !p.rules.states {
			continue
		}
		flush()
		switch e.Kind {
		case chat.KindAccepted:
			out = append(out, fmt.Sprintf("customer %q", decode[chat.MessageAccepted](p, e).Message.Text))
		case chat.KindTurnStarted:
			if decode[chat.TurnStarted](p, e).RetryOf == "" {
				out = append(out, "start")
			} else {
				out = append(out, "start again")
			}
		case chat.KindState:
			s := decode[chat.StateChanged](p, e)
			out = append(out, fmt.Sprintf("state %s, %s", s.From, s.To))
		case chat.KindCitation:
			c := decode[chat.Cited](p, e)
			out = append(out, fmt.Sprintf("cite [%d] %s %q", c.Mark, c.Document, c.Quote))
		case chat.KindLevel:
			l := decode[chat.LevelChanged](p, e)
			out = append(out, fmt.Sprintf("level %s: %s", l.Level, l.Reason))
		case chat.KindHandoff:
			out = append(out, "handoff "+decode[chat.HandedOff](p, e).Reason)
		case chat.KindOwner:
			o := decode[chat.OwnerChanged](p, e)
			out = append(out, strings.TrimSpace(fmt.Sprintf("owner %s %s", o.Owner, o.Name)))
		case chat.KindTurnEnded:
			out = append(out, fmt.Sprintf("end %s", decode[chat.TurnEnded](p, e).Outcome))
		default:
			out = append(out, string(e.Kind))
		}
	}
	flush()
	if p.rules.record {
		for _, t := range p.turns() {
			for _, a := range t.Record.Attempts {
				out = append(out, strings.Join(strings.Fields(fmt.Sprintf("attempt %s %s %s %s %s", a.Provider, a.Finish, a.Discarded, a.Fault, a.Error)), " "))
			}
			if h := t.Record.Handoff; h != nil {
				out = append(out, fmt.Sprintf("handoff %s: %s", h.Trigger, h.Reason))
			}
			for _, w := range t.Record.Withheld {
				out = append(out, fmt.Sprintf("withheld %q: %s", w.Text, w.Check))
			}
			for _, v := range t.Record.Verdicts {
				out = append(out, fmt.Sprintf("verdict %s %s: %s", v.Check, v.Action, v.Reason))
			}
			if t.Record.Error != "" {
				out = append(out, "error "+t.Record.Error)
			}
		}
	}
	if p.rules.heard {
		out = append(out, p.cast.heard...)
	}
	return strings.Join(out, "\n") + "\n"
}

func decode[B chat.Body](t testing.TB, e chat.Event) B {
	t.Helper()
	b, err := chat.Decode[B](e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
