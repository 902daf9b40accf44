package feed

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

// emptyLog has nothing: all there is comes from memory.
type emptyLog struct{}

func (emptyLog) After(context.Context, chat.ConversationID, int64, int) ([]chat.Event, error) {
	return nil, nil
}

// BenchmarkPublish hands an event to conversations that have so many followers.
func BenchmarkPublish(b *testing.B) {
	for _, followers := range []int{0, 1, 16} {
		b.Run(fmt.Sprint(followers), func(b *testing.B) {
			f := &Feed{Log: emptyLog{}}
			var nexts []func() (chat.Event, error, bool)
			for range followers {
				next, stop := iter.Pull2(f.Follow(b.Context(), "c", 0))
				defer stop()
				nexts = append(nexts, next)
			}
			b.ReportAllocs()
			seq := int64(0)
			for b.Loop() {
				seq++
				f.Publish("c", []chat.Event{{Seq: seq}})
				for _, next := range nexts {
					if e, err, ok := next(); !ok || err != nil || e.Seq != seq {
						b.Fatal(e.Seq, err)
					}
				}
			}
		})
	}
}

// BenchmarkFollowers reports what a conversation with a follower that waits takes.
func BenchmarkFollowers(b *testing.B) {
	const followers = 10_000
	for b.Loop() {
		f := &Feed{Log: emptyLog{}}
		ctx, cancel := context.WithCancel(b.Context())
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		done := make(chan struct{})
		for i := range followers {
			go func() {
				for range f.Follow(ctx, chat.ConversationID(fmt.Sprint(i)), 0) {
				}
				done <- struct{}{}
			}()
		}
		for f.Followers() < followers {
			runtime.Gosched()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc+after.StackInuse-before.HeapAlloc-before.StackInuse)/followers, "bytes/follower")
		cancel()
		for range followers {
			<-done
		}
	}
}
