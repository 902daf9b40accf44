package app

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
)

// distinctive is a key that must not be seen, nor much of it.
const distinctive = "sk-Wq7Distinctive-Zb94xkTr02"

// writes answers both questions of a trial as it should.
const writes = `when thirty
one, two, three, four, five, six, seven, eight, nine, ten
usage 30 20 12
---
when order 7
call look_up_order {"order":"7"}
`

func handler(t *testing.T, script string) http.Handler {
	t.Helper()
	s, err := llmtest.Parse("script", script)
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

// alone takes all that the environment says of vendors and of us.
func alone(t *testing.T) {
	t.Helper()
	for _, name := range (Checkup{}).variables() {
		t.Setenv(name, "")
	}
}

// newCheckup is of a new machine, with these models.
func newCheckup(t *testing.T, models ...ModelConfig) Checkup {
	t.Helper()
	alone(t)
	t.Setenv("TEST_KEY", distinctive)
	t.Chdir(t.TempDir())
	c := Checkup{Config: DefaultConfig()}
	c.Config.Listen, c.Config.Models = "127.0.0.1:0", models
	return c
}

// print writes a report as the command does, about.
func (r Report) print() string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(strings.Join([]string{f.Area, f.Name, string(f.State), f.Detail, f.Advice}, " | ") + "\n")
	}
	return b.String() + r.Summary + "\n"
}

// expect looks for the beginnings of lines in a report, and for the key.
func expect(t *testing.T, r Report, want ...string) {
	t.Helper()
	got := r.print()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("the report has no %q:\n%s", w, got)
		}
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, all := range []string{got, string(encoded)} {
		if strings.Contains(all, distinctive) || strings.Contains(all, distinctive[:12]) || strings.Contains(all, distinctive[len(distinctive)-8:]) {
			t.Errorf("the key is seen:\n%s", all)
		}
	}
}

func TestDoctorAsksEveryVendor(t *testing.T) {
	server := httptest.NewServer(handler(t, writes))
	defer server.Close()
	for _, vendor := range []string{"openai", "anthropic", "gemini"} {
		price := Price{Input: Dollars{250_000}, Output: Dollars{2_000_000}}
		r := Examine(t.Context(), newCheckup(t, ModelConfig{Provider: vendor, Model: "scripted", BaseURL: server.URL, KeyEnv: "TEST_KEY", Price: price}))
		area := "model 1 (" + vendor + " scripted) | "
		expect(t, r,
			area+"address | ok | "+server.URL,
			area+"key | ok | TEST_KEY is set",
			area+"connection | ok | ",
			" for a whole small request (p50 of 3)",
			area+"model | ok | scripted, one of 1 model",
			area+"answer | ok | first words after ",
			area+"streaming | ok | yes, in 10 pieces",
			area+"tools | ok | it called the tool",
			area+"usage | ok | 30 tokens in, 20 out; 12 from its cache",
			area+"price | ok | $0.0008 for an average answer",
			"Customers are answered by "+vendor+" scripted; quoting the documents comes last.")
		if !r.OK || r.Warnings > 0 {
			t.Errorf("%s: ok %v with %d warnings, want no complaint:\n%s", vendor, r.OK, r.Warnings, r.print())
		}
	}
}

func TestDoctorSaysWhatIsWrongWithAModel(t *testing.T) {
	refuse := func(status int, contentType, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			io.WriteString(w, body)
		})
	}
	good := handler(t, writes)
	tests := map[string]struct {
		model   string
		handler http.Handler // nil: nothing listens
		want    []string
		works   bool
	}{
		"a wrong key": {"scripted", refuse(401, "application/json", `{"error":{"message":"Incorrect key `+distinctive+`","code":"invalid_api_key"}}`), []string{
			"answer | FAIL | HTTP 401: Incorrect key *** | the key is wrong or was revoked: set TEST_KEY",
			"because no configured model works"}, false},
		"an unknown model": {"scriptid", handler(t, "status 404"), []string{
			"model | FAIL | scriptid is not in the list of 1 model | did you mean scripted? Set it as model in answerable.yaml, or in OPENAI_MODEL",
			"answer | FAIL | HTTP 404"}, false},
		"a web page": {"scripted", refuse(200, "text/html", "<html>Sign in</html>"), []string{
			`answer | FAIL | `, `this may be a web page, a login, or a proxy in between`}, false},
		"nothing": {"scripted", nil, []string{
			"connection | FAIL | ", "connection refused", "nothing answers there: look at base_url of models"}, false},
		"silence": {"scripted", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), []string{
			"connection | FAIL | no answer within 100ms | look at the provider's status page"}, false},
		"no stream": {"scripted", unstreamed(good), []string{
			"streaming | warn | no: everything came at once, in one piece | customers see nothing until it is whole"}, true},
		"a proxy that buffers": {"scripted", buffered(handler(t, strings.Replace(writes, "thirty\n", "thirty\nslow 250ms\n", 1))), []string{
			"streaming | warn | no: all 10 pieces came at once"}, true},
		"a model without tools": {"scripted", handler(t, "I would rather count."), []string{
			"tools | warn | it was offered a tool and asked to call it, and did not"}, true},
		"tools refused": {"scripted", handler(t, "when thirty\none, two\n---\nstatus 400"), []string{
			"tools | warn | HTTP 400"}, true},
		"no list of models": {"scripted", unlisted(good), []string{
			"model | ok | scripted answers; the list of models cannot be had: HTTP 404"}, true},
		"a model of another name": {"alias", good, []string{
			"model | ok | alias answers, though it is not in the list of 1 model"}, true},
		"the first model": {"", good, []string{
			"model 1 (openai scripted) | model | ok | scripted, the first of 1 model"}, true},
		"no model at all": {"", refuse(200, "application/json", `{"data":[]}`), []string{
			"model 1 (openai) | model | FAIL | no model is named, and it lists none | load a model on that server"}, false},
		"a thinker": {"scripted", handler(t, "think \"hm\"\nfinish length"), []string{
			"answer | warn | 256 tokens went into thinking", "reasoning_effort"}, true},
		"an end in the middle": {"scripted", handler(t, "one, two\ncut"), []string{
			"answer | FAIL | "}, false},
		"too many requests": {"scripted", handler(t, "status 429"), []string{
			"answer | FAIL | HTTP 429: Too many requests in this minute. | try again in a moment"}, false},
		"a terminal's language": {"scripted", refuse(400, "application/json", "{\"error\":{\"message\":\"\\u001b[2Jgone\"}}"), []string{
			"answer | FAIL | HTTP 400:  [2Jgone"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := test.handler
			if h == nil {
				h = http.NotFoundHandler()
			}
			server := httptest.NewServer(h)
			if test.handler == nil {
				server.Close()
			}
			defer server.Close()
			c := newCheckup(t, ModelConfig{Provider: "openai", Model: test.model, BaseURL: server.URL, KeyEnv: "TEST_KEY"})
			if name == "silence" {
				c.limit = 100 * time.Millisecond
			}
			r := Examine(t.Context(), c)
			expect(t, r, test.want...)
			if r.OK != test.works {
				t.Errorf("ok is %v, want %v:\n%s", r.OK, test.works, r.print())
			}
			if test.works != strings.Contains(r.Summary, "answered by openai") {
				t.Errorf("the summary is %q", r.Summary)
			}
		})
	}
}

// unstreamed answers in one piece, whatever is asked for.
func unstreamed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte(`"stream":true`), []byte(`"stream":false`), 1)))
		h.ServeHTTP(w, r)
	})
}

// buffered holds an answer back until it is whole.
func buffered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := httptest.NewRecorder()
		h.ServeHTTP(held, r)
		w.Header().Set("Content-Type", held.Header().Get("Content-Type"))
		w.WriteHeader(held.Code)
		w.Write(held.Body.Bytes())
	})
}

// unlisted does not list models.
func unlisted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func TestDoctorTellsWhoTakesOver(t *testing.T) {
	good, bad := httptest.NewServer(handler(t, writes)), httptest.NewServer(handler(t, "status 500"))
	defer good.Close()
	defer bad.Close()
	entry := func(vendor, url string) ModelConfig {
		return ModelConfig{Provider: vendor, Model: "scripted", BaseURL: url}
	}
	r := Examine(t.Context(), newCheckup(t, entry("anthropic", bad.URL), entry("openai", good.URL), entry("gemini", good.URL)))
	expect(t, r, "Customers are answered by openai scripted; gemini scripted takes over; quoting the documents comes last; anthropic scripted cannot answer now.",
		"key | ok | none: OPENAI_API_KEY is not set")
	if r.OK {
		t.Error("it is ok, though one does not work")
	}
}

func TestDoctorOfflineAsksNobody(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	c := newCheckup(t, ModelConfig{Provider: "openai", Model: "m", BaseURL: server.URL, KeyEnv: "TEST_KEY"}, ModelConfig{Provider: "gemini"})
	c.Config.Postgres = "postgres://shop:hush@127.0.0.1:1/shop"
	c.Offline = true
	r := Examine(t.Context(), c)
	expect(t, r, "answer | ok | not asked (--offline)", "PostgreSQL was not asked (--offline)",
		"model 2 (gemini gemini-2.5-flash) | key | FAIL | GEMINI_API_KEY is not set",
		"price | warn | unknown", "Customers would be answered by openai m; quoting")
	if asked {
		t.Error("a model was asked")
	}
}

func TestDoctorOnANewMachine(t *testing.T) {
	r := Examine(t.Context(), newCheckup(t))
	expect(t, r,
		"file | ok | none: there is no answerable.yaml here, so the defaults hold",
		"assistant | ok | demo: ",
		"data | ok | ./data is not there yet: the first start makes it",
		"database | ok | SQLite: none yet, the first start makes it",
		"sync | ", "disk | ",
		"models | none | ok | answers are quoted from the documents (extractive) | for a model that writes, set OPENAI_API_KEY or",
		"Customers are answered with quotes from the documents.")
	if !r.OK {
		t.Errorf("a new machine is not ok:\n%s", r.print())
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
}

// prepare makes a database in ./data.
func prepare(t *testing.T, c Config) {
	t.Helper()
	a := &App{Options: Options{Config: c}}
	if err := a.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorLooksAtTheStore(t *testing.T) {
	const tables = "SQLite in ./data; its tables are up to date and the installation key fits"
	tests := map[string]struct {
		change func(t *testing.T, c *Checkup)
		want   string
		works  bool
	}{
		"good": {func(*testing.T, *Checkup) {}, "database | ok | " + tables, true},
		"another key": {func(t *testing.T, _ *Checkup) {
			t.Setenv("ANSWERABLE_KEY", strings.Repeat("5a", 32))
		}, "database | FAIL | this is not the installation key that the data was sealed with", false},
		"an older database": {func(t *testing.T, c *Checkup) {
			execute(t, "DELETE FROM goose_db_version WHERE version_id > 1")
		}, "database | warn | SQLite in ./data has tables of version 1, this binary wants ", true},
		"a newer database": {func(t *testing.T, c *Checkup) {
			execute(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
		}, "database | FAIL | the database has version 9999", false},
		"no database at all": {func(t *testing.T, c *Checkup) {
			if err := os.WriteFile(filepath.Join("data", store.File), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "database | FAIL | data/answerable.db is not a readable database", false},
		"a file for a folder": {func(t *testing.T, c *Checkup) {
			c.Config.Data = filepath.Join("data", store.File)
		}, "is a file, not a folder", false},
		"open to others": {func(t *testing.T, c *Checkup) {
			c.Config.Listen = "0.0.0.0:0"
		}, "listen | FAIL | refusing to listen on 0.0.0.0:0", false},
		"PostgreSQL is not there": {func(t *testing.T, c *Checkup) {
			t.Setenv("ANSWERABLE_KEY", strings.Repeat("5a", 32))
			c.Config.Postgres = config.Secret("postgres://shop:" + distinctive + "@127.0.0.1:1/shop")
		}, "database | FAIL | cannot reach PostgreSQL at 127.0.0.1:1", false},
		"no documents": {func(t *testing.T, c *Checkup) { c.Dir = t.TempDir() },
			"0 documents", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCheckup(t)
			prepare(t, c.Config)
			test.change(t, &c)
			r := Examine(t.Context(), c)
			expect(t, r, test.want)
			if r.OK != test.works {
				t.Errorf("ok is %v, want %v:\n%s", r.OK, test.works, r.print())
			}
		})
	}
}

func execute(t *testing.T, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join("data", store.File))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorLooksAtPostgreSQL(t *testing.T) {
	c := newCheckup(t)
	c.Config.Postgres = config.Secret(storetest.Database(t))
	expect(t, Examine(t.Context(), c), "database | FAIL | with --postgres, set ANSWERABLE_KEY")
	t.Setenv("ANSWERABLE_KEY", strings.Repeat("5a", 32))
	expect(t, Examine(t.Context(), c), "database | ok | PostgreSQL is empty: the first start makes the tables")
	prepare(t, c.Config)
	r := Examine(t.Context(), c)
	expect(t, r, "database | ok | PostgreSQL; its tables are up to date and the installation key fits", "round trip | ok | ")
	if strings.Contains(r.print(), "sync |") {
		t.Error("the disk was measured, on which little is written")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"status":"ready"}`) }))
	defer server.Close()
	c.Config.Listen = strings.TrimPrefix(server.URL, "http://")
	expect(t, Examine(t.Context(), c), "running | ok | at "+server.URL)
	c.Config.Postgres = ""
	expect(t, Examine(t.Context(), c), "listen | FAIL | "+c.Config.Listen+" is in use by another program")
}

func TestDoctorBesideAServer(t *testing.T) {
	c := newCheckup(t)
	prepare(t, c.Config)
	ready := `{"status":"ready"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, ready) }))
	defer server.Close()
	l, err := lockData(c.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	if err := l.announce(Serving{URL: server.URL, PID: 7}); err != nil {
		t.Fatal(err)
	}
	r := Examine(t.Context(), c)
	expect(t, r, "running | ok | at "+server.URL+", process 7; the store was only read", "data | ok | ./data is in use by the running server")
	if strings.Contains(r.print(), "sync |") {
		t.Error("it wrote beside a running server")
	}
	ready = `{"detail":"the server is starting"}`
	expect(t, Examine(t.Context(), c), "is not ready")
	server.Close()
	if r := Examine(t.Context(), c); r.OK {
		t.Errorf("a server that does not answer is ok:\n%s", r.print())
	}
}

func TestDoctorTellsAllMistakes(t *testing.T) {
	c := newCheckup(t)
	if err := os.WriteFile(ConfigFile, []byte("listen: here\nlog: {level: loud}\nmodels:\n  - {provider: openai, key_env: "+distinctive+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load("")
	c.Config, c.Mistakes = s.Config, err
	r := Examine(t.Context(), c)
	expect(t, r, "file | ok | answerable.yaml", "mistake | FAIL | answerable.yaml:1: listen", "mistake | FAIL | answerable.yaml:2: log.level",
		"mistake | FAIL | answerable.yaml:4: models[0].key_env: want the name of an environment variable that has the key, such as GROQ_API_KEY, not the key itself", "The server does not start")
	if r.OK {
		t.Error("it is ok")
	}
}

func TestDoctorTellsWhatWasIngested(t *testing.T) {
	c := newCheckup(t)
	if err := os.MkdirAll("docs", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("docs/returns.md", []byte("# Returns\n\nThirty days."), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Ingest(context.Background(), Options{Config: c.Config}, "docs"); err != nil {
		t.Fatal(err)
	}
	expect(t, Examine(t.Context(), c), "assistant | ok | docs: 1 document (ingested from ")
	if err := os.RemoveAll("data/generations"); err != nil {
		t.Fatal(err)
	}
	expect(t, Examine(t.Context(), c), "assistant | FAIL | open what was ingested for docs", "answerable ingest ")
}

func TestNearest(t *testing.T) {
	names := []string{"gpt-5.4", "gpt-5.4-mini", "o4-mini", "claude-haiku-4-5"}
	for written, want := range map[string]string{
		"gpt5.4-mini": "gpt-5.4-mini", "GPT-5.4": "gpt-5.4", "claude-haiku-4.5": "claude-haiku-4-5", "llama": "", "": "",
	} {
		if got := nearest(written, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", written, got, want)
		}
	}
}

func TestReadable(t *testing.T) {
	for d, want := range map[time.Duration]string{400 * time.Microsecond: "0.4 ms", 80 * time.Millisecond: "80 ms", 1250 * time.Millisecond: "1.2 s"} {
		if got := readable(d); got != want {
			t.Errorf("readable(%v) = %q, want %q", d, got, want)
		}
	}
}
