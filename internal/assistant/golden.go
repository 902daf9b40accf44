package assistant

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/config"
)

// GoldenFolder is the folder of the files with golden cases.
const GoldenFolder = "golden"

// Expectation is how the turn of a golden case must end.
type Expectation string

const (
	ExpectAnswer   Expectation = "answer"    // a right answer, from a right source
	ExpectRefuse   Expectation = "refuse"    // nothing is stated: the documents do not say it, or it must not be said
	ExpectHandOver Expectation = "hand_over" // a person takes over
)

// Case is one question and what must come of it.
type Case struct {
	// What the case is called in reports; unique in the assistant.
	ID string `yaml:"id" need:"name the case, as in delivery-time"`
	// What the customer asks.
	Question string `yaml:"question" need:"write what the customer asks"`
	// What was said before, oldest first. Default: nothing.
	History []Said `yaml:"history"`
	// By which the figures are told apart. Default: none.
	Tags []string `yaml:"tags"`
	// How the turn must end.
	Expect Expectation `yaml:"expect" oneof:"answer,refuse,hand_over" need:"it is one of answer, refuse, hand_over"`
	// Documents by their path in the assistant's folder. An answer must cite one of them.
	Sources []string `yaml:"sources"`
	// Words that the answer must have, all of them. Default: none.
	Contains []string `yaml:"contains"`
	// Words that it must not have. Default: none.
	Never []string `yaml:"never"`

	File string // that the case stands in, relative to the assistant's folder
}

// Said is one message of a history: the customer's, or else the assistant's.
type Said struct {
	// What the customer said.
	Customer string `yaml:"customer"`
	// What the assistant said.
	Assistant string `yaml:"assistant"`
}

// Tags that every assistant's cases use with the same meaning. Others are free.
var knownTags = []string{"common", "edge", "refusal", "sensitive", "citation", "unanswerable", "follow-up"}

const (
	maxCases    = 10_000 // of an assistant
	maxQuestion = 8000   // bytes
)

// Golden reads the golden cases, file by file in the order of their names. Mistakes are
// told together, as [config.Errors].
func (a *Assistant) Golden() ([]Case, error) {
	var files []OwnFile
	for _, f := range a.own {
		if path.Dir(f.Path) == GoldenFolder {
			files = append(files, f)
		}
	}
	cases, err := a.CasesIn(files)
	if err != nil {
		return nil, below(a.Dir, err)
	}
	return cases, nil
}

// CasesIn reads cases for the assistant from files that need not be its own.
func (a *Assistant) CasesIn(files []OwnFile) ([]Case, error) {
	var all []Case
	var errs []error
	seen := map[string]string{} // the file of each id
	for _, f := range files {
		cases, err := config.DecodeList(f.Path, f.Data, func(c Case) error {
			var twice error
			if other, ok := seen[c.ID]; ok && c.ID != "" {
				twice = config.At("id", "%q is the id of a case in %s already; each needs its own", c.ID, other)
			}
			seen[c.ID] = f.Path
			return errors.Join(twice, a.checkSources(c))
		})
		errs = append(errs, err)
		for _, c := range cases {
			c.File = f.Path
			all = append(all, c)
		}
	}
	if len(all) > maxCases {
		errs = append(errs, config.Errors{{File: GoldenFolder, Message: fmt.Sprintf("there are %d cases; %d are allowed", len(all), maxCases)}})
	}
	return all, config.Join(errs...)
}

// Validate checks what a type alone does not say.
func (c Case) Validate() error {
	var errs []error
	if c.ID != "" && (len(c.ID) > maxName || !goodName.MatchString(c.ID)) {
		errs = append(errs, config.At("id", "want at most %d lower-case letters, digits and single hyphens, such as %q", maxName, nameLike(c.ID)))
	}
	if len(c.Question) > maxQuestion {
		errs = append(errs, config.At("question", "has %d bytes; %d are allowed", len(c.Question), maxQuestion))
	}
	if len(c.History) > 0 && c.History[0].Assistant != "" {
		errs = append(errs, config.At("history[0]", "a history begins with the customer, as in {customer: Can I return boots?}"))
	}
	for i, t := range c.Tags {
		if err := checkTag(t, c.Tags[:i]); err != nil {
			errs = append(errs, config.At(fmt.Sprintf("tags[%d]", i), "%w", err))
		}
	}
	switch {
	case c.Expect == ExpectAnswer && len(c.Sources)+len(c.Contains) == 0:
		errs = append(errs, config.At("sources", "are missing; name the documents that answer it, or with contains the words of a right answer"))
	case (c.Expect == ExpectRefuse || c.Expect == ExpectHandOver) && len(c.Sources) > 0:
		errs = append(errs, config.At("sources", "only an answer cites documents; leave them out, or expect an answer"))
	}
	for _, list := range []struct {
		key   string
		words []string
	}{{"sources", c.Sources}, {"contains", c.Contains}, {"never", c.Never}} {
		for i, w := range list.words {
			at := fmt.Sprintf("%s[%d]", list.key, i)
			switch {
			case strings.TrimSpace(w) == "":
				errs = append(errs, config.At(at, "is empty"))
			case slices.Contains(list.words[:i], w):
				errs = append(errs, config.At(at, "%q is in the list already", w))
			case list.key == "never" && slices.Contains(c.Contains, w):
				errs = append(errs, config.At(at, "%q must be in the answer by contains, and must not by never", w))
			}
		}
	}
	return errors.Join(errs...)
}

// Validate checks that a message is somebody's.
func (s Said) Validate() error {
	if (strings.TrimSpace(s.Customer) == "") == (strings.TrimSpace(s.Assistant) == "") {
		return errors.New("a message is the customer's or the assistant's, as in {customer: Can I return boots?}")
	}
	return nil
}

func checkTag(tag string, before []string) error {
	switch {
	case slices.Contains(before, tag):
		return fmt.Errorf("%q is in the list already", tag)
	case slices.Contains(knownTags, tag):
		return nil
	case len(tag) > maxName || !goodName.MatchString(tag):
		return fmt.Errorf("want at most %d lower-case letters, digits and single hyphens, such as %q", maxName, nameLike(tag))
	}
	stem := func(t string) string { return strings.TrimSuffix(strings.ReplaceAll(t, "-", ""), "s") }
	for _, known := range knownTags {
		if stem(tag) == stem(known) {
			return fmt.Errorf("the tag is written %q, not %q", known, tag)
		}
	}
	return nil
}

// checkSources checks that the sources of a case are files of the knowledge folders.
func (a *Assistant) checkSources(c Case) error {
	if a.released {
		return nil // its documents are not there
	}
	var errs []error
	for i, s := range c.Sources {
		at := fmt.Sprintf("sources[%d]", i)
		inside := slices.ContainsFunc(a.Knowledge, func(folder string) bool { return within(s, folder) })
		info, err := fs.Stat(a.FS, s)
		switch {
		case strings.TrimSpace(s) == "": // Validate says so
		case !inside || !fs.ValidPath(s):
			errs = append(errs, config.At(at, "%q is not in a knowledge folder; name a document by its path in the assistant's folder, as in knowledge/delivery.md", s))
		case err != nil:
			errs = append(errs, config.At(at, "there is no document %q%s", s, a.nearest(s)))
		case info.IsDir():
			errs = append(errs, config.At(at, "%q is a folder; name a document in it", s))
		}
	}
	return errors.Join(errs...)
}

// nearest proposes the file beside a missing one that was likely meant.
func (a *Assistant) nearest(source string) string {
	entries, err := fs.ReadDir(a.FS, path.Dir(source))
	if err != nil {
		return ""
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = path.Join(path.Dir(source), e.Name())
	}
	return config.Meant(source, names)
}
