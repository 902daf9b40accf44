package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// errLeft: who reads the stream has left the loop.
var errLeft = errors.New("the reader has left")

// decoder turns the events of one reply into chunks.
type decoder struct {
	yield    func(llm.Chunk, error) bool
	endpoint *wire.Endpoint
	tools    bool // the request had some: thoughts go back with the results

	begun  bool   // the head of the message came
	id     string // of the message
	counts counts
	open   []block // that began and did not end
	last   *block  // a call that ended, which may yet turn out to be cut off
	held   int     // bytes in blocks so far
	spoke  bool    // there was text or a call
	called bool
	reason string // why the reply ended, "" before that
	words  string // of the vendor about a refusal
}

// counts are tokens as the API counts them.
type counts struct{ input, read, written, output int }

// usage returns what is known, or nil if nothing is.
func (c counts) usage() *chat.Usage {
	if c == (counts{}) {
		return nil
	}
	return &chat.Usage{Input: c.input + c.read + c.written, Output: c.output, Cached: c.read, Written: c.written}
}

// event is the members of an event that are read.
type event struct {
	kind, index, message, block, delta, usage, whole wire.Value
	failed                                           bool
}

func parse(v wire.Value) event {
	e := event{whole: v}
	for key, m := range v.Members() {
		switch string(key) {
		case "type":
			e.kind = m
		case "index":
			e.index = m
		case "message":
			e.message = m
		case "content_block":
			e.block = m
		case "delta":
			e.delta = m
		case "usage":
			e.usage = m
		case "error":
			e.failed = m.IsObject()
		}
	}
	return e
}

// events reads a stream up to its end and yields its chunks, the one with the Finish last.
func (d *decoder) events(ctx context.Context, body io.Reader) error {
	in := wire.NewEvents(body)
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
			return d.fail(llm.Later, errors.New("an event is not JSON"))
		}
		if end, err := d.event(parse(v)); end || err != nil {
			return err
		}
	}
}

// cut ends a stream that has no more events: well if the reply had said why it ends.
func (d *decoder) cut(err error) error {
	if d.reason != "" {
		return d.end()
	}
	return err
}

func (d *decoder) fail(f llm.Fault, err error) error {
	return &llm.Error{Provider: d.endpoint.Provider, Fault: f, Err: err}
}

// event takes an event and reports whether it was the last.
func (d *decoder) event(e event) (end bool, err error) {
	switch string(e.kind) {
	case `"content_block_delta"`:
		return false, d.delta(e.index.Int(), e.delta)
	case `"message_start"`:
		return false, d.start(e.message)
	case `"content_block_start"`:
		return false, d.blockStart(e.index.Int(), e.block)
	case `"content_block_stop"`:
		return false, d.blockStop(e.index.Int())
	case `"message_delta"`:
		d.stop(e.delta, e.usage)
		return false, nil
	case `"message_stop"`:
		return true, d.end()
	}
	if e.failed {
		return false, d.endpoint.Refused(0, nil, e.whole)
	}
	return false, nil // a ping, or something new
}

// message takes an answer that came whole, as from gateways that do not stream.
func (d *decoder) message(v wire.Value) error {
	if v.Get("error").IsObject() {
		return d.endpoint.Refused(0, nil, v)
	}
	if err := d.start(v); err != nil {
		return err
	}
	i := 0
	for b := range v.Get("content").Elements() {
		if err := d.blockStart(i, b); err != nil {
			return err
		}
		if err := d.blockStop(i); err != nil {
			return err
		}
		i++
	}
	if d.stop(v, v.Get("usage")); d.reason == "" {
		return io.ErrUnexpectedEOF
	}
	return d.end()
}

// start takes the head of a message. Some gateways send it twice, and some begin a
// second message behind a part of the first.
func (d *decoder) start(m wire.Value) error {
	id := m.Get("id").Text()
	switch {
	case d.begun && id != d.id:
		return d.fail(llm.Later, errors.New("a second reply began in the same stream: the first is void"))
	case d.begun:
		return nil
	}
	d.begun, d.id = true, id
	d.count(m.Get("usage"))
	if u := d.counts.usage(); u != nil {
		return d.send(llm.Chunk{Usage: u})
	}
	return nil
}

// count takes a usage. Its numbers are totals so far, and those that are missing have
// not changed.
func (d *decoder) count(usage wire.Value) {
	for key, v := range usage.Members() {
		if v.Missing() {
			continue
		}
		n := min(max(v.Int(), 0), 1<<40)
		switch string(key) {
		case "input_tokens":
			d.counts.input = n
		case "cache_read_input_tokens":
			d.counts.read = n
		case "cache_creation_input_tokens":
			d.counts.written = n
		case "output_tokens":
			d.counts.output = n
		}
	}
}

func (d *decoder) text(v wire.Value) error {
	s := v.Text()
	if s == "" {
		return nil
	}
	d.spoke = true
	return d.send(llm.Chunk{Text: s})
}

func (d *decoder) thinking(v wire.Value) error {
	if s := v.Text(); s != "" {
		return d.send(llm.Chunk{Thinking: s})
	}
	return nil
}

// opaque yields a block that goes back with the results of calls.
func (d *decoder) opaque(raw json.RawMessage) error {
	if !d.tools || !utf8.Valid(raw) {
		return nil
	}
	return d.send(llm.Chunk{Opaque: raw})
}

func (d *decoder) send(c llm.Chunk) error {
	if !d.yield(c, nil) {
		return errLeft
	}
	return nil
}

// stop takes why a reply ends, and what it took.
func (d *decoder) stop(v, usage wire.Value) {
	d.count(usage)
	if reason := v.Get("stop_reason").Text(); reason != "" {
		d.reason = reason
	}
	details := v.Get("stop_details")
	if d.words = strings.TrimSpace(details.Get("explanation").Text()); d.words == "" {
		d.words = details.Get("category").Text()
	}
}

// end yields what was still open, and the Finish.
func (d *decoder) end() error {
	done := llm.Chunk{Finish: llm.Stop, Usage: d.counts.usage()}
	switch d.reason {
	case "max_tokens", "pause_turn":
		// A paused turn goes on when it is sent back, with the vendor's own tools. We use none.
		done.Finish = llm.Length
	case "model_context_window_exceeded":
		if !d.spoke {
			return d.fail(llm.TooLong, errors.New("the request left no room for a reply"))
		}
		done.Finish = llm.Length
	case "refusal":
		done.Finish, done.Declined = llm.Refusal, d.words
	default:
		for len(d.open) > 0 {
			if err := d.blockStop(d.open[0].index); err != nil {
				return err
			}
		}
		if err := d.settle(); err != nil {
			return err
		}
		if d.called {
			done.Finish = llm.Calls
		}
	}
	d.send(done) // it is the last, whether the reader stays or not
	return nil
}
