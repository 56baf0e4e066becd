package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeListsEveryKnob keeps the README's table the one of config.go.
func TestReadmeListsEveryKnob(t *testing.T) {
	c := defaults()
	table := "| flag | default | |\n| --- | --- | --- |\n"
	for _, k := range knobs(&c) {
		shown := k.value.String()
		switch {
		case k.name == "max-sockets":
			shown = "" // its help says what it is
		case shown == "false":
			shown = "off"
		case shown != "":
			shown = "`" + shown + "`"
		}
		table += fmt.Sprintf("| `--%s` | %s | %s |\n", k.name, shown, strings.ReplaceAll(k.help, "`", ""))
	}
	if !strings.Contains(readme(t), "\n\n"+table+"\n") {
		t.Errorf("README.md lacks this table of flags:\n%s", table)
	}
}

// TestReadmeLinksLead finds links to files that moved.
func TestReadmeLinksLead(t *testing.T) {
	for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(readme(t), -1) {
		if _, err := os.Stat(filepath.Join(root, link[1])); err != nil {
			t.Errorf("README.md links to %s, which is not there", link[1])
		}
	}
}
