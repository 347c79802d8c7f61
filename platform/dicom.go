package platform

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"salus/blob"
	"salus/blob/file"
	"salus/blob/s3"
	"salus/dicom/archive"
	"salus/dicom/inbox"
	"salus/dicom/index/sqlindex"
	"salus/dicom/mirror"
	"salus/dicom/web"
	"salus/dicom/worklist"
	"salus/fault"
	"salus/fhir/rest"
	"salus/sqldb/sqlite"
	"salus/workspace"
)

// openDICOM opens the DICOM service s on dir, which has the index as index.db and the instances below objects.
func (p *Platform) openDICOM(s *service, dir string, set workspace.DICOMSettings) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the directory of the service cannot be made")
	}
	objects, err := p.openObjects(filepath.Join(dir, "objects"), s) // first, since it keeps other processes out
	if err != nil {
		return err
	}
	db, err := sqlite.Open(filepath.Join(dir, "index.db"), sqlite.Options{})
	if err != nil {
		return errors.Join(err, objects.Close())
	}
	index, err := sqlindex.Open(context.Background(), db, p.cfg.Now)
	if err != nil {
		return errors.Join(err, objects.Close())
	}
	exports, err := openExports(set.Exports)
	if err != nil {
		return errors.Join(err, index.Close(), objects.Close())
	}
	a, err := archive.Open(context.Background(), index, objects, archive.Options{
		Base: s.path + "/v2", Now: p.cfg.Now, Random: rand.Reader, Logger: p.log.With("workspace", s.workspace, "service", s.name), Exports: exports,
	})
	if err != nil {
		return errors.Join(err, index.Close(), objects.Close(), closeAll(exports))
	}
	s.archive, s.images = a, set
	s.close, s.check = once(a.Close), a.Check
	ended := make(chan struct{})
	watch, err := p.openInbox(s, a, set.Inbox)
	if err != nil {
		return err
	}
	s.background = func(ctx context.Context) {
		defer close(ended)
		var working sync.WaitGroup
		working.Go(func() { watch(ctx) })
		a.Run(ctx)
		working.Wait()
	}
	s.worklist = worklist.New(index, p.cfg.Now)
	s.handler = func(path string) http.Handler {
		return web.New(web.Options{Archive: a, Worklist: s.worklist, Base: rest.Base(path), Partitions: set.Partitions, Now: p.cfg.Now, Ended: ended})
	}
	return nil
}

// openInbox returns what stores the files that are put into a folder or bucket, until its context ends.
func (p *Platform) openInbox(s *service, a *archive.Archive, folder string) (func(context.Context), error) {
	if folder == "" {
		return func(context.Context) {}, nil
	}
	log := p.log.With("workspace", s.workspace, "service", s.name)
	o := inbox.Options{Folder: folder, Archive: a, Partition: web.DefaultPartition, Interval: inbox.DefaultInterval, Logger: log}
	var in interface {
		Run(context.Context)
		Close() error
	}
	var err error
	if strings.HasPrefix(folder, "s3:") {
		var bucket blob.Store
		if bucket, err = openBlobs(folder, ""); err == nil {
			in = inbox.NewBucket(bucket, o)
		}
	} else {
		in, err = inbox.Open(o)
	}
	if err != nil {
		return nil, fault.Wrap(fault.KindOf(err), err, "inbox: %s", fault.As(err).Message)
	}
	return func(ctx context.Context) {
		in.Run(ctx)
		if err := in.Close(); err != nil {
			log.Warn("the inbox was not closed", "error", err)
		}
	}, nil
}

// openObjects opens what keeps the files of a service: dir, or the storage of the settings, of which dir is then what keeps other processes out.
func (p *Platform) openObjects(dir string, s *service) (blob.Store, error) {
	local, err := file.Open(dir)
	if err != nil || p.cfg.Blobs == "" {
		return local, err
	}
	there, err := openBlobs(p.cfg.Blobs, s.workspace+"/"+s.name)
	if err != nil {
		return nil, errors.Join(err, local.Close())
	}
	return guarded{there, local}, nil
}

// guarded is a store that one process at a time has open, because of another.
type guarded struct {
	blob.Store
	guard blob.Store
}

func (g guarded) Close() error { return errors.Join(g.Store.Close(), g.guard.Close()) }

// openBlobs opens the storage at a URL, or a folder, below a path.
func openBlobs(address, path string) (blob.Store, error) {
	if !strings.HasPrefix(address, "s3:") {
		return file.Open(filepath.Join(strings.TrimPrefix(address, "file://"), filepath.FromSlash(path)))
	}
	o, err := s3.ParseURL(address)
	if err != nil {
		return nil, err
	}
	if path != "" {
		o.Prefix += path + "/"
	}
	ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
	defer cancel()
	return s3.Open(ctx, o)
}

// storageTimeout is how long a storage service may take to answer at the start.
const storageTimeout = 30 * time.Second

// openExports opens the folders and buckets that instances can be exported to.
func openExports(folders map[string]string) (map[string]blob.Store, error) {
	all := map[string]blob.Store{}
	for name, place := range folders {
		store, err := openBlobs(place, "")
		if err != nil {
			return nil, errors.Join(fault.Wrap(fault.KindOf(err), err, "exports: %s: %s", name, fault.As(err).Message), closeAll(all))
		}
		all[name] = store
	}
	return all, nil
}

func closeAll(stores map[string]blob.Store) error {
	var errs []error
	for _, s := range stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// fhirService is a FHIR service of the same workspace, as those see it that write images into it.
type fhirService struct{ *service }

func (f fhirService) Find(ctx context.Context, resourceType, param, value string) ([]byte, error) {
	return f.find(ctx, resourceType, param, value)
}

func (f fhirService) Transaction(ctx context.Context, bundle []byte) error {
	return f.transaction(ctx, bundle)
}

// link lets DICOM services keep the FHIR services up to date that their settings name.
func (p *Platform) link() error {
	for _, s := range p.services {
		if s.images.FHIRService == "" {
			continue
		}
		i := slices.IndexFunc(p.services, func(f *service) bool { return f.kind == workspace.FHIR && f.name == s.images.FHIRService })
		if i < 0 {
			return fault.New(fault.Invalid, "service %s: settings: fhirService: there is no FHIR service %q in the workspace", s.name, s.images.FHIRService)
		}
		m := mirror.New(mirror.Options{
			Archive: s.archive, FHIR: fhirService{p.services[i]}, Follower: "fhir:" + s.images.FHIRService, Address: func() string { return p.address(s) + "/v2" },
			PatientSystem: s.images.PatientSystem, IssuerAsSystem: s.images.IssuerAsSystem,
			Logger: p.log.With("workspace", s.workspace, "service", s.name),
		})
		archive := s.background
		s.background = func(ctx context.Context) {
			var working sync.WaitGroup
			working.Go(func() { archive(ctx) })
			working.Go(func() { m.Run(ctx) })
			working.Wait()
		}
	}
	return nil
}

// address is where a service is found by others: below its own host name when there is a domain, else at the address that is listened on.
func (p *Platform) address(s *service) string {
	if p.cfg.Domain != "" {
		return "https://" + s.host(p.cfg.Domain)
	}
	return "http://" + p.listening + s.path
}

// once makes a function that may be called again, when it does nothing.
func once(release func() error) func() error {
	return func() error {
		if release == nil {
			return nil
		}
		now := release
		release = nil
		return now()
	}
}
