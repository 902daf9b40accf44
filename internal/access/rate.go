package access

import (
	"sync"
	"time"
)

// mostKept bounds how many keys a Rate keeps in each of its two maps.
const mostKept = 100_000

// Rate allows so many acts a minute for each key: as many at once, and then one whenever
// its share of the minute has passed. It is safe for concurrent use.
//
// Memory is bounded. What a key did more than a minute ago no longer counts, so two maps
// that take turns are enough: the older one is dropped whole. When a flood of keys fills
// a map, the maps change early, and old keys are forgotten rather than new ones refused.
type Rate struct {
	PerMinute int // 0: no limit

	mu      sync.Mutex
	fresh   map[string]time.Time // when the bucket of a key is full again
	old     map[string]time.Time
	changed time.Time
}

// Allow counts an act of key at now. When it is one too many it is not counted, and wait
// is how long until it would be allowed.
func (r *Rate) Allow(key string, now time.Time) (wait time.Duration) {
	if r.PerMinute <= 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fresh == nil || now.Sub(r.changed) >= time.Minute || len(r.fresh) >= mostKept {
		r.old, r.fresh, r.changed = r.fresh, map[string]time.Time{}, now
	}
	full, ok := r.fresh[key]
	if !ok {
		full = r.old[key]
	}
	if full.Before(now) {
		full = now
	}
	full = full.Add(time.Minute / time.Duration(r.PerMinute))
	if wait = full.Sub(now) - time.Minute; wait > 0 {
		return wait
	}
	r.fresh[key] = full
	return 0
}

// Places allows so many acts at the same time, and of each key no more than its share. It
// is safe for concurrent use.
type Places struct {
	All, Each int

	mu    sync.Mutex
	taken int
	by    map[string]int
}

// Take takes a place for key, or reports that there is none: for nobody, or full is false,
// for this key. Whoever took one gives it back.
func (p *Places) Take(key string) (ok, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.All {
		return false, true
	}
	if p.by[key] >= p.Each {
		return false, false
	}
	if p.by == nil {
		p.by = map[string]int{}
	}
	p.taken++
	p.by[key]++
	return true, false
}

// Give gives a place of key back.
func (p *Places) Give(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.by[key]--; p.by[key] == 0 {
		delete(p.by, key)
	}
}

// Taken counts the places that are taken.
func (p *Places) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}
