// Package observe tells operators what the server does. Every figure of a turn is
// computed from its record, chat.Turn, in one function; what is not on the record is read
// from the parts that know it at the moment somebody asks. People's words are in none of
// it. Start with Metrics.Turn.
package observe

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/answerable/answerable/internal/chat"
)

// Sources are where figures come from that are not on a record. All are required and
// may be called at any time.
type Sources struct {
	Turns     func() int // being answered here
	Followers func() int // of conversations
	Streams   func() int // open to clients

	Commits, Events, Bytes func() int64 // of the store, since the start

	Models   func() []Model   // those that cost
	Releases func() []Release // what the assistants serve
}

// Model is a model as its breaker has it.
type Model struct {
	Provider, Name string
	Open           bool // it is not asked, because its last calls failed
}

// Release is what an assistant serves.
type Release struct {
	Assistant, Release, Generation string
}

// Metrics is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	turns      *prometheus.CounterVec
	seconds    prometheus.Histogram
	firstShown prometheus.Histogram
	firstToken *prometheus.HistogramVec
	attempts   *prometheus.CounterVec
	faults     *prometheus.CounterVec
	failovers  *prometheus.CounterVec
	handoffs   *prometheus.CounterVec
	tokens     *prometheus.CounterVec
	cost       prometheus.Counter
	withheld   *prometheus.CounterVec
	retracts   prometheus.Counter
	lives      prometheus.Counter
}

// New returns metrics with a registry of their own.
func New(s Sources) *Metrics {
	// From a turn that only quotes (milliseconds) to one at its time limit.
	buckets := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		turns: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answerable_turns_total",
			Help: "Turns that ended."}, []string{"assistant", "outcome", "level"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "answerable_turn_seconds", Buckets: buckets,
			Help: "From the acceptance of a turn's first message to its end."}),
		firstShown: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "answerable_first_shown_seconds", Buckets: buckets,
			Help: "From the acceptance of a turn's first message until its first text was durable."}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answerable_attempts_total",
			Help: "Calls of providers, by how they finished; \"none\" when they did not finish by themselves."}, []string{"provider", "model", "finish"}),
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answerable_provider_faults_total",
			Help: "Calls of providers that failed, by what that meant for the next call."}, []string{"provider", "model", "fault"}),
		failovers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answerable_failovers_total",
			Help: "Turns in which another provider took over."}, []string{"from", "to"}),
		firstToken: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "answerable_first_token_seconds", Buckets: buckets,
			Help: "From the beginning of a call until the first text."}, []string{"provider"}),
		handoffs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answerable_handoffs_total",
			Help: "Turns that ended with a handoff to a person."}, []string{"trigger"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answerable_tokens_total",
			Help: "Tokens of all calls of providers; cached ones are among the input."}, []string{"kind"}),
		cost: prometheus.NewCounter(prometheus.CounterOpts{Name: "answerable_cost_dollars_total",
			Help: "Price of all calls of providers."}),
		withheld: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answerable_withheld_total",
			Help: "Pieces of text that a check did not let out."}, []string{"check"}),
		retracts: prometheus.NewCounter(prometheus.CounterOpts{Name: "answerable_retracts_total",
			Help: "Times that shown text was taken back."}),
		lives: prometheus.NewCounter(prometheus.CounterOpts{Name: "answerable_turn_lives_total",
			Help: "Processes that worked on ended turns: as many as turns, and one more for each time that a process died in one."}),
	}
	m.registry.MustRegister(m.turns, m.seconds, m.firstShown, m.firstToken, m.attempts, m.faults, m.failovers, m.handoffs, breakers(s.Models), releases(s.Releases), m.tokens, m.cost, m.withheld, m.retracts, m.lives,
		gauge("answerable_running_turns", "Turns being answered in this process.", s.Turns),
		gauge("answerable_followers", "Readers that follow a conversation in this process.", s.Followers),
		gauge("answerable_open_streams", "Event streams open to clients.", s.Streams),
		counter("answerable_store_commits_total", "Commits of the store.", s.Commits),
		counter("answerable_store_events_total", "Events made durable.", s.Events),
		counter("answerable_store_bytes_total", "Bytes of sealed content written.", s.Bytes),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func gauge(name, help string, read func() int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(read()) })
}

func counter(name, help string, read func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read()) })
}

// releases tells what each assistant serves.
type releases func() []Release

var releaseInfo = prometheus.NewDesc("answerable_release_info",
	"1 for the release and the generation of documents that an assistant serves.", []string{"assistant", "release", "generation"}, nil)

func (releases) Describe(d chan<- *prometheus.Desc) { d <- releaseInfo }

func (read releases) Collect(out chan<- prometheus.Metric) {
	for _, r := range read() {
		out <- prometheus.MustNewConstMetric(releaseInfo, prometheus.GaugeValue, 1, r.Assistant, r.Release, r.Generation)
	}
}

// breakers tells of each model whether it is asked.
type breakers func() []Model

var breakerOpen = prometheus.NewDesc("answerable_breaker_open",
	"1 while a model is not asked, because its last calls failed.", []string{"provider", "model"}, nil)

func (breakers) Describe(d chan<- *prometheus.Desc) { d <- breakerOpen }

func (read breakers) Collect(out chan<- prometheus.Metric) {
	for _, m := range read() {
		open := 0.0
		if m.Open {
			open = 1
		}
		out <- prometheus.MustNewConstMetric(breakerOpen, prometheus.GaugeValue, open, m.Provider, m.Name)
	}
}

// Turn counts a turn that ended. Tests are not counted: figures are about customers.
func (m *Metrics) Turn(t chat.Turn) {
	if t.Test {
		return
	}
	m.turns.WithLabelValues(t.Assistant, string(t.Outcome), string(t.Level)).Inc()
	if !t.AcceptedAt.IsZero() {
		m.seconds.Observe(t.EndedAt.Sub(t.AcceptedAt.Time).Seconds())
		if first, ok := firstShown(t); ok {
			m.firstShown.Observe(first.Seconds())
		}
	}
	for _, a := range t.Attempts {
		finish := a.Finish
		if finish == "" {
			finish = "none"
		}
		m.attempts.WithLabelValues(a.Provider, a.Model, finish).Inc()
		if a.Fault != "" {
			m.faults.WithLabelValues(a.Provider, a.Model, a.Fault).Inc()
		}
		if a.FirstTokenMS != nil {
			m.firstToken.WithLabelValues(a.Provider).Observe(float64(*a.FirstTokenMS) / 1000)
		}
	}
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1].Finish != "" && t.Attempts[n-1].Provider != t.Plan.Provider {
		m.failovers.WithLabelValues(t.Plan.Provider, t.Attempts[n-1].Provider).Inc()
	}
	if t.Handoff != nil {
		m.handoffs.WithLabelValues(t.Handoff.Trigger).Inc()
	}
	m.tokens.WithLabelValues("input").Add(float64(t.Usage.Input))
	m.tokens.WithLabelValues("output").Add(float64(t.Usage.Output))
	m.tokens.WithLabelValues("cached").Add(float64(t.Usage.Cached))
	m.cost.Add(float64(t.Cost) / 1e6)
	for _, w := range t.Withheld {
		m.withheld.WithLabelValues(w.Check).Inc()
	}
	m.retracts.Add(float64(t.Retracts))
	m.lives.Add(float64(t.Lives))
}

// needsOperator is the fault of a provider that answers nobody until somebody acts, as
// package llm calls it.
const needsOperator = "broken"

// firstShown returns how long the customer waited for the first text. What was shown only
// with the end of the turn was shown then.
func firstShown(t chat.Turn) (time.Duration, bool) {
	switch {
	case t.FirstShownAt != nil:
		return t.FirstShownAt.Sub(t.AcceptedAt.Time), true
	case t.Shown != "":
		return t.EndedAt.Sub(t.AcceptedAt.Time), true
	}
	return 0, false
}

// Handler serves the metrics in Prometheus' format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Log writes the line about a turn that ended, and one for each call in it that failed.
// What was said is on them as lengths.
func Log(log *slog.Logger, t chat.Turn) {
	for _, a := range t.Attempts {
		if a.Fault == "" {
			continue
		}
		level := slog.LevelWarn
		if a.Fault == needsOperator {
			level = slog.LevelError
		}
		log.Log(context.Background(), level, "provider failed", "turn", t.ID, "provider", a.Provider, "model", a.Model, "fault", a.Fault, "error", a.Error)
	}
	attrs := []any{
		"turn", t.ID, "conversation", t.Conversation, "assistant", t.Assistant,
		"outcome", t.Outcome, "level", t.Level,
		"messages", len(t.Messages), "input", t.Input, "shown", t.Shown,
		"passages", len(t.Passages), "citations", len(t.Citations), "withheld", len(t.Withheld),
		"attempts", len(t.Attempts), "input_tokens", t.Usage.Input, "output_tokens", t.Usage.Output, "cost_microusd", int64(t.Cost),
	}
	if !t.AcceptedAt.IsZero() {
		if first, ok := firstShown(t); ok {
			attrs = append(attrs, "first_shown_ms", first.Milliseconds())
		}
		attrs = append(attrs, "ms", t.EndedAt.Sub(t.AcceptedAt.Time).Milliseconds())
	}
	if t.Test {
		attrs = append(attrs, "test", true)
	}
	if t.Retracts > 0 {
		attrs = append(attrs, "retracts", t.Retracts)
	}
	if t.Lives > 1 {
		attrs = append(attrs, "lives", t.Lives)
	}
	if t.Handoff != nil {
		attrs = append(attrs, "trigger", t.Handoff.Trigger)
	}
	if t.Error != "" {
		attrs = append(attrs, "error", t.Error)
	}
	if t.Outcome == chat.Failed {
		log.Warn("turn ended", attrs...)
		return
	}
	log.Info("turn ended", attrs...)
}
