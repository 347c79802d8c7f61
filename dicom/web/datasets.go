package web

import (
	"errors"
	"io"
	"mime/multipart"
	"os"
	"strings"

	"salus/dicom"
	"salus/dicom/jsonmodel"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// maxDataSets is the most bytes of data sets in one request; bulk data is not counted.
const maxDataSets = 64 << 20

// piece is a part with bulk data that has been put aside.
type piece struct {
	dicom.Bulk
	transferSyntax string
}

// readDataSets reads data sets as DICOM JSON and the parts of bulk data that they name by their addresses (PS3.18 §8.6.1.2.2), and gives the files
// that these make. Bulk data waits in a file that has no name any more, so that memory is constant and nothing stays behind.
func readDataSets(r *multipart.Reader) (parts, error) {
	first, err := nextPart(r)
	if errors.Is(err, io.EOF) {
		return parts{func() (io.Reader, error) { return nil, io.EOF }, nothing}, nil
	}
	if err != nil {
		return parts{}, err
	}
	if kind := partType(first.Header); kind != "" && kind != typeJSON {
		return parts{}, fault.New(fault.MediaType, "the first part must be %s", typeJSON)
	}
	text, err := io.ReadAll(io.LimitReader(whole{first}, maxDataSets+1))
	if err != nil {
		return parts{}, bodyFault(err)
	}
	if len(text) > maxDataSets {
		return parts{}, fault.New(fault.TooLarge, "the data sets are larger than %d MiB together", maxDataSets>>20)
	}
	sets, err := jsonmodel.DecodeBulk(text)
	if err != nil {
		return parts{}, err
	}
	aside, err := os.CreateTemp("", "salus-")
	if err != nil {
		return parts{}, fault.Wrap(fault.Unavailable, err, "bulk data cannot be put aside")
	}
	err = os.Remove(aside.Name())
	var pieces map[string]piece
	if err == nil {
		pieces, err = putAside(r, aside)
	}
	if err != nil {
		aside.Close()
		return parts{}, err
	}
	next := func() (io.Reader, error) {
		if len(sets) == 0 {
			return nil, io.EOF
		}
		set := sets[0]
		sets = sets[1:]
		f, err := assemble(set, pieces)
		if err != nil {
			return nil, err
		}
		read, write := io.Pipe()
		go func() { write.CloseWithError(part10.WriteFile(write, f, aside)) }()
		return read, nil
	}
	return parts{next, func() { aside.Close() }}, nil
}

// putAside writes the parts of bulk data into a file, and returns their places by their addresses.
func putAside(r *multipart.Reader, to *os.File) (map[string]piece, error) {
	pieces := map[string]piece{}
	at := int64(0)
	for {
		p, err := nextPart(r)
		if errors.Is(err, io.EOF) {
			return pieces, nil
		}
		if err != nil {
			return nil, err
		}
		address := p.Header.Get("Content-Location")
		if _, twice := pieces[address]; address == "" || twice {
			return nil, fault.New(fault.Invalid, "each part of bulk data needs a Content-Location of its own (PS3.18 §8.6.1.2.2)")
		}
		n, err := io.Copy(to, whole{p})
		if err != nil {
			return nil, bodyFault(err)
		}
		if n%2 == 1 { // values have an even length (PS3.5 §7.1.1)
			if _, err := to.Write([]byte{0}); err != nil {
				return nil, err
			}
			n++
		}
		_, params := looseMedia(p.Header.Get("Content-Type"))
		pieces[address] = piece{dicom.Bulk{Offset: at, Length: n}, params["transfer-syntax"]}
		at += n
	}
}

// assemble makes the file of a data set. Its transfer syntax is what its pixel data is in, or explicit VR little endian.
func assemble(set jsonmodel.Set, pieces map[string]piece) (*part10.File, error) {
	d := set.Dataset
	syntax := uid.ExplicitVRLittleEndian
	for _, b := range set.Bulk {
		p, ok := pieces[b.URI]
		if !ok {
			return nil, fault.New(fault.Invalid, "%s names bulk data that no part has", b.Path)
		}
		e := d.At(b.Path)
		place := p.Bulk
		if e.Bulk = &place; b.Path == tag.PixelData.Hex() && p.transferSyntax != "" {
			syntax = p.transferSyntax
		}
	}
	if u, ok := dicom.LookupUID(syntax); !ok || u.Kind != "Transfer Syntax" || part10.SyntaxOf(syntax).BigEndian || part10.SyntaxOf(syntax).Deflated {
		return nil, fault.New(fault.Invalid, "the transfer-syntax of pixel data is none that bulk data can be in")
	}
	if e := d.Get(tag.PixelData); e != nil && e.Bulk != nil && part10.SyntaxOf(syntax).Encapsulated {
		if n := d.String(tag.NumberOfFrames); n != "" && strings.TrimSpace(n) != "1" {
			return nil, fault.New(fault.Invalid, "compressed pixel data of several frames cannot be stored as bulk data, but as a file")
		}
		e.VR, e.Undefined = dicom.OB, true
		e.Bulk.Fragments = []dicom.Fragment{{}, {Offset: e.Bulk.Offset, Length: e.Bulk.Length}}
	}
	// The archive says what is wrong with a data set that has no UIDs.
	meta, err := part10.NewMeta(d, syntax)
	if err != nil {
		meta = dicom.New(dicom.Text(tag.TransferSyntaxUID, dicom.UI, syntax))
		part10.SetGroupLength(meta)
	}
	return &part10.File{Preamble: make([]byte, 128), Meta: meta, TransferSyntax: syntax, Dataset: d}, nil
}
