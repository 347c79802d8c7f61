package dimse

import (
	"encoding/binary"
	"io"
	"strings"

	"salus/fault"
)

// The protocol data units (PS3.8 §9.3).
const (
	associateRequest byte = iota + 1
	associateAccept
	associateReject
	dataTransfer
	releaseRequest
	releaseResponse
	abort
)

// Items of the units that negotiate an association (PS3.8 §9.3.2, PS3.7 annex D).
const (
	itemApplication    byte = 0x10
	itemContextRequest byte = 0x20
	itemContextAccept  byte = 0x21
	itemAbstractSyntax byte = 0x30
	itemTransferSyntax byte = 0x40
	itemUser           byte = 0x50
	itemMaxLength      byte = 0x51
	itemImplementation byte = 0x52
	itemRole           byte = 0x54
	itemVersion        byte = 0x55
	applicationContext      = "1.2.840.10008.3.1.1.1"
	protocolVersion         = 1
	maxNegotiation          = 256 << 10 // bytes of a unit that negotiates
	maxData                 = 4 << 20   // bytes of a unit of data
	offeredLength           = 128 << 10 // bytes of a unit of data that we ask for
	leastLength             = 64        // bytes of a unit of data that must be taken, of which twelve are not data
	titleLength             = 16
)

// Result says what became of a presentation context (PS3.8 §9.3.3.2).
type Result byte

// The results.
const (
	Accepted              Result = 0
	AbstractNotSupported  Result = 3
	TransfersNotSupported Result = 4
)

// Context is a presentation context: what is exchanged, and how it is written (PS3.8 §7.1.1.13).
type Context struct {
	ID        byte // odd
	Abstract  string
	Transfers []string // proposed; of an accepted context the one that was chosen
	Result    Result
}

// Transfer returns the transfer syntax of an accepted context.
func (c Context) Transfer() string {
	if len(c.Transfers) == 0 {
		return ""
	}
	return c.Transfers[0]
}

// Role says which parts the requestor of an association plays for a SOP class (PS3.7 §D.3.3.4).
type Role struct {
	Class    string
	SCU, SCP bool
}

// Proposal is what is negotiated about an association.
type Proposal struct {
	Called, Calling string // AE titles
	Contexts        []Context
	Roles           []Role
	MaxLength       uint32 // of units of data; 0 for any
	Implementation  string
	Version         string
}

// Reject is a refused association (PS3.8 §9.3.4).
type Reject struct {
	Permanent      bool
	Source, Reason byte
}

// Reasons to refuse an association.
var (
	CalledUnknown  = &Reject{true, 1, 7}
	CallingUnknown = &Reject{true, 1, 3}
	NotNow         = &Reject{false, 3, 2} // the local limit is exceeded
	WrongContext   = &Reject{true, 1, 2}
	WrongVersion   = &Reject{true, 2, 2}
)

// Error tells what was refused.
func (r *Reject) Error() string {
	switch [2]byte{r.Source, r.Reason} {
	case [2]byte{1, 2}:
		return "the application context is not supported"
	case [2]byte{1, 3}:
		return "the calling AE title is not known"
	case [2]byte{1, 7}:
		return "the called AE title is not known"
	case [2]byte{2, 2}:
		return "the protocol version is not supported"
	case [2]byte{3, 1}, [2]byte{3, 2}:
		return "there are too many associations now"
	}
	return "no reason is given"
}

func broken(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

// head is the beginning of a unit.
type head struct {
	kind   byte
	length uint32
}

func readHead(r io.Reader) (h head, err error) {
	var b [6]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return h, err
	}
	h = head{b[0], binary.BigEndian.Uint32(b[2:])}
	limit := uint32(maxNegotiation)
	if h.kind == dataTransfer {
		limit = maxData
	}
	if h.kind < associateRequest || h.kind > abort || h.length > limit {
		return h, broken("this is no protocol data unit, or too long a one (PS3.8 §9.3.1)")
	}
	return h, nil
}

// unit makes a whole unit.
func unit(kind byte, body []byte) []byte {
	b := append([]byte{kind, 0}, 0, 0, 0, 0)
	binary.BigEndian.PutUint32(b[2:], uint32(len(body)))
	return append(b, body...)
}

func appendItem(b []byte, kind byte, body []byte) []byte {
	b = append(b, kind, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}

func appendText(b []byte, kind byte, s string) []byte { return appendItem(b, kind, []byte(s)) }

func padded(title string) string { return (title + strings.Repeat(" ", titleLength))[:titleLength] }

// encode makes the unit that proposes or accepts an association.
func (p *Proposal) encode(kind byte) []byte {
	body := binary.BigEndian.AppendUint16(nil, protocolVersion)
	body = append(body, 0, 0)
	body = append(body, padded(p.Called)+padded(p.Calling)...)
	body = append(body, make([]byte, 32)...)
	body = appendText(body, itemApplication, applicationContext)
	for _, c := range p.Contexts {
		inner := []byte{c.ID, 0, byte(c.Result), 0}
		item := itemContextAccept
		if kind == associateRequest {
			item = itemContextRequest
			inner = appendText(inner, itemAbstractSyntax, c.Abstract)
		}
		for _, t := range c.Transfers {
			inner = appendText(inner, itemTransferSyntax, t)
		}
		body = appendItem(body, item, inner)
	}
	user := appendItem(nil, itemMaxLength, binary.BigEndian.AppendUint32(nil, p.MaxLength))
	user = appendText(user, itemImplementation, p.Implementation)
	for _, r := range p.Roles {
		inner := binary.BigEndian.AppendUint16(nil, uint16(len(r.Class)))
		inner = append(inner, r.Class...)
		user = appendItem(user, itemRole, append(inner, flag(r.SCU), flag(r.SCP)))
	}
	user = appendText(user, itemVersion, p.Version)
	return unit(kind, appendItem(body, itemUser, user))
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// decode reads the body of such a unit.
func decode(kind byte, body []byte) (*Proposal, error) {
	if len(body) < 68 {
		return nil, broken("the unit is too short (PS3.8 §9.3.2)")
	}
	if binary.BigEndian.Uint16(body)&protocolVersion == 0 {
		return nil, WrongVersion
	}
	p := &Proposal{Called: title(body[4:20]), Calling: title(body[20:36])}
	err := items(body[68:], func(item byte, b []byte) error {
		switch item {
		case itemApplication:
			if trimmed(b) != applicationContext {
				return WrongContext
			}
		case itemContextRequest, itemContextAccept:
			return p.context(kind, b)
		case itemUser:
			return items(b, p.user)
		}
		return nil
	})
	return p, err
}

func title(b []byte) string { return strings.Trim(string(b), " \x00") }

func trimmed(b []byte) string { return strings.TrimRight(string(b), " \x00") }

// items calls f with each item.
func items(b []byte, f func(kind byte, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return broken("an item is cut off (PS3.8 §9.3.2)")
		}
		n := 4 + int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) {
			return broken("an item is longer than what it is in (PS3.8 §9.3.2)")
		}
		if err := f(b[0], b[4:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func (p *Proposal) context(kind byte, b []byte) error {
	if len(b) < 4 || len(p.Contexts) >= 128 {
		return broken("a presentation context is too short, or there are more than 128 (PS3.8 §9.3.2.2)")
	}
	c := Context{ID: b[0], Result: Result(b[2])}
	if kind == associateRequest {
		c.Result = Accepted
	}
	err := items(b[4:], func(item byte, b []byte) error {
		switch item {
		case itemAbstractSyntax:
			c.Abstract = trimmed(b)
		case itemTransferSyntax:
			c.Transfers = append(c.Transfers, trimmed(b))
		}
		return nil
	})
	if c.ID%2 == 0 {
		err = broken("the number of a presentation context is even (PS3.8 §9.3.2.2)")
	}
	p.Contexts = append(p.Contexts, c)
	return err
}

func (p *Proposal) user(item byte, b []byte) error {
	switch item {
	case itemMaxLength:
		if len(b) != 4 {
			return broken("the maximum length is no number (PS3.8 §D.1)")
		}
		p.MaxLength = binary.BigEndian.Uint32(b)
	case itemImplementation:
		p.Implementation = trimmed(b)
	case itemVersion:
		p.Version = trimmed(b)
	case itemRole:
		if len(b) < 2 || len(b) != 4+int(binary.BigEndian.Uint16(b)) {
			return broken("a role is cut off (PS3.7 §D.3.3.4)")
		}
		n := len(b) - 2
		p.Roles = append(p.Roles, Role{trimmed(b[2:n]), b[n] == 1, b[n+1] == 1})
	}
	return nil // what is not known is not negotiated
}
