package openai

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// decoder reads one reply, streamed or whole. What arrives after the model is done
// (usage, and with some even text) comes before the Finish.
type decoder struct {
	body   io.ReadCloser
	events *wire.Events
	whole  *bufio.Reader // of a reply that is not streamed; nil: it is
	done   bool          // nothing more is read
	late   *time.Timer   // runs once the model is done

	said    bool // text was yielded
	refusal []byte
	calls   calls
	finish  llm.Finish // "": the model is not done
	usage   *chat.Usage
	made    []llm.Call // whole, not yet yielded
}

const (
	// maxLate is how long usage and the end of the body may take once the model is done.
	maxLate = 2 * time.Second
	// maxHeld bounds what is kept of a reply until its end.
	maxHeld = wire.MaxEvent
)

var (
	errNotJSON = errors.New("it sent something that is not JSON")
	errHeld    = errors.New("it sent more calls, or a longer refusal, than any reply needs")
)

// errorEvent is an error that came inside a reply.
type errorEvent struct {
	status int // as the vendor says, or 0
	body   []byte
}

func (*errorEvent) Error() string { return "the reply ended with an error" }

// newDecoder reads a body. turn tells one reply of a conversation from the others.
func newDecoder(body io.ReadCloser, turn int) *decoder {
	r := bufio.NewReaderSize(body, 4<<10)
	d := &decoder{body: body, calls: calls{turn: turn}}
	if first := peek(r); first == '{' || first == '[' {
		d.whole = r
	} else {
		d.events = wire.NewEvents(r)
	}
	return d
}

// peek returns the first byte that is not a blank, or 0. Not every server that answers
// with one JSON object says so, and not every one that says so does it.
func peek(r *bufio.Reader) byte {
	for {
		b, err := r.Peek(1)
		if err != nil {
			return 0
		}
		if b[0] > ' ' {
			return b[0]
		}
		r.Discard(1) //nolint:errcheck // it was just seen
	}
}

// stop ends what the decoder started.
func (d *decoder) stop() {
	if d.late != nil {
		d.late.Stop()
	}
}

// next returns the next chunk. After the one with the Finish, and after an error, it must
// not be called again.
func (d *decoder) next() (llm.Chunk, error) {
	for !d.done {
		chunk, err := d.read()
		switch {
		case err == nil && (chunk.Text != "" || chunk.Thinking != ""):
			d.said = d.said || chunk.Text != ""
			return chunk, nil
		case err == nil:
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			err = llm.ErrTruncated
		}
		if d.finish == "" {
			return llm.Chunk{}, err
		}
		d.done = true // whatever was still to come, the reply is whole
	}
	return d.end()
}

// read returns what the next event says, perhaps nothing, and io.EOF at the end.
func (d *decoder) read() (llm.Chunk, error) {
	data, err := d.event()
	if err != nil {
		return llm.Chunk{}, err
	}
	v, ok := wire.Parse(data)
	if !ok {
		if _, err := d.event(); err != nil {
			return llm.Chunk{}, err // half an event, because the body was cut off
		}
		return llm.Chunk{}, errNotJSON
	}
	return d.object(v)
}

func (d *decoder) event() ([]byte, error) {
	if d.whole != nil {
		data, err := io.ReadAll(io.LimitReader(d.whole, wire.MaxEvent))
		if err == nil && len(data) == 0 {
			err = io.EOF
		}
		return data, err
	}
	for {
		_, data, err := d.events.Next()
		if err != nil {
			return nil, err
		}
		if data = bytes.TrimSpace(data); string(data) == "[DONE]" {
			return nil, io.EOF
		}
		if len(data) > 0 {
			return data, nil
		}
	}
}

// object reads one event, or a reply in one piece.
func (d *decoder) object(v wire.Value) (chunk llm.Chunk, err error) {
	var failure wire.Value
	for first := range v.Elements() {
		v = first // so Google wraps its errors
		break
	}
	for key, m := range v.Members() {
		switch string(key) {
		case "id":
			d.calls.reply = append(d.calls.reply[:0], m...)
		case "choices":
			for c := range m.Elements() {
				if err := d.choice(c, &chunk); err != nil {
					return chunk, err
				}
			}
		case "usage":
			d.count(m)
		case "x_groq":
			d.count(m.Get("usage"))
		case "error":
			if m.IsObject() || m.IsString() && len(m) > len(`""`) {
				failure = v
			}
		case "object":
			if m.Is("error") {
				failure = v
			}
		}
	}
	if failure != nil {
		return chunk, &errorEvent{status: statusOf(failure), body: failure.Raw()}
	}
	if d.finish != "" && d.usage != nil && d.usage.Input+d.usage.Output > 0 {
		d.done = true
	}
	return chunk, nil
}

// choice reads one of the replies that were asked for: there is one, index 0.
func (d *decoder) choice(c wire.Value, chunk *llm.Chunk) error {
	var delta, message, logprobs, reason wire.Value
	for key, m := range c.Members() {
		switch string(key) {
		case "index":
			if m.Int() != 0 {
				return nil
			}
		case "delta":
			delta = m
		case "message":
			message = m
		case "logprobs":
			logprobs = m
		case "finish_reason":
			reason = m
		}
	}
	if delta.Missing() && !d.said && len(d.calls.all) == 0 {
		delta = message // the reply is in one piece; some also repeat the whole behind a stream
	}
	if err := d.delta(delta, chunk); err != nil {
		return err
	}
	if chunk.Text != "" && !logprobs.Missing() {
		for token := range logprobs.Get("content").Elements() {
			chunk.Logprobs = append(chunk.Logprobs, logprob(token.Get("logprob")))
		}
	}
	if f := finishOf(reason.Text()); f != "" {
		d.finish = f
	} else if d.whole != nil && reason.Missing() && !message.Missing() {
		d.finish = llm.Stop
	}
	if d.finish != "" && d.late == nil {
		d.late = time.AfterFunc(maxLate, func() { d.body.Close() })
	}
	return nil
}

// logprob bounds what could not be written as JSON again.
func logprob(v wire.Value) float32 { return float32(math.Min(0, math.Max(-1e4, v.Float()))) }

func (d *decoder) delta(delta wire.Value, chunk *llm.Chunk) error {
	var reasoning, thinking wire.Value
	for key, m := range delta.Members() {
		switch string(key) {
		case "content":
			d.content(m, chunk)
		case "refusal":
			d.refusal = append(d.refusal, m.Text()...)
		case "reasoning_content":
			reasoning = m
		case "reasoning":
			thinking = m
		case "tool_calls":
			for c := range m.Elements() {
				d.calls.add(c)
			}
		}
	}
	if len(reasoning) <= len(`""`) || !reasoning.IsString() {
		reasoning = thinking // of those who send both, they are the same
	}
	chunk.Thinking += reasoning.Text()
	if d.calls.held+len(d.refusal) > maxHeld {
		return errHeld
	}
	return nil
}

// content reads text, or parts of several types.
func (d *decoder) content(m wire.Value, chunk *llm.Chunk) {
	if m.IsString() {
		chunk.Text += m.Text()
		return
	}
	for part := range m.Elements() {
		chunk.Text += part.Get("text").Text()
		d.refusal = append(d.refusal, part.Get("refusal").Text()...)
		thinking := part.Get("thinking")
		chunk.Thinking += thinking.Text()
		for t := range thinking.Elements() {
			chunk.Thinking += t.Get("text").Text()
		}
	}
}

// finishOf returns why the model is done, or "" where it is not, or was stopped.
func finishOf(reason string) llm.Finish {
	switch reason {
	case "", "error", "abort", "insufficient_system_resource":
		return ""
	case "length", "max_tokens", "model_length":
		return llm.Length
	case "tool_calls", "function_call":
		return llm.Calls
	case "content_filter":
		return llm.Filtered
	}
	return llm.Stop
}

// count reads usage. Some leave the model's thinking out of its completion, but not out
// of the total.
func (d *decoder) count(v wire.Value) {
	if !v.IsObject() {
		return
	}
	in := max(0, v.Get("prompt_tokens").Int())
	details := v.Get("prompt_tokens_details")
	d.usage = &chat.Usage{
		Input:   in,
		Output:  max(0, v.Get("completion_tokens").Int(), v.Get("total_tokens").Int()-in),
		Cached:  min(in, max(0, details.Get("cached_tokens").Int(), v.Get("prompt_cache_hit_tokens").Int())),
		Written: min(in, max(0, details.Get("cache_write_tokens").Int())),
	}
}

// end returns the calls, one by one, and then the Finish.
func (d *decoder) end() (llm.Chunk, error) {
	if d.made == nil {
		if err := d.conclude(); err != nil {
			return llm.Chunk{}, err
		}
	}
	if len(d.made) > 0 {
		call := d.made[0]
		d.made = d.made[1:]
		return llm.Chunk{Call: &call}, nil
	}
	return llm.Chunk{Finish: d.finish, Usage: d.usage, Declined: string(d.refusal)}, nil
}

// conclude settles why the reply ended: not everybody has a word for a refusal, or says
// that there are calls. Of a reply that was cut off, no call is made.
func (d *decoder) conclude() (err error) {
	switch {
	case d.finish == llm.Filtered:
	case len(d.refusal) > 0:
		d.finish = llm.Refusal
	case d.finish == llm.Length:
	case len(d.calls.all) > 0:
		d.finish = llm.Calls
		d.made, err = d.calls.whole()
	default:
		d.finish = llm.Stop
	}
	return err
}
