package browser

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aila/proto"
)

// maxClient is what the client and its worklet may weigh together, gzipped.
const maxClient = 25 << 10

func serve(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	Register(mux.Handle)
	return mux
}

func get(h http.Handler, path string, header http.Header) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestEveryFileIsServedWithItsType(t *testing.T) {
	h := serve(t)
	for path, want := range map[string]string{
		"/":                       "text/html; charset=utf-8",
		"/page/page.js":           "text/javascript; charset=utf-8",
		"/page/page.css":          "text/css; charset=utf-8",
		"/page/icon.svg":          "image/svg+xml",
		"/page/speech.mp3":        "audio/mpeg",
		"/client/aila.js":         "text/javascript; charset=utf-8",
		"/client/aila.iife.js":    "text/javascript; charset=utf-8",
		"/client/aila-worklet.js": "text/javascript; charset=utf-8",
	} {
		got := get(h, path, http.Header{})
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != want {
			t.Errorf("%s: %d %q, want 200 %q", path, got.StatusCode, got.Header.Get("Content-Type"), want)
		}
		if got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: may be sniffed", path)
		}
	}
	for _, path := range []string{"/page/", "/client/", "/client/../page/index.html", "/page/index.html", "/dist/aila.js"} {
		if got := get(h, path, http.Header{}); got.StatusCode == http.StatusOK {
			t.Errorf("%s: served, want not", path)
		}
	}
}

func TestThePageMayRunNothingInline(t *testing.T) {
	got := get(serve(t), "/", http.Header{})
	csp := got.Header.Get("Content-Security-Policy")
	for _, loose := range []string{"unsafe-inline", "unsafe-eval", "blob:", "data:", "*"} {
		if strings.Contains(csp, loose) {
			t.Errorf("the policy allows %s: %s", loose, csp)
		}
	}
	if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "script-src 'self'") {
		t.Errorf("policy %q, want nothing by default and scripts of its own", csp)
	}
	if !strings.Contains(csp, "connect-src 'self' ws://example.com wss://example.com") {
		t.Errorf("policy %q, want its own sockets in it", csp)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "x; script-src *"
	w := httptest.NewRecorder()
	serve(t).ServeHTTP(w, r)
	if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "*") {
		t.Errorf("a Host got into the policy: %s", csp)
	}
	if p := got.Header.Get("Permissions-Policy"); !strings.Contains(p, "microphone=(self)") {
		t.Errorf("Permissions-Policy %q, want the microphone for itself only", p)
	}
	page, _ := io.ReadAll(got.Body)
	if inline := regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=`).Find(page); inline != nil {
		t.Errorf("the page has %q inline", inline)
	}
}

func TestPagesOfOtherOriginsMayLoadTheClientOnly(t *testing.T) {
	h := serve(t)
	for path, shared := range map[string]bool{"/client/aila.js": true, "/client/aila-worklet.js": true, "/client/aila.iife.js": true, "/": false, "/page/page.js": false} {
		header := get(h, path, http.Header{"Origin": {"https://elsewhere.example"}}).Header
		if open := header.Get("Access-Control-Allow-Origin") == "*"; open != shared {
			t.Errorf("%s: open to other origins: %v, want %v", path, open, shared)
		}
		want := map[bool]string{true: "cross-origin", false: "same-origin"}[shared]
		if got := header.Get("Cross-Origin-Resource-Policy"); got != want {
			t.Errorf("%s: Cross-Origin-Resource-Policy %q, want %q", path, got, want)
		}
	}
}

func TestWhatTheBrowserHasIsNotSentAgain(t *testing.T) {
	h := serve(t)
	for _, encoding := range []string{"", "gzip, br", "gzip;q=0", "br;q=1.0, gzip;q=0.8"} {
		header := http.Header{"Accept-Encoding": {encoding}}
		first := get(h, "/client/aila.js", header)
		zipped := strings.Contains(encoding, "gzip") && !strings.Contains(encoding, "q=0") || strings.Contains(encoding, "q=0.8")
		if got := first.Header.Get("Content-Encoding") == "gzip"; got != zipped {
			t.Errorf("accepting %q: gzipped %v, want %v", encoding, got, zipped)
		}
		header.Set("If-None-Match", first.Header.Get("ETag"))
		if again := get(h, "/client/aila.js", header); again.StatusCode != http.StatusNotModified {
			t.Errorf("accepting %q, asked again: %d, want 304", encoding, again.StatusCode)
		}
	}
}

func TestFilesAreOnlyRead(t *testing.T) {
	w := httptest.NewRecorder()
	serve(t).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q, want 405 and GET, HEAD", w.Code, w.Header().Get("Allow"))
	}
	w = httptest.NewRecorder()
	serve(t).ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d with %d bytes, want 200, a length and no body", w.Code, w.Body.Len())
	}
}

// TestBundlesAreBuiltFromTheSources does what go generate does, and compares.
func TestBundlesAreBuiltFromTheSources(t *testing.T) {
	readAll(t, "src", "page")
	dir := t.TempDir()
	text, err := os.ReadFile("browser.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^//go:generate go (tool esbuild .*)--outdir=(dist\S*)$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) != 3 {
		t.Fatalf("%d go:generate lines, want 3", len(lines))
	}
	for _, line := range lines {
		out, err := exec.Command("go", append(strings.Fields(line[1]), "--outdir="+filepath.Join(dir, line[2]))...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line[1], err, out)
		}
	}
	for _, name := range []string{"aila.js", "aila-worklet.js", "aila.iife.js", "page/page.js", "page/page.css"} {
		want, err := os.ReadFile(filepath.Join(dir, "dist", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(filepath.Join("dist", name)); !bytes.Equal(got, want) {
			t.Errorf("dist/%s is not what its sources give: run go generate ./transport/browser", name)
		}
	}
}

func TestTheClientIsSmall(t *testing.T) {
	var sizes []int
	for _, name := range []string{"dist/aila.js", "dist/aila-worklet.js"} {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var zipped bytes.Buffer
		w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		w.Write(b)
		w.Close()
		sizes = append(sizes, zipped.Len())
	}
	t.Logf("gzipped: client %d bytes, worklet %d bytes", sizes[0], sizes[1])
	if sum := sizes[0] + sizes[1]; sum >= maxClient {
		t.Errorf("client and worklet weigh %d bytes gzipped, want under %d", sum, maxClient)
	}
}

// TestTypesNameTheFieldsOfProto holds the TypeScript of the server's messages against the Go.
func TestTypesNameTheFieldsOfProto(t *testing.T) {
	text, err := os.ReadFile("src/proto.ts")
	if err != nil {
		t.Fatal(err)
	}
	for name, message := range map[string]any{
		"Format": proto.Format{}, "ResumeGrant": proto.ResumeGrant{}, "Limits": proto.Limits{}, "Range": proto.Range{},
		"SessionStarted": proto.SessionStarted{}, "SessionResumed": proto.SessionResumed{}, "SessionState": proto.SessionState{},
		"SessionEnded": proto.SessionEnded{}, "AudioEnd": proto.AudioEnd{}, "SpeechStarted": proto.SpeechStarted{},
		"SpeechStopped": proto.SpeechStopped{}, "Interrupted": proto.Interrupted{}, "Transcript": proto.Transcript{},
		"GapOut": proto.GapOut{}, "Notice": proto.Notice{}, "AckOut": proto.AckOut{}, "GoAway": proto.GoAway{},
		"Fault": proto.Fault{}, "Pong": proto.Pong{},
	} {
		want := fieldsOf(reflect.TypeOf(message))
		got := fieldsIn(string(text), name)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("src/proto.ts: %s has %v, in Go it has %v", name, got, want)
		}
	}
	for _, code := range proto.Codes {
		if !strings.Contains(string(text), `| "`+string(code)+`"`) {
			t.Errorf("src/proto.ts: no error code %q", code)
		}
	}
}

// fieldsOf gives the JSON names of a struct; those that may be absent end in a question mark.
func fieldsOf(s reflect.Type) (names []string) {
	for f := range s.Fields() {
		if f.Anonymous {
			names = append(names, fieldsOf(f.Type)...)
			continue
		}
		name, opt, _ := strings.Cut(f.Tag.Get("json"), ",")
		if strings.Contains(opt, "omitempty") || strings.Contains(opt, "omitzero") {
			name += "?"
		}
		names = append(names, name)
	}
	return names
}

// fieldsIn gives the fields of a TypeScript interface, but for its type.
func fieldsIn(text, name string) (names []string) {
	_, body, _ := strings.Cut(text, "export interface "+name+" {")
	body, _, _ = strings.Cut(body, "\n}")
	for _, m := range regexp.MustCompile(`(?m)^  (\w+\??):`).FindAllStringSubmatch(body, -1) {
		if m[1] != "type" {
			names = append(names, m[1])
		}
	}
	return names
}
