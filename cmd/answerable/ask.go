package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
)

// talk is with whom a person on a terminal talks.
type talk struct {
	assistant, conversation string
	dir, fake               string
	test                    bool
}

func (t *talk) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.assistant, "assistant", "", "ask the assistant `NAME` (default: the first)")
	f.StringVar(&t.conversation, "conversation", "", "go on with the conversation `ID`, or the last")
	f.StringVar(&t.dir, "dir", "", "answer from the folder `DIR`, without a running server")
	f.StringVar(&t.fake, "fake-provider", "", "answer from the script `FILE`, without a running server")
	f.BoolVar(&t.test, "test", false, "mark a new conversation as a test: it counts in no statistics")
}

// open connects, and finds or begins the conversation.
func (c *cli) open(ctx context.Context, t talk) (_ *app.Client, _ app.Standing, err error) {
	var s app.Standing
	cfg, err := c.load()
	if err != nil {
		return nil, s, err
	}
	id := chat.ConversationID(t.conversation)
	if id == "last" {
		if id, err = app.LastConversation(cfg.Data); err != nil {
			return nil, s, err
		}
	}
	if id != "" && (t.assistant != "" || t.test) {
		return nil, s, usageError{errors.New("--assistant and --test are about a new conversation: leave out either them or --conversation")}
	}
	client, err := app.Connect(ctx, app.Options{Config: cfg, Dir: t.dir, FakeProvider: t.fake, Resume: id != "",
		Version: version, Log: c.quiet(), Progress: c.progress})
	if err != nil {
		return nil, s, err
	}
	if id == "" {
		id, err = client.Start(ctx, t.assistant, t.test)
	}
	if err == nil {
		s, err = client.Conversation(ctx, id)
	}
	if err == nil {
		err = client.Remember(id)
	}
	if err != nil {
		return nil, s, errors.Join(err, client.Close())
	}
	return client, s, nil
}

func (c *cli) ask() *cobra.Command {
	var with talk
	var verbose bool
	cmd := &cobra.Command{
		Use:   "ask QUESTION",
		Short: "Ask one question and print the answer with its sources",
		Long: `Ask one question and print the answer as it comes, with its sources.

A server that runs on the data directory answers; without one, this command does it
itself, from what was ingested last or from the demo shop. ^C stops the answer.

The trace of --verbose says how the answer came about: what was searched and found,
which model was asked and why, what it cost, and what was withheld.`,
		Example: `  answerable ask "How long does delivery take?"
  answerable ask "And to Ireland?" --conversation last
  answerable ask "How long does delivery take?" --verbose
  answerable ask "How long does delivery take?" --json`,
		Args: exactly(1, "one question (in quotes)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, s, err := c.open(cmd.Context(), with)
			if err != nil {
				return err
			}
			a, err := c.question(cmd.Context(), client, s, chat.Text(args[0]))
			if err == nil && verbose && a.Turn != "" {
				a.Record = new(chat.Turn)
				*a.Record, err = client.Record(context.WithoutCancel(cmd.Context()), a.Turn)
			}
			if err = errors.Join(err, client.Close()); err != nil {
				return err
			}
			return c.tell(a)
		},
	}
	with.flags(cmd)
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show the trace of the answer")
	return cmd
}

// stopWithin is how long the end of an answer is waited for that was stopped.
const stopWithin = 5 * time.Second

// question asks and shows the answer. When ctx ends, the answer is stopped.
func (c *cli) question(ctx context.Context, client *app.Client, s app.Standing, text chat.Text) (*answer, error) {
	a := c.newAnswer(s.ID)
	sent, err := client.Send(ctx, s.ID, text)
	if err != nil {
		return nil, err
	}
	if a.Turn = sent.Turn; a.Turn == "" {
		return a, nil
	}
	reading, enough := context.WithCancel(context.WithoutCancel(ctx))
	defer enough()
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(reading, stopWithin)
		defer cancel()
		if _, err := client.Act(limit, s.ID, "stop", nil); err == nil {
			<-limit.Done() // the reader ends first, or it gets nothing
		}
		enough()
	})
	defer stop()
	for e, err := range client.Events(reading, s.ID, s.Seq) {
		if reading.Err() != nil {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.Turn != a.Turn {
			continue
		}
		if err := a.take(e); err != nil {
			return nil, err
		}
		if e.Kind == chat.KindTurnEnded {
			return a, nil
		}
	}
	return nil, errors.New("stopped: the server did not confirm it")
}

// tell prints what comes behind the words of an answer. A turn that failed is an error.
func (c *cli) tell(a *answer) error {
	if c.json {
		if err := c.print(a); err != nil {
			return err
		}
	} else {
		c.footnotes(a.Citations)
		c.remarks(a)
		if a.Record != nil {
			c.trace(c.stderr, *a.Record)
		}
	}
	switch a.Outcome {
	case chat.Failed, chat.Interrupted, chat.Stopped:
		return fmt.Errorf("the turn ended as %s", a.Outcome)
	}
	return nil
}
