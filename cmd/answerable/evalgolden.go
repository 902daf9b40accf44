package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/eval"
)

// errRegressed ends an evaluation that is worse than what was asked for.
var errRegressed = errors.New("worse than asked for")

// goldenFlags are what eval golden is told.
type goldenFlags struct {
	provider                string
	cases, tags, ids        []string
	save, against           string
	minAnswered, minRefused float64
	predictions             string
}

// goldenReport is what eval golden prints as JSON.
type goldenReport struct {
	app.GoldenRun
	*eval.Compared          // with --against
	Below          []string `json:"below"` // the floors that were missed
}

func (c *cli) evalGolden() *cobra.Command {
	var f goldenFlags
	cmd := &cobra.Command{
		Use:   "golden [DIR]",
		Short: "Ask an assistant its golden questions, and grade what it answers",
		Long: `Ask the assistant in DIR, or the demo, the questions in its folder golden, and grade
what comes of each: the right answer from a right source, a refusal, or a person.
docs/golden.md says how to write them.

Each question is a turn like any other, in a test conversation of its own and in a folder
that is removed afterwards. No language model is asked unless --provider configured says
so; then the models of the configuration answer, and cost what they cost.

Half of the cases, chosen by their ids, are held out: tune on the others (dev), and the
held-out ones show what that is worth for questions nobody has looked at.

--cases asks other questions than the assistant's own: files of the same form, whose
sources are named as in the assistant's folder.

--save keeps which cases passed, and --against compares with that. The exit code is 1
where a case fails that passed before, or where a rate is below --min-answered or
--min-refused; nothing is saved then.`,
		Example: `  answerable eval golden
  answerable eval golden ./shop --tag delivery
  answerable eval golden ./shop --cases './more/*.yaml'
  answerable eval golden ./shop --save passed.json
  answerable eval golden ./shop --against passed.json --min-answered .8 --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("eval golden takes one folder, not %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return usageError{err}
			}
			return c.runGolden(cmd, strings.Join(args, ""), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.provider, "provider", "extractive", "who answers: extractive, or configured for the models of the configuration")
	flags.StringArrayVar(&f.cases, "cases", nil, "ask the cases in this `FILE` or pattern in the place of the assistant's own")
	flags.StringSliceVar(&f.tags, "tag", nil, "ask only cases with one of these tags")
	flags.StringSliceVar(&f.ids, "case", nil, "ask only the cases with these ids")
	flags.StringVar(&f.save, "save", "", "write which cases passed into this file")
	flags.StringVar(&f.against, "against", "", "compare with such a file")
	flags.Float64Var(&f.minAnswered, "min-answered", 0, "least share of answers from a right source, from 0 to 1")
	flags.Float64Var(&f.minRefused, "min-refused", 0, "least share of right refusals, from 0 to 1")
	flags.StringVar(&f.predictions, "predictions", "", "write a JSON line per case to this file")
	return cmd
}

func (f goldenFlags) check() error {
	switch {
	case f.provider != "extractive" && f.provider != "configured":
		return fmt.Errorf("--provider is extractive or configured, not %q", f.provider)
	case f.minAnswered < 0 || f.minAnswered > 1:
		return fmt.Errorf("--min-answered is from 0 to 1, not %v", f.minAnswered)
	case f.minRefused < 0 || f.minRefused > 1:
		return fmt.Errorf("--min-refused is from 0 to 1, not %v", f.minRefused)
	case f.save != "" && len(f.tags)+len(f.ids) > 0:
		return errors.New("--save keeps all cases: leave out --tag and --case")
	}
	return nil
}

// picks reports whether a case is to be asked.
func (f goldenFlags) picks(c assistant.Case) bool {
	return (len(f.tags) == 0 || slices.ContainsFunc(c.Tags, func(t string) bool { return slices.Contains(f.tags, t) })) &&
		(len(f.ids) == 0 || slices.Contains(f.ids, c.ID))
}

func (c *cli) runGolden(cmd *cobra.Command, dir string, f goldenFlags) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	var before *eval.Baseline
	if f.against != "" {
		b, err := eval.ReadBaseline(f.against)
		if err != nil {
			return err
		}
		before = &b
	}
	o := app.Options{Config: cfg, Dir: dir, Version: version, Log: c.quiet(), Progress: c.progress, Extractive: f.provider == "extractive"}
	bar := c.bar("asked the golden cases", 0)
	run, err := app.Golden(cmd.Context(), o, f.cases, f.picks, func(done, total int) { bar.set(int64(done), int64(total)) })
	bar.end()
	if err != nil {
		return err
	}
	if f.predictions != "" {
		if err := eval.WriteGraded(f.predictions, run.Cases); err != nil {
			return err
		}
	}
	r := goldenReport{GoldenRun: run, Below: []string{}}
	if before != nil {
		compared := before.Against(run.Cases)
		r.Compared = &compared
	}
	for _, floor := range []struct {
		flag  string
		least float64
		got   *float64
	}{{"--min-answered", f.minAnswered, run.Sourced.All.Rate}, {"--min-refused", f.minRefused, run.Refused.All.Rate}} {
		if floor.least > 0 && (floor.got == nil || *floor.got < floor.least) {
			r.Below = append(r.Below, fmt.Sprintf("%s is %.2f, and the rate is %s", floor.flag, floor.least, percent(floor.got)))
		}
	}
	regressed := len(r.Below) > 0 || r.Compared != nil && len(r.Regressions) > 0
	if f.save != "" && !regressed {
		if err := eval.WriteBaseline(f.save, run.Baseline()); err != nil {
			return err
		}
	}
	if c.json {
		err = c.print(r)
	} else {
		err = c.printGolden(r)
	}
	if err == nil && regressed {
		err = errRegressed
	}
	return err
}

func (c *cli) printGolden(r goldenReport) error {
	out := c.stdout
	var who []string
	for name, n := range r.Providers {
		who = append(who, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(who)
	fmt.Fprintf(out, "%s: %d golden cases, answered by %s\n\n", r.Assistant, r.Total.All.N, strings.Join(who, ", "))
	rows := [][]string{{"", "cases", "passed", "95 % interval", "dev", "held out"}}
	add := func(name string, row eval.Row) {
		if row.All.N > 0 {
			rows = append(rows, []string{name, fmt.Sprint(row.All.N), percent(row.All.Rate), interval(row.All),
				fmt.Sprintf("%s of %d", percent(row.Dev.Rate), row.Dev.N), fmt.Sprintf("%s of %d", percent(row.HeldOut.Rate), row.HeldOut.N)})
		}
	}
	add("answered from a right source", r.Sourced)
	add("  in the words wanted", r.Answered)
	add("refused", r.Refused)
	add("handed over", r.HandedOver)
	add("all", r.Total)
	for _, t := range r.Tags {
		add("  "+t.Name, t)
	}
	if err := out.table(rows); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nsafety %s, factual accuracy %s; relevance, helpfulness and coherence need a judge\n", percent(r.Metrics.Safety), percent(r.Metrics.FactualAccuracy))
	for _, g := range r.Failed {
		fmt.Fprintf(out, "\n%s  %s, %s\n", out.paint(bold, g.ID), g.File, strings.ReplaceAll(g.Split, "_", " "))
		out.paragraphs("  ", "", g.Question)
		fmt.Fprintf(out, "  %s %s\n", out.paint(bad, "expected to "+strings.ReplaceAll(string(g.Expect), "_", " ")+":"), clean(g.Why))
		out.paragraphs("    ", dim, string(g.Text))
		if len(g.Cited) > 0 {
			fmt.Fprintf(out, "    cited %s\n", clean(strings.Join(g.Cited, ", ")))
		}
	}
	if r.Compared != nil {
		fmt.Fprintf(out, "\n%d regressions, %d mended, %d new\n", len(r.Regressions), len(r.Mended), len(r.New))
		for _, id := range r.Regressions {
			fmt.Fprintf(out, "  %s %s passed before and fails now\n", out.paint(bad, "!"), clean(id))
		}
	}
	for _, b := range r.Below {
		fmt.Fprintf(out, "\n%s\n", out.paint(bad, b))
	}
	return nil
}

// percent shows a rate, or that there is none.
func percent(rate *float64) string {
	if rate == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100**rate)
}

func interval(r eval.Rate) string {
	if r.Low == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f to %.0f %%", 100**r.Low, 100**r.High)
}
