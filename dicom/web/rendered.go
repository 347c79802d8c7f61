package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/maypok86/otter/v2"

	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/dicom/part10"
	"salus/dicom/pixel"
	"salus/fault"
)

// The media types of pictures. The first is the default (PS3.18 §8.7.4).
const (
	typeJPEG = "image/jpeg"
	typePNG  = "image/png"
)

// picture is a frame to be shown.
type picture struct {
	index.Stored
	frame int // from 0
}

// rendered is Retrieve Rendered of a study, series, instance or frames (PS3.18 §10.4.1.1.3).
func (s *server) rendered(w http.ResponseWriter, c *call) error {
	l, err := c.look()
	if err != nil {
		return err
	}
	all, err := s.showable(c)
	if err != nil {
		return err
	}
	if kind := videoType(all[0].TransferSyntax); kind != "" && len(all) == 1 && c.takes(kind) {
		return s.video(w, c, all[0], kind)
	}
	pictures, err := c.pictures(all)
	if err != nil {
		return err
	}
	// Compat: the reference service shows the first frame of an instance; PS3.18 means all, which those get who accept many parts.
	one := len(pictures) == 1 || c.UIDs.Level() == index.Instance && c.PathValue("frames") == ""
	form, err := c.choosePicture(one)
	if err != nil {
		return err
	}
	if form.single {
		pictures = pictures[:1]
	}
	return s.show(w, c, pictures, form, l)
}

// thumbnail is Retrieve Thumbnail: one picture for whatever is asked for (PS3.18 §10.4.1.1.4). That of several instances is of the one in the middle.
func (s *server) thumbnail(w http.ResponseWriter, c *call) error {
	l, err := c.look()
	if err != nil {
		return err
	}
	if l.Viewport == nil {
		l.Viewport = &pixel.Viewport{Width: thumbnailSize, Height: thumbnailSize, Shrink: true}
	}
	all, err := s.showable(c)
	if err != nil {
		return err
	}
	chosen := all[len(all)/2]
	pictures, err := c.pictures([]index.Stored{chosen})
	if err != nil {
		return err
	}
	form, err := c.choosePicture(true)
	if err != nil {
		return err
	}
	n := 0
	if c.PathValue("frames") == "" {
		n = len(pictures) / 2
	}
	return s.show(w, c, pictures[n:n+1], form, l)
}

// thumbnailSize is the width and height that thumbnails have at most, unless a viewport is asked for.
const thumbnailSize = 256

// showable returns the instances below the UIDs that can be shown, or when none can the first with frames, or the first of all, so that it can be
// said why.
func (s *server) showable(c *call) ([]index.Stored, error) {
	all, err := s.Archive.Instances(c.Context(), c.partition, c.UIDs)
	if err != nil {
		return nil, err
	}
	var some []index.Stored
	first := 0
	for i, one := range all {
		if one.Layout == nil {
			continue
		}
		if all[first].Layout == nil {
			first = i
		}
		if shows(one.TransferSyntax) {
			some = append(some, one)
		}
	}
	if some == nil {
		some = all[first : first+1]
	}
	return some, nil
}

// shows reports whether frames in a transfer syntax can be shown.
func shows(transferSyntax string) bool {
	return !part10.SyntaxOf(transferSyntax).Encapsulated || pixel.Decodes(transferSyntax) || videoType(transferSyntax) != ""
}

// pictures are the frames that the path names, or all.
func (c *call) pictures(all []index.Stored) ([]picture, error) {
	var pictures []picture
	for _, one := range all {
		if one.Layout == nil {
			return []picture{{Stored: one}}, nil
		}
		layout, err := part10.ParseLayout(one.Layout)
		if err != nil {
			return nil, err
		}
		if c.PathValue("frames") == "" {
			for n := range layout.Frames {
				pictures = append(pictures, picture{one, n})
			}
			continue
		}
		numbers, err := frameList(c.PathValue("frames"))
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			if n > layout.Frames {
				return nil, fault.New(fault.NotFound, "the instance has only %d frames", layout.Frames)
			}
			pictures = append(pictures, picture{one, n - 1})
		}
	}
	return pictures, nil
}

// choosePicture chooses a form of answer. A single part has one picture.
func (c *call) choosePicture(one bool) (frameForm, error) {
	many := false
	for _, m := range c.accepted() {
		form := frameForm{single: !m.multipart}
		switch {
		case m.takes(typeJPEG):
			form.kind = typeJPEG
		case m.takes(typePNG):
			form.kind = typePNG
		default:
			continue
		}
		if form.single && !one {
			if many = true; m.name != "*/*" {
				continue
			}
			form.single = false
		}
		return form, nil
	}
	if many {
		return frameForm{}, fault.New(fault.NotAcceptable, "several pictures need multipart/related in Accept (PS3.18 §8.7.4)")
	}
	return frameForm{}, fault.New(fault.NotAcceptable, "Accept must name %s or %s", typeJPEG, typePNG)
}

// show answers with pictures.
func (s *server) show(w http.ResponseWriter, c *call, all []picture, form frameForm, l look) error {
	var newest int64
	for _, p := range all {
		newest = max(newest, p.Watermark)
	}
	tag := fmt.Sprintf(`"%d-%d-%s"`, newest, len(all), path.Base(form.kind))
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Accept")
	if unchanged(c.Request, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	out := newRelated(w, c, form.kind)
	e := easels.Get().(*easel)
	e.archive = s.Archive
	defer func() { e.close(); easels.Put(e) }()
	for _, p := range all {
		data, err := s.picture(c.Context(), e, p, form.kind, l)
		if err != nil {
			return err
		}
		if form.single {
			h.Set("Content-Type", form.kind)
			h.Set("Content-Length", strconv.Itoa(len(data)))
			if c.Method != http.MethodHead {
				_, err = w.Write(data)
			}
			return err
		}
		if err := out.part(form.kind, c.instanceURL(p.UIDs)+"/frames/"+strconv.Itoa(p.frame+1)+"/rendered", bytes.NewReader(data)); err != nil {
			return err
		}
	}
	return out.close()
}

// easel draws pictures one after the other and keeps the instance open that it is at.
type easel struct {
	archive *archive.Archive
	frames  *archive.Frames
	data    []byte // of the frame
}

// easels are for being used again, with their memory.
var easels = sync.Pool{New: func() any { return new(easel) }}

// picture returns a picture in a media type, which may have been drawn before.
func (s *server) picture(ctx context.Context, e *easel, p picture, kind string, l look) ([]byte, error) {
	key := p.key(kind, l)
	if b, ok := s.pictures.GetIfPresent(key); ok {
		return b, nil
	}
	b, err := e.draw(ctx, p, kind, l)
	if err == nil {
		s.pictures.Set(key, b)
	}
	return b, err
}

// keptPictures is how many bytes of pictures are kept for being asked for again, as thumbnails are.
const keptPictures = 32 << 20

func newPictures() *otter.Cache[string, []byte] {
	return otter.Must(&otter.Options[string, []byte]{
		MaximumWeight: keptPictures,
		Weigher:       func(key string, b []byte) uint32 { return uint32(len(key) + len(b)) },
	})
}

// key names all that a picture depends on. A version of an instance never changes.
func (p picture) key(kind string, l look) string {
	k := fmt.Sprintf("%d %d %s %d %v", p.Watermark, p.frame, kind, l.quality, l.Notes)
	if l.Window != nil {
		k += fmt.Sprintf(" w%v", *l.Window)
	}
	if v := l.Viewport; v != nil {
		k += fmt.Sprintf(" v%d,%d,%t,%t", v.Width, v.Height, v.Shrink, v.Relative)
		if v.Region != nil {
			k += fmt.Sprintf(" %v", *v.Region)
		}
	}
	return k
}

// draw draws a picture in a media type.
func (e *easel) draw(ctx context.Context, p picture, kind string, l look) (_ []byte, err error) {
	if e.frames == nil || e.frames.Stored.Watermark != p.Watermark {
		e.close()
		if e.frames, err = e.archive.Frames(ctx, p.Stored); err != nil {
			return nil, err
		}
	}
	r, err := e.frames.Frame(p.frame)
	if err != nil {
		return nil, err
	}
	file, err := e.frames.File()
	if err != nil {
		return nil, err
	}
	if e.frames.Size(p.frame) > pixel.MaxFrame {
		return nil, fault.New(fault.NotAcceptable, "the frame is larger than the %d MiB that are shown", pixel.MaxFrame>>20)
	}
	// Decoding native frames keeps the bytes, so that they are used again only when the picture is made.
	data := slices.Grow(e.data[:0], int(e.frames.Size(p.frame)))[:e.frames.Size(p.frame)]
	e.data = data
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	frame, err := pixel.Decode(file, data)
	if err != nil {
		return nil, err
	}
	img, err := pixel.Render(file.Dataset, frame, p.frame, l.Options)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = pixel.Encode(&b, img, kind, l.quality)
	return b.Bytes(), err
}

func (e *easel) close() {
	if e.frames != nil {
		e.frames.Close()
		e.frames = nil
	}
}
