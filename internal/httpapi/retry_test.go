package httpapi_test

import (
	"testing"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

type retriedTurn struct {
	Turn string
	Seq  int64
}

func TestRetry(t *testing.T) {
	s := newServer(t, "First.\n---\nSecond.\nstall\n---\nThird.")
	_, path, first := s.answered()
	body := `{"turn":"` + first + `"}`
	again := decode[retriedTurn](s.post(path+"/retry", body).want(202))
	if same := decode[retriedTurn](s.post(path+"/retry", body).want(202)); same != again || again.Turn == first {
		t.Errorf("retried as %+v, again as %+v", again, same)
	}
	st := s.stream("GET", path+"/events", "")
	st.until(func(e event) bool {
		return e.Seq == again.Seq && e.Kind == chat.KindTurnStarted && e.Turn == again.Turn
	})
	s.post(path+"/retry", `{"turn":"`+again.Turn+`"}`).problem(409, "conflict", "under way")
	s.post(path+"/stop", "").want(202)
	st.until(kind(chat.KindTurnEnded))
	third := decode[retriedTurn](s.post(path+"/retry", `{"turn":"`+again.Turn+`"}`).want(202))
	all := st.until(kind(chat.KindTurnEnded))
	if e := last(all); e.Turn != third.Turn || e.Text != "Third." {
		t.Errorf("the last answer is %+v", e)
	}
	s.post(path+"/retry", `{"turn":"t0"}`).problem(404, "not-found", "no turn")
	s.post(path+"/retry", `{"turn":""}`).problem(404, "not-found", "no turn")
	s.post(path+"/messages", `{"text":"And now?"}`).want(202)
	st.until(kind(chat.KindTurnEnded))
	s.post(path+"/retry", `{"turn":"`+third.Turn+`"}`).problem(409, "conflict", "send the message again")
	s.post(path+"/handoff", "").want(202)
	s.post(path+"/retry", `{"turn":"`+third.Turn+`"}`).problem(409, "conflict", "a person")
	s.post(path+"/close", "").want(202)
	s.post(path+"/retry", `{"turn":"`+third.Turn+`"}`).problem(409, "conflict", "POST /v1/conversations")
	s.post(path+"/retry", body).want(202) // what was retried stays so
}

func TestARetryCountsAsAMessage(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.MessagesPerMinute = 1 })
	_, path, turn := s.answered()
	s.post(path+"/retry", `{"turn":"`+turn+`"}`).problem(429, "too-many-requests", "wait")
}
