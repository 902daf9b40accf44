package httpapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/httpapi"
)

const slow = "ttft 20ms\nitl 5ms\nThe first sentence is here. The second sentence follows it. And the third one ends it."

func TestAMessageIsAcceptedAndAnswered(t *testing.T) {
	s := newServer(t, "Of course. We do.")
	c, path := s.start()
	if !strings.HasPrefix(c.Token, "cv_"+c.ID+"_") {
		t.Errorf("the token of %s is %q", c.ID, c.Token)
	}
	a := decode[acceptedMessage](s.post(path+"/messages", `{"text":"Do you deliver?","client_id":"one"}`).want(202))
	if a.Message == "" || a.Turn == "" || a.Seq != 1 {
		t.Errorf("accepted = %+v", a)
	}
	st := s.stream("GET", path+"/events", "")
	all := st.until(kind(chat.KindTurnEnded))
	consecutive(t, all, 1)
	if all[0].Kind != chat.KindAccepted || string(all[0].Message.ID) != a.Message || all[0].Message.Text != "Do you deliver?" {
		t.Errorf("the first event is %+v", all[0])
	}
	if got := answerOf(all); got != "Of course. We do." || got != all[len(all)-1].Text || all[len(all)-1].Outcome != "answered" {
		t.Errorf("the answer is %q, want that of the script", got)
	}
	if st.retry != "1000" {
		t.Errorf("retry is %q, want 1000", st.retry)
	}

	page := decode[struct {
		Messages []chat.Message
		Next     string
	}](s.get(path + "/messages").want(200))
	if len(page.Messages) != 2 || page.Messages[0].ClientID != "one" || page.Messages[1].Role != chat.Assistant || page.Messages[1].Text != "Of course. We do." || page.Next != "" {
		t.Errorf("the transcript is %+v", page)
	}
	now := decode[chat.Conversation](s.get(path).want(200))
	if string(now.ID) != c.ID || now.Assistant != "demo" || now.Owner != chat.Bot || now.Seq != all[len(all)-1].Seq || now.Turn != "" {
		t.Errorf("the conversation is %+v", now)
	}
}

func TestTheTranscriptHasPages(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	for i := range 3 {
		s.stream("POST", path+"/messages", fmt.Sprintf(`{"text":"Question %d"}`, i)).rest()
	}
	type page struct {
		Messages []chat.Message
		Next     string
	}
	var texts []string
	for next, pages := "0", 0; next != ""; pages++ {
		p := decode[page](s.get(path + "/messages?limit=4&after=" + next).want(200))
		for _, m := range p.Messages {
			texts = append(texts, string(m.Text))
		}
		if next = p.Next; pages > 2 {
			t.Fatal("the pages do not end")
		}
	}
	if got, want := strings.Join(texts, "|"), "Question 0|Yes.|Question 1|Yes.|Question 2|Yes."; got != want {
		t.Errorf("the transcript is %q, want %q", got, want)
	}
	s.get(path+"/messages?limit=0").problem(400, "malformed-request", "limit")
	s.get(path+"/messages?after=x").problem(400, "malformed-request", "after")
}

func TestAMessageCanBeAnsweredAsAStream(t *testing.T) {
	s := newServer(t, slow)
	_, path := s.start()
	first := s.stream("POST", path+"/messages", `{"text":"First?","client_id":"1"}`).rest()
	consecutive(t, first, 1)
	if first[0].Kind != chat.KindAccepted || first[1].Kind != chat.KindTurnStarted || first[len(first)-1].Kind != chat.KindTurnEnded {
		t.Errorf("the stream is %s", kinds(first))
	}

	// The same message again joins the turn of the first, which is over.
	again := s.stream("POST", path+"/messages", `{"text":"First?","client_id":"1"}`).rest()
	if kinds(again) != kinds(first) {
		t.Errorf("the message again streams %s, want %s", kinds(again), kinds(first))
	}
}

func TestTheSameMessageAgain(t *testing.T) {
	s := newServer(t, slow)
	_, path := s.start()
	const body = `{"text":"Hello?","client_id":"a"}`
	first := s.post(path+"/messages", body).want(202)
	if again := s.post(path+"/messages", body).want(202); again.body != first.body {
		t.Errorf("again = %s, want %s", again.body, first.body)
	}
	joined := s.stream("POST", path+"/messages", body).rest()
	consecutive(t, joined, 1)
	if joined[len(joined)-1].Kind != chat.KindTurnEnded {
		t.Errorf("who joins sees %s", kinds(joined))
	}
	s.post(path+"/messages", `{"text":"Something else","client_id":"a"}`).problem(409, "conflict", "client_id")
}

func TestAWaitingMessageStreamsWhenItsTurnRuns(t *testing.T) {
	s := newServer(t, slow)
	_, path := s.start()
	first := s.stream("POST", path+"/messages", `{"text":"First?"}`)
	first.until(kind(chat.KindText))
	second := s.stream("POST", path+"/messages", `{"text":"Second?"}`).rest()
	if second[0].Kind != chat.KindAccepted || second[0].Message.Text != "Second?" {
		t.Fatalf("the stream begins with %+v", second[0])
	}
	for _, e := range second[1:] {
		if e.Turn != second[0].Turn {
			t.Errorf("%d:%s is of another turn", e.Seq, e.Kind)
		}
	}
	if last := second[len(second)-1]; last.Kind != chat.KindTurnEnded || last.Outcome != "answered" || last.Turn != second[0].Turn {
		t.Errorf("the last event is %+v", last)
	}
	if rest := first.rest(); rest[len(rest)-1].Kind != chat.KindTurnEnded {
		t.Errorf("the first stream ends with %s", kinds(rest))
	}
}

func TestMergedMessagesShareATurn(t *testing.T) {
	s := newServer(t, "when Second\nBoth.\n---\nttft 5s\nToo late.")
	_, path := s.start()
	first := s.stream("POST", path+"/messages", `{"text":"First."}`)
	first.until(kind(chat.KindTurnStarted))
	second := s.stream("POST", path+"/messages", `{"text":"Second."}`).rest()
	all := first.rest()
	if all[len(all)-1].Turn != second[0].Turn || second[len(second)-1].Kind != chat.KindTurnEnded || answerOf(second) != "Both." {
		t.Errorf("first %s, second %s", kinds(all), kinds(second))
	}
}

func TestFollowersResume(t *testing.T) {
	s := newServer(t, slow)
	_, path := s.start()
	one := s.stream("GET", path+"/events", "")
	s.post(path+"/messages", `{"text":"Hello?"}`).want(202)
	all := one.until(kind(chat.KindTurnEnded))
	two := s.stream("GET", path+"/events", "").until(kind(chat.KindTurnEnded))
	if kinds(two) != kinds(all) {
		t.Errorf("one sees %s, two %s", kinds(all), kinds(two))
	}
	for after := range int64(len(all)) {
		got := s.stream("GET", fmt.Sprintf("%s/events?after=%d", path, after), "").until(kind(chat.KindTurnEnded))
		consecutive(t, got, after+1)
		got = s.stream("GET", path+"/events?after=0", "", fmt.Sprintf("Last-Event-ID: %d", after)).until(kind(chat.KindTurnEnded))
		consecutive(t, got, after+1)
	}

	// Above the last number, a follower waits for what comes.
	ahead := s.stream("GET", path+"/events?after=1000", "")
	s.post(path+"/messages", `{"text":"More?"}`).want(202)
	if e, ok := ahead.next(); !ok || e.Seq != int64(len(all))+1 {
		t.Errorf("a follower that is ahead sees %d, want %d", e.Seq, len(all)+1)
	}
	for _, bad := range []string{"-1", "x", "1.5", "99999999999999999999", "+1", "1 2"} {
		s.get(path+"/events", "Last-Event-ID: "+bad).problem(400, "malformed-request", "Last-Event-ID")
		s.get(path+"/events?after="+url.QueryEscape(bad)).problem(400, "malformed-request", "after")
	}
}

func TestAStreamHasHeadersAndHeartbeats(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Heartbeat = 20 * time.Millisecond })
	_, path := s.start()
	resp := s.open(t.Context(), "GET", path+"/events", "", "Accept-Encoding: gzip")
	defer resp.Body.Close()
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache, no-transform",
		"X-Accel-Buffering": "no", "Content-Encoding": "",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	st := s.stream("GET", path+"/events", "")
	time.AfterFunc(100*time.Millisecond, func() { s.store.End(t.Context(), chat.ConversationID(decode[chat.Conversation](s.get(path)).ID), "") })
	if e, _ := st.next(); e.Kind != chat.KindClosed || st.comments < 2 {
		t.Errorf("%s came after %d comments, want some", e.Kind, st.comments)
	}
}

func TestFoldedEventsComeWhole(t *testing.T) {
	// Slow enough for several text events.
	s := newServer(t, strings.Replace(slow, "itl 5ms", "itl 20ms", 1), func(s *httpapi.Server) {
		s.Feed = &feed.Feed{Log: s.Feed.Log} // as after a restart: nothing is in memory
		s.Limits.Heartbeat = 10 * time.Millisecond
	})
	_, path := s.start()
	all := s.stream("POST", path+"/messages", `{"text":"Hello?"}`).rest()
	var texts []int64
	for _, e := range all {
		if e.Kind == chat.KindText {
			texts = append(texts, e.Seq)
		}
	}
	if len(texts) < 3 {
		t.Fatalf("%d text events in %s, want 3", len(texts), kinds(all))
	}
	s.post(path+"/close", "").want(202)
	got := s.stream("GET", fmt.Sprintf("%s/events?after=%d", path, texts[1]), "").until(kind(chat.KindClosed))
	if got[0].First != texts[0] || got[0].Seq != texts[len(texts)-1] || got[0].Text != answerOf(all) {
		t.Errorf("the folded event is %+v, want all from %d", got[0], texts[0])
	}
}

func TestStop(t *testing.T) {
	s := newServer(t, "The first sentence.\nstall")
	_, path := s.start()
	st := s.stream("POST", path+"/messages", `{"text":"Hello?"}`)
	st.until(kind(chat.KindTurnStarted))
	if got := decode[struct{ Seq int64 }](s.post(path+"/stop", "{}").want(202)); got.Seq < 2 {
		t.Errorf("seq = %d", got.Seq)
	}
	all := st.rest()
	if last := all[len(all)-1]; last.Outcome != "stopped" {
		t.Errorf("the turn ended %+v, want stopped", last)
	}
	s.post(path+"/stop", "").want(202)
	s.post(path+"/stop", `{"turn":"x"}`).problem(400, "malformed-request", "unknown field")
}

func TestHandOffAndAnAgent(t *testing.T) {
	s := newServer(t, "A sentence.\nstall")
	c, path := s.start()
	st := s.stream("GET", path+"/events", "")
	s.post(path+"/messages", `{"text":"I want a person"}`).want(202)
	s.post(path+"/handoff", `{"reason":"no robots"}`).want(202)
	all := st.until(kind(chat.KindOwner))
	if got := kinds(all[len(all)-3:]); !strings.Contains(got, "handoff") || !strings.Contains(got, "turn.ended") || all[len(all)-1].Owner != "queue" {
		t.Errorf("the handoff is %s", kinds(all))
	}
	s.post(path+"/handoff", "").want(202) // again without effect

	// A message that starts no turn ends its stream at once.
	alone := s.stream("POST", path+"/messages", `{"text":"Is anybody there?"}`).rest()
	if len(alone) != 1 || alone[0].Kind != chat.KindAccepted || alone[0].Turn != "" {
		t.Errorf("the stream is %s, want the acceptance alone", kinds(alone))
	}

	type listed struct {
		Conversations []chat.Conversation
		Next          string
	}
	l := decode[listed](s.get("/api/conversations?owner=queue").want(200))
	if len(l.Conversations) != 1 || string(l.Conversations[0].ID) != c.ID {
		t.Errorf("the queue is %+v", l)
	}
	desk := "/api/conversations/" + c.ID
	s.post(desk+"/messages", `{"text":"Hello"}`).problem(409, "conflict", "take it first")
	type owned struct {
		Owner, Name string
		Term        int64
	}
	took := decode[owned](s.post(desk+"/take", `{"name":"Ada"}`).want(200))
	if took.Owner != "agent" || took.Term < 3 || took.Name != "Ada" {
		t.Errorf("taken: %+v", took)
	}
	other := s.post(desk+"/take", `{"name":"Grace"}`)
	other.problem(409, "conflict", "Ada")
	if got := decode[map[string]any](other)["owner_name"]; got != "Ada" {
		t.Errorf("the problem names %v, want Ada", got)
	}
	said := decode[acceptedMessage](s.post(desk+"/messages", `{"text":"I am here.","client_id":"x"}`).want(202))
	if again := decode[acceptedMessage](s.post(desk+"/messages", `{"text":"I am here.","client_id":"x"}`).want(202)); again != said || said.Seq == 0 {
		t.Errorf("said %+v, again %+v", said, again)
	}
	s.post(desk+"/messages", `{"text":"I am here.","name":"Grace"}`).problem(409, "conflict", "take it first")
	s.post(desk+"/messages", `{"text":" "}`).problem(422, "invalid", "empty")
	if e := last(st.until(kind(chat.KindAgent))); e.Message.Name != "Ada" || e.Message.Text != "I am here." || e.Message.Role != chat.Agent {
		t.Errorf("the agent's message is %+v", e)
	}
	s.post(desk+"/release", `{"to":"nobody"}`).problem(422, "invalid", "bot")
	if got := decode[owned](s.post(desk+"/release", `{"to":"bot"}`).want(200)); got.Owner != "bot" || got.Term <= took.Term {
		t.Errorf("released: %+v", got)
	}
	s.get("/api/conversations?owner=me").problem(400, "malformed-request", "queue, agent or bot")
	s.get("/api/conversations?after=!").problem(400, "malformed-request", "after")
	s.post("/api/conversations/cnone/take", "").problem(404, "not-found", "POST /v1/conversations")
}

func last(all []event) event { return all[len(all)-1] }

func TestTheQueueHasPages(t *testing.T) {
	s := newServer(t, "")
	for range 3 {
		_, path := s.start()
		s.post(path+"/handoff", "").want(202)
	}
	seen := map[string]bool{}
	for next, pages := "", 0; pages == 0 || next != ""; pages++ {
		p := decode[struct {
			Conversations []chat.Conversation
			Next          string
		}](s.get("/api/conversations?limit=2&after=" + next).want(200))
		for _, c := range p.Conversations {
			seen[string(c.ID)] = true
		}
		if next = p.Next; pages > 2 {
			t.Fatal("the pages do not end")
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d conversations, want 3", len(seen))
	}
}

func TestAClosedConversationTakesNoMore(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	s.post(path+"/close", `{"reason":"done"}`).want(202)
	s.post(path+"/close", "").want(202)
	s.post(path+"/messages", `{"text":"Hello?"}`).problem(409, "conflict", "POST /v1/conversations")
	if now := decode[chat.Conversation](s.get(path).want(200)); now.Status != chat.Ended {
		t.Errorf("status = %s", now.Status)
	}
}
