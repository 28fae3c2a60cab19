package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// pages are the files that have tables of figures, from the repository's root.
// A table stands between <!-- begin NAME --> and <!-- end NAME -->.
var pages = []string{"README.md", "README.zh-CN.md", "docs/performance.md"}

// write measures everything and puts it into the pages and drawings. Nothing
// is written unless all of it was measured. It takes about six minutes.
func write(o options) error {
	bench, err := benchModule()
	if err != nil {
		return err
	}
	root := filepath.Dir(bench)
	tables := make(map[string]string)
	o.markdown, o.json = true, false
	for _, part := range []struct {
		name    string
		measure func(options) error
	}{{"limits", limits}, {"table", table}, {"profile", profiles}, {"grow", grow}} {
		var b bytes.Buffer
		o.out, o.svg = &b, ""
		if part.name == "grow" {
			o.svg = filepath.Join(root, "docs")
		}
		if err := part.measure(o); err != nil {
			return fmt.Errorf("%s: %w; nothing is written\n%s", part.name, err, b.String())
		}
		tables[part.name] = b.String()
	}
	for _, page := range pages {
		name := filepath.Join(root, page)
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		filled := maps.Clone(tables)
		if strings.Contains(page, ".zh-CN.") {
			filled["table"] = chinese(filled["table"])
		}
		changed, err := fill(string(text), filled)
		if err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
		if err := os.WriteFile(name, []byte(changed), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", page)
	}
	return nil
}

// fill puts the tables into a page.
func fill(page string, tables map[string]string) (string, error) {
	some := false
	for name, table := range tables {
		begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
		before, rest, ok := strings.Cut(page, begin)
		if !ok {
			continue
		}
		_, after, ok := strings.Cut(rest, end)
		if !ok {
			return "", fmt.Errorf("%q without %q", strings.TrimSpace(begin), end)
		}
		page = before + begin + "\n" + strings.TrimSpace(table) + "\n\n" + end + after
		some = true
	}
	if !some {
		return "", fmt.Errorf("no place for any table")
	}
	return page, nil
}
