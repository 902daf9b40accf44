// Package assistants holds the sample assistants that come with the binary, as files:
// each folder is what "answerable serve DIR" takes. Demo is the one that runs when
// serve is given no folder: the invented shop Tidewhistle, with its articles.
package assistants

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed all:demo
var files embed.FS

// Demo returns the demo shop's folder, with assistant.yaml at its root.
func Demo() fs.FS {
	demo, err := fs.Sub(files, "demo")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return demo
}

// Samples are the names of the sample assistants.
func Samples() []string {
	all, err := fs.Glob(files, "*/assistant.yaml")
	if err != nil {
		panic(err) // the pattern is a constant and valid
	}
	for i, file := range all {
		all[i] = strings.TrimSuffix(file, "/assistant.yaml")
	}
	return all
}

// Sample returns the folder of a sample, and whether there is one of that name.
func Sample(name string) (fs.FS, bool) {
	if !slices.Contains(Samples(), name) {
		return nil, false
	}
	sample, err := fs.Sub(files, name)
	return sample, err == nil
}
