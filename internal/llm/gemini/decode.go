package gemini

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// errLeft: who reads the stream has left the loop.
var errLeft = errors.New("the reader has left")

// decoder turns the pieces of one reply into chunks.
type decoder struct {
	yield    func(llm.Chunk, error) bool
	endpoint *wire.Endpoint
	hangUp   func() // ends the reading of the stream

	counts  counts
	told    bool     // the usage was yielded
	open    *pending // a call whose arguments are still coming
	called  bool
	reason  string // why the reply ended, "" before that
	message string // of the vendor about it
	blocked bool   // the prompt was
}

// counts are tokens as the API counts them. They are totals so far.
type counts struct{ prompt, tools, cached, candidates, thoughts int }

// usage returns what is known, or nil if nothing is.
func (c counts) usage() *chat.Usage {
	if c == (counts{}) {
		return nil
	}
	return &chat.Usage{Input: c.prompt + c.tools, Output: c.candidates + c.thoughts, Cached: c.cached}
}

// events reads a stream up to its end and yields its chunks, the one with the Finish last.
func (d *decoder) events(ctx context.Context, body io.Reader) error {
	in := wire.NewEvents(body)
	var late *time.Timer
	for {
		_, data, err := in.Next()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return d.cut(err)
		}
		v, ok := wire.Parse(data)
		if !ok {
			if string(data) == "[DONE]" { // of some gateways
				continue
			}
			if _, _, err := in.Next(); err != nil {
				return d.cut(err)
			}
			return d.fail(llm.Later, "a piece of the reply is not JSON")
		}
		if err := d.piece(v); err != nil {
			return err
		}
		if d.reason != "" && late == nil {
			// Nothing but the end of the body says that no more comes, and the usage may
			// come behind the reason. A server that does not end is not waited for.
			late = time.AfterFunc(20*time.Millisecond, d.hangUp)
			defer late.Stop()
		}
	}
}

// cut ends a stream that has no more pieces: well if the reply had said why it ends.
func (d *decoder) cut(err error) error {
	if d.reason != "" {
		return d.end()
	}
	return err
}

func (d *decoder) fail(f llm.Fault, format string, args ...any) error {
	return &llm.Error{Provider: d.endpoint.Provider, Fault: f, Err: fmt.Errorf(format, args...)}
}

// array takes an answer that came whole: all pieces of a stream, or one.
func (d *decoder) array(v wire.Value) error {
	if v.IsObject() {
		if err := d.piece(v); err != nil {
			return err
		}
	}
	for e := range v.Elements() {
		if err := d.piece(e); err != nil {
			return err
		}
	}
	return d.cut(io.ErrUnexpectedEOF)
}

// piece takes a GenerateContentResponse, or an error in its place.
func (d *decoder) piece(v wire.Value) error {
	var candidates, feedback wire.Value
	for key, m := range v.Members() {
		switch string(key) {
		case "candidates":
			candidates = m
		case "usageMetadata":
			d.count(m)
		case "promptFeedback":
			feedback = m
		case "error":
			return d.endpoint.Refused(m.Get("code").Int(), nil, v)
		}
	}
	if !d.told && d.counts.prompt > 0 {
		d.told = true
		if err := d.send(llm.Chunk{Usage: d.counts.usage()}); err != nil {
			return err
		}
	}
	for c := range candidates.Elements() {
		if c.Get("index").Int() != 0 {
			continue // we asked for one
		}
		if err := d.candidate(c); err != nil {
			return err
		}
	}
	if reason := feedback.Get("blockReason").Text(); reason != "" {
		d.reason, d.message, d.blocked = reason, feedback.Get("blockReasonMessage").Text(), true
	}
	return nil
}

// count takes a usage. What is missing in it has not changed.
func (d *decoder) count(usage wire.Value) {
	for key, v := range usage.Members() {
		if v.Missing() {
			continue
		}
		n := min(max(v.Int(), 0), 1<<40)
		switch string(key) {
		case "promptTokenCount":
			d.counts.prompt = n
		case "toolUsePromptTokenCount":
			d.counts.tools = n
		case "cachedContentTokenCount":
			d.counts.cached = n
		case "candidatesTokenCount":
			d.counts.candidates = n
		case "thoughtsTokenCount":
			d.counts.thoughts = n
		}
	}
}

func (d *decoder) candidate(c wire.Value) error {
	var content, logprobs wire.Value
	for key, m := range c.Members() {
		switch string(key) {
		case "content":
			content = m
		case "logprobsResult":
			logprobs = m
		case "finishReason":
			if reason := m.Text(); reason != "" && reason != "FINISH_REASON_UNSPECIFIED" {
				d.reason = reason
			}
		case "finishMessage":
			d.message = m.Text()
		}
	}
	probs := readLogprobs(logprobs)
	for p := range content.Get("parts").Elements() {
		if err := d.part(p, &probs); err != nil {
			return err
		}
	}
	if len(probs) > 0 {
		return d.send(llm.Chunk{Logprobs: probs}) // of text that came before
	}
	return nil
}

func readLogprobs(v wire.Value) (probs []float32) {
	for t := range v.Get("chosenCandidates").Elements() {
		p := t.Get("logProbability").Float()
		probs = append(probs, float32(min(max(p, -1000), 0))) // infinity is not JSON
	}
	return probs
}

// part takes a part of the reply. The first one with text takes the logprobs.
func (d *decoder) part(p wire.Value, probs *[]float32) error {
	var text, call, signature, thought wire.Value
	for key, m := range p.Members() {
		switch string(key) {
		case "text":
			text = m
		case "functionCall":
			call = m
		case "thoughtSignature":
			signature = m
		case "thought":
			thought = m
		}
	}
	if call.IsObject() {
		return d.call(call, signature.Text())
	}
	s := text.Text()
	switch {
	case s == "":
		return nil // also what the vendor's own tools do
	case thought.True():
		return d.send(llm.Chunk{Thinking: s})
	}
	chunk := llm.Chunk{Text: s, Logprobs: *probs}
	*probs = nil
	return d.send(chunk)
}

// call takes a call. Most come whole. Where arguments are streamed, the name comes
// first, then pieces of arguments; the last piece does not say that it will continue.
func (d *decoder) call(v wire.Value, signature string) error {
	name := v.Get("name").Text()
	if name != "" {
		if err := d.settle(); err != nil { // the one before had no last piece
			return err
		}
		d.open = &pending{name: name, id: v.Get("id").Text(), args: v.Get("args").Raw()}
	}
	if d.open == nil {
		return nil
	}
	if signature != "" {
		d.open.signature = signature
	}
	for a := range v.Get("partialArgs").Elements() {
		if err := d.open.add(a); err != nil {
			return d.badCall(d.open, err)
		}
	}
	if v.Get("willContinue").True() {
		return nil
	}
	return d.settle()
}

// settle yields the call that was open. Older models give calls no IDs; a result needs one.
func (d *decoder) settle() error {
	c := d.open
	if d.open = nil; c == nil {
		return nil
	}
	args, err := c.arguments()
	if err != nil {
		return d.badCall(c, err)
	}
	if c.id == "" {
		c.id = "call_" + rand.Text()
	}
	d.called = true
	return d.send(llm.Chunk{Call: &llm.Call{ID: c.id, Name: c.name, Arguments: args, Signature: c.signature}})
}

// badCall: the model may do better in a moment, unless it does not end.
func (d *decoder) badCall(c *pending, err error) error {
	fault := llm.Later
	if errors.Is(err, errMuch) {
		fault = llm.Elsewhere
	}
	return d.fail(fault, "the arguments of a call of %q: %w", d.endpoint.Quote(c.name), err)
}

func (d *decoder) send(c llm.Chunk) error {
	if !d.yield(c, nil) {
		return errLeft
	}
	return nil
}

// end yields the Finish that the reason stands for.
func (d *decoder) end() error {
	done := llm.Chunk{Finish: llm.Filtered, Usage: d.counts.usage()}
	switch {
	case d.blocked:
		done.Declined = d.words()
	case d.reason == "STOP":
		if err := d.settle(); err != nil {
			return err
		}
		if done.Finish = llm.Stop; d.called {
			done.Finish = llm.Calls
		}
	case d.reason == "MAX_TOKENS":
		done.Finish = llm.Length
	case d.reason == "MALFORMED_FUNCTION_CALL", d.reason == "UNEXPECTED_TOOL_CALL":
		return d.fail(llm.Later, "the model made a call that cannot be read: %s", d.words())
	case d.reason == "TOO_MANY_TOOL_CALLS", d.reason == "MISSING_THOUGHT_SIGNATURE":
		return d.fail(llm.Elsewhere, "the model gave up: %s", d.words())
	default: // SAFETY, RECITATION, LANGUAGE, BLOCKLIST, PROHIBITED_CONTENT, SPII, OTHER and what is to come
		done.Declined = d.words()
	}
	d.send(done) // it is the last, whether the reader stays or not
	return nil
}

// words returns what the vendor says about the end of the reply.
func (d *decoder) words() string {
	if d.message == "" {
		return d.endpoint.Quote(d.reason)
	}
	return d.endpoint.Quote(d.reason + ": " + d.message)
}

// errNoObject: arguments have to be an object.
var errNoObject = errors.New("they are not a JSON object")

// object returns whole arguments; none are {}.
func object(raw json.RawMessage) (json.RawMessage, error) {
	switch v := wire.Value(raw); {
	case v.Missing():
		return json.RawMessage("{}"), nil
	case !v.IsObject():
		return nil, errNoObject
	}
	return raw, nil
}
