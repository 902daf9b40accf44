package main

import (
	"fmt"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// answer is one turn as it comes, and what ask and chat print of it with --json.
type answer struct {
	Conversation chat.ConversationID `json:"conversation"`
	Turn         chat.TurnID         `json:"turn,omitempty"`    // "": a person answers
	Outcome      chat.Outcome        `json:"outcome,omitempty"` // "" likewise
	Text         chat.Text           `json:"text"`
	Level        chat.Level          `json:"level,omitempty"`
	Citations    []chat.Citation     `json:"citations"`
	Usage        chat.Usage          `json:"usage"`
	Cost         chat.Money          `json:"cost_microusd"`
	Record       *chat.Turn          `json:"record,omitempty"`

	levelReason string
	text        *reply // where it is shown, or nil
}

// newAnswer begins to show an answer, unless with --json.
func (c *cli) newAnswer(id chat.ConversationID) *answer {
	a := &answer{Conversation: id, Citations: []chat.Citation{}}
	if !c.json {
		a.text = &reply{prose: prose{s: c.stdout}}
	}
	return a
}

// take shows an event of the turn and keeps what the end needs.
func (a *answer) take(e chat.Event) error {
	switch e.Kind {
	case chat.KindText:
		b, err := chat.Decode[chat.TextShown](e)
		if err != nil {
			return err
		}
		if a.text != nil {
			a.text.write(clean(b.Text))
		}
	case chat.KindRetract:
		a.Citations = []chat.Citation{}
		if a.text != nil {
			a.text.end()
			fmt.Fprint(a.text.s, "\n(The answer so far is withdrawn; here it is anew.)\n\n")
		}
	case chat.KindCitation:
		b, err := chat.Decode[chat.Cited](e)
		if err != nil {
			return err
		}
		a.Citations = append(a.Citations, b.Citation)
	case chat.KindLevel:
		b, err := chat.Decode[chat.LevelChanged](e)
		if err != nil {
			return err
		}
		a.Level, a.levelReason = b.Level, b.Reason
	case chat.KindTurnEnded:
		b, err := chat.Decode[chat.TurnEnded](e)
		if err != nil {
			return err
		}
		a.Outcome, a.Text, a.Usage, a.Cost = b.Outcome, b.Text, b.Usage, b.Cost
		if a.text != nil {
			a.text.end()
		}
	}
	return nil
}

// remarks tells what a person should know of an answer beside its words.
func (c *cli) remarks(a *answer) {
	switch a.Outcome {
	case chat.Answered:
	case "":
		c.remark("a person has this conversation: the message is with them")
	default:
		c.remark(strings.ReplaceAll(string(a.Outcome), "_", " "))
	}
	if a.Level == chat.Extractive || a.Level == chat.Fallback {
		c.remark("level " + string(a.Level) + ": " + a.levelReason)
	}
}

// remark tells something on stderr that is not part of an answer.
func (c *cli) remark(text string) {
	fmt.Fprintln(c.stderr, c.stderr.paint(dim, "("+chat.Line(text)+")"))
}

// footnotes prints the sources of an answer with the words that support it.
func (c *cli) footnotes(all []chat.Citation) {
	for i, x := range all {
		if i == 0 {
			fmt.Fprintln(c.stdout)
		}
		c.footnote(x)
	}
}

func (c *cli) footnote(x chat.Citation) {
	fmt.Fprintln(c.stdout, c.source(x))
	c.stdout.paragraphs("    ", dim, "“"+strings.Join(strings.Fields(x.Quote), " ")+"”")
}

// source names where a citation comes from: its address, or else the document.
func (c *cli) source(x chat.Citation) string {
	s := c.stdout.paint(accent, fmt.Sprintf("[%d]", x.Mark)) + " " + c.stdout.paint(bold, chat.Line(x.Title))
	if url := chat.Line(x.URL); url != "" && !strings.HasPrefix(url, "/") {
		return s + " <" + url + ">"
	}
	return s + " (" + chat.Line(x.Document) + ")"
}
