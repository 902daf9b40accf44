// Package load measures a server from outside, as its customers meet it: how soon a
// question shows its first text and its whole answer, and whether anything was lost.
//
// Two ideas. Questions are asked at times that are fixed beforehand, whatever the server
// does, and every time is taken from then: a server that stalls is not asked less, and its
// stall counts for each question that should have been asked meanwhile. And the measuring
// program measures itself, because one that is late makes the server look slow.
//
// Start with Run.
package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// Plan says what is asked of whom.
type Plan struct {
	URL       string // of the server, without a slash at the end
	Key       string // an API key, or ""
	Assistant string // "": the default
	Questions []string
	PID       int // of the server's process on this machine; 0: not known

	Rate          float64 // questions a second
	Constant      bool    // they come evenly, and not by chance (a Poisson process)
	Conversations int     // at once, at most
	Turns         int     // questions in a conversation
	Warmup        time.Duration
	Duration      time.Duration // after the warm-up
	Patience      time.Duration // for a whole answer

	Progress func(done, total int64) // of the questions; is called by one goroutine

	transport http.RoundTripper // for tests; nil: connections that are kept
}

// Run asks by the plan and reports. When ctx ends before the plan is through, the report is
// of what was measured until then. An error is that nothing could be asked at all.
func Run(ctx context.Context, p Plan) (*Report, error) {
	if len(p.Questions) == 0 {
		return nil, errors.New("there is nothing to ask")
	}
	c := &client{Plan: p, http: &http.Client{Transport: p.transport}, test: true}
	if p.transport == nil {
		c.http.Transport = connections(p.Conversations)
		defer c.http.CloseIdleConnections()
	}
	if err := c.tryOut(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	r := &run{Plan: p, client: c, began: began, random: rand.New(rand.NewPCG(1, 2)),
		m: newMeasures(began.Add(p.Warmup), began.Add(p.Warmup+p.Duration))}
	whole, stop := context.WithCancel(ctx)
	var asking, watching sync.WaitGroup
	watching.Go(func() { r.watch(whole) })
	for range p.Conversations {
		asking.Go(func() { r.converse(ctx) })
	}
	asking.Wait()
	stop()
	watching.Wait()
	return r.report(ctx.Err() != nil), nil
}

// connections returns a transport that keeps a connection for each conversation, as so
// many browsers would.
func connections(n int) *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        n,
		MaxIdleConnsPerHost: n,
		IdleConnTimeout:     2 * time.Minute,
		DisableCompression:  true,
	}
}

// run is a plan that is carried out.
type run struct {
	Plan
	client *client
	began  time.Time
	m      *measures

	mu     sync.Mutex
	random *rand.Rand
	asked  int           // questions that were given out
	last   time.Duration // when the last one was due, from the beginning
	usage  used          // belongs to watch
}

// next returns the number of the next question and when it is due, from the beginning.
func (r *run) next() (n int, due time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gap := 1.0
	if !r.Constant {
		gap = r.random.ExpFloat64()
	}
	due = r.last + time.Duration(gap/r.Rate*float64(time.Second))
	if due >= r.Warmup+r.Duration {
		r.last = r.Warmup + r.Duration
		return 0, 0, false
	}
	n, r.asked, r.last = r.asked, r.asked+1, due
	return n, due, true
}

// converse asks the questions that are next, one at a time, in one conversation after
// another.
func (r *run) converse(ctx context.Context) {
	var in *conversation
	for {
		n, due, ok := r.next()
		if !ok {
			return
		}
		at := r.began.Add(due)
		counts := due >= r.Warmup
		if wait := time.Until(at); wait >= 0 {
			if !sleep(ctx, wait) {
				return
			}
			r.m.late(counts, time.Since(at))
		} else {
			r.m.waited(counts, -wait) // all conversations were busy
		}
		if in == nil || in.asked == r.Turns {
			begun := time.Now()
			fresh, err := r.client.begin(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				r.m.failed(counts, err)
				in = nil
				continue
			}
			r.m.begun(counts, time.Since(begun))
			in = fresh
		}
		in.asked++
		a := r.client.ask(ctx, in, r.Questions[n%len(r.Questions)])
		if ctx.Err() != nil {
			return // cut by whoever looks on, not by the server
		}
		r.m.answer(counts, at, a)
		if a.err != nil || a.handedOver {
			in = nil // a person has it, or nobody knows what became of it
		}
	}
}

// sleep waits, and reports whether ctx went on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// watch looks at the processes once the warm-up is over, and tells how far the run is,
// until ctx ends.
func (r *run) watch(ctx context.Context) {
	tell := func() {
		if r.Progress == nil {
			return
		}
		total := int64(r.Rate * (r.Warmup + r.Duration).Seconds())
		r.mu.Lock()
		done := min(int64(r.asked), total)
		r.mu.Unlock()
		r.Progress(done, total)
	}
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	for ctx.Err() == nil {
		if time.Since(r.began) >= r.Warmup {
			r.usage.look(r.PID)
		}
		tell()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	r.usage.look(r.PID)
	tell()
}

// used is what the server's process, and this one, have used.
type used struct {
	server, own  usage // at the first look
	serverCPU    time.Duration
	ownCPU       time.Duration
	rss          int64 // the most that was seen
	looked, lost bool
}

func (u *used) look(pid int) {
	own, err := usageOf(os.Getpid())
	if err == nil && !u.looked {
		u.own = own
	}
	u.ownCPU = own.cpu - u.own.cpu
	if pid != 0 && !u.lost {
		now, err := usageOf(pid)
		if err != nil {
			u.lost = true // it ended, or is another user's
		} else {
			if !u.looked {
				u.server = now
			}
			u.serverCPU, u.rss = now.cpu-u.server.cpu, max(u.rss, now.rss)
		}
	}
	u.looked = true
}

// OwnMachine reports whether a host is this machine. To load another costs somebody money,
// or sleep.
func OwnMachine(ctx context.Context, host string) (bool, error) {
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return false, fmt.Errorf("look for %s: %w; correct the URL", host, err)
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false, fmt.Errorf("look for this machine's addresses: %w", err)
	}
	for _, ip := range ips {
		mine := slices.ContainsFunc(own, func(a net.Addr) bool {
			n, ok := a.(*net.IPNet)
			return ok && n.IP.Equal(ip.IP)
		})
		if !mine && !ip.IP.IsLoopback() {
			return false, nil
		}
	}
	return true, nil
}
