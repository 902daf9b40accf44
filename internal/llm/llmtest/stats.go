package llmtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// kept is how many requests /stats can show, maxKept how long a body may be to be kept.
const (
	kept    = 64
	maxKept = 1 << 20
)

// counts is what is counted, of all formats together and of each.
type counts struct {
	Requests int `json:"requests"`
	InFlight int `json:"in_flight"`
	Left     int `json:"left"` // clients that did not wait for the end
}

// seen is a request as /stats shows it.
type seen struct {
	Format  string            `json:"format"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"` // null if it is no JSON, or has more than a megabyte
}

// stats counts requests and keeps the last ones.
type stats struct {
	mu      sync.Mutex
	round   int // how often everything was forgotten
	all     counts
	formats map[string]*counts
	last    []seen // oldest first
}

// begin counts a request. What it returns must be called at its end.
func (s *stats) begin(format string, r *http.Request, body []byte) (end func(left bool)) {
	one := seen{Format: format, Path: r.URL.Path, Headers: withoutKeys(r.Header)}
	if len(body) <= maxKept && json.Valid(body) {
		one.Body = body
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.last) == kept {
		s.last = append(s.last[:0], s.last[1:]...)
	}
	s.last = append(s.last, one)
	round := s.round
	s.count(format, func(c *counts) { c.Requests++; c.InFlight++ })
	return func(left bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if round != s.round {
			return // forgotten
		}
		s.count(format, func(c *counts) {
			c.InFlight--
			if left {
				c.Left++
			}
		})
	}
}

func (s *stats) count(format string, change func(*counts)) {
	if s.formats == nil {
		s.formats = map[string]*counts{}
	}
	if s.formats[format] == nil {
		s.formats[format] = &counts{}
	}
	change(&s.all)
	change(s.formats[format])
}

// reset forgets everything, also the requests in flight.
func (s *stats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round++
	s.all, s.formats, s.last = counts{}, nil, nil
}

// serve writes the counts and, with ?last=N, the last N requests, oldest first.
func (s *stats) serve(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("last")) // none
	s.mu.Lock()
	body, err := json.Marshal(struct {
		counts
		Formats map[string]*counts `json:"formats"`
		Last    []seen             `json:"last,omitempty"`
	}{s.all, s.formats, s.last[len(s.last)-min(max(n, 0), len(s.last)):]})
	s.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body) // who asked may have gone
}

// withoutKeys returns headers in which keys only show that they were there.
func withoutKeys(h http.Header) map[string]string {
	out := make(map[string]string, len(h))
	for name, values := range h {
		out[name] = strings.Join(values, ", ")
		switch name {
		case "Authorization", "Proxy-Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Cookie":
			out[name] = "(secret)"
		}
	}
	return out
}
