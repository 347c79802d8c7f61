package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/pixel"
	"salus/fault"
)

// wadoURI is the URI service (PS3.18 §9), which asks for one instance in the query.
func (s *server) wadoURI(w http.ResponseWriter, c *call) error {
	q := c.URL.Query()
	if q.Get("requestType") != "WADO" {
		return fault.New(fault.Invalid, "requestType must be WADO (PS3.18 §9.1.2.1.1)")
	}
	for name, to := range map[string]*string{"studyUID": &c.Study, "seriesUID": &c.Series, "objectUID": &c.Instance} {
		if *to = q.Get(name); !dicom.ValidUID(*to) {
			return fault.New(fault.Invalid, "%s must be a UID (PS3.18 §9.1.2.1)", name)
		}
	}
	for _, name := range []string{"anonymize", "presentationUID", "presentationSeriesUID"} {
		if q.Has(name) {
			return fault.New(fault.NotSupported, "%s is not supported", name)
		}
	}
	one, err := s.Archive.Instance(c.Context(), c.partition, c.UIDs)
	if err != nil {
		return err
	}
	switch kind, ok := c.contentType(one); {
	case !ok:
		return fault.New(fault.NotAcceptable, "contentType must name one of %s, %s and %s", typeDICOM, typeJPEG, typePNG)
	case kind != typeDICOM:
		return s.wadoPicture(w, c, one, kind)
	}
	want := q.Get("transferSyntax")
	if err := checkSyntax(want); err != nil {
		return err
	}
	plan, err := s.plan([]index.Stored{one}, media{transferSyntax: want})
	if err != nil {
		return err
	}
	return s.sendFile(w, c, plan[0])
}

// contentType chooses a media type: of the query, else of the headers, else a picture of what has pixels (PS3.18 §9.1.2.2.1).
func (c *call) contentType(one index.Stored) (string, bool) {
	kinds := []string{typeDICOM}
	if one.Layout != nil {
		kinds = []string{typeJPEG, typePNG, typeDICOM}
	}
	asked := c.accepted()
	if v := c.URL.Query()["contentType"]; len(v) > 0 {
		asked = parseAccept(v)
	}
	for _, m := range asked {
		if i := slices.IndexFunc(kinds, m.takes); i >= 0 {
			return kinds[i], true
		}
	}
	return "", false
}

// wadoPicture answers with a picture of a frame, as PS3.18 §9.1.2.2 says with parameters of its own.
func (s *server) wadoPicture(w http.ResponseWriter, c *call, one index.Stored, kind string) error {
	l, err := c.wadoLook()
	if err != nil {
		return err
	}
	n := 1
	if v := c.URL.Query().Get("frameNumber"); v != "" {
		if n, err = strconv.Atoi(v); err != nil || n < 1 {
			return fault.New(fault.Invalid, "frameNumber counts from 1 (PS3.18 §9.1.2.2.7)")
		}
	}
	all, err := c.pictures([]index.Stored{one})
	if err != nil {
		return err
	}
	if n > len(all) {
		return fault.New(fault.NotFound, "the instance has only %d frames", len(all))
	}
	return s.show(w, c, all[n-1:n], frameForm{single: true, kind: kind}, l)
}

func (c *call) wadoLook() (l look, err error) {
	q := c.URL.Query()
	if l.quality, err = quality(q.Get("imageQuality")); err != nil {
		return l, err
	}
	for name := range strings.SplitSeq(q.Get("annotation"), ",") {
		l.Notes.Patient = l.Notes.Patient || name == "patient"
		l.Notes.Technique = l.Notes.Technique || name == "technique"
	}
	if center, width := q.Get("windowCenter"), q.Get("windowWidth"); center != "" || width != "" {
		if l.Window, err = window(center + "," + width); err != nil {
			return l, err
		}
	}
	rows, columns := q.Get("rows"), q.Get("columns")
	if rows != "" || columns != "" {
		largest := strconv.Itoa(pixel.MaxViewport)
		if l.Viewport, err = viewport(cmp.Or(columns, largest) + "," + cmp.Or(rows, largest)); err != nil {
			return l, err
		}
	}
	if region := q.Get("region"); region != "" {
		wrong := fault.New(fault.Invalid, "region is left,top,right,bottom in parts from 0 to 1 of the image (PS3.18 §9.1.2.2.5)")
		fields := strings.Split(region, ",")
		if len(fields) != 4 {
			return l, wrong
		}
		if l.Viewport == nil {
			l.Viewport = &pixel.Viewport{}
		}
		var right, bottom float64
		r := &pixel.Region{}
		if err := floats(fields, wrong, &r.X, &r.Y, &right, &bottom); err != nil {
			return l, err
		}
		if r.Width, r.Height = right-r.X, bottom-r.Y; r.Width <= 0 || r.Height <= 0 {
			return l, wrong
		}
		l.Viewport.Region, l.Viewport.Relative = r, true
	}
	return l, nil
}
