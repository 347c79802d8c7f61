package reindex

import (
	"context"
	"fmt"
	"slices"
	"time"

	"salus/fault"
	"salus/fhir"
)

// JobStatus is where a job stands.
type JobStatus string

// The statuses of jobs, named as the reference names them.
const (
	Queued    JobStatus = "Queued"
	Running   JobStatus = "Running"
	Completed JobStatus = "Completed"
	Failed    JobStatus = "Failed"
	Canceled  JobStatus = "Canceled"
)

// Job is one run over the resources that have to be indexed anew. It is kept
// with the data, so that it goes on after the process has ended.
type Job struct {
	ID        int64
	Requested bool // by a client; otherwise it began because definitions or the program had changed
	Status    JobStatus
	Queued    time.Time
	Started   time.Time // zero until it runs
	Ended     time.Time // zero until it ends
	Modified  time.Time
	Types     []*TypeProgress
	Params    []string // URLs of the parameters whose values are made
	Failed    int64    // resources that could not be indexed
	Details   string   // why it failed, or that there was nothing to do
	Settings  Settings
}

// TypeProgress is how far a job is with a type.
type TypeProgress struct {
	Type     fhir.Type
	Total    int64 // when it began
	Done     int64
	Cursor   uint64 // number of the last resource done
	Limit    uint64 // number of the last resource to do: what came later has its values; 0 before it begins
	Finished bool
	Hash     string // of what it is being indexed by
}

// Settings are what a client may ask of a job.
type Settings struct {
	PerQuery    int      // resources read at a time at most, 1 to 10,000
	PerWrite    int      // resources written at a time at most, 1 to 10,000
	TargetTypes []string // resource types to index whether or not they need it
	TargetURLs  []string // parameters to index whether or not they need it
}

// Limits and defaults of Settings, which are the reference's.
const (
	DefaultPerQuery = 10_000
	DefaultPerWrite = 1_000
	MaxPer          = 10_000
)

// keptJobs bounds how many jobs can be asked for after their end.
const mostJobs = 20

type keptJobs struct {
	Next int64
	Jobs []*Job
}

// Total returns how many resources the job is about, and how many are done.
func (j *Job) Total() (total, done int64) {
	for _, t := range j.Types {
		total, done = total+t.Total, done+t.Done
	}
	return total, done
}

// Progress returns the percentage that is done in tenths of a percent: 999 at most
// until the job is complete.
func (j *Job) Progress() int64 {
	if j.Status == Completed {
		return 1000
	}
	total, done := j.Total()
	if total == 0 {
		return 0
	}
	return min(999, done*1000/total)
}

func (j *Job) over() bool { return j.Status != Queued && j.Status != Running }

// clone returns a copy that does not change any more.
func (j *Job) clone() *Job {
	c := *j
	c.Types = make([]*TypeProgress, len(j.Types))
	for i, t := range j.Types {
		progress := *t
		c.Types[i] = &progress
	}
	c.Params = slices.Clone(j.Params)
	return &c
}

// active returns the job that is not over, nil when there is none. The caller holds mu.
func (x *Indexer) active() *Job {
	if n := len(x.jobs); n > 0 && !x.jobs[n-1].over() {
		return x.jobs[n-1]
	}
	return nil
}

// Start asks for a job. While one is at work, that one is returned. When nothing
// has to be indexed, the job is complete at once. Invalid for settings out of range.
//
// Compat: $reindex while a job is active returns that job, as the reference does,
// though its documents say 409.
func (x *Indexer) Start(ctx context.Context, s Settings) (*Job, error) {
	if err := x.checkSettings(&s); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if j := x.active(); j != nil {
		j.Requested = true
		return j.clone(), x.keepJobs(ctx)
	}
	types := x.allBehind()
	for _, t := range x.own.Types() {
		if !slices.Contains(types, t) && x.targeted(t, s) {
			types = append(types, t)
		}
	}
	if len(s.TargetTypes) > 0 {
		types = slices.DeleteFunc(types, func(t fhir.Type) bool { return !slices.Contains(s.TargetTypes, string(t)) })
	}
	j := x.newJob(types)
	j.Requested, j.Settings = true, s
	if len(types) == 0 {
		j.Status, j.Started, j.Ended = Completed, j.Queued, j.Queued
		j.Details = "There is nothing to index: all resources have the values of all search parameters."
	}
	x.work()
	return j.clone(), x.keepJobs(ctx)
}

// targeted reports whether settings name a type, itself or through a parameter.
func (x *Indexer) targeted(t fhir.Type, s Settings) bool {
	if slices.Contains(s.TargetTypes, string(t)) {
		return true
	}
	for _, url := range s.TargetURLs {
		if _, types, _ := x.describe(url); slices.Contains(types, t) {
			return true
		}
	}
	return false
}

func (x *Indexer) checkSettings(s *Settings) error {
	for _, n := range []struct {
		name  string
		value *int
		or    int
	}{{"maximumNumberOfResourcesPerQuery", &s.PerQuery, DefaultPerQuery}, {"maximumNumberOfResourcesPerWrite", &s.PerWrite, DefaultPerWrite}} {
		if *n.value == 0 {
			*n.value = n.or
		}
		if *n.value < 1 || *n.value > MaxPer {
			return fault.New(fault.Invalid, "%s must be from 1 to %d", n.name, MaxPer)
		}
	}
	if len(s.TargetTypes) > 0 && len(s.TargetURLs) > 0 {
		return fault.New(fault.Invalid, "targetResourceTypes and targetSearchParameterTypes exclude each other")
	}
	for i, t := range s.TargetTypes {
		if !x.own.IsType(fhir.Type(t)) {
			return fault.New(fault.Invalid, "targetResourceTypes: name %d of the list is no resource type", i+1)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, url := range s.TargetURLs {
		if _, _, status := x.describe(url); status == "" {
			return fault.New(fault.Invalid, "targetSearchParameterTypes: no search parameter has url %d of the list", i+1)
		}
	}
	return nil
}

// newJob adds a job for types. The caller holds mu.
func (x *Indexer) newJob(types []fhir.Type) *Job {
	now := x.now()
	j := &Job{
		ID: x.nextID, Status: Queued, Queued: now, Modified: now,
		Settings: Settings{PerQuery: DefaultPerQuery, PerWrite: DefaultPerWrite},
	}
	x.nextID++
	x.jobs = append(x.jobs, j)
	if len(x.jobs) > mostJobs {
		x.jobs = slices.Clone(x.jobs[len(x.jobs)-mostJobs:])
	}
	x.extend(j, types)
	return j
}

// extend adds types to a job, or begins them again.
func (x *Indexer) extend(j *Job, types []fhir.Type) {
	for _, t := range types {
		for _, url := range x.differing(t) {
			if !slices.Contains(j.Params, url) {
				j.Params = append(j.Params, url)
			}
		}
		at := slices.IndexFunc(j.Types, func(p *TypeProgress) bool { return p.Type == t })
		if at < 0 {
			j.Types = append(j.Types, &TypeProgress{Type: t})
			continue
		}
		if p := j.Types[at]; p.Finished {
			*p = TypeProgress{Type: t, Total: p.Total}
		}
	}
}

// plan makes sure that what is behind is worked on: by the active job, or by one
// of the service's own. The caller holds mu.
//
// Compat: in the reference a parameter stays Supported until somebody asks for
// $reindex. Here it becomes Enabled by itself, and a $reindex that comes later joins
// the work or finds nothing to do.
func (x *Indexer) plan() {
	types := x.allBehind()
	j := x.active()
	switch {
	case j != nil:
		x.extend(j, types)
	case len(types) > 0:
		j = x.newJob(types)
		x.log.Info("resources will be indexed anew, for search parameters or settings have changed",
			"job", j.ID, "types", len(types), "parameters", len(j.Params))
	}
	if j != nil {
		x.work()
	}
}

// work wakes Run.
func (x *Indexer) work() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// keepJobs stores what is known of jobs. The caller holds mu.
func (x *Indexer) keepJobs(ctx context.Context) error {
	return x.keep(ctx, stateJobs, keptJobs{x.nextID, x.jobs})
}

// Active returns the job at work, nil when there is none.
func (x *Indexer) Active() *Job {
	x.mu.Lock()
	defer x.mu.Unlock()
	if j := x.active(); j != nil {
		return j.clone()
	}
	return nil
}

// Job returns a job. NotFound when there is none with this id, or none any more.
func (x *Indexer) Job(id int64) (*Job, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, j := range x.jobs {
		if j.ID == id {
			return j.clone(), nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no reindex job with this id")
}

// Cancel ends a job before its time. What it has not done stays to be done by the
// next. NotFound as Job; Invalid when it is over.
func (x *Indexer) Cancel(ctx context.Context, id int64) (*Job, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, j := range x.jobs {
		if j.ID != id {
			continue
		}
		if j.over() {
			return nil, fault.New(fault.Invalid, "reindex job %d is in state %s and cannot be cancelled", id, j.Status)
		}
		x.end(j, Canceled, "")
		return j.clone(), x.keepJobs(ctx)
	}
	return nil, fault.New(fault.NotFound, "there is no reindex job with this id")
}

// end ends a job. The caller holds mu.
func (x *Indexer) end(j *Job, s JobStatus, details string) {
	j.Status, j.Details = s, details
	j.Ended = x.now()
	j.Modified = j.Ended
	if j.Failed > 0 && details == "" {
		j.Details = fmt.Sprintf("%s could not be indexed.", plural(j.Failed, "resource"))
	}
}
