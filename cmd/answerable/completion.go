package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/answerable/answerable/assistants"
	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
)

func (c *cli) completion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that completes commands in a shell",
		Long: `Print a script that completes commands, flags, folders and the names of assistants, for
bash (4.2 or later), zsh, fish or powershell.

  answerable completion bash > /etc/bash_completion.d/answerable
  answerable completion zsh > "${fpath[1]}/_answerable"
  answerable completion fish > ~/.config/fish/completions/answerable.fish
  answerable completion powershell >> $PROFILE`,
		Example:   "  source <(answerable completion bash)",
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("completion takes one of %s", strings.Join(shells, ", "))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(c.stdout, true)
			case "zsh":
				return root.GenZshCompletion(c.stdout)
			case "fish":
				return root.GenFishCompletion(c.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(c.stdout)
			}
			return usageError{fmt.Errorf("completion knows %s, not %q", strings.Join(shells, ", "), args[0])}
		},
	}
}

// complete says what may follow on the command line: of arguments and of flags.
func (c *cli) complete(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		c.complete(sub)
	}
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 && !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch argument := strings.Trim(strings.TrimPrefix(cmd.Use, cmd.Name()), " []"); {
			case len(args) > 0:
			case argument == "DIR":
				return nil, cobra.ShellCompDirectiveFilterDirs
			case strings.Contains(argument, "|"):
				return strings.Split(argument, "|"), cobra.ShellCompDirectiveNoFileComp
			case argument == "TURN":
				return c.turns(cmd), cobra.ShellCompDirectiveNoFileComp
			case argument == "ASSISTANT":
				return c.assistants(cmd), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "dir", "data":
			cmd.MarkFlagDirname(f.Name)
		case "assistant":
			c.values(cmd, f.Name, c.assistants)
		}
		if words, ok := flagWords()[f.Name]; ok {
			c.values(cmd, f.Name, func(*cobra.Command) []string { return words })
		}
	})
}

// flagWords are the values of flags that have a few.
func flagWords() map[string][]string {
	var scopes []string
	for _, s := range chat.Scopes {
		scopes = append(scopes, string(s))
	}
	return map[string][]string{
		"conversation": {"last"},
		"sample":       assistants.Samples(),
		"scope":        scopes,
		"provider":     {"extractive", "configured"},
		"arrivals":     {"poisson", "constant"},
	}
}

func (c *cli) values(cmd *cobra.Command, flag string, all func(*cobra.Command) []string) {
	cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return all(cmd), cobra.ShellCompDirectiveNoFileComp
	})
}

// assistants are those that were ever served from the data directory. What cannot be read
// completes nothing.
func (c *cli) assistants(cmd *cobra.Command) []string {
	cfg, err := c.load()
	if err != nil {
		return nil
	}
	names, err := app.PublishedNames(cmd.Context(), cfg)
	if err != nil {
		return nil
	}
	return names
}

// mostTurns is how many turns a completion offers, the newest first.
const mostTurns = 20

func (c *cli) turns(cmd *cobra.Command) []string {
	cfg, err := c.load()
	if err != nil {
		return nil
	}
	s, err := app.OpenReading(cmd.Context(), cfg)
	if err != nil {
		return nil
	}
	defer s.Close()
	ids, err := s.TurnIDs(cmd.Context(), mostTurns)
	if err != nil {
		return nil
	}
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}
