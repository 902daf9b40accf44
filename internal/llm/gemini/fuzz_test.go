package gemini

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// FuzzStream: whatever a server sends, a stream keeps the promises of llm.Provider, and
// a reader may leave it anywhere.
func FuzzStream(f *testing.F) {
	files, err := filepath.Glob("testdata/stream_*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, section := range archive.Files {
			if section.Name == "stream" || section.Name == "answer" {
				f.Add(section.Data, section.Name == "answer", uint8(2))
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, whole bool, leave uint8) {
		media := "text/event-stream"
		if whole {
			media = "application/json"
		}
		p := configured(t, wire.Config{Client: wiretest.Fixed(media, body)})
		req := llm.Request{Tools: []llm.Tool{{Name: "order"}}}
		wiretest.Transcribe(t, p.Stream(t.Context(), req))
		for range p.Stream(t.Context(), req) {
			if leave--; leave == 0 {
				break // a stream that yields once more panics
			}
		}
	})
}

// BenchmarkStream reports what a chunk of text takes, from bytes in memory.
func BenchmarkStream(b *testing.B) {
	const chunks = 1000
	var body bytes.Buffer
	for range chunks {
		body.WriteString("data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \" a word\"}],\"role\": \"model\"},\"index\": 0}]," +
			"\"usageMetadata\": {\"promptTokenCount\": 18,\"candidatesTokenCount\": 31,\"totalTokenCount\": 49},\"modelVersion\": \"gemini-a\"}\r\n\r\n")
	}
	body.WriteString("data: {\"candidates\": [{\"finishReason\": \"STOP\",\"index\": 0}]}\r\n\r\n")
	p := configured(b, wire.Config{Client: wiretest.Fixed("text/event-stream", body.Bytes())})
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range p.Stream(b.Context(), llm.Request{}) {
			n++
		}
		if n != chunks+2 {
			b.Fatalf("%d chunks, want %d", n, chunks+2)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
}
