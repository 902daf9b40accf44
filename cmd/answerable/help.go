package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/answerable/answerable/internal/config"
)

// groups are what help lists the commands under.
var groups = []struct{ title, commands string }{
	{"Start", "init serve ask chat"},
	{"Look", "search replay doctor config version"},
	{"Assistants and knowledge", "import ingest release"},
	{"Operate", "off on notice keys"},
	{"Measure", "eval loadtest"},
	{"The command line itself", "completion man"},
}

// help prints how a command is used.
func (c *cli) help(cmd *cobra.Command) {
	head := func(text string) { fmt.Fprintf(c.stdout, "\n%s\n", c.stdout.paint(bold, text+":")) }
	for i, p := range paragraphs(about(cmd)) {
		if i > 0 {
			fmt.Fprintln(c.stdout)
		}
		if p.set || c.stdout.terminal == nil {
			fmt.Fprintln(c.stdout, p.text)
		} else {
			c.stdout.paragraphs("", "", strings.ReplaceAll(p.text, "\n", " "))
		}
	}
	head("Usage")
	fmt.Fprintf(c.stdout, "  %s\n", usage(cmd))
	head("Examples")
	fmt.Fprintln(c.stdout, cmd.Example)
	if !cmd.HasParent() {
		for _, g := range groups {
			head(g.title)
			c.list(cmd, strings.Fields(g.commands))
		}
	} else if cmd.HasAvailableSubCommands() {
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		head("Commands")
		c.list(cmd, names)
	}
	c.flags("Flags", cmd.LocalNonPersistentFlags())
	c.flags("Flags of every command", cmd.Root().PersistentFlags())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(c.stdout, "\n%s COMMAND --help says more of a command.\n", cmd.CommandPath())
	}
}

// about is what a command is for.
func about(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

// usage is how a command is typed.
func usage(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

// paragraph is a part of a help text: prose, or set lines that stay as they are.
type paragraph struct {
	text string
	set  bool
}

// paragraphs takes a help text apart. A block with an indented line is set.
func paragraphs(text string) []paragraph {
	var all []paragraph
	for block := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		all = append(all, paragraph{block, strings.HasPrefix(block, " ") || strings.Contains(block, "\n ")})
	}
	return all
}

// list prints subcommands in the order of their names.
func (c *cli) list(cmd *cobra.Command, names []string) {
	for _, name := range names {
		for _, sub := range cmd.Commands() {
			if sub.Name() == name && sub.IsAvailableCommand() {
				c.stdout.hang("  "+c.stdout.paint(accent, name), 16, sub.Short)
			}
		}
	}
}

// helpCommand is help COMMAND, which is COMMAND --help.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err == nil {
				err = subcommand(of, rest)
			}
			if err != nil {
				return err
			}
			return of.Help()
		},
	}
}

func (c *cli) flags(title string, set *pflag.FlagSet) {
	if f := set.Lookup("help"); f != nil {
		f.Hidden = true // who reads this knows it
	}
	if !set.HasAvailableFlags() {
		return
	}
	width := min(c.stdout.width(), readable)
	fmt.Fprintf(c.stdout, "\n%s\n%s", c.stdout.paint(bold, title+":"), set.FlagUsagesWrapped(width))
}

// subcommand refuses what is not a subcommand.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return usageError{fmt.Errorf("there is no command %q%s", strings.TrimSpace(name(cmd)+" "+args[0]), config.Meant(args[0], names))}
}

// wrongFlag is a mistake in the flags, with the flag that may have been meant.
func wrongFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{err}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return usageError{fmt.Errorf("%w%s", err, strings.ReplaceAll(config.Meant(unknown.GetSpecifiedName(), names), `mean "`, `mean "--`))}
}
