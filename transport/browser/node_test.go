package browser

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aila/transport/browser/browsertest"
)

// What the tests below need beyond Go.
const (
	needNode     = "Node 20.11 or newer: https://nodejs.org"
	needModules  = "the packages of the tests: cd transport/browser && npm ci"
	needChromium = "Chromium: apt-get install chromium, or set CHROMIUM to where one is"
)

// built is where esbuild puts the tests; inside node_modules, so that they find its packages.
const built = "node_modules/.cache/aila-test"

// need skips the test with what is missing; in CI that is a failure.
func need(t *testing.T, ok bool, what string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("this test needs " + what)
	}
	t.Skip("this test needs " + what)
}

func needScripts(t *testing.T) {
	t.Helper()
	version, err := exec.Command("node", "--version").Output()
	need(t, err == nil && newEnough(string(version)), needNode)
	_, err = os.Stat("node_modules/playwright-core")
	need(t, err == nil, needModules)
}

// newEnough tells whether a version such as v20.11.0 has the test runner that is needed.
func newEnough(version string) bool {
	var major, minor int
	n, _ := fmt.Sscanf(version, "v%d.%d", &major, &minor)
	return n == 2 && (major > 20 || major == 20 && minor >= 11)
}

// run runs a command here and fails with what it printed.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(os.Environ(), env...)
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// readAll touches all files below some folders: what other processes read of them, the cache
// of go test does not see.
func readAll(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // somebody's temporary file
			}
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "dist" || d.Name() == "bin" || d.Name() == ".git") {
				return filepath.SkipDir
			}
			os.Stat(path)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// scripts bundles the tests for Node and gives those of a kind.
func scripts(t *testing.T, kind string) []string {
	t.Helper()
	sources, err := filepath.Glob("test/*." + kind + ".ts")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no tests of the kind %s: %v", kind, err)
	}
	out := filepath.Join(built, kind)
	run(t, nil, "go", append([]string{"tool", "esbuild", "--bundle", "--platform=node", "--format=esm", "--packages=external",
		"--log-level=warning", "--outdir=" + out}, sources...)...)
	var made []string
	for _, s := range sources {
		made = append(made, filepath.Join(out, strings.TrimSuffix(filepath.Base(s), ".ts")+".js"))
	}
	return made
}

// node runs scripts one after the other and logs what they measured.
func node(t *testing.T, env []string, scripts []string) {
	t.Helper()
	args := []string{"--test", "--test-concurrency=1", "--test-reporter=spec", "--test-timeout=240000"}
	for line := range strings.Lines(run(t, env, "node", append(args, scripts...)...)) {
		if strings.HasPrefix(strings.TrimSpace(line), "ℹ") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

func TestTypes(t *testing.T) {
	needScripts(t)
	readAll(t, "src", "page", "test")
	tsc := "node_modules/typescript/bin/tsc"
	run(t, nil, "node", tsc, "-p", "tsconfig.json")
	run(t, nil, "node", tsc, "-p", "tsconfig.test.json")

	dir := t.TempDir()
	run(t, nil, "node", tsc, "-p", "tsconfig.types.json", "--outDir", dir)
	made, err := filepath.Glob(filepath.Join(dir, "*.d.ts"))
	if err != nil || len(made) == 0 {
		t.Fatalf("no declarations: %v", err)
	}
	for _, path := range made {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if got, _ := os.ReadFile(filepath.Join("dist/types", name)); string(got) != string(want) {
			t.Errorf("dist/types/%s is not what its source gives: run npm run types in transport/browser", name)
		}
	}
}

// TestScripts runs the client's unit tests and decodes and encodes the golden vectors of proto.
func TestScripts(t *testing.T) {
	needScripts(t)
	readAll(t, "src", "test", "../../proto/testdata/frames")
	node(t, nil, scripts(t, "test"))
}

// TestChromium holds the page and the client to their word, in a real browser against the
// real server.
func TestChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes two minutes")
	}
	needScripts(t)
	path := browsertest.Chromium()
	need(t, path != "", needChromium)
	readAll(t, "../..")
	bin := filepath.Join(t.TempDir(), "aila")
	run(t, nil, "go", "build", "-buildvcs=false", "-o", bin, "../../cmd/aila")
	node(t, []string{"BIN=" + bin, "CHROMIUM=" + path}, scripts(t, "chromium"))
}
