// Package knowledge makes passages of documents: it reads a folder, cuts the texts
// into chunks, indexes them, and finds those that may answer a question.
//
// Two ideas hold it together. A [Generation] is immutable and is exactly its file:
// the same documents make the same bytes, the digest of the bytes is its id, and a
// search reads the index in place. And every [Document] is one plain text: passages
// and citations are ranges of it, so what is quoted is what was indexed.
//
// Documents come from [ReadDir] or [ReadFS]; [Build] makes a generation of them, and
// [Generation.Find] answers questions. Start with find.go.
package knowledge

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// Generation is a published state of the knowledge. It never changes, and any number
// of goroutines may use it at the same time.
type Generation struct {
	id     string
	data   string // the segment; all strings of the generation are parts of it
	docs   []Document
	byID   map[string]int
	chunks []chunk
	norms  []norm
	words  wordIndex
	pairs  pairIndex

	dated     bool     // a document is valid for a time only
	languages []string // of the documents, those with the most chunks first
}

// chunk is a passage-sized piece of a document.
type chunk struct {
	span             // in bytes of the document's text
	start, end int   // in code points
	doc        int32 // in Generation.docs
	size       size
}

const segmentSuffix = ".generation"

// digest returns the SHA-256 of a segment in hexadecimal.
func digest(data string) string {
	h := sha256.New()
	io.Copy(h, strings.NewReader(data)) // a hash never fails
	return hex.EncodeToString(h.Sum(nil))
}

// ID returns the SHA-256 digest of the generation's file in hexadecimal.
func (g *Generation) ID() string { return g.id }

// Chunks returns how many chunks the documents were cut into.
func (g *Generation) Chunks() int { return len(g.chunks) }

// Size returns the length of the generation's file in bytes.
func (g *Generation) Size() int { return len(g.data) }

// Documents returns the documents in the order of their ids.
func (g *Generation) Documents() []Document { return slices.Clone(g.docs) }

// Document returns the document of an id.
func (g *Generation) Document(id string) (Document, bool) {
	i, ok := g.byID[id]
	if !ok {
		return Document{}, false
	}
	return g.docs[i], true
}

// Holds reports whether the generation was built from exactly these documents, so
// that building again would make the same one.
func (g *Generation) Holds(docs []Document) bool {
	if len(docs) != len(g.docs) {
		return false
	}
	seen := make(map[string]bool, len(docs))
	for _, d := range docs {
		have, ok := g.Document(d.ID)
		if !ok || seen[d.ID] || have.Hash != d.hash() {
			return false
		}
		seen[d.ID] = true
	}
	return true
}

// WriteFile writes the generation into dir, under a name made of its id, and returns
// the path. The file appears whole and durable or not at all; one that is there
// already is left alone.
func (g *Generation) WriteFile(dir string) (path string, err error) {
	path = filepath.Join(dir, FileName(g.id))
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(g.data)) {
		return path, nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the knowledge file: %w", err)
		}
	}()
	f, err := os.CreateTemp(dir, ".new-*"+segmentSuffix)
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name()) // a stranger's leftover after a failure, nothing after success
	_, err = io.Copy(f, strings.NewReader(g.data))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if err := os.Chmod(f.Name(), 0o640); err != nil {
		return "", err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return "", err
	}
	return path, syncDir(dir)
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// OpenGeneration reads a generation that WriteFile wrote. The error is ErrDamaged or
// ErrVersion when the file is there but of no use.
func OpenGeneration(path string) (*Generation, error) {
	g, err := open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no knowledge file %s; make one with: answerable ingest", path), Err: err}
		}
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return g, nil
}

func open(path string) (*Generation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	var data strings.Builder
	data.Grow(int(info.Size()))
	if _, err := io.Copy(&data, f); err != nil {
		return nil, err
	}
	g, err := decodeGeneration(data.String())
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), segmentSuffix)
	if _, err := hex.DecodeString(name); err == nil && len(name) == len(g.id) && name != g.id {
		return nil, damaged("its content is not what its name says")
	}
	return g, nil
}

// languages returns the languages of the documents, those with the most chunks
// first, but no more than maxLanguages.
func languages(docs []Document, chunks []chunk) []string {
	count := map[string]int{}
	for _, c := range chunks {
		count[docs[c.doc].Language]++
	}
	out := slices.SortedFunc(maps.Keys(count), func(x, y string) int {
		if c := cmp.Compare(count[y], count[x]); c != 0 {
			return c
		}
		return cmp.Compare(x, y)
	})
	return out[:min(len(out), maxLanguages)]
}
