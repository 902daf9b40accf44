package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
)

func (c *cli) notice() *cobra.Command {
	cmd := &cobra.Command{Use: "notice", Short: "Tell customers something for a time", Args: subcommand,
		Long: `Tell customers something for a time, such as that deliveries are delayed today. Widget
and page show it first, answers take it into account and cite it, and it goes by itself.`,
		Example: `  answerable notice add "Deliveries are delayed by a day." --until "tomorrow 18:00"
  answerable notice list`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(c.noticeAdd(), c.noticeList(), c.noticeRemove())
	return cmd
}

func (c *cli) noticeAdd() *cobra.Command {
	var n chat.Notice
	var from, until string
	cmd := &cobra.Command{
		Use:   "add TEXT --until TIME",
		Short: "Add a notice: one line of at most 500 characters",
		Long: `Add a notice: one line of at most 500 characters.

TIME is a time of day (18:00, the next one), a day and a time (tomorrow 09:00,
2026-12-01 18:00), a day (2026-12-01: until its end, from its beginning), how long from
now (2h, 90m, 3d), or exact (2026-12-01T18:00:00+01:00). The time zone is that of the
assistant's hours, if a server runs that knows it, else this machine's.`,
		Example: `  answerable notice add "Deliveries are delayed by a day." --until 18:00
  answerable notice add "We moved." --from 2026-12-01 --until 2026-12-14 --url https://shop.example/moved
  answerable notice add "Heute keine Lieferung." --until 24h --locale de --assistant shop`,
		Args: exactly(1, "one text (in quotes)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if until == "" {
				return usageError{fmt.Errorf("--until is missing: say when the notice is over, as in --until 18:00")}
			}
			cfg, err := c.load()
			if err != nil {
				return err
			}
			o := app.Options{Config: cfg, Version: version, Log: c.quiet()}
			board, err := app.ListNotices(cmd.Context(), o, n.Assistant)
			if err != nil {
				return err
			}
			zone := zoneOf(board)
			now := time.Now().In(zone)
			if n.Until.Time, err = readTime(until, now, true); err != nil {
				return usageError{fmt.Errorf("--until: %w", err)}
			}
			if from != "" {
				if n.From.Time, err = readTime(from, now, false); err != nil {
					return usageError{fmt.Errorf("--from: %w", err)}
				}
			}
			n.Text = chat.Text(strings.TrimSpace(args[0]))
			kept, err := app.AddNotice(cmd.Context(), o, n)
			if err != nil {
				return err
			}
			if c.json {
				return c.print(kept)
			}
			_, err = fmt.Fprintf(c.stdout, "%s is told from %s until %s.\nTake it away with: answerable notice remove %s\n",
				kept.ID, moment(kept.From, zone), moment(kept.Until, zone), kept.ID)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&until, "until", "", "when it is over")
	f.StringVar(&from, "from", "", "when it begins (default: now)")
	f.StringVar(&n.Assistant, "assistant", "", "whose customers are told (default: every assistant's)")
	f.StringVar(&n.Locale, "locale", "", "language of those who are told, as in de (default: everybody)")
	f.StringVar(&n.URL, "url", "", "address of a page that says more")
	return cmd
}

func (c *cli) noticeList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the notices that are told now, or will be",
		Example: "  answerable notice list\n  answerable notice list --json",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			board, err := app.ListNotices(cmd.Context(), app.Options{Config: cfg, Version: version, Log: c.quiet()}, "")
			if err != nil {
				return err
			}
			if c.json {
				return c.print(board)
			}
			if len(board.Notices) == 0 {
				fmt.Fprintln(c.stdout, "There are no notices.")
			}
			zone, now := zoneOf(board), chat.Now()
			for _, n := range board.Notices {
				state := "now"
				if !n.InForce(now) {
					state = "later"
				}
				who := "every assistant"
				if n.Assistant != "" {
					who = n.Assistant
				}
				if n.Locale != "" {
					who += ", " + n.Locale
				}
				fmt.Fprintf(c.stdout, "%s  %s: %s until %s, %s, by %s\n   %s\n", n.ID, state, moment(n.From, zone), moment(n.Until, zone), who, n.By, n.Text)
				if n.URL != "" {
					fmt.Fprintf(c.stdout, "   %s\n", n.URL)
				}
			}
			return nil
		},
	}
}

func (c *cli) noticeRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: "Take a notice away before it is over",
		Example: "  answerable notice remove b0k9p2…",
		Args:    exactly(1, "one ID, as notice list shows it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			if err := app.RemoveNotice(cmd.Context(), app.Options{Config: cfg, Version: version, Log: c.quiet()}, args[0]); err != nil {
				return err
			}
			if c.json {
				return c.print(map[string]string{"id": args[0]})
			}
			_, err = fmt.Fprintf(c.stdout, "%s is gone.\n", args[0])
			return err
		},
	}
}

// zoneOf is the time zone in which times are read and shown.
func zoneOf(b app.Board) *time.Location {
	if zone, err := time.LoadLocation(b.Zone); err == nil && b.Zone != "" {
		return zone
	}
	return time.Local
}

func moment(t chat.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// readTime reads a time as people write it, in the zone of now; end says that a day alone
// means its end.
func readTime(s string, now time.Time, end bool) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 {
			return now.AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	day, clock, both := strings.Cut(s, " ")
	if !both && strings.Contains(s, ":") {
		day, clock = "", s
	}
	year, month, date := now.Date()
	switch day {
	case "", "today":
	case "tomorrow":
		date++
	default:
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return t, badTime(s)
		}
		year, month, date = t.Date()
	}
	var hour, minute int
	switch {
	case clock != "":
		t, err := time.Parse("15:04", strings.TrimSpace(clock))
		if err != nil {
			return t, badTime(s)
		}
		hour, minute = t.Hour(), t.Minute()
	case end:
		date++
	}
	at := time.Date(year, month, date, hour, minute, 0, 0, now.Location())
	if day == "" && !at.After(now) {
		at = time.Date(year, month, date+1, hour, minute, 0, 0, now.Location()) // the next one
	}
	return at, nil
}

func badTime(s string) error {
	return fmt.Errorf("want a time such as 18:00, tomorrow 09:00, 2h, 2026-12-01 or 2026-12-01T18:00:00+01:00, not %q", s)
}
