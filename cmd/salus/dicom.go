package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sync/errgroup"

	"salus/dicom"
	"salus/dicom/client"
	"salus/dicom/index"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/fault"
)

// dicomCmd is `salus dicom`.
type dicomCmd struct {
	Send dicomSendCmd `cmd:"" help:"Store files in a DICOM service."`
	Get  dicomGetCmd  `cmd:"" help:"Retrieve a study, series or instance into a folder."`
	Dump dicomDumpCmd `cmd:"" help:"Print the data set of a file."`
}

// dicomService is how a DICOM service is reached.
type dicomService struct {
	To    string `help:"Base URL of the DICOM service with its version." default:"http://127.0.0.1:8080/default/dicom/v2" env:"SALUS_DICOM" placeholder:"URL"`
	Token string `help:"Bearer token; better given by the environment." env:"SALUS_TOKEN"`
}

func (s dicomService) open() (*client.Client, error) {
	header := http.Header{}
	if s.Token != "" {
		header.Set("Authorization", "Bearer "+s.Token)
	}
	return client.New(s.To, header)
}

// dicomSendCmd is `salus dicom send`.
type dicomSendCmd struct {
	To      string   `help:"Base URL of the DICOM service with its version, or dicom://AETITLE@HOST:PORT to send by C-STORE." default:"http://127.0.0.1:8080/default/dicom/v2" env:"SALUS_DICOM" placeholder:"URL"`
	Token   string   `help:"Bearer token; better given by the environment." env:"SALUS_TOKEN"`
	As      string   `help:"AE title of the sender, with C-STORE." default:"SALUS" placeholder:"AETITLE"`
	Workers int      `help:"Files sent at the same time." default:"4" short:"j"`
	Paths   []string `arg:"" name:"path" help:"Files, and folders of which every file is sent."`
}

// sendFailures is how many failures are listed.
const sendFailures = 20

// Run sends the files and prints a summary.
func (c *dicomSendCmd) Run(ctx context.Context, t *terminal) error {
	files, total, err := findFiles(c.Paths)
	if err != nil {
		return err
	}
	service, err := c.storer(ctx, files)
	if err != nil {
		return err
	}
	defer service.Close()
	s := &sending{terminal: t, bar: newByteBar(t.err, total)}
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(c.Workers, 1))
	for _, name := range files {
		group.Go(func() error { return s.send(ctx, service, name) })
	}
	err = group.Wait()
	s.bar.end()
	took := max(time.Since(start).Seconds(), 1e-3)
	fmt.Fprintf(t.out, "%d instances (%s) stored in %.1f s, %.0f/s; %d with warnings, %d failed\n",
		s.stored.Load(), byteSize(s.bytes.Load()), took, float64(s.stored.Load())/took, s.warned.Load(), s.failed.Load())
	if err == nil && s.failed.Load() > 0 {
		err = fault.New(fault.Invalid, "%d files were not stored", s.failed.Load())
	}
	return err
}

// storer opens the way by which files are stored.
func (c *dicomSendCmd) storer(ctx context.Context, files []string) (storer, error) {
	if to, err := url.Parse(c.To); err == nil && to.Scheme == "dicom" {
		return associate(ctx, to, c.As, files, max(c.Workers, 1))
	}
	return dicomService{To: c.To, Token: c.Token}.open()
}

// findFiles lists files and those in folders, and their bytes.
func findFiles(paths []string) (files []string, total int64, err error) {
	for _, path := range paths {
		err := filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			files, total = append(files, name), total+info.Size()
			return nil
		})
		if err != nil {
			return nil, 0, fault.Wrap(fault.NotFound, err, "the files cannot be listed")
		}
	}
	return files, total, nil
}

// sending counts what becomes of files.
type sending struct {
	*terminal
	bar                           *byteBar
	stored, warned, failed, bytes atomic.Int64

	mu sync.Mutex // for writing failures
}

func (s *sending) send(ctx context.Context, service storer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "a file cannot be opened")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r, err := service.StoreFile(ctx, f, info.Size())
	s.bar.add(info.Size())
	switch {
	case err != nil && fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.TooLarge && fault.KindOf(err) != fault.MediaType:
		return err // the next file would fare no better
	case err != nil:
		s.fail(name, fault.As(err).Message)
		return nil
	}
	s.stored.Add(int64(r.Stored))
	s.warned.Add(int64(r.Warnings))
	if r.Stored > 0 {
		s.bytes.Add(info.Size())
	}
	for _, why := range r.Failures {
		s.fail(name, fmt.Sprintf("reason %d %s", why.Reason, strings.Join(why.Comments, "; ")))
	}
	return nil
}

func (s *sending) fail(name, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch n := s.failed.Add(1); {
	case n <= sendFailures:
		fmt.Fprintf(s.err, "%s: %s\n", name, why)
	case n == sendFailures+1:
		fmt.Fprintln(s.err, "… further failures are only counted")
	}
}

// byteBar shows at a terminal how many bytes are done.
type byteBar struct {
	bars *mpb.Progress
	bar  *mpb.Bar
}

func newByteBar(w io.Writer, total int64) *byteBar {
	if !isTerminal(w) {
		return &byteBar{}
	}
	b := &byteBar{bars: mpb.New(mpb.WithOutput(w), mpb.WithWidth(48))}
	b.bar = b.bars.AddBar(max(total, 1),
		mpb.PrependDecorators(decor.CountersKibiByte("% .1f / % .1f ")), mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5})))
	return b
}

func (b *byteBar) add(n int64) {
	if b.bar != nil {
		b.bar.IncrInt64(n)
	}
}

func (b *byteBar) end() {
	if b.bar != nil {
		b.bar.Abort(false)
		b.bars.Wait()
	}
}

// dicomGetCmd is `salus dicom get`.
type dicomGetCmd struct {
	dicomService
	Out      string `help:"Folder that the files are written to, as {study}/{series}/{instance}.dcm." default:"." short:"o" placeholder:"DIR"`
	Study    string `arg:"" help:"UID of the study."`
	Series   string `arg:"" optional:"" help:"UID of a series of it."`
	Instance string `arg:"" optional:"" help:"UID of an instance of that."`
}

// Run writes the files.
func (c *dicomGetCmd) Run(ctx context.Context, t *terminal) error {
	for _, uid := range []string{c.Study, c.Series, c.Instance} {
		if uid != "" && !dicom.ValidUID(uid) {
			return fault.New(fault.Invalid, "an argument is no UID (PS3.5 §9.1)")
		}
	}
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	count := 0
	err = service.Retrieve(ctx, index.UIDs{Study: c.Study, Series: c.Series, Instance: c.Instance}, func(r io.Reader) error {
		count++
		return writeInstance(c.Out, r)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%d instances written below %s\n", count, c.Out)
	return err
}

// writeInstance writes a file under a temporary name, reads its UIDs while it does, and gives it the name that they make.
func writeInstance(folder string, r io.Reader) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder cannot be made")
	}
	f, err := os.CreateTemp(folder, ".incoming-*")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "a file cannot be written")
	}
	defer os.Remove(f.Name()) // it is gone when all went well
	in := io.TeeReader(r, f)
	file, err := part10.Read(in, part10.Options{})
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	path := folder
	for _, t := range []dicom.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID} {
		uid, err := part10.CheckUID(file.Dataset, t)
		if err != nil {
			return err
		}
		path = filepath.Join(path, uid)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder cannot be made")
	}
	return os.Rename(f.Name(), path+".dcm")
}
