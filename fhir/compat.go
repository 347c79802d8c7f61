package fhir

// Compat says whose rule holds where the reference service, Azure Health Data
// Services, does otherwise than FHIR R4. The word and a colon mark each such place.
type Compat uint8

// Azure is the default: clients that were written for the reference service
// find what they expect.
const (
	Azure  Compat = iota // as the reference service documents it and does
	Strict               // as FHIR R4 says
)

// VersionPolicy says what becomes of superseded versions (FHIR R4
// capabilitystatement §5.2, value set versioning-policy).
type VersionPolicy uint8

// The versioning policies.
const (
	Versioned       VersionPolicy = iota // every version is kept
	NoVersion                            // only the current version is kept, though versions are counted
	VersionedUpdate                      // as Versioned, and an update has to name the version it changes
)

// String returns the policy's code.
func (p VersionPolicy) String() string {
	return [...]string{"versioned", "no-version", "versioned-update"}[p]
}

// Versioning are the policies of a service.
type Versioning struct {
	Default VersionPolicy
	Types   map[Type]VersionPolicy // where a type differs
}

// Of returns the policy of a type.
func (v Versioning) Of(t Type) VersionPolicy {
	if p, ok := v.Types[t]; ok {
		return p
	}
	return v.Default
}
