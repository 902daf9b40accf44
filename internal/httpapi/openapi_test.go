package httpapi_test

import (
	"net/http"
	"testing"
)

func checkAgainstOpenAPI(t testing.TB, method, path string, resp *http.Response) {}
