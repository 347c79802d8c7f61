package workspace

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FHIRSettings are the settings of a service of kind fhir. The zero value is
// what a service without settings has.
type FHIRSettings struct {
	Strict               bool              // FHIR R4's rules where the reference service has others (compat: strict instead of azure)
	Versioning           string            // one of Policies; empty for versioned
	TypeVersioning       map[string]string // resource type to one of Policies, where it differs
	ReferentialIntegrity bool              // references must lead somewhere, and what is referred to cannot be deleted
	CORS                 CORS
	// Templates are the collections of templates for $convert-data: folders or .tar.gz files by the reference that requests have for them.
	Templates map[string]string
}

// CORS says which pages of other origins may use a service (Fetch standard,
// §3.2). Without Origins none may.
type CORS struct {
	Origins     []string // such as https://app.example.org, or * for all
	Methods     []string
	Headers     []string // or * for all
	MaxAge      int      // seconds that an answer to a preflight may be kept; 0 for not at all
	Credentials bool
}

// The versioning policies of a resource type (FHIR R4 capabilitystatement
// §5.2, value set versioning-policy). The reference's control plane spells
// the last one version-update, which is read too.
const (
	Versioned       = "versioned"
	NoVersion       = "no-version"
	VersionedUpdate = "versioned-update"
)

// Policies are the versioning policies.
func Policies() []string { return []string{Versioned, NoVersion, VersionedUpdate} }

func (f *file) fhirSettings(n *yaml.Node) FHIRSettings {
	fields := f.mapping(n, "settings of a fhir service", "compat", "versioning", "referentialIntegrity", "cors", "templates")
	var s FHIRSettings
	if at := fields["compat"]; at != nil {
		s.Strict = f.choice(at, "compat", "azure", "strict") == "strict"
	}
	if at := fields["versioning"]; at != nil {
		f.versioning(at, &s)
	}
	if at := fields["referentialIntegrity"]; at != nil {
		s.ReferentialIntegrity = f.truth(at, "referentialIntegrity")
	}
	if at := fields["cors"]; at != nil {
		s.CORS = f.cors(at)
	}
	if at := fields["templates"]; at != nil {
		s.Templates = f.texts(at, "templates", false)
	}
	return s
}

func (f *file) versioning(n *yaml.Node, s *FHIRSettings) {
	fields := f.mapping(n, "versioning", "default", "types")
	if at := fields["default"]; at != nil {
		s.Versioning = f.policy(at, "default")
	}
	types := fields["types"]
	if types == nil {
		return
	}
	if types.Kind != yaml.MappingNode {
		f.refuse(types, "types: must be a mapping from resource types to policies")
		return
	}
	s.TypeVersioning = map[string]string{}
	for i := 0; i+1 < len(types.Content); i += 2 {
		name := types.Content[i]
		if _, twice := s.TypeVersioning[name.Value]; twice {
			f.refuse(name, "%s: the key occurs twice", name.Value)
		}
		s.TypeVersioning[name.Value] = f.policy(types.Content[i+1], name.Value)
	}
}

func (f *file) policy(n *yaml.Node, key string) string {
	if n.Kind == yaml.ScalarNode && n.Value == "version-update" {
		return VersionedUpdate
	}
	return f.choice(n, key, Policies()...)
}

func (f *file) cors(n *yaml.Node) CORS {
	fields := f.mapping(n, "cors", "origins", "methods", "headers", "maxAge", "credentials")
	var c CORS
	for key, list := range map[string]*[]string{"origins": &c.Origins, "methods": &c.Methods, "headers": &c.Headers} {
		if at := fields[key]; at != nil {
			*list = f.list(at, key)
		}
	}
	if at := fields["maxAge"]; at != nil {
		age, err := strconv.Atoi(at.Value)
		if at.Kind != yaml.ScalarNode || err != nil || age < 0 {
			f.refuse(at, "maxAge: must be a number of seconds from 0")
		}
		c.MaxAge = age
	}
	if at := fields["credentials"]; at != nil {
		c.Credentials = f.truth(at, "credentials")
	}
	for _, origin := range c.Origins {
		if origin != "*" && !isOrigin(origin) {
			f.refuse(fields["origins"], "origins: must be * or have scheme and host, such as https://app.example.org:8443, and nothing after them")
		}
	}
	if c.Credentials && slices.Contains(c.Origins, "*") {
		f.refuse(n, "cors: credentials cannot be allowed to every origin")
	}
	return c
}

// isOrigin reports whether s is the origin of a page as browsers write it
// (Fetch standard §3.1).
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.Contains(u.Host, "*") && u.Scheme+"://"+u.Host == s
}

// choice returns the value of a node that must be one of allowed.
func (f *file) choice(n *yaml.Node, key string, allowed ...string) string {
	if n.Kind != yaml.ScalarNode || !slices.Contains(allowed, n.Value) {
		f.refuse(n, "%s: must be one of %s", key, strings.Join(allowed, ", "))
		return ""
	}
	return n.Value
}

func (f *file) truth(n *yaml.Node, key string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		f.refuse(n, "%s: must be true or false", key)
	}
	return n.Value == "true"
}

func (f *file) list(n *yaml.Node, key string) []string {
	if n.Kind != yaml.SequenceNode {
		f.refuse(n, "%s: must be a list of strings", key)
		return nil
	}
	list := make([]string, 0, len(n.Content))
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || item.Tag != "!!str" {
			f.refuse(item, "%s: must be a list of strings", key)
			continue
		}
		list = append(list, item.Value)
	}
	return list
}
