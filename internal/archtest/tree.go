package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Sizes of a file in lines. A test may be longer than soft, since tables are.
const (
	softLines = 400
	hardLines = 800
)

// Long are files over softLines, with the reason.
var Long = map[string]string{}

// vague are names that say nothing of what a package is for.
var vague = []string{"util", "utils", "common", "helper", "helpers", "misc", "base", "models", "types", "manager", "lib", "shared"}

// Names checks how packages are called and that each says what it is.
func Names(packages []Package) []string {
	var violations []string
	for _, p := range packages {
		last := p.Path()[strings.LastIndexByte(p.Path(), '/')+1:]
		if slices.Contains(vague, last) || strings.ContainsAny(last, "_-") || last != strings.ToLower(last) {
			violations = append(violations, fmt.Sprintf("%s: a package is called by one lower-case noun of its subject", p.Path()))
		}
		if !documented(p) {
			violations = append(violations, fmt.Sprintf("%s: has no package comment", p.Path()))
		}
	}
	return violations
}

// documented reports whether a file of p has a package comment. The go command
// does not say so of packages that are tests alone.
func documented(p Package) bool {
	if p.Doc != "" || len(p.GoFiles) > 0 {
		return p.Doc != ""
	}
	return slices.ContainsFunc(slices.Concat(p.TestGoFiles, p.XTestGoFiles), func(name string) bool {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		return err == nil && f.Doc.Text() != ""
	})
}

// The patterns are written so that they do not match themselves.
var (
	unfinished = regexp.MustCompile(`\b(T[O]DO|F[I]XME)\b`)
	elsewhere  = regexp.MustCompile(`/(w[o]rk|r[o]ot|h[o]me/[a-z]+)/|pr[o]xy\.golang|registr[y]\.npmjs|d[e]b\.debian`)
)

// Tree checks the text files below root: their size, and what may not stand in
// them. long are files that may be over softLines.
func Tree(root fs.FS, long map[string]string) ([]string, error) {
	var violations []string
	report := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	seen := map[string]bool{}
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == ".git" || d.Name() == "testdata" || path == "dist"):
			return fs.SkipDir
		case !d.Type().IsRegular() || path == "go.sum" || path == ".git": // .git is a file in a second work tree
			return nil
		}
		b, err := fs.ReadFile(root, path)
		if errors.Is(err, os.ErrNotExist) { // removed meanwhile
			return nil
		}
		if err != nil || !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
			return err
		}
		for i, line := range bytes.Split(b, []byte("\n")) {
			if unfinished.Match(line) {
				report("%s:%d: something is left undone", path, i+1)
			}
			if elsewhere.Match(line) {
				report("%s:%d: names a place outside the project", path, i+1)
			}
		}
		if strings.HasSuffix(path, ".go") {
			seen[path] = true
			if rule := tooLong(path, b, long); rule != "" {
				report("%s", rule)
			}
		}
		return nil
	})
	for path := range long {
		if !seen[path] {
			report("%s: listed as long, but there is no such file", path)
		}
	}
	slices.Sort(violations)
	return violations, err
}

func tooLong(path string, source []byte, long map[string]string) string {
	lines := bytes.Count(source, []byte("\n"))
	test := strings.HasSuffix(path, "_test.go")
	f, err := parser.ParseFile(token.NewFileSet(), path, source, parser.PackageClauseOnly|parser.ParseComments)
	generated := err == nil && ast.IsGenerated(f)
	_, listed := long[path]
	switch {
	case generated:
		return ""
	case lines > hardLines:
		return fmt.Sprintf("%s: %d lines; no file has more than %d", path, lines, hardLines)
	case lines > softLines && !test && !listed:
		return fmt.Sprintf("%s: %d lines; over %d a file needs a line in Long with the reason", path, lines, softLines)
	case lines <= softLines && listed:
		return fmt.Sprintf("%s: listed as long, but has %d lines", path, lines)
	}
	return ""
}

// Dependencies returns a line for each of direct that page has no row for, and
// for each row without a dependency. A row starts with "| `path`".
func Dependencies(direct []string, page string) []string {
	var rows, violations []string
	for line := range strings.Lines(page) {
		if cell, ok := strings.CutPrefix(line, "| `"); ok {
			path, _, _ := strings.Cut(cell, "`")
			rows = append(rows, path)
		}
	}
	for _, d := range direct {
		if !slices.Contains(rows, d) {
			violations = append(violations, d+": required by go.mod, but docs/dependencies.md does not say what for")
		}
	}
	for _, r := range rows {
		if !slices.Contains(direct, r) {
			violations = append(violations, r+": in docs/dependencies.md, but go.mod does not require it directly")
		}
	}
	return violations
}
