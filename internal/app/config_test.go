package app_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/app"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const example = "../../answerable.example.yaml"

func TestExampleIsTheDefaults(t *testing.T) {
	got, err := app.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	want := app.DefaultConfig()
	want.AllowedOrigins, want.TrustedProxies, want.Models = []string{}, []app.Network{}, []app.ModelConfig{}
	if diff := cmp.Diff(want, got.Config); diff != "" {
		t.Errorf("%s (-default +file):\n%s", example, diff)
	}
}

func TestExampleHasEveryKey(t *testing.T) {
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	all, err := yaml.Marshal(app.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys(t, all), keys(t, data)); diff != "" {
		t.Errorf("keys (-struct +file):\n%s", diff)
	}
}

// keys returns the paths of all keys that hold a value.
func keys(t *testing.T, data []byte) map[string]bool {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(path string, tree map[string]any)
	walk = func(path string, tree map[string]any) {
		for k, v := range tree {
			if sub, ok := v.(map[string]any); ok {
				walk(path+k+".", sub)
			} else {
				found[path+k] = true
			}
		}
	}
	walk("", tree)
	return found
}

func TestWithoutAFileTheDefaultsHold(t *testing.T) {
	t.Chdir(t.TempDir())
	got, err := app.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(app.DefaultConfig(), got.Config); diff != "" {
		t.Errorf("(-default +got):\n%s", diff)
	}
	if _, err := app.Load("other.yaml"); err == nil || !strings.Contains(err.Error(), "other.yaml") {
		t.Errorf("a file that was asked for and is missing: %v", err)
	}
	if err := os.WriteFile(app.ConfigFile, []byte("limits: {turn: 5s}\ntrusted_proxies: [\"::ffff:10.0.0.1\", 10.1.2.3/8]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err = app.Load("")
	if err != nil {
		t.Fatal(err)
	}
	want := app.DefaultConfig()
	want.Limits.Turn = 5e9
	want.TrustedProxies = []app.Network{{Prefix: netip.MustParsePrefix("10.0.0.1/32")}, {Prefix: netip.MustParsePrefix("10.0.0.0/8")}}
	if diff := cmp.Diff(want, got.Config, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadConfig(t *testing.T) {
	for text, want := range map[string]string{
		"listen: here":                     `:1: listen: want an address with a port, such as 127.0.0.1:8080, not "here"`,
		"listen: 127.0.0.1:http":           `:1: listen: want an address with a port, such as 127.0.0.1:8080, not "127.0.0.1:http"`,
		"data: ''":                         `:1: data: is missing; name the folder in which the data is kept`,
		"postgres: user:hunter2@host":      `:1: postgres: want a URL such as postgres://user:password@host:5432/database`,
		"allowed_origins: [shop.example]":  `:1: allowed_origins[0]: "shop.example" is not an origin such as https://shop.example`,
		"identity: {secret: hunter2}":      `:1: identity.secret: each secret needs at least 32 bytes; make one with: openssl rand -hex 32`,
		"trusted_proxies: [proxy]":         `:1: trusted_proxies[0]: want an address or a range such as 10.0.0.0/8, not "proxy"`,
		"log:\n  level: verbose":           `:2: log.level: "verbose" is not one of debug, info, warn, error`,
		"log:\n  format: jsn":              `:2: log.format: "jsn" is not one of text, json; did you mean "json"?`,
		"limits:\n  message_bytes: 0":      `:2: limits.message_bytes: 0 is not between 1 and 1048576`,
		"limits:\n  body_bytes: 100":       `:2: limits.body_bytes: 100 is less than message_bytes, 32768: no such message could be sent`,
		"limits:\n  turn: 0s":              `:2: limits.turn: 0s is not between 1s and 1h`,
		"limits: {provider: {between: 0}}": `:1: limits.provider.between: 0s is not between 1ms and 1h`,
		"limits: {anonymus: 3}":            `:1: unknown key "anonymus" in limits; did you mean "anonymous"?`,
	} {
		file := filepath.Join(t.TempDir(), "answerable.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := app.Load(file)
		if err == nil {
			t.Errorf("%q loads", text)
		} else if got := strings.TrimPrefix(err.Error(), file); got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

// Where the file names no model, those of the environment are in force.
func TestModelsOfTheEnvironmentAreShown(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, value := range map[string]string{"OPENAI_API_KEY": "sk-hush", "OPENAI_BASE_URL": "http://me:hush@127.0.0.1:9/v1", "OPENAI_MODEL": "",
		"ANTHROPIC_API_KEY": "", "ANTHROPIC_BASE_URL": "", "ANTHROPIC_MODEL": "", "GEMINI_API_KEY": "hush", "GEMINI_BASE_URL": "", "GEMINI_MODEL": "big"} {
		t.Setenv(name, value)
	}
	s, err := app.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range s.Settings() {
		if strings.HasPrefix(x.Key, "models") {
			got = append(got, fmt.Sprintf("%s %v %s", x.Key, x.Value, x.Origin))
		}
	}
	want := []string{
		"models[0].provider openai OPENAI_API_KEY",
		"models[0].base_url http://me:xxxxx@127.0.0.1:9/v1 OPENAI_BASE_URL",
		"models[0].key_env OPENAI_API_KEY OPENAI_API_KEY",
		"models[1].provider gemini GEMINI_API_KEY",
		"models[1].model big GEMINI_MODEL",
		"models[1].key_env GEMINI_API_KEY GEMINI_API_KEY",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
