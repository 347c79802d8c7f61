package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"time"

	"salus/dicom"
	"salus/dicom/client"
	"salus/dicom/dimse"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/fault"
)

// storer stores files somewhere.
type storer interface {
	StoreFile(ctx context.Context, r io.Reader, size int64) (client.Result, error)
	Close()
}

// associated stores files by C-STORE, over some associations.
type associated struct{ idle chan *dimse.Association }

// associate opens associations with dicom://TITLE@host:port for what the files are.
func associate(ctx context.Context, to *url.URL, calling string, files []string, count int) (*associated, error) {
	if to.User.Username() == "" || to.Port() == "" {
		return nil, fault.New(fault.Invalid, "an application is named as dicom://AETITLE@host:port")
	}
	contexts, err := contextsOf(files)
	if err != nil {
		return nil, err
	}
	peer := dimse.Peer{Address: to.Host, Called: to.User.Username(), Calling: calling, Timeout: time.Minute}
	a := &associated{make(chan *dimse.Association, count)}
	for range count {
		one, err := peer.Associate(ctx, slices.Clone(contexts))
		if err != nil {
			a.Close()
			return nil, err
		}
		a.idle <- one
	}
	return a, nil
}

// contextsOf reads what the files are. Those that are no DICOM files are refused when it is their turn.
func contextsOf(files []string) ([]dimse.Context, error) {
	seen := map[[2]string]bool{}
	var all []dimse.Context
	for _, name := range files {
		f, err := head(name)
		if err != nil {
			continue
		}
		class, syntax := f.Dataset.String(tag.SOPClassUID), f.TransferSyntax
		k := [2]string{class, syntax}
		if class == "" || seen[k] {
			continue
		}
		seen[k] = true
		all = append(all, dimse.Context{Abstract: class, Transfers: []string{syntax}})
	}
	if len(all) > 128 {
		return nil, fault.New(fault.Invalid, "the files are of more than 128 classes and transfer syntaxes together; send fewer at a time")
	}
	return all, nil
}

func head(name string) (*part10.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return part10.Read(f, part10.Options{Until: tag.StudyDate})
}

// StoreFile sends a file.
func (a *associated) StoreFile(_ context.Context, r io.Reader, size int64) (client.Result, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return client.Result{}, fault.Wrap(fault.Invalid, err, "the file cannot be read")
	}
	f, err := part10.Read(bytes.NewReader(data), part10.Options{Until: tag.StudyDate})
	if err != nil {
		return client.Result{}, err
	}
	one, ok := <-a.idle
	if !ok {
		return client.Result{}, fault.New(fault.Unavailable, "the associations are lost")
	}
	class, instance := f.Dataset.String(tag.SOPClassUID), f.Dataset.String(tag.SOPInstanceUID)
	c, ok := one.Find(class, f.TransferSyntax)
	if !ok {
		a.idle <- one
		name := f.TransferSyntax
		if u, known := dicom.LookupUID(name); known {
			name = u.Name
		}
		return client.Result{}, fault.New(fault.Invalid, "the application does not take this class of instances in %s", name)
	}
	status, err := one.Store(c, class, instance, func(w io.Writer) error { _, err := w.Write(data[f.Start:]); return err })
	if err != nil {
		one.Abort()
		return client.Result{}, fault.Wrap(fault.Unavailable, err, "the association was lost")
	}
	a.idle <- one
	switch {
	case status == dimse.Success:
		return client.Result{Stored: 1}, nil
	case status>>12 == 0xB:
		return client.Result{Stored: 1, Warnings: 1}, nil
	}
	return client.Result{Failures: []client.Failure{{Reason: int64(status), Comments: []string{fmt.Sprintf("status %04X", uint16(status))}}}}, nil
}

// Close releases the associations that are not lost.
func (a *associated) Close() {
	for {
		select {
		case one := <-a.idle:
			if one.Release() != nil {
				return // what was answered is stored
			}
		default:
			return
		}
	}
}
