package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

// BenchmarkFlush is one commit of the pieces of n streams: what a busy server does every
// few milliseconds.
func BenchmarkFlush(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			key, err := DevelopmentKey(dir)
			if err != nil {
				b.Fatal(err)
			}
			s, err := Open(b.Context(), Options{Dir: dir, Key: key})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			streams := make([]*Stream, n)
			for i := range streams {
				c, err := s.Create(b.Context(), NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
				if err != nil {
					b.Fatal(err)
				}
				a, err := s.Accept(b.Context(), chat.Incoming{Conversation: c.ID, Text: "hello", Node: "n"}, nil)
				if err != nil {
					b.Fatal(err)
				}
				streams[i] = s.Stream(a.Open)
			}
			bodies := []chat.Body{chat.TextShown{Text: "eight words of text in every piece here"}}
			entries := []chat.Entry{{Step: "chunk", Result: []byte(`{"text":"eight words of text "}`)}, {Step: "chunk", Result: []byte(`{"text":"in every piece here"}`)}}
			b.ReportAllocs()
			for b.Loop() {
				for _, st := range streams {
					st.bodies, st.entries = bodies, entries
				}
				m := &member{do: func(t *tx) error { return flushStreams(t, streams) }}
				if err := s.writer.group([]*member{m}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/piece")
		})
	}
}

// BenchmarkTurns accepts and settles the turns of 64 conversations at a time, without text
// between.
func BenchmarkTurns(b *testing.B) {
	s, err := Open(b.Context(), Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ids := make([]chat.ConversationID, 64)
	for i := range ids {
		c, err := s.Create(b.Context(), NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
		if err != nil {
			b.Fatal(err)
		}
		ids[i] = c.ID
	}
	b.ReportAllocs()
	for b.Loop() {
		var all sync.WaitGroup
		for _, id := range ids {
			all.Go(func() {
				a, err := s.Accept(b.Context(), chat.Incoming{Conversation: id, Text: "Where is my order and when does it come?", Node: "n"}, nil)
				if err != nil {
					b.Error(err)
					return
				}
				e := chat.Ending{State: chat.Completed, Bodies: []chat.Body{chat.TextShown{Text: "It has left our warehouse."}},
					Record: chat.Turn{ID: a.Open.ID, Conversation: id, Customer: a.Open.Conversation.Customer, Shown: "It has left our warehouse.", Outcome: chat.Answered}}
				if _, err := s.Settle(b.Context(), a.Open.Fence(), e); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(ids)), "µs/turn")
}
