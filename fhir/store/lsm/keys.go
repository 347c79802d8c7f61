package lsm

import (
	"encoding/binary"

	"salus/fhir"
)

// The key spaces. Each key begins with one of these bytes; DESIGN.md has the
// table of what follows. Numbers in keys are big-endian, so that byte order is
// numeric order.
const (
	spaceMeta      = 'M' // name → value: what SetState keeps
	spaceName      = 'N' // kind, name → number: types, parameters, units
	spaceSignature = 'G' // type, hash → parameters present
	spaceDict      = 'Z' // number → compression dictionary
	spaceHead      = 'H' // type, id → document, current version
	spaceDocument  = 'D' // document → type, sequence of the current version, id
	spaceVersion   = 'V' // sequence → version record with body: the change log
	spaceTypeLog   = 'C' // type, sequence → document
	spaceOlder     = 'I' // document, version → sequence of a superseded version
	spacePosting   = 'X' // parameter, term, chunk → documents
	spaceForward   = 'R' // document → its terms
	spaceWord      = 'W' // kind, word, chunk → documents: the text index
	spaceWords     = 'U' // document → its words in the text index
)

// docID is the dense number of a resource, given at its first mention and kept
// for ever. A chunk is the 65,536 documents that share the upper 16 bits.
type docID = uint32

// seqNo is the position of a version in the change log.
type seqNo = uint64

func appendU16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }
func appendU32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
func appendU64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

func headKey(dst []byte, typ uint16, id fhir.ID) []byte {
	return append(appendU16(append(dst, spaceHead), typ), id...)
}

func documentKey(dst []byte, doc docID) []byte { return appendU32(append(dst, spaceDocument), doc) }

func versionKey(dst []byte, seq seqNo) []byte { return appendU64(append(dst, spaceVersion), seq) }

func typeLogKey(dst []byte, typ uint16, seq seqNo) []byte {
	return appendU64(appendU16(append(dst, spaceTypeLog), typ), seq)
}

func olderKey(dst []byte, doc docID, version int64) []byte {
	return appendU64(appendU32(append(dst, spaceOlder), doc), uint64(version))
}

func forwardKey(dst []byte, doc docID) []byte { return appendU32(append(dst, spaceForward), doc) }

// postingPrefix is the key of a posting without its chunk.
func postingPrefix(dst []byte, param uint16, term []byte) []byte {
	return append(appendU16(append(dst, spacePosting), param), term...)
}

// chunkOf returns the chunk number at the end of a posting key.
func chunkOf(key []byte) uint32 { return binary.BigEndian.Uint32(key[len(key)-4:]) }

// termOf returns the term within a posting key.
func termOf(key []byte) []byte { return key[3 : len(key)-4] }

// after returns the least key greater than every key that begins with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
