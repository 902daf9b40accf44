package storetest

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// promote appends an entry for the assistant "a".
func (f *fixture) promote(n int64, what store.Promoting, release, generation string, back int64) store.Promotion {
	f.Helper()
	var files []byte
	if release != "" {
		files = []byte("files of " + release)
	}
	p, err := f.s.Promote(f.ctx, store.Promotion{Assistant: "a", N: n, What: what, Release: release, Generation: generation, Back: back, By: "desk"}, files)
	f.check(err)
	return p
}

func (f *fixture) promotes() {
	none, err := f.s.Promoted(f.ctx)
	f.check(err)
	first := f.promote(1, store.Promote, "r1", "g1", 0)
	f.promote(2, store.Promote, "r2", "g1", 1)
	f.promote(3, store.Undo, "r1", "g1", 0)
	last := f.promote(4, store.Undo, "", "", 0)
	if _, err := f.s.Promote(f.ctx, store.Promotion{Assistant: "b", N: 1, What: store.Promote, Release: "r1", Generation: "g9", By: "x"}, []byte("other bytes")); err != nil {
		f.Fatal(err)
	}
	now, err := f.s.Promoted(f.ctx)
	f.check(err)
	if len(none) != 0 || len(now) != 2 || now[0] != last || now[1].Assistant != "b" {
		f.Errorf("Promoted = %+v, then %+v", none, now)
	}
	log, err := f.s.Promotions(f.ctx, "a", 3)
	f.check(err)
	if len(log) != 3 || log[0].N != 4 || log[2].N != 2 || log[2].Release != "r2" || log[2].Back != 1 {
		f.Errorf("Promotions = %+v", log)
	}
	got, err := f.s.Promotion(f.ctx, "a", 1)
	f.check(err)
	if got != first {
		f.Errorf("Promotion = %+v, want %+v", got, first)
	}
	_, err = f.s.Promotion(f.ctx, "a", 9)
	f.wantKind(err, chat.NotFound)
	files, err := f.s.ReleaseFiles(f.ctx, "r1")
	f.check(err)
	if string(files) != "files of r1" {
		f.Errorf("the files are %q: a release does not change", files)
	}
	_, err = f.s.ReleaseFiles(f.ctx, "r9")
	f.wantKind(err, chat.NotFound)
}

// promotesOnce has many promote at a time, each after what it has seen.
func (f *fixture) promotesOnce() {
	f.promote(1, store.Promote, "r1", "g1", 0)
	for _, n := range []int64{1, 3} {
		_, err := f.s.Promote(f.ctx, store.Promotion{Assistant: "a", N: n, What: store.Promote, Release: "r1", Generation: "g1", By: "x"}, []byte("x"))
		f.wantKind(err, chat.Conflict)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := f.s.Promote(f.ctx, store.Promotion{Assistant: "a", N: 2, What: store.Promote, Release: "r2", Generation: "g2", Back: 1, By: "x"}, []byte("x"))
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, chat.Conflict):
				f.Error(err)
			}
		})
	}
	wg.Wait()
	log, err := f.s.Promotions(f.ctx, "a", 10)
	f.check(err)
	if won.Load() != 1 || len(log) != 2 {
		f.Errorf("%d of 8 promoted, and the log has %d entries", won.Load(), len(log))
	}
}
