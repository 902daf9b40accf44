package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/load"
)

func (c *cli) loadtest() *cobra.Command {
	p := load.Plan{}
	var arrivals, questions, histograms string
	var yes bool
	cmd := &cobra.Command{
		Use:   "loadtest [URL]",
		Short: "Ask a server many questions at once and measure its answers",
		Long: `Ask a server many questions at once, and measure how soon each is accepted, shows its
first text, and is answered whole. URL is the server's; without it, that of the server
that runs on the data directory.

Questions come at times that are fixed beforehand, and every time is taken from then: a
server that is slow is not asked less, and one that stalls shows it. Each runs over the
events that customers read, whose numbers and texts are checked. What a server on this
machine uses is measured too.

The conversations are marked as tests where the server lets the caller: with the token of
the data directory, or a key with the scope chat in ANSWERABLE_API_KEY. Without either,
the limits for visitors hold. To another machine nothing is sent without --yes.`,
		Example: `  answerable loadtest
  answerable loadtest http://127.0.0.1:8080 --rate 50 --duration 1m
  answerable loadtest --questions golden.yaml --json --histogram ./out`,
		Args: atMost(1, "one URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				p.URL = args[0]
			}
			switch arrivals {
			case "poisson":
			case "constant":
				p.Constant = true
			default:
				return usageError{fmt.Errorf("--arrivals is poisson or constant, not %q", arrivals)}
			}
			if err := checkPlan(p); err != nil {
				return usageError{err}
			}
			if err := aim(&p, cfg); err != nil {
				return err
			}
			if err := mayLoad(cmd.Context(), p.URL, yes); err != nil {
				return err
			}
			if p.Questions, err = whatToAsk(cmd.Context(), p, questions); err != nil {
				return err
			}
			return c.measure(cmd.Context(), p, histograms)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&p.Rate, "rate", 10, "ask `N` questions a second")
	f.StringVar(&arrivals, "arrivals", "poisson", "`HOW` they come: poisson, by chance, as people do; or constant, evenly")
	f.IntVar(&p.Conversations, "conversations", 100, "at most `N` at once")
	f.IntVar(&p.Turns, "turns", 3, "ask `N` questions in a conversation")
	f.DurationVar(&p.Duration, "duration", 30*time.Second, "measure for this `TIME`")
	f.DurationVar(&p.Warmup, "warmup", 3*time.Second, "ask for this `TIME` before that, without measuring")
	f.DurationVar(&p.Patience, "timeout", time.Minute, "wait for a whole answer for this `TIME`")
	f.StringVar(&questions, "questions", "", "a `FILE` with a question on each line, or golden cases in YAML (default: what the assistant suggests)")
	f.StringVar(&p.Assistant, "assistant", "", "ask the assistant `NAME` (default: the first)")
	f.IntVar(&p.PID, "pid", 0, "the server's process `ID` on this machine (default: found in the data directory)")
	f.StringVar(&histograms, "histogram", "", "write the distributions into the folder `DIR`, as .hgrm files")
	f.BoolVar(&yes, "yes", false, "load a server that is not this machine's")
	return cmd
}

func checkPlan(p load.Plan) error {
	switch {
	case p.Rate <= 0 || p.Rate > 1e5:
		return errors.New("--rate must be above 0 and at most 100000 questions a second")
	case p.Conversations < 1 || p.Conversations > 1e5:
		return errors.New("--conversations must be 1 to 100000")
	case p.Turns < 1:
		return errors.New("--turns must be at least 1")
	case p.Duration <= 0 || p.Warmup < 0 || p.Patience <= 0:
		return errors.New("--duration and --timeout must be above 0, and --warmup not below it")
	case p.PID < 0:
		return errors.New("--pid must be the number of a process")
	}
	return nil
}

// aim completes the plan with where the server is, its process, and a key.
func aim(p *load.Plan, cfg app.Config) error {
	serving, err := app.ServingAt(cfg.Data)
	if err != nil && p.URL == "" {
		return err
	}
	if p.URL == "" {
		if serving == nil {
			return usageError{fmt.Errorf("no server runs on the data directory %s: start one with answerable serve, or name its URL", cfg.Data)}
		}
		p.URL = serving.URL
	}
	u, err := url.Parse(p.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usageError{fmt.Errorf("%q is not the URL of a server, such as http://127.0.0.1:8080", p.URL)}
	}
	p.URL = strings.TrimSuffix(p.URL, "/")
	p.Key = os.Getenv(app.APIKeyVariable)
	if serving == nil || !sameServer(serving.URL, u) {
		return nil
	}
	if p.Key == "" {
		p.Key = serving.Token
	}
	if p.PID == 0 {
		p.PID = serving.PID
	}
	return nil
}

// sameServer reports whether two URLs lead to the same port of this machine.
func sameServer(serving string, u *url.URL) bool {
	s, err := url.Parse(serving)
	if err != nil || s.Port() != u.Port() {
		return false
	}
	return s.Hostname() == u.Hostname() || u.Hostname() == "localhost"
}

// mayLoad refuses to load what may be somebody else's.
func mayLoad(ctx context.Context, at string, yes bool) error {
	u, err := url.Parse(at)
	if err != nil || yes {
		return err
	}
	own, err := load.OwnMachine(ctx, u.Hostname())
	if err != nil {
		return err
	}
	if !own {
		return usageError{fmt.Errorf("%s is not this machine, and every question costs its owner something: add --yes if you may load it", u.Host)}
	}
	return nil
}

// whatToAsk returns the questions of the file, or else of the assistant, or the usual ones.
func whatToAsk(ctx context.Context, p load.Plan, file string) ([]string, error) {
	if file != "" {
		return load.ReadQuestions(file)
	}
	if all, err := load.Suggestions(ctx, p); err == nil && len(all) > 0 {
		return all, nil
	}
	return load.Usual, nil
}

func (c *cli) measure(ctx context.Context, p load.Plan, histograms string) error {
	b := c.bar("asked", 0)
	p.Progress = b.set
	r, err := load.Run(ctx, p)
	b.end()
	if err != nil {
		return err
	}
	if histograms != "" {
		if err := r.WriteHistograms(histograms); err != nil {
			return err
		}
	}
	if c.json {
		err = c.print(r)
	} else {
		err = c.measured(r)
	}
	if err != nil {
		return err
	}
	if !r.Well() {
		return errors.New("not every question was answered well")
	}
	return nil
}

// measured prints a report for people.
func (c *cli) measured(r *load.Report) error {
	fmt.Fprintf(c.stdout, "%s, in milliseconds\n\n", r.URL)
	fmt.Fprintln(c.stdout, c.stdout.paint(bold, fmt.Sprintf("%-18s%10s%10s%10s%10s", "", "p50", "p95", "p99", "max")))
	for _, row := range []struct {
		what string
		t    load.Times
	}{{"accepted", r.Accepted}, {"first shown text", r.First}, {"whole answer", r.Whole}, {"conversation begun", r.Begin}} {
		fmt.Fprintf(c.stdout, "%-18s%10.1f%10.1f%10.1f%10.1f\n", row.what, row.t.P50, row.t.P95, row.t.P99, row.t.Max)
	}
	fmt.Fprintln(c.stdout)
	fmt.Fprintf(c.stdout, "answers    %d of %d in %.1f s, %.1f a second%s\n", r.Answered, r.Asked, r.Seconds, r.Rate, counts(": ", r.Outcomes))
	failed := 0
	for _, n := range r.Errors {
		failed += n
	}
	fmt.Fprintf(c.stdout, "errors     %d%s\n", failed, counts(": ", r.Errors))
	fmt.Fprintf(c.stdout, "events     %d lost, %d twice\n", r.Lost, r.Repeated)
	if s := r.Server; s != nil {
		fmt.Fprintf(c.stdout, "server     process %d: %.1f CPU s, %.1f ms an answer; at most %.0f MB resident\n", s.PID, s.CPU, s.CPUAnswer, s.RSS)
	} else {
		fmt.Fprintln(c.stdout, "server     what it uses is not known; on this machine, --pid names its process")
	}
	fmt.Fprintf(c.stdout, "this side  %.1f CPU s; late by %.1f ms at the 99th percentile\n", r.Generator.CPU, r.Generator.Late.P99)
	if r.Interrupted {
		fmt.Fprintln(c.stdout, "It was interrupted; this is what was measured until then.")
	}
	for _, warning := range r.Warnings {
		p := &prose{s: c.stderr}
		p.write(c.stderr.paint(bad, "warning:") + " " + warning)
		p.end()
	}
	return nil
}

// counts lists how many there are of each.
func counts(before string, of map[string]int) string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(of)) {
		all = append(all, fmt.Sprintf("%d %s", of[what], what))
	}
	if len(all) == 0 {
		return ""
	}
	return before + strings.Join(all, ", ")
}
