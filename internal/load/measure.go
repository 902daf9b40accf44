package load

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// measures are what was measured. Of the warm-up only what went wrong is kept.
type measures struct {
	begins, ends time.Time // of what is measured

	mu                                            sync.Mutex
	begin, accepted, first, whole, behind, queued *hdrhistogram.Histogram
	asked, answered, inTime                       int // inTime: answers that came while it was measured
	lost, repeated                                int
	outcomes, failures                            map[string]int
}

// longest is the most that a histogram can show.
const longest = time.Hour

func newMeasures(begins, ends time.Time) *measures {
	h := func() *hdrhistogram.Histogram {
		return hdrhistogram.New(1, longest.Microseconds(), 3) // in microseconds, with three digits
	}
	return &measures{begins: begins, ends: ends, begin: h(), accepted: h(), first: h(), whole: h(), behind: h(), queued: h(),
		outcomes: map[string]int{}, failures: map[string]int{}}
}

// record adds a time to a histogram; what is off its scale counts as its end.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	if err := h.RecordValue(min(max(d, time.Microsecond), longest).Microseconds()); err != nil {
		panic("load: a time is off the scale: " + err.Error())
	}
}

// late notes how much later than planned a conversation that was free began to ask.
func (m *measures) late(counts bool, d time.Duration) {
	if !counts {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	record(m.behind, d)
}

// waited notes that a question was due and no conversation was free.
func (m *measures) waited(counts bool, d time.Duration) {
	if !counts {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	record(m.queued, d)
}

func (m *measures) begun(counts bool, d time.Duration) {
	if !counts {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	record(m.begin, d)
}

// failed notes a question that could not be asked.
func (m *measures) failed(counts bool, err error) {
	m.answer(counts, time.Time{}, answer{err: err})
}

// answer notes what became of a question that was due at a time.
func (m *measures) answer(counts bool, due time.Time, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.err != nil {
		kind := "other"
		var f failure
		var r *refusal
		if errors.As(a.err, &f) || errors.As(a.err, &r) {
			kind = a.err.Error()
		}
		m.failures[kind]++
	}
	m.lost += a.lost
	m.repeated += a.repeated
	if a.err == nil && !a.whole.Before(m.begins) && a.whole.Before(m.ends) {
		m.inTime++ // whenever it was asked: so much was done in that time
	}
	if !counts {
		return
	}
	m.asked++
	if !a.accepted.IsZero() {
		record(m.accepted, a.accepted.Sub(due))
	}
	if !a.first.IsZero() {
		record(m.first, a.first.Sub(due))
	}
	if a.whole.IsZero() {
		return
	}
	m.outcomes[a.outcome]++
	record(m.whole, a.whole.Sub(due))
	if a.err == nil {
		m.answered++
	}
}

// Report is what was measured. Times are in milliseconds, each from when the question was
// due.
type Report struct {
	URL         string `json:"url"`
	Interrupted bool   `json:"interrupted"` // before the plan was through
	Test        bool   `json:"test"`        // the conversations are marked as tests

	Seconds  float64        `json:"seconds"` // that were measured, without the warm-up
	Asked    int            `json:"asked"`
	Answered int            `json:"answered"` // whole, and well
	Rate     float64        `json:"answers_per_second"`
	Outcomes map[string]int `json:"outcomes"`
	Errors   map[string]int `json:"errors"` // by kind, those of the warm-up too
	Lost     int            `json:"events_lost"`
	Repeated int            `json:"events_repeated"`

	Begin    Times `json:"begin_ms"` // of a conversation; a part of its first question's times
	Accepted Times `json:"accepted_ms"`
	First    Times `json:"first_text_ms"`
	Whole    Times `json:"whole_answer_ms"`

	Generator Generator `json:"generator"`
	Server    *Process  `json:"server"` // nil: not known
	Warnings  []string  `json:"warnings"`
}

// Generator is how the measuring program itself did.
type Generator struct {
	Late   Times   `json:"late_ms"` // behind the plan although a conversation was free
	Waited Times   `json:"waited_ms"`
	CPU    float64 `json:"cpu_seconds"`
}

// Process is what the server's process used.
type Process struct {
	PID       int     `json:"pid"`
	CPU       float64 `json:"cpu_seconds"`
	CPUAnswer float64 `json:"cpu_ms_per_answer"`
	RSS       float64 `json:"peak_rss_mb"` // resident memory, the most that was seen
}

// Times are a distribution.
type Times struct {
	Count     int64   `json:"count"`
	P50       float64 `json:"p50"`
	P95       float64 `json:"p95"`
	P99       float64 `json:"p99"`
	Max       float64 `json:"max"`
	Histogram []Step  `json:"histogram"`

	from *hdrhistogram.Histogram
}

// Step says that a share of all, in percent, took at most so long.
type Step struct {
	Percent float64 `json:"percent"`
	MS      float64 `json:"ms"`
	Count   int64   `json:"count"`
}

func times(h *hdrhistogram.Histogram) Times {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	t := Times{Count: h.TotalCount(), Histogram: []Step{}, from: h}
	if t.Count == 0 {
		return t
	}
	t.P50, t.P95, t.P99, t.Max = ms(h.ValueAtQuantile(50)), ms(h.ValueAtQuantile(95)), ms(h.ValueAtQuantile(99)), ms(h.Max())
	for _, b := range h.CumulativeDistribution() {
		t.Histogram = append(t.Histogram, Step{b.Quantile, ms(b.ValueAt), b.Count})
	}
	return t
}

// lateness is how late the generator may be before it doubts itself.
const lateness = 10 // ms

// report puts together what was measured until now.
func (r *run) report(interrupted bool) *Report {
	m := r.m
	m.mu.Lock()
	defer m.mu.Unlock()
	begins, ends := m.begins, m.ends
	if now := time.Now(); interrupted && now.Before(ends) {
		ends = now
	}
	out := &Report{URL: r.URL, Interrupted: interrupted, Test: r.client.test, Seconds: max(0, ends.Sub(begins).Seconds()),
		Asked: m.asked, Answered: m.answered, Outcomes: m.outcomes, Errors: m.failures, Lost: m.lost, Repeated: m.repeated,
		Begin: times(m.begin), Accepted: times(m.accepted), First: times(m.first), Whole: times(m.whole),
		Generator: Generator{Late: times(m.behind), Waited: times(m.queued), CPU: r.usage.ownCPU.Seconds()}, Warnings: []string{}}
	if out.Seconds > 0 {
		out.Rate = float64(m.inTime) / out.Seconds
	}
	if r.PID != 0 && r.usage.looked && !r.usage.lost {
		out.Server = &Process{PID: r.PID, CPU: r.usage.serverCPU.Seconds(), RSS: float64(r.usage.rss) / (1 << 20)}
		if m.answered > 0 {
			out.Server.CPUAnswer = 1000 * out.Server.CPU / float64(m.answered)
		}
	}
	out.warn(r)
	return out
}

// warn says what the reader must know before they believe the numbers.
func (out *Report) warn(r *run) {
	warn := func(format string, args ...any) { out.Warnings = append(out.Warnings, fmt.Sprintf(format, args...)) }
	if late := out.Generator.Late.P99; late > lateness {
		warn("this program itself was late, by %.0f ms at the 99th percentile: the times are those of a busy machine; ask less, or from another machine", late)
	}
	if n := out.Generator.Waited.Count; n > 0 {
		warn("%d of %d questions were due while all %d conversations were busy, up to %.0f ms: the server does not keep up, or --conversations is too low", n, out.Asked, r.Conversations, out.Generator.Waited.Max)
	}
	if cores := float64(runtime.NumCPU()); out.Seconds > 0 && out.Server != nil && out.Server.CPU+out.Generator.CPU > 0.9*cores*out.Seconds {
		warn("this machine had no processor left: the server used %.1f and this program %.1f CPU s in %.1f s on %d cores", out.Server.CPU, out.Generator.CPU, out.Seconds, runtime.NumCPU())
	}
	for _, kind := range slices.Sorted(maps.Keys(out.Errors)) {
		if kind == "429 too-many-requests" {
			warn("visitors are limited: set ANSWERABLE_API_KEY to a key with the scope chat, or start the server with --no-anonymous-limits")
		}
	}
	if !out.Test {
		warn("the server does not let this caller mark tests: the conversations count as customers'; set ANSWERABLE_API_KEY to a key with the scope chat")
	}
	if out.Server == nil && r.PID != 0 {
		warn("what process %d uses is not known: it ended, or the system does not tell", r.PID)
	}
}

// Well reports whether every question got a whole answer and no event was lost or came
// twice.
func (out *Report) Well() bool { return len(out.Errors) == 0 && out.Lost == 0 && out.Repeated == 0 }

// WriteHistograms writes each distribution into a folder, in the format that HdrHistogram's
// plotters read, in milliseconds.
func (out *Report) WriteHistograms(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, t := range map[string]Times{"accepted": out.Accepted, "first_text": out.First, "whole_answer": out.Whole, "begin": out.Begin} {
		if t.from == nil {
			continue
		}
		f, err := os.Create(filepath.Join(dir, name+".hgrm"))
		if err != nil {
			return err
		}
		_, err = t.from.PercentilesPrint(io.Writer(f), 5, 1000)
		if err := cmp.Or(err, f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", f.Name(), err)
		}
	}
	return nil
}
