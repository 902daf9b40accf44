package openai

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// field is one that the operator wants in every request. A null leaves ours out.
type field struct {
	name  string
	value []byte
}

func fields(extra map[string]any) ([]field, error) {
	var all []field
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		v := extra[name]
		if options, ok := v.(map[string]any); ok && name == "stream_options" {
			with := map[string]any{"include_usage": true} // what is not counted cannot be paid for
			maps.Copy(with, options)
			v = with
		}
		value, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("the extra field %q cannot be written as JSON: %w", name, err)
		}
		all = append(all, field{name, value})
	}
	return all, nil
}

// body writes the fields of a request.
type body struct {
	b        []byte
	without  []string // names of fields that are left out
	optional []string // names of written fields that a request could do without
}

// encode returns the body that asks for a reply, and the names of its fields without
// which it could be asked too.
func (p *Provider) encode(req llm.Request) (data []byte, optional []string) {
	refused := p.refused.of(req.Model)
	w := body{b: append(make([]byte, 0, size(req)), '{'), without: p.without(refused)}
	if req.Model != "" && w.field("model") {
		w.string(req.Model)
	}
	if w.field("messages") {
		w.messages(req)
	}
	if w.field("stream") {
		w.raw("true")
	}
	if w.option("stream_options") {
		w.raw(`{"include_usage":true}`)
	}
	w.limit(p.limitName(refused), cmp.Or(req.MaxTokens, 1024))
	if len(req.Tools) > 0 && w.field("tools") {
		w.tools(req.Tools)
	}
	if req.Schema != nil && w.option("response_format") {
		w.schema(req.Schema)
	}
	if req.Logprobs && w.option("logprobs") {
		w.raw("true")
	}
	w.without = refused
	for _, f := range p.extra {
		if string(f.value) != "null" && w.option(f.name) {
			w.b = append(w.b, f.value...)
		}
	}
	return append(w.b, '}'), w.optional
}

// without returns the names of our fields that are left out.
func (p *Provider) without(refused []string) []string {
	all := slices.Clip(refused)
	for _, f := range p.extra {
		all = append(all, f.name)
	}
	return all
}

// The two names of the limit of tokens: reasoning models know only the newer one, most
// who copy the API only the older.
var limitNames = [...]string{"max_completion_tokens", "max_tokens"}

// limitName returns the name that a model takes, or "" where the operator sets the limit.
// Else no request goes without one: it could cost more than was set aside for it.
func (p *Provider) limitName(refused []string) string {
	takes := p.limit
	for _, n := range limitNames {
		if slices.Contains(refused, n) {
			continue
		}
		if slices.ContainsFunc(p.extra, func(f field) bool { return f.name == n }) {
			return ""
		}
		if slices.Contains(refused, takes) {
			takes = n
		}
	}
	return takes
}

// limit writes the limit of tokens, also where both names were refused.
func (w *body) limit(name string, tokens int) {
	if name == "" {
		return
	}
	if !w.option(name) {
		w.begin(name)
	}
	w.b = strconv.AppendInt(w.b, int64(tokens), 10)
}

// field begins a field and reports whether it is wanted.
func (w *body) field(name string) bool {
	if slices.Contains(w.without, name) {
		return false
	}
	w.begin(name)
	return true
}

func (w *body) begin(name string) {
	if len(w.b) > 1 {
		w.b = append(w.b, ',')
	}
	w.b = append(chat.AppendJSONString(w.b, name), ':')
}

// option is field for one that a request could do without.
func (w *body) option(name string) bool {
	if !w.field(name) {
		return false
	}
	w.optional = append(w.optional, name)
	return true
}

func (w *body) raw(s string)    { w.b = append(w.b, s...) }
func (w *body) string(s string) { w.b = chat.AppendJSONString(w.b, s) }

func (w *body) messages(req llm.Request) {
	w.raw("[")
	if system := system(req.System); system != "" {
		w.message("system", system)
	}
	for _, m := range req.Conversation() {
		for _, r := range m.Results {
			w.result(r)
		}
		switch {
		case len(m.Calls) > 0:
			w.calls(m)
		case m.Text != "" || len(m.Results) == 0:
			w.message(string(m.Role), m.Text)
		}
	}
	w.raw("]")
}

// message writes a whole message.
func (w *body) message(role, content string) {
	w.next()
	w.raw(`{"role":"` + role + `","content":`)
	w.string(content)
	w.raw("}")
}

func (w *body) result(r llm.Result) {
	w.next()
	w.raw(`{"role":"tool","tool_call_id":`)
	w.string(r.Call)
	w.raw(`,"content":`)
	w.string(r.Text)
	w.raw("}")
}

// next separates an element from the one before.
func (w *body) next() {
	if w.b[len(w.b)-1] != '[' {
		w.raw(",")
	}
}

// calls writes a message of the assistant that has calls.
func (w *body) calls(m llm.Message) {
	w.next()
	w.raw(`{"role":"assistant","content":`)
	if m.Text == "" {
		w.raw("null") // as it came; some refuse the empty string
	} else {
		w.string(m.Text)
	}
	w.raw(`,"tool_calls":[`)
	for _, c := range m.Calls {
		w.next()
		w.raw(`{"id":`)
		w.string(c.ID)
		w.raw(`,"type":"function","function":{"name":`)
		w.string(c.Name)
		w.raw(`,"arguments":`)
		w.string(cmp.Or(string(c.Arguments), "{}"))
		w.raw("}}")
	}
	w.raw("]}")
}

func (w *body) tools(tools []llm.Tool) {
	w.raw("[")
	for _, t := range tools {
		w.next()
		w.raw(`{"type":"function","function":{"name":`)
		w.string(t.Name)
		if t.Description != "" {
			w.raw(`,"description":`)
			w.string(t.Description)
		}
		if len(t.Parameters) > 0 {
			w.raw(`,"parameters":`)
			w.b = append(w.b, t.Parameters...)
		}
		w.raw("}}")
	}
	w.raw("]")
}

func (w *body) schema(s *llm.Schema) {
	w.raw(`{"type":"json_schema","json_schema":{"name":`)
	w.string(cmp.Or(s.Name, "reply"))
	w.raw(`,"schema":`)
	w.b = append(w.b, s.Schema...)
	if v, ok := wire.Parse(s.Schema); ok && strict(v) {
		w.raw(`,"strict":true`)
	}
	w.raw("}}")
}

// strict reports whether OpenAI can hold a model to a schema: it must name every property
// of every object as required, and allow no others.
func strict(schema wire.Value) bool {
	var properties, required int
	closed := false
	for key, v := range schema.Members() {
		switch string(key) {
		case "properties":
			for range v.Members() {
				properties++
			}
		case "required":
			for range v.Elements() {
				required++
			}
		case "additionalProperties":
			closed = string(v) == "false"
		}
		if !strict(v) {
			return false
		}
	}
	for v := range schema.Elements() {
		if !strict(v) {
			return false
		}
	}
	return !schema.Get("type").Is("object") || closed && properties == required
}

// system joins the instructions.
func system(blocks []llm.Block) string {
	switch len(blocks) {
	case 0:
		return ""
	case 1:
		return blocks[0].Text
	}
	var b []byte
	for _, block := range blocks {
		if block.Text == "" {
			continue
		}
		if len(b) > 0 {
			b = append(b, "\n\n"...)
		}
		b = append(b, block.Text...)
	}
	return string(b)
}

// size returns about how many bytes a request takes, escapes included.
func size(req llm.Request) int {
	n := 512 + len(req.Said) + len(req.GoOn)
	for _, b := range req.System {
		n += len(b.Text)
	}
	for _, m := range req.Messages {
		n += 64 + len(m.Text)
		for _, c := range m.Calls {
			n += 128 + len(c.Arguments)*5/4
		}
		for _, r := range m.Results {
			n += 128 + len(r.Text)*5/4
		}
	}
	for _, t := range req.Tools {
		n += 128 + len(t.Description) + len(t.Parameters)
	}
	if req.Schema != nil {
		n += 128 + len(req.Schema.Schema)
	}
	return n + n/16
}

// refusedFields remembers which fields which model refused, so that each is tried once.
type refusedFields struct {
	mu      sync.Mutex
	byModel map[string][]string
}

// maxModels bounds the memory; who has more models learns again.
const maxModels = 256

func (r *refusedFields) of(model string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byModel[model]
}

func (r *refusedFields) add(model, field string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.byModel[model]
	if slices.Contains(known, field) {
		return // another call learned it just now
	}
	if r.byModel == nil || len(r.byModel) >= maxModels && known == nil {
		r.byModel = map[string][]string{}
	}
	r.byModel[model] = append(slices.Clip(known), field) // of may have given known away
}
