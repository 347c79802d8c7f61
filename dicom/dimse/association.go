package dimse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"salus/fault"
)

// Association is a connection over which two applications exchange messages. One goroutine uses it at a time.
type Association struct {
	Called, Calling string
	// Accepted are the presentation contexts that messages can be in, by number.
	Accepted map[byte]Context
	Roles    []Role // that the requestor plays besides SCU, as accepted

	conn    net.Conn
	r       *bufio.Reader
	timeout time.Duration // without a byte, after which the other side is given up
	out     []byte        // a unit that is being filled
	in      incoming
	reading bool   // a data set, of which something may be left
	next    uint16 // number of the next message

	canceled bool // the other side has asked to cancel while something else was answered
	ended    bool
}

// incoming is where reading is in units of data.
type incoming struct {
	unit    uint32 // bytes left of the unit
	value   uint32 // bytes left of the presentation data value
	context byte
	command bool
	last    bool
}

// errReleased says that the other side has ended the association in order.
var errReleased = errors.New("the association was released")

func newAssociation(conn net.Conn, r *bufio.Reader, timeout time.Duration) *Association {
	return &Association{conn: conn, r: r, timeout: timeout, Accepted: map[byte]Context{}, next: 1}
}

// use makes room for units as long as the other side takes them.
func (a *Association) use(peerMax uint32) {
	if peerMax == 0 || peerMax > offeredLength {
		peerMax = offeredLength
	}
	peerMax = max(peerMax, leastLength) &^ 1 // fragments have an even length (PS3.8 §9.3.5.1)
	a.out = make([]byte, 0, peerMax)
}

// Message is a command with the data set that may follow it.
type Message struct {
	Context Context
	Command Command
	// Data gives the bytes of the data set in the context's transfer syntax; nil when there is none. It is read to its end before the next message
	// is received or sent, which Receive does when nobody else has.
	Data io.Reader
}

// Receive waits for the next message; the error is io.EOF when the other side has ended the association in order.
func (a *Association) Receive() (*Message, error) {
	if err := a.Drain(); err != nil {
		return nil, err
	}
	var command []byte
	for {
		if err := a.nextValue(); err != nil {
			if errors.Is(err, errReleased) {
				err = io.EOF
			}
			return nil, err
		}
		if !a.in.command || len(command)+int(a.in.value) > maxCommand {
			return nil, broken("a data set without a command, or too long a command (PS3.7 §6.3)")
		}
		from := len(command)
		command = append(command, make([]byte, a.in.value)...)
		if _, err := io.ReadFull(a.r, command[from:]); err != nil {
			return nil, err
		}
		a.in.value = 0
		if a.in.last {
			break
		}
	}
	c, ok := a.Accepted[a.in.context]
	if !ok {
		return nil, broken("a message in a presentation context that was not accepted (PS3.8 §9.3.5)")
	}
	cmd, err := decodeCommand(command)
	if err != nil {
		return nil, err
	}
	m := &Message{Context: c, Command: cmd}
	if cmd.hasData() {
		a.in.last, a.reading = false, true
		m.Data = (*dataSet)(a)
	}
	return m, nil
}

// Drain reads what is left of a data set.
func (a *Association) Drain() error {
	if !a.reading {
		return nil
	}
	a.reading = false
	_, err := io.Copy(io.Discard, (*dataSet)(a))
	return err
}

// dataSet reads the data set of the message that was received.
type dataSet Association

func (d *dataSet) Read(b []byte) (int, error) {
	a := (*Association)(d)
	for a.in.value == 0 {
		if a.in.last {
			return 0, io.EOF
		}
		if err := a.nextValue(); err != nil {
			return 0, unexpected(err)
		}
		if a.in.command {
			return 0, broken("a command within a data set (PS3.7 §6.3)")
		}
	}
	if len(b) > int(a.in.value) {
		b = b[:a.in.value]
	}
	n, err := a.r.Read(b)
	a.in.value -= uint32(n)
	return n, unexpected(err)
}

// unexpected makes an end in the middle of something an error.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, errReleased) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// nextValue goes to the next presentation data value (PS3.8 §9.3.5.1, §E.2).
func (a *Association) nextValue() error {
	if err := a.conn.SetReadDeadline(time.Now().Add(a.timeout)); err != nil {
		return err
	}
	for a.in.unit == 0 {
		if err := a.nextUnit(); err != nil {
			return err
		}
	}
	var b [6]byte
	if a.in.unit < 6 {
		return broken("a unit of data is cut off (PS3.8 §9.3.5)")
	}
	if _, err := io.ReadFull(a.r, b[:]); err != nil {
		return unexpected(err)
	}
	n := binary.BigEndian.Uint32(b[:])
	if n < 2 || n > a.in.unit-4 {
		return broken("a presentation data value is longer than its unit (PS3.8 §9.3.5.1)")
	}
	a.in.unit -= 4 + n
	a.in.value, a.in.context, a.in.command, a.in.last = n-2, b[4], b[5]&1 == 1, b[5]&2 == 2
	return nil
}

// nextUnit reads the head of the next unit of data.
func (a *Association) nextUnit() error {
	h, err := readHead(a.r)
	if err != nil {
		return err
	}
	if h.kind == dataTransfer {
		a.in.unit = h.length
		return nil
	}
	if _, err := io.CopyN(io.Discard, a.r, int64(h.length)); err != nil {
		return unexpected(err)
	}
	switch h.kind {
	case releaseRequest:
		a.ended = true
		return errors.Join(errReleased, a.write(unit(releaseResponse, make([]byte, 4))))
	case releaseResponse:
		a.ended = true
		return errReleased
	case abort:
		a.ended = true
		return fault.New(fault.Canceled, "the other side aborted the association")
	}
	return broken("a protocol data unit that is not expected now (PS3.8 §9.2)")
}

func (a *Association) write(b []byte) error {
	if err := a.conn.SetWriteDeadline(time.Now().Add(a.timeout)); err != nil {
		return err
	}
	_, err := a.conn.Write(b)
	return err
}

// NextID returns the number of a new message.
func (a *Association) NextID() uint16 {
	a.next++
	return a.next - 1
}

// Send sends a message. Data writes the data set; it is nil when there is none.
func (a *Association) Send(c Context, cmd Command, data func(io.Writer) error) error {
	b, err := cmd.encode(data != nil)
	if err != nil {
		return err
	}
	w := &valueWriter{a: a, context: c.ID, command: true}
	if _, err := w.Write(b); err != nil {
		return err
	}
	if err := w.end(); err != nil || data == nil {
		return err
	}
	w = &valueWriter{a: a, context: c.ID}
	if err := data(w); err != nil {
		return err
	}
	return w.end()
}

// valueWriter cuts a command or data set into presentation data values, one in each unit.
type valueWriter struct {
	a       *Association
	context byte
	command bool
}

const valueHead = 12 // of the unit and the value

func (w *valueWriter) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		if len(w.a.out) == 0 {
			w.a.out = w.a.out[:valueHead]
		}
		room := cap(w.a.out) - len(w.a.out)
		if room == 0 {
			if err := w.flush(false); err != nil {
				return 0, err
			}
			continue
		}
		m := min(room, len(b))
		w.a.out = append(w.a.out, b[:m]...)
		b = b[m:]
	}
	return n, nil
}

// end sends what is left as the last value. What has an odd length, as deflated data sets can and broken ones do, gets a byte more (PS3.5 §A.5).
func (w *valueWriter) end() error {
	if len(w.a.out) == 0 {
		w.a.out = w.a.out[:valueHead]
	}
	if len(w.a.out)%2 == 1 {
		w.a.out = append(w.a.out, 0)
	}
	return w.flush(true)
}

func (w *valueWriter) flush(last bool) error {
	b := w.a.out
	w.a.out = w.a.out[:0]
	b[0], b[1] = dataTransfer, 0
	binary.BigEndian.PutUint32(b[2:], uint32(len(b)-6))
	binary.BigEndian.PutUint32(b[6:], uint32(len(b)-10))
	b[10], b[11] = w.context, flag(w.command)|flag(last)<<1
	return w.a.write(b)
}

// Canceled reports whether the other side has asked to cancel what is being answered (PS3.7 §9.3.2.3). It does not wait.
func (a *Association) Canceled() (bool, error) {
	if a.canceled {
		a.canceled = false
		return true, nil
	}
	if a.in.unit == 0 && a.r.Buffered() == 0 {
		if err := a.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return false, err
		}
		if _, err := a.r.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	m, err := a.Receive()
	if err != nil {
		return false, unexpected(err)
	}
	if m.Command.Field() != CCancel {
		return false, broken("a request before the one before was answered")
	}
	return true, nil
}

// Find returns an accepted context for a SOP class, in one of some transfer syntaxes if any are given.
func (a *Association) Find(class string, transfers ...string) (Context, bool) {
	for _, t := range append(transfers, "")[:max(len(transfers), 1)] {
		for id := 1; id < 256; id += 2 {
			if c, ok := a.Accepted[byte(id)]; ok && c.Abstract == class && (t == "" || c.Transfer() == t) {
				return c, true
			}
		}
	}
	return Context{}, false
}

// Release ends the association in order, and closes it.
func (a *Association) Release() error {
	defer a.conn.Close()
	if a.ended {
		return nil
	}
	if err := a.write(unit(releaseRequest, make([]byte, 4))); err != nil {
		return err
	}
	for {
		if _, err := a.Receive(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Abort ends the association at once, and closes it.
func (a *Association) Abort() {
	if !a.ended {
		a.ended = true
		if a.write(unit(abort, make([]byte, 4))) != nil {
			return // it is gone already
		}
	}
	a.conn.Close()
}
