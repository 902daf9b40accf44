package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/httpapi"
)

// TestKillWhilePromoting kills the server while it swaps, promotes and undoes. The next one
// serves what was served before or what was asked for, whole; what it confirmed is not lost.
func TestKillWhilePromoting(t *testing.T) {
	rounds := 12
	if os.Getenv("ANSWERABLE_PROOF") == "long" {
		rounds = 200
	}
	dir := t.TempDir()
	k := &promotionKiller{T: t, shop: filepath.Join(dir, "shop"), data: filepath.Join(dir, "data"), marks: map[string]string{}}
	k.write("mark-0")
	k.server = startServer(t, nil, k.shop, "--data", k.data, "--no-anonymous-limits")
	k.learn("mark-0")
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	var confirmed, unknown int
	for i := 1; i <= rounds && !t.Failed(); i++ {
		before, mark := k.status(), fmt.Sprintf("mark-%d", i)
		what := "promote"
		switch {
		case i <= rounds/4: // the folder is followed, and read anew at the start
			what = ""
		case i%4 == 0 && len(before.History) > 0 && before.History[0].Back > 0:
			what = "undo"
		}
		k.write(mark)
		done := make(chan bool, 1)
		if what != "" {
			go func() { done <- k.post("/api/releases/shop/" + what) }()
		} else {
			done <- false
		}
		time.Sleep(time.Duration(r.Int64N(int64(60 * time.Millisecond)))) // the moment of death is what is tried
		k.server.kill()
		ok := <-done
		k.server.start()
		k.learn(mark)
		after := k.status()
		k.whole(after)
		moved := after.Served.Promotion == before.Served.Promotion+1
		switch {
		case what == "" && k.marks[after.Served.Release] != mark:
			t.Errorf("round %d: the folder is %s, and served is %s", i, mark, k.marks[after.Served.Release])
		case ok && !moved, !moved && after.Served.Promotion != before.Served.Promotion:
			t.Errorf("round %d: %s was confirmed: %t; the promotion in force was %d and is %d", i, what, ok, before.Served.Promotion, after.Served.Promotion)
		case moved && what == "promote" && k.marks[after.Served.Release] != mark:
			t.Errorf("round %d: %s was promoted, and served is %s", i, mark, k.marks[after.Served.Release])
		case !moved && before.Served.Promoted && after.Served.Release != before.Served.Release:
			t.Errorf("round %d: nothing was promoted, and the release changed from %s to %s", i, k.marks[before.Served.Release], k.marks[after.Served.Release])
		}
		if ok {
			confirmed++
		} else if what != "" {
			unknown++
		}
	}
	t.Logf("%d kills, %d promotions and undos confirmed before, %d not", rounds, confirmed, unknown)
}

type promotionKiller struct {
	*testing.T
	server     *server
	shop, data string
	marks      map[string]string // by release
}

// write writes the assistant's files, each with a mark; a document goes in first.
func (k *promotionKiller) write(mark string) {
	k.Helper()
	for _, f := range []struct{ name, text string }{{"knowledge/code.md", "# Code\n\nThe code of today is " + mark + ".\n"}, {"assistant.yaml", "company: " + mark + "\n"}} {
		file := filepath.Join(k.shop, f.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(f.text), 0o600)); err != nil {
			k.Fatal(err)
		}
	}
}

// learn notes which release the folder is now.
func (k *promotionKiller) learn(mark string) {
	k.Helper()
	folder := k.status().Folder
	if folder == nil || folder.Error != "" {
		k.Fatalf("the folder is %+v", folder)
	}
	k.marks[folder.Release] = mark
}

func (k *promotionKiller) status() httpapi.ReleaseStatus {
	k.Helper()
	resp, err := http.Get(k.server.url + "/api/releases")
	if err != nil {
		k.Fatal(err)
	}
	defer resp.Body.Close()
	var all struct{ Assistants []httpapi.ReleaseStatus }
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil || len(all.Assistants) != 1 {
		k.Fatal(all, err)
	}
	return all.Assistants[0]
}

// post reports whether the server confirmed; it may die before.
func (k *promotionKiller) post(path string) bool {
	resp, err := http.Post(k.server.url+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK && err == nil {
		k.Errorf("POST %s = %s %s", path, resp.Status, body)
	}
	return resp.StatusCode == http.StatusOK
}

// whole checks that the answer comes from the documents that go with the release.
func (k *promotionKiller) whole(s httpapi.ReleaseStatus) {
	k.Helper()
	var out, errs bytes.Buffer
	if code := run(k.Context(), []string{"ask", "What is the code of today?", "--data", k.data}, nil, &out, &errs); code != exitOK {
		k.Fatalf("ask: %s", errs.String())
	}
	if want := "The code of today is " + k.marks[s.Served.Release] + "."; !strings.Contains(out.String(), want) {
		k.Errorf("release %s answers %q", k.marks[s.Served.Release], out.String())
	}
}
