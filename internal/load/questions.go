package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Usual are questions that customers ask everywhere, for servers that propose none.
var Usual = []string{
	"How long does delivery take?",
	"Can I return what I bought?",
	"How can I pay?",
	"Where is my order?",
	"How do I reach a person?",
}

// ReadQuestions reads a file with a question on each line, or a YAML file with golden
// cases, of which those are taken that need nothing said before. Empty lines, and those
// that begin with #, are left out.
func ReadQuestions(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the questions: %w", err)
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%s is not UTF-8 text: save it as UTF-8", file)
	}
	var all []string
	switch filepath.Ext(file) {
	case ".yaml", ".yml":
		var cases []struct {
			Question string
			History  []any
		}
		if err := yaml.Unmarshal(b, &cases); err != nil {
			return nil, fmt.Errorf("%s: want a list of cases with a question each: %w", file, err)
		}
		for _, c := range cases {
			if c.Question != "" && len(c.History) == 0 {
				all = append(all, c.Question)
			}
		}
	default:
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				all = append(all, line)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no question in %s: write one on each line", file)
	}
	return all, nil
}
