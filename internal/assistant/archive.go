package assistant

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
)

// Archive puts an assistant's own files into one zip. The same files make the same bytes:
// they are in the order of their paths, without times.
func Archive(files []OwnFile) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		part, err := w.CreateHeader(&zip.FileHeader{Name: f.Path, Method: zip.Store})
		if err == nil {
			_, err = part.Write(f.Data)
		}
		if err != nil {
			return nil, fmt.Errorf("archive %s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("archive the files: %w", err)
	}
	return out.Bytes(), nil
}

// OpenArchive reads what [Archive] made. The files must be those of the release.
func OpenArchive(data []byte, release string) (fs.FS, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("open release %.12s: %w", release, err)
	}
	files, err := OwnFiles(r)
	if err != nil {
		return nil, fmt.Errorf("open release %.12s: %w", release, err)
	}
	if releaseOf(files) != release {
		return nil, fmt.Errorf("open release %.12s: %w", release, errDamaged)
	}
	return r, nil
}

var errDamaged = errors.New("its files are not those that were stored")
