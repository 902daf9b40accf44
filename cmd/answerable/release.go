package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

func (c *cli) release() *cobra.Command {
	cmd := &cobra.Command{
		Use: "release", Short: "See, promote and undo what the assistants serve", Args: subcommand,
		Long: `See, promote and undo what the assistants serve.

A release is an assistant's own files, under their hash: assistant.yaml, prompts, policies,
golden cases. Until the first promote, a server serves the folder and follows its changes.
From then on it serves what was promoted, with the documents of that moment, and a change
in the folder is only a candidate.

The commands ask the server that runs on the data directory, or open the data themselves.`,
		Example: `  answerable release status
  answerable release diff
  answerable release promote
  answerable release undo`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var dir string
	cmd.PersistentFlags().StringVar(&dir, "dir", "", "the folder that could be promoted, where no server runs (default: what serve without a folder serves)")
	cmd.AddCommand(c.releaseStatus(&dir), c.releaseDiff(&dir), c.releasePromote(&dir), c.releaseUndo(&dir), c.releaseExport(&dir))
	return cmd
}

// withReleases does something with the releases of an assistant.
func (c *cli) withReleases(cmd *cobra.Command, dir string, do func(ctx context.Context, r *app.Releases) error) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	r, err := app.OpenReleases(cmd.Context(), app.Options{Config: cfg, Dir: dir, Version: version, Log: c.quiet(), Progress: c.progress})
	if err != nil {
		return err
	}
	return errors.Join(do(cmd.Context(), r), r.Close())
}

// atMost wants up to n arguments, which what names.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError{fmt.Errorf("%s takes %s, not %d", name(cmd), what, len(args))}
		}
		return nil
	}
}

func first(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return ""
}

func (c *cli) releaseStatus(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status [ASSISTANT]",
		Short: "Show what is served, what the folder holds, and the last promotions",
		Example: `  answerable release status
  answerable release status shop --json`,
		Args: atMost(1, "one assistant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withReleases(cmd, *dir, func(ctx context.Context, r *app.Releases) error {
				all, err := r.Status(ctx)
				if len(args) > 0 && err == nil {
					var one httpapi.ReleaseStatus
					one, err = r.Named(ctx, args[0])
					all = []httpapi.ReleaseStatus{one}
				}
				if err != nil {
					return err
				}
				if c.json {
					return c.print(map[string]any{"assistants": all})
				}
				for i, s := range all {
					if i > 0 {
						fmt.Fprintln(c.stdout)
					}
					printStatus(c.stdout, s)
				}
				return nil
			})
		},
	}
}

func printStatus(w io.Writer, s httpapi.ReleaseStatus) {
	fmt.Fprintln(w, s.Assistant)
	switch {
	case s.Served == nil:
		fmt.Fprintln(w, "  served     nothing: its files never could be read")
	case s.Served.Promoted:
		fmt.Fprintf(w, "  served     release %.12s, promoted %s by %s\n", s.Served.Release, moment(s.Served.Since, time.Local), s.Served.By)
	default:
		fmt.Fprintf(w, "  served     release %.12s, the folder as it is, since %s\n", s.Served.Release, moment(s.Served.Since, time.Local))
	}
	if s.Served != nil {
		fmt.Fprintf(w, "  documents  %d, generation %.12s\n", s.Served.Documents, s.Served.Generation)
	}
	if f := s.Folder; f != nil {
		from := f.Dir
		if from == "" {
			from = "in the program"
		}
		fmt.Fprintf(w, "  folder     %s: ", from)
		switch {
		case f.Error != "":
			fmt.Fprintf(w, "cannot be served\n%s\n", indented(f.Error, "             "))
		case !f.Changed:
			fmt.Fprintln(w, "what is served")
		default:
			fmt.Fprintf(w, "release %.12s, %s, not served\n             see it with answerable release diff, serve it with answerable release promote\n", f.Release, documents(f.Documents))
		}
	}
	if r := s.Refused; r != nil && (s.Folder == nil || s.Folder.Error != r.Reason) {
		fmt.Fprintf(w, "  refused    %s\n%s\n", moment(r.At, time.Local), indented(r.Reason, "             "))
	}
	for i, p := range s.History {
		label := ""
		if i == 0 {
			label = "history"
		}
		fmt.Fprintf(w, "  %-9s  %-4s  %s  %-7s  %-12.12s  by %s\n", label, fmt.Sprint("@", p.N), moment(p.At, time.Local), p.What, releaseName(p.Release), p.By)
	}
}

// releaseName is what people read for a release; none is the folder.
func releaseName(release string) string {
	if release == "" {
		return "the folder"
	}
	return release
}

func indented(s, by string) string { return by + strings.ReplaceAll(s, "\n", "\n"+by) }

func (c *cli) releaseDiff(dir *string) *cobra.Command {
	var of string
	cmd := &cobra.Command{
		Use:   "diff [FROM] [TO]",
		Short: "Show how the folder differs from what is served, or one release from another",
		Long: `Show how the folder differs from what is served, or one release from another.

FROM and TO are served, folder, a release, of which the first characters are enough, or the
number of a promotion, as in @7.
Without them: from served to folder. An assistant's own files are compared line by line,
its documents by name.`,
		Example: `  answerable release diff
  answerable release diff 3f2a9c served
  answerable release diff @7
  answerable release diff --assistant shop`,
		Args: atMost(2, "at most two states"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to := httpapi.StateServed, httpapi.StateFolder
			if len(args) > 0 {
				from = args[0]
			}
			if len(args) > 1 {
				to = args[1]
			}
			return c.withReleases(cmd, *dir, func(ctx context.Context, r *app.Releases) error {
				s, err := r.Named(ctx, of)
				if err != nil {
					return err
				}
				d, err := r.Compare(ctx, s.Assistant, from, to)
				if err != nil {
					return err
				}
				if c.json {
					return c.print(d)
				}
				c.printDiff(d, from, to)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&of, "assistant", "", "which one (needed where there are several)")
	return cmd
}

func (c *cli) printDiff(d httpapi.ReleaseDiff, from, to string) {
	w := c.stdout
	if len(d.Files)+len(d.Documents) == 0 {
		fmt.Fprintf(w, "No difference from %s to %s: release %.12s, generation %.12s.\n", from, to, d.To.Release, d.To.Generation)
		return
	}
	for _, f := range d.Files {
		if f.Diff == "" {
			fmt.Fprintf(w, "%s %s (no text)\n", f.Change, f.Path)
			continue
		}
		for line := range strings.Lines(f.Diff) {
			fmt.Fprintln(w, w.paint(diffStyle(line), strings.TrimSuffix(line, "\n")))
		}
	}
	for _, doc := range d.Documents {
		how := map[assistant.Change]style{assistant.Added: good, assistant.Removed: bad}[doc.Change]
		fmt.Fprintf(w, "%s  document  %s\n", w.paint(how, pad(string(doc.Change), 7)), doc.ID)
	}
}

// diffStyle is how a line of a unified difference stands out.
func diffStyle(line string) style {
	for _, s := range []struct {
		prefix string
		style  style
	}{{"---", bold}, {"+++", bold}, {"@@", accent}, {"+", good}, {"-", bad}} {
		if strings.HasPrefix(line, s.prefix) {
			return s.style
		}
	}
	return ""
}

func (c *cli) releasePromote(dir *string) *cobra.Command {
	var release string
	cmd := &cobra.Command{
		Use:   "promote [ASSISTANT]",
		Short: "Serve the folder's files and documents as they are now, until the next promote",
		Long: `Serve the folder's files and documents as they are now, until the next promote or undo.

They are checked, stored under their hash and served as a whole by every server on the same
data; answers under way keep what they began with. With --release an earlier release is
served again, with the documents that it was promoted with last; @7 is promotion 7.`,
		Example: `  answerable release promote
  answerable release promote shop --release 3f2a9c`,
		Args: atMost(1, "one assistant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.move(cmd, *dir, first(args), func(ctx context.Context, r *app.Releases, name string) (httpapi.ReleaseMove, error) {
				return r.Promote(ctx, name, release)
			})
		},
	}
	cmd.Flags().StringVar(&release, "release", "", "one that was promoted before, or @7 (default: what the folder holds)")
	return cmd
}

func (c *cli) releaseUndo(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "undo [ASSISTANT]",
		Short: "Serve what was served before the last promote",
		Long: `Serve what was served before the promotion that is in force, with its documents.

Undone again, it goes on back, never to and fro. Before the first promotion is the folder:
it is served and followed again, if it still is what was promoted.`,
		Example: "  answerable release undo",
		Args:    atMost(1, "one assistant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.move(cmd, *dir, first(args), func(ctx context.Context, r *app.Releases, name string) (httpapi.ReleaseMove, error) {
				return r.Undo(ctx, name)
			})
		},
	}
}

// move changes what an assistant serves, and says how to take that back.
func (c *cli) move(cmd *cobra.Command, dir, of string, do func(context.Context, *app.Releases, string) (httpapi.ReleaseMove, error)) error {
	return c.withReleases(cmd, dir, func(ctx context.Context, r *app.Releases) error {
		s, err := r.Named(ctx, of)
		if err != nil {
			return err
		}
		m, err := do(ctx, r, s.Assistant)
		if err != nil {
			return err
		}
		if c.json {
			return c.print(m)
		}
		back := "undo " + m.Assistant
		if cmd.Name() == "undo" {
			back = fmt.Sprintf("promote %s --release @%d", m.Assistant, m.From.Promotion)
		}
		_, err = fmt.Fprintf(c.stdout, "%s now serves %s.\nBefore: %s.\nTake it back: answerable release %s\n", m.Assistant, whatServes(m.To), whatServes(m.From), back)
		return err
	})
}

func whatServes(s httpapi.ServedRelease) string {
	if !s.Promoted {
		return fmt.Sprintf("its folder as it is (release %.12s, %s)", s.Release, documents(s.Documents))
	}
	return fmt.Sprintf("release %.12s (promotion %d, %s)", s.Release, s.Promotion, documents(s.Documents))
}

func documents(n int) string {
	if n == 1 {
		return "1 document"
	}
	return fmt.Sprintf("%d documents", n)
}

func (c *cli) releaseExport(dir *string) *cobra.Command {
	var of, release string
	var force bool
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write a release's own files into a folder",
		Long: `Write a release's own files into a folder: assistant.yaml, prompts, policies, golden cases.
Its documents are not among them. Files with another content are not written over, unless
--force says so; files that the release does not have are left alone.`,
		Example: `  answerable release export ./shop-as-served
  answerable release export ./shop --release 3f2a9c --force`,
		Args: exactly(1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withReleases(cmd, *dir, func(ctx context.Context, r *app.Releases) error {
				s, err := r.Named(ctx, of)
				if err != nil {
					return err
				}
				data, err := r.Archive(ctx, s.Assistant, release)
				if err != nil {
					return err
				}
				written, err := export(data, args[0], force)
				if err != nil {
					return err
				}
				if c.json {
					return c.print(map[string]any{"assistant": s.Assistant, "dir": args[0], "written": written})
				}
				for _, f := range written {
					fmt.Fprintln(c.stdout, filepath.Join(args[0], f))
				}
				if len(written) == 0 {
					fmt.Fprintf(c.stdout, "%s has these files already.\n", args[0])
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&of, "assistant", "", "which one (needed where there are several)")
	cmd.Flags().StringVar(&release, "release", httpapi.StateServed, "which release, @7 or folder")
	cmd.Flags().BoolVar(&force, "force", false, "write over files that have another content")
	return cmd
}

// export writes the files of an archive into a folder, all or, where one may not be
// written over, none. It returns those that were not there with the same content. Nothing
// outside the folder is touched, whatever names or links say.
func export(archive []byte, dir string, force bool) ([]string, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("read the release: %w", err)
	}
	files, err := assistant.OwnFiles(z)
	if err != nil {
		return nil, fmt.Errorf("read the release: %w", err)
	}
	if len(files) == 0 {
		return nil, &chat.Error{Kind: chat.NotFound, Message: "this assistant is a folder of documents: it has no files of its own to export"}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	defer root.Close()
	var others []string
	write := slices.DeleteFunc(files, func(f assistant.OwnFile) bool {
		there, err := root.ReadFile(f.Path)
		if err == nil && bytes.Equal(there, f.Data) {
			return true
		}
		if !errors.Is(err, fs.ErrNotExist) {
			others = append(others, filepath.Join(dir, f.Path))
		}
		return false
	})
	if len(others) > 0 && !force {
		return nil, &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("nothing was written, because there is another content in %s: choose an empty folder, or write over it with --force", strings.Join(others, ", "))}
	}
	written := []string{}
	for _, f := range write {
		if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.Path, err)
		}
		if err := root.WriteFile(f.Path, f.Data, 0o644); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.Path, err)
		}
		written = append(written, f.Path)
	}
	return written, nil
}
