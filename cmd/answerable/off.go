package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
)

func (c *cli) off() *cobra.Command {
	var off chat.Off
	var line string
	cmd := &cobra.Command{
		Use:   "off [ASSISTANT]",
		Short: "Switch an assistant off at once: its customers go to people",
		Long: `Switch an assistant off at once: its customers go to people, or with --line to a fixed
line. Running answers end with what they have shown. When the command returns, the
assistant says nothing more, on any node, until "answerable on".

Chat completions and other stateless calls cannot be handed over: they get the line.

Without a running server the switch is kept, and holds from the next start.`,
		Example: `  answerable off
  answerable off shop --reason "wrong prices since noon"
  answerable off --all --line "Please call us: 0800 123 456."
  answerable off --all --line ""      # the assistant's own line`,
		Args: oneAssistant,
		RunE: func(cmd *cobra.Command, args []string) error {
			off.To = chat.OffToPeople
			if cmd.Flags().Changed("line") {
				off.To, off.Line = chat.OffToLine, chat.Text(line)
			}
			o, name, err := c.switched(cmd, args, off.All)
			if err != nil {
				return err
			}
			off.Assistant = name
			now, err := app.SwitchOff(cmd.Context(), o, off)
			if err != nil {
				return err
			}
			return c.printSwitches(now)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&off.All, "all", false, "every assistant, those of later too")
	f.StringVar(&line, "line", "", "say this in the place of handing over; \"\": the assistant's own line")
	f.StringVar(&off.Reason, "reason", "", "why, for colleagues; customers do not see it")
	return cmd
}

func (c *cli) on() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "on [ASSISTANT]",
		Short: "Switch an assistant on again",
		Long: `Switch an assistant on again, that was switched off. Conversations that went to people
stay with them until they are released.`,
		Example: "  answerable on\n  answerable on shop\n  answerable on --all",
		Args:    oneAssistant,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, name, err := c.switched(cmd, args, all)
			if err != nil {
				return err
			}
			now, err := app.SwitchOn(cmd.Context(), o, name)
			if err != nil {
				return err
			}
			return c.printSwitches(now)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every assistant")
	return cmd
}

func oneAssistant(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("%s takes one assistant, not %d", name(cmd), len(args))}
	}
	return nil
}

// switched returns the assistant that is meant, or "" for all.
func (c *cli) switched(cmd *cobra.Command, args []string, all bool) (app.Options, string, error) {
	cfg, err := c.load()
	if err != nil {
		return app.Options{}, "", err
	}
	o := app.Options{Config: cfg, Version: version, Log: c.quiet()}
	switch {
	case all && len(args) > 0:
		return o, "", usageError{fmt.Errorf("%s takes an assistant or --all, not both", name(cmd))}
	case all:
		return o, "", nil
	}
	now, err := app.Switched(cmd.Context(), o)
	if err != nil {
		return o, "", err
	}
	switch {
	case len(args) > 0 && (slices.Contains(now.Assistants, args[0]) || cmd.Name() == "on"):
		return o, args[0], nil
	case len(args) > 0:
		return o, "", usageError{fmt.Errorf("there is no assistant %q; there are: %s", args[0], strings.Join(now.Assistants, ", "))}
	case len(now.Assistants) == 1:
		return o, now.Assistants[0], nil
	case len(now.Assistants) == 0:
		return o, "", usageError{fmt.Errorf("no assistant was ever served from this data directory: name one with --data, or say --all")}
	}
	return o, "", usageError{fmt.Errorf("say which assistant, or --all; there are: %s", strings.Join(now.Assistants, ", "))}
}

// printSwitches tells what is off now, and how to switch it on again.
func (c *cli) printSwitches(now app.Switches) error {
	if c.json {
		return c.print(now)
	}
	if len(now.Off) == 0 {
		_, err := fmt.Fprintln(c.stdout, "All assistants answer.")
		return err
	}
	for _, o := range now.Off {
		who, again := o.Assistant, o.Assistant
		if o.All {
			who, again = "All assistants", "--all"
		}
		how := "customers go to people"
		switch {
		case o.To == chat.OffToLine && o.Line == "":
			how = "customers are told the assistant's own line"
		case o.To == chat.OffToLine:
			how = fmt.Sprintf("customers are told %q", string(o.Line))
		}
		fmt.Fprintf(c.stdout, "OFF  %s: %s\n     since %s, by %s", who, how, o.At.Local().Format("2006-01-02 15:04"), o.By)
		if o.Reason != "" {
			fmt.Fprintf(c.stdout, ": %s", o.Reason)
		}
		fmt.Fprintf(c.stdout, "\n     on again with: answerable on %s\n", again)
	}
	return nil
}
