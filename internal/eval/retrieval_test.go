package eval

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	docsFile = `{"id": "returns", "title": "Returns", "text": "You have 30 days to send a lamp back. We refund within a week."}
{"id": "delivery", "title": "Delivery", "text": "A parcel takes three days. Express takes one day."}

{"id": "bulbs", "title": "Bulbs", "text": "The fitting is printed on the bulb."}
`
	queriesFile = `{"id": "1", "text": "how long does a parcel take"}
{"id": "2", "text": "and how long?", "history": [{"role": "user", "text": "I want a refund for my lamp"}, {"role": "agent", "text": "Sure."}]}
{"id": "3", "text": "is anybody there"}
`
	qrelsFile = `{"query": "1", "doc": "delivery", "grade": 2}
{"query": "1", "doc": "bulbs", "grade": 0}
{"query": "2", "doc": "returns", "grade": 1}
{"query": "3", "doc": "bulbs", "grade": 0}
`
)

// data writes files for a measurement; each may be replaced.
func data(t *testing.T, replace map[string]string) RetrievalConfig {
	t.Helper()
	dir := t.TempDir()
	put := func(name, text string) string {
		if r, ok := replace[name]; ok {
			text = r
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return RetrievalConfig{Docs: put("docs", docsFile), Queries: put("queries", queriesFile), Qrels: put("qrels", qrelsFile)}
}

func TestRetrieval(t *testing.T) {
	cfg := data(t, nil)
	cfg.Predictions = filepath.Join(t.TempDir(), "out")
	r, err := Retrieval(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Docs != 3 || r.Queries != 2 || r.Skipped != 1 || *r.NDCG10 != 1 || *r.Recall1 != 1 || *r.Recall20 != 1 || *r.MRR10 != 1 || *r.P50 <= 0 || *r.P99 < *r.P50 || r.Index <= 0 {
		b, _ := json.Marshal(r)
		t.Errorf("result = %s", b)
	}
	b, err := os.ReadFile(cfg.Predictions)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(b)) {
		var x Ranking
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		if len(x.Ranked) != len(x.Scores) {
			t.Errorf("%d ids and %d scores", len(x.Ranked), len(x.Scores))
		}
		got = append(got, x.ID+": "+x.Ranked[0])
	}
	if diff := cmp.Diff([]string{"1: delivery", "2: returns"}, got); diff != "" {
		t.Errorf("predictions (-want +got):\n%s", diff)
	}
}

func TestRetrievalHistory(t *testing.T) {
	cfg := data(t, nil)
	for _, tt := range []struct {
		history int
		recall  float64
	}{{0, 1}, {2, 1}, {1, 0.5}, {NoHistory, 0.5}} {
		cfg.History = tt.history
		r, err := Retrieval(t.Context(), cfg, nil)
		if err != nil || *r.Recall1 != tt.recall {
			t.Errorf("history %d: recall@1 = %v, %v; want %v", tt.history, *r.Recall1, err, tt.recall)
		}
	}
}

func TestRetrievalJSON(t *testing.T) {
	r, err := Retrieval(t.Context(), data(t, map[string]string{"qrels": ""}), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Index = 0.5
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"docs":3,"queries":0,"skipped":3,"ndcg@10":null,"recall@1":null,"recall@20":null,"mrr@10":null,"p50_ms":null,"p99_ms":null,"index_s":0.5}`
	if string(b) != want {
		t.Errorf("JSON = %s, want %s", b, want)
	}
}

func TestRetrievalReadsGzip(t *testing.T) {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	z.Write([]byte(docsFile))
	z.Close()
	r, err := Retrieval(t.Context(), data(t, map[string]string{"docs": b.String()}), nil)
	if err != nil || r.Docs != 3 {
		t.Errorf("%d documents, %v; want 3", r.Docs, err)
	}
}

func TestRetrievalRefuses(t *testing.T) {
	for _, tt := range []struct{ file, text, want string }{
		{"docs", docsFile + "{", "docs:5: "},
		{"docs", docsFile + `{"id": "bulbs"}`, `docs:5: a second document with the id "bulbs"`},
		{"docs", `{"id": 7}`, "docs:1: "},
		{"queries", "\n" + `{"text": "a"}`, `queries:2: no "id"`},
		{"queries", `{"id": "1", "history": "no"}`, "queries:1: "},
		{"qrels", `{"query": "1"}`, `qrels:1: no "query" or no "doc"`},
		{"qrels", `{"query": "1", "doc": "a"}`, `qrels:1: no "grade"`},
		{"docs", "\x1f\x8bnot gzip", "docs: "},
	} {
		_, err := Retrieval(t.Context(), data(t, map[string]string{tt.file: tt.text}), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q: error = %v, want one with %q", tt.file, tt.text, err, tt.want)
		}
	}
	cfg := data(t, nil)
	cfg.Qrels += ".gone"
	if _, err := Retrieval(t.Context(), cfg, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want %v", err, os.ErrNotExist)
	}
}

func TestRetrievalStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Retrieval(ctx, data(t, nil), func(p Progress) {
		if p.Stage == "search" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}

func TestMeasures(t *testing.T) {
	rel := map[string]float64{"a": 2, "b": 1}
	ranked := []string{"x", "b", "a"}
	dcg := 1/math.Log2(3) + 2/math.Log2(4)
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"nDCG", ndcg(ranked, rel, 10), dcg / (2 + 1/math.Log2(3))},
		{"nDCG@2", ndcg(ranked, rel, 2), 1 / math.Log2(3) / (2 + 1/math.Log2(3))},
		{"nDCG of nothing", ndcg(nil, rel, 10), 0},
		{"recall@2", recall(ranked, rel, 2), 0.5},
		{"recall@20", recall(ranked, rel, 20), 1},
		{"reciprocal rank", reciprocalRank(ranked, rel, 10), 0.5},
		{"reciprocal rank@1", reciprocalRank(ranked, rel, 1), 0},
		{"median", *percentile([]float64{1, 2, 3, 4}, 0.5), 2},
		{"99th percentile", *percentile([]float64{1, 2, 3, 4}, 0.99), 4},
	} {
		if math.Abs(tt.got-tt.want) > 1e-12 {
			t.Errorf("%s = %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}
