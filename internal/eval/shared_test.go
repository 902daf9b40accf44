package eval

import (
	"os"
	"path/filepath"
	"testing"
)

// sharedData are sets of questions that are not part of this repository: they lie beside
// it on the machines that have them.
const sharedData = "../../../shared/data/conversation"

// TestSharedData holds retrieval to what was measured when its parameters were chosen.
// Every set is ranked in full, in one configuration, the one that is served. It takes
// about 4 s, and 20 s under the race detector.
func TestSharedData(t *testing.T) {
	if _, err := os.Stat(sharedData); err != nil {
		t.Skipf("there is no shared data on this machine: %v", err)
	}
	for _, set := range []struct {
		name  string
		least float64 // nDCG@10
	}{
		{"scifact", 0.69},
		{"doc2dial", 0.84},
		{"mtrag-un", 0.84},
	} {
		t.Run(set.name, func(t *testing.T) {
			r, err := Retrieval(t.Context(), RetrievalConfig{
				Docs: shared(t, set.name, "docs"), Queries: shared(t, set.name, "queries"), Qrels: shared(t, set.name, "qrels"),
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.NDCG10 == nil || *r.NDCG10 < set.least {
				t.Errorf("nDCG@10 = %v, want at least %v", deref(r.NDCG10), set.least)
			}
			t.Logf("nDCG@10 %.4f over %d queries, %d documents; p50 %.2f ms, index %.1f s", deref(r.NDCG10), r.Queries, r.Docs, deref(r.P50), r.Index)
		})
	}
}

// shared returns the path of a file of a set, which may be gzipped.
func shared(t *testing.T, set, name string) string {
	t.Helper()
	path := filepath.Join(sharedData, set, name+".jsonl")
	if _, err := os.Stat(path); err != nil {
		path += ".gz"
	}
	return path
}

func deref(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
