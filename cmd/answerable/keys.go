package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
)

func (c *cli) keys() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "API keys", Args: subcommand,
		Example: "  answerable keys create shop",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(&cobra.Command{
		Use:   "create NAME",
		Short: "Make an API key and print it, once",
		Long: `Make an API key and print it, once: only its hash is stored.

From the first key on, also on 127.0.0.1, a conversation opens with its own token or a
key, and /api with a key. Anybody may still begin a conversation.`,
		Example: "  answerable keys create shop",
		Args:    exactly(1, "one name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			key, err := app.CreateKey(cmd.Context(), app.Options{Config: cfg, Version: version, Log: c.quiet()}, args[0])
			if err != nil {
				return err
			}
			if c.json {
				return c.print(map[string]string{"name": args[0], "key": key})
			}
			fmt.Fprintln(c.stderr, "Keep this key: it is not shown again. Send it as: Authorization: Bearer KEY")
			_, err = fmt.Fprintln(c.stdout, key)
			return err
		},
	})
	return cmd
}
