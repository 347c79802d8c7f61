package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
)

// compatMark begins a remark on a deviation from the standard, or on behaviour
// that was taken over from another service.
const compatMark = "Compat:"

// quirk is such a remark.
type quirk struct{ place, text string }

// compat collects the remarks in the comments of the sources, by package.
func compat(root string) ([]quirk, error) {
	var found []quirk
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || (name == "docs" || name == "demo")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, c := range file.Comments {
			for _, paragraph := range strings.Split(c.Text(), "\n\n") {
				if text := remark(paragraph); text != "" {
					found = append(found, quirk{name, text})
				}
			}
		}
		return nil
	})
	return found, err
}

// remark returns the sentences of a paragraph from the one with the mark on, "" without one.
func remark(paragraph string) string {
	text := strings.Join(strings.Fields(paragraph), " ")
	before, after, ok := strings.Cut(text, compatMark)
	if !ok {
		return ""
	}
	start := strings.LastIndex(before, ". ")
	if start < 0 {
		start = -2
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(before[start+2:]+after), " "), "( ", "(")
}
