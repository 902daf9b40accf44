package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/importer"
)

// importFlags are those of every command that imports.
type importFlags struct {
	options importer.Options
	base    string
}

func (f *importFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.options.Map, "map", "", "where a table's articles are: a mapping's `FILE`, or one of "+strings.Join(importer.Mappings(), ", "))
	flags.StringVar(&f.base, "base", "", "the site's `URL`, where a table has only paths")
	flags.StringSliceVar(&f.options.Hosts, "also-host", nil, "fetch pages of this `HOST` too")
	flags.Float64Var(&f.options.Rate, "rate", 4, "fetch `N` pages a second from a host")
	flags.IntVar(&f.options.Pages, "pages", 2000, "fetch at most `N` pages")
	flags.BoolVar(&f.options.Private, "allow-private", false, "fetch from private addresses too, such as a help centre inside a company")
}

// check returns the options, or what is wrong with the flags.
func (f *importFlags) check() (importer.Options, error) {
	o := f.options
	o.Version = version
	if o.Rate <= 0 || o.Rate > 100 {
		return o, usageError{fmt.Errorf("--rate is above 0 and at most 100 pages a second, not %g", o.Rate)}
	}
	if o.Pages < 1 || o.Pages > 100_000 {
		return o, usageError{fmt.Errorf("--pages is from 1 to 100000, not %d", o.Pages)}
	}
	for _, h := range o.Hosts {
		if h == "" || strings.ContainsAny(h, "/@ ") {
			return o, usageError{fmt.Errorf("--also-host takes a host such as docs.shop.example, not %q", h)}
		}
		if name, port, err := net.SplitHostPort(h); err == nil && (name == "" || port == "") {
			return o, usageError{fmt.Errorf("--also-host takes a host such as docs.shop.example, not %q", h)}
		}
	}
	if f.base != "" {
		base, err := importer.ParseAddress(f.base)
		if err != nil {
			return o, usageError{fmt.Errorf("--base: %w", err)}
		}
		o.Base = base
	}
	return o, nil
}

func (c *cli) importing() *cobra.Command {
	var flags importFlags
	var saving importer.Saving
	cmd := &cobra.Command{
		Use:   "import FROM [DIR]",
		Short: "Make documents of a help centre, an export or a table",
		Long: `Make documents of a help centre, an export or a table, and keep them up to date.

FROM is a sitemap or a site (https://…), a folder or .zip of HTML and Markdown, or a .csv,
.tsv, .json or .jsonl with a title, a body and a url for each article. DIR is an assistant's
folder, or a folder of documents; it is the working directory if it is not given.

Each article becomes a Markdown file with its address. Imported again, files are brought up
to date; those that were edited since stay as they are. Files of articles that are gone stay
too, unless --prune removes them. docs/importing.md has the formats.`,
		Example: `  answerable import https://help.shop.example/sitemap.xml ./assistant
  answerable import ./export ./assistant --dry-run
  answerable import articles.json ./assistant --map zendesk`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{fmt.Errorf("import takes where to import from, and a folder, not %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := flags.check()
			if err != nil {
				return err
			}
			dir := "."
			if len(args) == 2 {
				dir = args[1]
			}
			if saving.Folder, err = documentsFolder(dir, saving.Folder); err != nil {
				return err
			}
			saved, err := c.doImport(cmd.Context(), args[0], dir, o, saving)
			if saved == nil {
				return err
			}
			if c.json {
				return errors.Join(c.print(saved), err)
			}
			c.printFiles(*saved)
			c.printSaved(*saved, saving.Dry)
			return err
		},
	}
	f := cmd.Flags()
	flags.add(f)
	f.StringVar(&saving.Folder, "to", "", "the `FOLDER` of DIR to write into (default: the assistant's first knowledge folder)")
	f.BoolVar(&saving.Prune, "prune", false, "remove the files of articles that are gone")
	f.BoolVar(&saving.Dry, "dry-run", false, "say what would be done, and do nothing")
	return cmd
}

// documentsFolder returns the folder of dir that documents are written into.
func documentsFolder(dir, wanted string) (string, error) {
	a, err := assistant.Load(os.DirFS(dir), dir)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("there is no folder %s: make one with answerable init %[1]s", dir)
	}
	switch {
	case wanted != "" && !readBy(wanted, a.Knowledge):
		return "", usageError{fmt.Errorf("--to %s is in none of the assistant's knowledge folders: %s", wanted, strings.Join(a.Knowledge, ", "))}
	case wanted != "":
		return wanted, nil
	case len(a.Knowledge) == 0:
		return "", fmt.Errorf("the assistant in %s has no documents: name a folder under knowledge in its %s", dir, assistant.File)
	}
	return a.Knowledge[0], nil
}

// readBy reports whether a folder is one of the knowledge folders, or in one.
func readBy(folder string, all []string) bool {
	for _, k := range all {
		if k == "." || folder == k || strings.HasPrefix(folder, k+"/") {
			return true
		}
	}
	return false
}

// doImport imports into a folder. What was read before it was stopped is saved, and
// reported with the error.
func (c *cli) doImport(ctx context.Context, from, dir string, o importer.Options, saving importer.Saving) (*importer.Saved, error) {
	source, err := importer.SourceName(dir, from)
	if err != nil {
		return nil, err
	}
	if o.Earlier, err = importer.Before(dir, source); err != nil {
		return nil, err
	}
	batch, err := c.readImport(ctx, from, o)
	stopped := err != nil && (ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded)) // by a person, or by the limit of an import
	if err != nil && !stopped {
		return nil, err
	}
	saved, err := importer.Save(dir, source, batch, saving)
	switch {
	case err != nil:
		return nil, err
	case stopped:
		return &saved, errors.New("stopped: what was read is saved; run it again to go on")
	case saved.Articles() == 0:
		return &saved, errors.New("no article was imported")
	}
	return &saved, nil
}

// readImport reads articles and tells how far it is.
func (c *cli) readImport(ctx context.Context, from string, o importer.Options) (importer.Batch, error) {
	b := c.bar("read the articles", 0)
	defer b.end()
	o.Progress = b.set
	return importer.Read(ctx, from, o)
}

// mostTold bounds the lines about single articles; --json has them all.
const mostTold = 40

func (c *cli) printFiles(s importer.Saved) {
	c.tellPaths(c.stdout, "new       ", s.New)
	c.tellPaths(c.stdout, "changed   ", s.Changed)
	c.tellPaths(c.stdout, "kept      ", withNote(s.Kept, "edited here; delete the file to take theirs"))
	c.tellPaths(c.stdout, "gone      ", withNote(s.Gone, "still here; --prune removes it"))
	c.tellPaths(c.stdout, "removed   ", s.Removed)
}

// printSaved says what was left out, and how many articles there are of each kind.
func (c *cli) printSaved(s importer.Saved, dry bool) {
	problems := make([]string, len(s.Problems))
	for i, p := range s.Problems {
		problems[i] = p.String()
	}
	c.tellPaths(c.stderr, "left out  ", problems)
	fmt.Fprintf(c.stdout, "%d new, %d changed, %d unchanged", len(s.New), len(s.Changed), s.Unchanged)
	for _, more := range []struct {
		n    int
		what string
	}{{len(s.Kept), "kept"}, {len(s.Gone), "gone"}, {len(s.Removed), "removed"}, {s.Hidden, "not for customers"}, {len(s.Problems), "left out"}} {
		if more.n > 0 {
			fmt.Fprintf(c.stdout, ", %d %s", more.n, more.what)
		}
	}
	if dry {
		fmt.Fprint(c.stdout, "; nothing was written")
	}
	fmt.Fprintln(c.stdout)
}

func withNote(files []string, note string) []string {
	var out []string
	for _, f := range files {
		out = append(out, f+" ("+note+")")
	}
	return out
}

// tellPaths writes a line for each text, or for as many as one reads.
func (c *cli) tellPaths(out io.Writer, what string, lines []string) {
	for i, l := range lines {
		if i == mostTold {
			fmt.Fprintf(out, "%sand %d more\n", what, len(lines)-mostTold)
			return
		}
		fmt.Fprintf(out, "%s%s\n", what, l)
	}
}
