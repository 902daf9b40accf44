// Command answerable is a customer-service chatbot server: it answers from a company's
// own documents, cites them, and can account for everything it said.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/config"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // or regressed
	exitUsage   = 2
	exitDiffers = 3 // a replay differs
)

// errDiffers ends a replay that did not give the same.
var errDiffers = errors.New("the replay differs")

// usageError is a mistake on the command line.
type usageError struct{ error }

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{stdin: stdin, stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "answerable:", err)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "Run the command with --help to see how it is used.")
		return exitUsage
	case errors.Is(err, errDiffers):
		return exitDiffers
	}
	return exitFailed
}

// cli is what the commands share.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	configFile string
	data       string
	postgres   string
	json       bool
}

// commands are the subcommands, in the order in which help lists them.
func (c *cli) commands() []*cobra.Command {
	return []*cobra.Command{
		c.serve(), c.ask(), c.ingest(), c.search(), c.eval(), c.replay(), c.off(), c.on(), c.notice(), c.keys(), c.config(), c.doctor(), c.version(),
	}
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "answerable",
		Short: "A customer-service chatbot that answers for every sentence",
		Long: `Answerable answers customers from your own documents, cites them, hands over to a
person without losing a word, and keeps a record of everything it said.

Start with:  answerable serve            the demo shop, on http://127.0.0.1:8080
             answerable serve ./docs     your own folder of Markdown, text or HTML`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Example: `  answerable serve ./docs
  answerable ask "How long does delivery take?"`,
		Args: subcommand,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&c.configFile, "config", "", "the server's file (default: "+app.ConfigFile+" in the working directory, if it is there)")
	f.StringVar(&c.data, "data", "", "the data directory (default: ./data)")
	f.StringVar(&c.postgres, "postgres", "", "URL of a PostgreSQL database to use in place of SQLite")
	f.BoolVar(&c.json, "json", false, "print one JSON value")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, cmd := range c.commands() {
		root.AddCommand(cmd)
	}
	return root
}

// exactly wants n arguments, which what names.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%s takes %s, not %d", name(cmd), what, len(args))}
		}
		return nil
	}
}

// subcommand refuses what is not a subcommand.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("there is no command %q", strings.TrimSpace(name(cmd)+" "+args[0]))}
	}
	return nil
}

// name is what is typed behind "answerable" for a command.
func name(cmd *cobra.Command) string {
	return strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
}

// load returns what is in force: flags over environment over file over defaults.
func (c *cli) load() (app.Config, error) {
	cfg, err := app.LoadConfig(c.configFile)
	if err != nil {
		return cfg, err
	}
	set := func(value *string, environment, flag string) {
		if v := os.Getenv(environment); v != "" {
			*value = v
		}
		if flag != "" {
			*value = flag
		}
	}
	postgres, secret := cfg.Postgres.Reveal(), cfg.Identity.Secret.Reveal()
	set(&cfg.Data, "ANSWERABLE_DATA", c.data)
	set(&postgres, "ANSWERABLE_POSTGRES", c.postgres)
	set(&secret, "ANSWERABLE_IDENTITY_SECRET", "")
	cfg.Postgres, cfg.Identity.Secret = config.Secret(postgres), config.Secret(secret)
	return cfg, cfg.Validate()
}

// log returns the logger for a command. Logs go to stderr.
func (c *cli) log(cfg app.Config) *slog.Logger {
	o := &slog.HandlerOptions{Level: cfg.Log.Threshold()}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(c.stderr, o))
	}
	return slog.New(slog.NewTextHandler(c.stderr, o))
}

// quiet is the logger of commands that a person waits for.
func (c *cli) quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// print writes one JSON value.
func (c *cli) print(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// progress tells a person what takes long.
func (c *cli) progress(what string) { fmt.Fprintln(c.stderr, what) }

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: exactly(0, "no arguments"),
		Example: "  answerable version --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.json {
				return c.print(map[string]string{"version": version})
			}
			_, err := fmt.Fprintln(c.stdout, "answerable", version)
			return err
		},
	}
}

func (c *cli) config() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration", Args: subcommand,
		Example: "  answerable config check",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(&cobra.Command{
		Use: "check [DIR]", Short: "Check the server's file and the assistants in DIR, and report all mistakes",
		Example: "  answerable config check\n  answerable config check ./assistants --config prod.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("config check takes one folder, not %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := c.load()
			names := []string{}
			if len(args) == 1 {
				all, err2 := app.CheckAssistants(args[0])
				err = errors.Join(err, err2)
				names = append(names, all...)
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
	})
	return cmd
}
