// Package assistants holds the sample assistants that come with the binary, as files:
// each folder is what "answerable serve DIR" takes. Demo is the one that runs when
// serve is given no folder: the invented shop Tidewhistle, with its articles.
package assistants

import (
	"embed"
	"io/fs"
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
