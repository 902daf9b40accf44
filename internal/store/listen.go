package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerable/answerable/internal/chat"
)

// channel is the PostgreSQL channel on which nodes tell each other what they committed.
const channel = "answerable"

// payloadLimit is PostgreSQL's bound of 8,000 bytes, with a margin.
const payloadLimit = 7900

// settingsChanged is the payload, behind the sender, that says so.
const settingsChanged = "\tsettings"

// notify tells other nodes which conversations a commit wrote to, and whether it changed
// settings. It is part of the transaction: PostgreSQL delivers it with the commit.
func (t *tx) notify(members []*member) error {
	last, settings := map[chat.ConversationID]int64{}, []string(nil)
	for _, m := range members {
		if m.settings {
			settings = []string{""}
		}
		for _, a := range m.events {
			last[a.conversation] = max(last[a.conversation], a.event.Seq)
		}
		for _, id := range m.hints {
			last[id] = max(last[id], 0)
		}
	}
	hints := make([]string, 0, len(last))
	for id, seq := range last {
		hints = append(hints, string(id)+" "+strconv.FormatInt(seq, 10))
	}
	if err := t.tell(settingsChanged, settings); err != nil {
		return err
	}
	return t.tell(" ", hints)
}

// tell sends items to other nodes, each after a separator, in as few payloads as they fit.
func (t *tx) tell(separator string, items []string) error {
	payload := t.w.s.sender
	for i, item := range items {
		payload += separator + item
		if i+1 < len(items) && len(payload)+len(separator)+len(items[i+1]) <= payloadLimit {
			continue
		}
		if _, err := t.exec(`SELECT pg_notify('`+channel+`', $1)`, payload); err != nil {
			return fmt.Errorf("notify other nodes: %w", err)
		}
		payload = t.w.s.sender
	}
	return nil
}

// mostSignals is how many may wait for a commit. Those beyond are lost.
const mostSignals = 1024

// Signal tells other processes of a signal and does not wait for it. It is stored nowhere:
// a process that does not hear it has missed it. On SQLite there are no others.
//
// It travels with the next commit: transactions that notify take turns in the whole
// database.
func (s *Store) Signal(id chat.ConversationID, e chat.Event) {
	if !s.Shared() || s.writer == nil {
		return
	}
	line := fmt.Sprintf("%s %s %d %s", id, e.Kind, e.At.UnixMicro(), e.Body)
	if len(s.sender)+1+len(line) > payloadLimit {
		return
	}
	w := s.writer
	w.mu.Lock()
	if !w.closing && len(w.signals) < mostSignals {
		w.signals = append(w.signals, line)
	}
	w.mu.Unlock()
	w.nudge()
}

// readSignal reads what Signal wrote. It is false for another shape, such as a later
// version's.
func readSignal(line string) (id chat.ConversationID, e chat.Event, ok bool) {
	fields := strings.SplitN(line, " ", 4)
	if len(fields) != 4 || !json.Valid([]byte(fields[3])) {
		return "", e, false
	}
	at, err := strconv.ParseInt(fields[2], 10, 64)
	return chat.ConversationID(fields[0]), chat.Event{Kind: chat.Kind(fields[1]), At: chat.Micro(at), Body: json.RawMessage(fields[3])}, err == nil
}

// Heard is told what other processes do, by one goroutine and in the order of their commits.
type Heard struct {
	// Hint is told of a conversation that was written to, with the number of the newest
	// event or 0.
	Hint   func(chat.ConversationID, int64)
	Signal func(chat.ConversationID, chat.Event)
	// Settings is told that what operators set for assistants was changed: releases,
	// notices, the off switch. Read them again. It may be nil.
	Settings func()
	Joined   func() // after each connection: what there was before is lost
}

// Listen tells h what other processes do, until ctx ends. On SQLite there are none, and it
// only waits.
func (s *Store) Listen(ctx context.Context, h Heard) error {
	if !s.Shared() {
		<-ctx.Done()
		return nil
	}
	wait, joined := 50*time.Millisecond, h.Joined
	h.Joined = func() { joined(); wait = 50 * time.Millisecond }
	for ; ctx.Err() == nil; wait = min(2*wait, 2*time.Second) {
		err := s.listen(ctx, h)
		if ctx.Err() != nil {
			return nil
		}
		s.log.Warn("the notifications of other nodes broke off", "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	return nil
}

func (s *Store) listen(ctx context.Context, h Heard) error {
	c, err := pgx.ConnectConfig(ctx, s.engine.config)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	h.Joined()
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if strings.HasPrefix(n.Payload, s.sender) {
			continue
		}
		if strings.HasSuffix(n.Payload, settingsChanged) {
			if h.Settings != nil {
				h.Settings()
			}
			continue
		}
		// What cannot be read is a later version's; the log has what happened.
		if _, lines, ok := strings.Cut(n.Payload, "\n"); ok {
			for line := range strings.SplitSeq(lines, "\n") {
				if id, e, ok := readSignal(line); ok {
					h.Signal(id, e)
				}
			}
			continue
		}
		fields := strings.Fields(n.Payload)
		for i := 1; i+1 < len(fields); i += 2 {
			if seq, err := strconv.ParseInt(fields[i+1], 10, 64); err == nil {
				h.Hint(chat.ConversationID(fields[i]), seq)
			}
		}
	}
}
