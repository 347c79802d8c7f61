package lsm

import (
	"salus/fhir"
)

// supersede keeps the version at an old head as one of the superseded, or drops it.
func (c *committer) supersede(claim *claim, old head, drop bool) error {
	if old.version == 0 {
		return nil
	}
	if drop {
		return c.unlog(claim, old.seq)
	}
	c.key = olderKey(c.key[:0], old.doc, old.version)
	return c.b.Set(c.key, appendUvarint(nil, old.seq), nil)
}

// unlog takes a version out of the change logs.
func (c *committer) unlog(claim *claim, seq seqNo) error {
	c.key = versionKey(c.key[:0], seq)
	if err := c.b.Delete(c.key, nil); err != nil {
		return err
	}
	c.key = typeLogKey(c.key[:0], claim.typ, seq)
	return c.b.Delete(c.key, nil)
}

// unlogOlder takes all superseded versions of a resource out of the database.
// It reads what the batch does not have yet, so a call that does this is alone in its group.
func (c *committer) unlogOlder(claim *claim, old head) error {
	prefix := olderKey(nil, old.doc, 0)[:5]
	err := scan(c.s.db, prefix, func(_, value []byte) error {
		seq, err := parseSeq(value)
		if err != nil {
			return err
		}
		return c.unlog(claim, seq)
	})
	if err != nil {
		return err
	}
	return c.b.DeleteRange(prefix, after(prefix), nil)
}

// purge removes every version of a resource and leaves a mark in the change log.
func (c *committer) purge(claim *claim, old head) error {
	if old.version == 0 {
		return nil
	}
	if err := c.unlog(claim, old.seq); err != nil {
		return err
	}
	if err := c.unlogOlder(claim, old); err != nil {
		return err
	}
	if err := c.reindex(claim, old, head{doc: old.doc}, nil); err != nil {
		return err
	}
	if err := c.store(claim, head{doc: old.doc}); err != nil {
		return err
	}
	c.seq++
	r := record{method: fhir.Purge, typ: claim.typ, doc: old.doc, updated: c.updated}
	return c.b.Set(versionKey(nil, c.seq), r.append(nil), nil)
}

// dropSuperseded removes all versions of a resource but the current one, which
// it returns without its body.
func (c *committer) dropSuperseded(key fhir.Key, claim *claim, old head) (fhir.Version, error) {
	if old.version == 0 {
		return fhir.Version{Key: key, Updated: c.time(), Method: fhir.Purge}, nil
	}
	if err := c.unlogOlder(claim, old); err != nil {
		return fhir.Version{}, err
	}
	v := fhir.Version{Key: key, Number: old.version, Method: old.method}
	found, err := get(c.s.db, versionKey(nil, old.seq), func(value []byte) error {
		rec, err := parseRecord(value)
		rec.packed = packedBody{}
		if err == nil {
			v, err = c.s.toVersion(&rec, key)
		}
		return err
	})
	if err == nil && !found {
		err = damaged("a current version is missing")
	}
	return v, err
}
