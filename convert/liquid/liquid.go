// Package liquid renders templates in the dialect of Liquid that the reference service's converter has: DotLiquid 2.0 with tags and filters for
// messages and documents.
//
// It differs from other dialects in much that templates rely on: names of variables are the same in any case; assign, capture and evaluate write
// what all templates of a rendering see; paths have numbers in them; conditions are read from right to left; an unknown filter does nothing. The
// tests say each rule. A template is compiled when it is first used, into nodes that know where their names are kept.
//
// Regular expressions are those of package regexp: without look-around and back-references, and with classes of ASCII. Their replacements are written
// as for .NET. Texts are ordered by their letters without regard to case, not by the rules of a language.
//
// Errors are [convert.Error] with the name of the template and the line. They have no value of the source in them.
package liquid

import (
	"bytes"
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"salus/convert"
	"salus/convert/jsontext"
)

// File is one file of a collection of templates.
type File struct {
	Path    string // with slashes
	Content []byte
}

// Filter is a filter that the caller adds. The first of the arguments is what it is applied to.
type Filter func(args []convert.Value) (convert.Value, error)

// Options are what all renderings of a set have in common.
type Options struct {
	Filters map[string]Filter // by name, besides those that there are
}

// Set is a collection of templates. It is safe for concurrent use.
type Set struct {
	filters     map[string]filter
	names       names
	codeMapping int       // the number of the name
	runs        sync.Pool // of *run that are not in use

	templates map[string]*template
	mappings  map[string]convert.Value // by folder
}

// template is a template, compiled when it is first asked for.
type template struct {
	set    *Set
	name   string
	source []byte
	once   sync.Once
	root   block
	err    error
}

// names gives each name of a variable a number, in whatever case it is written.
type names struct {
	mu      sync.RWMutex
	numbers map[string]int
}

func (n *names) number(name string) int {
	name = strings.ToLower(name)
	n.mu.RLock()
	i, ok := n.numbers[name]
	n.mu.RUnlock()
	if ok {
		return i
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if i, ok := n.numbers[name]; ok {
		return i
	}
	n.numbers[name] = len(n.numbers)
	return n.numbers[name]
}

// find returns the number of a name that a template has; names out of data are given none.
func (n *names) find(name string) (int, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	i, ok := n.numbers[strings.ToLower(name)]
	return i, ok
}

func (n *names) count() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.numbers)
}

const extension = ".liquid"

// New makes a set of files. Templates are *.liquid, and are called by their path without extension; of a file in a folder the underscore at the
// beginning is left out. CodeSystem/CodeSystem.json and ValueSet/ValueSet.json in a folder are the code mappings of the templates that begin there.
// Other files are passed over. Of files of one name the last counts, so that files behind others are a layer above them.
func New(files []File, o Options) (*Set, error) {
	s := &Set{templates: make(map[string]*template, len(files)), mappings: map[string]convert.Value{}}
	s.filters = make(map[string]filter, len(builtin)+len(o.Filters))
	s.names.numbers = make(map[string]int, 1024)
	s.codeMapping = s.names.number("CodeMapping")
	maps.Copy(s.filters, builtin)
	for name, f := range o.Filters {
		s.filters[name] = filter{min: 0, max: 8, call: func(c *call) (convert.Value, error) {
			return f(append([]convert.Value{c.in}, c.args...))
		}}
	}
	for _, f := range files {
		name := strings.ReplaceAll(f.Path, "\\", "/")
		content := bytes.TrimPrefix(f.Content, []byte("\xEF\xBB\xBF"))
		if strings.HasSuffix(name, extension) {
			name = strings.ReplaceAll(strings.TrimSuffix(name, extension), "/_", "/")
			s.templates[name] = &template{set: s, name: name, source: content}
		} else if folder, ok := mappingFolder(name); ok {
			v, err := readMapping(content)
			if err != nil {
				return nil, &convert.Error{Code: convert.InvalidCodeMapping, Template: name, Rule: "the code mapping is no JSON object with Mapping", Cause: err}
			}
			s.mappings[folder] = v
		}
	}
	return s, nil
}

// mappingFolder returns the folder whose templates a file of codes is for; ok is false if it is none.
func mappingFolder(name string) (folder string, ok bool) {
	dir, file := path.Split(name)
	for _, kind := range []string{"CodeSystem", "ValueSet"} {
		if file == kind+".json" && path.Base(dir) == kind {
			return clean(path.Dir(path.Clean(dir))), true
		}
	}
	return "", false
}

// readMapping reads a file of codes. An empty one has none.
func readMapping(content []byte) (convert.Value, error) {
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, nil
	}
	v, err := jsontext.Read(content, jsontext.Options{})
	if _, ok := member(v, "Mapping").(*convert.Map); !ok && err == nil {
		err = convert.Errorf(convert.InvalidCodeMapping, "there is no object Mapping")
	}
	return v, err
}

// clean returns a folder's name; empty for the one at the top.
func clean(dir string) string {
	if dir == "." || dir == "/" {
		return ""
	}
	return dir
}

// Check compiles all templates and returns what is wrong with them, in the order of their names.
func (s *Set) Check() (all []error) {
	for _, name := range slices.Sorted(maps.Keys(s.templates)) {
		if err := s.templates[name].compile(); err != nil {
			all = append(all, err)
		}
	}
	return all
}

func (t *template) compile() error {
	t.once.Do(func() {
		t.root, t.err = parse(t)
		t.source = nil
	})
	return t.err
}

// find returns a template by its name.
func (s *Set) find(name string) (*template, error) {
	t, ok := s.templates[name]
	if !ok {
		return nil, convert.Errorf(convert.TemplateNotFound, "there is no template %s", name)
	}
	return t, t.compile()
}

// Run is what one rendering knows and may do.
type Run struct {
	MaxIterations int // of one loop; 100,000 when 0
	MaxOutput     int // bytes; no limit when 0
	Now           func() time.Time
	Zone          *time.Location // of times without one; UTC when nil
	NoParent      bool           // names within templates are not relative to the folder of the root template
}

// maxIterations is how often a loop runs at most unless a Run says otherwise.
const maxIterations = 100_000

// Render renders a template with variables and appends what it writes to dst.
func (s *Set) Render(ctx context.Context, dst []byte, root string, vars map[string]convert.Value, o Run) ([]byte, error) {
	if root == "" {
		return dst, convert.Errorf(convert.NullOrEmptyRootTemplate, "no root template is named")
	}
	t, err := s.find(root)
	if err != nil {
		return dst, err
	}
	if o.MaxIterations == 0 {
		o.MaxIterations = maxIterations
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	r, _ := s.runs.Get().(*run)
	if r == nil {
		r = &run{set: s}
	}
	r.begin(ctx, dst, o)
	folder := clean(path.Dir(root))
	if !o.NoParent && folder != "" {
		r.parent = folder + "/"
	}
	if m, ok := s.mappings[folder]; ok {
		r.define("CodeMapping", m)
	}
	for name, v := range vars {
		r.define(name, v)
	}
	_, err = r.template(t)
	out := r.out
	if err == nil { // one that failed may have scopes open
		r.end()
		s.runs.Put(r)
	}
	return out, err
}
