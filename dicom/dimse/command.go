package dimse

import (
	"bytes"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// The commands (PS3.7 table E.1-1). A response is its request with the highest bit.
const (
	CStore       uint16 = 0x0001
	CGet         uint16 = 0x0010
	CFind        uint16 = 0x0020
	CMove        uint16 = 0x0021
	CEcho        uint16 = 0x0030
	NEventReport uint16 = 0x0100
	NAction      uint16 = 0x0130
	CCancel      uint16 = 0x0FFF
	response     uint16 = 0x8000
)

// Status is the outcome of an operation (PS3.7 annex C, PS3.4).
type Status uint16

// The statuses.
const (
	Success               Status = 0x0000
	ProcessingFailure     Status = 0x0110
	UnrecognizedOperation Status = 0x0211
	OutOfResources        Status = 0xA700
	DestinationUnknown    Status = 0xA801
	DataSetMismatch       Status = 0xA900
	CannotUnderstand      Status = 0xC000
	SomeFailed            Status = 0xB000 // sub-operations complete, with failures or warnings
	CoercedElements       Status = 0xB000 // stored, but some elements are not as they should be
	Canceled              Status = 0xFE00
	Pending               Status = 0xFF00
	PendingUnsupported    Status = 0xFF01 // some optional keys were not matched
)

// noData is the value of Command Data Set Type that says that no data set follows.
const noData uint16 = 0x0101

// maxCommand bounds the bytes of a command.
const maxCommand = 64 << 10

// Command is the command set of a message (PS3.7 §6.3).
type Command struct{ *dicom.Dataset }

// NewCommand makes a command with its elements.
func NewCommand(field uint16, elements ...dicom.Element) Command {
	c := Command{dicom.New(elements...)}
	c.Set(dicom.Uint16(tag.CommandField, field))
	return c
}

// Respond makes the response to a command.
func (c Command) Respond(status Status, elements ...dicom.Element) Command {
	r := NewCommand(c.Field()|response, elements...)
	for _, t := range []dicom.Tag{tag.AffectedSOPClassUID, tag.AffectedSOPInstanceUID, tag.ActionTypeID, tag.EventTypeID} {
		if e := c.Get(t); e != nil {
			r.Set(*e)
		}
	}
	// What was requested of one instance is answered of the affected one (PS3.7 §10.1).
	if class := c.String(tag.RequestedSOPClassUID); class != "" {
		r.Set(dicom.Text(tag.AffectedSOPClassUID, dicom.UI, class))
		r.Set(dicom.Text(tag.AffectedSOPInstanceUID, dicom.UI, c.String(tag.RequestedSOPInstanceUID)))
	}
	r.Set(dicom.Uint16(tag.MessageIDBeingRespondedTo, c.ID()))
	r.Set(dicom.Uint16(tag.Status, uint16(status)))
	return r
}

// Comment adds a text to a response, in which nothing of a patient stands.
func (c Command) Comment(text string) Command {
	if len(text) > 64 {
		text = text[:64]
	}
	c.Set(dicom.Text(tag.ErrorComment, dicom.LO, text))
	return c
}

func (c Command) number(t dicom.Tag) uint16 {
	n, _ := c.Int(t)
	return uint16(n)
}

// Field is which command it is.
func (c Command) Field() uint16 { return c.number(tag.CommandField) }

// ID is the number of the message.
func (c Command) ID() uint16 { return c.number(tag.MessageID) }

// Status is that of a response.
func (c Command) Status() Status { return Status(c.number(tag.Status)) }

// IsResponse reports whether it answers another.
func (c Command) IsResponse() bool { return c.Field()&response != 0 }

func (c Command) hasData() bool { return c.number(tag.CommandDataSetType) != noData }

// encode writes a command set (PS3.7 §6.3.1).
func (c Command) encode(data bool) ([]byte, error) {
	kind := noData
	if data {
		kind = 1
	}
	c.Set(dicom.Uint16(tag.CommandDataSetType, kind))
	c.Remove(func(e *dicom.Element) bool { return e.Tag == tag.CommandGroupLength })
	var b bytes.Buffer
	if err := part10.WriteDataset(&b, c.Dataset, uid.ImplicitVRLittleEndian, nil); err != nil {
		return nil, err
	}
	c.Set(dicom.Uint32(tag.CommandGroupLength, uint32(b.Len())))
	b.Reset()
	err := part10.WriteDataset(&b, c.Dataset, uid.ImplicitVRLittleEndian, nil)
	return b.Bytes(), err
}

func decodeCommand(b []byte) (Command, error) {
	d, err := part10.ReadDataset(bytes.NewReader(b), uid.ImplicitVRLittleEndian, part10.Options{Whole: true, Memory: 16 * maxCommand})
	if err != nil {
		return Command{}, fault.Wrap(fault.Invalid, err, "a command cannot be read (PS3.7 §6.3)")
	}
	if !d.Has(tag.CommandField) {
		return Command{}, broken("a command does not say which it is (PS3.7 §6.3)")
	}
	return Command{d}, nil
}
