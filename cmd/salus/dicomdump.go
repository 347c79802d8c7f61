package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/fault"
)

// dicomDumpCmd is `salus dicom dump`.
type dicomDumpCmd struct {
	File string `arg:"" help:"File to print."`
}

// Run prints one line for each element.
func (c *dicomDumpCmd) Run(t *terminal) error {
	f, err := os.Open(c.File)
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "the file cannot be opened")
	}
	defer f.Close()
	file, err := part10.Read(f, part10.Options{})
	if err != nil {
		return err
	}
	w := bufio.NewWriter(t.out)
	syntax, _ := dicom.LookupUID(file.TransferSyntax)
	fmt.Fprintf(w, "# transfer syntax %s %s\n", file.TransferSyntax, syntax.Name)
	dumpDataset(w, file.Meta, "")
	dumpDataset(w, file.Dataset, "")
	if layout, err := part10.LayoutOf(file); err != nil {
		fmt.Fprintf(w, "# frames: %s\n", fault.As(err).Message)
	} else if layout != nil {
		fmt.Fprintf(w, "# frames: %d\n", layout.Frames)
	}
	return w.Flush()
}

func dumpDataset(w io.Writer, d *dicom.Dataset, indent string) {
	for i := range d.Elements {
		e := &d.Elements[i]
		name := "(private)"
		if a, ok := dicom.Lookup(e.Tag); ok {
			name = a.Name
		} else if by := d.PrivateCreator(e.Tag); by != "" {
			name = "(private, " + by + ")"
		}
		fmt.Fprintf(w, "%s%s %s %-56s # %s\n", indent, e.Tag, e.VR, dumpValue(d, e), name)
		for n, item := range e.Items {
			fmt.Fprintf(w, "%s  item %d\n", indent, n+1)
			dumpDataset(w, item, indent+"    ")
		}
	}
}

// dumpWidth is how many characters of a value are shown.
const dumpWidth = 54

func dumpValue(d *dicom.Dataset, e *dicom.Element) string {
	var s string
	switch {
	case e.Items != nil:
		return fmt.Sprintf("%d items", len(e.Items))
	case e.Bulk != nil && e.Bulk.Fragments != nil:
		return fmt.Sprintf("%d fragments, %d bytes at %d", max(len(e.Bulk.Fragments)-1, 0), e.Bulk.Length, e.Bulk.Offset)
	case e.Bulk != nil:
		return fmt.Sprintf("%d bytes at %d", e.Bulk.Length, e.Bulk.Offset)
	case e.VR.Text():
		s = "[" + strings.Join(d.Text(e), `\`) + "]"
		if e.VR == dicom.UI {
			if u, ok := dicom.LookupUID(d.String(e.Tag)); ok {
				s = "=" + u.Name
			}
		}
	case e.VR == dicom.AT:
		for _, n := range d.IntsOf(e) {
			s += dicom.Tag(n).String()
		}
	case e.VR == dicom.FL || e.VR == dicom.FD:
		s = join(d.Floats(e.Tag), func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) })
	case e.VR.Bulk():
		s = fmt.Sprintf("%x", e.Value[:min(len(e.Value), dumpWidth)])
	default:
		s = join(d.IntsOf(e), func(n int64) string { return strconv.FormatInt(n, 10) })
	}
	s = strconv.Quote(s)
	s = s[1 : len(s)-1] // controls are written as escapes, so that they do nothing to the terminal
	if r := []rune(s); len(r) > dumpWidth {
		s = string(r[:dumpWidth]) + "…"
	}
	return s
}

func join[T any](values []T, text func(T) string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = text(v)
	}
	return strings.Join(all, `\`)
}
