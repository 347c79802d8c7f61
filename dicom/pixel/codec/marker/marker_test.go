package marker_test

import (
	"bytes"
	"errors"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/marker"
)

func TestReaderWalksACodeStream(t *testing.T) {
	r := marker.Reader{Codec: "test", Data: []byte{0xFF, 0xD8, 0xFF, 0xFF, 0xFE, 0, 4, 7, 8, 1, 0xFF, 0, 2, 0xFF, 0xD0, 3, 0xFF, 0xD9}}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if m, err := r.Marker(); m != marker.COM || err != nil {
		t.Fatalf("marker is %X: %v", m, err)
	}
	if b, err := r.Segment(); !bytes.Equal(b, []byte{7, 8}) || err != nil {
		t.Fatalf("segment is %v: %v", b, err)
	}
	for i, want := range [][]byte{{1, 0xFF, 0, 2}, {3}} {
		if err := r.Restart(i); err != nil {
			t.Fatal(err)
		}
		if b := r.EntropyCoded(1); !bytes.Equal(b, want) {
			t.Fatalf("interval %d is %v, want %v", i, b, want)
		}
	}
	if m, err := r.Marker(); m != marker.EOI || err != nil || r.Pos != len(r.Data) {
		t.Fatalf("marker is %X at %d: %v", m, r.Pos, err)
	}
}

func TestEntropyCodedEndsBeforeAMarker(t *testing.T) {
	tests := []struct {
		name  string
		data  []byte
		least byte
		want  int // bytes
	}{
		{"nothing", nil, 1, 0},
		{"no marker", []byte{1, 2, 3}, 1, 3},
		{"a last byte that may begin a marker", []byte{1, 0xFF}, 1, 2},
		{"a stuffed byte", []byte{0xFF, 0, 1, 0xFF, 0xD9}, 1, 3},
		{"stuffed bits", []byte{0xFF, 0x7F, 0xFF, 0x80}, 0x80, 2},
		{"fill bytes", []byte{5, 0xFF, 0xFF, 0xD9}, 1, 1},
		{"a marker at once", []byte{0xFF, 0xD9}, 1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := marker.Reader{Data: test.data}
			if n := len(r.EntropyCoded(test.least)); n != test.want || r.Pos != n {
				t.Errorf("%d bytes are taken and the place is %d, want %d", n, r.Pos, test.want)
			}
		})
	}
}

func TestReaderRefuses(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		take func(*marker.Reader) error
	}{
		{"another first marker", []byte{0xFF, 0xD9}, (*marker.Reader).Start},
		{"half a first marker", []byte{0xFF}, (*marker.Reader).Start},
		{"no marker", []byte{1, 2}, func(r *marker.Reader) error { _, err := r.Marker(); return err }},
		{"only fill bytes", []byte{0xFF, 0xFF}, func(r *marker.Reader) error { _, err := r.Marker(); return err }},
		{"half a length", []byte{0}, func(r *marker.Reader) error { _, err := r.Segment(); return err }},
		{"a length without itself", []byte{0, 1}, func(r *marker.Reader) error { _, err := r.Segment(); return err }},
		{"a length beyond the end", []byte{0, 4, 1}, func(r *marker.Reader) error { _, err := r.Segment(); return err }},
		{"a restart marker out of turn", []byte{0xFF, 0xD1}, func(r *marker.Reader) error { return r.Restart(1) }},
		{"a missing restart marker", nil, func(r *marker.Reader) error { return r.Restart(1) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.take(&marker.Reader{Codec: "test", Data: test.data})
			var broken *codec.Error
			if !errors.As(err, &broken) || broken.Codec != "test" {
				t.Errorf("error is %v, want one of a codec", err)
			}
		})
	}
}

func TestContainsFFLooksAtEveryByte(t *testing.T) {
	for at := range 8 {
		if v := uint64(0xFF) << (8 * at); !marker.ContainsFF(v) || !marker.ContainsFF(^uint64(0)) {
			t.Errorf("FF in %016X is not found", v)
		}
		if v := ^(uint64(1) << (8 * at)) & 0x7FFEFEFEFEFEFEFE; marker.ContainsFF(v) || marker.ContainsFF(uint64(0xFE)<<(8*at)) {
			t.Errorf("FF is found in %016X", v)
		}
	}
}
