package llm

import (
	"sync"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// prompt is a request in one of its lengths.
type prompt struct {
	req   Request
	size  func() int  // its tokens as we count, counted once
	short bool        // it was shortened
	parts []chat.Part // of what was shortened
}

func newPrompt(req Request) prompt {
	return prompt{req: req, size: sync.OnceValue(func() int { return tokens(req) })}
}

// shorten returns the prompt with less in it, so that m has room for it. It is false when
// nothing can be left out.
func (p prompt) shorten(m Model) (prompt, bool) {
	if p.req.Shorter == nil {
		return p, false
	}
	room := m.Window - replyTokens(p.req)
	if room <= 0 || room >= p.size() { // the window is unknown, or our count is off
		room = p.size() / 2
	}
	req, parts, ok := p.req.Shorter(room)
	req.Budget = p.req.Budget // shorter or not, somebody pays
	short := newPrompt(req)
	short.short, short.parts = true, parts
	return short, ok
}

// replyTokens is how long the reply may get.
func replyTokens(req Request) int {
	if req.MaxTokens > 0 {
		return req.MaxTokens
	}
	return 1024
}

// framing is about what vendors put around each message and tool.
const framing = 5

// tokens estimates how long a request is, but for what was Said.
func tokens(req Request) int {
	n := 0
	for _, b := range req.System {
		n += lang.Tokens(b.Text)
	}
	for _, m := range req.Messages {
		n += framing + lang.Tokens(m.Text)
		for _, c := range m.Calls {
			n += framing + lang.Tokens(c.Name) + lang.Tokens(string(c.Arguments))
		}
		for _, r := range m.Results {
			n += framing + lang.Tokens(r.Name) + lang.Tokens(r.Text)
		}
		for _, o := range m.Opaque {
			n += lang.Tokens(string(o))
		}
	}
	for _, t := range req.Tools {
		n += framing + lang.Tokens(t.Name) + lang.Tokens(t.Description) + lang.Tokens(string(t.Parameters))
	}
	if req.Schema != nil {
		n += framing + lang.Tokens(string(req.Schema.Schema))
	}
	return n
}

// worst is the most that so many estimated tokens may turn out to be, see lang.Tokens.
func worst(tokens int, language string) int {
	if language == "th" {
		return (tokens*17 + 9) / 10
	}
	return (tokens*5 + 3) / 4
}
