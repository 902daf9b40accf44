package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/config"
)

// Sources is a configuration that knows where each of its values comes from.
type Sources struct {
	Config
	File  string // "": there is none
	lines config.Lines
	given map[string]string // the variable or flag that has set a key
}

// Flag is a flag of a command that sets a key of the server's file, unless its value is "".
type Flag struct{ Name, Key, Value string }

// variables are the environment variables that set a key of the server's file.
var variables = []struct{ name, key string }{
	{"ANSWERABLE_LISTEN", "listen"},
	{"ANSWERABLE_DATA", "data"},
	{"ANSWERABLE_POSTGRES", "postgres"},
	{"ANSWERABLE_IDENTITY_SECRET", "identity.secret"},
	{"ANSWERABLE_LOG_LEVEL", "log.level"},
	{"ANSWERABLE_LOG_FORMAT", "log.format"},
}

// Environment variables without a key in the file.
const (
	ConfigVariable  = "ANSWERABLE_CONFIG"  // names the file
	APIKeyVariable  = "ANSWERABLE_API_KEY" // that loadtest shows the server
	keyVariable     = "ANSWERABLE_KEY"
	keyFileVariable = "ANSWERABLE_KEY_FILE"
)

// variableNames returns the names of all environment variables of ours.
func variableNames() []string {
	names := []string{ConfigVariable, APIKeyVariable, keyVariable, keyFileVariable}
	for _, v := range variables {
		names = append(names, v.name)
	}
	return names
}

// Load returns what is in force: flags over environment over file over defaults. The file
// is that at path, or that of ANSWERABLE_CONFIG, or [ConfigFile] in the working directory,
// which alone need not exist.
func Load(path string, flags ...Flag) (Sources, error) {
	s := Sources{Config: DefaultConfig(), given: map[string]string{}}
	path = cmp.Or(path, os.Getenv(ConfigVariable))
	s.File = cmp.Or(path, ConfigFile)
	data, err := os.ReadFile(s.File)
	switch {
	case path == "" && errors.Is(err, fs.ErrNotExist):
		s.File = ""
	case err != nil:
		return s, fmt.Errorf("read the configuration: %w; name a file that is there and may be read", err)
	default:
		if s.lines, err = config.DecodeLines(s.File, data, &s.Config); err != nil {
			return s, err
		}
	}
	var errs []error
	set := func(key, value, name string) {
		if value == "" {
			return
		}
		s.given[key] = name
		if err := config.Set(&s.Config, key, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	for _, v := range variables {
		set(v.key, os.Getenv(v.name), v.name)
	}
	for _, f := range flags {
		set(f.Key, f.Value, f.Name)
	}
	return s, errors.Join(append(errs, config.Check(&s.Config, s.origin))...)
}

// origin returns where the value of a key comes from: a flag, a variable, a line of the
// file, or, where nobody has set it, nothing.
func (s Sources) origin(key string) string {
	if name := s.given[key]; name != "" {
		return name
	}
	if line := s.lines[key]; line > 0 {
		return fmt.Sprintf("%s:%d", s.File, line)
	}
	return ""
}

// Setting is a key that is in force, and where its value comes from.
type Setting struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin string `json:"origin"` // a flag, a variable, file:line, or default
	Extra  bool   `json:"-"`      // it cannot be in the file
}

// Settings returns all keys that are in force. Secrets are masked. Where the file names no
// model, those of the environment are there, as entries of the file would have them.
func (s Sources) Settings() []Setting {
	var all []Setting
	for _, x := range config.Settings(s.Config) {
		if x.Key == "models" && len(s.Models) == 0 {
			if found := s.environmentModels(); len(found) > 0 {
				all = append(all, found...)
				continue
			}
		}
		all = append(all, Setting{Key: x.Key, Value: x.Value, Origin: cmp.Or(s.origin(x.Key), "default")})
	}
	if os.Getenv(keyVariable) != "" {
		all = append(all, Setting{"installation_key", config.Secret("set").String(), keyVariable, true})
	} else if f := os.Getenv(keyFileVariable); f != "" {
		all = append(all, Setting{"installation_key_file", f, keyFileVariable, true})
	}
	return all
}

func (s Sources) environmentModels() []Setting {
	var all []Setting
	for i, m := range configured(nil) {
		prefix, _, _ := strings.Cut(m.keyName, "_API_KEY")
		entry := fmt.Sprintf("models[%d].", i)
		from := m.keyName
		if m.key == "" {
			from = m.baseName
		}
		all = append(all, Setting{Key: entry + "provider", Value: m.Provider, Origin: from})
		if m.Model != "" {
			origin := "default"
			if os.Getenv(prefix+"_MODEL") != "" {
				origin = prefix + "_MODEL"
			}
			all = append(all, Setting{Key: entry + "model", Value: m.Model, Origin: origin})
		}
		for _, x := range config.Settings(ModelConfig{BaseURL: m.BaseURL}) {
			if x.Key == "base_url" && x.Value != "" {
				all = append(all, Setting{Key: entry + "base_url", Value: x.Value, Origin: m.baseName})
			}
		}
		if m.key != "" {
			all = append(all, Setting{Key: entry + "key_env", Value: m.keyName, Origin: m.keyName})
		}
	}
	return all
}

// UnknownVariables says of each environment variable that begins like ours, and is none,
// which may be meant.
func UnknownVariables() []string {
	known := variableNames()
	var all []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "ANSWERABLE_") || slices.Contains(known, name) {
			continue
		}
		all = append(all, fmt.Sprintf("the environment variable %s has no meaning here%s", name, config.Meant(name, known)))
	}
	slices.Sort(all)
	return all
}
