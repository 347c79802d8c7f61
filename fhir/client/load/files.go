package load

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"salus/fault"
)

// source is a file to load.
type source struct {
	path string
	size int64 // on disk
	rank int
}

// ranks say what to load first, by what a file's name contains: others may
// refer to these by condition (Practitioner?identifier=…), which a service
// resolves when it stores them (FHIR R4 http §3.1.0.11.2). A wrong guess costs
// a second try only.
var ranks = [][]string{
	{"hospitalinformation", "organization."},
	{"location.", "healthcareservice.", "endpoint."},
	{"practitionerinformation", "practitioner."},
	{"practitionerrole.", "medication.", "substance.", "device.", "library.", "valueset.", "codesystem.", "questionnaire."},
	{"patient.", "relatedperson.", "person.", "group."},
}

func rankOf(path string) int {
	name := strings.ToLower(filepath.Base(path))
	for rank, names := range ranks {
		for _, n := range names {
			// Exports number their files: Patient.000.ndjson; some with a dash: Patient-1.ndjson.
			if strings.HasPrefix(strings.ReplaceAll(name, "-", "."), n) {
				return rank
			}
		}
	}
	return len(ranks)
}

// format tells by a file's name how to read it.
func format(path string) (lines, zipped, known bool) {
	name, zipped := strings.CutSuffix(strings.ToLower(path), ".gz")
	lines = strings.HasSuffix(name, ".ndjson")
	return lines, zipped, lines || strings.HasSuffix(name, ".json")
}

// find lists the files at paths, folders with everything below them, ordered
// by rank and name. A path that does not exist is NotFound; a file named
// outright that is neither JSON nor NDJSON is Invalid.
func find(paths []string) ([]source, error) {
	var found []source
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, pathFault(p, err)
		}
		if !info.IsDir() {
			if _, _, known := format(p); !known {
				return nil, fault.New(fault.Invalid, "%s: a file to load ends in .json, .ndjson, .json.gz or .ndjson.gz", p)
			}
			found = append(found, source{p, info.Size(), rankOf(p)})
			continue
		}
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return pathFault(path, err)
			}
			if _, _, known := format(path); !known || !d.Type().IsRegular() {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return pathFault(path, err)
			}
			found = append(found, source{path, info.Size(), rankOf(path)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, func(a, b source) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.path, b.path))
	})
	return slices.CompactFunc(found, func(a, b source) bool { return a.path == b.path }), nil
}

func pathFault(path string, err error) error {
	switch {
	case os.IsNotExist(err):
		return fault.Wrap(fault.NotFound, err, "%s: there is no such file or folder", path)
	case os.IsPermission(err):
		return fault.Wrap(fault.Forbidden, err, "%s: no permission to read", path)
	}
	return fault.Wrap(fault.Internal, err, "%s: cannot be read", path)
}
