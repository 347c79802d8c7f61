package lsm

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// catalogue numbers what keys name shortly: resource types, search parameters
// and units. A number is written before anything that uses it (the log of the
// database keeps their order) and never changes.
type catalogue struct {
	db *pebble.DB

	mu         sync.RWMutex // protects fields below
	numbers    map[string]uint32
	next       [256]uint32 // by kind
	types      []fhir.Type // by number
	units      []unit      // by number
	signatures map[uint16][]signature
	known      map[signatureID]bool
}

// The kinds of names.
const (
	kindType  = 't'
	kindParam = 'p'
	kindUnit  = 'u'
)

// Parameters that the engine itself keeps for each type. No search parameter has such a name.
const (
	paramLive    = "#live"    // no term: documents with a live current version
	paramPresent = "#present" // signature: which parameters have values
	paramUpdated = "#updated" // bucket of sequence numbers
)

type unit struct{ system, code string }

// signature is a set of parameters for which some documents have values. A
// document is in the posting of exactly one, so what lacks a parameter is the
// union of a few postings, at the cost of one entry for each document.
type signature struct {
	hash   [8]byte
	params []uint16 // ascending
}

type signatureID struct {
	typ  uint16
	hash [8]byte
}

// signatureTerm is the term of paramPresent for a signature.
func signatureTerm(hash [8]byte) []byte { return append([]byte{tagSignature}, hash[:]...) }

func (g *signature) has(param uint16) bool {
	_, found := slices.BinarySearch(g.params, param)
	return found
}

func openCatalogue(db *pebble.DB) (*catalogue, error) {
	c := &catalogue{db: db, numbers: map[string]uint32{}, signatures: map[uint16][]signature{}, known: map[signatureID]bool{}}
	err := scan(db, []byte{spaceName}, func(key, value []byte) error {
		if len(key) < 2 || len(value) != 4 {
			return damaged("name")
		}
		c.learn(string(key[1:]), binary.BigEndian.Uint32(value))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, scan(db, []byte{spaceSignature}, func(key, value []byte) error {
		if len(key) != 11 || len(value)%2 != 0 {
			return damaged("signature")
		}
		id := signatureID{typ: binary.BigEndian.Uint16(key[1:]), hash: [8]byte(key[3:])}
		g := signature{hash: id.hash}
		for ; len(value) > 0; value = value[2:] {
			g.params = append(g.params, binary.BigEndian.Uint16(value))
		}
		c.signatures[id.typ], c.known[id] = append(c.signatures[id.typ], g), true
		return nil
	})
}

// learn keeps name = kind byte and text.
func (c *catalogue) learn(name string, n uint32) {
	c.numbers[name] = n
	kind := name[0]
	c.next[kind] = max(c.next[kind], n+1)
	switch kind {
	case kindType:
		c.types = append(c.types, make([]fhir.Type, max(0, int(n)+1-len(c.types)))...)
		c.types[n] = fhir.Type(name[1:])
	case kindUnit:
		c.units = append(c.units, make([]unit, max(0, int(n)+1-len(c.units)))...)
		system, code, _ := strings.Cut(name[1:], "\x00")
		c.units[n] = unit{system, code}
	}
}

func (c *catalogue) lookup(kind byte, text string) (uint32, bool) {
	var b [128]byte
	name := append(append(b[:0], kind), text...)
	c.mu.RLock()
	n, ok := c.numbers[string(name)]
	c.mu.RUnlock()
	return n, ok
}

// number returns the number of a name, giving one if it has none.
func (c *catalogue) number(kind byte, text string) (uint32, error) {
	if n, ok := c.lookup(kind, text); ok {
		return n, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	name := string(kind) + text
	if n, ok := c.numbers[name]; ok {
		return n, nil
	}
	n := c.next[kind]
	if kind != kindUnit && n > math.MaxUint16 {
		return 0, fault.New(fault.Internal, "a store can keep at most 65,536 types or search parameters")
	}
	key := append([]byte{spaceName}, name...)
	if err := c.db.Set(key, appendU32(nil, n), pebble.NoSync); err != nil {
		return 0, err
	}
	c.learn(name, n)
	return n, nil
}

func (c *catalogue) typ(t fhir.Type) (uint16, error) {
	n, err := c.number(kindType, string(t))
	return uint16(n), err
}

// knownType returns the number of a type of which anything was stored.
func (c *catalogue) knownType(t fhir.Type) (uint16, bool) {
	n, ok := c.lookup(kindType, string(t))
	return uint16(n), ok
}

func (c *catalogue) typeName(n uint16) fhir.Type {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if int(n) < len(c.types) {
		return c.types[n]
	}
	return ""
}

// allTypes returns the types of which anything was stored, by number.
func (c *catalogue) allTypes() []fhir.Type {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.types)
}

func (c *catalogue) param(name string) (uint16, error) {
	n, err := c.number(kindParam, name)
	return uint16(n), err
}

// knownParam returns the number of a parameter for which anything was stored.
func (c *catalogue) knownParam(name string) (uint16, bool) {
	n, ok := c.lookup(kindParam, name)
	return uint16(n), ok
}

func (c *catalogue) unit(system, code string) (uint32, error) {
	return c.number(kindUnit, system+"\x00"+code)
}

// unitOf returns the unit that has a number.
func (c *catalogue) unitOf(n uint32) unit {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if int(n) < len(c.units) {
		return c.units[n]
	}
	return unit{}
}

// unitsFor returns the numbers of the units that op takes, ascending.
func (c *catalogue) unitsFor(op search.Quantity) []uint32 {
	c.mu.RLock()
	units := c.units // only ever grows
	c.mu.RUnlock()
	var found []uint32
	for n, u := range units {
		if _, ok := op.In(u.system, u.code); ok {
			found = append(found, uint32(n))
		}
	}
	return found
}

// signature returns the hash of the set of parameters that terms have, which
// must be sorted by parameter.
func (c *catalogue) signature(typ uint16, terms []indexTerm) ([8]byte, error) {
	h := fnv.New128a()
	var params []uint16
	for i, t := range terms {
		if i == 0 || t.param != terms[i-1].param {
			params = append(params, t.param)
			h.Write([]byte{byte(t.param >> 8), byte(t.param)})
		}
	}
	id := signatureID{typ: typ, hash: [8]byte(h.Sum(nil))}
	c.mu.RLock()
	known := c.known[id]
	c.mu.RUnlock()
	if known {
		return id.hash, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[id] {
		return id.hash, nil
	}
	value := make([]byte, 0, 2*len(params))
	for _, p := range params {
		value = appendU16(value, p)
	}
	key := append(appendU16([]byte{spaceSignature}, typ), id.hash[:]...)
	if err := c.db.Set(key, value, pebble.NoSync); err != nil {
		return id.hash, err
	}
	c.signatures[typ], c.known[id] = append(c.signatures[typ], signature{id.hash, params}), true
	return id.hash, nil
}

// having returns the signatures of a type that include param.
func (c *catalogue) having(typ, param uint16) [][8]byte {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var found [][8]byte
	for i := range c.signatures[typ] {
		if g := &c.signatures[typ][i]; g.has(param) {
			found = append(found, g.hash)
		}
	}
	return found
}

// scan calls f for each key that begins with prefix; key and value are only
// valid during the call.
func scan(r pebble.Reader, prefix []byte, f func(key, value []byte) error) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = f(it.Key(), value)
		}
		if err != nil {
			return closeAfter(it, err)
		}
	}
	return closeAfter(it, it.Error())
}

// closeAfter closes it and returns err, or else what closing says.
func closeAfter(it *pebble.Iterator, err error) error {
	if cerr := it.Close(); err == nil {
		err = cerr
	}
	return err
}
