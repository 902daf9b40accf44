package llm_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/llm"
)

// endless yields so many chunks as fast as it can.
type endless int

func (endless) Name() string { return "endless" }

func (n endless) Stream(context.Context, llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		for range n {
			if !yield(llm.Chunk{Text: "word "}, nil) {
				return
			}
		}
		yield(llm.Chunk{Finish: llm.Stop}, nil)
	}
}

// What the client adds to a chunk, and to a reply of one chunk.
func BenchmarkStream(b *testing.B) {
	for _, bb := range []struct {
		name  string
		free  bool
		hedge bool
	}{{"free", true, false}, {"paid", false, false}, {"hedged", false, true}} {
		ask := func(b *testing.B, c *llm.Client, n int) {
			c.Models = []llm.Model{{Provider: endless(n), Free: bb.free}}
			req := request(llm.NewTurnLimit(0, 0))
			for _, err := range c.Stream(b.Context(), req, nil) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		warm := func(b *testing.B) *llm.Client {
			c := &llm.Client{Hedge: bb.hedge, Limits: llm.Limits{Whole: time.Hour}}
			for range 20 {
				ask(b, c, 1)
			}
			b.ReportAllocs()
			b.ResetTimer()
			return c
		}
		b.Run(bb.name+"/chunk", func(b *testing.B) { ask(b, warm(b), b.N) })
		b.Run(bb.name+"/reply", func(b *testing.B) {
			c := warm(b)
			for range b.N {
				ask(b, c, 1)
			}
		})
	}
}
