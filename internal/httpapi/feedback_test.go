package httpapi_test

import (
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

// answered starts a conversation and has one message answered.
func (s *server) answered() (c started, path, turn string) {
	s.Helper()
	c, path = s.start()
	all := s.stream("POST", path+"/messages", `{"text":"Hello?"}`).rest()
	return c, path, last(all).Turn
}

type seqOnly struct{ Seq int64 }

func TestFeedback(t *testing.T) {
	s := newServer(t, "")
	_, path, turn := s.answered()
	_, other, _ := s.answered()
	body := `{"turn":"` + turn + `","rating":"down","reason":"hard_to_read","text":"too long"}`
	first := decode[seqOnly](s.post(path+"/feedback", body).want(202))
	if again := decode[seqOnly](s.post(path+"/feedback", body).want(202)); again != first || first.Seq == 0 {
		t.Errorf("rated %+v, again %+v", first, again)
	}
	s.post(path+"/close", "").want(202)
	s.post(path+"/feedback", `{"turn":"`+turn+`","rating":"up"}`).want(202)
	all := s.stream("GET", path+"/events", "").until(func(e event) bool { return strings.Contains(e.Data, `"rating":"up"`) })
	if got := kinds(all[len(all)-4:]); !strings.Contains(got, ":feedback ") || !strings.Contains(got, ":csat.requested ") || last(all).Turn != turn {
		t.Errorf("the log ends %s", got)
	}
	for _, e := range all {
		if strings.Contains(e.Data, "too long") || strings.Contains(e.Data, "hard_to_read") {
			t.Errorf("what was written for the company is in the log: %s", e.Data)
		}
	}
	s.post(other+"/feedback", body).problem(404, "not-found", "no turn")
	s.post(path+"/feedback", `{"turn":"`+turn+`","rating":"best"}`).problem(422, "invalid", "rating")
	s.post(path+"/feedback", `{"turn":"`+turn+`","rating":"up","reason":"nice"}`).problem(422, "invalid", "off_topic")
	s.post(path+"/feedback", `{"turn":"`+turn+`","rating":"up","text":"`+strings.Repeat("a", 2001)+`"}`).problem(422, "invalid", "text has 2001 bytes")
	s.post(path+"/feedback", `{"turn":"`+turn+`","rating":true}`).problem(400, "malformed-request", "rating")
}

func TestFeedbackCountsAsAMessage(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.MessagesPerMinute = 2 })
	_, path, turn := s.answered()
	s.post(path+"/feedback", `{"turn":"`+turn+`","rating":"up"}`).want(202)
	s.post(path+"/feedback", `{"turn":"`+turn+`","rating":"down"}`).problem(429, "too-many-requests", "wait")
}

func TestCSAT(t *testing.T) {
	s := newServer(t, "")
	_, path, _ := s.answered()
	s.post(path+"/close", "").want(202)
	first := decode[seqOnly](s.post(path+"/csat", `{"score":5,"text":"thanks"}`).want(202))
	if again := decode[seqOnly](s.post(path+"/csat", `{"score":5}`).want(202)); again != first {
		t.Errorf("scored %+v, again %+v", first, again)
	}
	s.post(path+"/csat", `{"score":1}`).problem(409, "conflict", "5")
	for _, bad := range []string{"0", "6", "-1"} {
		s.post(path+"/csat", `{"score":`+bad+`}`).problem(422, "invalid", "1 to 5")
	}
	s.post(path+"/csat", `{"score":4.5}`).problem(400, "malformed-request", "score")
	if e := last(s.stream("GET", path+"/events", "").until(kind(chat.KindCSAT))); e.Seq != first.Seq || strings.Contains(e.Data, "thanks") {
		t.Errorf("the event is %s", e.Data)
	}
}

func TestReadMarks(t *testing.T) {
	s := newServer(t, "")
	c, path, _ := s.answered()
	desk := "/api/conversations/" + c.ID
	if got := decode[seqOnly](s.post(path+"/read", `{"seq":2}`).want(202)); got.Seq != 2 {
		t.Errorf("the mark is %d, want 2", got.Seq)
	}
	if got := decode[seqOnly](s.post(path+"/read", `{"seq":1}`).want(202)); got.Seq != 2 {
		t.Errorf("the mark went back to %d", got.Seq)
	}
	s.post(desk+"/read", `{"seq":9000}`).want(202)
	now := decode[chat.Conversation](s.get(path).want(200))
	if want := (chat.ReadMarks{Customer: 2, Agent: now.Seq}); now.Read != want {
		t.Errorf("read = %+v, want %+v", now.Read, want)
	}
	s.post(path+"/read", `{"seq":-1}`).problem(400, "malformed-request", "seq")
	s.post(path+"/read", `{}`).problem(400, "malformed-request", "seq")
	s.post(path+"/read", `{"seq":"2"}`).problem(400, "malformed-request", "seq")
	s.closed()
	s.post(desk+"/read", `{"seq":1}`, "Authorization: Bearer "+c.Token).problem(403, "forbidden", "API key")
	s.post(path+"/read", `{"seq":1}`).problem(401, "unauthorized", "token")
}

func TestThePlaceInTheQueue(t *testing.T) {
	s := newServer(t, "")
	_, first := s.start()
	_, second := s.start()
	for _, path := range []string{first, second} {
		if r := s.get(path).want(200); strings.Contains(r.body, "queue") {
			t.Errorf("who does not wait has a place: %s", r.body)
		}
		s.post(path+"/handoff", "").want(202)
	}
	type waiting struct{ Queue struct{ Place int } }
	for i, path := range []string{first, second} {
		if got := decode[waiting](s.get(path).want(200)); got.Queue.Place != i+1 {
			t.Errorf("place %d, want %d", got.Queue.Place, i+1)
		}
	}
}
