package lsm

import (
	"encoding/binary"

	"salus/fhir/search"
)

// near returns the resources with a position that is near enough. A term holds
// the position itself, so that what a range has too much is left out by it.
func (q *query) near(at place, op search.Near) (set, error) {
	var parts []set
	for _, r := range op.Ranges() {
		lower, upper := at.key(tagPosition, appendU64(nil, uint64(r[0]))), at.key(tagPosition, appendU64(nil, uint64(r[1])))
		s, err := q.gather(lower, after(upper), func(term []byte) bool {
			return len(term) == 9 && op.Holds(search.Cell(binary.BigEndian.Uint64(term[1:])))
		})
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return unite(parts...), nil
}
