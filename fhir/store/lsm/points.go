package lsm

import (
	"bytes"
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

// points looks up single keys of a snapshot. An iterator of each key space is
// kept open, because a search looks up many keys near each other: moving an
// iterator costs a part of what a look-up by itself does. The value of a key is
// valid until the next look-up in the same space.
type points struct {
	snap  *pebble.Snapshot
	iters []spaceIter
}

type spaceIter struct {
	space byte
	iter  *pebble.Iterator
}

// Get implements getter.
func (p *points) Get(key []byte) ([]byte, io.Closer, error) {
	it, err := p.in(key[0])
	if err != nil {
		return nil, nil, err
	}
	if !it.SeekGE(key) {
		if err := it.Error(); err != nil {
			return nil, nil, err
		}
		return nil, nil, pebble.ErrNotFound
	}
	if !bytes.Equal(it.Key(), key) {
		return nil, nil, pebble.ErrNotFound
	}
	value, err := it.ValueAndErr()
	return value, stays{}, err
}

// in returns the iterator of a key space.
func (p *points) in(space byte) (*pebble.Iterator, error) {
	for i := range p.iters {
		if p.iters[i].space == space {
			return p.iters[i].iter, nil
		}
	}
	it, err := p.snap.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
	if err == nil {
		p.iters = append(p.iters, spaceIter{space, it})
	}
	return it, err
}

func (p *points) close() error {
	var err error
	for _, s := range p.iters {
		err = errors.Join(err, s.iter.Close())
	}
	return err
}

// stays is the closer of a value that its iterator keeps.
type stays struct{}

func (stays) Close() error { return nil }
