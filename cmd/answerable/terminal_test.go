package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
)

// pseudo is a screen on a terminal of so many columns. What was shown there is known when
// the terminal is closed.
func pseudo(t *testing.T, columns uint16) (s *screen, shown func() string) {
	t.Helper()
	master, tty := openPty(t, columns)
	all := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(master) // ends with an error when the terminal is closed
		all <- b
	}()
	return newScreen(tty), func() string {
		tty.Close()
		return strings.ReplaceAll(string(<-all), "\r\n", "\n")
	}
}

func openPty(t *testing.T, columns uint16) (master, tty *os.File) {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close(); tty.Close() })
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	return master, tty
}

// A terminal obeys what it shows, so texts of others lose what is not text.
func TestClean(t *testing.T) {
	for _, c := range []struct{ name, give, want string }{
		{"clipboard", "a\x1b]52;c;ZXZpbA==\ab", "a]52;c;ZXZpbA==b"},
		{"link", "\x1b]8;;http://evil\x1b\\bank\x1b]8;;\x1b\\", "]8;;http://evil\\bank]8;;\\"},
		{"cursor", "a\x1b[2J\x1b[1;1Hb", "a[2J[1;1Hb"},
		{"colour", "\x1b[31mred", "[31mred"},
		{"carriage return", "good\rbad", "goodbad"},
		{"backspace", "a\b\bb", "ab"},
		{"C1 as UTF-8", "a\u009b31mb\u009d52;c;x\u009c", "a31mb52;c;x"},
		{"C1 as a byte", "a\x9b31mb", "a\uFFFD31mb"},
		{"bidi override", "a\u202eevil\u202cb\u2066c\u2069", "aevilbc"},
		{"invisible", "a\u200bb\ufeffc", "abc"},
		{"delete", "a\x7fb", "ab"},
		{"kept", "línea 1\n日本語\n👩\u200d🔧 می\u200cخواهم", "línea 1\n日本語\n👩\u200d🔧 می\u200cخواهم"},
		{"tab", "a\tb", "a b"},
	} {
		if got := clean(c.give); got != c.want {
			t.Errorf("%s: clean(%q) = %q, want %q", c.name, c.give, got, c.want)
		}
	}
}

// Also what nobody cleaned does no harm on a terminal; our own styles pass.
func TestScreenOnATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	s, shown := pseudo(t, 80)
	io.WriteString(s, s.paint(bold, "fine")+" \x1b]52;c;x\a\x1b[2J\x1b[38;5;1m\u202e.")
	if got, want := shown(), "\x1b[1mfine\x1b[0m ]52;c;x[2J[38;5;1m."; got != want {
		t.Errorf("shown = %q, want %q", got, want)
	}
}

func TestNoColours(t *testing.T) {
	for _, env := range [][2]string{{"NO_COLOR", "1"}, {"NO_COLOR", "0"}, {"TERM", "dumb"}} {
		t.Run(strings.Join(env[:], "="), func(t *testing.T) {
			t.Setenv("NO_COLOR", "")
			t.Setenv(env[0], env[1])
			s, shown := pseudo(t, 80)
			io.WriteString(s, s.paint(bold, "fine")+"\x1b[31m")
			if got := shown(); got != "fine[31m" {
				t.Errorf("shown = %q, want no colours", got)
			}
		})
	}
	var pipe bytes.Buffer
	s := newScreen(&pipe)
	io.WriteString(s, s.paint(bold, "fine")+"\x00")
	if got := pipe.String(); got != "fine\x00" {
		t.Errorf("a pipe got %q, want every byte and no colours", got)
	}
}

func TestTable(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	rows := [][]string{{"NAME", "TITLE"}, {"a", "日本語"}, {"long name", "a title that is\nlonger than the terminal 👩\u200d🔧"}}
	s, shown := pseudo(t, 30)
	s.table(rows)
	want := "NAME       TITLE\na          日本語\nlong name  a title that is lo…\n"
	if got := shown(); got != want {
		t.Errorf("on a terminal:\n%s\nwant\n%s", got, want)
	}
	var pipe bytes.Buffer
	newScreen(&pipe).table(rows)
	if got := pipe.String(); !strings.Contains(got, "longer than the terminal 👩\u200d🔧\n") {
		t.Errorf("on a pipe:\n%s\nwant whole rows", got)
	}
}

// Words are not cut, in whatever pieces they come.
func TestProse(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	const text = "The first parcel leaves.[1]\n\n  - a list of things\n日本語の文章は、どこでも折り返せます。"
	want := `  The first parcel
  leaves.[1]

    - a list of
  things
  日本語の文章は、ど
  こでも折り返せま
  す。
`
	for _, size := range []int{1, 3, 1000} {
		s, shown := pseudo(t, 21)
		p := &prose{s: s, indent: "  "}
		for rest := []rune(text); len(rest) > 0; {
			n := min(size, len(rest))
			p.write(string(rest[:n]))
			rest = rest[n:]
		}
		p.end()
		if got := shown(); got != want {
			t.Errorf("in pieces of %d:\n%s\nwant\n%s", size, got, want)
		}
	}
	var pipe bytes.Buffer
	newScreen(&pipe).paragraphs("", "", strings.Repeat("long ", 50)+"\x1b[2J.")
	if got := pipe.String(); got != strings.Repeat("long ", 50)+"[2J.\n" {
		t.Errorf("on a pipe: %q, want one line, and clean", got)
	}
}

// A table in an answer has columns on a terminal, however it comes; a pipe gets what was
// written.
func TestReply(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	const text = "Prices:\n\n| Place | Price |\n|---|---:|\n| Ireland | €4.90 [1] |\n| 日本 | none |\n\nNo | table.\n| nor this\nis one\n| a | b |\n|---|---|"
	const want = "Prices:\n\nPlace    Price\nIreland  €4.90 [1]\n日本     none\n\nNo | table.\n| nor this\nis one\na  b\n"
	for _, size := range []int{5, 1000} {
		s, shown := pseudo(t, 80)
		r := &reply{prose: prose{s: s}}
		for rest := []rune(text); len(rest) > 0; {
			n := min(size, len(rest))
			r.write(string(rest[:n]))
			rest = rest[n:]
		}
		r.end()
		if got := shown(); got != want {
			t.Errorf("in pieces of %d:\n%s\nwant\n%s", size, got, want)
		}
	}
	var pipe bytes.Buffer
	r := &reply{prose: prose{s: newScreen(&pipe)}}
	r.write(text)
	if r.end(); pipe.String() != text+"\n" {
		t.Errorf("a pipe got\n%s", pipe.String())
	}
}

func TestBarOnATerminal(t *testing.T) {
	for _, c := range []struct {
		columns uint16
		want    string
	}{
		{80, "reading shop  █████████░░░░░░░░░░░░░░░░░   37 %  1,500 of 4,000  750/s  3 s left"},
		{200, "reading shop  ███████████████░░░░░░░░░░░░░░░░░░░░░░░░░   37 %  1,500 of 4,000  750/s  3 s left"},
		{40, "reading shop   37 %  1,500 of 4,000"},
	} {
		got := barLine("reading shop", 1500, 4000, 2*time.Second, int(c.columns))
		if got != c.want || cells(got) > int(c.columns) {
			t.Errorf("%d columns: %q, want %q", c.columns, got, c.want)
		}
	}
	s, shown := pseudo(t, 80)
	cmd := &cli{stderr: s}
	synctest.Test(t, func(t *testing.T) {
		for i := range int64(1000) {
			cmd.progress("reading shop", i, 1000)
			time.Sleep(time.Millisecond)
			if i == 500 {
				io.WriteString(s, "a line of the log\n")
			}
		}
		cmd.progress("reading shop", 1000, 1000)
	})
	got := shown()
	if n := strings.Count(got, "reading"); n < 5 || n > 11 {
		t.Errorf("the bar was drawn %d times in a second, want at most 10: %q", n, got)
	}
	if !strings.HasSuffix(got, eraseLine) || !strings.Contains(got, eraseLine+"a line of the log\n"+eraseLine) {
		t.Errorf("the bar stays behind: %q", got)
	}
}

func TestBarOnAPipe(t *testing.T) {
	var pipe bytes.Buffer
	cmd := &cli{stderr: newScreen(&pipe)}
	synctest.Test(t, func(t *testing.T) {
		for i := range int64(100) {
			cmd.progress("reading shop", i, 100)
			time.Sleep(120 * time.Millisecond)
		}
		cmd.progress("reading shop", 100, 100)
		cmd.progress("quick", 1, 1)
		cmd.progress("A remark.", 0, 0)
	})
	want := "reading shop: 42 % 42 of 100 8/s 7 s left\nreading shop: 84 % 84 of 100 8/s 2 s left\nreading shop: took 12 s\nA remark.\n"
	if got := pipe.String(); got != want {
		t.Errorf("on a pipe:\n%s\nwant\n%s", got, want)
	}
}

// The program itself has colours on a terminal, not on a pipe, each stream by itself.
func TestProgramOnATerminal(t *testing.T) {
	for _, c := range []struct {
		name, noColour string
		piped, want    bool
	}{{"terminal", "", false, true}, {"NO_COLOR", "1", false, false}, {"pipe", "", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			master, tty := openPty(t, 80)
			cmd := exec.Command(executable(), "doctor", "--offline")
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), append(program, "TERM=xterm", "NO_COLOR="+c.noColour)...)
			var pipe bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			if c.piped {
				cmd.Stdout = &pipe
			}
			shown := make(chan []byte)
			go func() {
				b, _ := io.ReadAll(master)
				shown <- b
			}()
			err := cmd.Run()
			tty.Close()
			got := string(<-shown) + pipe.String()
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			if strings.Contains(got, "\x1b[1m") != c.want || !strings.Contains(got, "configuration") {
				t.Errorf("colours are wrong:\n%q", got)
			}
		})
	}
}
