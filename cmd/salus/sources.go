package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"salus/fault"
)

// origin says where the value of a setting came from.
type origin string

const fromDefault origin = "default"

// effective is what the sources come to: checked settings, and for each the
// text it was given as and its origin.
type effective struct {
	settings
	texts   map[string]string
	origins map[string]origin
	unused  []string // SALUS_ variables that no setting has
}

// gather takes every setting from the first source that has it: flags, then
// the environment, then the file that one of these names, then the default. It
// reports all that is wrong at once, as an Invalid fault.
func gather(flags map[string]string, environ []string) (*effective, error) {
	env := variables(environ)
	e := &effective{texts: map[string]string{}, origins: map[string]origin{}, unused: unusedVariables(env)}

	var issues []fault.Issue
	name := flags["config"]
	if name == "" {
		name = env["SALUS_CONFIG"]
	}
	inFile, wrong := readFile(name)
	issues = append(issues, wrong...)

	for _, r := range table {
		text, from, given := r.preset, fromDefault, r.preset != ""
		if v, ok := inFile[r.name]; ok {
			text, from, given = v, origin(name), true
		}
		if v, ok := env[r.env()]; ok {
			text, from, given = v, origin(r.env()), true
		}
		if v, ok := flags[r.name]; ok {
			text, from, given = v, origin(r.flag()), true
		}
		e.texts[r.name], e.origins[r.name] = text, from
		if !given {
			continue
		}
		if err := r.set(&e.settings, text); err != nil {
			place := string(from)
			if place == name && name != "" {
				place += ": " + r.name
			}
			issues = append(issues, fault.Issue{Text: fmt.Sprintf("%s: %v", place, err)})
		}
	}
	if len(issues) > 0 {
		return nil, fault.With(fault.Invalid, issues...)
	}
	return e, e.agree()
}

// agree checks what settings demand of each other.
func (e *effective) agree() error {
	if e.Demo && e.origins["open"] != fromDefault && !e.Open {
		return fault.New(fault.Invalid, "demo serves without authentication; it cannot be combined with open: false (%s)", e.origins["open"])
	}
	e.Open = e.Open || e.Demo
	if !loopback(e.Listen) {
		if e.Open {
			return fault.New(fault.Invalid, "%s: without authentication only loopback addresses may be listened on, such as 127.0.0.1:8080", e.origins["listen"])
		}
		return fault.New(fault.Invalid, "%s: this build has no authentication yet and so listens on loopback addresses only, such as 127.0.0.1:8080", e.origins["listen"])
	}
	if (e.DIMSECert == "") != (e.DIMSEKey == "") || e.DIMSECert == "" && e.DIMSECA != "" {
		return fault.New(fault.Invalid, "dimse-cert and dimse-key belong together, and dimse-ca needs both")
	}
	if e.DIMSE != "" && !loopback(e.DIMSE) && e.DIMSECA == "" {
		return fault.New(fault.Invalid, "%s: associations from other machines need dimse-ca, by which callers are verified; an AE title proves nothing", e.origins["dimse"])
	}
	if e.Data == "" && !e.Demo {
		dir, err := userData()
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "there is no user data directory; name one with --data")
		}
		e.Data, e.texts["data"] = dir, dir
	}
	return nil
}

// variables returns the environment's variables that start with SALUS_, apart
// from those that belong to tests. Empty ones count as absent.
func variables(environ []string) map[string]string {
	env := map[string]string{}
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(k, "SALUS_") && !strings.HasPrefix(k, "SALUS_TEST_") && v != "" {
			env[k] = v
		}
	}
	return env
}

// unusedVariables returns the names in env that neither a row nor another
// command has. They are worth a warning, not a refusal: a cluster sets variables
// of its own, such as SALUS_SERVICE_HOST for a service that is called salus.
func unusedVariables(env map[string]string) []string {
	known := map[string]bool{}
	for _, r := range table {
		known[r.env()] = true
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[LoadCmd]()) {
		known[f.Tag.Get("env")] = true
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(env)), func(name string) bool { return known[name] })
}

// readFile returns the settings in a YAML file as text. Without a name there
// are none.
func readFile(name string) (map[string]string, []fault.Issue) {
	if name == "" {
		return nil, nil
	}
	refuse := func(format string, args ...any) []fault.Issue {
		return []fault.Issue{{Text: name + ": " + fmt.Sprintf(format, args...)}}
	}
	k := koanf.New("\x00") // keys are plain names: nothing nests
	if err := k.Load(file.Provider(name), yaml.Parser()); err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, refuse("%v", pe.Err)
		}
		return nil, refuse("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	values := map[string]string{}
	var issues []fault.Issue
	raw := k.Raw()
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		r, ok := rowNamed(key)
		switch {
		case !ok:
			issues = append(issues, refuse("%s: unknown setting%s", key, nearest(key))...)
		case r.noFile:
			issues = append(issues, refuse("%s: belongs on the command line or in %s", key, r.env())...)
		default:
			text, ok := scalar(raw[key])
			if !ok {
				issues = append(issues, refuse("%s: must be a single value", key)...)
				continue
			}
			values[key] = text
		}
	}
	return values, issues
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int, int64, uint64:
		return fmt.Sprint(v), true
	}
	return "", false
}

// nearest suggests the setting that key may have meant.
func nearest(key string) string {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(s))
	}
	for _, r := range table {
		if plain(r.name) == plain(key) || strings.HasPrefix(plain(r.name), plain(key)) && len(key) > 2 {
			return "; did you mean " + r.name + "?"
		}
	}
	return "; the settings are listed in docs/configuration.md"
}

// flagSet is the table as kong wants flags: a struct with one field for each
// row. Unset ones stay nil.
type flagSet struct{ fields reflect.Value }

func newFlagSet() flagSet {
	fields := make([]reflect.StructField, 0, len(table))
	for _, r := range table {
		tag := fmt.Sprintf(`name:%q help:%q`, r.name, r.help+" ($"+r.env()+")"+defaultNote(r))
		typ := reflect.TypeFor[*string]()
		if r.isSwitch() {
			typ = reflect.TypeFor[*bool]()
		} else {
			tag += fmt.Sprintf(` placeholder:%q`, r.value)
		}
		fields = append(fields, reflect.StructField{Name: fieldName(r.name), Type: typ, Tag: reflect.StructTag(tag)})
	}
	return flagSet{fields: reflect.New(reflect.StructOf(fields))}
}

func defaultNote(r setting) string {
	switch {
	case r.isSwitch(), r.preset == "" && r.note == "":
		return ""
	case r.note != "":
		return " Default: " + r.note + "."
	}
	return " Default: " + r.preset + "."
}

func fieldName(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func (f flagSet) plugin() kong.Plugins { return kong.Plugins{f.fields.Interface()} }

// values returns what was given on the command line.
func (f flagSet) values() map[string]string {
	given := map[string]string{}
	for i, r := range table {
		v := f.fields.Elem().Field(i)
		if !v.IsNil() {
			given[r.name] = fmt.Sprint(v.Elem().Interface())
		}
	}
	return given
}

// gather gathers from the flags and the environment of the process.
func (f flagSet) gather() (*effective, error) { return gather(f.values(), os.Environ()) }
