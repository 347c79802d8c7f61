package jpeg

import "salus/dicom/pixel/codec"

// The factors of the conversions between YCbCr and RGB (JFIF §7, ITU-R BT.601), in units of 2^−16.
const (
	colourFraction = 16

	redOfCr   = 91881  // 1.40200
	greenOfCb = 22554  // 0.34414
	greenOfCr = 46802  // 0.71414
	blueOfCb  = 116130 // 1.77200

	yOfRed    = 19595 // 0.29900
	yOfGreen  = 38470 // 0.58700
	yOfBlue   = 7471  // 0.11400
	cbOfRed   = 11058 // 0.16874
	cbOfGreen = 21710 // 0.33126
	crOfGreen = 27439 // 0.41869
	crOfBlue  = 5329  // 0.08131
	chroma    = 32768 // 0.5
)

// toRGB turns rows of Y, Cb and Cr into R, G and B in place.
func toRGB(y, cb, cr []uint16, bits int) {
	const half = 1 << (colourFraction - 1)
	centre, largest := 1<<(bits-1), 1<<bits-1
	cb, cr = cb[:len(y)], cr[:len(y)]
	for x, luma := range y {
		l, b, r := int(luma), int(cb[x])-centre, int(cr[x])-centre
		red := l + (redOfCr*r+half)>>colourFraction
		green := l + (half-greenOfCb*b-greenOfCr*r)>>colourFraction
		blue := l + (blueOfCb*b+half)>>colourFraction
		y[x] = uint16(min(max(red, 0), largest))
		cb[x] = uint16(min(max(green, 0), largest))
		cr[x] = uint16(min(max(blue, 0), largest))
	}
}

// frameToRGB turns a frame of YCbCr into RGB in place.
func frameToRGB(f *codec.Frame) {
	var rows [3][]uint16
	for i := range rows {
		rows[i] = make([]uint16, f.Columns)
	}
	for y := range f.Rows {
		for i, row := range rows {
			f.Row(row, y, i)
		}
		toRGB(rows[0], rows[1], rows[2], f.Bits)
		for i, row := range rows {
			f.SetRow(row, y, i)
		}
	}
}

// toYCbCr turns rows of R, G and B into Y, Cb and Cr in place.
func toYCbCr(r, g, b []uint16, bits int) {
	const half = 1 << (colourFraction - 1)
	centre, largest := 1<<(bits-1), 1<<bits-1
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		red, green, blue := int(r[x]), int(g[x]), int(b[x])
		r[x] = uint16((yOfRed*red + yOfGreen*green + yOfBlue*blue + half) >> colourFraction)
		cb := centre + (chroma*blue-cbOfRed*red-cbOfGreen*green+half-1)>>colourFraction
		cr := centre + (chroma*red-crOfGreen*green-crOfBlue*blue+half-1)>>colourFraction
		g[x], b[x] = uint16(min(cb, largest)), uint16(min(cr, largest))
	}
}
