// Package console holds the built files of the customer's page and the widget, and finds
// each by the path under which browsers ask for it.
//
// The folder dist is what the build in web/ writes; manifest.json in it says which file
// is which. A file in assets/ has a hash of its content in its name, so browsers may keep
// it for ever. A page or loader that was kept for longer than a release asks for a hash
// that is gone: it gets the file of that name of today. Only a NAME-later, which imports
// from the very NAME that it was built with, is not given to another. Start with Files.Open.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// Built returns the files of this build.
var Built = sync.OnceValue(func() *Files {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("console: " + err.Error())
	}
	f, err := New(sub)
	if err != nil {
		panic("console: " + err.Error()) // the build was committed in parts: the tests say so
	}
	return f
})

// Files are safe for concurrent use.
type Files struct {
	manifest map[string]string // path by name
	files    map[string]*File  // by path
}

// File is one of them. It does not change.
type File struct {
	Path string // of the content that is here, without the first slash
	Type string // media type
	Tag  string // a hash of Data, in hexadecimal digits
	Data []byte
	// Brotli is Data in brotli's format (RFC 7932), as the build has made it, or nil.
	Brotli []byte
	// Zipped returns Data in gzip's format, or nil where that would not be smaller.
	Zipped func() []byte
}

// Lasts reports whether the path names this very content: it may be kept for ever.
func (f *File) Lasts() bool { return strings.HasPrefix(f.Path, assets) }

const (
	manifestFile = "manifest.json"
	assets       = "assets/"
	later        = "-later" // ends the name of a second script
)

// types are the media types by the end of a file's name. What is not here is not served.
var types = map[string]string{
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".json":  "application/json",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

// New reads built files. Every file that the manifest names must be there.
func New(fsys fs.FS) (*Files, error) {
	f := &Files{files: map[string]*File{}}
	list, err := fs.ReadFile(fsys, manifestFile)
	if err != nil {
		return nil, fmt.Errorf("read the list of built files: %w", err)
	}
	if err := json.Unmarshal(list, &f.manifest); err != nil {
		return nil, fmt.Errorf("read the list of built files: %w", err)
	}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		media, known := types[path.Ext(name)]
		if err != nil || d.IsDir() || !known || name == manifestFile {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		squeezed, err := fs.ReadFile(fsys, name+".br")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sum := sha256.Sum256(data)
		f.files[name] = &File{Path: name, Type: media, Tag: hex.EncodeToString(sum[:12]), Data: data, Brotli: squeezed,
			Zipped: sync.OnceValue(func() []byte { return zipped(data) })}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the built files: %w", err)
	}
	for name, at := range f.manifest {
		if f.files[at] == nil {
			return nil, fmt.Errorf("%s names %s for %q, which is not there; build the web part again", manifestFile, at, name)
		}
	}
	return f, nil
}

// Path returns the path of the file that the manifest calls name, without the first
// slash, or "".
func (f *Files) Path(name string) string { return f.manifest[name] }

// Words returns what the scripts say in a language, by key, or nil where the build has no
// words in it.
func (f *Files) Words(language string) (map[string]string, error) {
	all := map[string]string{}
	for _, name := range []string{"strings-" + language + ".json", "strings" + later + "-" + language + ".json"} {
		file := f.files[f.manifest[name]]
		if file == nil {
			return nil, nil
		}
		if err := json.Unmarshal(file.Data, &all); err != nil {
			return nil, fmt.Errorf("read the words in %s: %w", file.Path, err)
		}
	}
	return all, nil
}

// Open finds a file by its path, without the first slash. A path in assets whose hash is
// not known gives the file of that name that is there today, but for a second script; then
// Path differs from p.
func (f *Files) Open(p string) (*File, bool) {
	if file := f.files[p]; file != nil {
		return file, true
	}
	base, ok := strings.CutPrefix(p, assets)
	if !ok {
		return nil, false
	}
	var found *File
	longest := ""
	for name, at := range f.manifest {
		ext := path.Ext(at)
		stem := strings.TrimSuffix(name, ext)
		hash, ok := strings.CutPrefix(strings.TrimSuffix(base, ext), stem+"-")
		if ok && strings.HasPrefix(at, assets) && path.Ext(base) == ext && len(stem) > len(longest) && goodHash.MatchString(hash) {
			found, longest = f.files[at], stem
		}
	}
	if strings.HasSuffix(longest, later) {
		return nil, false
	}
	return found, found != nil
}

// goodHash is what builds put behind a file's name.
var goodHash = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("console: memory cannot be written to: " + err.Error())
	}
	if b.Len() >= len(data) {
		return nil
	}
	return b.Bytes()
}
