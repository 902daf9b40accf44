package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/llm/llmtest"
)

// TestEveryModelIsDead takes all vendors away, asks, and gives them back: meanwhile
// customers get quotations with their sources, marked as such, and the first model is asked
// again with one call that tries it.
func TestEveryModelIsDead(t *testing.T) {
	var dead atomic.Bool
	var calls atomic.Int64
	handler := script(t, "Our boots are sewn twice.").Handler()
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if dead.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	defer vendor.Close()
	docs := t.TempDir()
	writeFile(t, docs+"/assistant.yaml", "name: shop\n")
	writeFile(t, docs+"/knowledge/boots.md", "# Boots\n\nOur boots are sewn twice.\n")
	s, stop, err := serverFor(t, docs, entry("openai", "first", vendor), entry("anthropic", "second", vendor))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ask := func() (level string, cited bool) {
		t.Helper()
		for _, e := range eventsOf(t, s, "How are our boots sewn?") {
			switch e.Kind {
			case "level":
				level = e.Level
			case "citation":
				cited = e.Quote == "Our boots are sewn twice."
			}
		}
		return level, cited
	}
	if level, cited := ask(); level != "" || !cited {
		t.Fatalf("with all models alive: level %q, cited %v", level, cited)
	}
	dead.Store(true)
	for range 4 { // until the breakers are open, and then without a call
		if level, cited := ask(); level != "extractive" || !cited {
			t.Fatalf("with all models dead: level %q, cited %v", level, cited)
		}
	}
	before := calls.Load()
	if level, _ := ask(); level != "extractive" || calls.Load() != before {
		t.Errorf("level %q, and %d calls of models that are known to be dead", level, calls.Load()-before)
	}
	dead.Store(false)
	for deadline := time.Now().Add(20 * time.Second); ; {
		level, _ := ask()
		if level == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the models live again, and are not asked: level %q", level)
		}
	}
	if n := calls.Load() - before; n != 1 {
		t.Errorf("%d calls until the first answer of a model that lives again, want 1", n)
	}
}

// TestStopEndsTheCall checks that the vendor's connection ends with the customer's wish,
// and that a customer who only leaves ends nothing.
func TestStopEndsTheCall(t *testing.T) {
	vendor := vendorServer(t, script(t, "One two\nstall"))
	s, stop, err := failoverServer(t, entry("openai", "first", vendor))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	inFlight := func() int {
		t.Helper()
		var stats struct {
			InFlight int `json:"in_flight"`
		}
		resp, err := http.Get(vendor.URL + "/stats")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
			t.Fatal(err)
		}
		return stats.InFlight
	}
	id := conversation(t, s)
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/conversations/"+id+"/messages", strings.NewReader(`{"text":"Hello?"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	until(t, "the vendor is asked", func() bool { return inFlight() == 1 })
	leave()
	if n := inFlight(); n != 1 {
		t.Errorf("%d calls run after the customer has left, want 1", n)
	}
	began := time.Now()
	stopped, err := post(s, "/v1/conversations/"+id+"/stop", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	stopped.Body.Close()
	until(t, "the call ends", func() bool { return inFlight() == 0 })
	t.Logf("the call ended %v after the stop", time.Since(began)) // docs/measurements.md has it on a quiet machine
}

// TestTooLongIsMadeShorter has a vendor refuse a prompt for its length once.
func TestTooLongIsMadeShorter(t *testing.T) {
	for _, vendor := range []string{"openai", "anthropic", "gemini"} {
		t.Run(vendor, func(t *testing.T) {
			v := vendorServer(t, script(t, "status 400 long\n---\nOur boots are sewn twice."))
			docs := t.TempDir()
			writeFile(t, docs+"/assistant.yaml", "name: shop\nknowledge: []\n")
			s, stop, err := serverFor(t, docs, entry(vendor, "first", v))
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			ended := ""
			for _, e := range eventsOf(t, s, strings.Repeat("How are boots sewn, and why? ", 200)) {
				if e.Kind == "level" {
					t.Errorf("the level became %s", e.Level)
				}
				if e.Kind == "turn.ended" {
					ended = e.Text
				}
			}
			if ended != "Our boots are sewn twice." {
				t.Errorf("the answer is %q", ended)
			}
		})
	}
}

func script(t testing.TB, text string) *llmtest.Script {
	t.Helper()
	s, err := llmtest.Parse("script", text+"\n")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func writeFile(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(file[:strings.LastIndexByte(file, '/')], 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	for range 5000 {
		if so() {
			return
		}
		<-time.After(2 * time.Millisecond)
	}
	t.Fatalf("it does not happen that %s", what)
}

func conversation(t testing.TB, s *httptest.Server) string {
	t.Helper()
	resp, err := post(s, "/v1/conversations", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var c struct{ ID string }
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// event is what the tests read of one.
type event struct {
	Seq                               int64
	Kind, Text, Level, Quote, Outcome string
}

// eventsOf asks in a new conversation and returns the events of the turn.
func eventsOf(t testing.TB, s *httptest.Server, question string) []event {
	t.Helper()
	var all []event
	_, err := read(s, fmt.Sprintf("/v1/conversations/%s/messages", conversation(t, s)), map[string]string{"text": question}, func(data []byte) (string, error) {
		var e event
		err := json.Unmarshal(data, &e)
		all = append(all, e)
		return "", err
	})
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return all
}

// The vendors of kinds.go are those that the server's file may name.
func TestProvidersAreVendors(t *testing.T) {
	var names []string
	for _, v := range vendors {
		names = append(names, v.name)
	}
	f, _ := reflect.TypeFor[ModelConfig]().FieldByName("Provider")
	if got, want := f.Tag.Get("oneof"), strings.Join(names, ","); got != want {
		t.Errorf("provider is one of %s, the vendors are %s", got, want)
	}
}

// An assistant asks the models that its file names, in its order, and quotes last.
func TestModelsOfAnAssistant(t *testing.T) {
	entries := []ModelConfig{{Provider: "openai", Name: "fast", Model: "small-1"}, {Provider: "openai", Name: "good", Model: "large-1"},
		{Provider: "anthropic", Name: "other", Model: "m"}}
	all, err := models(DefaultConfig(), entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &App{entries: entries, Models: all}
	for names, want := range map[string]string{
		"":              "fast good other extractive: the first of those that are configured",
		"other fast":    "other fast extractive: the first of those that assistant.yaml names",
		"large-1 other": "good other extractive: the first of those that assistant.yaml names",
		"extractive":    "extractive: assistant.yaml names no language model",
	} {
		as := &assistant.Assistant{Models: strings.Fields(names)}
		if err := a.checkModels(as); err != nil {
			t.Errorf("%s: %v", names, err)
		}
		plan := a.modelsOf(as).Plan()
		if got := strings.Join(append([]string{plan.Provider}, plan.Others...), " ") + ": " + plan.Reason; got != want {
			t.Errorf("%s: %s, want %s", names, got, want)
		}
	}
	wrong := &assistant.Assistant{Dir: "shop", Models: []string{"godo"}}
	if err := a.checkModels(wrong); err == nil || err.Error() != `shop/assistant.yaml: models[0]: this server has no model "godo"; did you mean "good"?` {
		t.Errorf("a model that is not there: %v", err)
	}
	a.FakeProvider = "script.txt"
	if got := a.modelsOf(wrong); got != a.Models || a.checkModels(wrong) != nil {
		t.Error("a script does not answer for every assistant")
	}
}
