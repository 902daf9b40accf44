// Package prompt makes what a model is told: who it is, what it may say, what was said
// before, and the documents and the question of the turn. It is pure: the same input
// gives the same bytes.
//
// What changes least comes first, so that providers find the beginning in their caches:
// the instructions, which are an assistant's own; the history, which only grows; the turn.
// What strangers wrote stands between markers that have the key of the turn, which none
// of them can know. Where there is not enough room, what matters least is left out, and
// counted (fit.go). Start with Build.
package prompt

import (
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// Input is what a prompt is made of.
type Input struct {
	Company string // whose customers are helped
	Name    string // of the assistant, or ""
	Persona string // how it speaks, or ""
	// Languages are those that it answers in, the first where the customer's is not among
	// them; none: any.
	Languages []string
	// Tell and Instructions are what else the company lays down. They may not override our
	// rules.
	Tell         []string
	Instructions string
	// Canary is a word of letters and digits that nobody can guess, always the same for an
	// assistant: text that has it gives the instructions away, see CanaryPhrases.
	Canary string
	// Nonce is the key of this turn: at least 16 letters and digits that nobody can guess.
	Nonce string

	Language string         // of the question, "en", or "" if unknown
	History  []chat.Message // earlier messages, oldest first
	Question chat.Text      // what is to be answered
	Files    []chat.File    // that came with the question
	Passages []chat.Passage // the grounds, best first
	Blind    bool           // the documents could not be searched
	HandOff  bool           // somebody can take over
	Handover string         // the line that asks for them; "": ours in the language
	Quiet    bool           // see llm.Request

	Budget  int // tokens of all this, without the reply; 0: as many as it takes
	Reply   int // tokens of the reply, for llm.Request.MaxTokens
	Counter Counter
}

// Build returns what the model is told, and its parts for the record: "instructions",
// "history", "documents" and "question". It keeps within the budget unless the
// instructions and the least of the question alone are longer. A Nonce that is too short
// is a programmer's error.
//
// The request has the whole history and all passages in its fields, also those that the
// prompt has no room for: who reads the fields has no such limit.
func Build(in Input) (llm.Request, []chat.Part) {
	if len(in.Nonce) < 16 {
		panic("prompt: a turn without a key, so that its documents could fake the markers")
	}
	d := newDraft(&in)
	d.fit()
	return llm.Request{
		System:    []llm.Block{{Text: d.instructions.text, Cache: true}},
		Messages:  d.messages(),
		MaxTokens: in.Reply,
		GoOn:      GoOn,
		Shorter: func(tokens int) (llm.Request, []chat.Part, bool) {
			return shorter(in, d.total, tokens)
		},
		History:  in.History,
		Question: in.Question,
		Passages: in.Passages,
		Language: in.Language,
		Handover: in.handover(),
		Quiet:    in.Quiet,
	}, d.parts()
}

// shorter builds a prompt again that had total tokens. A model has found it too long, so
// it must get shorter by more than an error of counting.
func shorter(in Input, total, tokens int) (llm.Request, []chat.Part, bool) {
	in.Budget = max(1, min(tokens, total*7/8))
	req, parts := Build(in)
	n := 0
	for _, p := range parts {
		n += p.Tokens
	}
	return req, parts, n < total
}

// piece is a text of a prompt that is kept or left out as a whole.
type piece struct {
	role   llm.Role // in the history
	head   string   // stands before the text
	text   string
	tokens int
}

// draft is a prompt that is being made.
type draft struct {
	in           *Input
	instructions piece
	history      []piece
	documents    []piece
	question     piece
	around       int // tokens of the markers and of what stands behind the question

	total int  // tokens of everything that is kept
	exact bool // they were counted, not estimated
	cut   struct{ history, documents, question int }
}

// framing is about what vendors put around a message, or we around a document, and
// fencing is what the four markers with a random key of 26 characters take at most.
const (
	framing = 4
	fencing = 4 * 26
)

func newDraft(in *Input) *draft {
	d := &draft{in: in}
	d.instructions.text = instructions(in)
	d.history = make([]piece, 0, len(in.History))
	for _, m := range in.History {
		if p := said(m); p.text != "" {
			d.history = append(d.history, p)
		}
	}
	d.documents = make([]piece, len(in.Passages))
	for i, p := range in.Passages {
		d.documents[i] = d.document(i+1, p)
	}
	d.question.text = d.foreign(string(in.Question) + attached(in.Files))
	d.count()
	return d
}

// said returns a message of the history. What is not the customer's stands on the
// assistant's side, where a customer cannot write.
func said(m chat.Message) piece {
	p := piece{role: llm.Assistant, text: strings.TrimSpace(clean(string(m.Text)) + attached(m.Files))}
	switch m.Role {
	case chat.Customer:
		p.role = llm.User
	case chat.Agent:
		p.head = colleague + "\n"
		if name := line(m.Name); name != "" {
			p.head = colleague + " " + name + ":\n"
		}
	case chat.System:
		p.head = note + " "
	}
	return p
}

// attached names the files that came with a message: models get its words alone, and
// should know when these speak of something that they cannot see.
func attached(files []chat.File) string {
	if len(files) == 0 {
		return ""
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = line(f.Name)
	}
	return "\n[attached, not visible to you: " + strings.Join(names, ", ") + "]"
}

// document returns a passage under its number. Its text cannot begin another one.
func (d *draft) document(n int, p chat.Passage) piece {
	title, heading := line(p.Title), line(p.Heading)
	switch {
	case title == "", strings.HasPrefix(heading, title):
		title = heading
	case heading != "":
		title += " > " + heading
	}
	head := "[" + strconv.Itoa(n) + "] " + title
	if p.Updated != "" {
		head += " (updated " + line(p.Updated) + ")"
	}
	return piece{head: d.withoutKey(head) + "\n", text: withoutNumbers(d.foreign(string(p.Text)))}
}

// foreign returns text as it can stand between markers.
func (d *draft) foreign(text string) string {
	return strings.TrimSpace(d.withoutKey(clean(text)))
}

// withoutKey takes the key out of a text. It cannot be there unless the key became known.
func (d *draft) withoutKey(text string) string {
	return strings.ReplaceAll(text, d.in.Nonce, "(key)")
}

func clean(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// withoutNumbers puts a backslash into lines that begin like a document, "[1] …".
func withoutNumbers(text string) string {
	if !strings.Contains(text, "[") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 16)
	first := true // nothing but blanks stands before, in the line
	for i := range len(text) {
		c := text[i]
		if first && c == '[' && i+1 < len(text) && '0' <= text[i+1] && text[i+1] <= '9' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
		first = c == '\n' || c == '\r' || first && (c == ' ' || c == '\t' || c == '\v' || c == '\f')
	}
	return b.String()
}

// line returns a name as one line, of at most 200 characters.
func line(s string) string {
	if s = clean(s); strings.ContainsAny(s, "\n\r\t\u2028\u2029") {
		s = strings.Join(strings.Fields(s), " ")
	}
	n := 0
	for i := range s {
		if n++; n > 200 {
			return s[:i] + "…"
		}
	}
	return strings.TrimSpace(s)
}

// beginning stands before a history that does not begin with the customer: some vendors
// want it to.
const beginning = "(The conversation begins here.)"

// messages returns the history and the turn, the user's and the assistant's in turn.
func (d *draft) messages() []llm.Message {
	past, open := d.answered()
	out := make([]llm.Message, 0, len(past)+2)
	if len(past) > 0 && past[0].role != llm.User {
		out = append(out, llm.Message{Role: llm.User, Text: beginning})
	}
	for _, p := range past {
		text := p.head + p.text
		if last := len(out) - 1; last >= 0 && out[last].Role == p.role {
			out[last].Text += "\n\n" + text
			continue
		}
		out = append(out, llm.Message{Role: p.role, Text: text})
	}
	if len(out) > 0 {
		out[len(out)-1].Cache = true
	}
	return append(out, llm.Message{Role: llm.User, Text: d.turn(open)})
}

// answered returns the history up to the assistant's last message, and the customer's
// messages behind it, which belong to the user's next one.
func (d *draft) answered() (past, open []piece) {
	n := len(d.history)
	for n > 0 && d.history[n-1].role == llm.User {
		n--
	}
	return d.history[:n], d.history[n:]
}

// turn returns the message of the turn. The key stands in its first line, before anything
// that a stranger wrote.
func (d *draft) turn(open []piece) string {
	var b strings.Builder
	duty := duty(d.in, len(d.documents))
	size := len(d.question.text) + len(duty) + 8*(len(d.in.Nonce)+16)
	for _, p := range d.documents {
		size += len(p.head) + len(p.text) + 2
	}
	b.Grow(size)
	if len(d.documents) > 0 {
		d.marker(&b, "<documents ")
		for i, p := range d.documents {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(p.head)
			b.WriteString(p.text)
			b.WriteByte('\n')
		}
		d.marker(&b, "</documents ")
	}
	d.marker(&b, "<customer ")
	for _, p := range open {
		b.WriteString(d.foreign(p.text))
		b.WriteString("\n\n")
	}
	b.WriteString(d.question.text)
	b.WriteByte('\n')
	d.marker(&b, "</customer ")
	b.WriteString(duty)
	return b.String()
}

// marker writes a line that only we can write.
func (d *draft) marker(b *strings.Builder, kind string) {
	b.WriteString(kind)
	b.WriteString(d.in.Nonce)
	b.WriteString(">\n")
}
