package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"

	"github.com/answerable/answerable/assistants"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/store"
)

// Checkup is what Examine looks at.
type Checkup struct {
	Config   Config
	File     string // that the configuration was read from; "": ConfigFile, if it is there
	Mistakes error  // of file, environment and flags: then Config is not looked at
	Dir      string // as in Options
	Offline  bool   // nobody is asked over the network
	Progress func(what string, done, total int64)

	limit time.Duration // of each call; 0 is 15 s
}

// Report is what Examine found.
type Report struct {
	OK       bool      `json:"ok"` // nothing failed
	Summary  string    `json:"summary"`
	Warnings int       `json:"warnings"`
	Failures int       `json:"failures"`
	Findings []Finding `json:"findings"`
}

// Finding is one thing that was looked at. It holds no secret and no control character.
type Finding struct {
	Area   string `json:"area"` // findings of an area follow each other
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"` // what to do
}

// State says how a thing is.
type State string

const (
	Fine  State = "ok"
	Warn  State = "warn" // it works, but not as it should
	Fails State = "FAIL" // it was configured and does not work
)

// The areas, but for those of the models.
const (
	configurationArea = "configuration"
	storeArea         = "store"
	serverArea        = "server"
	modelsArea        = "models"
)

// Examine looks at everything that a server would need and says what works, what does
// not and what to do. It makes no data directory and leaves nothing in it, and only reads
// where a server runs; in an empty PostgreSQL database the store makes its table of
// versions. Each model is asked two short questions.
func Examine(ctx context.Context, c Checkup) Report {
	found := c.configuration()
	if c.Mistakes != nil {
		found = append(found, c.given(ctx)...)
		found = append(found, Finding{serverArea, "start", Fails, "it does not start with these mistakes; nothing else was looked at", "correct them, then: answerable config check"})
		return c.report(found, "The server does not start: its configuration has mistakes.")
	}
	serving, s, stored := c.store(ctx)
	found = append(found, c.assistants(ctx, s)...)
	found = append(found, c.identity()...)
	found = append(found, stored...)
	found = append(found, c.server(ctx, s, serving))
	found = append(found, switchedOff(ctx, s)...)
	if s != nil {
		if err := s.Close(); err != nil {
			found = append(found, failed(storeArea, "close", err))
		}
	}
	works := !slices.ContainsFunc(found, func(f Finding) bool { return f.State == Fails })
	trials := c.tryModels(ctx)
	if len(trials) == 0 {
		found = append(found, Finding{modelsArea, "none", Fine, "answers are quoted from the documents (extractive)", c.howToAdd()})
	}
	for _, t := range trials {
		found = append(found, t.findings()...)
		works = works && t.broken == nil
	}
	if !works {
		return c.report(found, "The server does not work as it is: see what fails above.")
	}
	return c.report(found, c.summary(trials))
}

// report counts the findings and cleans them: what others said must neither show a
// secret nor speak to the terminal.
func (c Checkup) report(found []Finding, summary string) Report {
	r := Report{Summary: summary, Findings: found}
	clean := c.cleaner()
	for i := range found {
		f := &found[i]
		f.Area, f.Name, f.Detail, f.Advice = clean(f.Area), clean(f.Name), clean(f.Detail), clean(f.Advice)
		switch f.State {
		case Warn:
			r.Warnings++
		case Fails:
			r.Failures++
		}
	}
	r.Summary, r.OK = clean(summary), r.Failures == 0
	return r
}

// cleaner returns what takes secrets and control characters out of a text. Providers hide
// their keys themselves; this is for what nobody thought of.
func (c Checkup) cleaner() func(string) string {
	secrets := append([]string{os.Getenv("ANSWERABLE_KEY")}, strings.Split(c.Config.Identity.Secret.Reveal(), ",")...)
	if u, err := url.Parse(c.Config.Postgres.Reveal()); err == nil {
		password, _ := u.User.Password()
		secrets = append(secrets, password)
	}
	for _, m := range configured(c.Config.Models) {
		secrets = append(secrets, m.key.Reveal())
		if m.KeyEnv != strings.ToUpper(m.KeyEnv) && os.Getenv(m.KeyEnv) == "" { // the key itself, where its variable's name belongs
			secrets = append(secrets, m.KeyEnv)
		}
	}
	return func(s string) string {
		for _, secret := range secrets {
			if secret = strings.TrimSpace(secret); len(secret) >= 8 { // a shorter one is a word, such as "none"
				s = strings.ReplaceAll(s, secret, "***")
			}
		}
		return strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(s, "\uFFFD"))
	}
}

// failed is the finding of an error, with the advice that the error brings.
func failed(area, name string, err error) Finding {
	f := Finding{Area: area, Name: name, State: Fails, Detail: err.Error()}
	var e *llm.Error
	if errors.As(err, &e) {
		f.Detail, f.Advice = e.Err.Error(), e.Advice
		if f.Advice == "" && e.Fault == llm.Later {
			f.Advice = "try again in a moment; if it stays so, look at the provider's status page"
		}
	}
	return f
}

// configuration says what was read, and all mistakes in it.
func (c Checkup) configuration() []Finding {
	file := Finding{configurationArea, "file", Fine, c.File, ""}
	if c.File == "" {
		file.Detail = ConfigFile
		if _, err := os.Stat(ConfigFile); errors.Is(err, fs.ErrNotExist) {
			file.Detail = "none: there is no " + ConfigFile + " here, so the defaults hold"
		}
	}
	names := "none of ours"
	if set := c.variables(); len(set) > 0 {
		names = strings.Join(set, ", ")
	}
	found := []Finding{file, {configurationArea, "environment", Fine, names, ""}}
	return append(found, mistakes(c.Mistakes)...)
}

// identity says how signed identities are verified, if they are.
func (c Checkup) identity() []Finding {
	ids, err := c.Config.Identity.open()
	switch {
	case err != nil:
		return []Finding{failed(configurationArea, "identity", err)}
	case !ids.Configured():
		return nil
	}
	how := fmt.Sprintf("signed identities are verified with %s and %s", count(len(ids.Secrets), "secret"), count(len(ids.Keys), "public key"))
	return []Finding{{configurationArea, "identity", Fine, how, ""}}
}

// mistakes gives each of the errors that err joins a line of its own.
func mistakes(err error) []Finding {
	if err == nil {
		return nil
	}
	var found []Finding
	for line := range strings.Lines(err.Error()) {
		found = append(found, Finding{configurationArea, "mistake", Fails, strings.TrimSpace(line), ""})
	}
	return found
}

// variables returns the names of the environment's variables that are set and matter.
func (c Checkup) variables() []string {
	names := variableNames()
	for _, v := range vendors {
		names = append(names, v.prefix+"_API_KEY", v.prefix+"_BASE_URL", v.prefix+"_MODEL")
	}
	for _, m := range c.Config.Models {
		if m.KeyEnv != "" && !slices.Contains(names, m.KeyEnv) {
			names = append(names, m.KeyEnv)
		}
	}
	names = append(names, "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOGC")
	return slices.DeleteFunc(names, func(name string) bool { return os.Getenv(name) == "" })
}

// assistants says what is answered from: Dir, or what was ingested, or the demo.
func (c Checkup) assistants(ctx context.Context, s *store.Store) []Finding {
	if c.Dir != "" {
		return c.given(ctx)
	}
	if s != nil {
		if f, ok := c.ingested(ctx, s); ok {
			return []Finding{f}
		}
	}
	demo, err := assistant.Load(assistants.Demo(), "demo")
	if err != nil {
		return []Finding{failed(configurationArea, "assistant", err)}
	}
	return []Finding{c.documents(ctx, demo, "the demo shop; for your own documents: answerable doctor DIR")}
}

// given looks at the assistants in Dir.
func (c Checkup) given(ctx context.Context) []Finding {
	if c.Dir == "" {
		return nil
	}
	all, err := assistant.LoadDir(c.Dir)
	found := mistakes(err)
	for _, a := range all {
		found = append(found, c.documents(ctx, a, a.Dir))
	}
	return found
}

// documents counts those of an assistant.
func (c Checkup) documents(ctx context.Context, a *assistant.Assistant, from string) Finding {
	f := Finding{configurationArea, "assistant", Fine, "", ""}
	docs, report, err := readDocuments(ctx, a, c.Progress)
	if err != nil {
		return failed(f.Area, f.Name, fmt.Errorf("read the documents of %s: %w", a.Name, err))
	}
	f.Detail = fmt.Sprintf("%s: %s (%s)", a.Name, count(len(docs), "document"), from)
	switch n := len(report.Skipped); {
	case len(docs) == 0:
		f.State, f.Advice = Warn, "put Markdown, text or HTML files into "+a.Dir+": without documents nothing can be answered"
	case n > 0:
		f.State = Warn
		f.Detail += fmt.Sprintf("; %s skipped, such as %s: %s", count(n, "file"), report.Skipped[0].Path, report.Skipped[0].Reason)
		f.Advice = "answerable ingest DIR lists the skipped files; convert them to Markdown, text or HTML, or remove them"
	}
	return f
}

// ingested says what ingest published last, if it did.
func (c Checkup) ingested(ctx context.Context, s *store.Store) (Finding, bool) {
	f := Finding{configurationArea, "assistant", Fine, "", ""}
	published, err := s.Published(ctx, 1000)
	if err != nil {
		return failed(f.Area, f.Name, err), true
	}
	i := slices.IndexFunc(published, func(p store.Published) bool { return strings.HasPrefix(p.Source, ingested) })
	if i < 0 {
		return Finding{}, false
	}
	p := published[i]
	g, err := knowledge.OpenGeneration(filepath.Join(c.Config.Data, "generations", knowledge.FileName(p.Generation)))
	if err != nil {
		f = failed(f.Area, f.Name, fmt.Errorf("open what was ingested for %s: %w", p.Assistant, err))
		f.Advice = "answerable ingest " + strings.TrimPrefix(p.Source, ingested)
		return f, true
	}
	f.Detail = fmt.Sprintf("%s: %s (ingested from %s)", p.Assistant, count(len(g.Documents()), "document"), strings.TrimPrefix(p.Source, ingested))
	return f, true
}

// tryModels asks all models side by side; it asks none when it is offline.
func (c Checkup) tryModels(ctx context.Context) []*trial {
	var trials []*trial
	for i, m := range configured(c.Config.Models) {
		trials = append(trials, &trial{place: i + 1, model: m, asked: m.Model, limits: c.Config.Limits.Provider, limit: cmp.Or(c.limit, 15*time.Second), offline: c.Offline})
	}
	if len(trials) > 0 && !c.Offline && c.Progress != nil {
		c.Progress("Each model is now asked two short questions, which costs a fraction of a cent.", 0, 0)
	}
	var g errgroup.Group
	for _, t := range trials {
		g.Go(func() error {
			t.run(ctx)
			return nil // what failed is a finding
		})
	}
	g.Wait()
	return trials
}

// howToAdd says how to configure a model.
func (c Checkup) howToAdd() string {
	keys := make([]string, len(vendors))
	for i, v := range vendors {
		keys[i] = v.prefix + "_API_KEY"
	}
	return "for a model that writes, set " + strings.Join(keys, " or ") + "; for one on your own machine, OPENAI_BASE_URL=http://127.0.0.1:11434"
}

// summary says what a customer gets.
func (c Checkup) summary(trials []*trial) string {
	const quotes = "quoting the documents comes last"
	var good, bad []string
	for _, t := range trials {
		if t.works() {
			good = append(good, t.label())
		} else {
			bad = append(bad, t.label())
		}
	}
	var s string
	switch {
	case len(trials) == 0:
		return "Customers are answered with quotes from the documents."
	case c.Offline && len(good) > 0:
		return "Customers would be answered by " + strings.Join(good, ", then ") + "; " + quotes + ". No model was asked (--offline)."
	case len(good) == 0:
		s = "Customers are answered with quotes from the documents, because no configured model works"
	case len(good) == 1:
		s = "Customers are answered by " + good[0] + "; " + quotes
	default:
		s = "Customers are answered by " + good[0] + "; " + strings.Join(good[1:], ", then ") + " takes over; " + quotes
	}
	if len(bad) > 0 && len(good) > 0 {
		s += "; " + strings.Join(bad, " and ") + " cannot answer now"
	}
	return s + "."
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// readable writes a duration for people.
func readable(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// middle returns the p50 of durations, 0 of none.
func middle(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
