package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Baseline is which golden cases passed at some time, as a file that can be kept beside
// them.
type Baseline struct {
	Assistant string          `json:"assistant"`
	Release   string          `json:"release"`
	Cases     map[string]bool `json:"cases"` // whether each passed, by id
}

// ReadBaseline reads what WriteBaseline wrote.
func ReadBaseline(path string) (Baseline, error) {
	var b Baseline
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, fmt.Errorf("there is no file %s to compare with; make one with --save %s", path, path)
	}
	if err != nil {
		return b, fmt.Errorf("read what to compare with: %w", err)
	}
	if err := json.Unmarshal(data, &b); err != nil || b.Cases == nil {
		return b, fmt.Errorf("%s is not what --save writes; make it anew", path)
	}
	return b, nil
}

// WriteBaseline writes b into a file, in place of what was there.
func WriteBaseline(path string, b Baseline) error {
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("save which cases passed: %w", err)
	}
	return nil
}

// Compared is how a result differs from a baseline, by ids in the order of the cases.
type Compared struct {
	Regressions []string `json:"regressions"` // passed before and fail now
	Mended      []string `json:"mended"`      // failed before and pass now
	New         []string `json:"new"`         // were not there
}

// Against compares graded cases with what they were before.
func (b Baseline) Against(cases []Graded) Compared {
	c := Compared{[]string{}, []string{}, []string{}}
	for _, g := range cases {
		switch before, known := b.Cases[g.ID]; {
		case !known:
			c.New = append(c.New, g.ID)
		case before && !g.Passed:
			c.Regressions = append(c.Regressions, g.ID)
		case !before && g.Passed:
			c.Mended = append(c.Mended, g.ID)
		}
	}
	return c
}
