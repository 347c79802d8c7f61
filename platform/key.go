package platform

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"

	"salus/fault"
)

// keySize is the length of a key in bytes: as long as the SHA-256 it feeds.
const keySize = 32

// readKey returns the secret in the file name below dir. The first start
// makes it, so that links to further pages outlive a restart. The caller holds the lock of the
// directory's store.
func readKey(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the data directory cannot be opened")
	}
	defer root.Close() // a handle without buffers
	key, err := root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(root, name)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the key file %s cannot be read", name)
	}
	if len(key) != keySize {
		return nil, fault.New(fault.Unprocessable, "the key file %s has %d bytes and not %d; without it a new one is made", name, len(key), keySize)
	}
	return key, nil
}

// makeKey writes a new key under a temporary name, so that no crash leaves half
// of one.
func makeKey(root *os.Root, name string) ([]byte, error) {
	key := make([]byte, keySize)
	if _, err := io.ReadFull(rand.Reader, key); err != nil {
		return nil, err
	}
	err := func() error {
		f, err := root.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(key)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		return root.Rename(name+".new", name)
	}()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the key file %s cannot be written", name)
	}
	return key, nil
}
