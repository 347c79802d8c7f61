package load

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"

	"salus/fault"
	"salus/fhir"
)

// maxUnitBytes ends a unit that is built, however few resources it has.
const maxUnitBytes = 4 << 20

// flaw says that a part of a file cannot be sent.
type flaw struct {
	place int // entry or line, 0 for the file
	typ   fhir.Type
	err   error
}

func (f flaw) Error() string { return f.err.Error() }

// Unwrap returns what is wrong.
func (f flaw) Unwrap() error { return f.err }

// counter tells how far a file has been read.
type counter struct {
	r io.Reader
	f func(n int)
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.f(n)
	return n, err
}

// units reads a file. It yields units, and flaws between them; each is the
// receiver's to keep. read is told the bytes that were read from the disk.
func units(s source, batch int, read func(int)) iter.Seq2[*unit, error] {
	return func(yield func(*unit, error) bool) {
		file, err := os.Open(s.path)
		if err != nil {
			yield(nil, flaw{err: pathFault(s.path, err)})
			return
		}
		defer file.Close()
		lines, zipped, _ := format(s.path)
		var r io.Reader = counter{file, read}
		if zipped {
			z, err := gzip.NewReader(bufio.NewReaderSize(r, 64<<10))
			if err != nil {
				yield(nil, flaw{err: fault.Wrap(fault.Invalid, err, "is not compressed as its name says")})
				return
			}
			defer z.Close()
			r = z
		}
		b := builder{file: s.path, batch: batch, yield: yield}
		if lines {
			b.lines(bufio.NewReaderSize(r, 256<<10))
			return
		}
		text, err := io.ReadAll(r)
		if err != nil {
			yield(nil, flaw{err: fault.Wrap(fault.Invalid, err, "cannot be read to its end")})
			return
		}
		b.document(text)
	}
}

// builder collects items to units.
type builder struct {
	file  string
	batch int
	yield func(*unit, error) bool

	next *unit
	size int
	keys map[fhir.Key]struct{}
	done int
	left bool // the receiver wants no more
}

func (b *builder) give(u *unit) {
	u.file, u.index = b.file, b.done
	b.done++
	b.left = b.left || !b.yield(u, nil)
}

func (b *builder) flaw(place int, typ fhir.Type, err error) {
	b.left = b.left || !b.yield(nil, flaw{place, fhir.Type(strings.Clone(string(typ))), err})
}

// flush gives away what is collected.
func (b *builder) flush() {
	if b.next != nil && !b.left {
		b.give(b.next)
	}
	b.next, b.size, b.keys = nil, 0, nil
}

// add collects a resource. A transaction may hold a resource once (FHIR R4
// http §3.1.0.11.2), so the second begins another unit.
func (b *builder) add(place int, n fhir.Node, fullURL string, whole bool) {
	if n.Kind() != fhir.Object || n.Type() == "" {
		b.flaw(place, "", fault.New(fault.Invalid, "is no resource: it has no resourceType"))
		return
	}
	key := fhir.Key{Type: fhir.Type(strings.Clone(string(n.Type()))), ID: fhir.ID(strings.Clone(string(n.ID())))}
	_, twice := b.keys[key]
	if !whole && b.next != nil && (len(b.next.items) >= b.batch || b.size >= maxUnitBytes || key.ID != "" && twice) {
		b.flush()
	}
	if b.next == nil {
		b.next, b.keys = &unit{whole: whole}, make(map[fhir.Key]struct{}, b.batch)
	}
	it := newItem(place, n, fullURL)
	b.next.items = append(b.next.items, it)
	b.next.conditional = b.next.conditional || hasCondition(n)
	b.keys[key] = struct{}{}
	b.size += len(it.entry)
}

func (b *builder) lines(r *bufio.Reader) {
	for place := 1; !b.left; place++ {
		line, err := r.ReadBytes('\n')
		if text := bytes.TrimSpace(line); len(text) > 0 {
			b.line(place, text)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			b.flaw(place, "", fault.Wrap(fault.Invalid, err, "cannot be read to its end"))
			break
		}
	}
	b.flush()
}

func (b *builder) line(place int, text []byte) {
	d, err := fhir.Parse(text)
	if err != nil {
		b.flaw(place, "", err)
		return
	}
	defer d.Release()
	b.add(place, d.Root(), "", false)
}

// document takes a file with one JSON text: a bundle or another resource.
func (b *builder) document(text []byte) {
	d, err := fhir.Parse(text)
	if err != nil {
		b.flaw(0, "", err)
		return
	}
	defer d.Release()
	root := d.Root()
	if root.Type() != "Bundle" {
		b.add(1, root, "", false)
		b.flush()
		return
	}
	switch kind := root.Get("type").Text(); kind {
	case "transaction", "batch":
		b.asItIs(root, text, kind == "batch")
	case "collection", "searchset", "document", "message":
		b.collection(root)
	case "history":
		b.flaw(0, "Bundle", fault.New(fault.Invalid, "a bundle of type history holds versions, not resources to load"))
	default:
		b.flaw(0, "Bundle", fault.New(fault.Invalid, "a bundle needs a type that says what to do with it"))
	}
}

func (b *builder) asItIs(root fhir.Node, text []byte, batch bool) {
	u := &unit{body: text, batch: batch, conditional: hasCondition(root)}
	place := 0
	for e := range root.Get("entry").Children {
		place++
		typ := e.Get("resource").Type()
		if typ == "" { // such as a DELETE
			before, _, _ := strings.Cut(e.Path("request", "url").Text(), "/")
			typ = fhir.Type(before)
		}
		u.items = append(u.items, item{place: place, typ: fhir.Type(strings.Clone(string(typ)))})
	}
	b.give(u)
}

// collection takes the resources out of a bundle. They stay together when
// they refer to each other by full URLs that mean nothing outside it.
func (b *builder) collection(root fhir.Node) {
	entries := root.Get("entry")
	whole := false
	for e := range entries.Children {
		whole = whole || strings.HasPrefix(e.Get("fullUrl").Text(), "urn:")
	}
	place := 0
	for e := range entries.Children {
		place++
		if b.left {
			return
		}
		fullURL := e.Get("fullUrl").Text()
		if !whole {
			fullURL = ""
		}
		if e.Path("search", "mode").Text() == "outcome" {
			continue
		}
		b.add(place, e.Get("resource"), fullURL, whole)
	}
	b.flush()
}
