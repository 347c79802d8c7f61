package rest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"salus/fault"
)

// A continuation token is base64url(version ‖ tag ‖ cursor). The tag is the head
// of an HMAC-SHA256 over version, the hash of the query and the cursor, so that a
// cursor can neither be made up nor be used with another query, and the store
// never sees bytes that it did not produce itself.
const (
	tokenVersion = 1
	tokenTag     = 16
)

// signer makes and checks continuation tokens.
type signer struct{ key []byte }

func (s signer) tag(query string, cursor []byte) []byte {
	hash := sha256.Sum256([]byte(query))
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte{tokenVersion})
	m.Write(hash[:])
	m.Write(cursor)
	return m.Sum(nil)[:tokenTag]
}

// seal makes the token of a cursor in the pages of query.
func (s signer) seal(query string, cursor []byte) string {
	b := make([]byte, 0, 1+tokenTag+len(cursor))
	b = append(b, tokenVersion)
	b = append(b, s.tag(query, cursor)...)
	b = append(b, cursor...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// open returns the cursor of a token that seal made for the same query, and
// otherwise a fault of kind Invalid. Line breaks are refused here because the
// decoder would pass over them, and a token has one spelling.
func (s signer) open(query, token string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || strings.ContainsAny(token, "\r\n") || len(b) < 1+tokenTag || b[0] != tokenVersion {
		return nil, fault.New(fault.Invalid, "the continuation token (ct) is malformed")
	}
	cursor := b[1+tokenTag:]
	if !hmac.Equal(b[1:1+tokenTag], s.tag(query, cursor)) {
		return nil, fault.New(fault.Invalid, "the continuation token (ct) does not belong to this query")
	}
	return cursor, nil
}
