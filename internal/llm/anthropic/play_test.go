package anthropic

import (
	"net/http"
	"testing"

	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// provider returns a provider that asks a server which answers with handle.
func provider(t testing.TB, handle http.HandlerFunc) *Provider {
	t.Helper()
	return configured(t, wire.Config{Base: wiretest.Serve(t, handle), Key: wiretest.Key})
}

func configured(t testing.TB, c wire.Config) *Provider {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
