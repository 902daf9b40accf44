package httpapi

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"sync"
)

// assets are the files that are served as they are.
//
//go:embed page/index.html page/page.css page/page.js page/favicon.svg openapi.json
var assets embed.FS

// pagePolicy lets our pages load what is ours and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".json": "application/json",
}

// page is the plain page for customers.
func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	return serveFile(w, r, "page/index.html")
}

// asset serves the file that the route is named after.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Path == "/openapi.json" {
		return serveFile(w, r, "openapi.json")
	}
	return serveFile(w, r, "page"+r.URL.Path)
}

// tags are the versions of the files by name.
var tags = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	err := fs.WalkDir(assets, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := assets.ReadFile(name)
		sum := sha256.Sum256(data)
		out[name] = `"` + hex.EncodeToString(sum[:12]) + `"`
		return err
	})
	if err != nil {
		panic("httpapi: an embedded file cannot be read: " + err.Error())
	}
	return out
})

func serveFile(w http.ResponseWriter, r *http.Request, name string) error {
	data, err := assets.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the embedded file %s: %w", name, err)
	}
	tag := tags()[name]
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-cache") // ask each time: the answer is usually 304
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
