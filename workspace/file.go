package workspace

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"salus/fault"
)

// Read reads a start-up file. name is how the file is called in errors. A file
// that breaks rules gives an Invalid fault with one issue for each of them and
// its line as Location; one that asks only for kinds of services that are not
// in this build gives NotSupported.
func Read(name string, r io.Reader) (Workspace, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(r)
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return Workspace{}, fault.New(fault.Invalid, "%s is empty; it must name a workspace and its services", name)
		}
		return Workspace{}, fault.New(fault.Invalid, "%s is not YAML: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	f := file{name: name}
	w := f.workspace(doc.Content[0])
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.refuse(&doc, "one file describes one workspace; there is a second document")
	}
	if len(f.issues) > 0 {
		return Workspace{}, f.fault()
	}
	return w, nil
}

// file collects what is wrong with a start-up file.
type file struct {
	name        string
	issues      []fault.Issue
	unsupported int // how many of issues are about kinds that are not there
}

func (f *file) refuse(at *yaml.Node, format string, args ...any) {
	f.issues = append(f.issues, fault.Issue{
		Text:     fmt.Sprintf(format, args...),
		Location: fmt.Sprintf("%s line %d", f.name, at.Line),
	})
}

func (f *file) fault() error {
	kind := fault.Invalid
	if f.unsupported == len(f.issues) {
		kind = fault.NotSupported
	}
	return fault.With(kind, f.issues...)
}

func (f *file) workspace(n *yaml.Node) Workspace {
	fields := f.mapping(n, "the file", "workspace", "services")
	var w Workspace
	if name, ok := f.text(fields, "workspace", n); ok {
		if err := CheckName(name); err != nil {
			f.refuse(fields["workspace"], "workspace: %s", fault.As(err).Message)
		}
		w.Name = name
	}
	list := fields["services"]
	if list == nil {
		f.refuse(n, "services: missing")
		return w
	}
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		f.refuse(list, "services: must be a list of at least one service")
		return w
	}
	seen := map[string]int{}
	for _, item := range list.Content {
		s := f.service(item)
		if first := seen[s.Name]; first > 0 && s.Name != "" {
			f.refuse(item, "name: the service %q is already on line %d", s.Name, first)
		}
		seen[s.Name] = item.Line
		w.Services = append(w.Services, s)
	}
	return w
}

func (f *file) service(n *yaml.Node) Service {
	fields := f.mapping(n, "a service", "name", "kind", "settings")
	var s Service
	if fields == nil {
		return s
	}
	if name, ok := f.text(fields, "name", n); ok {
		if err := CheckServiceName(name); err != nil {
			f.refuse(fields["name"], "name: %s", fault.As(err).Message)
		}
		s.Name = name
	}
	if kind, ok := f.text(fields, "kind", n); ok {
		s.Kind = Kind(kind)
		switch {
		case slices.Contains(Kinds(), s.Kind):
		case slices.Contains(planned, s.Kind):
			f.unsupported++
			f.refuse(fields["kind"], "kind: %s services are not in this build; it has: %s", kind, kinds())
		default:
			f.refuse(fields["kind"], "kind: there is no such kind; there are: %s", kinds())
		}
	}
	if set := fields["settings"]; set != nil {
		switch s.Kind {
		case FHIR:
			s.FHIR = f.fhirSettings(set)
		case DICOM:
			s.DICOM = f.dicomSettings(set)
		}
	}
	return s
}

// mapping returns the values of a mapping by key. It refuses other nodes, keys
// that are not among known, and keys that occur twice.
func (f *file) mapping(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		f.refuse(n, "%s must be a mapping with the keys %s", what, strings.Join(known, ", "))
		return nil
	}
	fields := make(map[string]*yaml.Node, len(known))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !slices.Contains(known, key.Value):
			f.refuse(key, "%s: unknown key; %s has the keys %s", key.Value, what, strings.Join(known, ", "))
		case fields[key.Value] != nil:
			f.refuse(key, "%s: the key occurs twice", key.Value)
		default:
			fields[key.Value] = n.Content[i+1]
		}
	}
	return fields
}

// text returns the string under key; it refuses its absence. parent is where
// the key should have been.
func (f *file) text(fields map[string]*yaml.Node, key string, parent *yaml.Node) (string, bool) {
	if fields == nil {
		return "", false
	}
	n := fields[key]
	switch {
	case n == nil:
		f.refuse(parent, "%s: missing", key)
	case n.Kind != yaml.ScalarNode || n.Tag != "!!str":
		f.refuse(n, "%s: must be a string", key)
	default:
		return n.Value, true
	}
	return "", false
}

func kinds() string {
	names := make([]string, 0, len(Kinds()))
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}
