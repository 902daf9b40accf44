package app

import (
	"embed"
	"fmt"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
)

// The schemas are made of the structs that the files are read into: their tags and
// comments. schema_test.go makes them.
//
//go:embed schema/*.json
var schemas embed.FS

// Schemas are the kinds of files that there is a JSON Schema for.
var Schemas = []string{"assistant", "server", "policy", "golden"}

// Schema returns the JSON Schema of a kind of files, for editors.
func Schema(kind string) ([]byte, error) {
	b, err := schemas.ReadFile("schema/" + kind + ".json")
	if err != nil {
		return nil, &chat.Error{Kind: chat.NotFound,
			Message: fmt.Sprintf("there is no schema %q%s; there are: %s", kind, config.Meant(kind, Schemas), strings.Join(Schemas, ", "))}
	}
	return b, nil
}
