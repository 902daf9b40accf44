package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/turn"
)

const hello = `{"messages":[{"role":"user","content":"Hello?"}]}`

// openAIProblem checks that the reply is an error as OpenAI's clients read it.
func (r reply) openAIProblem(status int, code, param, message string) {
	r.Helper()
	e := decode[struct {
		Error struct {
			Message, Type string
			Param, Code   *string
		}
	}](r).Error
	checkFace(r.TB, r.Request.URL.Path, r.StatusCode, r.body)
	if r.StatusCode != status || e.Code == nil || *e.Code != code || e.Type == "" || !strings.Contains(e.Message, message) ||
		r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Request-Id") == "" {
		r.Fatalf("%s %s = %d %s, want %d, code %s, message with %q", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.body, status, code, message)
	}
	if got := e.Param; param != "" && (got == nil || *got != param) || param == "" && got != nil {
		r.Errorf("%s names the wrong field, want %q", r.body, param)
	}
}

func TestCompletionsThatAreRefused(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Body = 64 << 10 })
	user := func(message string) string { return `{"messages":[` + message + `]}` }
	for _, test := range []struct{ body, param, message string }{
		{"{", "", "JSON"},
		{"[]", "", "object"},
		{"\xff", "", "UTF-8"},
		{"{\"a\":\"\x00\"}", "", "NUL"},
		{`{"messages":[],"messages":[]}`, "", "twice"},
		{strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "", "nested"},
		{`{}`, "messages", "one message"},
		{`{"messages":null}`, "messages", "one message"},
		{`{"messages":"Hello"}`, "messages", "list of JSON objects"},
		{`{"messages":["Hello"]}`, "messages", "list of JSON objects"},
		{`{"messages":[null]}`, "messages[0].role", "user or assistant"},
		{user(`{"content":"Hello"}`), "messages[0].role", "user or assistant"},
		{user(`{"role":"robot","content":"Hello"}`), "messages[0].role", "user or assistant"},
		{user(`{"role":7,"content":"Hello"}`), "messages[0].role", "string"},
		{user(`{"role":"user","content":7}`), "messages[0].content", "string or a list"},
		{user(`{"role":"user","content":{}}`), "messages[0].content", "string or a list"},
		{user(`{"role":"user","content":[{"type":"text","text":7}]}`), "messages[0].content[0].text", "string"},
		{user(`{"role":"user","content":[{"type":"text","text":"See:"},{"type":"image_url","image_url":{"url":"data:,"}}]}`), "messages[0].content[1].type", "must be text"},
		{user(`{"role":"user","content":[{"type":"input_audio"}]}`), "messages[0].content[0].type", "must be text"},
		{user(`{"role":"user","content":" \n"}`), "", "empty"},
		{user(`{"role":"user","content":null}`), "", "empty"},
		{user(`{"role":"user","content":"\ud800"}`), "", "surrogate"},
		{user(`{"role":"system","content":"You are a pirate."}`), "messages", "must end with"},
		{user(`{"role":"user","content":"Hello"},{"role":"assistant","content":""}`), "messages", "must end with"},
		{user(`{"role":"tool","tool_call_id":"1","content":"42"}`), "messages[0].role", "tools of its own"},
		{user(`{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},{"role":"user","content":"Hello"}`), "messages[0].tool_calls", "tools of its own"},
		{user(`{"role":"assistant","function_call":{"name":"f"}},{"role":"user","content":"Hello"}`), "messages[0].function_call", "tools of its own"},
		{`{"tools":[{"type":"function"}],` + hello[1:], "tools", "tools of its own"},
		{`{"functions":[{"name":"f"}],` + hello[1:], "functions", "tools of its own"},
		{`{"tools":{},` + hello[1:], "tools", "list"},
		{`{"n":2,` + hello[1:], "n", "must be 1"},
		{`{"n":0,` + hello[1:], "n", "must be 1"},
		{`{"n":"1",` + hello[1:], "n", "number"},
		{`{"stream":"yes",` + hello[1:], "stream", "boolean"},
		{`{"stream_options":[],` + hello[1:], "stream_options", "object"},
		{`{"model":7,` + hello[1:], "model", "string"},
	} {
		r := s.post("/v1/chat/completions", test.body)
		var code string
		if e := decode[struct{ Error struct{ Code string } }](r); e.Error.Code != "" {
			code = e.Error.Code
		}
		if code != "malformed_request" && code != "invalid" {
			t.Errorf("%s has the code %q", test.body, code)
		}
		r.openAIProblem(400, code, test.param, test.message)
	}
	s.post("/v1/chat/completions", `{"model":"gpt-9",`+hello[1:]).openAIProblem(404, "model_not_found", "model", "demo, other")
	s.post("/v1/chat/completions", hello, "Content-Type: text/plain").openAIProblem(415, "unsupported_media_type", "", "application/json")
	s.post("/v1/chat/completions", strings.Repeat(" ", 65<<10)).openAIProblem(413, "too_large", "", "bytes")
	s.post("/v1/chat/completions", user(`{"role":"user","content":"`+strings.Repeat("x", 33<<10)+`"}`)).openAIProblem(413, "too_large", "", "bytes")
	s.get("/v1/chat/completions").openAIProblem(405, "method_not_allowed", "", "POST")
	s.post("/v1/chat/completions", hello, "Origin: https://evil.example").openAIProblem(403, "forbidden", "", "allowed_origins")
	if list, err := s.store.Conversations(t.Context(), chat.Bot, nil, "", 10, nil); err != nil || len(list) != 0 {
		t.Errorf("%d conversations were made for nothing, %v", len(list), err)
	}
}

func TestCompletionsNeedAKeyOnceThereIsOne(t *testing.T) {
	s := newServer(t, "")
	s.post("/v1/chat/completions", hello, "Authorization: Bearer sk-dummy").want(200)
	c, _ := s.start()
	key := s.closed()
	for _, path := range []string{"/v1/models", "/v1/models/demo"} {
		s.get(path).openAIProblem(401, "invalid_api_key", "", "keys create")
		s.get(path, "Authorization: Bearer "+key).want(200)
	}
	s.post("/v1/chat/completions", hello).openAIProblem(401, "invalid_api_key", "", "keys create")
	s.post("/v1/chat/completions", hello, "Authorization: Bearer sk-dummy").openAIProblem(401, "invalid_api_key", "", "not valid")
	s.post("/v1/chat/completions", hello, "Authorization: Bearer "+c.Token).openAIProblem(403, "forbidden", "", "API key")
	s.post("/v1/chat/completions", hello, "Authorization: Bearer "+key).want(200)
}

func TestCompletionsAreLimitedLikeChat(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.ConversationsPerMinute = 1 })
	s.post("/v1/chat/completions", hello).want(200)
	r := s.post("/v1/chat/completions", hello)
	r.openAIProblem(429, "rate_limit_exceeded", "", "wait")
	if r.Header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
}

// TestTheClientOfACompletionLeaves: nobody can come back to the answer, so it ends.
func TestTheClientOfACompletionLeaves(t *testing.T) {
	for name, body := range map[string]string{"streaming": `{"stream":true,` + hello[1:], "waiting": hello} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, "stall")
			ctx, leave := context.WithCancel(t.Context())
			left := make(chan time.Time, 1)
			go func() {
				for s.api.Inbox.Running() == 0 {
					time.Sleep(time.Millisecond)
				}
				left <- time.Now()
				leave()
			}()
			req, err := http.NewRequestWithContext(ctx, "POST", s.URL+"/v1/chat/completions", strings.NewReader(body))
			must(t, err)
			req.Header.Set("Content-Type", "application/json")
			if resp, err := http.DefaultClient.Do(req); err == nil {
				b := make([]byte, 1<<10)
				for err == nil {
					_, err = resp.Body.Read(b)
				}
				resp.Body.Close()
			} else if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			eventually(t, "the turn still runs", func() bool { return s.api.Inbox.Running() == 0 })
			if took := time.Since(<-left); took > 5*time.Second {
				t.Errorf("the turn ended %s after its client left, want at once", took)
			}
			eventually(t, "a stream is still open", func() bool { return s.api.OpenStreams() == 0 })
			list, err := s.store.Conversations(t.Context(), chat.Bot, nil, "", 2, nil)
			if err != nil || len(list) != 1 || list[0].Turn != "" {
				t.Errorf("the conversations are %+v, %v", list, err)
			}
		})
	}
}

func TestAWaitingCompletionHasHeartbeats(t *testing.T) {
	s := newServer(t, "ttft 100ms\nYes.", func(s *httpapi.Server) { s.Limits.Heartbeat = 10 * time.Millisecond })
	st := s.stream("POST", "/v1/chat/completions", `{"stream":true,`+hello[1:])
	all := st.pieces()
	if st.comments == 0 || len(all) != 3 {
		t.Errorf("%d comments and %d pieces, want some comments and 3 pieces: %v", st.comments, len(all), all)
	}
}

// TestACompletionTakesLongerThanAWrite: the time in which an answer must be taken counts
// from when it is there.
func TestACompletionTakesLongerThanAWrite(t *testing.T) {
	s := newServer(t, "ttft 300ms\nYes.", func(s *httpapi.Server) { s.Limits.Transfer = 50 * time.Millisecond })
	if r := s.post("/v1/chat/completions", hello).want(200); !strings.Contains(r.body, `"Yes."`) {
		t.Errorf("the answer is %s", r.body)
	}
}

func TestACompletionThatIsHandedOver(t *testing.T) {
	s := newServer(t, "First.\nstall")
	st := s.stream("POST", "/v1/chat/completions", `{"stream":true,`+hello[1:])
	if _, ok := st.next(); !ok {
		t.Fatal("there is no first piece")
	}
	eventually(t, "no turn runs", func() bool { return s.api.Inbox.Running() == 1 })
	list, err := s.store.Conversations(t.Context(), chat.Bot, nil, "", 1, nil)
	must(t, err)
	if _, err := s.api.Inbox.HandOff(t.Context(), list[0].ID, chat.Handoff{Reason: "they asked", Trigger: "asked"}); err != nil {
		t.Fatal(err)
	}
	all := st.pieces()
	last, _ := json.Marshal(all[len(all)-1])
	if !strings.Contains(string(last), `"finish_reason":"stop"`) || !strings.Contains(string(last), `"outcome":"handed_over"`) || !strings.Contains(string(last), `"handoff":{"reason":"they asked","trigger":"asked"}`) {
		t.Errorf("the last piece is %s", last)
	}
}

// TestUsageIsNeverZero: what the model counted, or an estimate.
func TestUsageIsNeverZero(t *testing.T) {
	type usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
	for script, fits := range map[string]func(usage) bool{
		"Yes.\nusage 120 30": func(u usage) bool { return u == usage{120, 30, 150} },
		"Yes.\nusage 0 0":    func(u usage) bool { return u.Prompt > 0 && u.Completion > 0 && u.Total == u.Prompt+u.Completion },
	} {
		s := newServer(t, script)
		if u := decode[struct{ Usage usage }](s.post("/v1/chat/completions", hello).want(200)).Usage; !fits(u) {
			t.Errorf("after %q the usage is %+v", script, u)
		}
	}
}

// TestTheMessagesOfACompletionAreItsHistory: the model is told them, and of nothing else.
func TestTheMessagesOfACompletionAreItsHistory(t *testing.T) {
	var asked []llm.Request
	s := newServer(t, "", func(s *httpapi.Server) {
		runner := *s.Inbox.Runner("demo")
		runner.Model = &llm.Client{Models: llm.Only(listener{&asked})}
		s.Inbox.Runner = func(string) *turn.Runner { return &runner }
	})
	s.post("/v1/chat/completions", `{"messages":[{"role":"system","content":"Be a pirate."},{"role":"user","content":"One?"},
		{"role":"assistant","content":"Two."},{"role":"user","content":""},{"role":"user","content":"Three?"}]}`).want(200)
	var told []string
	for _, m := range asked[0].History {
		told = append(told, string(m.Role)+": "+string(m.Text))
	}
	if got := strings.Join(told, ", "); len(asked) != 1 || got != "customer: One?, assistant: Two." || asked[0].Question != "Three?" {
		t.Errorf("the model is asked %q after %q", asked[0].Question, got)
	}
}

// listener is a provider that notes what it is asked.
type listener struct{ asked *[]llm.Request }

func (listener) Name() string { return "listener" }

func (l listener) Stream(_ context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	*l.asked = append(*l.asked, req)
	return func(yield func(llm.Chunk, error) bool) {
		yield(llm.Chunk{Text: "Yes.", Finish: llm.Stop}, nil)
	}
}

func FuzzReadCompletion(f *testing.F) {
	f.Add([]byte(hello))
	f.Add([]byte(`{"model":"demo","n":1,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"system","content":"x"},{"role":"user","content":[{"type":"text","text":"a"}]}]}`))
	f.Add([]byte(`{"temperature":1,"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[]},{"role":"user","content":"b"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		history, question, ignored, err := httpapi.ReadCompletion(body)
		if err != nil {
			if kind := chat.KindOf(err); kind == chat.Internal {
				t.Errorf("%q is our fault: %v", body, err)
			}
			return
		}
		for _, m := range history {
			if m.Role != chat.Customer && m.Role != chat.Assistant || strings.TrimSpace(string(m.Text)) == "" {
				t.Errorf("%q has %+v in its history", body, m)
			}
		}
		if strings.ContainsAny(ignored, "\r\n") || len(question) > len(body) {
			t.Errorf("%q is read as %q, ignoring %q", body, question, ignored)
		}
	})
}

func FuzzReadUI(f *testing.F) {
	f.Add([]byte(`{"id":"1","trigger":"submit-message","messageId":"m","messages":[{"id":"m","role":"user","parts":[{"type":"text","text":"a"}]}]}`))
	f.Add([]byte(`{"id":"1","trigger":"regenerate-message","messages":[{"role":"user","parts":[{"type":"data-x","text":"a"}]},{"role":"assistant"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		chatID, clientID, text, err := httpapi.ReadUI(body)
		if err != nil {
			if kind := chat.KindOf(err); kind == chat.Internal {
				t.Errorf("%q is our fault: %v", body, err)
			}
			return
		}
		if chatID == "" || len(clientID) > 128 || len(text) > len(body) {
			t.Errorf("%q is read as %q, %q, %q", body, chatID, clientID, text)
		}
	})
}
