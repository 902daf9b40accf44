// Package guard decides what may pass between a model and a customer.
//
// A check looks at a text and returns a verdict. The [Gate] is the writer that the
// model's reply goes through: it lets text out in whole units, asks the checks about
// each before it is shown, and turns the marks of the model into citations of the very
// words that support a sentence. What has been shown never ends with the beginning of a
// forbidden phrase, so that no phrase can be completed before a customer's eyes.
// Start with [Gate.Write].
package guard

import (
	"context"
	"fmt"

	"github.com/answerable/answerable/internal/chat"
)

// Guard is a check on a text. It only reads t. Its caller bounds the time, recovers a
// panic and decides what a failure means.
type Guard interface {
	Name() string
	Check(ctx context.Context, t *chat.Turn, text chat.Text) (chat.Verdict, error)
}

// Output is a Guard that can judge a reply while it is written. With a Hold in code
// points, Check is called on any stretch of text that long or longer; with Sentence, on
// whole sentences.
type Output interface {
	Guard
	Hold() Hold
}

// Hold is how much text a check must see at once, in code points, or Sentence.
type Hold int

// Sentence is the Hold of a check that judges whole sentences.
const Sentence Hold = -1

// Open is an Output whose failure lets the text pass, with a Flag on the record. The
// failure of any other check withholds the text.
type Open struct{ Output }

// run asks one check about text. A failure becomes a verdict; the error is only the end
// of ctx.
func run(ctx context.Context, c Output, t *chat.Turn, text string) (chat.Verdict, error) {
	v, err := try(ctx, c, t, text)
	if err != nil {
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		v = chat.Verdict{Action: chat.Block, Reason: "the check failed: " + err.Error()}
		if _, ok := c.(Open); ok {
			v.Action = chat.Flag
		}
	}
	v.Check = c.Name()
	return v, nil
}

func try(ctx context.Context, c Output, t *chat.Turn, text string) (v chat.Verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	v, err = c.Check(ctx, t, chat.Text(text))
	switch v.Action {
	case chat.Allow, chat.Flag, chat.Redact, chat.Block:
	default:
		if err == nil {
			err = fmt.Errorf("unknown action %q", v.Action)
		}
	}
	return v, err
}
