package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

// followed waits until n follow a conversation.
func (s *server) followed(n int) {
	s.Helper()
	eventually(s, fmt.Sprintf("not %d follow", n), func() bool { return s.api.Feed.Followers() == n })
}

func TestTypingReachesThoseWhoFollow(t *testing.T) {
	s := newServer(t, "Yes.")
	_, path := s.start()
	a, b := s.stream("GET", path+"/events", ""), s.stream("GET", path+"/events", "")
	s.followed(2)
	s.post(path+"/typing", `{"typing":true}`).want(202)
	s.post(path+"/typing", `{"typing":false}`).want(202)
	s.post(path+"/messages", `{"text":"Hello?"}`).want(202)
	for _, st := range []*stream{a, b} {
		for _, typing := range []bool{true, false} {
			if e, _ := st.next(); e.Name != "typing" || e.ID != "" || e.Kind != chat.KindTyping || e.By != chat.Customer || e.Typing != typing || strings.Contains(e.Data, "seq") {
				t.Errorf("the signal is %+v, want typing %t without a number", e, typing)
			}
		}
		if st.comments != 1 {
			t.Errorf("%d comments before the first event, want one at once", st.comments)
		}
		consecutive(t, st.until(kind(chat.KindTurnEnded)), 1)
	}
	all := s.stream("GET", path+"/events", "").until(kind(chat.KindTurnEnded))
	consecutive(t, all, 1) // nothing of the signals is left
}

func TestOnlyTheOwnerTypesAsAnAgent(t *testing.T) {
	s := newServer(t, "")
	c, path := s.start()
	desk := "/api/conversations/" + c.ID
	s.post(desk+"/typing", `{"typing":true}`).problem(409, "conflict", "take it first")
	s.post(desk+"/take", `{"name":"Ada"}`).want(200)
	st := s.stream("GET", path+"/events?after=1", "")
	s.followed(1)
	if got := decode[struct{ Seq int64 }](s.post(desk+"/typing", `{"typing":true}`).want(202)); got.Seq != 1 {
		t.Errorf("seq is %d, want 1", got.Seq)
	}
	if e, _ := st.next(); e.By != chat.Agent || !e.Typing || !strings.Contains(e.Data, `"name":"Ada"`) {
		t.Errorf("the signal is %+v, want that Ada types", e)
	}
	key := "Authorization: Bearer " + s.closed()
	s.post(desk+"/typing", `{"typing":true}`).problem(401, "unauthorized", "API key")
	s.post(desk+"/typing", `{"typing":true}`, "Authorization: Bearer "+c.Token).problem(403, "forbidden", "API key")
	s.post(desk+"/typing", `{"typing":false}`, key).want(202)
}

func TestBadTyping(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.MessagesPerMinute = 1 })
	c, path := s.start()
	s.post(path+"/typing", `{}`).problem(400, "malformed-request", "send true or false")
	s.post(path+"/typing", "").problem(400, "malformed-request", "empty")
	s.post(path+"/typing", `{"typing":"yes"}`).problem(400, "malformed-request", "typing must be a boolean")
	s.post(path+"/typing", `{"typing":true,"by":"agent"}`).problem(400, "malformed-request", "by")
	s.post("/v1/conversations/"+string(chat.NewConversationID())+"/typing", `{"typing":true}`).problem(404, "not-found", "")
	key := s.closed()
	s.post(path+"/typing", `{"typing":true}`).problem(401, "unauthorized", "token")
	mine := "Authorization: Bearer " + c.Token
	for range 4 {
		s.post(path+"/typing", `{"typing":true}`, mine).want(202)
	}
	r := s.post(path+"/typing", `{"typing":true}`, mine)
	if r.problem(429, "too-many-requests", "too many signals"); r.Header.Get("Retry-After") == "" {
		t.Error("nothing says when to try again")
	}
	s.post(path+"/messages", `{"text":"Hello?"}`, mine).want(202) // they are counted apart
	s.post(path+"/typing", `{"typing":true}`, "Authorization: Bearer "+key).want(202)
}

// TestOtherStreamsLeaveSignalsOut has a customer type while each face streams an answer.
func TestOtherStreamsLeaveSignalsOut(t *testing.T) {
	for _, face := range []struct{ path, body string }{
		{"/messages", `{"text":"Hello?"}`},
		{"/chat", `{"message":"Hello?","conversation":"%s"}`},
		{"/v1/ui", `{"id":"%s","messages":[{"id":"1","role":"user","parts":[{"type":"text","text":"Hello?"}]}]}`},
	} {
		t.Run(face.path, func(t *testing.T) {
			s := newServer(t, "One. Two. \nitl 100ms\nThree. Four. Five.")
			c, path := s.start()
			to := face.path
			if to == "/messages" {
				to = path + to
			}
			witness := s.stream("GET", path+"/events", "")
			s.followed(1)
			st := s.stream("POST", to, strings.Replace(face.body, "%s", c.ID, 1))
			var answer strings.Builder
			for e, ok := st.next(); ok; e, ok = st.next() {
				if answer.Len() == 0 {
					s.post(path+"/typing", `{"typing":true}`).want(202)
				}
				answer.WriteString(e.Data + "\n")
			}
			witness.until(kind(chat.KindTyping))
			if got := answer.String(); strings.Contains(got, "typing") || !strings.Contains(got, "Five.") {
				t.Errorf("the stream is %s, want the answer alone", got)
			}
		})
	}
}

// list is what a long poll answers.
type list struct {
	Events []event
	Next   int64
}

func TestLongPolling(t *testing.T) {
	s := newServer(t, "Yes.", func(s *httpapi.Server) { s.Limits.Streams = 1 })
	c, path := s.start()
	accept := "Accept: application/json"
	poll := func(after int64, wait int) list {
		return decode[list](s.get(fmt.Sprintf("%s/events?after=%d&wait=%d", path, after, wait), accept).want(200))
	}
	// later polls while do happens.
	later := func(after int64, do func()) list {
		t.Helper()
		got := make(chan reply, 1)
		go func() { got <- s.get(fmt.Sprintf("%s/events?after=%d&wait=30", path, after), accept) }()
		s.followed(1)
		s.get(path+"/events?wait=1", accept).problem(503, "unavailable", "too many streams") // it counts as one
		do()
		return decode[list]((<-got).want(200))
	}

	if l := poll(0, 0); l.Events == nil || len(l.Events) != 0 || l.Next != 0 {
		t.Errorf("the list of a new conversation is %+v", l)
	}
	began := time.Now()
	if l := poll(0, 1); len(l.Events) != 0 || l.Next != 0 || time.Since(began) < time.Second {
		t.Errorf("the list is %+v after %v, want nothing after a second", l, time.Since(began))
	}
	l := later(0, func() { s.post(path+"/messages", `{"text":"Hello?"}`).want(202) })
	if len(l.Events) == 0 || l.Events[0].Kind != chat.KindAccepted || l.Next != l.Events[len(l.Events)-1].Seq {
		t.Errorf("the list after a message is %+v", l)
	}
	all := l.Events
	for all[len(all)-1].Kind != chat.KindTurnEnded {
		l = poll(l.Next, 30)
		all = append(all, l.Events...)
	}
	for i, e := range all {
		if e.Seq != int64(i)+1 {
			t.Errorf("the polled events are %s, want the numbers from 1 on", kinds(all))
		}
	}
	if again := poll(0, 30); len(again.Events) != len(all) || again.Next != l.Next {
		t.Errorf("the whole list is %s, want %s", kinds(again.Events), kinds(all))
	}
	typing := later(l.Next, func() { s.post(path+"/typing", `{"typing":true}`).want(202) })
	if len(typing.Events) != 1 || typing.Events[0].Kind != chat.KindTyping || typing.Events[0].Seq != 0 || typing.Next != l.Next {
		t.Errorf("the list with a signal is %+v, want it and the same next", typing)
	}
	if ahead := poll(l.Next+50, 0); ahead.Next != l.Next {
		t.Errorf("ahead of the log, next is %d, want %d", ahead.Next, l.Next)
	}

	s.get(path+"/events?wait=31", accept).problem(400, "malformed-request", "from 0 to 30")
	s.get(path+"/events?wait=x", accept).problem(400, "malformed-request", "wait")
	if r := s.request("HEAD", path+"/events?wait=30", "", accept).want(200); r.body != "" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD answers %s %q", r.Header.Get("Content-Type"), r.body)
	}
	s.stream("GET", path+"/events?wait=30", "", accept).until(kind(chat.KindTurnEnded)) // who takes a stream gets one
	s.closed()
	s.get(path+"/events?wait=30", accept).problem(401, "unauthorized", "token")
	s.get("/v1/conversations/"+c.ID+"x/events?wait=30", accept).problem(404, "not-found", "")
}

func TestLongListsComeInPieces(t *testing.T) {
	s := newServer(t, "")
	c, path := s.start()
	id := chat.ConversationID(c.ID)
	_, err := s.store.Take(t.Context(), id, "Ada")
	must(t, err)
	for range 520 {
		_, _, err := s.store.Say(t.Context(), "Ada", chat.Incoming{Conversation: id, Text: "word"})
		must(t, err)
	}
	var after int64
	for _, want := range []int{500, 21, 0} {
		l := decode[list](s.get(fmt.Sprintf("%s/events?after=%d", path, after), "Accept: application/json").want(200))
		if len(l.Events) != want || want > 0 && l.Events[0].Seq != after+1 || l.Next != after+int64(want) {
			t.Fatalf("after %d come %d events, next is %d; want %d", after, len(l.Events), l.Next, want)
		}
		after = l.Next
	}
}

// TestALongPollEndsWithTheServer has a client wait when the server stops.
func TestALongPollEndsWithTheServer(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	got := make(chan reply, 1)
	go func() { got <- s.get(path+"/events?wait=30", "Accept: application/json") }()
	s.followed(1)
	s.stopStreams()
	if l := decode[list]((<-got).want(200)); len(l.Events) != 0 {
		t.Errorf("the list is %+v, want none", l)
	}
}
