package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/answerable/answerable/internal/app"
)

func (c *cli) config() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show the configuration that is in force, and where each value comes from", Args: subcommand,
		Long: `Show every key that is in force with its value, as the server's file has it, and where
the value comes from: a flag, an environment variable, a line of the file, or the default.
A flag goes before a variable, and that before the file. Secrets are not shown.

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
			text, err := settingsFile(all)
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.stdout, text)
			return err
		}}
	cmd.AddCommand(c.checkConfig(), c.schema())
	return cmd
}

// settingsFile writes settings as the server's file has them, each with its origin as a
// comment. What has no key in the file is a comment altogether.
func settingsFile(all []app.Setting) (string, error) {
	var b strings.Builder
	var open []string // keys and items that the line before was in
	for _, x := range all {
		path := strings.Split(strings.ReplaceAll(x.Key, "[", ".["), ".")
		in, key := path[:len(path)-1], path[len(path)-1]
		same := 0
		for same < len(in) && same < len(open) && in[same] == open[same] {
			same++
		}
		dash := false
		begin := func(depth int, key string) string {
			line := strings.Repeat("  ", depth) + key
			if dash {
				line = strings.Repeat("  ", depth-1) + "- " + key
			}
			dash = false
			return line
		}
		for depth := same; depth < len(in); depth++ {
			if in[depth][0] == '[' { // an item begins with its first key
				dash = true
				continue
			}
			fmt.Fprintf(&b, "%s:\n", begin(depth, in[depth]))
		}
		open = in
		value, err := inYAML(x.Value)
		if err != nil {
			return "", fmt.Errorf("write %s: %w", x.Key, err)
		}
		if x.Extra {
			key = "# " + key
		}
		fmt.Fprintf(&b, "%-44s # %s\n", begin(len(in), key)+": "+value, x.Origin)
	}
	return b.String(), nil
}

// inYAML writes a value on one line.
func inYAML(value any) (string, error) {
	var n yaml.Node
	if err := n.Encode(value); err != nil {
		return "", err
	}
	n.Style |= yaml.FlowStyle
	b, err := yaml.Marshal(&n)
	return strings.TrimSpace(string(b)), err
}

func (c *cli) checkConfig() *cobra.Command {
	return &cobra.Command{
		Use: "check [DIR]", Short: "Check the server's file and the assistants in DIR, and report all mistakes",
		Example: "  answerable config check\n  answerable config check ./assistants --config prod.yaml",
		Args:    atMost(1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			c.warnOfVariables()
			names := []string{}
			if len(args) == 1 {
				var bad error
				names, bad = app.CheckAssistants(cfg, args[0])
				err = errors.Join(err, bad)
			}
			if c.json {
				return c.printMistakes(names, app.Mistakes(err))
			}
			if err != nil {
				return err
			}
			checked := "the server's settings"
			if len(names) > 0 {
				checked += " and " + count(len(names), "assistant") + ": " + strings.Join(names, ", ")
			}
			c.stdout.paragraphs("", "", "ok: "+checked)
			return nil
		},
	}
}

// printMistakes is for programs what the messages of mistakes are for people.
func (c *cli) printMistakes(assistants []string, mistakes []app.Mistake) error {
	err := c.print(map[string]any{"ok": len(mistakes) == 0, "assistants": assistants, "mistakes": mistakes})
	if err == nil && len(mistakes) > 0 {
		err = errors.New(count(len(mistakes), "mistake"))
	}
	return err
}

// warnOfVariables tells of environment variables that look like ours and are not.
func (c *cli) warnOfVariables() {
	for _, w := range app.UnknownVariables() {
		fmt.Fprintln(c.stderr, "answerable:", w)
	}
}
