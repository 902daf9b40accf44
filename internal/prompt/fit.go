package prompt

import (
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
)

// What is kept as long as something else can go.
const (
	leastHistory   = 2 // messages
	leastDocuments = 1
	leastQuestion  = 256 // tokens
)

// fit leaves out what matters least until the budget holds: the oldest messages but the
// last two, which the question most likely goes back to; the passages but the best, worst
// first; the rest of the history; the middle of a question that is longer than
// leastQuestion; at the very end the last passage, without which there is hardly an
// answer.
func (d *draft) fit() {
	for !d.fits() && len(d.history) > leastHistory {
		d.dropMessage()
	}
	for !d.fits() && len(d.documents) > leastDocuments {
		d.dropDocument()
	}
	for !d.fits() && len(d.history) > 0 {
		d.dropMessage()
	}
	if !d.fits() {
		d.shortenQuestion()
	}
	for !d.fits() && len(d.documents) > 0 {
		d.dropDocument()
	}
}

// fits reports whether the budget holds for certain. Where that depends on the error of
// the estimate, and the model's vocabulary is known, everything is counted.
func (d *draft) fits() bool {
	budget, c := d.in.Budget, d.in.Counter
	switch {
	case budget <= 0:
		return true
	case d.exact:
		return d.total <= budget
	case c.Most(d.total) <= budget:
		return true
	case c.codec == nil || c.Least(d.total) > budget:
		return false
	}
	d.exact = true
	d.count()
	return d.total <= budget
}

// room is how many tokens the total may have.
func (d *draft) room() int {
	if d.exact {
		return d.in.Budget
	}
	return d.in.Budget * 100 / d.in.Counter.Most(100)
}

func (d *draft) dropMessage() {
	n := d.history[0].tokens
	d.history = d.history[1:]
	d.cut.history += n
	d.total -= n
}

func (d *draft) dropDocument() {
	last := len(d.documents) - 1
	n := d.documents[last].tokens
	d.documents = d.documents[:last]
	d.cut.documents += n
	d.total -= n
}

// shortenQuestion keeps the head and the tail of a question that is too long: people say
// first or last what they want, and paste in between.
func (d *draft) shortenQuestion() {
	q := &d.question
	room := max(leastQuestion, d.room()-(d.total-q.tokens))
	if q.tokens <= room {
		return
	}
	whole := q.tokens
	runes := utf8.RuneCountInString(q.text)
	for keep := runes * room / whole; ; keep = keep * 9 / 10 {
		text := withoutMiddle(q.text, runes, keep)
		if n := d.tokens(text); n <= room || keep == 0 {
			q.text, q.tokens = text, n
			break
		}
	}
	d.cut.question = whole - q.tokens
	d.total -= d.cut.question
}

// gap stands where the middle of a question was.
const gap = "\n(The middle of this message was left out.)\n"

// withoutMiddle keeps so many of the code points of text: two thirds at the head, the
// rest at the tail.
func withoutMiddle(text string, runes, keep int) string {
	head := keep * 2 / 3
	from, to, n := len(text), len(text), 0
	for i := range text {
		if n == head {
			from = i
		}
		if n == runes-(keep-head) {
			to = i
		}
		n++
	}
	return strings.TrimSpace(text[:from]) + gap + strings.TrimSpace(text[to:])
}

// count counts all pieces, exactly or not.
func (d *draft) count() {
	d.instructions.tokens = d.tokens(d.instructions.text) + framing
	d.question.tokens = d.tokens(d.question.text)
	d.around = d.tokens(duty(d.in, len(d.documents))) + framing + fencing
	d.total = d.instructions.tokens + d.question.tokens + d.around
	for _, pieces := range [][]piece{d.history, d.documents} {
		for i := range pieces {
			p := &pieces[i]
			p.tokens = d.tokens(p.text) + framing
			if p.head != "" {
				p.tokens += d.tokens(p.head)
			}
			d.total += p.tokens
		}
	}
}

func (d *draft) tokens(text string) int {
	if d.exact {
		if n, ok := d.in.Counter.Exact(text); ok {
			return n
		}
		return d.in.Counter.Most(d.in.Counter.Estimate(text))
	}
	return d.in.Counter.Estimate(text)
}

// parts returns what the prompt consists of, for the record.
func (d *draft) parts() []chat.Part {
	parts := []chat.Part{
		{Name: "instructions", Tokens: d.instructions.tokens},
		{Name: "history", Cut: d.cut.history},
		{Name: "documents", Cut: d.cut.documents},
		{Name: "question", Tokens: d.question.tokens + d.around, Cut: d.cut.question},
	}
	for _, p := range d.history {
		parts[1].Tokens += p.tokens
	}
	for _, p := range d.documents {
		parts[2].Tokens += p.tokens
	}
	return parts
}
