package transcode

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/pixel"
	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/jpeg"
	"salus/dicom/pixel/codec/jpegls"
	"salus/dicom/pixel/codec/rle"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// away is where converted pixel data is in the places of a file, far behind everything that a file can have.
const away = int64(1) << 56

// pixels converts pixel data while it is read.
type pixels struct {
	src    io.ReaderAt
	file   *part10.File // whose data set is changed
	source part10.File  // as it was, for decoding
	layout *part10.Layout
	to     string
	whole  []byte // native pixel data that is in memory; nil when it is in src

	frame   int // that is in current
	current []byte
	encoded [][]byte
	starts  []int64 // of encoded fragments, from away
}

// replace puts converted pixel data into the place of an element's value.
func (p *pixels) replace(e *dicom.Element) (io.ReaderAt, error) {
	first, err := p.decode(0)
	if err != nil {
		return nil, err
	}
	// What decodes the other frames needs the data set as it is now.
	p.source.Dataset = &dicom.Dataset{Elements: append([]dicom.Element(nil), p.file.Dataset.Elements...)}
	if native[p.to] {
		first.Describe(p.file.Dataset)
		p.current = first.Native()
		total := int64(len(p.current)) * int64(p.layout.Frames)
		*e = dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Bulk: &dicom.Bulk{Offset: away, Length: total}}
		if total%2 == 1 {
			return nil, fault.New(fault.NotAcceptable, "native pixel data of an odd number of bytes")
		}
		if first.Bits <= 8 {
			e.VR = dicom.OB
		}
		return p, nil
	}
	return p, p.compress(e, first)
}

// decode reads and decodes a frame.
func (p *pixels) decode(i int) (*pixel.Frame, error) {
	parts, shift := p.layout.Frame(i)
	if shift != 0 || p.layout.FrameBits()%8 != 0 {
		return nil, fault.New(fault.NotAcceptable, "frames of one bit a sample are not compressed")
	}
	var data []byte
	for _, part := range parts {
		if p.whole != nil {
			from := p.layout.FrameBits() / 8 * int64(i)
			data = p.whole[from : from+part.Length]
			break
		}
		b := make([]byte, part.Length)
		if n, err := p.src.ReadAt(b, part.Offset); n < len(b) {
			return nil, err
		}
		data = append(data, b...)
	}
	return pixel.Decode(&p.source, data)
}

// maxEncoded is how many bytes of compressed frames are kept until they are written.
const maxEncoded = 1 << 30

// compress encodes every frame, since the length of each stands before it.
func (p *pixels) compress(e *dicom.Element, first *pixel.Frame) error {
	frame := first
	b := &dicom.Bulk{Fragments: []dicom.Fragment{{}}}
	var table []byte
	var total, raw int64
	for i := range p.layout.Frames {
		if i > 0 {
			var err error
			if frame, err = p.decode(i); err != nil {
				return err
			}
		}
		data, err := encode(frame, p.to)
		if err != nil {
			return err
		}
		if len(data)%2 == 1 {
			data = append(data, 0)
		}
		if total+int64(len(data)) > maxEncoded {
			return fault.New(fault.NotAcceptable, "the frames together are too large to be compressed")
		}
		table = binary.LittleEndian.AppendUint32(table, uint32(total+8*int64(i)))
		p.starts = append(p.starts, total)
		p.encoded = append(p.encoded, data)
		b.Fragments = append(b.Fragments, dicom.Fragment{Offset: away + total, Length: int64(len(data))})
		total, raw = total+int64(len(data)), raw+int64(len(frame.Samples))
	}
	// The offset table is read like a fragment (PS3.5 §A.4).
	b.Fragments[0] = dicom.Fragment{Offset: away + total, Length: int64(len(table))}
	p.starts, p.encoded = append(p.starts, total), append(p.encoded, table)
	first.Describe(p.file.Dataset)
	describe(p.file.Dataset, first, p.to, float64(raw)/float64(max(total, 1)))
	*p.file.Dataset.Get(tag.PixelData) = dicom.Element{Tag: tag.PixelData, VR: dicom.OB, Bulk: b, Undefined: true}
	return nil
}

// ReadAt reads converted pixel data, and everything else from the file.
func (p *pixels) ReadAt(b []byte, at int64) (int, error) {
	if at < away {
		return p.src.ReadAt(b, at)
	}
	at -= away
	if p.encoded != nil {
		for i := len(p.starts) - 1; i >= 0; i-- {
			if at >= p.starts[i] {
				return bytes.NewReader(p.encoded[i]).ReadAt(b, at-p.starts[i])
			}
		}
	}
	size := int64(len(p.current))
	i := int(at / size)
	if i >= p.layout.Frames {
		return 0, io.EOF
	}
	if i != p.frame {
		frame, err := p.decode(i)
		if err != nil {
			return 0, err
		}
		p.frame, p.current = i, frame.Native()
		if int64(len(p.current)) != size {
			return 0, fault.New(fault.NotAcceptable, "frame %d has another size than the first", i+1)
		}
	}
	n := copy(b, p.current[at%size:])
	if n < len(b) {
		m, err := p.ReadAt(b[n:], away+at+int64(n))
		return n + m, err
	}
	return n, nil
}

// quality of lossy JPEG, on the scale of the IJG's programs.
const quality = 90

// encode writes a frame as a code stream.
func encode(f *pixel.Frame, to string) (data []byte, err error) {
	c, err := f.Codec(to != uid.RLELossless)
	if err != nil {
		return nil, err
	}
	switch to {
	case uid.RLELossless:
		data, err = rle.Encode(c)
	case uid.JPEGLosslessSV1, uid.JPEGLossless:
		data, err = jpeg.EncodeLossless(c, jpeg.LosslessOptions{})
	case uid.JPEGLSLossless:
		data, err = jpegls.Encode(c, jpegls.Options{Interleave: interleave(c)})
	case uid.JPEGBaseline8Bit:
		if c.Bits > 8 {
			return nil, fault.New(fault.NotAcceptable, "JPEG baseline has no more than 8 bits a sample, and the instance has %d", c.Bits)
		}
		o := jpeg.SequentialOptions{Quality: quality}
		if c.Components == 3 && f.Photometric == "RGB" {
			o.Colour, o.Subsample = jpeg.ColourRGB, true
		}
		data, err = jpeg.EncodeSequential(c, o)
	default:
		return nil, fault.New(fault.NotAcceptable, "frames cannot be written in transfer syntax %s", to)
	}
	if err != nil {
		return nil, fault.Wrap(fault.NotAcceptable, err, "the frame cannot be compressed: %v", err)
	}
	return data, nil
}

func interleave(c *codec.Frame) jpegls.Interleave {
	if c.Components > 1 {
		return jpegls.InterleaveSample
	}
	return jpegls.InterleaveNone
}

// describe says in a data set what compressing did to its pixels (PS3.3 §C.7.6.1.1.5).
func describe(d *dicom.Dataset, f *pixel.Frame, to string, ratio float64) {
	if to != uid.JPEGBaseline8Bit {
		return
	}
	if f.Components == 3 && f.Photometric == "RGB" {
		d.Set(dicom.Text(tag.PhotometricInterpretation, dicom.CS, "YBR_FULL_422"))
	}
	d.Set(dicom.Text(tag.LossyImageCompression, dicom.CS, "01"))
	d.Set(dicom.Text(tag.LossyImageCompressionRatio, dicom.DS,
		append(d.Strings(tag.LossyImageCompressionRatio), strconv.FormatFloat(ratio, 'f', 2, 64))...))
	d.Set(dicom.Text(tag.LossyImageCompressionMethod, dicom.CS, append(d.Strings(tag.LossyImageCompressionMethod), "ISO_10918_1")...))
}
