package operator

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"time"
)

// The page and its bundle, which TestBundleIsThatOfTheSources builds and holds against its
// sources.
//
//go:generate go test -run TestBundleIsThatOfTheSources -update .
//go:embed console/index.html console/console.css console/icon.svg console/dist/console.js
var page embed.FS

// policy lets the page load and ask nothing but its own server, and run nothing written
// into it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// asset is one file of the page.
type asset struct {
	body []byte
	kind string
	tag  string
}

// console serves the page. It is public; what it shows it has to ask the API for.
func (a *API) console() http.Handler {
	files := map[string]asset{
		"/console":             readAsset("console/index.html", "text/html; charset=utf-8"),
		"/console/console.css": readAsset("console/console.css", "text/css; charset=utf-8"),
		"/console/console.js":  readAsset("console/dist/console.js", "text/javascript; charset=utf-8"),
		"/console/icon.svg":    readAsset("console/icon.svg", "image/svg+xml"),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, fail(http.StatusMethodNotAllowed, "method_not_allowed", "this path takes GET, HEAD"))
			return
		}
		if r.URL.Path == "/console/" {
			// Relative, so that it holds below a proxy's path too. http.Redirect would make it absolute.
			w.Header().Set("Location", "../console")
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		f, ok := files[r.URL.Path]
		if !ok {
			refuse(w, fail(http.StatusNotFound, "not_found", "no such path"))
			return
		}
		f.serve(w, r)
	})
}

// readAsset reads an embedded file; one that is missing is a mistake of the build.
func readAsset(name, kind string) asset {
	body, err := page.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return asset{body, kind, fmt.Sprintf(`"%x"`, sha256.Sum256(body))[:18] + `"`}
}

func (f asset) serve(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Type", f.kind)
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cache-Control", "no-cache")
	head.Set("ETag", f.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}
