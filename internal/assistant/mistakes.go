package assistant

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/config"
)

// Wrong returns a mistake in assistant.yaml that its reader could not see, under a key.
func (a *Assistant) Wrong(key, format string, args ...any) error {
	return below(a.Dir, a.at(File, key, format, args...))
}

// at returns a mistake under a key of one of the assistant's own files.
func (a *Assistant) at(file, key, format string, args ...any) error {
	return config.Errors{{File: file, Line: a.lines[file].Of(key), Message: key + ": " + fmt.Sprintf(format, args...)}}
}

// wrong is a mistake in a file as a whole.
func wrong(file, format string, args ...any) error {
	return config.Errors{{File: file, Message: fmt.Sprintf(format, args...)}}
}

// mentions reports whether one of the mistakes is about a key.
func mentions(errs []error, key string) bool {
	for _, err := range errs {
		all, _ := errors.AsType[config.Errors](err)
		if slices.ContainsFunc(all, func(e config.Error) bool { return strings.HasPrefix(e.Message, key) }) {
			return true
		}
	}
	return false
}

// below names the files of mistakes by where they are.
func below(dir string, err error) error {
	all, ok := errors.AsType[config.Errors](err)
	if !ok {
		return fmt.Errorf("read the assistant in %s: %w", dir, err)
	}
	for i := range all {
		all[i].File = filepath.Join(dir, filepath.FromSlash(all[i].File))
	}
	return all
}
