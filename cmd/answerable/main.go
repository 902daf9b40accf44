// Command answerable is a customer-service chatbot server: it answers from a company's
// own documents, cites them, and can account for everything it said.
package main

import (
	"bytes"
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
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
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
	c := &cli{stdin: stdin, stdout: newScreen(stdout), stderr: newScreen(stderr)}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	c.complain(err)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(c.stderr, "Run the command with --help to see how it is used.")
		return exitUsage
	case errors.Is(err, errDiffers):
		return exitDiffers
	}
	return exitFailed
}

// complain says what went wrong.
func (c *cli) complain(err error) {
	p := &prose{s: c.stderr}
	p.write(c.stderr.paint(bad, "answerable:") + " " + clean(err.Error()))
	p.end()
}

// cli is what the commands share.
type cli struct {
	stdin          io.Reader
	stdout, stderr *screen
	doing          *bar // what progress tells of, or nil

	configFile string
	data       string
	postgres   string
	json       bool
}

// commands are the subcommands, in the order in which help lists them.
func (c *cli) commands() []*cobra.Command {
	return []*cobra.Command{
		c.init(), c.importing(), c.serve(), c.ask(), c.chat(), c.ingest(), c.search(), c.eval(), c.replay(), c.release(), c.off(), c.on(), c.notice(), c.keys(), c.config(), c.doctor(), c.loadtest(), c.version(),
		c.completion(), c.man(),
	}
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "answerable",
		Short: "A customer-service chatbot that answers for every sentence",
		Long: `Answerable answers customers from your own documents, cites them, hands over to a
person without losing a word, and keeps a record of everything it said.

  answerable serve          the demo shop, on http://127.0.0.1:8080
  answerable serve ./docs   your own folder of Markdown, text or HTML`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Example: `  answerable serve ./docs
  answerable ask "How long does delivery take?"`,
		Args: subcommand,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&c.configFile, "config", "", "the server's `FILE` (default: "+app.ConfigFile+" here, if it is there)")
	f.StringVar(&c.data, "data", "", "the data directory `DIR` (default: ./data)")
	f.StringVar(&c.postgres, "postgres", "", "`URL` of a PostgreSQL database to use in place of SQLite")
	f.BoolVar(&c.json, "json", false, "print one JSON value")
	root.SetFlagErrorFunc(wrongFlag)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { c.help(cmd) })
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(helpCommand())
	for _, cmd := range c.commands() {
		root.AddCommand(cmd)
	}
	c.complete(root)
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

// name is what is typed behind "answerable" for a command.
func name(cmd *cobra.Command) string {
	return strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
}

// load returns what is in force: flags over environment over file over defaults.
func (c *cli) load() (app.Config, error) {
	s, err := c.sources()
	return s.Config, err
}

// sources is load that knows where each value comes from.
func (c *cli) sources() (app.Sources, error) {
	return app.Load(c.configFile, app.Flag{Name: "--data", Key: "data", Value: c.data}, app.Flag{Name: "--postgres", Key: "postgres", Value: c.postgres})
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

// print writes one JSON value. What a terminal would obey is escaped, which says the same.
func (c *cli) print(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	out := make([]byte, 0, b.Len())
	for _, r := range b.String() {
		if r >= 0x7f && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	_, err := c.stdout.Write(out)
	return err
}

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
