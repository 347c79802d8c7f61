package dicom

import "strings"

// At returns the element at a path: tags, with the numbers of items between them that count from 1, such as 00880200/1/7FE00010. It is nil when
// there is none.
func (d *Dataset) At(path string) *Element {
	steps := strings.Split(path, "/")
	for {
		t, ok := ParseTag(steps[0])
		if !ok {
			return nil
		}
		e := d.Get(t)
		if e == nil || len(steps) == 1 {
			return e
		}
		if len(steps) < 3 {
			return nil
		}
		n := 0
		for _, c := range steps[1] {
			if c < '0' || c > '9' || n > len(e.Items) {
				return nil
			}
			n = n*10 + int(c-'0')
		}
		if n < 1 || n > len(e.Items) {
			return nil
		}
		d, steps = e.Items[n-1], steps[2:]
	}
}
