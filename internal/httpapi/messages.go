package httpapi

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// accepted is what the sender of a message is told.
type accepted struct {
	Message chat.MessageID `json:"message"`
	Turn    chat.TurnID    `json:"turn,omitempty"`
	Seq     int64          `json:"seq"`
}

// send takes a customer's message. It answers at once, or with a stream of what the
// message leads to.
func (s *Server) send(w http.ResponseWriter, r *http.Request) error {
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body struct {
		Text     chat.Text     `json:"text"`
		Files    []chat.FileID `json:"files"`
		ClientID string        `json:"client_id"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	in := chat.Incoming{Conversation: id, Text: body.Text, Files: body.Files, ClientID: body.ClientID}
	if !wantsStream(r) {
		a, err := s.accept(w, r, c, in)
		if err != nil {
			return err
		}
		return write(w, http.StatusAccepted, accepted{a.Message.ID, a.Message.Turn, a.Seq})
	}
	st, err := s.openStream(w) // before the message is accepted: refusing it later would be a lie
	if err != nil {
		return err
	}
	defer s.closeStream()
	a, err := s.accept(w, r, c, in)
	if err != nil {
		return err
	}
	st.begin()
	st.retry()
	return s.follow(r.Context(), st, id, a.Seq-1, a.Open.Conversation.Seq, func(e chat.Event) bool {
		if e.Seq == a.Seq || a.Message.Turn != "" && e.Turn == a.Message.Turn {
			st.event(e)
		}
		return over(a, e)
	})
}

// accept makes a message durable, if its sender may send one now.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, c caller, in chat.Incoming) (chat.Accepted, error) {
	if err := s.admitMessage(w, c, in.Conversation); err != nil {
		return chat.Accepted{}, err
	}
	return s.Inbox.Accept(r.Context(), in)
}

// over reports whether e is the last event that an accepted message leads to: the end of
// its turn, or its acceptance where nothing answers it.
func over(a chat.Accepted, e chat.Event) bool {
	if a.Message.Turn == "" {
		return e.Seq >= a.Seq
	}
	return e.Kind == chat.KindTurnEnded && e.Turn == a.Message.Turn
}

// wantsStream reports whether the client asks for server-sent events.
func wantsStream(r *http.Request) bool { return accepts(r, "text/event-stream") }

// accepts reports whether the Accept header names a media type, without refusing it.
func accepts(r *http.Request, want string) bool { return names(r.Header["Accept"], want) }

// names reports whether the headers of one name, a list of what the client takes, have
// want in it, without refusing it.
func names(headers []string, want string) bool {
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			name, params, err := mime.ParseMediaType(part)
			if err != nil || name != want {
				continue
			}
			q, err := strconv.ParseFloat(params["q"], 64)
			if err != nil || q > 0 {
				return true
			}
		}
	}
	return false
}

// events passes on a conversation from any number on: as a stream, for as long as the
// client stays, or, to whom streams do not reach, a list at a time.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	id, caller, err := s.reading(r)
	if err != nil {
		return err
	}
	after, err := number(r, "after", 0)
	if seen := r.Header.Get("Last-Event-ID"); seen != "" {
		after, err = wholeNumber("Last-Event-ID", seen)
	}
	if err != nil {
		return err
	}
	wait, err := number(r, "wait", 0)
	if err != nil {
		return err
	}
	if wait > mostWait {
		return &chat.Error{Kind: malformed, Message: fmt.Sprintf("wait must be a number of seconds from 0 to %d", mostWait)}
	}
	c, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	st, err := s.openStream(w)
	if err != nil {
		return err
	}
	defer s.closeStream()
	// A number above the last is a mistake, or of a log that was lost: what comes is new.
	after = min(after, c.Seq)
	if accepts(r, "application/json") && !wantsStream(r) {
		return s.poll(w, r, id, after, c.Seq, time.Duration(wait)*time.Second)
	}
	st.begin()
	if r.Method == http.MethodHead {
		return nil
	}
	st.retry()
	st.comment() // a client behind a proxy that holds it back will ask for lists
	st.signals = true
	st.still = func() error { return s.still(r, caller) }
	return s.follow(r.Context(), st, id, after, c.Seq, func(e chat.Event) bool {
		st.event(e)
		return false
	})
}

const (
	mostWait   = 30  // seconds, of which proxies allow most
	mostPolled = 500 // events at a time
)

// poll answers with the events numbered above after and the signals, as soon as there is
// one, or with none after the wait. known is the number of the last event at first.
func (s *Server) poll(w http.ResponseWriter, r *http.Request, id chat.ConversationID, after, known int64, wait time.Duration) error {
	list := struct {
		Events []chat.Event `json:"events"`
		Next   int64        `json:"next"`
	}{[]chat.Event{}, after}
	if r.Method == http.MethodHead {
		return write(w, http.StatusOK, list)
	}
	if after < known { // there is no waiting, but reading takes its time
		wait = or(s.Limits.Transfer, usualTransfer)
	}
	ctx, enough := context.WithTimeout(r.Context(), wait)
	defer enough()
	for e, err := range s.Feed.Follow(ctx, id, after) {
		if err != nil {
			return err
		}
		list.Events, list.Next = append(list.Events, e), max(list.Next, e.Seq)
		if len(list.Events) == mostPolled {
			break
		}
		if list.Next >= known {
			enough() // what is there by now still comes
		}
	}
	setWriteDeadline(w, time.Now().Add(or(s.Limits.Transfer, usualTransfer)))
	return write(w, http.StatusOK, list)
}
