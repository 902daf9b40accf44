package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
)

func (c *cli) ask() *cobra.Command {
	var assistant, fake, dir string
	cmd := &cobra.Command{
		Use:   "ask QUESTION",
		Short: "Ask one question and print the answer with its sources",
		Long: `Ask one question and print the answer as it comes, with its sources.

A server that runs on the data directory answers; without one, this command does it
itself, from what was ingested last or from the demo shop.`,
		Example: `  answerable ask "How long does delivery take?"
  answerable ask "How long does delivery take?" --json`,
		Args: exactly(1, "one question (in quotes)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			o := app.Options{Config: cfg, Dir: dir, FakeProvider: fake, Version: version, Log: c.quiet(), Progress: c.progress}
			return c.answer(cmd.Context(), o, assistant, chat.Text(args[0]))
		},
	}
	f := cmd.Flags()
	f.StringVar(&assistant, "assistant", "", "which assistant (default: the first)")
	f.StringVar(&dir, "dir", "", "answer from this folder, without a running server")
	f.StringVar(&fake, "fake-provider", "", "answer from a script, without a running server")
	return cmd
}

// asked is what ask prints with --json.
type asked struct {
	Conversation chat.ConversationID `json:"conversation"`
	Turn         chat.TurnID         `json:"turn"`
	Outcome      chat.Outcome        `json:"outcome"`
	Text         chat.Text           `json:"text"`
	Level        chat.Level          `json:"level,omitempty"`
	Citations    []chat.Citation     `json:"citations"`
	Usage        chat.Usage          `json:"usage"`
	Cost         chat.Money          `json:"cost_microusd"`
}

func (c *cli) answer(ctx context.Context, o app.Options, assistant string, question chat.Text) error {
	out := asked{Citations: []chat.Citation{}}
	printed := false
	err := app.Ask(ctx, o, assistant, question, func(id chat.ConversationID, e chat.Event) error {
		out.Conversation, out.Turn = id, e.Turn
		return c.show(&out, e, &printed)
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.print(out)
	}
	fmt.Fprintln(c.stdout)
	for i, x := range out.Citations {
		if i == 0 {
			fmt.Fprintln(c.stdout)
		}
		from := x.Title
		if x.URL != "" && !strings.HasPrefix(x.URL, "/") {
			from += " <" + x.URL + ">"
		} else {
			from += " (" + x.Document + ")"
		}
		fmt.Fprintf(c.stdout, "[%d] %s\n    “%s”\n", x.Mark, from, strings.Join(strings.Fields(x.Quote), " "))
	}
	if out.Outcome != chat.Answered {
		fmt.Fprintf(c.stderr, "(%s)\n", out.Outcome)
	}
	if out.Outcome == chat.Failed || out.Outcome == chat.Interrupted {
		return fmt.Errorf("the turn ended as %s", out.Outcome)
	}
	return nil
}

// show prints an event of the answer and keeps what the end needs.
func (c *cli) show(out *asked, e chat.Event, printed *bool) error {
	switch e.Kind {
	case chat.KindText:
		b, err := chat.Decode[chat.TextShown](e)
		if err != nil {
			return err
		}
		if !c.json {
			fmt.Fprint(c.stdout, b.Text)
			*printed = true
		}
	case chat.KindRetract:
		out.Citations = []chat.Citation{}
		if *printed {
			fmt.Fprint(c.stdout, "\n\n(The answer so far is withdrawn; here it is anew.)\n\n")
		}
	case chat.KindCitation:
		b, err := chat.Decode[chat.Cited](e)
		if err != nil {
			return err
		}
		out.Citations = append(out.Citations, b.Citation)
	case chat.KindLevel:
		b, err := chat.Decode[chat.LevelChanged](e)
		if err != nil {
			return err
		}
		out.Level = b.Level
	case chat.KindTurnEnded:
		b, err := chat.Decode[chat.TurnEnded](e)
		if err != nil {
			return err
		}
		out.Outcome, out.Text, out.Usage, out.Cost = b.Outcome, b.Text, b.Usage, b.Cost
	}
	return nil
}
