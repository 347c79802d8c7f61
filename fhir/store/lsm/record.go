package lsm

import (
	"encoding/binary"
	"time"

	"salus/fault"
	"salus/fhir"
)

func appendUvarint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

// uvarint2 reads two numbers from the start of b.
func uvarint2(b []byte) (x, y uint64, rest []byte, ok bool) {
	x, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, 0, nil, false
	}
	y, m := binary.Uvarint(b[n:])
	if m <= 0 {
		return 0, 0, nil, false
	}
	return x, y, b[n+m:], true
}

// damaged is the error for stored data that cannot be read.
func damaged(what string) error { return fault.New(fault.Internal, "stored data is damaged: %s", what) }

// head is the current state of a resource. Version 0: the number is taken,
// because something refers to it, but there is no version.
type head struct {
	doc     docID
	method  fhir.Method
	version int64
	seq     seqNo
}

func (h head) live() bool { return h.version > 0 && h.method != fhir.Delete }

func (h head) append(dst []byte) []byte {
	dst = append(appendU32(dst, h.doc), byte(h.method))
	return appendUvarint(appendUvarint(dst, uint64(h.version)), h.seq)
}

func parseHead(b []byte) (head, error) {
	if len(b) < 7 {
		return head{}, damaged("head")
	}
	version, seq, _, ok := uvarint2(b[5:])
	if !ok {
		return head{}, damaged("head")
	}
	return head{binary.BigEndian.Uint32(b), fhir.Method(b[4]), int64(version), seq}, nil
}

// document is what is known of a number: whose it is and where its current
// version is (seq 0: nowhere).
type document struct {
	typ uint16
	seq seqNo
	id  fhir.ID
}

func (d document) append(dst []byte) []byte {
	return append(appendUvarint(appendU16(dst, d.typ), d.seq), d.id...)
}

func parseDocument(b []byte) (document, error) {
	if len(b) < 3 {
		return document{}, damaged("document")
	}
	seq, n := binary.Uvarint(b[2:])
	if n <= 0 {
		return document{}, damaged("document")
	}
	return document{binary.BigEndian.Uint16(b), seq, fhir.ID(b[2+n:])}, nil
}

// record is one version as it lies in the change log. Its layout: method (1),
// type (2), document (4), milliseconds since 1970 (6), dictionary (1), then as
// uvarints version, meta offset and length of the body, then the compressed body.
type record struct {
	method  fhir.Method
	typ     uint16
	doc     docID
	updated int64 // milliseconds since 1970
	version int64
	packed  packedBody
}

// packedBody is a compressed body.
type packedBody struct {
	dict   byte // number of the dictionary, 0 for none
	meta   int
	length int
	data   []byte
}

const recordFixed = 14

func (r *record) append(dst []byte) []byte {
	dst = append(dst, byte(r.method))
	dst = appendU32(appendU16(dst, r.typ), r.doc)
	dst = append(dst, byte(r.updated>>40), byte(r.updated>>32), byte(r.updated>>24), byte(r.updated>>16), byte(r.updated>>8), byte(r.updated))
	dst = appendUvarint(append(dst, r.packed.dict), uint64(r.version))
	dst = appendUvarint(appendUvarint(dst, uint64(r.packed.meta)), uint64(r.packed.length))
	return append(dst, r.packed.data...)
}

// parseRecord reads a version record; the packed body shares b.
func parseRecord(b []byte) (record, error) {
	var r record
	if len(b) < recordFixed+3 {
		return r, damaged("version record")
	}
	r.method = fhir.Method(b[0])
	r.typ = binary.BigEndian.Uint16(b[1:])
	r.doc = binary.BigEndian.Uint32(b[3:])
	r.updated = recordTime(b)
	r.packed.dict = b[13]
	version, meta, rest, ok := uvarint2(b[recordFixed:])
	length, n := binary.Uvarint(rest)
	if !ok || n <= 0 {
		return r, damaged("version record")
	}
	r.version, r.packed.meta, r.packed.length, r.packed.data = int64(version), int(meta), int(length), rest[n:]
	return r, nil
}

// recordTime returns the milliseconds of a version record of full length.
func recordTime(b []byte) int64 {
	return int64(binary.BigEndian.Uint16(b[7:]))<<32 | int64(binary.BigEndian.Uint32(b[9:]))
}

// toVersion unpacks r as the version of the resource called key.
func (s *Store) toVersion(r *record, key fhir.Key) (fhir.Version, error) {
	v := fhir.Version{Key: key, Number: r.version, Updated: time.UnixMilli(r.updated).UTC(), Method: r.method}
	if r.packed.length == 0 {
		return v, nil
	}
	json, err := s.bodies.unpack(r.packed)
	if err != nil {
		return v, err
	}
	v.Body = fhir.ReadBody(json, r.packed.meta)
	return v, nil
}
