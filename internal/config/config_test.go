package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/config"
	"github.com/google/go-cmp/cmp"
)

// shop is a struct with every kind of field that Decode knows.
type shop struct {
	Name      string        `yaml:"name" most:"30"`
	Open      bool          `yaml:"open"`
	Shelves   int           `yaml:"shelves"`
	Width     int8          `yaml:"width"`
	Key       config.Secret `yaml:"key"`
	Forbidden []string      `yaml:"forbidden"`
	Address   netip.Addr    `yaml:"address"`
	Limits    limits        `yaml:"limits"`
	Doors     []door        `yaml:"doors" most:"3"`
	Origins   []string      `yaml:"origins"`
	derived   int
}

func (s shop) Validate() error { return config.Origins("origins", s.Origins) }

type limits struct {
	Turn     time.Duration `yaml:"turn" between:"1s,1h"`
	Messages int           `yaml:"messages" between:"0,100"`
	Provider struct {
		Between time.Duration `yaml:"between"`
	} `yaml:"provider"`
}

func (l limits) Validate() error {
	err := config.Between("provider.between", l.Provider.Between, 0, l.Turn)
	if l.Messages == 13 {
		err = errors.Join(err, errors.New("no two of these belong together"))
	}
	return err
}

type door struct {
	Colour string `yaml:"colour" oneof:"red,green" need:"paint it red or green"`
}

func defaults() shop {
	s := shop{Name: "corner", Shelves: 3, Forbidden: []string{"lawsuit"}, derived: 1}
	s.Limits = limits{Turn: time.Minute, Messages: 30}
	return s
}

// Every testdata/*.good.yaml loads. What it must give is JSON in its first comment.
func TestGoodFiles(t *testing.T) {
	each(t, "testdata/*.good.yaml", func(t *testing.T, file, comment string, data []byte) {
		got := defaults()
		if err := config.Decode(file, data, &got); err != nil {
			t.Fatal(err)
		}
		want := defaults()
		in := json.NewDecoder(strings.NewReader(comment))
		in.DisallowUnknownFields()
		if err := in.Decode(&want); err != nil {
			t.Fatalf("first line: %v", err)
		}
		same := cmp.Options{cmp.AllowUnexported(shop{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("decoded (-want +got):\n%s", diff)
		}
	})
}

// Every testdata/*.bad.yaml fails with the message in its first comment, in which " | "
// stands between the lines of several mistakes and FILE for its name.
func TestBadFiles(t *testing.T) {
	each(t, "testdata/*.bad.yaml", func(t *testing.T, file, comment string, data []byte) {
		got := defaults()
		err := config.Decode("FILE", data, &got)
		if err == nil {
			t.Fatal("decoded without an error")
		}
		if got := strings.ReplaceAll(err.Error(), "\n", " | "); got != comment {
			t.Errorf("error\n got %s\nwant %s", got, comment)
		}
	})
}

func each(t *testing.T, pattern string, test func(t *testing.T, file, comment string, data []byte)) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := bytes.Cut(data, []byte("\n"))
			test(t, file, strings.TrimPrefix(strings.TrimSpace(string(first)), "# "), data)
		})
	}
}

// What no readable file can hold.
func TestRefusesWhatIsNotText(t *testing.T) {
	for data, want := range map[string]string{
		"name: a\nkey: \"\xff\"\n":                        "f:2: this is not UTF-8 text; save the file as UTF-8",
		"name: a\x00b":                                    "f:1: the control character U+0000 is not allowed",
		"\xff\xfen\x00":                                   "f:1: this is not UTF-8 text; save the file as UTF-8",
		"# " + strings.Repeat("x", 1<<20):                 "f: the file has 1048578 bytes; 1048576 are allowed",
		"name: " + strings.Repeat("[", 20_000):            "f:1: not valid YAML, here or shortly after: exceeded max depth of 10000",
		"shelves: " + strings.Repeat("x", 100):            `f:1: shelves: want a whole number, not "` + strings.Repeat("x", 60) + `…"`,
		"width: 300":                                      `f:1: width: want a number nearer to 0, not "300"`,
		"name: &a [x]\nforbidden: [*a,*a,*a,*a,*a,*a,*a]": "f:1: name: anchors and aliases are not allowed; write the value out",
	} {
		var s shop
		s.Limits.Turn = time.Minute
		err := config.Decode("f", []byte(data), &s)
		if first, _, _ := strings.Cut(fmt.Sprint(err), "\n"); first != want {
			t.Errorf("Decode(%.30q) = %q, want %q", data, first, want)
		}
	}
}

func TestTellsAtMostHundredMistakes(t *testing.T) {
	var s shop
	err := config.Decode("f", []byte(strings.Repeat("x: 1\n", 5000)), &s)
	all, ok := errors.AsType[config.Errors](err)
	if !ok || len(all) != 100 || all[99].Message != "… and more mistakes" {
		t.Errorf("got %d mistakes, want 100, the last saying that there are more", len(all))
	}
}

func TestSecretIsNotSeen(t *testing.T) {
	s := config.Secret("hunter2")
	in := struct{ Password config.Secret }{s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "in", in)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "in", in)
	encoded, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%s %v %+v %#v %q %x %d %s %s %v %#v %v", s, s, s, s, s, s, s, log.String(), encoded, in, in, &in)
	if strings.Contains(out, "hunter2") || strings.Contains(out, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("the secret is seen in %s", out)
	}
	if got := s.Reveal(); got != "hunter2" {
		t.Errorf("Reveal() = %q", got)
	}
	if got := config.Secret("").String(); got != "" {
		t.Errorf("an empty secret prints %q, want nothing", got)
	}
}

func TestLines(t *testing.T) {
	s := defaults()
	lines, err := config.DecodeLines("f", []byte("name: a\nlimits:\n  turn: 5s\ndoors:\n  - colour: red\n  -\n    colour: green\n"), &s)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"name": 1, "limits": 3, "doors[0]": 5, "doors[1].colour": 7, "doors[1].handle": 7, "limits.messages": 3, "key": 0, "": 0} {
		if got := lines.Of(key); got != want {
			t.Errorf("Of(%s) = %d, want %d", key, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := defaults()
		err := config.Decode("f", data, &s)
		if err != nil && err.Error() == "" {
			t.Error("an error without a message")
		}
		if err == nil && (s.Limits.Turn < time.Second || s.Limits.Turn > time.Hour) {
			t.Errorf("limits.turn = %v was not checked", s.Limits.Turn)
		}
		if all, ok := errors.AsType[config.Errors](err); ok {
			for _, e := range all {
				if e.Line < 0 || e.Line > 1+bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r")) {
					t.Errorf("%v: there is no such line", e)
				}
			}
		}
	})
}
