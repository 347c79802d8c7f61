package transcode

import (
	"io"

	"salus/dicom"
)

// swapping reads from a big-endian file as if it were little endian where bulk values are.
type swapping struct {
	src    io.ReaderAt
	values []value
}

// value is a run of numbers of a width.
type value struct {
	offset, length int64
	width          int64
}

// swapped makes the reader for the bulk values of a data set.
func swapped(d *dicom.Dataset, src io.ReaderAt) io.ReaderAt {
	s := &swapping{src: src}
	d.Walk(func(_ *dicom.Dataset, e *dicom.Element) bool {
		if e.Bulk != nil && e.VR.Width() > 1 {
			s.values = append(s.values, value{e.Bulk.Offset, e.Bulk.Length, int64(e.VR.Width())})
		}
		return true
	})
	return s
}

// ReadAt reads whole numbers around what is asked for, which is within one value.
func (s *swapping) ReadAt(b []byte, at int64) (int, error) {
	for _, v := range s.values {
		if at < v.offset || at >= v.offset+v.length {
			continue
		}
		from := v.offset + (at-v.offset)/v.width*v.width
		to := min(v.offset+v.length, v.offset+(at-v.offset+int64(len(b))+v.width-1)/v.width*v.width)
		all := make([]byte, to-from)
		if n, err := s.src.ReadAt(all, from); n < len(all) {
			return 0, err
		}
		for n := all; int64(len(n)) >= v.width; n = n[v.width:] {
			for i, j := int64(0), v.width-1; i < j; i, j = i+1, j-1 {
				n[i], n[j] = n[j], n[i]
			}
		}
		n := copy(b, all[at-from:])
		if n < len(b) {
			return n, io.EOF
		}
		return n, nil
	}
	return s.src.ReadAt(b, at)
}
