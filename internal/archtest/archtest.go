// Package archtest holds the house to its plan: which package may import which,
// what a package must have, and what may not stand in the tree. Its test runs
// the checks over the whole module; adding a package means adding a line to
// Rooms.
//
// It promises to report every violation with its place and the rule, and not to
// change anything. Whether the plan is a good one is left to reviews.
package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// Module is the path of the module that is checked.
const Module = "salus"

// Package is what the go command says of a package.
type Package struct {
	Dir          string
	ImportPath   string
	Name         string
	Doc          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// Path returns the package's path below the module: "fhir/store".
func (p Package) Path() string { return strings.TrimPrefix(p.ImportPath, Module+"/") }

// Load lists the packages of the module at root, also those that do not compile.
func Load(root string) ([]Package, error) {
	out, err := goCommand(root, "list", "-e", "-json", "./...")
	if err != nil {
		return nil, err
	}
	var all []Package
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the list of packages: %w", err)
		}
		all = append(all, p)
	}
}

// Direct returns the paths of the modules that the module at root requires
// itself.
func Direct(root string) ([]string, error) {
	out, err := goCommand(root, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return nil, fmt.Errorf("read go.mod: %w", err)
	}
	var direct []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	slices.Sort(direct)
	return direct, nil
}

func goCommand(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, ee.Stderr)
	}
	return out, err
}
