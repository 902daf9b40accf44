package llmtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// readGemini reads the body of a request for content; the model and whether it is
// streamed are in its path.
func readGemini(body []byte, model, method string, sse bool) (request, error) {
	type content struct {
		Role  string          `json:"role"`
		Parts json.RawMessage `json:"parts"`
	}
	var in struct {
		Contents    []content `json:"contents"`
		System      content   `json:"systemInstruction"`
		SystemSnake content   `json:"system_instruction"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return request{}, errors.New("the body is no JSON of a request for content")
	}
	req := request{model: model, stream: method == "streamGenerateContent", sse: sse}
	req.add(false, in.System.Parts)
	req.add(false, in.SystemSnake.Parts)
	for _, c := range in.Contents {
		req.add(c.Role == "user" || c.Role == "", c.Parts)
	}
	if len(in.Contents) == 0 {
		return req, errors.New("contents is not specified")
	}
	return req, nil
}

// gemini writes responses of content. A stream of them is server-sent events, or one JSON
// array.
type gemini struct {
	sse   bool
	id    string
	model string // a JSON string
	sent  bool   // something was
}

func newGemini(req request, n int64) *gemini {
	return &gemini{sse: req.sse, id: "scripted-" + strconv.FormatInt(n, 10), model: jsonString(req.model)}
}

func (g *gemini) header(stream bool) http.Header {
	if stream && g.sse {
		return http.Header{"Content-Type": {"text/event-stream"}}
	}
	return http.Header{"Content-Type": {"application/json; charset=UTF-8"}}
}

func (g *gemini) open(b []byte, _ chat.Usage) []byte {
	if !g.sse {
		b = append(b, '[')
	}
	return b
}

// begin appends what stands before a response, finish what stands behind it.
func (g *gemini) begin(b []byte) []byte {
	switch {
	case g.sse:
		b = append(b, "data: "...)
	case g.sent:
		b = append(b, ",\r\n"...)
	}
	g.sent = true
	return b
}

func (g *gemini) finish(b []byte) []byte {
	if g.sse {
		b = append(b, "\r\n\r\n"...)
	}
	return b
}

// parts is what a response with content begins with.
const parts = `{"candidates":[{"content":{"parts":[`

func (g *gemini) text(b []byte, text string, u chat.Usage) []byte {
	b = append(g.begin(b), parts+`{"text":`...)
	b = append(chat.AppendJSONString(b, text), `}],"role":"model"},"index":0}]`...)
	return g.finish(g.usage(b, u))
}

func (g *gemini) think(b []byte, text string, u chat.Usage) []byte {
	b = append(g.begin(b), parts+`{"thought":true,"text":`...)
	b = append(chat.AppendJSONString(b, text), `}],"role":"model"},"index":0}]`...)
	return g.finish(g.usage(b, u))
}

func (g *gemini) call(b []byte, c toolCall, u chat.Usage) []byte {
	b = append(g.begin(b), parts...)
	b = append(g.part(b, c), `],"role":"model"},"index":0}]`...)
	return g.finish(g.usage(b, u))
}

// part appends a call, which this vendor sends whole and without an id. The first is
// signed.
func (*gemini) part(b []byte, c toolCall) []byte {
	b = append(b, `{"functionCall":{"name":"`+c.name+`"`...)
	if c.arguments != "" {
		b = append(b, `,"args":`+c.arguments...)
	}
	b = append(b, '}')
	if c.index == 0 {
		b = append(b, `,"thoughtSignature":"`+signature+`"`...)
	}
	return append(b, '}')
}

// usage appends what follows the candidates.
func (g *gemini) usage(b []byte, u chat.Usage) []byte {
	b = appendCount(b, `,"usageMetadata":{"promptTokenCount":`, u.Input)
	if u.Cached > 0 {
		b = appendCount(b, `,"cachedContentTokenCount":`, u.Cached)
	}
	b = appendCount(b, `,"candidatesTokenCount":`, u.Output)
	b = appendCount(b, `,"totalTokenCount":`, u.Input+u.Output)
	b = append(b, `},"modelVersion":`...)
	b = append(b, g.model...)
	b = append(b, `,"responseId":"`...)
	b = append(b, g.id...)
	return append(b, `"}`...)
}

// ending appends the members of a candidate that say why it ended. One that was withheld
// has no content.
func (*gemini) ending(b []byte, e end) []byte {
	switch e.finish {
	case llm.Length:
		return append(b, `"finishReason":"MAX_TOKENS"`...)
	case llm.Filtered:
		return append(b, `"finishReason":"SAFETY"`...)
	case llm.Refusal:
		return append(b, `"finishReason":"PROHIBITED_CONTENT","finishMessage":`+jsonString(e.words())...)
	}
	return append(b, `"finishReason":"STOP"`...)
}

// blocked is the response where nothing was said and the model refuses: it has no
// candidates at all.
const blocked = `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}`

func (g *gemini) close(b []byte, e end, u chat.Usage) []byte {
	first := !g.sent
	b = g.begin(b)
	switch {
	case e.finish == llm.Refusal && first:
		b = append(b, blocked...)
	case e.finish == llm.Refusal, e.finish == llm.Filtered:
		b = append(g.ending(append(b, `{"candidates":[{`...), e), `,"index":0}]`...)
	default:
		b = append(b, parts+`{"text":""}],"role":"model"},`...)
		b = append(g.ending(b, e), `,"index":0}]`...)
	}
	b = g.finish(g.usage(b, u))
	if !g.sse {
		b = append(b, ']')
	}
	return b
}

func (g *gemini) line(b []byte, data string) []byte {
	return g.finish(append(g.begin(b), data...))
}

// fail ends a stream with an error; one that is an array stays one.
func (g *gemini) fail(b []byte, f *fault) []byte {
	b = g.line(b, string(g.problem(f)))
	if !g.sse {
		b = append(b, ']')
	}
	return b
}

func (*gemini) problem(f *fault) []byte {
	s := f.refusal()
	message := f.say(s.message, "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).")
	b := []byte(`{"error":{"code":` + strconv.Itoa(s.code) + `,"message":` + jsonString(message) + `,"status":"` + s.gemini + `"`)
	if s.code == http.StatusTooManyRequests || f.after > 0 {
		b = append(append(b, `,"details":[`...), details(s, f)...)
		b = append(b, ']')
	}
	return append(b, "}}"...)
}

// details says which quota is used up and when to come again, for which this vendor has
// no header.
func details(s *status, f *fault) string {
	out := ""
	if s.code == http.StatusTooManyRequests {
		quota := "GenerateRequestsPerMinutePerProjectPerModel"
		if s.about == "quota" {
			quota = "GenerateRequestsPerDayPerProjectPerModel"
		}
		out = `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"` + quota + `"}]}`
	}
	if f.after > 0 {
		if out != "" {
			out += ","
		}
		out += `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"` + strconv.FormatFloat(f.after.Seconds(), 'f', -1, 64) + `s"}`
	}
	return out
}

func (g *gemini) whole(b []byte, r *reply) []byte {
	refused := r.end.finish == llm.Refusal
	if refused && r.text.Len()+len(r.calls) == 0 {
		return g.usage(append(b, blocked...), r.usage)
	}
	b = append(b, parts...)
	comma := ""
	if r.thinking.Len() > 0 {
		b = append(b, `{"thought":true,"text":`+jsonString(r.thinking.String())+`}`...)
		comma = ","
	}
	if r.text.Len() > 0 || len(r.calls) == 0 {
		b = append(b, comma+`{"text":`+jsonString(r.text.String())+`}`...)
		comma = ","
	}
	for _, c := range r.calls {
		b = g.part(append(b, comma...), c)
		comma = ","
	}
	b = append(b, `],"role":"model"},`...)
	b = append(g.ending(b, r.end), `,"index":0}]`...)
	return g.usage(b, r.usage)
}

func (g *gemini) refuse(f *fault, _ http.Header) (int, []byte) {
	return f.refusal().code, g.problem(f)
}
