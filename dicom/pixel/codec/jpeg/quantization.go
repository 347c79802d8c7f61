package jpeg

import "encoding/binary"

// luminance and chrominance are the tables of T.81 §K.1, row by row.
var (
	luminance = [blockSize]int{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
	chrominance = [blockSize]int{
		17, 18, 24, 47, 99, 99, 99, 99,
		18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99,
		47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
	}
)

// scaled returns a table for a quality, on the scale of the IJG's programs: 50 is the table itself, 100 is all ones. largest is 255 for eight
// bits of precision (T.81 §B.2.4.1).
func scaled(table *[blockSize]int, quality, largest int) (q [blockSize]uint16) {
	percent := 200 - 2*quality
	if quality < 50 {
		percent = 5000 / quality
	}
	for k, at := range zigzag {
		q[k] = uint16(min(max((table[at]*percent+50)/100, 1), largest))
	}
	return q
}

// appendQuantizer appends a table as DQT (T.81 §B.2.4.1), in 16 bits if the precision permits.
func appendQuantizer(out []byte, q *[blockSize]uint16, number byte, precision int) []byte {
	width := 1
	if precision > 8 {
		width = 2
	}
	out = append(out, 0xFF, markerDQT)
	out = binary.BigEndian.AppendUint16(out, uint16(3+width*blockSize))
	out = append(out, byte(width-1)<<4|number)
	for _, v := range q {
		if width == 2 {
			out = append(out, byte(v>>8))
		}
		out = append(out, byte(v))
	}
	return out
}
