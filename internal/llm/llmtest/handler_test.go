package llmtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/llm"
)

// form is a format and how a reply is sent.
type form struct {
	name   string // in the files of testdata/wire
	path   string
	stream bool
}

var forms = []form{
	{"openai stream", "/v1/chat/completions", true},
	{"openai whole", "/v1/chat/completions", false},
	{"anthropic stream", "/v1/messages", true},
	{"anthropic whole", "/v1/messages", false},
	{"gemini stream", "/v1beta/models/m:streamGenerateContent?alt=sse", true},
	{"gemini array", "/v1beta/models/m:streamGenerateContent", true},
	{"gemini whole", "/v1beta/models/m:generateContent", false},
}

// body returns a request as the vendor's clients write it.
func (f form) body(question string) string {
	q := jsonString(question)
	switch {
	case strings.HasPrefix(f.name, "openai"):
		return fmt.Sprintf(`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":%s}],"stream":%t,"stream_options":{"include_usage":true}}`, q, f.stream)
	case strings.HasPrefix(f.name, "anthropic"):
		return fmt.Sprintf(`{"model":"m","max_tokens":100,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":%s}]}],"stream":%t}`, q, f.stream)
	}
	return fmt.Sprintf(`{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":%s}]}]}`, q)
}

func (f form) request(url, question string) *http.Request {
	req, err := http.NewRequest(http.MethodPost, url+f.path, strings.NewReader(f.body(question)))
	if err != nil {
		panic(err) // the path is constant
	}
	req.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(f.name, "anthropic") {
		req.Header.Set("Anthropic-Version", "2023-06-01")
	}
	return req
}

func serve(t *testing.T, script string) *httptest.Server {
	t.Helper()
	s, err := Parse("script", script)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return srv
}

// do sends a request and returns the response and its whole body.
func do(t *testing.T, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

var created = regexp.MustCompile(`"created":[0-9]+`)

// TestWire plays each script of testdata/wire in every form and compares what is on the
// wire with the section of that form.
func TestWire(t *testing.T) {
	for name, archive := range wireFiles(t) {
		t.Run(name, func(t *testing.T) {
			script, question := string(archive.Files[0].Data), strings.TrimSpace(string(archive.Files[1].Data))
			var got []txtar.File
			for _, f := range forms {
				resp, body := do(t, f.request(serve(t, script).URL, question))
				var b bytes.Buffer
				fmt.Fprintln(&b, resp.StatusCode, resp.Header.Get("Content-Type"))
				for _, name := range []string{"Retry-After", "Retry-After-Ms"} {
					if v := resp.Header.Get(name); v != "" {
						fmt.Fprintf(&b, "%s: %s\n", name, v)
					}
				}
				b.Write(created.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\\r\n")), []byte(`"created":0`)))
				if !bytes.HasSuffix(b.Bytes(), []byte("\n")) {
					b.WriteByte('\n')
				}
				got = append(got, txtar.File{Name: f.name, Data: b.Bytes()})
			}
			want := archive.Files[2:]
			if *update {
				archive.Files = append(archive.Files[:2], got...)
				if err := os.WriteFile(filepath.Join("testdata/wire", name), txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(want) != len(got) {
				t.Fatalf("%d sections, want one for each of %d forms", len(want), len(got))
			}
			for i := range got {
				if want[i].Name != got[i].Name || !bytes.Equal(want[i].Data, got[i].Data) {
					t.Errorf("%s: got\n%s\nwant\n%s", got[i].Name, got[i].Data, want[i].Data)
				}
			}
		})
	}
}

func wireFiles(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/wire/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v", files, err)
	}
	all := map[string]*txtar.Archive{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(archive.Files) < 2 || archive.Files[0].Name != "script" || archive.Files[1].Name != "question" {
			t.Fatalf("%s: want the sections script and question first", file)
		}
		all[filepath.Base(file)] = archive
	}
	return all
}

// TestSameOverHTTP checks that a script says over HTTP what it says in process.
func TestSameOverHTTP(t *testing.T) {
	const script = "Hello {{question}} \"quoted\" \\ \n\ttab\n\x7f\u2028 ümläut {{n}}\nfinish stop"
	s, err := Parse("script", script)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for c, err := range s.Provider().Stream(t.Context(), llm.Request{Question: "<you>\x01"}) {
		if err != nil {
			t.Fatal(err)
		}
		want.WriteString(c.Text)
	}
	for _, f := range forms {
		_, body := do(t, f.request(serve(t, script).URL, "<you>\x01"))
		if got := textIn(t, f, body); got != want.String() {
			t.Errorf("%s: %q, want %q", f.name, got, want.String())
		}
	}
}

// events returns the JSON values of a response.
func events(f form, body []byte) []json.RawMessage {
	var all []json.RawMessage
	switch {
	case !f.stream:
		all = append(all, body)
	case f.name == "gemini array":
		if json.Unmarshal(body, &all) != nil {
			return []json.RawMessage{body}
		}
	default:
		for line := range bytes.Lines(body) {
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && !bytes.HasPrefix(data, []byte("[DONE]")) {
				all = append(all, bytes.TrimSpace(data))
			}
		}
	}
	return all
}

// textIn returns the text of a response.
func textIn(t *testing.T, f form, body []byte) string {
	t.Helper()
	type part struct{ Text, Content string }
	var all strings.Builder
	for _, e := range events(f, body) {
		var event struct {
			Choices    []struct{ Delta, Message part }
			Delta      part
			Content    []part
			Candidates []struct{ Content struct{ Parts []part } }
		}
		if err := json.Unmarshal(e, &event); err != nil {
			t.Fatalf("%s: %v in %s", f.name, err, e)
		}
		all.WriteString(event.Delta.Text)
		for _, c := range event.Content {
			all.WriteString(c.Text)
		}
		for _, c := range event.Choices {
			all.WriteString(c.Delta.Content + c.Message.Content)
		}
		for _, c := range event.Candidates {
			for _, p := range c.Content.Parts {
				all.WriteString(p.Text)
			}
		}
	}
	return all.String()
}

// TestRequests checks what the fake refuses as its vendors do, and that such a request
// takes no answer.
func TestRequests(t *testing.T) {
	srv := serve(t, "first\n---\nsecond")
	for _, test := range []struct{ path, version, body, want string }{
		{"/v1/chat/completions", "", `{"model"`, "no JSON"},
		{"/v1/chat/completions", "", `{"messages":[{"role":"user","content":"x"}]}`, "model"},
		{"/v1/chat/completions", "", `{"model":"m","messages":[]}`, "messages"},
		{"/v1/messages", "", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]}`, "anthropic-version"},
		{"/v1/messages", "2023-06-01", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, "max_tokens"},
		{"/v1/messages", "2023-06-01", `{"model":"m","max_tokens":1}`, "messages"},
		{"/v1beta/models/m:generateContent", "", `{"contents":[]}`, "contents"},
	} {
		req, err := http.NewRequest(http.MethodPost, srv.URL+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		if test.version != "" {
			req.Header.Set("Anthropic-Version", test.version)
		}
		resp, body := do(t, req)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), test.want) {
			t.Errorf("%s %s: %d %s, want 400 about %s", test.path, test.body, resp.StatusCode, body, test.want)
		}
	}
	resp, _ := do(t, httptestGet(srv.URL+"/v1/completions", ""))
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown path: %d, want 404", resp.StatusCode)
	}
	if _, body := do(t, forms[0].request(srv.URL, "q")); textIn(t, forms[0], body) != "first" {
		t.Errorf("requests that were refused took an answer: %s", body)
	}
}

func httptestGet(url, header string) *http.Request {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		panic(err) // the URLs are constant
	}
	if header != "" {
		req.Header.Set(header, "x")
	}
	return req
}

// TestModels checks that each vendor's list is asked for as its clients do.
func TestModels(t *testing.T) {
	srv := serve(t, "x")
	for _, test := range []struct{ path, header, want string }{
		{"/v1/models", "Authorization", `"object":"list"`},
		{"/v1/models", "Anthropic-Version", `"has_more":false`},
		{"/v1beta/models", "X-Goog-Api-Key", `"models/scripted"`},
	} {
		if resp, body := do(t, httptestGet(srv.URL+test.path, test.header)); resp.StatusCode != http.StatusOK || !strings.Contains(string(body), test.want) {
			t.Errorf("%s with %s: %d %s, want %s", test.path, test.header, resp.StatusCode, body, test.want)
		}
	}
}

// statsOf asks a server what it was asked.
func statsOf(t *testing.T, srv *httptest.Server, query string) (got struct {
	counts
	Formats map[string]counts
	Last    []seen
}) {
	t.Helper()
	_, body := do(t, httptestGet(srv.URL+"/stats"+query, ""))
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestStats(t *testing.T) {
	srv := serve(t, "one\n---\ntwo")
	for _, f := range []form{forms[0], forms[2], forms[4]} {
		req := f.request(srv.URL, "Q "+f.name)
		req.Header.Set("Authorization", "Bearer sk-1")
		req.Header.Set("X-Api-Key", "sk-2")
		req.Header.Set("X-Goog-Api-Key", "sk-3")
		do(t, req)
	}
	got := statsOf(t, srv, "?last=2")
	if got.counts != (counts{Requests: 3}) || got.Formats["gemini"] != (counts{Requests: 1}) || len(got.Last) != 2 {
		t.Fatalf("stats = %+v, want 3 requests, one of gemini, and the last 2", got)
	}
	last := got.Last[1]
	if last.Format != "gemini" || last.Path != "/v1beta/models/m:streamGenerateContent" || !strings.Contains(string(last.Body), "Q gemini stream") {
		t.Errorf("the last request is %+v, want Gemini's with its body", last)
	}
	if text := fmt.Sprint(got); strings.Contains(text, "sk-") || !strings.Contains(text, "(secret)") {
		t.Errorf("keys are not hidden: %s", text)
	}
	if resp, err := http.Post(srv.URL+"/reset", "", nil); err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("reset = %v, %v", resp, err)
	}
	if got := statsOf(t, srv, "?last=9"); got.counts != (counts{}) || len(got.Last) != 0 {
		t.Errorf("after reset: %+v, want nothing", got)
	}
	if _, body := do(t, forms[1].request(srv.URL, "q")); textIn(t, forms[1], body) != "one" {
		t.Errorf("after reset the script goes on: %s", body)
	}
}

// TestManyClients checks that each answer goes to one client, in every form at once.
func TestManyClients(t *testing.T) {
	const calls = 70
	var script strings.Builder
	for i := range calls {
		fmt.Fprintf(&script, "answer %d\n---\n", i)
	}
	srv := serve(t, script.String()+"none")
	var mu sync.Mutex
	var got []string
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			f := forms[i%len(forms)]
			resp, err := http.DefaultClient.Do(f.request(srv.URL, "q"))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, textIn(t, f, body))
		})
	}
	wg.Wait()
	slices.Sort(got)
	if len(slices.Compact(got)) != calls || slices.Contains(got, "none") {
		t.Errorf("%d different answers, want %d", len(got), calls)
	}
	if got := statsOf(t, srv, ""); got.counts != (counts{Requests: calls}) {
		t.Errorf("stats = %+v, want %d requests and none in flight", got.counts, calls)
	}
}

// TestPassageOf checks where passages are found in a prompt.
func TestPassageOf(t *testing.T) {
	for _, test := range []struct {
		prompt string
		n      int
		want   string
	}{
		{"[1] Shipping\nWe ship. Fast.\n[2] Returns\nSend it back. Soon.", 2, "Send it back."},
		{"[1] You have 30 days. Really.", 1, "You have 30 days."},
		{"## 1. Shipping\n\nWe ship on Mondays.\n\n## 2. Returns\n\nWithin 30 days.", 1, "We ship on Mondays."},
		{"1. Be brief.\n2. Cite.\n\n[1] Shipping\nWe ship.", 1, "We ship."},
		{"**[3]** no sentence\n", 3, "no sentence"},
		{"It costs 1.50 EUR. [1]\n2026.", 1, ""},
		{"[1] a.\n", 12, ""},
		{"", 1, ""},
	} {
		if got, ok := passageOf(test.prompt, test.n); got != test.want || ok != (got != "") {
			t.Errorf("passage %d of %q = %q, %t, want %q", test.n, test.prompt, got, ok, test.want)
		}
	}
}

// TestPrompt checks what is read from a whole prompt: the question, fenced in or not, and
// passages from wherever they are.
func TestPrompt(t *testing.T) {
	const fenced = "<documents K1>\n[1] Returns\nYou have 30 days. Really.\n</documents K1>\n<customer K1>\nHow long?\n</customer K1>\nAnswer.\n"
	for _, test := range []struct{ messages, script, want string }{
		{`{"role":"system","content":"[1] From the system."},{"role":"user","content":"[2] Earlier."},{"role":"assistant","content":"Hm"},{"role":"user","content":"Now?"}`,
			"{{passage 1}} {{passage 2}} {{passage 3}} {{question}}", "From the system. Earlier. (no passage 3) Now?"},
		{`{"role":"user","content":` + jsonString(fenced) + `}`,
			"when 30 days\n{{passage 1}} {{question}}", "You have 30 days. How long?"},
		{`{"role":"user","content":"<customer and no end"}`, "{{question}}", "<customer and no end"},
		{`{"role":"user","content":"Where?"},{"role":"assistant","tool_calls":[]},{"role":"tool","content":"42"}`, "{{question}}", "Where?"},
	} {
		req, err := http.NewRequest(http.MethodPost, serve(t, test.script).URL+"/v1/chat/completions", strings.NewReader(`{"model":"m","messages":[`+test.messages+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, body := do(t, req); textIn(t, forms[1], body) != test.want {
			t.Errorf("%s: %s, want %q", test.messages, body, test.want)
		}
	}
}

// BenchmarkHandler asks for streams of 60 chunks without pauses.
func BenchmarkHandler(b *testing.B) {
	s, err := ParseSpec("tokens=60")
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	for _, f := range []form{forms[0], forms[2], forms[4]} {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := http.DefaultClient.Do(f.request(srv.URL, "q"))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}

// FuzzRequest checks that no request breaks the fake: what it cannot read it refuses.
func FuzzRequest(f *testing.F) {
	for _, form := range forms {
		f.Add(form.body("q"))
	}
	s, err := Parse("script", "{{question}} {{passage 1}}")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, form := range forms {
			req := form.request("http://fake", "")
			req.Body = io.NopCloser(strings.NewReader(body))
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, req)
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
				t.Fatalf("%s: status %d", form.name, w.Code)
			}
			if form.name != "gemini array" { // elsewhere the body may have a say in it
				form.stream = strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream")
			}
			for _, e := range events(form, w.Body.Bytes()) {
				if w.Code == http.StatusOK && !json.Valid(e) {
					t.Fatalf("%s: %q is no JSON", form.name, e)
				}
			}
		}
	})
}
