package httpapi_test

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/store"
)

type switches struct {
	Assistants []string
	Off        []chat.Off
}

func TestOff(t *testing.T) {
	s := newServer(t, "One. Two. Three\nstall")
	key := "Authorization: Bearer " + s.closed()
	c, path := s.start()
	token := "Authorization: Bearer " + c.Token
	answer := s.stream("POST", path+"/messages", `{"text":"hello"}`, token)
	answer.until(kind(chat.KindText))
	s.post("/api/off", `{}`, token).problem(403, "forbidden", "API key")
	s.post("/api/off", `{}`, key).problem(422, "invalid", "demo, other")
	s.post("/api/off", `{"assistant":"demo","all":true}`, key).problem(422, "invalid", "exclude")
	s.post("/api/off", `{"assistant":"nobody"}`, key).problem(422, "invalid", `no assistant "nobody"`)
	s.post("/api/off", `{"assistant":"demo","to":"sleep"}`, key).problem(422, "invalid", `"people" or "line"`)
	s.post("/api/off", `{"assistant":"demo","to":"people","line":"Bye."}`, key).problem(422, "invalid", "line")
	s.post("/api/off", `{"assistant":"demo","line":"`+strings.Repeat("x", 1001)+`"}`, key).problem(422, "invalid", "1001 characters, 1000")

	off := decode[switches](s.post("/api/off", `{"assistant":"demo","reason":"it raves"}`, key).want(200))
	if len(off.Off) != 1 || off.Off[0].Assistant != "demo" || off.Off[0].To != chat.OffToPeople || off.Off[0].Reason != "it raves" || off.Off[0].By != "desk" ||
		!slices.Equal(off.Assistants, []string{"demo", "other"}) {
		t.Errorf("off is %+v", off)
	}
	now := decode[chat.Conversation](s.get(path, token).want(200))
	if now.Owner != chat.Queue || now.Turn != "" {
		t.Errorf("the conversation is %+v", now)
	}
	rest := answer.rest()
	if n := len(rest); n < 2 || rest[n-1].Kind != chat.KindTurnEnded || rest[n-1].Outcome != "handed_over" || rest[n-2].Kind != chat.KindHandoff {
		t.Errorf("the stream ends with %s", kinds(rest))
	}
	if !strings.Contains(s.log.String(), `msg="switched off" assistant=demo all=false to=people reason="it raves" by=desk`) {
		t.Errorf("the log has no line: %s", s.log)
	}
	again := decode[switches](s.post("/api/off", `{"assistant":"demo","line":"Please call."}`, key).want(200))
	if len(again.Off) != 1 || again.Off[0].To != chat.OffToLine || again.Off[0].Line != "Please call." {
		t.Errorf("off is %+v", again)
	}
	all := decode[switches](s.post("/api/off", `{"all":true,"to":"line"}`, key).want(200))
	if len(all.Off) != 2 || !all.Off[0].All || all.Off[0].Assistant != "" || all.Off[0].Line != "" {
		t.Errorf("off is %+v", all)
	}
	s.post("/api/on", `{"assistant":"demo"}`, key).problem(409, "conflict", "on --all")
	if on := decode[switches](s.post("/api/on", `{"all":true}`, key).want(200)); len(on.Off) != 0 {
		t.Errorf("off is %+v", on)
	}
	if on := decode[switches](s.post("/api/on", `{"assistant":"demo"}`, key).want(200)); len(on.Off) != 0 {
		t.Errorf("on again: %+v", on)
	}
	if got := s.get("/api/off", key).want(200).body; strings.TrimSpace(got) != `{"assistants":["demo","other"],"off":[]}` {
		t.Errorf("off is %s", got)
	}
	s.get("/api/off", token).problem(403, "forbidden", "API key")
	s.post("/api/on", `{}`, token).problem(403, "forbidden", "API key")
}

// Faces to which nobody comes back cannot hand over: the line is said.
func TestOffOnOtherFaces(t *testing.T) {
	s := newServer(t, "Yes.")
	s.post("/api/off", `{"assistant":"demo"}`).want(200)
	const line = "I am not available at the moment. Please try again later."
	got := s.post("/v1/chat/completions", `{"model":"demo","messages":[{"role":"user","content":"Hello?"}]}`).want(200)
	if !strings.Contains(got.body, line) || !strings.Contains(got.body, `"outcome":"refused"`) {
		t.Errorf("completions answer %s", got.body)
	}
	plain := s.post("/chat", `{"message":"Hello?"}`).want(200)
	if !strings.Contains(plain.body, "A person from our team will answer you here.") || !strings.Contains(plain.body, "[DONE]") {
		t.Errorf("/chat answers %s", plain.body)
	}
	c, err := s.store.Conversation(t.Context(), chat.ConversationID(plain.Header.Get("X-Conversation-Id")))
	must(t, err)
	if c.Owner != chat.Queue {
		t.Errorf("its conversation is %+v", c)
	}
	s.post("/api/off", `{"assistant":"demo","line":"Bitte anrufen."}`).want(200)
	if got := s.post("/chat", `{"message":"Hello?"}`).want(200); !strings.Contains(got.body, "Bitte anrufen.") {
		t.Errorf("/chat answers %s", got.body)
	}
}

// board keeps notices in the store.
type board struct{ *store.Store }

func (b board) All(ctx context.Context) ([]chat.Notice, error) { return b.Notices(ctx, chat.Now()) }
func (b board) Add(ctx context.Context, n chat.Notice) error   { return b.AddNotice(ctx, n) }
func (b board) Remove(ctx context.Context, id string) error    { return b.RemoveNotice(ctx, id) }
func (b board) InForce(assistant string, at time.Time) (out []chat.Notice) {
	all, _ := b.Notices(context.Background(), chat.Time{Time: at})
	for _, n := range all {
		if n.InForce(chat.Time{Time: at}) && (n.Assistant == "" || n.Assistant == assistant) {
			out = append(out, n)
		}
	}
	return out
}

func hasBoard(s *httpapi.Server) { s.Notices = board{s.Store.(*store.Store)} }

func TestNotices(t *testing.T) {
	s := newServer(t, "", hasBoard)
	key := "Authorization: Bearer " + s.closed()
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format("2006-01-02T15:04:05.000Z") }
	body := func(text, more string) string {
		return fmt.Sprintf(`{"text":%q,"until":%q%s}`, text, in(time.Hour), more)
	}
	for sent, want := range map[string]string{
		`{"text":"x"}`: "until is missing",
		`{"text":" ","until":"` + in(time.Hour) + `"}`:        "text is missing",
		`{"text":"x","until":"` + in(-time.Hour) + `"}`:       "until is over",
		`{"text":"x","until":"` + in(24*400*time.Hour) + `"}`: "within a year",
		body("x", `,"from":"`+in(2*time.Hour)+`"`):            "after from",
		body(strings.Repeat("ä", 501), ""):                    "501 characters, 500",
		body("x\ny", ""):                                      "one line",
		body("x", `,"url":"javascript:alert(1)"`):             "url must be",
		body("x", `,"locale":"<b>"`):                          "locale must be",
		body("x", `,"assistant":"nobody"`):                    `no assistant "nobody"`,
	} {
		s.post("/api/notices", sent, key).problem(422, "invalid", want)
	}
	s.post("/api/notices", `{"text":"x","until":"tomorrow"}`, key).problem(400, "malformed-request", "")
	s.post("/api/notices", body("x", "")).problem(401, "unauthorized", "")
	s.get("/api/notices").problem(401, "unauthorized", "")
	s.request("DELETE", "/api/notices/b1", "").problem(401, "unauthorized", "")

	type listed struct {
		chat.Notice
		InForce bool `json:"in_force"`
	}
	first := decode[listed](s.post("/api/notices", body("Deliveries <b>are</b> late.", `,"url":"https://shop.example/late"`), key).want(201))
	if first.ID == "" || first.By != "desk" || !first.InForce || first.Assistant != "" {
		t.Errorf("the notice is %+v", first)
	}
	german := decode[listed](s.post("/api/notices", body("Heute spät.", `,"locale":"de-AT","assistant":"demo"`), key).want(201))
	later := decode[listed](s.post("/api/notices", `{"text":"Soon.","from":"`+in(time.Hour)+`","until":"`+in(2*time.Hour)+`"}`, key).want(201))
	if later.InForce {
		t.Errorf("%+v is not in force yet", later)
	}
	all := decode[struct{ Notices []listed }](s.get("/api/notices", key).want(200))
	if len(all.Notices) != 3 || all.Notices[0].ID != first.ID || all.Notices[2].ID != later.ID {
		t.Errorf("listed are %+v", all)
	}

	told := func(query string) (texts []string) {
		for _, n := range decode[struct {
			Notices []struct{ ID, Text, URL, Until string }
		}](s.get("/v1/widget" + query).want(200)).Notices {
			if n.Until == "" {
				t.Errorf("%+v has no end", n)
			}
			texts = append(texts, n.Text)
		}
		return texts
	}
	for query, want := range map[string][]string{
		"":                           {"Deliveries <b>are</b> late."},
		"?locale=de":                 {"Heute spät.", "Deliveries <b>are</b> late."},
		"?locale=de&assistant=other": {"Deliveries <b>are</b> late."},
	} {
		if got := told(query); !slices.Equal(got, want) {
			t.Errorf("%q: told are %q, want %q", query, got, want)
		}
	}
	if got := s.get("/api/notices?assistant=demo", key).want(200).body; strings.Contains(got, `"zone"`) {
		t.Errorf("an assistant without hours has a zone: %s", got)
	}
	if got := s.get("/api/notices", key).want(200).body; !strings.Contains(got, `"zone":"Europe/Berlin"`) {
		t.Errorf("the zone is missing in %s", got)
	}
	s.request("DELETE", "/api/notices/"+german.ID, "", key).want(200)
	s.request("DELETE", "/api/notices/"+german.ID, "", key).problem(404, "not-found", "notice list")
	if got := told("?locale=de"); len(got) != 1 {
		t.Errorf("told are %q", got)
	}
}

func TestHoursAreTold(t *testing.T) {
	s := newServer(t, "")
	if got := s.get("/v1/widget").want(200).body; strings.Contains(got, `"hours"`) {
		t.Errorf("hours where none are said: %s", got)
	}
	got := decode[struct {
		Hours *struct {
			Open      bool
			ChangesAt time.Time `json:"changes_at"`
		}
	}](s.get("/v1/widget?assistant=other").want(200))
	if got.Hours == nil || !got.Hours.ChangesAt.After(time.Now()) || time.Until(got.Hours.ChangesAt) > 25*time.Hour {
		t.Errorf("hours are %+v", got.Hours)
	}
}

// TestTests: a trial is marked, and only who may act for others can make one.
func TestTests(t *testing.T) {
	s := newServer(t, "")
	if c := decode[started](s.post("/v1/conversations", `{"test":true}`).want(201)); !decode[chat.Conversation](s.get("/v1/conversations/" + c.ID)).Test {
		t.Error("where everybody may come in, a test is none")
	}
	key := "Authorization: Bearer " + s.closed()
	s.post("/v1/conversations", `{"test":true}`).problem(403, "forbidden", "API key")
	trial := decode[started](s.post("/v1/conversations", `{"test":true}`, key).want(201))
	customers := decode[started](s.post("/v1/conversations", `{}`, key).want(201))
	list := func(query string) []chat.Conversation {
		return decode[struct{ Conversations []chat.Conversation }](s.get("/api/conversations?owner=queue"+query, key).want(200)).Conversations
	}
	for _, c := range []started{trial, customers} {
		s.post("/v1/conversations/"+c.ID+"/handoff", `{}`, key).want(202)
	}
	if got := list(""); len(got) != 2 {
		t.Errorf("all are %+v", got)
	}
	if got := list("&test=true"); len(got) != 1 || string(got[0].ID) != trial.ID || !got[0].Test {
		t.Errorf("tests are %+v", got)
	}
	if got := list("&test=false"); len(got) != 1 || string(got[0].ID) != customers.ID {
		t.Errorf("the others are %+v", got)
	}
	s.get("/api/conversations?test=maybe", key).problem(400, "malformed-request", "true or false")
}

// TestThePageTellsNotices: also without script, what customers are told stands first.
func TestThePageTellsNotices(t *testing.T) {
	s := newServer(t, "", hasBoard)
	until := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	s.post("/api/notices", `{"text":"Late <b>today</b> \u202eevil","url":"https://shop.example/late","until":"`+until+`"}`).want(201)
	for path, words := range map[string][2]string{"/": {"Notice", "Read more"}, "/?locale=de": {"Hinweis", "Mehr dazu"}} {
		page := s.get(path).want(200).body
		want := `<div class="notice"><p dir="auto">Late &lt;b&gt;today&lt;/b&gt; evil <a href="https://shop.example/late" target="_blank" rel="noopener">` + words[1] + `</a></p></div>`
		board, log := strings.Index(page, want), strings.Index(page, `class="scroller"`)
		if board < 0 || log < board || !strings.Contains(page, `<section class="notices" role="status" aria-label="`+words[0]+`">`) {
			t.Errorf("%s: the notice does not stand first in %s", path, page)
		}
	}
}

// TestThePageTellsHours: who waits for a person learns when people are there.
func TestThePageTellsHours(t *testing.T) {
	s := newServer(t, "")
	for _, test := range []struct{ query, want string }{
		{"?assistant=demo", ""},
		{"?assistant=other", `(Our team is here right now\.|Nobody from our team is here right now\. Back again: \d{4}-\d\d-\d\d 00:00 CES?T)`},
		{"?assistant=other&locale=de", `(Unser Team ist gerade da\.|Von unserem Team ist gerade niemand da\. Wieder da: \d{4}-\d\d-\d\d 00:00 CES?T)`},
	} {
		page := s.get("/" + test.query).want(200).body
		token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(page)[1]
		form := url.Values{"token": {token}, "client_id": {"1"}, "act": {"person"}, "consent": {"2026-11"}}
		body := s.request("POST", "/"+test.query, form.Encode(), "Content-Type: application/x-www-form-urlencoded", "Origin: "+s.URL).want(200).body
		if test.want == "" {
			if strings.Contains(body, "our team is here") || strings.Contains(body, "Nobody from our team") {
				t.Errorf("hours where none are said: %s", body)
			}
			continue
		}
		if !regexp.MustCompile(test.want).MatchString(body) {
			t.Errorf("%s: no %s in %s", test.query, test.want, body)
		}
	}
}
