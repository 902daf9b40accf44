package store

import (
	"context"
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

// notify tells other nodes which conversations a commit wrote to. It is part of the
// transaction: PostgreSQL delivers it with the commit.
func (t *tx) notify(members []*member) error {
	last := map[chat.ConversationID]int64{}
	for _, m := range members {
		for _, a := range m.events {
			last[a.conversation] = max(last[a.conversation], a.event.Seq)
		}
		for _, id := range m.hints {
			last[id] = max(last[id], 0)
		}
	}
	var b strings.Builder
	send := func() error {
		if b.Len() == 0 {
			return nil
		}
		_, err := t.exec(`SELECT pg_notify('`+channel+`', $1)`, t.w.s.sender+b.String())
		b.Reset()
		if err != nil {
			return fmt.Errorf("notify other nodes: %w", err)
		}
		return nil
	}
	for id, seq := range last {
		line := " " + string(id) + " " + strconv.FormatInt(seq, 10)
		if len(t.w.s.sender)+b.Len()+len(line) > payloadLimit {
			if err := send(); err != nil {
				return err
			}
		}
		b.WriteString(line)
	}
	return send()
}

// Listen tells hint of conversations that other processes wrote to, with the number of
// the newest event or 0, until ctx ends. After each connection it calls joined: hints
// from before are lost. On SQLite there are no other processes, and it only waits.
func (s *Store) Listen(ctx context.Context, hint func(chat.ConversationID, int64), joined func()) error {
	if !s.Shared() {
		<-ctx.Done()
		return nil
	}
	for wait := 50 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 2*time.Second) {
		err := s.listen(ctx, hint, func() { joined(); wait = 50 * time.Millisecond })
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

func (s *Store) listen(ctx context.Context, hint func(chat.ConversationID, int64), joined func()) error {
	c, err := pgx.ConnectConfig(ctx, s.engine.config)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	joined()
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		fields := strings.Fields(n.Payload)
		if len(fields) == 0 || fields[0] == s.sender {
			continue
		}
		for i := 1; i+1 < len(fields); i += 2 {
			seq, err := strconv.ParseInt(fields[i+1], 10, 64)
			if err != nil {
				continue // a later version's; the log has what happened
			}
			hint(chat.ConversationID(fields[i]), seq)
		}
	}
}
