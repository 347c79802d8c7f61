// Package fhir is the vocabulary of the FHIR service: resource trees over raw
// JSON, types, ids, references, instants and stored bodies.
//
// It promises that bytes are kept: a decimal keeps its digits, properties keep
// their order, unknown extensions survive. It knows no definitions (package
// spec), no rules beyond JSON itself (package validate) and no storage.
package fhir

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Type is the name of a resource type, such as "Patient".
type Type string

// ID is a logical id: [A-Za-z0-9\-.]{1,64} (FHIR R4 datatypes id).
type ID string

// Key names a resource on this service.
type Key struct {
	Type Type
	ID   ID
}

// String returns "Type/id".
func (k Key) String() string { return string(k.Type) + "/" + string(k.ID) }

// NewID returns a random id (a UUID of version 4), as the service assigns on create.
func NewID() ID { return ID(uuid.NewString()) }

// ValidID reports whether s obeys the rule of the id data type.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// InstantLayout is the layout in which the service writes instants; its
// precision is the millisecond.
const InstantLayout = "2006-01-02T15:04:05.000Z07:00"

// FormatInstant renders t in UTC with milliseconds, as in meta.lastUpdated.
func FormatInstant(t time.Time) string { return t.UTC().Format(InstantLayout) }

// Reference is a literal reference taken apart (FHIR R4 references §2.3.0.1).
//
//	Patient/1                        Type, ID
//	Patient/1/_history/2             Type, ID, Version
//	http://other/fhir/Patient/1      Base, Type, ID
//	123                              ID only
//	urn:uuid:…, http://x/y#z         URL only
//	#contained                       Fragment only
type Reference struct {
	Base     string // of an absolute RESTful URL, without trailing slash
	Type     Type
	ID       ID
	Version  string
	Fragment string
	URL      string // the whole text, when it is not in one of the RESTful forms
}

// Local reports whether r names a resource by type and id without a base.
func (r Reference) Local() bool { return r.Base == "" && r.Type != "" && r.ID != "" }

// Key returns the resource that r names by type and id.
func (r Reference) Key() Key { return Key{r.Type, r.ID} }

// String renders r as the text it stands for.
func (r Reference) String() string {
	if r.URL != "" {
		return r.URL
	}
	var b strings.Builder
	if r.Base != "" {
		b.WriteString(r.Base)
		b.WriteByte('/')
	}
	if r.Type != "" {
		b.WriteString(string(r.Type))
		b.WriteByte('/')
	}
	b.WriteString(string(r.ID))
	if r.Version != "" {
		b.WriteString("/_history/")
		b.WriteString(r.Version)
	}
	if r.Fragment != "" {
		b.WriteByte('#')
		b.WriteString(r.Fragment)
	}
	return b.String()
}

// ParseReference takes a literal reference apart. isType tells resource type
// names from other path segments. What is in no RESTful form comes back as URL.
func ParseReference(s string, isType func(Type) bool) Reference {
	if strings.HasPrefix(s, "#") && len(s) > 1 { // a lone # stands for the container
		return Reference{Fragment: s[1:]}
	}
	whole := s
	var r Reference
	if strings.IndexByte(s, '#') >= 0 || strings.HasPrefix(s, "urn:") {
		return Reference{URL: whole}
	}
	if i := strings.Index(s, "/_history/"); i >= 0 {
		r.Version, s = s[i+len("/_history/"):], s[:i]
		if !ValidID(r.Version) {
			return Reference{URL: whole}
		}
	}
	slash := strings.LastIndexByte(s, '/')
	if slash < 0 {
		if !ValidID(s) || r.Version != "" {
			return Reference{URL: whole}
		}
		return Reference{ID: ID(s)}
	}
	id, rest := s[slash+1:], s[:slash]
	base, typ := "", rest
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		base, typ = rest[:i], rest[i+1:]
		if !isBase(base) {
			return Reference{URL: whole}
		}
	}
	if !ValidID(id) || !isType(Type(typ)) {
		return Reference{URL: whole}
	}
	r.Base, r.Type, r.ID = base, Type(typ), ID(id)
	return r
}

// isBase reports whether s can be the base of a service: scheme, authority and
// path. A search that has a URL in it (Patient?identifier=http://…) is none.
func isBase(s string) bool {
	i := strings.Index(s, "://")
	return i > 0 && strings.IndexAny(s, "/?") > i && strings.IndexByte(s, '?') < 0
}

// Method is the HTTP verb by which a version came about.
type Method uint8

// The methods that make versions. Purge marks in the change log that a
// resource and its versions were removed.
const (
	Post Method = iota + 1
	Put
	Patch
	Delete
	Purge
)

var methodNames = [...]string{"", "POST", "PUT", "PATCH", "DELETE", "PURGE"}

// String returns the verb in upper case.
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return ""
}

// Version is one version of a resource as it is kept.
type Version struct {
	Key
	Number  int64     // meta.versionId: 1, 2, …
	Updated time.Time // meta.lastUpdated, milliseconds, UTC
	Method  Method
	Body    Body // empty when Deleted
}

// Deleted reports whether this version says that the resource was deleted.
func (v Version) Deleted() bool { return v.Method == Delete || v.Method == Purge }

// AppendJSON appends the version's JSON, with its id, versionId and lastUpdated, to dst.
func (v Version) AppendJSON(dst []byte) []byte { return v.Body.AppendJSON(dst, v.Number, v.Updated) }

// JSON returns the version's JSON, with its id, versionId and lastUpdated.
func (v Version) JSON() []byte {
	return v.AppendJSON(make([]byte, 0, len(v.Body.JSON)+stampSize))
}
