package main

import (
	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
)

func (c *cli) serve() *cobra.Command {
	var listen, fake string
	var unlimited bool
	cmd := &cobra.Command{
		Use:   "serve [DIR]",
		Short: "Run the server",
		Long: `Run the server.

DIR is an assistant (a folder with assistant.yaml), a folder of assistants, or simply a
folder of documents (Markdown, text, HTML). Without DIR the server answers from what
"answerable ingest" published last, or else from what "answerable release promote"
promoted, or else from the built-in demo shop.

A change in DIR is checked and served within two seconds or so, or refused with its reason
while what was there goes on. SIGHUP has the server look at once. From the first
"answerable release promote" on, a change is served when it is promoted.`,
		Example: `  answerable serve
  answerable serve ./docs
  answerable serve ./assistants --listen 0.0.0.0:8080 --data /var/lib/answerable`,
		Args: atMost(1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			c.warnOfVariables()
			if listen != "" {
				cfg.Listen = listen
			}
			if unlimited {
				cfg.Limits.Anonymous = app.AnonymousLimits{}
			}
			if err := cfg.Validate(); err != nil {
				return usageError{err}
			}
			o := app.Options{Config: cfg, FakeProvider: fake, Resume: true, Version: version, Log: c.log(cfg), Progress: c.progress}
			if len(args) == 1 {
				o.Dir = args[0]
			}
			return app.Serve(cmd.Context(), o, c.stderr)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "", "listen on `ADDRESS`, a host and a port (default: 127.0.0.1:8080)")
	f.StringVar(&fake, "fake-provider", "", "answer from a `SCRIPT`, for trials and tests: a file, or settings such as ttft=200ms,itl=20ms")
	f.BoolVar(&unlimited, "no-anonymous-limits", false, "do not limit anonymous visitors, for load tests")
	return cmd
}
