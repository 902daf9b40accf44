package anthropic

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// block is a part of the reply while it comes. Strings that come in pieces are kept as
// they stand between their quotes.
type block struct {
	index     int
	kind      string
	id, name  string
	input     wire.Value // a copy, if it came whole
	pieces    []byte     // of the arguments, or of the thought
	signature []byte
}

// blockStart takes the beginning of a block, which may be all of it.
func (d *decoder) blockStart(index int, v wire.Value) error {
	if err := d.settle(); err != nil {
		return err
	}
	b := block{index: index, kind: v.Get("type").Text()}
	switch b.kind {
	case "text":
		return d.text(v.Get("text"))
	case "redacted_thinking":
		return d.opaque(v.Raw())
	case "thinking":
		b.signature = between(v.Get("signature"), nil)
		thought := v.Get("thinking")
		b.pieces = between(thought, nil)
		if err := d.thinking(thought); err != nil {
			return err
		}
	case "tool_use":
		b.id, b.name, b.input = v.Get("id").Text(), v.Get("name").Text(), wire.Value(v.Get("input").Raw())
	default:
		return nil // of the vendor's own tools, or something new
	}
	d.open = append(d.open, b)
	return d.hold(len(v))
}

// delta takes a piece of a block.
func (d *decoder) delta(index int, v wire.Value) error {
	var kind, piece wire.Value
	for key, m := range v.Members() {
		switch string(key) {
		case "type":
			kind = m
		case "text", "partial_json", "thinking", "signature":
			piece = m
		}
	}
	if string(kind) == `"text_delta"` {
		return d.text(piece)
	}
	if string(kind) == `"thinking_delta"` {
		if err := d.thinking(piece); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(d.open, func(b block) bool { return b.index == index })
	if i < 0 {
		return nil
	}
	switch b := &d.open[i]; {
	case string(kind) == `"signature_delta"`:
		b.signature = between(piece, b.signature)
	case string(kind) == `"thinking_delta"` && !d.tools:
		return nil // nobody wants it back
	case string(kind) == `"thinking_delta"` && b.kind == "thinking", string(kind) == `"input_json_delta"` && b.kind == "tool_use":
		b.pieces = between(piece, b.pieces)
	}
	return d.hold(len(piece))
}

// between appends what stands between the quotes of a string.
func between(v wire.Value, to []byte) []byte {
	if !v.IsString() {
		return to
	}
	return append(to, v[1:len(v)-1]...)
}

// hold counts what is kept until its block is whole, and what searching for it costs.
func (d *decoder) hold(n int) error {
	if d.held += n; d.held > wire.MaxEvent || len(d.open) > 1000 {
		return d.fail(llm.Elsewhere, fmt.Errorf("the calls and thoughts of a reply have more than %d bytes", wire.MaxEvent))
	}
	return nil
}

// blockStop takes the end of a block.
func (d *decoder) blockStop(index int) error {
	i := slices.IndexFunc(d.open, func(b block) bool { return b.index == index })
	if i < 0 {
		return nil
	}
	b := d.open[i]
	d.open = slices.Delete(d.open, i, i+1)
	if err := d.settle(); err != nil {
		return err
	}
	if b.kind == "tool_use" {
		if args, ok := b.arguments(); ok {
			return d.call(&b, args)
		}
		d.last = &b
		return nil
	}
	if len(b.signature) == 0 {
		return nil // the API takes no thought back without one
	}
	var raw []byte
	raw = append(raw, `{"type":"thinking","thinking":"`...)
	raw = append(raw, b.pieces...)
	raw = append(raw, `","signature":"`...)
	raw = append(raw, b.signature...)
	return d.opaque(append(raw, `"}`...))
}

// arguments returns those of a call, or false if there are none or not yet all of them.
func (b *block) arguments() (json.RawMessage, bool) {
	if len(b.pieces) == 0 {
		return json.RawMessage(b.input), b.input.IsObject() && len(b.input) > 2
	}
	quoted := append(append([]byte{'"'}, b.pieces...), '"')
	v, ok := wire.Parse([]byte(wire.Value(quoted).Text()))
	return json.RawMessage(v), ok && v.IsObject()
}

// settle yields the call that ended last, once it is known that the reply went on
// behind it: without arguments it could have been cut off before them.
func (d *decoder) settle() error {
	b := d.last
	if d.last = nil; b == nil {
		return nil
	}
	if len(b.pieces) > 0 {
		return d.fail(llm.Later, fmt.Errorf("the arguments of a call of %q are not a JSON object", d.endpoint.Quote(b.name)))
	}
	return d.call(b, json.RawMessage("{}"))
}

func (d *decoder) call(b *block, args json.RawMessage) error {
	d.spoke, d.called = true, true
	if b.id == "" { // of some gateways
		b.id = "call_" + rand.Text()
	}
	return d.send(llm.Chunk{Call: &llm.Call{ID: b.id, Name: b.name, Arguments: args}})
}
