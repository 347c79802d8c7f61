package rest_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"salus/fault"
	"salus/fhir/rest"
)

func TestToken(t *testing.T) {
	t.Parallel()
	key, query, cursor := []byte("0123456789abcdef"), "search /Patient?family=x", []byte("\x00cursor\xff")
	token := rest.Seal(key, query, cursor)
	if got, err := rest.Open(key, query, token); err != nil || !bytes.Equal(got, cursor) {
		t.Fatalf("own token: %q, %v", got, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(i int) string {
		b := bytes.Clone(raw)
		b[i] ^= 1
		return base64.RawURLEncoding.EncodeToString(b)
	}
	for _, c := range []struct{ name, query, token, key string }{
		{"empty", query, "", string(key)},
		{"no base64", query, "ct!", string(key)},
		{"padding", query, token + "==", string(key)},
		{"line break", query, token[:4] + "\n" + token[4:], string(key)},
		{"line end", query, token + "\r", string(key)},
		{"cut", query, token[:len(token)-4], string(key)},
		{"too short for a tag", query, base64.RawURLEncoding.EncodeToString(raw[:10]), string(key)},
		{"other version", query, flip(0), string(key)},
		{"other tag", query, flip(3), string(key)},
		{"other cursor", query, flip(len(raw) - 1), string(key)},
		{"other query", query + "y", token, string(key)},
		{"other key", query, token, "fedcba9876543210"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := rest.Open([]byte(c.key), c.query, c.token); !fault.Is(err, fault.Invalid) {
				t.Errorf("got %q, %v; want an Invalid fault", got, err)
			}
		})
	}
}

func FuzzToken(f *testing.F) {
	key := []byte("0123456789abcdef")
	f.Add("search /Patient", rest.Seal(key, "search /Patient", []byte("cursor")), []byte("cursor"))
	f.Add("", "", []byte(nil))
	f.Add("q", "AQ", []byte{0})
	f.Fuzz(func(t *testing.T, query, token string, cursor []byte) {
		if got, err := rest.Open(key, query, token); err == nil && rest.Seal(key, query, got) != token {
			t.Errorf("a token was accepted that was not made here")
		}
		own := rest.Seal(key, query, cursor)
		if got, err := rest.Open(key, query, own); err != nil || !bytes.Equal(got, cursor) {
			t.Errorf("own token refused: %v", err)
		}
		if _, err := rest.Open(key, query+"x", own); err == nil {
			t.Errorf("a token was accepted with another query")
		}
	})
}
