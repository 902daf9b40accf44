package eval

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/answerable/answerable/internal/knowledge"
)

// maxLine bounds one line of a data file, in bytes.
const maxLine = 64 << 20

// eachLine decodes each line of a JSON Lines file that is not empty and gives it to
// f. The file may be gzipped, whatever its name. Errors, f's too, say where.
func eachLine[T any](path string, f func(T) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	var r io.Reader = in
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if r, err = gzip.NewReader(in); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		b := bytes.TrimSpace(lines.Bytes())
		if n == 1 {
			b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
		}
		if len(b) == 0 {
			continue
		}
		var v T
		err := json.Unmarshal(b, &v)
		if err == nil {
			err = f(v)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", path, n+1, err)
	}
	return nil
}

var errNoID = errors.New(`no "id"`)

func readDocs(path string) ([]knowledge.Document, error) {
	type line struct {
		ID    string `json:"id"`
		Title string `json:"title"`
		Text  string `json:"text"`
	}
	var docs []knowledge.Document
	seen := map[string]bool{}
	err := eachLine(path, func(d line) error {
		switch {
		case d.ID == "":
			return errNoID
		case seen[d.ID]:
			return fmt.Errorf("a second document with the id %q", d.ID)
		}
		seen[d.ID] = true
		if d.Text == "" {
			d.Text = d.Title
		}
		docs = append(docs, knowledge.Document{ID: d.ID, Title: d.Title, Text: d.Text})
		return nil
	})
	return docs, err
}

func readQueries(path string) ([]retrievalQuery, error) {
	var queries []retrievalQuery
	seen := map[string]bool{}
	err := eachLine(path, func(q retrievalQuery) error {
		switch {
		case q.ID == "":
			return errNoID
		case seen[q.ID]:
			return fmt.Errorf("a second query with the id %q", q.ID)
		}
		seen[q.ID] = true
		queries = append(queries, q)
		return nil
	})
	return queries, err
}

// readQrels returns the relevant documents of each query with their grades. Of two
// grades for the same document the higher counts.
func readQrels(path string) (map[string]map[string]float64, error) {
	type line struct {
		Query string   `json:"query"`
		Doc   string   `json:"doc"`
		Grade *float64 `json:"grade"`
	}
	relevant := map[string]map[string]float64{}
	err := eachLine(path, func(l line) error {
		switch {
		case l.Query == "" || l.Doc == "":
			return errors.New(`no "query" or no "doc"`)
		case l.Grade == nil:
			return errors.New(`no "grade"`)
		case *l.Grade <= 0:
			return nil
		}
		if relevant[l.Query] == nil {
			relevant[l.Query] = map[string]float64{}
		}
		relevant[l.Query][l.Doc] = max(relevant[l.Query][l.Doc], *l.Grade)
		return nil
	})
	return relevant, err
}
