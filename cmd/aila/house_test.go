package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository as this package's tests see it.
const root = "../.."

// The sizes that keep a file, a function and a Receive readable, in lines.
const (
	maxFile     = 400
	maxFunction = 60
	maxReceive  = 30
)

// rule is who a package may know. The first rule that matches a package counts.
type rule struct {
	// packages matches directories, as in path.Match; a last element of ... means all below.
	packages string
	// may are the packages of ours that it may import.
	may []string
	// never are the packages of others that it must not.
	never []string
	// tests are the packages of ours that its tests may import besides.
	tests []string
}

// rules is the import table of the house: proto is the language and knows nobody; transport
// and actors speak it and do not know each other; cmd/aila introduces them.
var rules = []rule{
	{packages: "proto", never: []string{"net", "net/http", "os", "os/exec", "io/fs", "syscall", "log", "database/sql", "github.com/coder/websocket"}},
	{packages: "transport/...", may: []string{"proto"}, never: []string{"github.com/asynkron/protoactor-go"}, tests: []string{"transport/..."}},
	{packages: "actors", may: []string{"proto", "actors/voice", "actors/journal"}, never: []string{"net/http", "github.com/coder/websocket"}, tests: []string{"actors/..."}},
	{packages: "actors/voice", never: []string{"github.com/asynkron/protoactor-go"}, tests: []string{"actors/voice/..."}},
	{packages: "actors/journal", never: []string{"github.com/asynkron/protoactor-go"}, tests: []string{"actors/journal/..."}},
	{packages: "actors/voice/...", may: []string{"actors/voice"}, never: []string{"github.com/asynkron/protoactor-go"}, tests: []string{"actors/voice/..."}},
	{packages: "actors/journal/...", may: []string{"actors/journal"}, never: []string{"github.com/asynkron/protoactor-go"}, tests: []string{"actors/journal/..."}},
	{packages: "cmd/...", may: []string{"..."}},
}

// goFile is one Go file of ours.
type goFile struct {
	path string // from the root, with slashes
	text []byte
	file *ast.File
	set  *token.FileSet
}

func (s goFile) lines(n ast.Node) int {
	return s.set.Position(n.End()).Line - s.set.Position(n.Pos()).Line + 1
}

// TestHouseImports keeps the rooms apart.
func TestHouseImports(t *testing.T) {
	for _, s := range sourcesOfOurs(t) {
		dir := path.Dir(s.path)
		r, ok := ruleOf(dir)
		if !ok {
			t.Errorf("%s: no rule of the house names the package %s", s.path, dir)
			continue
		}
		test := strings.HasSuffix(s.path, "_test.go")
		for _, spec := range s.file.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			if why := r.forbids(dir, imported, test); why != "" {
				t.Errorf("%s imports %s: %s", s.path, imported, why)
			}
		}
	}
}

// forbids says why a package in dir must not import another, or nothing.
func (r rule) forbids(dir, imported string, test bool) string {
	ours, isOurs := strings.CutPrefix(imported, "aila/")
	if isOurs {
		may := r.may
		if test {
			may = slices.Concat(may, r.tests, []string{dir})
		}
		if slices.ContainsFunc(may, func(p string) bool { return under(p, ours) }) {
			return ""
		}
		return fmt.Sprintf("%s may know only %s of ours", r.packages, orNobody(may))
	}
	for _, n := range r.never {
		// A test may read its golden files.
		if test && (n == "os" || n == "io/fs") {
			continue
		}
		if imported == n || strings.Contains(n, ".") && strings.HasPrefix(imported, n+"/") {
			return r.packages + " must not know it"
		}
	}
	return ""
}

func orNobody(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

func ruleOf(dir string) (rule, bool) {
	for _, r := range rules {
		if under(r.packages, dir) {
			return r, true
		}
	}
	return rule{}, false
}

// under tells whether a pattern of the rules matches a directory.
func under(pattern, dir string) bool {
	above, all := strings.CutSuffix(pattern, "...")
	above = strings.TrimSuffix(above, "/")
	return dir == pattern || all && (above == "" || dir == above || strings.HasPrefix(dir, above+"/"))
}

// TestHouseRulesBite shows that the table forbids what it is there to forbid.
func TestHouseRulesBite(t *testing.T) {
	for _, row := range []struct {
		dir, imported string
		test, bad     bool
	}{
		{"proto", "net/http", false, true},
		{"proto", "aila/actors", false, true},
		{"proto", "os", true, false},
		{"proto", "encoding/json", false, false},
		{"transport", "aila/actors", false, true},
		{"transport", "aila/actors", true, true},
		{"transport", "aila/proto", false, false},
		{"transport/operator", "github.com/asynkron/protoactor-go/actor", false, true},
		{"actors", "net/http", false, true},
		{"actors", "net", false, false},
		{"actors", "github.com/coder/websocket/wsjson", false, true},
		{"actors", "aila/transport", true, true},
		{"actors", "aila/actors/voice/openai", false, true},
		{"actors/voice", "aila/proto", false, true},
		{"actors/voice", "aila/actors/voice/voicetest", true, false},
		{"actors/voice/openai", "aila/actors", false, true},
		{"actors/voice/openai", "aila/actors/voice", false, false},
		{"cmd/aila", "aila/actors", false, false},
	} {
		r, ok := ruleOf(row.dir)
		if !ok {
			t.Fatalf("no rule for %s", row.dir)
		}
		if why := r.forbids(row.dir, row.imported, row.test); (why != "") != row.bad {
			t.Errorf("%s importing %s: got %q, want forbidden %v", row.dir, row.imported, why, row.bad)
		}
	}
}

// TestHouseSizes keeps what is read at once small enough to be read at once.
func TestHouseSizes(t *testing.T) {
	for _, s := range sourcesOfOurs(t) {
		if n := bytes.Count(s.text, []byte("\n")); n > maxFile {
			t.Errorf("%s has %d lines, want at most %d", s.path, n, maxFile)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			// A test is as long as its table.
			if !ok || strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			most := maxFunction
			if f.Name.Name == "Receive" && f.Recv != nil {
				most = maxReceive
			}
			if n := s.lines(f); n > most {
				t.Errorf("%s: %s has %d lines, want at most %d", s.path, f.Name.Name, n, most)
			}
		}
	}
}

// TestHouseNames keeps packages from being drawers.
func TestHouseNames(t *testing.T) {
	drawers := []string{"util", "utils", "common", "types", "models", "helpers", "shared", "misc", "base"}
	for _, s := range sourcesOfOurs(t) {
		name := strings.TrimSuffix(s.file.Name.Name, "_test")
		if slices.Contains(drawers, name) || slices.Contains(drawers, path.Base(path.Dir(s.path))) {
			t.Errorf("%s: the package is called %s, which says nothing", s.path, name)
		}
	}
}

// TestHouseMailboxes keeps out the mailboxes that make a waiting sender spin.
func TestHouseMailboxes(t *testing.T) {
	for _, s := range sourcesOfOurs(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := selector.X.(*ast.Ident)
			if ok && from.Name == "actor" && (selector.Sel.Name == "Bounded" || selector.Sel.Name == "BoundedDropping") {
				t.Errorf("%s uses actor.%s: mailboxes are unbounded, memory is bounded by credit", s.set.Position(n.Pos()), selector.Sel.Name)
			}
			return true
		})
	}
}

// TestHouseTopLevel keeps the top level as it was given.
func TestHouseTopLevel(t *testing.T) {
	given := []string{"LICENSE", "Makefile", "README.md", "actors", "cmd", "go.mod", "go.sum", "proto", "transport"}
	ignored := ignoredNames(t)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		name := e.Name()
		skip := func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }
		if strings.HasPrefix(name, ".") || slices.ContainsFunc(ignored, skip) {
			continue
		}
		found = append(found, name)
	}
	if !slices.Equal(found, given) {
		t.Errorf("the top level is %v, want %v", found, given)
	}
}

func ignoredNames(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		names = append(names, strings.Trim(strings.TrimSpace(line), "/"))
	}
	return names
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// sourcesOfOurs parses every Go file of the repository that people write.
func sourcesOfOurs(t *testing.T) []goFile {
	t.Helper()
	var all []goFile
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil || generated.Match(text) {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		all = append(all, goFile{filepath.ToSlash(rel), text, file, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("found no sources")
	}
	return all
}
