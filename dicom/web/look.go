package web

import (
	"strconv"
	"strings"

	"salus/dicom/pixel"
	"salus/fault"
)

// look is how pictures are wanted.
type look struct {
	pixel.Options
	quality int // of JPEG, 1 to 100
}

// bestQuality is the quality of JPEG when none is asked for. Compat: as in the reference service.
const bestQuality = 100

// look reads the query parameters of PS3.18 §8.3.5.1: quality, viewport, window and annotation. An ICC profile is not known of, and asking for one
// is refused rather than answered with other colours.
func (c *call) look() (l look, err error) {
	q := c.URL.Query()
	if l.quality, err = quality(q.Get("quality")); err != nil {
		return l, err
	}
	if l.Viewport, err = viewport(q.Get("viewport")); err != nil {
		return l, err
	}
	if l.Window, err = window(q.Get("window")); err != nil {
		return l, err
	}
	for name := range strings.SplitSeq(q.Get("annotation"), ",") {
		switch strings.TrimSpace(name) {
		case "":
		case "patient":
			l.Notes.Patient = true
		case "technique":
			l.Notes.Technique = true
		default:
			return l, fault.New(fault.Invalid, "annotation is a list of patient and technique (PS3.18 §8.3.5.1.1)")
		}
	}
	if p := q.Get("iccprofile"); p != "" && p != "no" {
		return l, fault.New(fault.Invalid, "iccprofile can only be no: this service has no profiles (PS3.18 §8.3.5.1.5)")
	}
	return l, nil
}

func quality(s string) (int, error) {
	if s == "" {
		return bestQuality, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 100 {
		return 0, fault.New(fault.Invalid, "quality is a number from 1 to 100 (PS3.18 §8.3.5.1.2)")
	}
	return n, nil
}

// viewport reads width and height, and after them the region of the image: where it begins and how wide and high it is.
func viewport(s string) (*pixel.Viewport, error) {
	if s == "" {
		return nil, nil
	}
	fields := strings.Split(s, ",")
	wrong := fault.New(fault.Invalid, "viewport is width,height or width,height,x,y,width,height, with sizes from 1 to %d (PS3.18 §8.3.5.1.3)", pixel.MaxViewport)
	if len(fields) != 2 && len(fields) != 6 {
		return nil, wrong
	}
	v := &pixel.Viewport{}
	for i, to := range []*int{&v.Width, &v.Height} {
		n, err := strconv.Atoi(strings.TrimSpace(fields[i]))
		if err != nil || n < 1 || n > pixel.MaxViewport {
			return nil, wrong
		}
		*to = n
	}
	if len(fields) == 2 {
		return v, nil
	}
	v.Region = &pixel.Region{}
	return v, floats(fields[2:], wrong, &v.Region.X, &v.Region.Y, &v.Region.Width, &v.Region.Height)
}

// floats reads numbers; what is left out is 0.
func floats(fields []string, wrong error, to ...*float64) error {
	for i, f := range fields {
		if f = strings.TrimSpace(f); f == "" {
			continue
		}
		x, err := strconv.ParseFloat(f, 64)
		if err != nil || x-x != 0 { // not infinite either
			return wrong
		}
		*to[i] = x
	}
	return nil
}

// functions are the shapes of a window by their names in queries.
var functions = map[string]string{"": "LINEAR", "linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}

// window reads center, width and the shape.
func window(s string) (*pixel.Window, error) {
	if s == "" {
		return nil, nil
	}
	fields := append(strings.Split(s, ","), "")
	wrong := fault.New(fault.Invalid, "window is center,width and one of linear, linear-exact and sigmoid, with a width above 0 (PS3.18 §8.3.5.1.4)")
	if len(fields) < 3 || len(fields) > 4 || fields[0] == "" {
		return nil, wrong
	}
	w := &pixel.Window{}
	var ok bool
	if w.Function, ok = functions[strings.ToLower(strings.TrimSpace(fields[2]))]; !ok {
		return nil, wrong
	}
	if err := floats(fields[:2], wrong, &w.Center, &w.Width); err != nil {
		return nil, err
	}
	if w.Width <= 0 {
		return nil, wrong
	}
	return w, nil
}
