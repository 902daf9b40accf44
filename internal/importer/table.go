package importer

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/knowledge"
)

func isTable(ext string) bool {
	return slices.Contains([]string{".csv", ".tsv", ".json", ".jsonl", ".ndjson"}, ext)
}

func readTableFile(ctx context.Context, file string, m Mapping, o Options) (Batch, error) {
	f, err := os.Open(file)
	if err != nil {
		return Batch{}, fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Batch{}, fmt.Errorf("import %s: %w", file, err)
	}
	var b Batch
	if err := b.table(ctx, map[string]string{}, filepath.Base(file), data, m, o); err != nil {
		return b, fmt.Errorf("import %s: %w", file, err)
	}
	return b, nil
}

// table adds the articles of a table. The error is for the whole of it, or ctx's.
func (b *Batch) table(ctx context.Context, seen map[string]string, name string, data []byte, m Mapping, o Options) error {
	if len(data) > maxFile {
		return fmt.Errorf("larger than %d MiB: split it", maxFile>>20)
	}
	source, err := knowledge.Decode(data)
	if err != nil {
		return err
	}
	var records []record
	before := len(b.Problems)
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jsonl", ".ndjson":
		records, err = b.jsonLines(name, source)
	case ".json":
		records, err = readJSON(name, source, m)
	default:
		records, err = b.rows(name, source)
	}
	if err != nil {
		return err
	}
	if len(records) == 0 && len(b.Problems) > before {
		return fmt.Errorf("none of its rows can be read: %s", b.Problems[before])
	}
	if err := m.check(records); err != nil {
		return err
	}
	for i, r := range records {
		if err := ctx.Err(); err != nil {
			b.partial = true
			return err
		}
		o.Progress(int64(i), int64(len(records)))
		if m.hides(r) {
			b.Hidden++
			continue
		}
		a, err := m.article(r, o.Base)
		if err != nil {
			b.problem(r.where, "%s", err)
			if a.Key != "" {
				b.failed = append(b.failed, a.Key)
			}
			continue
		}
		b.add(seen, a)
	}
	o.Progress(int64(len(records)), int64(len(records)))
	return nil
}

// check refuses a table that has none of the places anywhere, before each of its rows is
// told to be empty.
func (m Mapping) check(records []record) error {
	has := func(place string, usually []string) bool {
		if !m.guessed {
			usually = []string{place}
		}
		return slices.ContainsFunc(records, func(r record) bool {
			return slices.ContainsFunc(usually, func(p string) bool { return at(r.value, p) != nil })
		})
	}
	if len(records) == 0 {
		return errors.New("there are no rows in it")
	}
	var missing []string
	if !has(m.Title, usual.title) {
		missing = append(missing, "title")
	}
	if !has(m.Body, usual.body) {
		missing = append(missing, "body")
	}
	if len(missing) == 0 || slices.Equal(missing, []string{"title"}) && !m.guessed { // headings may give titles
		return nil
	}
	var keys []string
	if first, ok := records[0].value.(map[string]any); ok {
		for k := range first {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if len(keys) > 20 {
		keys = append(keys[:20], "…")
	}
	advice := "rename the columns, or say with --map where they are"
	if !m.guessed {
		advice = "correct the mapping"
	}
	return fmt.Errorf("found no %s among %s: %s", strings.Join(missing, " and no "), oneLine(strings.Join(keys, ", ")), advice)
}

// rows reads CSV: the first row has the names of the columns.
func (b *Batch) rows(name, source string) ([]record, error) {
	r := csv.NewReader(strings.NewReader(source))
	r.Comma = delimiter(source)
	r.FieldsPerRecord = -1 // told below, row by row
	r.LazyQuotes = true    // a quote inside a cell is one
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	for i := range header {
		header[i] = oneLine(header[i])
	}
	var out []record
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err // the rest cannot be told apart
		}
		line, _ := r.FieldPos(0)
		where := fmt.Sprintf("%s:%d", name, line)
		if blank(row) {
			continue
		}
		if len(row) > len(header) && !blank(row[len(header):]) {
			b.problem(where, "%d cells, but %d columns: put quotes around cells that have a %q in them", len(row), len(header), r.Comma)
			continue
		}
		if len(out) == maxRecords {
			return nil, fmt.Errorf("more than %d rows: split it", maxRecords)
		}
		value := map[string]any{}
		for i, cell := range row[:min(len(row), len(header))] {
			if header[i] != "" {
				value[header[i]] = unquoted(cell)
			}
		}
		out = append(out, record{where, value})
	}
}

func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// unquoted takes the ="…" away with which spreadsheets keep a cell as it is.
func unquoted(cell string) string {
	if inner, ok := strings.CutPrefix(cell, `="`); ok && strings.HasSuffix(inner, `"`) {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
	}
	return cell
}

// delimiter returns what parts the cells of the first row.
func delimiter(source string) rune {
	count := map[rune]int{}
	quoted := false
	for _, r := range source {
		if r == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if r == '\n' {
			break
		}
		count[r]++
	}
	best := ','
	for _, r := range ";\t|" {
		if count[r] > count[best] {
			best = r
		}
	}
	return best
}

func (b *Batch) jsonLines(name, source string) ([]record, error) {
	var out []record
	line := 0
	for l := range strings.Lines(source) {
		line++
		if strings.TrimSpace(l) == "" {
			continue
		}
		where := fmt.Sprintf("%s:%d", name, line)
		v, err := decodeJSON([]byte(l))
		if _, ok := v.(map[string]any); err != nil || !ok {
			b.problem(where, "not a JSON object: each line is one article")
			continue
		}
		if len(out) == maxRecords {
			return nil, fmt.Errorf("more than %d lines: split it", maxRecords)
		}
		out = append(out, record{where, v})
	}
	return out, nil
}

func readJSON(name, source string, m Mapping) ([]record, error) {
	v, err := decodeJSON([]byte(source))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return nil, fmt.Errorf("line %d: %w", 1+strings.Count(source[:min(int(syntax.Offset), len(source))], "\n"), err)
	}
	if err != nil {
		return nil, fmt.Errorf("not one JSON value: %w; a file with a value on each line is named .jsonl", err)
	}
	return m.records(v, func(i int) string { return fmt.Sprintf("%s:%d", name, i+1) })
}

var (
	tag   = regexp.MustCompile(`(?i)</(p|div|ul|ol|li|h[1-6]|table|strong|b|em|i|a|span|pre)\s*>|<br\s*/?>|<img\s[^>]*>`)
	marks = regexp.MustCompile("(?m)^ {0,3}(#{1,6} |[-*+] |\\d{1,3}[.)] |> |```|\\|.*\\|\\s*$)|\\*\\*\\S|\\]\\(\\S")
)

// toBody makes Markdown of a body. Without a format it is taken as it looks.
func toBody(body, format string, from *url.URL) (string, error) {
	if format == "" {
		switch {
		case tag.MatchString(body):
			format = "html"
		case marks.MatchString(body):
			format = "markdown"
		default:
			format = "text"
		}
	}
	switch format {
	case "html":
		root, err := parseHTML(body)
		if err != nil {
			return "", err
		}
		return pageMarkdown(root, absolute(from)), nil
	case "markdown":
		return strings.TrimSpace(body), nil
	}
	return plainMarkdown(body), nil
}

// firstHeading returns the text of the first heading of a Markdown text.
func firstHeading(md string) string {
	for l := range strings.Lines(md) {
		if strings.HasPrefix(l, "#") {
			return oneLine(strings.Trim(l, "# \t\n"))
		}
	}
	return ""
}
