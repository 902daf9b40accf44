package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (c *cli) man() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages",
		Long: `Write the manual pages into DIR, one for each command: answerable.1,
answerable-serve.1 and so on. To read one: man DIR/answerable.1`,
		Example: `  answerable man /usr/local/share/man/man1
  answerable man ./man && man ./man/answerable-serve.1`,
		Args: exactly(1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("make the folder of the manual pages: %w", err)
			}
			files := []string{}
			for _, cmd := range all(cmd.Root()) {
				file := filepath.Join(args[0], strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1")
				if err := os.WriteFile(file, []byte(manual(cmd)), 0o644); err != nil {
					return fmt.Errorf("write a manual page: %w", err)
				}
				files = append(files, file)
			}
			if c.json {
				return c.print(map[string][]string{"files": files})
			}
			_, err := fmt.Fprintf(c.stdout, "%d pages in %s\n", len(files), args[0])
			return err
		},
	}
}

// all returns a command and those below it that help lists.
func all(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			out = append(out, all(sub)...)
		}
	}
	return out
}

// manual writes the page of a command in the macros of man(7).
func manual(cmd *cobra.Command) string {
	var b strings.Builder
	page := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s\n", roff(strings.ToUpper(page)), roff("Answerable"))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(page), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.SH DESCRIPTION\n", roff(usage(cmd)))
	for _, p := range paragraphs(about(cmd)) {
		if p.set {
			fmt.Fprintf(&b, ".PP\n.nf\n%s\n.fi\n", roff(p.text))
		} else {
			fmt.Fprintf(&b, ".PP\n%s\n", roff(p.text))
		}
	}
	options := func(title string, set *pflag.FlagSet) {
		if !set.HasAvailableFlags() {
			return
		}
		fmt.Fprintf(&b, ".SH %s\n", title)
		set.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				what, usage := pflag.UnquoteUsage(f)
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(flagName(f)+" "+what)), roff(usage))
			}
		})
	}
	options("OPTIONS", cmd.LocalNonPersistentFlags())
	options("OPTIONS OF EVERY COMMAND", cmd.Root().PersistentFlags())
	fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	var see []string
	if cmd.HasParent() {
		see = append(see, cmd.Parent().CommandPath())
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			see = append(see, sub.CommandPath())
		}
	}
	for i, path := range see {
		if i == 0 {
			b.WriteString(".SH SEE ALSO\n")
		}
		fmt.Fprintf(&b, ".BR %s (1)\n", roff(strings.ReplaceAll(path, " ", "-")))
	}
	return b.String()
}

// flagName is how a flag is typed: -v, --verbose.
func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + ", --" + f.Name
	}
	return "--" + f.Name
}

// roff writes text so that it stands for itself.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
