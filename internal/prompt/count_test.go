package prompt_test

import (
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/prompt"
)

func TestCounterOf(t *testing.T) {
	const text = "Rückgabe innerhalb von 30 Tagen: αποστολή 返品 https://example.com/returns?order=4711"
	const o200k, cl100k = 25, 33
	for model, want := range map[string]int{
		"gpt-4o-mini": o200k, "gpt-4.1": o200k, "gpt-5-nano": o200k, "o3-mini": o200k, "o1": o200k, "openai/gpt-4o": o200k,
		"ft:gpt-4o-2024-08-06:acme::1": o200k, "chatgpt-4o-latest": o200k,
		"gpt-4": cl100k, "gpt-4-turbo": cl100k, "GPT-3.5-turbo": cl100k,
		"claude-sonnet": 0, "gemini-flash": 0, "llama": 0, "": 0, "gpt": 0,
	} {
		c := prompt.CounterOf(model)
		n, ok := c.Exact(text)
		if ok != (want > 0) || n != want {
			t.Errorf("%q: Exact = %d, %t, want %d", model, n, ok, want)
		}
		e := c.Estimate(text)
		if low, high := c.Least(e), c.Most(e); ok && (n < low || n > high) || low >= e || high <= e {
			t.Errorf("%q: %d tokens are estimated as %d, between %d and %d", model, n, e, low, high)
		}
	}
}

func BenchmarkExact(b *testing.B) {
	c, text := prompt.CounterOf("gpt-4o"), prose(1000)
	n, _ := c.Exact(text)
	b.ReportAllocs()
	for b.Loop() {
		c.Exact(text)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/token")
}

func BenchmarkEstimate(b *testing.B) {
	c, text := prompt.CounterOf("gpt-4o"), strings.Repeat(prose(100), 10)
	n, _ := c.Exact(text)
	b.ReportAllocs()
	for b.Loop() {
		c.Estimate(text)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/token")
}
