// Package browser is Aila for browsers: a TypeScript client (src), the page that shows it
// (page), and what serves both, built and embedded. README.md is for those who use the client.
//
// dist holds what esbuild makes of the sources, so that neither Node nor a network is needed to
// build the server. After a change run go generate; a test compares.
//
// The package serves files and nothing else: the page speaks to the server through /ws.
package browser

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

//go:generate go tool esbuild src/aila.ts src/aila-worklet.ts --bundle --minify --format=esm --target=es2022 --legal-comments=none --log-level=warning --outdir=dist
//go:generate go tool esbuild src/aila.iife.ts --bundle --minify --format=iife --target=es2022 --legal-comments=none --log-level=warning --outdir=dist
//go:generate go tool esbuild page/page.ts page/page.css --bundle --minify --format=esm --target=es2022 --external:/client/aila.js --legal-comments=none --log-level=warning --outdir=dist/page

//go:embed dist page/index.html page/icon.svg page/speech.mp3
var files embed.FS

// content are the files by the path that serves them.
var content = map[string]string{
	"/":                       "page/index.html",
	"/page/page.js":           "dist/page/page.js",
	"/page/page.css":          "dist/page/page.css",
	"/page/icon.svg":          "page/icon.svg",
	"/page/speech.mp3":        "page/speech.mp3",
	"/client/aila.js":         "dist/aila.js",
	"/client/aila.iife.js":    "dist/aila.iife.js",
	"/client/aila-worklet.js": "dist/aila-worklet.js",
}

// policy is what the page may do: load its own files, speak to its own server, and nothing
// inline. Worklets are scripts to it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Register serves the demo page at / and the client below /client/.
func Register(handle func(pattern string, h http.Handler)) {
	for at, name := range content {
		f := load(name)
		f.shared = strings.HasPrefix(at, "/client/")
		if at == "/" {
			at = "/{$}"
		}
		handle(at, f)
	}
}

// file is one file, ready to be sent.
type file struct {
	plain, zipped []byte
	mime          string
	tag           string
	// shared lets pages of other origins load it.
	shared bool
}

// load reads an embedded file. That one is missing is seen when the server is built.
func load(name string) *file {
	plain, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("read embedded file: %v", err))
	}
	sum := sha256.Sum256(plain)
	f := &file{plain: plain, mime: mimeOf(name), tag: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if f.mime != "audio/mpeg" {
		f.zipped = zip(plain)
	}
	return f
}

func mimeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "audio/mpeg"
}

func zip(plain []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	w.Write(plain) // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes()
}

// ServeHTTP implements http.Handler.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		h.Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusMethodNotAllowed)
		w.Write([]byte(`{"error":{"code":"method_not_allowed","message":"this path takes GET, HEAD"}}` + "\n"))
		return
	}
	f.headers(h)
	if !f.shared {
		h.Set("Content-Security-Policy", policy+"; connect-src 'self'"+sockets(r.Host))
	}
	body, tag := f.plain, `"`+f.tag+`"`
	if f.zipped != nil && acceptsGzip(r) {
		body, tag = f.zipped, `"`+f.tag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body) // an error means that the browser left
	}
}

func (f *file) headers(h http.Header) {
	h.Set("Content-Type", f.mime)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Vary", "Accept-Encoding")
	// Asked for again each time, so that the client, its worklet and the server always match.
	h.Set("Cache-Control", "no-cache")
	if f.shared {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		return
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(self), autoplay=(self), camera=(), geolocation=(), display-capture=()")
}

// hostname is what a Host may look like that is repeated in a header.
var hostname = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]{1,5})?$`)

// sockets names the page's own server for WebSockets: to older Safaris they are not 'self'.
func sockets(host string) string {
	if !hostname.MatchString(host) {
		return ""
	}
	return " ws://" + host + " wss://" + host
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(q, " ", "") != "q=0"
		}
	}
	return false
}
