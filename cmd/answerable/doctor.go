package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
)

func (c *cli) doctor() *cobra.Command {
	var offline bool
	cmd := &cobra.Command{
		Use:   "doctor [DIR]",
		Short: "Say what works, what does not and what to do",
		Long: `Look at everything that a server would need, and say what works, what does not and
what to do: configuration, documents, database, disk, and each language model.

DIR is what "answerable serve" would get. Each model is asked two short questions, which
costs a fraction of a cent; --offline asks nobody. Nothing is changed. The exit code is 1
when something that is configured does not work.`,
		Example: "  answerable doctor\n  answerable doctor ./docs --offline\n  answerable doctor --json",
		Args:    atMost(1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			check := app.Checkup{Config: cfg, File: c.configFile, Mistakes: err, Offline: offline, Progress: c.progress}
			if len(args) == 1 {
				check.Dir = args[0]
			}
			r := app.Examine(cmd.Context(), check)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := c.diagnosis(r); err != nil {
				return err
			}
			if !r.OK {
				return errors.New("something that is configured does not work")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask nobody over the network")
	return cmd
}

// diagnosis prints what was found: a line for each finding, and what to do at the end.
func (c *cli) diagnosis(r app.Report) error {
	if c.json {
		return c.print(r)
	}
	wide := 0
	for _, f := range r.Findings {
		wide = max(wide, cells(f.Name))
	}
	area := ""
	for _, f := range r.Findings {
		if f.Area != area {
			area = f.Area
			fmt.Fprintln(c.stdout, c.stdout.paint(bold, area))
		}
		c.stdout.hang("  "+c.state(f.State)+"  "+f.Name, 10+wide, f.Detail)
	}
	todo := false
	for _, f := range r.Findings {
		if f.Advice == "" {
			continue
		}
		if !todo {
			fmt.Fprintf(c.stdout, "\n%s\n", c.stdout.paint(bold, "What to do:"))
			todo = true
		}
		c.stdout.hang("  "+c.state(f.State), 8, f.Area+", "+f.Name+": "+f.Advice)
	}
	fmt.Fprintln(c.stdout)
	c.stdout.paragraphs("", "", r.Summary)
	_, err := fmt.Fprintf(c.stdout, "Warnings: %d. Failures: %d.\n", r.Warnings, r.Failures)
	return err
}

// state writes how a finding is, in four columns.
func (c *cli) state(s app.State) string {
	how := map[app.State]style{app.Fine: good, app.Warn: bold, app.Fails: bad}[s]
	return c.stdout.paint(how, pad(string(s), 4))
}
