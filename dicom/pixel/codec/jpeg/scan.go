package jpeg

import "salus/dicom/pixel/codec"

// scan is one scan: what its header says (T.81 §B.2.3).
type scan struct {
	*decoder
	at       int // offset of its header
	selected []scanComponent
	first    int // Ss, first coefficient, or the predictor
	last     int // Se, last coefficient
	high     int // Ah, previous position of the point transform
	low      int // Al, point transform
}

// scanComponent is a component in a scan, with the state that a restart resets.
type scanComponent struct {
	*component
	place      int // in the frame
	dc, ac     *huffman
	prediction int
}

// scan reads a scan header and the data after it.
func (d *decoder) scan(at int, body []byte) error {
	if d.components == nil {
		return wrong(at, "a frame header comes before the first scan")
	}
	if d.scans++; d.scans > maxScans {
		return wrong(at, "a frame has 200 scans at most")
	}
	if len(body) < 1 || body[0] < 1 || body[0] > 4 || len(body) != 4+2*int(body[0]) {
		return wrong(at, "a scan header has two bytes for each of its one to four components (T.81 §B.2.3)")
	}
	parameters := body[len(body)-3:]
	s := scan{decoder: d, at: at, first: int(parameters[0]), last: int(parameters[1]), high: int(parameters[2] >> 4), low: int(parameters[2] & 15)}
	for b := body[1 : len(body)-3]; len(b) > 0; b = b[2:] {
		if err := s.add(b[0], b[1]>>4, b[1]&15); err != nil {
			return err
		}
	}
	switch d.header.Process {
	case Lossless:
		return s.lossless()
	case Progressive:
		return s.progressive()
	}
	return s.sequential()
}

// add selects a component with its Huffman tables.
func (s *scan) add(id, dc, ac byte) error {
	i := s.find(id)
	if i < 0 {
		return wrong(s.at, "a scan has components of the frame (T.81 §B.2.3)")
	}
	for _, other := range s.selected {
		if other.place == i {
			return wrong(s.at, "a scan has a component once (T.81 §B.2.3)")
		}
	}
	c := &s.components[i]
	if c.known && s.header.Process != Progressive {
		return wrong(s.at, "each component is in one scan (T.81 §A.2)")
	}
	if dc > 3 || ac > 3 {
		return wrong(s.at, "Huffman tables are 0 to 3 (T.81 §B.2.3)")
	}
	c.known = true
	s.selected = append(s.selected, scanComponent{component: c, place: i, dc: s.dc[dc], ac: s.ac[ac]})
	return nil
}

// quantized makes sure that the components of the scan have a quantization table and returns an error otherwise.
func (s *scan) quantized() error {
	for _, c := range s.selected {
		if c.table == nil {
			c.table = s.quantizers[c.quantizer]
		}
		if c.table == nil {
			return wrong(s.at, "a quantization table comes before the scan (T.81 §B.2.4.1)")
		}
	}
	return nil
}

// dcCoded makes sure that the components have a table for DC coefficients or differences, of categories up to largest.
func (s *scan) dcCoded(largest byte) error {
	for _, c := range s.selected {
		if c.dc == nil || c.dc.largest > largest {
			return wrong(s.at, "a table of permitted categories comes before the scan (T.81 §F.1.2.1, §H.1.2.2)")
		}
	}
	return nil
}

// acCoded makes sure that the components have a table for AC coefficients.
func (s *scan) acCoded() error {
	for _, c := range s.selected {
		if c.ac == nil {
			return wrong(s.at, "a table for AC coefficients comes before the scan (T.81 §F.1.2.2)")
		}
	}
	return nil
}

// intervals hands the restart intervals of the scan, which are of MCU from first up to end, to decode (T.81 §E.2.4).
func (s *scan) intervals(count int, decode func(r *bitReader, first, end int)) error {
	step := count
	if s.header.RestartInterval > 0 {
		step = min(step, s.header.RestartInterval)
	}
	for first, interval := 0, 0; first < count; first, interval = first+step, interval+1 {
		if err := s.Restart(interval); err != nil {
			return err
		}
		for i := range s.selected {
			s.selected[i].prediction = 0
		}
		r := bitReader{data: s.EntropyCoded(1)}
		decode(&r, first, min(first+step, count))
		if r.failed() {
			return wrong(s.Pos, "a scan has every MCU of its components")
		}
	}
	return nil
}

// mcus returns the number of MCU of the scan (T.81 §A.2).
func (s *scan) mcus() int {
	if len(s.selected) == 1 {
		return s.selected[0].blocksWide * s.selected[0].blocksHigh
	}
	return s.mcuWide * s.mcuHigh
}

// blocks calls visit with every block of an MCU, in their order (T.81 §A.2.2, §A.2.3).
func (s *scan) blocks(mcu int, visit func(c *scanComponent, x, y int)) {
	if len(s.selected) == 1 {
		c := &s.selected[0]
		visit(c, mcu%c.blocksWide, mcu/c.blocksWide)
		return
	}
	left, top := mcu%s.mcuWide, mcu/s.mcuWide
	for i := range s.selected {
		c := &s.selected[i]
		for v := range c.V {
			for h := range c.H {
				visit(c, left*c.H+h, top*c.V+v)
			}
		}
	}
}

// newFrame allocates the frame unless an earlier scan has.
func (s *scan) newFrame() (err error) {
	if s.frame == nil {
		s.frame, err = codec.NewFrame(s.want, s.header.Bits)
	}
	return err
}
