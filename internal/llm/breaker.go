package llm

import (
	"fmt"
	"sync"
	"time"
)

// When a breaker opens, and for how long.
const (
	failuresInRow = 3
	failuresOf    = 20 // it looks back on so many calls, of which half may fail
	shortestOpen  = 5 * time.Second
	longestOpen   = time.Minute
	brokenOpen    = 5 * time.Minute // an operator must act first
)

// outcome is what a breaker learns from a call.
type outcome int

const (
	nothing outcome = iota // it was cancelled, or refused for what it asked
	success
	failure
	broken
)

// breaker spares a model that keeps failing: the model from the calls, and the customer
// from the wait. It is closed at first. When it opens, no call enters for a while; then
// one call does, the probe, while the others still pass by. If the probe succeeds the
// breaker closes, otherwise it opens again for twice as long.
type breaker struct {
	mu      sync.Mutex
	era     int           // counts openings and closings: calls of an earlier era tell nothing
	until   time.Time     // no call enters before; zero: closed
	wait    time.Duration // of the last opening, but for a broken model; 0: closed
	why     string        // it opened
	probing bool          // the probe is under way
	row     int           // failures without a success between them
	last    [failuresOf]bool
	next    int // place in last, which says of each call whether it failed
	err     string
}

// A pass lets one call through a breaker and must be given back once. The zero pass is of
// no breaker.
type pass struct {
	breaker *breaker
	era     int
	probe   bool
}

// enter returns a pass, or why there is none. Anyway is to return one in any case.
func (b *breaker) enter(anyway bool) (p pass, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p = pass{breaker: b, era: b.era}
	now := time.Now()
	switch {
	case b.until.IsZero():
		return p, ""
	case !b.probing && !now.Before(b.until):
		b.probing, p.probe = true, true
		return p, ""
	case anyway:
		return p, ""
	case b.probing:
		return pass{}, "is being tried again by another call: " + b.why
	}
	return pass{}, fmt.Sprintf("is not asked until %s: %s", b.until.UTC().Format("15:04:05 UTC"), b.why)
}

// leave gives a pass back with what came of the call. Err is that of the provider, if any.
func (p pass) leave(o outcome, err error) {
	b := p.breaker
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.err = err.Error()
	}
	if p.era != b.era {
		return
	}
	if p.probe {
		b.probing = false
	}
	open := !b.until.IsZero()
	switch {
	case o == broken:
		b.openLocked(brokenOpen, "it needs an operator: "+b.err)
	case o == success && open:
		b.closeLocked()
	case o == success:
		b.err = ""
		b.countLocked(false)
	case o == failure && p.probe:
		b.wait = min(max(2*b.wait, shortestOpen), longestOpen)
		b.openLocked(b.wait, "it failed again when it was tried")
	case o == failure && !open:
		b.countLocked(true)
	}
}

func (b *breaker) countLocked(failed bool) {
	b.last[b.next] = failed
	b.next = (b.next + 1) % failuresOf
	b.row++
	if !failed {
		b.row = 0
		return
	}
	count := 0
	for _, f := range b.last {
		if f {
			count++
		}
	}
	switch {
	case b.row >= failuresInRow:
		b.wait = shortestOpen
		b.openLocked(b.wait, fmt.Sprintf("its last %d calls failed", b.row))
	case 2*count >= failuresOf:
		b.wait = shortestOpen
		b.openLocked(b.wait, fmt.Sprintf("%d of its last %d calls failed", count, failuresOf))
	}
}

func (b *breaker) openLocked(d time.Duration, why string) {
	b.era++
	b.probing = false
	b.until, b.why = time.Now().Add(d), why
}

func (b *breaker) closeLocked() {
	b.era++
	b.until, b.wait, b.why, b.err, b.probing = time.Time{}, 0, "", "", false
	b.row, b.last, b.next = 0, [failuresOf]bool{}, 0
}

// BreakerState says whether a model is asked.
type BreakerState string

const (
	BreakerClosed   BreakerState = "closed"    // it is
	BreakerOpen     BreakerState = "open"      // it is spared until a time
	BreakerHalfOpen BreakerState = "half_open" // the next call, or a running one, tries it again
)

// Health is how a model has fared lately.
type Health struct {
	Provider  string
	Model     string
	State     BreakerState
	Until     time.Time // when it will be tried again; zero unless it is open
	Why       string    // it is not closed
	LastError string    // "" when the last call that ended was answered
	// The time to the first chunk of half of the last calls, and of 95 in 100; 0: none yet.
	P50, P95 time.Duration
}

// Health returns how each model that is not free has fared, in the order of the plan.
func (c *Client) Health() []Health {
	var all []Health
	for _, m := range c.Models {
		if m.Free {
			continue
		}
		k := c.knows(m)
		h := k.breaker.health()
		h.Provider, h.Model = m.Provider.Name(), m.Name
		h.P50, h.P95 = k.firsts.quantile(50), k.firsts.quantile(95)
		all = append(all, h)
	}
	return all
}

func (b *breaker) health() Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := Health{State: BreakerClosed, Why: b.why, LastError: b.err}
	switch {
	case b.until.IsZero():
	case time.Now().Before(b.until):
		h.State, h.Until = BreakerOpen, b.until
	default:
		h.State = BreakerHalfOpen
	}
	return h
}

// known is what earlier calls of a model have shown.
type known struct {
	breaker breaker
	firsts  firsts
}

type modelKey struct{ provider, model string }

func (c *Client) knows(m Model) *known {
	if c.shared != nil {
		return c.shared.knows(m)
	}
	key := modelKey{m.Provider.Name(), m.Name}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[modelKey]*known{}
	}
	if c.known[key] == nil {
		c.known[key] = &known{}
	}
	return c.known[key]
}
