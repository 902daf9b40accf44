// Package starter writes the files of a new assistant, which works as it is and says
// what to change. Start with [Assistant.Write].
package starter

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/answerable/answerable/internal/knowledge"
)

// Assistant is what a new assistant is made of.
type Assistant struct {
	Name     string // as assistants are named
	Company  string
	Language string // of the widget's own texts, such as en
	Site     string // the origin of the site that has the widget, or ""
	From     string // where its documents were imported from, as seen from its folder, or ""
}

// Folder is where a new assistant has its documents.
const Folder = "knowledge"

// content is what the templates are filled in with.
type content struct {
	Assistant
	Questions []question
}

// Suggestions are the first questions that were not made of a title.
func (c content) Suggestions() (out []string) {
	for _, q := range c.Questions {
		if isQuestion(q.Text) && len(out) < 3 {
			out = append(out, q.Text)
		}
	}
	return out
}

// question is a golden case that was drafted.
type question struct {
	ID, Text string
	Source   string // a document, by its path in the assistant's folder
}

//go:embed files
var files embed.FS

// suffix marks the files that are templates: all of them.
const suffix = ".tmpl"

// Write writes everything but the documents into dir. The golden cases are drafted from
// the documents that are in dir's knowledge folder; where there are none, an article is
// written that is true of any assistant.
func (a Assistant) Write(ctx context.Context, dir string) error {
	folder := filepath.Join(dir, Folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write the assistant: %w", err)
	}
	documents, _, err := knowledge.ReadDir(ctx, folder, knowledge.Limits{}, nil)
	if err != nil {
		return err
	}
	own := len(documents) == 0
	if own {
		if err := a.write(dir, "files/knowledge", content{Assistant: a}); err != nil {
			return err
		}
		if documents, _, err = knowledge.ReadDir(ctx, folder, knowledge.Limits{}, nil); err != nil {
			return err
		}
	}
	return a.write(dir, "files", content{a, drafts(documents)})
}

// write fills in the templates below a folder, except for the documents when it is not
// theirs.
func (a Assistant) write(dir, from string, c content) error {
	return fs.WalkDir(files, from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name == "files/"+Folder && name != from {
				return fs.SkipDir
			}
			return nil
		}
		source, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		t, err := template.New(name).Funcs(template.FuncMap{"quote": strconv.Quote, "shell": Shell}).Parse(string(source))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := t.Execute(&out, c); err != nil {
			return err
		}
		target := strings.TrimSuffix(strings.TrimPrefix(name, "files/"), suffix)
		if target == "gitignore" {
			target = ".gitignore" // files whose names begin with a dot are not embedded
		}
		path := filepath.Join(dir, filepath.FromSlash(target))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write the assistant: %w", err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write the assistant: %w", err)
		}
		return nil
	})
}

// Shell writes a word so that a shell reads it back.
func Shell(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=,") == "" {
		return s
	}
	if !strings.ContainsAny(s, "\"$`\\!") {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

const (
	mostDrafts  = 12
	mostFromOne = 2 // document, so that several are asked about
)

// drafts makes questions of the documents' headings and titles. Those that are questions
// already come first.
func drafts(documents []knowledge.Document) []question {
	var asked, named []question
	used := map[string]bool{}
	add := func(list *[]question, d knowledge.Document, text string) bool {
		text = strings.TrimSpace(text)
		key := strings.ToLower(text)
		if text == "" || len(text) > 200 || used[key] {
			return false
		}
		used[key] = true
		*list = append(*list, question{Text: text, Source: Folder + "/" + d.ID})
		return true
	}
	for _, d := range documents {
		n := 0
		for _, text := range headings(d) {
			if n < mostFromOne && isQuestion(text) && add(&asked, d, text) {
				n++
			}
		}
		if n == 0 {
			add(&named, d, d.Title)
		}
	}
	all := append(asked, named...)
	all = all[:min(len(all), mostDrafts)]
	slices.SortStableFunc(all, func(a, b question) int { return strings.Compare(a.Source, b.Source) })
	for i := range all {
		base := strings.TrimSuffix(filepath.Base(all[i].Source), filepath.Ext(all[i].Source))
		all[i].ID = fmt.Sprintf("%s-%d", cmp.Or(id(base), "draft"), i+1)
	}
	return all
}

// id keeps what may stand in the name of a case.
func id(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(s)), "-")
}

func headings(d knowledge.Document) []string {
	all := []string{d.Title}
	for _, h := range d.Headings {
		all = append(all, h.Text)
	}
	return all
}

func isQuestion(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasSuffix(s, "?") || strings.HasSuffix(s, "？") || strings.HasSuffix(s, "؟")
}
