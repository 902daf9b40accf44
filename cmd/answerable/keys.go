package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
)

func (c *cli) keys() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "API keys: make, list and revoke them", Args: subcommand,
		Long: `API keys are for software of the company: sites, desks of agents, scripts. A key has
scopes, which say what it may do:

  chat    act for customers on /v1: name them, write in their conversations
  view    read conversations, and lists on /api
  agent   take conversations, speak in them, release them; and view
  edit    change what assistants say, such as their knowledge; and view
  admin   everything, other keys included

From the first key on every request needs a key or a conversation's own token, also on
127.0.0.1 and also when all keys were revoked. Anybody may still begin a conversation.`,
		Example: "  answerable keys create shop --scope chat --expires 90d\n  answerable keys list\n  answerable keys revoke shop",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(c.createKey(), c.listKeys(), c.revokeKey())
	return cmd
}

func (c *cli) createKey() *cobra.Command {
	var scopes, assistants []string
	var expires string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make an API key and print it, once",
		Long: `Make an API key and print it, once: only its hash is stored. Without --scope it may do
everything, for all assistants, and it does not expire.`,
		Example: `  answerable keys create boss
  answerable keys create shop --scope chat --expires 90d
  answerable keys create desk --scope agent,edit --assistant demo --expires 2027-12-31`,
		Args: exactly(1, "one name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			k := chat.APIKey{Name: args[0], Assistants: assistants}
			for _, s := range scopes {
				k.Scopes = append(k.Scopes, chat.Scope(s))
			}
			if k.ExpiresAt, err = expiry(expires, time.Now()); err != nil {
				return usageError{err}
			}
			key, made, err := app.CreateKey(cmd.Context(), app.Options{Config: cfg, Version: version, Log: c.quiet()}, k)
			if err != nil {
				return err
			}
			if c.json {
				return c.print(struct {
					chat.APIKey
					Key string `json:"key"`
				}{made, key})
			}
			fmt.Fprintln(c.stderr, "Keep this key: it is not shown again. Send it as: Authorization: Bearer KEY")
			fmt.Fprintf(c.stderr, "It may: %s; for %s; %s.\n", made.ScopeList(), forAssistants(made), until(made))
			_, err = fmt.Fprintln(c.stdout, key)
			return err
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&scopes, "scope", []string{string(chat.ScopeAdmin)}, "`SCOPE` that says what it may do: chat, view, agent, edit, admin; several with commas")
	f.StringSliceVar(&assistants, "assistant", nil, "only for the assistant `NAME`; several with commas (default: all)")
	f.StringVar(&expires, "expires", "", "`WHEN` it opens nothing any more: 90d, 12h, or the last day, such as 2027-12-31, in UTC (default: never)")
	return cmd
}

func (c *cli) listKeys() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the API keys, also those that were revoked",
		Long: `List the API keys, also those that expired or were revoked. When a key was last used is
noted at most once an hour.`,
		Example: "  answerable keys list\n  answerable keys list --json",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			all, err := app.Keys(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			now := time.Now()
			if c.json {
				type listed struct {
					chat.APIKey
					State chat.KeyState `json:"state"`
				}
				out := []listed{}
				for _, k := range all {
					out = append(out, listed{k, k.State(now)})
				}
				return c.print(out)
			}
			if len(all) == 0 {
				fmt.Fprintln(c.stderr, "There are no keys. Make one with: answerable keys create NAME")
			}
			for _, k := range all {
				if err := c.showKey(k, now); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// showKey prints a key in two lines.
func (c *cli) showKey(k chat.APIKey, now time.Time) error {
	used := "not used yet"
	if k.LastUsedAt != nil {
		used = "last used " + day(*k.LastUsedAt)
	}
	ends := until(k)
	if k.RevokedAt != nil {
		ends = "revoked " + day(*k.RevokedAt) + by(k.RevokedBy)
	}
	state := k.State(now)
	how := dim
	if state == chat.KeyActive {
		how = good
	}
	_, err := fmt.Fprintf(c.stdout, "%s  %s; may: %s; for %s\n",
		c.stdout.paint(bold, k.Name), c.stdout.paint(how, string(state)), k.ScopeList(), forAssistants(k))
	c.stdout.paragraphs("    ", "", fmt.Sprintf("%s, made %s%s, %s, %s", k.ID, day(k.CreatedAt), by(k.CreatedBy), used, ends))
	return err
}

func (c *cli) revokeKey() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Have an API key open nothing any more, at once",
		Long: `Have an API key open nothing any more, at once and on every node; streams that it has
open end within seconds. NAME is the key's name or its id. The key stays in the list, and
its name is free for another.

The last key with the scope admin goes only with --force. The server does not open again:
after that, commands on its machine are the way to make a key.`,
		Example: "  answerable keys revoke shop",
		Args:    exactly(1, "one name or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			k, err := app.RevokeKey(cmd.Context(), app.Options{Config: cfg, Version: version, Log: c.quiet()}, args[0], force)
			if err != nil {
				return err
			}
			if c.json {
				return c.print(k)
			}
			_, err = fmt.Fprintf(c.stdout, "revoked %s (%s)\n", k.Name, k.ID)
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "revoke even the last key with the scope admin")
	return cmd
}

// expiry reads when a key is to expire: a time from now, or the last day, in UTC.
func expiry(text string, now time.Time) (*chat.Time, error) {
	if text == "" {
		return nil, nil
	}
	at := func(t time.Time) (*chat.Time, error) {
		return &chat.Time{Time: t.UTC().Truncate(time.Millisecond)}, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return at(t.AddDate(0, 0, 1))
	}
	unit := map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour}[text[len(text)-1:]]
	const most = 100 * 365 * 24 // hours
	if n, err := strconv.Atoi(text[:len(text)-1]); err == nil && unit > 0 && n > 0 && n <= most/int(unit/time.Hour) {
		return at(now.Add(time.Duration(n) * unit))
	}
	return nil, errors.New("--expires takes days or hours from now, such as 90d or 12h, or the last day, such as 2027-12-31")
}

func forAssistants(k chat.APIKey) string {
	if len(k.Assistants) == 0 {
		return "all assistants"
	}
	return strings.Join(k.Assistants, ", ")
}

// until says when a key expires.
func until(k chat.APIKey) string {
	if k.ExpiresAt == nil {
		return "never expires"
	}
	return "expires " + k.ExpiresAt.Format("2006-01-02 15:04 UTC")
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + name
}

func day(at chat.Time) string { return at.Format(time.DateOnly) }
