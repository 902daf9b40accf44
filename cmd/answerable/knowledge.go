package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/eval"
	"github.com/answerable/answerable/internal/knowledge"
)

func (c *cli) ingest() *cobra.Command {
	return &cobra.Command{
		Use:   "ingest DIR",
		Short: "Index a folder and publish it",
		Long: `Index a folder of documents and publish it: a server that runs on the data directory
answers from it at once, and serve without a folder does from then on.`,
		Example: `  answerable ingest ./docs
  answerable serve`,
		Args: exactly(1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			began := time.Now()
			r, err := app.Ingest(cmd.Context(), app.Options{Config: cfg, Version: version, Log: c.quiet(), Progress: c.progress}, args[0])
			if err != nil {
				return err
			}
			if c.json {
				return c.print(r)
			}
			for _, s := range r.Skipped {
				fmt.Fprintf(c.stderr, "skipped %s: %s\n", chat.Line(s.Path), s.Reason)
			}
			if r.Internal > 0 {
				fmt.Fprintf(c.stderr, "left out %s for staff: they are not found for customers\n", count(r.Internal, "document"))
			}
			fmt.Fprintf(c.stdout, "%s: %s, %s, generation %s, in %s\n", r.Assistant, count(r.Documents, "document"), count(r.Passages, "passage"), short(r.Generation), brief(time.Since(began)))
			return nil
		},
	}
}

func (c *cli) search() *cobra.Command {
	var name string
	var limit int
	cmd := &cobra.Command{
		Use:     "search QUESTION",
		Short:   "Show which passages a question finds",
		Example: `  answerable search "return shoes" --limit 3`,
		Args:    exactly(1, "one question (in quotes)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > 100 {
				return usageError{fmt.Errorf("--limit is from 1 to 100, not %d", limit)}
			}
			cfg, err := c.load()
			if err != nil {
				return err
			}
			g, err := app.OpenPublished(cmd.Context(), cfg, name)
			if err != nil {
				return err
			}
			found, err := g.Find(cmd.Context(), knowledge.Query{Text: chat.Text(args[0]), Limit: limit, Tokens: 1 << 20})
			if err != nil {
				return err
			}
			if c.json {
				if found.Passages == nil {
					found.Passages = []chat.Passage{}
				}
				return c.print(map[string]any{"generation": found.Generation, "passages": found.Passages})
			}
			if len(found.Passages) == 0 {
				fmt.Fprintln(c.stdout, "Nothing found.")
			}
			for i, p := range found.Passages {
				heading := chat.Line(p.Heading)
				if heading != "" {
					heading = " > " + heading
				}
				where := c.stdout.paint(dim, fmt.Sprintf("(%s, %d–%d)  %.2f", chat.Line(p.Document), p.Start, p.End, p.Score))
				fmt.Fprintf(c.stdout, "%d. %s %s\n", i+1, c.stdout.paint(bold, chat.Line(p.Title)+heading), where)
				c.stdout.paragraphs("   ", "", strings.TrimSpace(string(p.Text)))
				fmt.Fprintln(c.stdout)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "assistant", "", "search the documents of the assistant `NAME` (default: those published last)")
	cmd.Flags().IntVar(&limit, "limit", 5, "show `N` passages")
	return cmd
}

func (c *cli) eval() *cobra.Command {
	cmd := &cobra.Command{Use: "eval", Short: "Measure quality on labelled data", Args: subcommand,
		Example: "  answerable eval golden\n  answerable eval retrieval --docs docs.jsonl --queries queries.jsonl --qrels qrels.jsonl",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(c.evalGolden(), c.evalRetrieval())
	return cmd
}

func (c *cli) evalRetrieval() *cobra.Command {
	var cfg eval.RetrievalConfig
	var history int
	cmd := &cobra.Command{
		Use:   "retrieval",
		Short: "Measure how well passages are found: nDCG@10, recall, MRR",
		Long: `Measure how well passages are found.

The files are JSON Lines, gzipped or not:

  docs     {"id", "title", "text"}
  queries  {"id", "text", "history": [{"role", "text"}]}
  qrels    {"query", "doc", "grade"}

Documents are cut into passages as when they are served; a document scores as its best
passage. Gain is linear, as in trec_eval. Queries without a relevant document are skipped
and counted.`,
		Example: "  answerable eval retrieval --docs docs.jsonl.gz --queries queries.jsonl --qrels qrels.jsonl --json",
		Args:    exactly(0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, f := range []struct{ flag, file string }{{"--docs", cfg.Docs}, {"--queries", cfg.Queries}, {"--qrels", cfg.Qrels}} {
				if f.file == "" {
					return usageError{fmt.Errorf("%s is missing: name the file", f.flag)}
				}
			}
			if history < 0 {
				return usageError{fmt.Errorf("--history is 0 or more, not %d", history)}
			}
			cfg.History = history
			if history == 0 && cmd.Flags().Changed("history") {
				cfg.History = eval.NoHistory
			}
			r, err := eval.Retrieval(cmd.Context(), cfg, func(p eval.Progress) { c.progress(p.Stage, int64(p.Done), int64(p.Total)) })
			if err != nil {
				return err
			}
			if c.json {
				return c.print(r)
			}
			return printRetrieval(c.stdout, r)
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Docs, "docs", "", "the documents `FILE`")
	f.StringVar(&cfg.Queries, "queries", "", "the queries `FILE`")
	f.StringVar(&cfg.Qrels, "qrels", "", "the `FILE` that says which documents are relevant")
	f.StringVar(&cfg.Predictions, "predictions", "", "write a JSON line per query with the ranking to `FILE`")
	f.IntVar(&cfg.K, "k", 20, "rank `N` documents for each query, at least 20")
	f.IntVar(&history, "history", 0, "use `N` earlier turns; 0 for none (default: all)")
	return cmd
}

func printRetrieval(w io.Writer, r eval.RetrievalResult) error {
	number := func(x *float64) string {
		if x == nil {
			return "-"
		}
		return fmt.Sprintf("%.4f", *x)
	}
	_, err := fmt.Fprintf(w, "%d documents, %d queries, %d skipped, indexed in %.2f s\nnDCG@10 %s  recall@1 %s  recall@20 %s  MRR@10 %s  p50 %s ms  p99 %s ms\n",
		r.Docs, r.Queries, r.Skipped, r.Index, number(r.NDCG10), number(r.Recall1), number(r.Recall20), number(r.MRR10), number(r.P50), number(r.P99))
	return err
}
