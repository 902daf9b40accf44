package llmtest

import (
	"context"
	"encoding/json"
	"iter"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/llm"
)

// Name is the provider's name in plans and records.
const Name = "scripted"

// Provider returns a provider that gives the script's answers, with a count of calls of
// its own. It may be used by many goroutines.
func (s *Script) Provider() llm.Provider { return &provider{player{script: s}} }

type provider struct{ player player }

func (*provider) Name() string { return Name }

// Stream takes the next answer at once and carries it out in the loop. When ctx ends, it
// yields the context's error.
func (p *provider) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	a, n := p.player.next(string(req.Question))
	return func(yield func(llm.Chunk, error) bool) {
		a.play(ctx, ofRequest(req), n, func(p piece) bool {
			switch p.kind {
			case said:
				return yield(llm.Chunk{Text: p.text}, nil)
			case thought:
				return yield(llm.Chunk{Thinking: p.text}, nil)
			case called:
				return yield(llm.Chunk{Call: p.call.whole()}, nil)
			case ended:
				usage := p.usage
				yield(llm.Chunk{Finish: p.end.finish, Declined: p.end.declined, Usage: &usage}, nil)
			case failed:
				if err := p.fault.err; p.fault.kind != cut {
					yield(llm.Chunk{}, &err)
				}
			case left:
				yield(llm.Chunk{}, p.err)
			}
			return p.kind == begun
		})
	}
}

func (c toolCall) whole() *llm.Call {
	arguments := c.arguments
	if arguments == "" {
		arguments = "{}"
	}
	return &llm.Call{ID: c.id, Name: c.name, Arguments: json.RawMessage(arguments)}
}

// ofRequest returns what an answer is made from, in process.
func ofRequest(req llm.Request) asked {
	return asked{
		question: string(req.Question),
		passage: func(n int) (string, bool) {
			if n > len(req.Passages) {
				return "", false
			}
			return firstSentence(string(req.Passages[n-1].Text)), true
		},
		tokens: estimate(req),
	}
}

// estimate returns about how many tokens a request has.
func estimate(req llm.Request) int {
	n := points(req.Question) + points(req.Said)
	for _, b := range req.System {
		n += utf8.RuneCountInString(b.Text)
	}
	for _, m := range req.History {
		n += points(m.Text)
	}
	for _, p := range req.Passages {
		n += points(p.Text)
	}
	return tokens(n)
}
