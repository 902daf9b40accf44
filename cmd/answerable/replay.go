package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/turn"
)

func (c *cli) replay() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "replay TURN",
		Short: "Answer a past turn again from its journal, and compare",
		Long: `Answer a past turn again from its journal, without network, models or index, and
compare what is shown with what the customer saw. Exit code 3 when it differs.`,
		Example: `  answerable replay t06c1q0jv5h8m2k7d3r9s4w1x6
  answerable replay --all --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) || len(args) > 1 {
				return usageError{fmt.Errorf("replay takes one turn, or --all")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			s, err := app.OpenReading(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			defer s.Close()
			var ids []chat.TurnID
			if all {
				if ids, err = s.TurnIDs(cmd.Context(), 1_000_000); err != nil {
					return err
				}
			} else {
				ids = []chat.TurnID{chat.TurnID(args[0])}
			}
			differ := []map[string]string{}
			for i, id := range ids {
				if all {
					c.progress("replaying", int64(i), int64(len(ids)))
				}
				past, err := s.Turn(cmd.Context(), id)
				if err != nil {
					return err
				}
				difference, got, err := compare(cmd, past)
				if err != nil {
					return fmt.Errorf("replay %s: %w", id, err)
				}
				if difference != "" {
					differ = append(differ, map[string]string{"turn": string(id), "difference": difference})
				}
				if !all && !c.json {
					c.stdout.paragraphs("", "", string(got.Text))
				}
			}
			if all {
				c.progress("replaying", int64(len(ids)), int64(len(ids)))
			}
			if c.json {
				if err := c.print(map[string]any{"turns": len(ids), "same": len(ids) - len(differ), "differ": differ}); err != nil {
					return err
				}
			} else {
				fmt.Fprintf(c.stderr, "%d of %d turns replay byte for byte\n", len(ids)-len(differ), len(ids))
				for _, d := range differ {
					fmt.Fprintf(c.stderr, "%s: %s\n", d["turn"], d["difference"])
				}
			}
			if len(differ) > 0 {
				return errDiffers
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "replay every turn")
	return cmd
}

// compare replays a turn and says how it differs from what was seen, or "". A journal
// that this binary cannot follow is a difference too.
func compare(cmd *cobra.Command, past chat.PastTurn) (string, turn.Replayed, error) {
	seen, err := turn.Seen(past.Events)
	if err != nil {
		return "", seen, err
	}
	got, err := turn.Replay(cmd.Context(), past)
	if turn.Differs(err) {
		return err.Error() + " (it was written by " + past.Record.Build + ")", got, nil
	}
	if err != nil {
		return "", got, err
	}
	return got.Differs(seen), got, nil
}
