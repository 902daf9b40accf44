package guard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

func TestCourtesy(t *testing.T) {
	turn := &chat.Turn{Passages: returns, Input: "What about order AB-77?"}
	for sentence, want := range map[string]bool{
		"Hello!":                                   true,
		"Hi Anna, thanks for writing!":             true,
		"Thanks, Anna Schmidt.":                    true,
		"Thank you for contacting Acme support.":   true,
		"I'm sorry for the inconvenience.":         true,
		"You're welcome!":                          true,
		"Of course!":                               true,
		"---":                                      true,
		"|---|:--|":                                true,
		"## Returns":                               true,
		"**Returns**":                              true,
		"There are 3 ways to pay:":                 true,
		"What is your order number?":               true,
		"Do you mean order AB-77?":                 true,
		"Is there anything else I can do for you?": true,
		"I'm sorry, but I could not find anything about that in the documents.": true,
		"I don't have information about that.":                                  true,
		"If you have any other questions, feel free to ask!":                    true,
		"Please let me know if that helps.":                                     true,
		"I could not find an answer to this in the documents.":                  true,
		"You can ask it in other words, or ask for a person.":                   true,
		"Dazu habe ich in den Dokumenten nichts gefunden.":                      true,
		"Sie können die Frage anders stellen oder nach einem Menschen fragen.":  true,
		"Gern geschehen!": true,
		"Je n'ai pas trouvé de réponse dans les documents.":                       true,
		"Vous pouvez reformuler la question ou demander à parler à une personne.": true,
		"Avec plaisir !": true,
		"No he encontrado una respuesta en los documentos.":                    true,
		"Puede preguntarlo con otras palabras o pedir hablar con una persona.": true,
		"¡Hola!":                  true,
		"¿Qué le gustaría saber?": true,
		"Non ho trovato una risposta nei documenti.":                        true,
		"Può riformulare la domanda o chiedere di parlare con una persona.": true,
		"Não encontrei uma resposta nos documentos.":                        true,
		"Pode perguntar de outra forma ou pedir para falar com uma pessoa.": true,
		"Ik heb hierover niets gevonden in de documenten.":                  true,
		"U kunt de vraag anders stellen of om een medewerker vragen.":       true,
		"Hei!": true,

		"Refunds are free.":            false,
		"Of course you can return it.": false,
		"Sure, it's free.":             false,
		"Sorry, no refunds.":           false,
		"Yes.":                         false,
		"Thanks, refunds take longer than you think.":    false,
		"I don't know, but refunds are always free.":     false,
		"## Refunds within 90 days":                      false,
		"You get no refund after delivery, that is why:": false,
		"Did you know that refunds take 90 days?":        false,
		"Hello, order 4711 is on its way.":               false,
		"The moon is green.":                             false,
	} {
		if got := courtesy(sentence, newClaim(sentence, ""), turn); got != want {
			t.Errorf("courtesy(%q) = %v, want %v", sentence, got, want)
		}
	}
}

func TestClaims(t *testing.T) {
	for _, c := range []struct{ name, reply, want string }{
		{"verbatim", "You can return an item within 30 days of delivery [1].", "You can return an item within 30 days of delivery.[1]"},
		{"behind the stop", "You can return an item within 30 days of delivery. [1]", "You can return an item within 30 days of delivery.[1]"},
		{"markdown and quotes", "**Return shipping** is free - \"always\".[1]", "**Return shipping** is free - \"always\".[1]"},
		{"reworded", "Items can be returned within 30 days [1].", "Items can be returned within 30 days.[1]"},
		{"no mark, but support", "Return shipping is free.", "Return shipping is free.[1]"},
		{"the wrong passage", "Return shipping is free [2].", "Return shipping is free.[1]"},
		{"no such passage", "Return shipping is free [7].", "Return shipping is free.[1]"},
		{"another number", "You can return an item within 60 days of delivery [1].", ""},
		{"the opposite", "You cannot return an item within 30 days of delivery [1].", ""},
		{"the opposite, verbatim but for a word", "Sale items can be returned [1].", ""},
		{"from thin air", "Members get a free scarf [1].", ""},
		{"same words, same mark", "Return shipping is free. Hello! Return shipping is free [1].", "Return shipping is free.[1] Hello! Return shipping is free.[1]"},
		{"two sources", "Return shipping is free and batteries are covered for 6 months [1][2].", "Return shipping is free and batteries are covered for 6 months.[1][2]"},
		{"order of use", "Die Garantie beträgt zwei Jahre [2]. Return shipping is free [1].", "Die Garantie beträgt zwei Jahre.[1] Return shipping is free.[2]"},
		{"middle", "Return shipping [1] is free.", "Return shipping is free.[1]"},
		{"wide", "Return shipping is free【1†source】.", "Return shipping is free.[1]"},
		{"address", "Return shipping is free [1](https://evil.example/x).", "Return shipping is free.[1]"},
		{"courtesy", "Hello! [1] Anything else?", "Hello! Anything else?"},
		{"code", "```\na[1] = 2\n```", "```\na[1] = 2\n```"},
		{"item without a stop", "- Return shipping is free [1]\n- Die Garantie beträgt zwei Jahre\n", "- Return shipping is free [1]\n- Die Garantie beträgt zwei Jahre [2]"},
		{"row", "| Return shipping | free [1] |\n", "| Return shipping | free [1] |"},
		{
			"table", "| Way | Cost |\n|---|---|\n| Return shipping | free |\n| Return shipping | 3 pounds [1] |\n",
			"| Way | Cost |\n|---|---|\n| Return shipping | free [1] |",
		},
		{"row below a header of its own making", "| Refunds | within 90 days |\n|---|---|\n| Return shipping | free [1] |\n", "| Return shipping | free [1] |"},
		{"heading", "## Return shipping\n\nReturn shipping is free.", "## Return shipping\n\nReturn shipping is free.[1]"},
		{"heading with a mark", "## Return shipping [1]\n", "## Return shipping [1]"},
		{"list of sources", "Return shipping is free [1].\n\n[1]: https://evil.example/\n", "Return shipping is free.[1]"},
		{"only marks", "[1][2]\n\n[3]", ""},
		{"identifier", "Batteries are covered for 6 months with order AB-1234 [2].", "Batteries are covered for 6 months with order AB-1234.[1]"},
		{"another identifier", "Batteries are covered for 6 months with order AB-1235 [2].", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, rules := range []Rules{{}, {Unit: chat.Word, Claims: Claims{Uncited: Drop}}} {
				g := newGates(t, rules)
				g.write(strings.SplitAfter(c.reply, "")...).close()
				g.want(c.want)
				if len(g.turn.Citations) != strings.Count(c.want, "[") && c.name != "same words, same mark" && !strings.Contains(c.want, "`") {
					t.Errorf("citations %+v", g.turn.Citations)
				}
			}
		})
	}
}

// TestTableWithoutBars checks rows as they stand in text that was a table in HTML: each
// is a sentence of its own, so that one "never" does not negate the others.
func TestTableWithoutBars(t *testing.T) {
	turn := &chat.Turn{Passages: []chat.Passage{{
		Document: "delivery.html", Generation: "g1",
		Text: "Service | Time | Free from\nStandard | 2–3 days | €60\nExpress | 1 day | never\nAbroad | 6–10 days | never\n\nNot to islands.",
	}}}
	g := NewGate(turn, Rules{})
	reply := "| Service | Time | Free from |\n|---|---|---|\n| Standard | 2–3 days | €60 [1] |\n| Express | 1 day | never [1] |\n| Abroad | 6–10 days | never [1] |\n"
	if err := g.Write(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := "| Service | Time | Free from |\n|---|---|---|\n| Standard | 2–3 days | €60 [1] |\n| Express | 1 day | never [2] |\n| Abroad | 6–10 days | never [3] |"
	if got := string(g.Shown()); got != want {
		t.Errorf("shown\n%s\nwant\n%s\nwithheld %+v", got, want, turn.Withheld)
	}
	if quote := turn.Citations[1].Quote; quote != "Express | 1 day | never" {
		t.Errorf("quote %q", quote)
	}
}

func TestUncited(t *testing.T) {
	reply := "The moon is green [1]. Hello!"
	for uncited, want := range map[Uncited]string{Drop: "Hello!", Flag: "The moon is green. Hello!", Allow: "The moon is green. Hello!"} {
		g := newGates(t, Rules{Claims: Claims{Uncited: uncited}})
		g.write(reply).close()
		g.want(want)
		if (len(g.turn.Withheld) == 1) != (uncited == Drop) {
			t.Errorf("%s: withheld %+v", uncited, g.turn.Withheld)
		}
	}
	g := newGates(t, Rules{Claims: off})
	g.write("The moon is green [1]. Use `x[1]`.").close()
	g.want("The moon is green. Use `x[1]`.")
}

func TestLink(t *testing.T) {
	g := newGates(t, Rules{})
	g.write("Return shipping is free. Die Garantie beträgt zwei Jahre.").close()
	for i, want := range []string{"/sources/g1/help/a%20b.md?start=93&end=116", "https://shop.example/warranty"} {
		if got := g.turn.Citations[i].URL; got != want {
			t.Errorf("URL = %q, want %q", got, want)
		}
	}
}

func BenchmarkSupport(b *testing.B) {
	passages := make([]chat.Passage, 8)
	for i := range passages {
		passages[i] = chat.Passage{Text: chat.Text(strings.Repeat(string(returns[0].Text)+" ", 12))}
	}
	cl := newClaim("An item can be sent back within 30 days of its delivery to you.", "en")
	s := newSources(passages, "en", nil)
	b.ReportAllocs()
	for b.Loop() {
		s.best(cl)
	}
}

// TestSourcesAreKept checks that a passage that was read before is the same, and that the
// number of those that are kept is bounded.
func TestSourcesAreKept(t *testing.T) {
	var kept Sources
	text := "Delivery takes three days. Returns are free."
	first := kept.source(text, "en")
	if again := kept.source(text, "en"); &again.units[0] != &first.units[0] {
		t.Error("the passage was read again")
	}
	if german := kept.source(text, "de"); &german.units[0] == &first.units[0] {
		t.Error("the same passage is used for another language")
	}
	for i := range 3 * maxYoung {
		kept.source(fmt.Sprint("Passage ", i), "en")
	}
	if n := len(kept.young) + len(kept.old); n > 2*maxYoung {
		t.Errorf("%d passages are kept, want at most %d", n, 2*maxYoung)
	}
	if again := kept.source(text, "en"); &again.units[0] == &first.units[0] {
		t.Error("what was not asked for in a long time is still kept")
	}
}

// What is no document of a generation, as a notice is none, has no page of its own.
func TestAPassageOfNoGenerationHasNoPage(t *testing.T) {
	tn := &chat.Turn{Passages: []chat.Passage{{Document: "notice:1", Title: "Notice", Text: "Deliveries are late today.", End: 26}}}
	c := newClaims(tn, Claims{Language: "en"}, nil, false)
	_, marks, v := c.check("Deliveries are late today.[1]")
	if v.Action != chat.Allow || len(marks) != 1 {
		t.Fatalf("check = %v, %+v", marks, v)
	}
	if got := c.citation(1); got.URL != "" || got.Quote != "Deliveries are late today." || got.Document != "notice:1" {
		t.Errorf("citation = %+v", got)
	}
}
