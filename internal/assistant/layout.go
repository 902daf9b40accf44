package assistant

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/config"
)

// checkLayout looks for what stands beside assistant.yaml and is not read: most often a
// name is misspelt, or the folder is missing in knowledge. Where that list has mistakes of
// its own, unsure, only what is surely wrong is told.
func (a *Assistant) checkLayout(unsure bool) error {
	entries, err := fs.ReadDir(a.FS, ".")
	if err != nil {
		return config.Errors{{Message: "the folder cannot be read: " + err.Error()}}
	}
	var errs config.Errors
	for _, e := range entries {
		name := e.Name()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := fs.Stat(a.FS, name)
			if err != nil {
				continue // a link to nowhere; OwnFiles has looked at those that matter
			}
			e = fs.FileInfoToDirEntry(info)
		}
		var problem string
		switch {
		case ignored(name), name == File:
		case e.IsDir():
			problem = a.checkBeside(name, unsure)
		default:
			problem = a.checkFile(name)
		}
		if problem != "" {
			errs = append(errs, config.Error{File: name, Message: problem})
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// checkBeside says what is wrong with a folder, or nothing.
func (a *Assistant) checkBeside(name string, unsure bool) string {
	switch {
	case slices.Contains(laterFolders, name):
		return fmt.Sprintf("%s come with a later version; rename or remove this folder", name)
	case slices.Contains(ownFolders, name):
		return ""
	case slices.ContainsFunc(a.Knowledge, func(k string) bool { return within(name, k) || within(k, name) }):
		return ""
	}
	hint := config.Meant(name, slices.Concat(ownFolders, a.Knowledge))
	if hint == "" && unsure {
		return ""
	}
	if hint == "" {
		hint = "; name it in knowledge if it holds documents, or else move it elsewhere"
	}
	return "this folder is not read" + hint
}

// checkFile says what is wrong with a file beside assistant.yaml, or nothing. What is
// surely not meant for us may be there.
func (a *Assistant) checkFile(name string) string {
	if slices.Contains(a.Knowledge, ".") {
		return ""
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".txt", ".html", ".htm":
		return "this file is not read; put it into a folder that knowledge names"
	case ".yaml", ".yml":
		hint := config.Meant(name, []string{File})
		if hint == "" {
			hint = "; the settings are in " + File
		}
		return "this file is not read" + hint
	}
	return ""
}
