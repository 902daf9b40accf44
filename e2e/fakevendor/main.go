// Command fakevendor is a vendor's API that answers from a script, for clients in other
// languages than Go. It prints its address and ends when its standard input does.
package main

import (
	"fmt"
	"io"
	"net/http/httptest"
	"os"

	"github.com/answerable/answerable/internal/llm/llmtest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fakevendor:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: fakevendor SCRIPT")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	script, err := llmtest.Parse(os.Args[1], string(text))
	if err != nil {
		return err
	}
	server := httptest.NewServer(script.Handler())
	fmt.Println(server.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
