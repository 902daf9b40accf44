package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// errGone: the client cannot be written to, because it left or takes nothing.
var errGone = errors.New("the client is gone")

// stream writes server-sent events. What is written waits in a buffer until it is
// flushed, so that events that are there together travel together.
type stream struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	transfer time.Duration
	signals  bool         // it passes on what has no number
	still    func() error // whether its reader may go on reading; nil: to the end
	buf      []byte
}

// flushAt is how much waits at most.
const flushAt = 16 << 10

// openStream begins a stream, unless there are too many. The caller closes it.
func (s *Server) openStream(w http.ResponseWriter) (*stream, error) {
	if limit := int64(or(s.Limits.Streams, usualStreams)); s.streams.Add(1) > limit {
		s.closeStream()
		w.Header().Set("Retry-After", "5")
		return nil, &chat.Error{Kind: chat.Unavailable, Message: "too many streams are open: try again in 5 s"}
	}
	return &stream{w: w, control: http.NewResponseController(w), transfer: or(s.Limits.Transfer, usualTransfer)}, nil
}

func (s *Server) closeStream() { s.streams.Add(-1) }

// OpenStreams counts the streams that are open to clients.
func (s *Server) OpenStreams() int { return int(s.streams.Load()) }

// begin sends the headers with the first flush.
func (st *stream) begin() {
	h := st.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold back what is not much
	st.w.WriteHeader(http.StatusOK)
}

// retry tells an EventSource how soon to come back.
func (st *stream) retry() { st.buf = append(st.buf, "retry: 1000\n\n"...) }

// comment keeps proxies from closing a quiet stream.
func (st *stream) comment() { st.buf = append(st.buf, ":\n\n"...) }

// event writes an event of the log, or a signal: without an id, so that a client that
// comes back still asks for what follows the last event.
func (st *stream) event(e chat.Event) {
	if !e.Signal() {
		st.buf = append(strconv.AppendInt(append(st.buf, "id: "...), e.Seq, 10), '\n')
	}
	st.buf = append(append(append(st.buf, "event: "...), e.Kind...), "\ndata: "...)
	st.buf = append(e.AppendJSON(st.buf), "\n\n"...)
}

// data writes an event that has no number and no name, as other software's streams do.
func (st *stream) data(v any) {
	line, err := encode(v)
	if err != nil {
		panic("httpapi: a piece of a stream cannot be encoded: " + err.Error()) // plain structs always can
	}
	st.buf = append(append(append(st.buf, "data: "...), line...), '\n')
}

func (st *stream) done() { st.buf = append(st.buf, "data: [DONE]\n\n"...) }

// flush sends what waits. A client that does not take it in time is dropped: its events
// are in the log.
func (st *stream) flush() error {
	if len(st.buf) == 0 {
		return nil
	}
	if err := st.control.SetWriteDeadline(time.Now().Add(st.transfer)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	_, err := st.w.Write(st.buf)
	st.buf = st.buf[:0]
	if err == nil {
		err = st.control.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// follow takes the events numbered above after, one by one, until take says that it was
// the last, and flushes whenever the client has all there is. known is the number of an
// event that is there already: up to it, flushing waits. Most streams leave signals out.
// It ends without an error when ctx does.
func (s *Server) follow(ctx context.Context, st *stream, id chat.ConversationID, after, known int64, take func(chat.Event) (last bool)) error {
	if err := st.flush(); err != nil {
		return err
	}
	beat := func() error {
		if st.still != nil {
			if err := st.still(); err != nil {
				return err
			}
		}
		st.comment()
		return st.flush()
	}
	return s.each(ctx, id, after, beat, func(e chat.Event) (last bool, err error) {
		if e.Signal() && !st.signals {
			return false, nil
		}
		last, after = take(e), max(after, e.Seq)
		if last || after >= known || len(st.buf) >= flushAt {
			err = st.flush()
		}
		return last, err
	})
}

// each takes the events numbered above after and the signals, one by one, until take says
// that it was the last. It calls beat with every heartbeat, and ends without an error when
// ctx does.
func (s *Server) each(ctx context.Context, id chat.ConversationID, after int64, beat func() error, take func(chat.Event) (last bool, err error)) error {
	for {
		until, cancel := context.WithTimeout(ctx, or(s.Limits.Heartbeat, usualHeartbeat))
		for e, err := range s.Feed.Follow(until, id, after) {
			last := false
			if err == nil {
				after = max(after, e.Seq)
				last, err = take(e)
			}
			if err != nil || last {
				cancel()
				return err
			}
		}
		cancel()
		if ctx.Err() != nil {
			return nil // the client left, or the server stops
		}
		if err := beat(); err != nil {
			return err
		}
	}
}
