package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
)

func (c *cli) schema() *cobra.Command {
	return &cobra.Command{
		Use: "schema [" + strings.Join(app.Schemas, "|") + "]", Short: "Print the JSON Schema of a kind of files, for editors",
		Long: `Print the JSON Schema of assistant.yaml (assistant, the default), answerable.yaml
(server), policies/NAME.yaml (policy) or golden/NAME.yaml (golden). Editors that know it
complete keys, explain them and mark mistakes while you write. With the YAML language
server, which most editors use, a first line in the file names it:

  # yaml-language-server: $schema=assistant.schema.json`,
		Example: `  answerable config schema > assistant.schema.json
  answerable config schema policy > policies/.policy.schema.json`,
		ValidArgs: app.Schemas,
		Args:      atMost(1, "one kind of files"),
		RunE: func(_ *cobra.Command, args []string) error {
			schema, err := app.Schema(append(args, app.Schemas[0])[0])
			if err != nil {
				return err
			}
			_, err = c.stdout.Write(schema)
			return err
		},
	}
}
