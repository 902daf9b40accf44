package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
)

func (c *cli) config() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show the configuration that is in force, and where each value comes from", Args: subcommand,
		Long: `Show every key that is in force with its value and where that comes from: a flag, an
environment variable, a line of the server's file, or the default. A flag goes before a
variable, and that before the file. Secrets are not shown.

These variables set a key of the file: ANSWERABLE_LISTEN, ANSWERABLE_DATA,
ANSWERABLE_POSTGRES, ANSWERABLE_IDENTITY_SECRET, ANSWERABLE_LOG_LEVEL and
ANSWERABLE_LOG_FORMAT. ANSWERABLE_CONFIG names the file; ANSWERABLE_KEY or
ANSWERABLE_KEY_FILE gives the key that seals what is stored.`,
		Example: "  answerable config\n  answerable config --json --config prod.yaml\n  answerable config check ./assistants",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.sources()
			c.warnOfVariables()
			if err != nil {
				return err
			}
			all := s.Settings()
			if c.json {
				return c.print(all)
			}
			w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
			for _, x := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\n", x.Key, shown(x.Value), x.Origin)
			}
			return w.Flush()
		}}
	cmd.AddCommand(c.checkConfig(), c.schema())
	return cmd
}

// shown writes a value as it could stand in the file.
func shown(value any) string {
	switch v := value.(type) {
	case string:
		if v == "" {
			return `""`
		}
	case []any:
		items := make([]string, len(v))
		for i, x := range v {
			items[i] = shown(x)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(value)
}

func (c *cli) checkConfig() *cobra.Command {
	return &cobra.Command{
		Use: "check [DIR]", Short: "Check the server's file and the assistants in DIR, and report all mistakes",
		Example: "  answerable config check\n  answerable config check ./assistants --config prod.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("config check takes one folder, not %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			c.warnOfVariables()
			names := []string{}
			if len(args) == 1 {
				var bad error
				names, bad = app.CheckAssistants(cfg, args[0])
				err = errors.Join(err, bad)
			}
			if err != nil {
				return err
			}
			if c.json {
				return c.print(map[string]any{"ok": true, "assistants": names})
			}
			_, err = fmt.Fprintln(c.stdout, "ok")
			return err
		},
	}
}

// warnOfVariables tells of environment variables that look like ours and are not.
func (c *cli) warnOfVariables() {
	for _, w := range app.UnknownVariables() {
		fmt.Fprintln(c.stderr, "answerable:", w)
	}
}
