package httpapi_test

import (
	"context"
	"html"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/turn"
)

func TestStaticFiles(t *testing.T) {
	s := newServer(t, "")
	for path, want := range map[string]string{"/plain.css": "text/css; charset=utf-8", "/source.css": "text/css; charset=utf-8",
		"/favicon.svg": "image/svg+xml", "/openapi.json": "application/json"} {
		r := s.get(path).want(200)
		if got := r.Header.Get("Content-Type"); got != want || r.body == "" {
			t.Errorf("%s is %q of %d bytes, want %q", path, got, len(r.body), want)
		}
		if policy := r.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "unsafe") {
			t.Errorf("the policy of %s is %q", path, policy)
		}
		s.get(path, "If-None-Match: "+r.Header.Get("ETag")).want(304)
	}
}

func TestThePage(t *testing.T) {
	s := newServer(t, "", func(api *httpapi.Server) { api.Web = someFiles(t) })
	r := s.get("/", "Accept-Language: de").want(200)
	for _, want := range []string{`<html lang="de" dir="ltr">`, `<title>Kundenservice</title>`, `href="/assets/page-2.css"`, `src="/assets/page-1.js"`,
		`<h2 class="greeting" dir="auto">Wie können wir Ihnen helfen?</h2>`, "KI-Assistent, kein Mensch", `placeholder="Nachricht schreiben …"`,
		`<form class="composer" id="plain" method="post" action="/#newest"`} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	h := r.Header
	want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	if got := h.Get("Content-Security-Policy"); got != want {
		t.Errorf("the policy is\n%s, want\n%s", got, want)
	}
	if h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Cache-Control") != "private, no-cache" ||
		!slices.Contains(h["Vary"], "Accept-Language") {
		t.Errorf("headers are %v", h)
	}
	if rtl := s.get("/?locale=ar").want(200); !strings.Contains(rtl.body, `<html lang="ar" dir="rtl">`) {
		t.Error("Arabic is not written from the right")
	}
	if again := s.get("/"); hidden(t, again.body, "token") == hidden(t, r.body, "token") {
		t.Error("two visitors get the same token")
	}
	s.get("/?assistant=nobody").problem(422, "invalid", "there is no assistant")
}

// What is hostile in the settings stays text, also in the settings that the script reads.
func TestThePageEscapes(t *testing.T) {
	s := newServer(t, "")
	r := s.get("/?assistant=other&locale=en").want(200)
	if n := strings.Count(r.body, "<script"); n != 1 || strings.Contains(r.body, "Ask </script>") || strings.Contains(r.body, `"Quoted" <b>`) {
		t.Errorf("the page has %d scripts:\n%s", n, r.body)
	}
	for _, want := range []string{`Ask &lt;/script&gt; us`, `value="&#34;Quoted&#34; &lt;b&gt;"`, `href="https://other.example/privacy?a=1&amp;b=2"`, `action="/?assistant=other&amp;locale=en#newest"`,
		"<style>:root{--given-accent:light-dark(#123456,#"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	policy := r.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "img-src 'self' blob: data: https://cdn.example;") || !regexp.MustCompile(`style-src 'self' 'sha256-[A-Za-z0-9+/]{43}=';`).MatchString(policy) {
		t.Errorf("the policy is %q", policy)
	}
}

func TestTheFrame(t *testing.T) {
	s := newServer(t, "", func(api *httpapi.Server) { api.Access.Origins = []string{"https://shop.example"} })
	for path, want := range map[string]string{
		"/embed":                 "frame-ancestors 'self' https://shop.example;",
		"/embed?assistant=other": "frame-ancestors 'self' https://other.example;",
	} {
		r := s.get(path).want(200)
		if policy := r.Header.Get("Content-Security-Policy"); !strings.Contains(policy, want) {
			t.Errorf("%s: %s, want %s", path, policy, want)
		}
		if strings.Contains(r.body, "<header") || !strings.Contains(r.body, `class="app embed"`) || !strings.Contains(r.body, `value="person"`) {
			t.Errorf("%s:\n%s", path, r.body)
		}
	}
}

func TestThePageHasAllWords(t *testing.T) {
	words := httpapi.Words()
	if len(words) != 13 {
		t.Errorf("there are words in %d languages, want 13", len(words))
	}
	plain := func(words map[string]string) []string {
		return slices.DeleteFunc(slices.Sorted(maps.Keys(words)), func(key string) bool { return !strings.HasPrefix(key, "plain.") })
	}
	for lang, w := range words {
		if got, want := plain(w), plain(words["en"]); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %q, want %q", lang, got, want)
		}
		for _, key := range plain(w) {
			if text := w[key]; strings.TrimSpace(text) == "" || strings.Contains(text, "{n}") != (key == "plain.error_many") {
				t.Errorf("%s: %s is %q", lang, key, text)
			}
		}
	}
	source, err := filepath.Glob("*.go")
	must(t, err)
	var text string
	for _, file := range append(source, "page/page.html") {
		b, err := os.ReadFile(file)
		must(t, err)
		text += string(b)
	}
	for _, m := range regexp.MustCompile(`Word "((?:shell|thread|plain)\.\w+)"|Word\("((?:shell|thread|plain)\.\w+)"\)`).FindAllStringSubmatch(text, -1) {
		for lang := range words {
			if key := m[1] + m[2]; words[lang][key] == "" {
				t.Errorf("%s: there are no words for %s", lang, key)
			}
		}
	}
}

// visitor leads a conversation without script.
type visitor struct {
	*server
	path string
	page string
}

func (s *server) visitor(path string) *visitor {
	s.Helper()
	return &visitor{s, path, s.get(path).want(200).body}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

func hidden(t testing.TB, page, name string) string {
	t.Helper()
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		if m[1] == name {
			return html.UnescapeString(m[2])
		}
	}
	t.Fatalf("the page has no field %s:\n%s", name, page)
	return ""
}

// form is what a browser would send of the page, with these fields.
func (v *visitor) form(fields ...string) string {
	v.Helper()
	form := url.Values{"token": {hidden(v, v.page, "token")}, "client_id": {hidden(v, v.page, "client_id")}, "text": {""}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form.Encode()
}

// submit sends a form and takes the page that comes.
func (v *visitor) submit(form string, headers ...string) reply {
	v.Helper()
	r := v.post(v.path, form, append([]string{"Content-Type: application/x-www-form-urlencoded", "Origin: " + v.URL, "Sec-Fetch-Site: same-origin"}, headers...)...)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		v.page = r.body
		if !strings.HasSuffix(r.body, "</html>\n") {
			v.Errorf("the page is cut off:\n%s", r.body)
		}
	}
	return r
}

func (v *visitor) has(parts ...string) {
	v.Helper()
	for _, part := range parts {
		if !strings.Contains(v.page, part) {
			v.Errorf("the page has no %s:\n%s", part, v.page)
		}
	}
}

// conversation is the one that the page leads.
func (v *visitor) conversation() (chat.Conversation, []chat.Message) {
	v.Helper()
	id, _, _ := access.ParseToken(hidden(v, v.page, "token"))
	c, err := v.store.Conversation(v.Context(), id)
	must(v, err)
	said, _, err := v.store.Messages(v.Context(), c, 0, 100)
	must(v, err)
	return c, said
}

func TestAConversationWithoutScript(t *testing.T) {
	s := newServer(t, "We **do**.\n\n- Vienna\n- <b>Graz</b>\n\nSee https://shop.example/a?b=1&c=2.\n---\nTo Berne as well.")
	s.closed() // tokens are checked
	v := s.visitor("/?locale=en")
	first := v.form("text", "Do you deliver\r\nto <Austria>?")
	r := v.submit(first).want(200)
	v.has("Do you deliver\nto &lt;Austria&gt;?", "<strong>do</strong>", "<ul><li dir=\"auto\">Vienna</li><li dir=\"auto\">&lt;b&gt;Graz&lt;/b&gt;</li></ul>",
		`<a href="https://shop.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow">https://shop.example/a?b=1&amp;c=2</a>.`,
		`id="newest"`, `value="look"`)
	if r.Header.Get("Cache-Control") != "no-store" || strings.Contains(v.page, "<script type=\"module\"") {
		t.Errorf("%v\n%s", r.Header, v.page)
	}
	v.submit(v.form("text", "And to Switzerland?")).want(200)
	v.has("<strong>do</strong>", "And to Switzerland?", "To Berne as well.")
	c, said := v.conversation()
	if len(said) != 4 || c.Assistant != "demo" {
		t.Errorf("the conversation is %+v: %+v", c, said)
	}

	// Sent again, and again with the page of before: nothing is repeated.
	v.submit(first).want(200)
	if _, said := v.conversation(); len(said) != 4 {
		t.Errorf("%d messages after a reload, want 4", len(said))
	}
	if strings.Count(v.page, "To Berne") != 1 || strings.Contains(v.page, "being written") {
		t.Errorf("the page after a reload:\n%s", v.page)
	}
	v.submit(v.form("act", "look")).want(200)
	if strings.Count(v.page, "<article") != 4 {
		t.Errorf("the page of a second look:\n%s", v.page)
	}
	token := hidden(t, v.page, "token")
	fresh := v.submit(v.form("act", "fresh"))
	if fresh.Request.Method != "GET" || fresh.Request.URL.RequestURI() != "/?locale=en" || hidden(t, v.page, "token") == token {
		t.Errorf("a new conversation is at %s", fresh.Request.URL)
	}
	for _, m := range said {
		if strings.Contains(s.log.String(), string(m.Text)) {
			t.Error("words are in the log")
		}
	}
}

func TestWhoGoesBackWritesAnotherMessage(t *testing.T) {
	s := newServer(t, "Yes.")
	v := s.visitor("/")
	back := v.page
	v.submit(v.form("text", "One?")).want(200)
	v.page = back
	v.submit(v.form("text", "Two?")).want(200)
	if _, said := v.conversation(); len(said) != 4 || said[2].Text != "Two?" {
		t.Errorf("said = %+v", said)
	}
}

func TestSourcesWithoutScript(t *testing.T) {
	s := newServer(t, "", answeredBy(t, "We deliver within three days.", "We deliver within three days.[1]"))
	v := s.visitor("/")
	v.submit(v.form("text", "How long does delivery take?")).want(200)
	v.has(`<a class="cite" href="/sources/g1/delivery.md?start=0&amp;end=29" target="_blank" rel="noopener nofollow" title="Delivery">1</a>`,
		`<summary class="source"><span class="cite">1</span> <bdi class="name">Delivery</bdi></summary>`,
		`<blockquote dir="auto">We deliver within three days. <span class="cite">1</span></blockquote>`)
}

func TestConsentWithoutScript(t *testing.T) {
	s := newServer(t, "Yes.")
	v := s.visitor("/?assistant=other&locale=en")
	v.has(`name="consent" value="2026-11" required`)
	if first := regexp.MustCompile(`<(?:button|input)[^>]*type="submit"[^>]*>`).FindString(v.page); strings.Contains(first, "value=") {
		t.Errorf("Enter on the consent presses %s", first)
	}
	v.submit(v.form("text", "Where is it?")).want(403)
	v.has("Please agree first", ">Where is it?</textarea>")
	v.submit(v.form("suggestion", "Where is it?", "consent", "2026-11")).want(200)
	v.has("Where is it?", "Yes.")
	if strings.Contains(v.page, `name="consent"`) || strings.Contains(v.page, `name="suggestion"`) {
		t.Errorf("a conversation that has begun asks for consent or suggests:\n%s", v.page)
	}
	if c, _ := v.conversation(); c.Assistant != "other" {
		t.Errorf("the assistant is %s", c.Assistant)
	}
}

func TestAPersonWithoutScript(t *testing.T) {
	s := newServer(t, "Yes.", takesFiles)
	v := s.visitor("/")
	v.submit(v.form("act", "person")).want(200)
	v.has("You are in the queue", "A person will answer you here", `value="look"`)
	v.submit(v.form("text", "Are you there?")).want(200)
	v.has("Are you there?", "A person will answer you here")
	c, said := v.conversation()
	if c.Owner != chat.Queue || len(said) != 1 {
		t.Errorf("the conversation is %+v: %+v", c, said)
	}
	s.post("/api/conversations/"+string(c.ID)+"/take", `{"name":"Ada <b>"}`).want(200)
	label := decode[chat.File](s.upload("/v1/conversations/"+string(c.ID), "label & more.png", "image/png", png).want(201))
	s.post("/api/conversations/"+string(c.ID)+"/messages", `{"text":"I am & here.","files":["`+string(label.ID)+`"]}`).want(202)
	v.submit(v.form("act", "look")).want(200)
	v.has("You are talking to a person", "<bdi>Ada &lt;b&gt;</bdi>", "I am &amp; here.", "<bdi>label &amp; more.png</bdi>")
	if strings.Contains(v.page, "being written") {
		t.Error("an answer is promised")
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	s := newServer(t, "Yes.", func(api *httpapi.Server) { api.Limits.MessagesPerMinute = 2 })
	v := s.visitor("/")
	for _, foreign := range []string{"Origin: https://strange.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"} {
		s.post("/", v.form("text", "Hi"), "Content-Type: application/x-www-form-urlencoded", foreign).problem(403, "forbidden", "")
	}
	for _, test := range []struct {
		what, form string
		status     int
		says, kept string
	}{
		{"nothing", v.form("text", " \n"), 422, "Please write a message first.", " \n"},
		{"too long", v.form("text", strings.Repeat("a", 32<<10+1)), 413, "Your message is too long.", strings.Repeat("a", 32<<10+1)},
		{"too large", v.form("text", strings.Repeat("a", 300<<10)), 413, "Your message is too long.", ""},
		{"no form", `{"text":"%zz"}`, 400, "Something went wrong", ""},
		{"no token", "text=Hi", 400, "This page was out of date.", "Hi"},
		{"a strange name", v.form("text", "Hi", "client_id", "<x>"), 400, "This page was out of date.", "Hi"},
	} {
		v := *v
		v.submit(test.form).want(test.status)
		v.has(test.says, `role="alert"`, ">"+test.kept+"</textarea>")
	}
	s.post("/", `{"text":"Hi"}`).want(415)

	v.submit(v.form("text", "One")).want(200)
	id, _, _ := access.ParseToken(hidden(t, v.page, "token"))
	wrong, _ := access.NewToken(id)
	thief := *v
	thief.submit(v.form("token", wrong, "text", "Show me")).want(400)
	if strings.Contains(thief.page, "One") || !strings.Contains(thief.page, ">Show me</textarea>") {
		t.Errorf("with a wrong token:\n%s", thief.page)
	}
	v.submit(v.form("text", "Two")).want(200)
	r := v.submit(v.form("text", "Three")).want(429)
	v.has("Please wait "+r.Header.Get("Retry-After")+" s and send again.", ">Three</textarea>", "Two")

	closing := s.visitor("/")
	closing.submit(closing.form("text", "One")).want(200)
	c, _ := closing.conversation()
	s.post("/v1/conversations/"+string(c.ID)+"/close", "").want(202)
	closing.submit(closing.form("text", "Still there?")).want(409)
	closing.has("This conversation has ended", ">Still there?</textarea>", "What you write now begins a new conversation.")
	closing.submit(closing.form("text", "Still there?")).want(200)
	if now, said := closing.conversation(); now.ID == c.ID || len(said) != 2 {
		t.Errorf("after the end: %+v %+v", now, said)
	}
}

// The head comes before the answer is there, and signs of life until it is.
func TestTheHeadOfThePageDoesNotWait(t *testing.T) {
	may := make(chan struct{})
	s := newServer(t, "Slowly.", func(api *httpapi.Server) {
		api.Limits.Heartbeat = 5 * time.Millisecond
		runner := *api.Inbox.Runner("demo")
		script, err := llmtest.Parse("script", "Slowly.")
		must(t, err)
		runner.Model = &llm.Client{Models: llm.Only(held{script.Provider(), may})}
		api.Inbox.Runner = func(string) *turn.Runner { return &runner }
	})
	v := s.visitor("/")
	resp := s.open(t.Context(), "POST", "/", v.form("text", "Hurry"), "Content-Type: application/x-www-form-urlencoded")
	defer resp.Body.Close()
	var got strings.Builder
	b := make([]byte, 4096)
	for !strings.Contains(got.String(), "<!-- -->") {
		n, err := resp.Body.Read(b)
		must(t, err)
		got.Write(b[:n])
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(got.String(), "Hurry") || !strings.Contains(got.String(), "being written") || strings.Contains(got.String(), "Slowly.") {
		t.Errorf("the head is %s", got.String())
	}
	close(may)
	for {
		n, err := resp.Body.Read(b)
		got.Write(b[:n])
		if err != nil {
			break
		}
	}
	if !strings.Contains(got.String(), "Slowly.") || !strings.HasSuffix(got.String(), "</html>\n") {
		t.Errorf("the page is %s", got.String())
	}
}

// A server that stops does not leave half a page behind.
func TestThePageIsWholeWhenTheServerStops(t *testing.T) {
	s := newServer(t, "", func(api *httpapi.Server) {
		runner := *api.Inbox.Runner("demo")
		runner.Model = &llm.Client{Models: llm.Only(held{nil, nil})}
		api.Inbox.Runner = func(string) *turn.Runner { return &runner }
	})
	v := s.visitor("/")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := httptest.NewRequestWithContext(ctx, "POST", s.URL+"/", strings.NewReader(v.form("text", "Hurry")))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := &stopping{httptest.NewRecorder(), stop}
	s.http.Config.Handler.ServeHTTP(w, r)
	v.page = w.Body.String()
	v.has("Hurry", "The answer is still being written. Look again in a moment.", "</html>")
}

// stopping stops the server when the head of the page is written.
type stopping struct {
	*httptest.ResponseRecorder
	stop context.CancelFunc
}

func (s *stopping) Flush() { s.stop() }

// held is a provider that says nothing until it may.
type held struct {
	llm.Provider
	may chan struct{}
}

func (h held) Name() string { return "held" }

func (h held) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	select {
	case <-h.may:
		return h.Provider.Stream(ctx, req)
	case <-ctx.Done():
		return func(yield func(llm.Chunk, error) bool) { yield(llm.Chunk{}, ctx.Err()) }
	}
}

// Whatever colour is given, it can be read in light and in dark.
func TestAccentsAreReadable(t *testing.T) {
	for _, accent := range []string{"#ffd400", "#000000", "#ffffff", "#808080", "#0000ff", "#ff0000", "#0B6E64", "#0b6e63", "#123456"} {
		light, dark := httpapi.Accents(accent)
		if light < 4.5 || dark < 4.5 {
			t.Errorf("%s has a contrast of %.1f in light and %.1f in dark, want at least 4.5", accent, light, dark)
		}
	}
}
