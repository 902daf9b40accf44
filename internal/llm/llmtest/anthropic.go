package llmtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// readAnthropic reads the body of a request for a message.
func readAnthropic(body []byte, h http.Header) (request, error) {
	var in struct {
		Model     string          `json:"model"`
		System    json.RawMessage `json:"system"`
		Messages  []entry         `json:"messages"`
		MaxTokens int             `json:"max_tokens"`
		Stream    bool            `json:"stream"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return request{}, errors.New("the body is no JSON of a message")
	}
	req := request{model: in.Model, stream: in.Stream}
	req.add(false, in.System)
	for _, m := range in.Messages {
		req.add(m.Role == "user", m.Content)
	}
	switch {
	case h.Get("Anthropic-Version") == "":
		return req, errors.New("anthropic-version: header is required")
	case in.Model == "":
		return req, errors.New("model: Field required")
	case in.MaxTokens < 1:
		return req, errors.New("max_tokens: Field required")
	case len(in.Messages) == 0:
		return req, errors.New("messages: at least one message is required")
	}
	return req, nil
}

// anthropic writes a message.
type anthropic struct {
	id     string
	model  string // a JSON string
	index  string // of the block that is open
	blocks int    // begun so far
	block  string // the type of the one that is open, or ""
}

func newAnthropic(req request, n int64) *anthropic {
	return &anthropic{id: "scripted_" + strconv.FormatInt(n, 10), model: jsonString(req.model)}
}

func (a *anthropic) header(stream bool) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Request-Id": {"req_" + a.id}}
	if stream {
		h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	}
	return h
}

// event appends an event with the members that follow its type.
func event(b []byte, kind, members string) []byte {
	b = append(b, "event: "...)
	b = append(b, kind...)
	b = append(b, "\ndata: {\"type\":\""...)
	b = append(b, kind...)
	b = append(b, '"')
	b = append(b, members...)
	return append(b, "}\n\n"...)
}

func (a *anthropic) open(b []byte, u chat.Usage) []byte {
	u.Output = 1 // as the vendor has it here
	b = event(b, "message_start", `,"message":{"id":"msg_`+a.id+`","type":"message","role":"assistant","model":`+a.model+
		`,"content":[],"stop_reason":null,"stop_sequence":null,"usage":`+string(a.usage(nil, u))+`}`)
	return event(b, "ping", "")
}

// usage appends the tokens; those that were cached do not count as input.
func (*anthropic) usage(b []byte, u chat.Usage) []byte {
	b = appendCount(b, `{"input_tokens":`, u.Input-u.Cached)
	b = appendCount(b, `,"cache_creation_input_tokens":0,"cache_read_input_tokens":`, u.Cached)
	b = appendCount(b, `,"output_tokens":`, u.Output)
	return append(b, '}')
}

// begin opens a block of a kind, if none of it is open; a tool's is always a new one.
func (a *anthropic) begin(b []byte, kind, content string) []byte {
	if a.block == kind && kind != "tool_use" {
		return b
	}
	b = a.stop(b)
	a.block, a.index = kind, strconv.Itoa(a.blocks)
	a.blocks++
	return event(b, "content_block_start", `,"index":`+a.index+`,"content_block":{"type":"`+kind+`"`+content+`}`)
}

// stop closes the open block, if there is one. Thinking is signed.
func (a *anthropic) stop(b []byte) []byte {
	if a.block == "" {
		return b
	}
	if a.block == "thinking" {
		b = a.delta(b, "signature_delta", "signature", signature)
	}
	a.block = ""
	return event(b, "content_block_stop", `,"index":`+a.index)
}

// signature is what the vendor wants back with thinking: base64 that says nothing.
const signature = "c2NyaXB0ZWQ="

func (a *anthropic) delta(b []byte, kind, member, text string) []byte {
	b = append(b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	b = append(b, a.index...)
	b = append(b, `,"delta":{"type":"`...)
	b = append(b, kind...)
	b = append(b, `","`...)
	b = append(b, member...)
	b = append(b, `":`...)
	b = chat.AppendJSONString(b, text)
	return append(b, "}}\n\n"...)
}

func (a *anthropic) text(b []byte, text string, _ chat.Usage) []byte {
	return a.delta(a.begin(b, "text", `,"text":""`), "text_delta", "text", text)
}

func (a *anthropic) think(b []byte, text string, _ chat.Usage) []byte {
	return a.delta(a.begin(b, "thinking", `,"thinking":"","signature":""`), "thinking_delta", "thinking", text)
}

func (a *anthropic) call(b []byte, c toolCall, _ chat.Usage) []byte {
	b = a.begin(b, "tool_use", `,"id":"`+a.toolID(c)+`","name":"`+c.name+`","input":{}`)
	b = a.delta(b, "input_json_delta", "partial_json", "")
	for _, part := range fragments(c.arguments) {
		b = a.delta(b, "input_json_delta", "partial_json", part)
	}
	return b
}

func (*anthropic) toolID(c toolCall) string { return "toolu_" + c.id }

// ending appends the members of a message that say why it ended.
func (*anthropic) ending(b []byte, e end) []byte {
	switch e.finish {
	case llm.Length:
		b = append(b, `"stop_reason":"max_tokens"`...)
	case llm.Calls:
		b = append(b, `"stop_reason":"tool_use"`...)
	case llm.Refusal, llm.Filtered:
		b = append(b, `"stop_reason":"refusal","stop_details":{"type":"refusal","category":null,"explanation":`...)
		b = append(b, orNull(e.declined)...)
		b = append(b, '}')
	default:
		b = append(b, `"stop_reason":"end_turn"`...)
	}
	return append(b, `,"stop_sequence":null`...)
}

func (a *anthropic) close(b []byte, e end, u chat.Usage) []byte {
	b = a.stop(b)
	b = event(b, "message_delta", `,"delta":{`+string(a.ending(nil, e))+`},"usage":`+string(a.usage(nil, u)))
	return event(b, "message_stop", "")
}

func (*anthropic) line(b []byte, data string) []byte {
	return append(b, "event: content_block_delta\ndata: "+data+"\n\n"...)
}

func (a *anthropic) fail(b []byte, f *fault) []byte {
	return append(b, "event: error\ndata: "+string(a.problem(f))+"\n\n"...)
}

func (a *anthropic) problem(f *fault) []byte {
	s := f.refusal()
	message := f.say(s.message, "prompt is too long: 250000 tokens > 200000 maximum")
	return []byte(`{"type":"error","error":{"type":` + jsonString(s.anthropic) + `,"message":` + jsonString(message) +
		`},"request_id":"req_` + a.id + `"}`)
}

func (a *anthropic) whole(b []byte, r *reply) []byte {
	b = append(b, `{"id":"msg_`+a.id+`","type":"message","role":"assistant","model":`+a.model+`,"content":[`...)
	comma := ""
	if r.thinking.Len() > 0 {
		b = append(b, `{"type":"thinking","thinking":`+jsonString(r.thinking.String())+`,"signature":"`+signature+`"}`...)
		comma = ","
	}
	if r.text.Len() > 0 {
		b = append(b, comma+`{"type":"text","text":`+jsonString(r.text.String())+`}`...)
		comma = ","
	}
	for _, c := range r.calls {
		b = append(b, comma+`{"type":"tool_use","id":"`+a.toolID(c)+`","name":"`+c.name+`","input":`+orEmpty(c.arguments)+`}`...)
		comma = ","
	}
	b = a.ending(append(b, `],`...), r.end)
	return append(a.usage(append(b, `,"usage":`...), r.usage), '}')
}

// refuse answers a quota that is used up with 402, as the vendor does.
func (a *anthropic) refuse(f *fault, h http.Header) (int, []byte) {
	if f.after > 0 {
		h.Set("Retry-After", seconds(f.after))
	}
	code := f.refusal().code
	if f.refusal().about == "quota" {
		code = http.StatusPaymentRequired
	}
	return code, a.problem(f)
}
