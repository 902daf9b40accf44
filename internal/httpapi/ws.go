package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/inbox"
)

// subprotocol is what a socket speaks. A client offers it, and beside it its token: a page
// cannot set the headers of a WebSocket, and an address ends up in logs.
const subprotocol = "answerable.v1"

const socketPath = "/v1/conversations/{id}/ws"

const (
	goodbye  = time.Second     // that a client has to answer that a socket closes
	farewell = 3 * time.Second // that it has in all to take what is left when the server stops
)

// socket is a WebSocket: the events of a conversation out, what the customer does in.
type socket struct {
	s      *Server
	w      unheard // has the request's id; not written to, because two goroutines read it
	r      *http.Request
	caller caller
	id     chat.ConversationID
	conn   *websocket.Conn
	hangUp context.CancelFunc // ends the connection as it is
	parts  sync.WaitGroup
}

// socket passes on a conversation from any number on, and takes what the customer does.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) error {
	if err := offers(r); err != nil {
		return err
	}
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	after, err := number(r, "after", 0)
	if err != nil {
		return err
	}
	now, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	if _, err := s.openStream(w); err != nil {
		return err
	}
	defer s.closeStream()
	s.sockets.Add(1) // before the connection is hijacked, from when on only Wait knows of it
	defer s.sockets.Done()
	conn, err := upgrade(w, r)
	if err != nil {
		return err
	}
	conn.SetReadLimit(4 * or(s.Limits.Body, usualBody)) // what is larger than a body is told so up to here
	ctx, leave := context.WithCancel(r.Context())
	reading, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	k := &socket{s: s, w: unheard{requestID: {w.Header().Get(requestID)}}, r: r, caller: c, id: id, conn: conn, hangUp: hangUp}
	stays := context.AfterFunc(r.Context(), func() { time.AfterFunc(farewell, hangUp) })
	defer stays()
	defer k.parts.Wait()
	defer hangUp()
	defer leave()
	k.parts.Go(func() { k.close(k.tell(ctx, min(after, now.Seq))) })
	k.listen(reading)
	return nil
}

// Wait returns when all WebSockets are closed, which end with the context of the requests.
// http.Server's Shutdown knows nothing of them: call Wait after it.
func (s *Server) Wait() { s.sockets.Wait() }

// offers reads what the client wants to speak. What is no version of ours is its token.
func offers(r *http.Request) error {
	ours := false
	for _, header := range r.Header["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(header, ",") {
			switch p = strings.TrimSpace(p); {
			case p == subprotocol:
				ours = true
			case p != "" && !strings.HasPrefix(p, "answerable."):
				r.Header.Add("Authorization", "Bearer "+p)
			}
		}
	}
	if !ours {
		return errNoSocket
	}
	return nil
}

var errNoSocket = &chat.Error{Kind: malformed, Message: `this address is a WebSocket: open it with the subprotocols "` + subprotocol + `" and the conversation's token`}

// upgrade answers the client's handshake.
func upgrade(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	conn, err := websocket.Accept(handshake{w}, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // admit has looked at the Origin
	})
	if err != nil {
		return nil, errNoSocket
	}
	return conn, nil
}

// handshake lets an upgrade pass, and no refusal: that is ours to write.
type handshake struct{ http.ResponseWriter }

func (h handshake) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h handshake) WriteHeader(status int) {
	if status == http.StatusSwitchingProtocols {
		h.ResponseWriter.WriteHeader(status)
	}
}

func (h handshake) Write(b []byte) (int, error) { return len(b), nil }

// tell sends the events above after, and those that come, until ctx ends.
func (k *socket) tell(ctx context.Context, after int64) (err error) {
	defer k.s.rescue(socketPath, k.w.Header().Get(requestID), &err)
	var buf []byte
	return k.s.each(ctx, k.id, after, k.ping, func(e chat.Event) (last bool, err error) {
		buf = e.AppendJSON(buf[:0])
		return false, k.send(buf)
	})
}

// ping asks whether the client is there, and does not wait for its answer.
func (k *socket) ping() error {
	if err := k.s.still(k.r, k.caller); err != nil {
		return err
	}
	k.parts.Go(func() {
		ctx, cancel := k.patience()
		defer cancel()
		if err := k.conn.Ping(ctx); err != nil {
			k.hangUp()
		}
	})
	return nil
}

// send sends a frame. A client that does not take it in time is dropped.
func (k *socket) send(frame []byte) error {
	ctx, cancel := k.patience()
	defer cancel()
	if err := k.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// patience is how long the client may take for what it is sent. When the server stops, it
// gets what is left until the farewell is over.
func (k *socket) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(k.r.Context()), or(k.s.Limits.Transfer, usualTransfer))
}

// close ends the connection: with a reason where the client is there and does not know it.
func (k *socket) close(err error) {
	code, reason := websocket.StatusGoingAway, "the server stops: come back in a moment"
	switch {
	case err != nil && !errors.Is(err, errGone):
		p := k.s.failLate(k.w, k.r, resource{path: socketPath}, err)
		code, reason = websocket.StatusPolicyViolation, p.Detail
		if p.Status >= http.StatusInternalServerError {
			code = websocket.StatusInternalError
		}
	case k.r.Context().Err() == nil:
		k.conn.CloseNow()
		return
	}
	late := time.AfterFunc(goodbye, k.hangUp)
	defer late.Stop()
	const most = 123 // bytes of a reason
	k.conn.Close(code, strings.ToValidUTF8(reason[:min(len(reason), most)], ""))
}

// listen takes what the customer does until the connection ends.
func (k *socket) listen(ctx context.Context) {
	for {
		typ, frame, err := k.next(ctx)
		if err != nil {
			return
		}
		if err := k.hear(typ, frame); err != nil && k.refuse(frame, err) != nil {
			return
		}
	}
}

// next reads a frame, or as much of it as shows that it is too large.
func (k *socket) next(ctx context.Context) (websocket.MessageType, []byte, error) {
	typ, rd, err := k.conn.Reader(ctx)
	if err != nil {
		return 0, nil, err
	}
	late := time.AfterFunc(or(k.s.Limits.Transfer, usualTransfer), k.hangUp) // it trickles in
	defer late.Stop()
	frame, err := io.ReadAll(io.LimitReader(rd, or(k.s.Limits.Body, usualBody)+1))
	if err == nil {
		_, err = io.Copy(io.Discard, rd)
	}
	return typ, frame, err
}

// hear does what a frame asks for, as the route of the same name does.
func (k *socket) hear(typ websocket.MessageType, frame []byte) error {
	if err := k.s.still(k.r, k.caller); err != nil {
		return err
	}
	limit := or(k.s.Limits.Body, usualBody)
	switch {
	case typ != websocket.MessageText:
		return &chat.Error{Kind: unsupported, Message: "send frames of text, not binary ones"}
	case int64(len(frame)) > limit:
		return &chat.Error{Kind: chat.TooLarge, Message: fmt.Sprintf("the frame is larger than %d bytes: send less", limit)}
	}
	kind, _ := head(frame)
	switch kind {
	case "message":
		var m struct {
			Kind     string        `json:"kind"`
			Text     chat.Text     `json:"text"`
			Files    []chat.FileID `json:"files"`
			ClientID string        `json:"client_id"`
		}
		if err := decode(frame, &m); err != nil {
			return err
		}
		_, err := k.s.accept(unheard{}, k.r, k.caller, chat.Incoming{Conversation: k.id, Text: m.Text, Files: m.Files, ClientID: m.ClientID})
		return err // its event follows
	case "typing":
		var m struct {
			Kind   string `json:"kind"`
			Typing *bool  `json:"typing"`
		}
		if err := decode(frame, &m); err != nil {
			return err
		}
		_, err := k.s.customerTypes(unheard{}, k.r, k.caller, k.id, typed{m.Typing})
		return err
	case "read":
		var m struct {
			Kind string `json:"kind"`
			Seq  *int64 `json:"seq"`
		}
		if err := decode(frame, &m); err != nil {
			return err
		}
		_, err := k.s.customerReads(unheard{}, k.r, k.caller, k.id, seen{m.Seq})
		return err
	case "stop":
		var m struct {
			Kind string `json:"kind"`
		}
		if err := decode(frame, &m); err != nil {
			return err
		}
		_, err := k.s.Inbox.Stop(k.r.Context(), k.id)
		return err
	}
	if _, err := sound(frame); err != nil {
		return err
	}
	return &chat.Error{Kind: malformed, Message: fmt.Sprintf("unknown kind %.64q: known are message, typing, read and stop", kind)}
}

// head reads what says which frame it is, from one that may be wrong elsewhere.
func head(frame []byte) (kind, clientID string) {
	var h struct {
		Kind     string `json:"kind"`
		ClientID string `json:"client_id"`
	}
	if err := json.Unmarshal(frame, &h); err != nil {
		var wrong *json.UnmarshalTypeError
		if !errors.As(err, &wrong) {
			return "", ""
		}
	}
	return h.Kind, h.ClientID
}

// refuse tells the client what is wrong with a frame. The socket stays open.
func (k *socket) refuse(frame []byte, err error) error {
	told := struct {
		Kind string `json:"kind"`
		problem
		ClientID string `json:"client_id,omitempty"`
	}{"error", k.s.failLate(k.w, k.r, resource{path: socketPath}, err), ""}
	if _, id := head(frame); len(id) <= inbox.MostClientID {
		told.ClientID = id
	}
	line, err := encode(told)
	if err != nil {
		return fmt.Errorf("encode an error: %w", err)
	}
	return k.send(bytes.TrimSpace(line))
}

// unheard takes the headers of a refusal: a frame has none.
type unheard http.Header

func (u unheard) Header() http.Header       { return http.Header(u) }
func (unheard) Write(b []byte) (int, error) { return len(b), nil }
func (unheard) WriteHeader(int)             {}

const requestID = "X-Request-Id"
