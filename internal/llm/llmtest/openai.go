package llmtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// readOpenAI reads the body of a request for a chat completion.
func readOpenAI(body []byte) (request, error) {
	var in struct {
		Model         string  `json:"model"`
		Messages      []entry `json:"messages"`
		Stream        bool    `json:"stream"`
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return request{}, errors.New("the body is no JSON of a chat completion")
	}
	req := request{model: in.Model, stream: in.Stream, includeUsage: in.StreamOptions.IncludeUsage}
	for _, m := range in.Messages {
		req.add(m.Role == "user", m.Content)
	}
	switch {
	case in.Model == "":
		return req, errors.New("you must provide a model parameter")
	case len(in.Messages) == 0:
		return req, errors.New("[] is too short - 'messages'")
	}
	return req, nil
}

// openAI writes a chat completion.
type openAI struct {
	id           string
	before       string // what each chunk begins with
	after        string // and ends with
	model        string // a JSON string
	created      int64
	includeUsage bool
	opened       bool
}

func newOpenAI(req request, n int64) *openAI {
	o := &openAI{
		id:           "chatcmpl-scripted-" + strconv.FormatInt(n, 10),
		model:        jsonString(req.model),
		created:      time.Now().Unix(),
		includeUsage: req.includeUsage,
	}
	o.before = "data: " + o.head("chat.completion.chunk") + `,"choices":[`
	o.after = "}\n\n"
	if o.includeUsage {
		o.after = `,"usage":null}` + "\n\n"
	}
	return o
}

func (o *openAI) head(object string) string {
	return `{"id":"` + o.id + `","object":"` + object + `","created":` + strconv.FormatInt(o.created, 10) +
		`,"model":` + o.model + `,"service_tier":"default","system_fingerprint":"fp_scripted"`
}

func (o *openAI) header(stream bool) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"req_" + o.id}}
	if stream {
		h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	}
	return h
}

func (*openAI) open(b []byte, _ chat.Usage) []byte { return b }

// begin appends the beginning of a chunk, up to its delta. The role comes in a chunk of
// its own before the first.
func (o *openAI) begin(b []byte) []byte {
	if !o.opened {
		o.opened = true
		b = append(o.begin(b), `{"role":"assistant","content":"","refusal":null}`...)
		b = o.finish(b, "null")
	}
	b = append(b, o.before...)
	return append(b, `{"index":0,"delta":`...)
}

// finish appends what follows a delta.
func (o *openAI) finish(b []byte, reason string) []byte {
	b = append(b, `,"logprobs":null,"finish_reason":`...)
	b = append(b, reason...)
	b = append(b, "}]"...)
	return append(b, o.after...)
}

// delta appends a chunk with one member that is a string.
func (o *openAI) delta(b []byte, member, text string) []byte {
	b = o.begin(b)
	b = append(b, `{"`...)
	b = append(b, member...)
	b = append(b, `":`...)
	b = chat.AppendJSONString(b, text)
	b = append(b, '}')
	return o.finish(b, "null")
}

func (o *openAI) text(b []byte, text string, _ chat.Usage) []byte {
	return o.delta(b, "content", text)
}

// think writes what the vendors write that copied this format and show thinking.
func (o *openAI) think(b []byte, text string, _ chat.Usage) []byte {
	return o.delta(b, "reasoning_content", text)
}

func (o *openAI) call(b []byte, c toolCall, _ chat.Usage) []byte {
	index := strconv.Itoa(c.index)
	b = append(o.begin(b), `{"tool_calls":[{"index":`+index+`,"id":"`+c.id+`","type":"function","function":{"name":"`+c.name+`","arguments":""}}]}`...)
	b = o.finish(b, "null")
	for _, part := range fragments(c.arguments) {
		b = append(o.begin(b), `{"tool_calls":[{"index":`+index+`,"function":{"arguments":`...)
		b = append(chat.AppendJSONString(b, part), "}}]}"...)
		b = o.finish(b, "null")
	}
	return b
}

// reason returns the finish_reason of an end. A refusal has none of its own: it is
// in its delta.
func (*openAI) reason(e end) string {
	switch e.finish {
	case llm.Length:
		return `"length"`
	case llm.Filtered:
		return `"content_filter"`
	case llm.Calls:
		return `"tool_calls"`
	}
	return `"stop"`
}

func (o *openAI) close(b []byte, e end, u chat.Usage) []byte {
	if e.finish == llm.Refusal {
		for _, word := range words(e.words()) {
			b = o.delta(b, "refusal", word)
		}
	}
	b = o.finish(append(o.begin(b), "{}"...), o.reason(e))
	if o.includeUsage {
		b = append(append(b, o.before...), `],"usage":`...)
		b = append(o.usage(b, u), "}\n\n"...)
	}
	return append(b, "data: [DONE]\n\n"...)
}

func (*openAI) usage(b []byte, u chat.Usage) []byte {
	b = appendCount(b, `{"prompt_tokens":`, u.Input)
	b = appendCount(b, `,"completion_tokens":`, u.Output)
	b = appendCount(b, `,"total_tokens":`, u.Input+u.Output)
	b = appendCount(b, `,"prompt_tokens_details":{"cached_tokens":`, u.Cached)
	return append(b, `,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`...)
}

func (*openAI) line(b []byte, data string) []byte { return append(b, "data: "+data+"\n\n"...) }

func (o *openAI) fail(b []byte, f *fault) []byte {
	return o.line(b, string(o.problem(f)))
}

func (*openAI) problem(f *fault) []byte {
	s := f.refusal()
	b := append([]byte(`{"error":{"message":`), jsonString(f.say(s.message, "This model's maximum context length is exceeded."))...)
	return append(b, `,"type":`+jsonString(s.openAIType)+`,"param":null,"code":`+orNull(s.openAICode)+`}}`...)
}

func (o *openAI) whole(b []byte, r *reply) []byte {
	b = append(b, o.head("chat.completion")+`,"choices":[{"index":0,"message":{"role":"assistant","content":`...)
	b = append(b, orNull(r.text.String())...)
	b = append(b, `,"refusal":`...)
	if r.end.finish == llm.Refusal {
		b = chat.AppendJSONString(b, r.end.words())
	} else {
		b = append(b, "null"...)
	}
	if r.thinking.Len() > 0 {
		b = chat.AppendJSONString(append(b, `,"reasoning_content":`...), r.thinking.String())
	}
	for i, c := range r.calls {
		before := ","
		if i == 0 {
			before = `,"tool_calls":[`
		}
		b = append(b, before+`{"id":"`+c.id+`","type":"function","function":{"name":"`+c.name+`","arguments":`...)
		b = append(chat.AppendJSONString(b, c.arguments), "}}"...)
	}
	if len(r.calls) > 0 {
		b = append(b, ']')
	}
	b = append(b, `,"annotations":[]},"logprobs":null,"finish_reason":`+o.reason(r.end)+`}],"usage":`...)
	return append(o.usage(b, r.usage), '}')
}

func (o *openAI) refuse(f *fault, h http.Header) (int, []byte) {
	if f.after > 0 {
		h.Set("Retry-After", seconds(f.after))
		h.Set("Retry-After-Ms", strconv.FormatInt(f.after.Milliseconds(), 10))
	}
	return f.refusal().code, o.problem(f)
}
