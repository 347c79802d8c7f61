// Package collection reads collections of templates: a folder, or a gzipped tar of one, as the reference service's collections are kept.
package collection

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"salus/convert/liquid"
	"salus/fault"
)

// MaxSize is how many bytes the files of a collection may have, the reference service's limit.
const MaxSize = 10 << 20

// Open reads a collection from a folder or a .tar.gz file. One that is not there is a fault of kind NotFound; one that cannot be read or is too large
// is Invalid or TooLarge.
func Open(name string) ([]liquid.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "the templates are not there")
	}
	if info.IsDir() {
		root, err := os.OpenRoot(name) // a link must not lead out of it
		if err != nil {
			return nil, fault.Wrap(fault.NotFound, err, "the folder of templates cannot be read")
		}
		defer root.Close()
		return folder(root.FS())
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "the file of templates cannot be read")
	}
	defer f.Close()
	return archive(f)
}

// gatherer keeps files until they are too much.
type gatherer struct {
	files []liquid.File
	size  int64
}

func (g *gatherer) add(name string, size int64, r io.Reader) error {
	if g.size += size; g.size > MaxSize {
		return fault.New(fault.TooLarge, "the collection of templates has more than %d MiB", MaxSize>>20)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	g.files = append(g.files, liquid.File{Path: name, Content: b})
	return nil
}

func folder(from fs.FS) ([]liquid.File, error) {
	var g gatherer
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := from.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		return g.add(name, info.Size(), f)
	})
	return g.files, unreadable(err)
}

func archive(r io.Reader) ([]liquid.File, error) {
	var g gatherer
	zr, err := gzip.NewReader(r)
	if err != nil {
		return nil, unreadable(err)
	}
	for files := tar.NewReader(zr); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return g.files, nil
		}
		if err != nil {
			return nil, unreadable(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := g.add(strings.TrimPrefix(path.Clean("/"+h.Name), "/"), h.Size, files); err != nil {
			return nil, unreadable(err)
		}
	}
}

// unreadable makes a fault of what went wrong, unless it is one.
func unreadable(err error) error {
	var f *fault.Fault
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "the collection of templates cannot be read")
}

// Type returns what metadata.json says that the templates are for; empty if it says nothing.
func Type(files []liquid.File) string {
	for _, f := range files {
		var metadata struct{ Type string }
		if f.Path == "metadata.json" && json.Unmarshal(f.Content, &metadata) == nil {
			return metadata.Type
		}
	}
	return ""
}
