package assistant

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/config"
)

// OwnFile is one of the files that make an assistant. Documents are not among them.
type OwnFile struct {
	Path string // in the assistant's folder, with slashes
	Data []byte
}

// ownFolders are the folders beside assistant.yaml whose files are the assistant's own.
var ownFolders = []string{"prompts", "policies", "golden"}

// laterFolders will be, so that documents must not be there.
var laterFolders = []string{"intents", "tools"}

// What an assistant's own files may take.
const (
	maxOwnBytes = 1 << 20 // of a file
	maxAllBytes = 8 << 20 // of all
	maxOwnFiles = 1000
)

// OwnFiles reads the files of an assistant, without its documents, by path. A folder
// without assistant.yaml has none. Only regular files are read, and links only where
// they lead to one in the folder. The error is of type [config.Errors] and names files by
// their path in the folder.
func OwnFiles(fsys fs.FS) ([]OwnFile, error) {
	r := reader{fsys: fsys}
	if _, err := fs.Stat(fsys, File); errors.Is(err, fs.ErrNotExist) && !r.isLink(File) {
		return nil, nil
	}
	r.file(File)
	for _, folder := range ownFolders {
		r.folder(folder)
	}
	slices.SortFunc(r.files, func(a, b OwnFile) int { return strings.Compare(a.Path, b.Path) })
	return r.files, config.Join(r.errs...)
}

// release hashes files, which are sorted: each path and each content after its length.
func release(files []OwnFile) string {
	h := sha256.New()
	for _, f := range files {
		for _, part := range [][]byte{[]byte(f.Path), f.Data} {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			h.Write(part)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Own returns the assistant's own files as they were read, by path. Release is their hash.
func (a *Assistant) Own() []OwnFile { return slices.Clone(a.own) }

// IsOwn reports whether a path in the assistant's folder belongs to its own files, so
// that it is no document.
func (a *Assistant) IsOwn(name string) bool {
	if len(a.own) == 0 {
		return false
	}
	folder, _, below := strings.Cut(name, "/")
	return name == File || below && slices.Contains(ownFolders, folder)
}

// reader collects an assistant's own files and what is wrong with them.
type reader struct {
	fsys  fs.FS
	files []OwnFile
	bytes int
	errs  []error
}

func (r *reader) fail(name, format string, args ...any) {
	r.errs = append(r.errs, config.Errors{{File: name, Message: fmt.Sprintf(format, args...)}})
}

// folder reads the files of a folder, if it is there.
func (r *reader) folder(name string) {
	entries, err := fs.ReadDir(r.fsys, name)
	info, ok := r.stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !r.isLink(name):
		return
	case !ok:
		return // it was said
	case !info.IsDir():
		r.fail(name, "this is a file; make it a folder, or remove it")
		return
	case err != nil:
		r.fail(name, "the folder cannot be read: %v", reason(err))
		return
	}
	for _, e := range entries {
		switch whole := path.Join(name, e.Name()); {
		case ignored(e.Name()):
		case e.IsDir():
			r.fail(whole, "this folder is not read; put its files into %s itself", name)
		default:
			r.file(whole)
		}
	}
}

// file reads a file.
func (r *reader) file(name string) {
	info, ok := r.stat(name)
	switch {
	case !ok:
		return
	case info.IsDir():
		r.fail(name, "this is a folder; want a file")
		return
	case !info.Mode().IsRegular():
		r.fail(name, "this is no regular file; put a copy of its content here")
		return
	}
	f, err := r.fsys.Open(name)
	if err != nil {
		r.fail(name, "the file cannot be read: %v", reason(err))
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxOwnBytes+1))
	r.bytes += len(data)
	switch {
	case err != nil:
		r.fail(name, "the file cannot be read: %v", err)
	case len(data) > maxOwnBytes:
		r.fail(name, "the file has more than %d bytes; make it smaller, or divide it", maxOwnBytes)
	case len(r.files) == maxOwnFiles:
		r.fail(name, "there are more than %d files; put some together", maxOwnFiles)
	case r.bytes > maxAllBytes:
		r.fail(name, "with this file there are more than %d bytes; documents belong in the folder knowledge", maxAllBytes)
	default:
		r.files = append(r.files, OwnFile{name, data})
	}
}

// stat says what name is, in the folder.
func (r *reader) stat(name string) (fs.FileInfo, bool) {
	whole, ok := resolve(r.fsys, name)
	if !ok {
		r.fail(name, "this link leads out of the folder or nowhere; put the file itself here")
		return nil, false
	}
	info, err := fs.Stat(r.fsys, whole)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.fail(name, "it cannot be read: %v", reason(err))
		}
		return nil, false
	}
	return info, true
}

// reason returns what went wrong, without the path, which was said.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func (r *reader) isLink(name string) bool {
	info, err := fs.Lstat(r.fsys, name)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// resolve follows the links in a path, of which none may lead out of fsys, nor nowhere.
// What is not there is returned as it is.
func resolve(fsys fs.FS, name string) (string, bool) {
	done, links := ".", 0
	for rest := strings.Split(name, "/"); len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		if next == ".." {
			return "", false
		}
		info, err := fs.Lstat(fsys, next)
		if err != nil {
			return path.Join(next, path.Join(rest...)), links == 0
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		target, err := fs.ReadLink(fsys, next)
		if links++; err != nil || links > 40 || path.IsAbs(target) {
			return "", false
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, true
}

// ignored reports whether a file or folder of this name is not the assistant's: what is
// written for people, and what systems and editors leave behind.
func ignored(name string) bool {
	for _, prefix := range []string{".", "#", "README", "LICENSE", "CHANGELOG"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.HasSuffix(name, "~")
}
