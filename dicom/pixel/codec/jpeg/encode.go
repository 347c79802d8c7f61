package jpeg

import (
	"encoding/binary"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/marker"
)

// appendFrameHeader appends a frame header (T.81 §B.2.2). Component i has identifier i+1 and the quantization table that is given.
func appendFrameHeader(out []byte, p Process, bits int, f *codec.Frame, components []Component, quantizers []byte) []byte {
	out = append(out, 0xFF, byte(p))
	out = binary.BigEndian.AppendUint16(out, uint16(8+3*len(components)))
	out = append(out, byte(bits))
	out = binary.BigEndian.AppendUint16(out, uint16(f.Rows))
	out = binary.BigEndian.AppendUint16(out, uint16(f.Columns))
	out = append(out, byte(len(components)))
	for i, c := range components {
		out = append(out, c.ID, byte(c.H<<4|c.V), quantizers[i])
	}
	return out
}

// appendScanHeader appends a scan header of all components (T.81 §B.2.3). tables has the Huffman tables of each.
func appendScanHeader(out []byte, components []Component, tables []byte, parameters [3]byte) []byte {
	out = append(out, 0xFF, marker.SOS)
	out = binary.BigEndian.AppendUint16(out, uint16(6+2*len(components)))
	out = append(out, byte(len(components)))
	for i, c := range components {
		out = append(out, c.ID, tables[i])
	}
	return append(out, parameters[:]...)
}

// appendRestartInterval appends DRI, unless there are no restarts (T.81 §B.2.4.4).
func appendRestartInterval(out []byte, mcus int) []byte {
	if mcus == 0 {
		return out
	}
	return binary.BigEndian.AppendUint16(append(out, 0xFF, marker.DRI, 0, 4), uint16(mcus))
}

// appendAdobe appends the APP14 segment that tells the colour transform.
func appendAdobe(out []byte, transform AdobeTransform) []byte {
	out = append(out, 0xFF, markerAPP14, 0, 14)
	out = append(out, "Adobe"...)
	return append(out, 0, 100, 0, 0, 0, 0, byte(transform-AdobeNone))
}

// checkRestart returns the restart interval in MCU, or an error if it is not one.
func checkRestart(rows, mcusOfRow int) (int, error) {
	if rows < 0 || rows > 0xFFFF || rows*mcusOfRow > 0xFFFF {
		return 0, wrong(codec.Nowhere, "a restart interval is of 65535 MCU at most (T.81 §B.2.4.4)")
	}
	return rows * mcusOfRow, nil
}

// checkComponents refuses what DICOM has no use for.
func checkComponents(f *codec.Frame) error {
	if f.Components != 1 && f.Components != 3 {
		return wrong(codec.Nowhere, "a frame has one or three components")
	}
	return nil
}
