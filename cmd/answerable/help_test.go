package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Help has a place for every command.
func TestEveryCommandIsListed(t *testing.T) {
	var listed []string
	for _, g := range groups {
		listed = append(listed, strings.Fields(g.commands)...)
	}
	for _, cmd := range (&cli{}).commands() {
		if !slices.Contains(listed, cmd.Name()) {
			t.Errorf("%s is in no group of help: add it to groups", cmd.Name())
		}
	}
}

// On a terminal help takes its width.
func TestHelpFitsTheTerminal(t *testing.T) {
	for _, cmd := range all((&cli{}).root()) {
		master, tty := openPty(t, 80)
		shown := make(chan string)
		go func() {
			var b bytes.Buffer
			b.ReadFrom(master)
			shown <- b.String()
		}()
		run(t.Context(), append(strings.Fields(cmd.CommandPath())[1:], "--help"), nil, tty, tty)
		tty.Close()
		for line := range strings.Lines(<-shown) {
			if n := cells(strings.TrimRight(line, "\r\n")); n > 80 && !strings.HasPrefix(line, "  answerable") {
				t.Errorf("%s: %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
	}
}

// Help says what each flag takes in a word of ours, not as a type of Go.
func TestFlagsNameTheirValues(t *testing.T) {
	for _, cmd := range all((&cli{}).root()) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if what, _ := pflag.UnquoteUsage(f); what != strings.ToUpper(what) {
				t.Errorf("%s --%s takes %q: name it in backquotes, as in `FILE`", cmd.CommandPath(), f.Name, what)
			}
		})
	}
}

// The scripts for the shells are run by the shells, of which bash is there for sure.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	data := filepath.Join(dir, "data")
	if code := run(t.Context(), []string{"ask", "How long does delivery take?", "--data", data}, nil, &out, &errs); code != exitOK {
		t.Fatal(errs.String())
	}
	bin := filepath.Join(dir, "answerable")
	if err := os.Symlink(executable(), bin); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), append(program, "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)...)
	shell := func(t *testing.T, name, script string) string {
		t.Helper()
		cmd := exec.Command(name, "-c", script)
		cmd.Dir, cmd.Env = dir, env
		b, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, b)
		}
		return string(b)
	}
	t.Run("bash", func(t *testing.T) {
		for _, c := range []struct{ line, want string }{
			{"answerable se", "search serve"}, {"answerable keys c", "create"}, {"answerable ask --conv", "--conversation"},
			{"answerable ask --assistant ", "demo"}, {"answerable ask --conversation ", "last"}, {"answerable completion z", "zsh"},
			{"answerable keys create shop --scope ", "admin agent chat edit view"}, {"answerable loadtest --arrivals ", "constant poisson"},
			{"answerable init --sample ", "demo"}, {"answerable eval golden --provider e", "extractive"}, {"answerable replay t", "t0"}, {"answerable ask ", ""},
		} {
			words := strings.Split(c.line, " ")
			got := shell(t, "bash", fmt.Sprintf(`source <(answerable completion bash)
_get_comp_words_by_ref() { while [ "$1" = -n ]; do shift 2; done; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
__ltrim_colon_completions() { :; }
compopt() { :; }
COMP_WORDS=(%s); COMP_CWORD=%d; COMP_LINE=%q; COMP_POINT=%d; COMP_TYPE=9
__start_answerable 2>&1
printf '%%s\n' "${COMPREPLY[@]}" | sed 's/ .*//' | sort`, quoted(words), len(words)-1, c.line, len(c.line)))
			if got = strings.Join(strings.Fields(got), " "); got != c.want && (c.want != "t0" || !strings.HasPrefix(got, "t0")) {
				t.Errorf("%q completes to %q, want %q", c.line, got, c.want)
			}
		}
	})
	for _, name := range []string{"zsh", "fish", "pwsh"} {
		if _, err := exec.LookPath(name); err != nil {
			continue // not on every machine
		}
		t.Run(name, func(t *testing.T) {
			switch name {
			case "zsh":
				shell(t, "zsh", "autoload -U compinit && compinit -D -u && source <(answerable completion zsh) && (( $+_comps[answerable] ))")
			case "fish":
				if got := shell(t, "fish", "answerable completion fish | source; complete -C 'answerable keys c'"); !strings.HasPrefix(got, "create\t") {
					t.Errorf("fish completes to %q", got)
				}
			case "pwsh":
				shell(t, "pwsh", "answerable completion powershell | Out-String | Invoke-Expression")
			}
		})
	}
}

func quoted(words []string) string {
	var out []string
	for _, w := range words {
		out = append(out, "'"+w+"'")
	}
	return strings.Join(out, " ")
}
