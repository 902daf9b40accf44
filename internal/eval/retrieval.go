// Package eval measures parts of the server on labelled data.
//
// Each measurement is a function that takes a config of files and returns a result
// whose JSON is what the command line prints. Retrieval is in retrieval.go, its data
// format in jsonl.go.
package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
)

// RetrievalConfig names the data of a measurement of retrieval, as JSON Lines,
// gzipped or not.
type RetrievalConfig struct {
	Docs    string // {"id", "title", "text"} a line
	Queries string // {"id", "text", "history": [{"role", "text"}, …]}, the history oldest first
	Qrels   string // {"query", "doc", "grade"}; grades above 0 are relevant

	K           int    // documents that are ranked for each query; 0 is 20, which is also the least
	History     int    // turns of history that are used, the latest ones; 0 is all, NoHistory none
	Predictions string // where to write the rankings, one JSON object a line; "" is nowhere
}

// NoHistory in RetrievalConfig.History leaves out what was said before the query.
const NoHistory = -1

// RetrievalResult is how well and how fast the right documents were found. The means
// are over the queries that have a relevant document; they are nil when none has.
type RetrievalResult struct {
	Docs     int      `json:"docs"`
	Queries  int      `json:"queries"` // that were searched for
	Skipped  int      `json:"skipped"` // queries without a relevant document
	NDCG10   *float64 `json:"ndcg@10"` // linear gain, as in trec_eval
	Recall1  *float64 `json:"recall@1"`
	Recall20 *float64 `json:"recall@20"`
	MRR10    *float64 `json:"mrr@10"`
	P50      *float64 `json:"p50_ms"` // of one search
	P99      *float64 `json:"p99_ms"`
	Index    float64  `json:"index_s"` // building the index
}

// Progress says how far a measurement has come.
type Progress struct {
	Stage       string
	Done, Total int
}

// Ranking is what was found for one query, best first.
type Ranking struct {
	ID     string    `json:"id"`
	Ranked []string  `json:"ranked"`
	Scores []float64 `json:"scores"`
}

// Retrieval ranks the documents for each query. Documents are cut and indexed as the
// server does it; one scores as its best passage. Progress may be nil. Bad data is an
// error that names file and line.
func Retrieval(ctx context.Context, cfg RetrievalConfig, progress func(Progress)) (RetrievalResult, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	r, err := retrieval(ctx, cfg, progress)
	if err != nil {
		return RetrievalResult{}, fmt.Errorf("measure retrieval: %w", err)
	}
	return r, nil
}

type retrievalQuery struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	History []struct {
		Role string `json:"role"`
		Text string `json:"text"`
	} `json:"history"`
}

func retrieval(ctx context.Context, cfg RetrievalConfig, progress func(Progress)) (RetrievalResult, error) {
	var result RetrievalResult
	docs, err := readDocs(cfg.Docs)
	if err != nil {
		return result, err
	}
	relevant, err := readQrels(cfg.Qrels)
	if err != nil {
		return result, err
	}
	queries, err := readQueries(cfg.Queries)
	if err != nil {
		return result, err
	}
	progress(Progress{"index", 0, len(docs)})
	began := time.Now()
	g, err := knowledge.Build(docs)
	if err != nil {
		return result, err
	}
	result.Docs, result.Index = len(docs), time.Since(began).Seconds()

	var out *predictions
	if cfg.Predictions != "" {
		if out, err = newPredictions(cfg.Predictions); err != nil {
			return result, err
		}
	}
	var m means
	var took []float64
	k := max(cfg.K, 20)
	for i, q := range queries {
		if err := ctx.Err(); err != nil {
			return result, errors.Join(err, out.Close())
		}
		rel := relevant[q.ID]
		if len(rel) == 0 {
			result.Skipped++
			continue
		}
		progress(Progress{"search", i, len(queries)})
		began := time.Now()
		ranking := rank(g, q, cfg.History, k)
		took = append(took, float64(time.Since(began).Nanoseconds())/1e6)
		m.add(ranking.Ranked, rel)
		if err := out.Write(ranking); err != nil {
			return result, errors.Join(err, out.Close())
		}
	}
	progress(Progress{"search", len(queries), len(queries)})
	if err := out.Close(); err != nil {
		return result, err
	}
	m.into(&result)
	if len(took) > 0 {
		slices.Sort(took)
		result.P50, result.P99 = percentile(took, 0.50), percentile(took, 0.99)
	}
	return result, nil
}

// rank returns the k documents with the best passages.
func rank(g *knowledge.Generation, q retrievalQuery, history, k int) Ranking {
	ask := knowledge.Query{Text: chat.Text(q.Text), History: messages(q, history)}
	r := Ranking{ID: q.ID, Ranked: []string{}, Scores: []float64{}}
	// Long documents have many passages among the first, so more are asked for until
	// there are enough documents.
	for n := 5 * k; ; n *= 4 {
		hits := g.Search(ask, n)
		r.Ranked, r.Scores = r.Ranked[:0], r.Scores[:0]
		seen := map[string]bool{}
		for _, h := range hits {
			if !seen[h.Document] && len(r.Ranked) < k {
				seen[h.Document] = true
				r.Ranked = append(r.Ranked, h.Document)
				r.Scores = append(r.Scores, h.Score)
			}
		}
		if len(r.Ranked) == k || len(hits) < n {
			return r
		}
	}
}

func messages(q retrievalQuery, history int) []chat.Message {
	turns := q.History
	switch {
	case history < 0:
		return nil
	case history > 0 && len(turns) > history:
		turns = turns[len(turns)-history:]
	}
	out := make([]chat.Message, len(turns))
	for i, t := range turns {
		role := chat.Assistant
		if t.Role == "user" || t.Role == string(chat.Customer) {
			role = chat.Customer
		}
		out[i] = chat.Message{Role: role, Text: chat.Text(t.Text)}
	}
	return out
}

// means sums up the measures of queries.
type means struct{ n, ndcg, recall1, recall20, mrr float64 }

func (m *means) add(ranked []string, rel map[string]float64) {
	m.n++
	m.ndcg += ndcg(ranked, rel, 10)
	m.recall1 += recall(ranked, rel, 1)
	m.recall20 += recall(ranked, rel, 20)
	m.mrr += reciprocalRank(ranked, rel, 10)
}

func (m means) into(r *RetrievalResult) {
	r.Queries = int(m.n)
	if m.n == 0 {
		return
	}
	of := func(sum float64) *float64 { v := sum / m.n; return &v }
	r.NDCG10, r.Recall1, r.Recall20, r.MRR10 = of(m.ndcg), of(m.recall1), of(m.recall20), of(m.mrr)
}

// ndcg is the discounted gain of the first k over the best that was possible. The
// gain is the grade itself.
func ndcg(ranked []string, rel map[string]float64, k int) float64 {
	grades := make([]float64, 0, len(rel))
	for _, g := range rel {
		grades = append(grades, g)
	}
	slices.SortFunc(grades, func(x, y float64) int { return cmp.Compare(y, x) })
	got, best := 0.0, 0.0
	for i, id := range ranked[:min(k, len(ranked))] {
		got += rel[id] / math.Log2(float64(i+2))
	}
	for i, g := range grades[:min(k, len(grades))] {
		best += g / math.Log2(float64(i+2))
	}
	return got / best
}

// recall is the share of the relevant documents among the first k.
func recall(ranked []string, rel map[string]float64, k int) float64 {
	n := 0
	for _, id := range ranked[:min(k, len(ranked))] {
		if rel[id] > 0 {
			n++
		}
	}
	return float64(n) / float64(len(rel))
}

func reciprocalRank(ranked []string, rel map[string]float64, k int) float64 {
	for i, id := range ranked[:min(k, len(ranked))] {
		if rel[id] > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// percentile returns the smallest of the sorted values that at least the share p of
// them does not exceed.
func percentile(sorted []float64, p float64) *float64 {
	return &sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}

// predictions writes JSON Lines. A nil one writes nothing.
type predictions struct {
	file *os.File
	enc  *json.Encoder
}

func newPredictions(path string) (*predictions, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write the predictions: %w", err)
	}
	return &predictions{f, json.NewEncoder(f)}, nil
}

func (p *predictions) Write(r any) error {
	if p == nil {
		return nil
	}
	if err := p.enc.Encode(r); err != nil {
		return fmt.Errorf("write the predictions: %w", err)
	}
	return nil
}

func (p *predictions) Close() error {
	if p == nil {
		return nil
	}
	if err := p.file.Close(); err != nil {
		return fmt.Errorf("write the predictions: %w", err)
	}
	return nil
}
