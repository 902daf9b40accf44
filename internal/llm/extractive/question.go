package extractive

import (
	"regexp"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
	"github.com/answerable/answerable/internal/llm"
)

// need is something that the question asks for: a word, its synonyms, or a joined word
// such as an order number, as a whole or in all its parts.
type need struct {
	term   string
	parts  []string // of a joined word
	like   []string // synonyms
	weight float64  // how much the customer meant it, 0 to 1, before rarity
	weak   bool     // a word to ask with, of which rarity says nothing
}

// question is one thing that the customer wants to know.
type question struct {
	text  string
	needs []need
	asks  asks
}

// What a word is worth that says little, that stands in another sentence of the message,
// or in the customer's message before.
const (
	weakWeight    = 0.3
	besideWeight  = 0.35
	historyWeight = 0.5
)

// readQuestion returns what the customer wants to know: one for each sentence that ends
// with a question mark, or else the whole message. At most three. Each is given in its
// readings: a short question may stand for itself, or else follow on the one before.
func readQuestion(req llm.Request) [][]question {
	text := string(req.Question)
	var asked, told []string
	for _, s := range lang.Sentences(text) {
		part := strings.TrimSpace(text[s.Start:s.End])
		if strings.HasSuffix(part, "?") || strings.HasSuffix(part, "？") {
			asked = append(asked, part)
		} else {
			told = append(told, part)
		}
	}
	if len(asked) == 0 || len(asked) > 3 {
		asked, told = []string{text}, nil
	}
	var questions [][]question
	for i, a := range asked {
		q := question{text: a, asks: readAsks(a)}
		q.add(a, req.Language, 1)
		own := q.content()
		beside := strings.Join(told, "\n")
		if own < 3 {
			beside += "\n" + strings.Join(asked[:i], "\n")
			q.add(beside, req.Language, besideWeight)
		}
		var readings []question
		if own > 0 && !follows(a) {
			readings = append(readings, q)
		}
		if own < 2 || follows(a) {
			q.needs = slices.Clone(q.needs)
			q.add(lastQuestion(req.History), req.Language, historyWeight)
			readings = append(readings, q)
		}
		questions = append(questions, readings)
	}
	return questions
}

// content counts the needs that say something.
func (q *question) content() int {
	n := 0
	for _, need := range q.needs {
		if need.weight == 1 {
			n++
		}
	}
	return n
}

// maxNeeds bounds what is looked for, so that a long message costs no more than a short one.
const maxNeeds = 24

// add appends the terms of text that are new and mean something.
func (q *question) add(text, language string, weight float64) {
	for _, s := range sayings {
		text = s.pattern.ReplaceAllString(text, s.means)
	}
	whole, at := -1, 0 // the need of a joined word, and where that word ends
	for _, t := range lang.Terms(text, language) {
		if t.Start < at && whole >= 0 { // a part of the joined word before
			q.needs[whole].parts = append(q.needs[whole].parts, t.Text)
			continue
		}
		at, whole = t.End, -1
		if t.Stop || len(q.needs) == maxNeeds || q.has(t.Text) {
			continue
		}
		n := need{term: t.Text, like: like(t.Text, language), weight: weight, weak: weak[lang.Fold(text[t.Start:t.End])]}
		if n.weak {
			n.weight *= weakWeight
		}
		whole = len(q.needs)
		q.needs = append(q.needs, n)
	}
}

// like returns the synonyms of a term, and what is near them: the rest of the question
// tells whether that is meant.
func like(term, language string) []string {
	same, near := lang.Synonyms(term, language)
	return slices.Concat(same, near)
}

// sayings are written in two words and meant as one.
var sayings = []struct {
	pattern *regexp.Regexp
	means   string
}{
	{regexp.MustCompile(`(?i)\b(send|sending|sent|give|bring|take|hand)( (it|them|this|that|one))? back\b`), "return"},
	{regexp.MustCompile(`(?i)\b(send|give|bring|take) (([\w'-]+ ){1,3})back\b`), "return $2"},
	{regexp.MustCompile(`(?i)\bmoney back\b`), "refund"},
	{regexp.MustCompile(`(?i)\bcall (you|someone|somebody|customer)\b`), "phone $1"},
	{regexp.MustCompile(`(?i)\b(good|usable) (for|until|till)?\W*$`), "valid"},
	{regexp.MustCompile(`(?i)\btext messages?\b`), "sms"},
	{regexp.MustCompile(`(?i)\bruns? out\b`), "expire"},
	{regexp.MustCompile(`(?i)\bhalf an hour\b`), "30 minutes"},
	{regexp.MustCompile(`(?i)\ban hour and a half\b`), "90 minutes"},
	{regexp.MustCompile(`(?i)\b(take|taken|takes|taking) off\b`), "deduct"},
	{regexp.MustCompile(`(?i)\bpick(ed|ing)? (it |them |this |that |my [\w-]+ )?up\b`), "collect $2"},
	{regexp.MustCompile(`\b(US|USA|U\.S\.A?\.?)(\W|$)`), "United States$2"},
	{regexp.MustCompile(`\b(UK|U\.K\.)(\W|$)`), "United Kingdom$2"},
	{regexp.MustCompile(`(?i)\b(opening|business) (hours|times)\b`), "open"},
	{regexp.MustCompile(`(?i)\b(schicke|sende|gebe|bringe) (.{1,40}) zurück\b`), "zurückgeben $2"},
}

func (q *question) has(term string) bool {
	for _, n := range q.needs {
		if n.term == term {
			return true
		}
	}
	return false
}

// lastQuestion returns what the customer said before.
func lastQuestion(history []chat.Message) string {
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Role == chat.Customer {
			return string(history[i].Text)
		}
	}
	return ""
}

// follows reports whether a question leans on the one before.
func follows(text string) bool {
	text = lang.Fold(strings.TrimSpace(text))
	for _, begin := range followUps {
		if strings.HasPrefix(text, begin+" ") {
			return true
		}
	}
	return false
}

var followUps = []string{"and", "what about", "how about", "what if", "but", "also", "then", "does that", "is that", "is it", "does it", "und", "was ist mit",
	"aber", "gilt das", "et", "mais", "y", "pero", "e", "ma", "mas", "en", "maar"}

// weak words are asked with, not for.
var weak = set(`get got need want like know tell please help possible would could question use make take work works happen happens
	come comes came receive received accept accepted different other another one two three offer offered provide
	put suit fit well number item items product products article articles goods right find give let look looking explain mean means difference supported thing things way anything something long much many often soon quickly
	high low big large small far heavy deep fall falls belong happened start begin end stay
	maximum minimum amount kind kinds type types sort part people someone anyone somebody anybody enter entered
	show showed see seen say says tell told think try tried back already yet soon later today tomorrow
	good best better bad new problem problems issue help next time times
	must shall ought bring brought called named
	allowed able hi hello hey thanks thank exactly really just still actually bought ordered buy
	wann ab bis wo wer was wie welche welcher welches warum wieso woher wohin wieviel muss mussen darf durfen soll sollte
	konnen konnte kommt kommen bekomme bekommen bekommt habe hat haben wurde werden findet finde gelten gilt fertig
	quand ou combien comment pourquoi cuando donde como cuanto cual dove quando come quale onde qual wanneer waar hoe welke
	brauche mochte will kann bitte lange viel viele moglich gibt machen geht
	besoin veux voudrais peux faire possible quiero puedo necesito hacer posible voglio posso fare possibile quero fazer possivel
	wil kan graag maken mogelijk lang veel`)
