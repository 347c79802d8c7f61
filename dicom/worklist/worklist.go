// Package worklist keeps unified procedure steps: what is to be done to images or with them, who does it, and how far it is (PS3.4 annex CC,
// PS3.18 §11).
//
// A workitem goes from SCHEDULED through IN PROGRESS to COMPLETED or CANCELED and never back. While it is in progress only who claimed it, and
// so knows its transaction UID, can change it. Each change is written at once or not at all, and of two at the same time one is refused. Who has
// subscribed is told of changes while it listens.
package worklist

import (
	"context"
	"sync"
	"time"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// The states of a workitem (PS3.3 §C.30.1).
const (
	Scheduled  = "SCHEDULED"
	InProgress = "IN PROGRESS"
	Completed  = "COMPLETED"
	Canceled   = "CANCELED"
)

// label is the worklist that every workitem is on.
const label = "worklist"

// Worklist is the worklist of a service. It is safe for concurrent use.
type Worklist struct {
	items index.Workitems
	now   func() time.Time

	mu        sync.Mutex
	listeners map[listenerKey][]*Listener
	listening int // all of them
}

// New makes a worklist of its store.
func New(items index.Workitems, now func() time.Time) *Worklist {
	return &Worklist{items: items, now: now, listeners: map[listenerKey][]*Listener{}}
}

// step is a workitem that was read.
type step struct {
	*dicom.Dataset
	uid      string
	number   int64 // 0 of one that was not there before
	revision int64
}

func (s *step) state() string { return s.String(tag.ProcedureStepState) }

// read reads a workitem.
func (w *Worklist) read(ctx context.Context, partition, uid string) (*step, error) {
	item, err := w.items.Workitem(ctx, partition, uid)
	if err != nil {
		return nil, err
	}
	d, _, err := jsonmodel.Decode(item.JSON)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a stored workitem cannot be read")
	}
	return &step{d, uid, item.Number, item.Revision}, nil
}

func (s *step) item() index.Workitem {
	return index.Workitem{UID: s.uid, JSON: jsonmodel.Append(nil, s.Dataset, jsonmodel.Options{}), Revision: s.revision, Values: values(s.Dataset)}
}

// Create adds a workitem, whose UID can be given beside it, and returns its UID (PS3.18 §11.4).
func (w *Worklist) Create(ctx context.Context, partition, id string, d *dicom.Dataset) (string, error) {
	own := d.String(tag.SOPInstanceUID)
	if id == "" {
		id = own
	}
	switch {
	case !dicom.ValidUID(id):
		return "", fault.New(fault.Invalid, "a workitem needs a UID, in the query string or as SOPInstanceUID")
	case own != "" && own != id:
		return "", fault.New(fault.Invalid, "SOPInstanceUID is another than the UID in the query string")
	case d.String(tag.TransactionUID) != "":
		return "", fault.New(fault.Invalid, "TransactionUID must be empty: nobody has claimed the workitem yet")
	}
	if s := d.String(tag.ProcedureStepState); s != "" && s != Scheduled {
		return "", fault.New(fault.Invalid, "ProcedureStepState must be %s at first (C309)", Scheduled)
	}
	d.Set(dicom.Text(tag.SOPClassUID, dicom.UI, uid.UnifiedProcedureStepPush))
	d.Set(dicom.Text(tag.SOPInstanceUID, dicom.UI, id))
	d.Set(dicom.Text(tag.WorklistLabel, dicom.LO, label)) // Compat: as the reference service, which has one
	d.Set(dicom.Text(tag.ProcedureStepState, dicom.CS, Scheduled))
	d.Set(dicom.Text(tag.TransactionUID, dicom.UI))
	w.stamp(d)
	if err := check(d, creation); err != nil {
		return "", err
	}
	s := &step{Dataset: d, uid: id}
	if err := w.items.AddWorkitem(ctx, partition, s.item()); err != nil {
		return "", err
	}
	return id, w.tell(ctx, partition, s, stateReport)
}

// stamp notes the time of a change.
func (w *Worklist) stamp(d *dicom.Dataset) {
	d.Set(dicom.Text(tag.ScheduledProcedureStepModificationDateTime, dicom.DT, w.now().UTC().Format("20060102150405.000000-0700")))
}

// Retrieve returns a workitem without its transaction UID, which only its performer knows (PS3.18 §11.5).
func (w *Worklist) Retrieve(ctx context.Context, partition, id string) (*dicom.Dataset, error) {
	s, err := w.read(ctx, partition, id)
	if err != nil {
		return nil, err
	}
	return public(s.Dataset), nil
}

func public(d *dicom.Dataset) *dicom.Dataset {
	d.Remove(func(e *dicom.Element) bool { return e.Tag == tag.TransactionUID })
	return d
}

// Update changes attributes of a workitem. While it is in progress its transaction UID must be given, and before none (PS3.18 §11.6).
func (w *Worklist) Update(ctx context.Context, partition, id, transaction string, d *dicom.Dataset) error {
	s, err := w.read(ctx, partition, id)
	if err != nil {
		return err
	}
	switch s.state() {
	case Scheduled:
		if transaction != "" {
			return fault.New(fault.Invalid, "the workitem is not in progress, so that it has no transaction UID")
		}
	case InProgress:
		if err := s.claimed(transaction); err != nil {
			return err
		}
	default:
		return inconsistent("C310")
	}
	for i := range d.Elements {
		e := &d.Elements[i]
		if fixed[e.Tag] {
			return fault.New(fault.Invalid, "%s cannot be changed by an update", e.Tag.Keyword())
		}
		s.Set(*e)
	}
	w.stamp(s.Dataset)
	if err := check(s.Dataset, creation); err != nil {
		return err
	}
	return w.write(ctx, partition, s, progressReport)
}

// write writes what was read and changed, and tells of it.
func (w *Worklist) write(ctx context.Context, partition string, s *step, event uint16) error {
	err := w.items.ChangeWorkitem(ctx, partition, s.item())
	if fault.Is(err, fault.Busy) {
		return fault.Wrap(fault.Conflict, err, "the workitem was changed by another request")
	}
	if err != nil {
		return err
	}
	return w.tell(ctx, partition, s, event)
}

// claimed checks the transaction UID of a request.
func (s *step) claimed(transaction string) error {
	switch have := s.String(tag.TransactionUID); {
	case transaction == "":
		return fault.New(fault.Invalid, "the Transaction UID is missing (C301)")
	case transaction != have:
		return fault.New(fault.Invalid, "the Transaction UID is incorrect (C301)")
	}
	return nil
}

// inconsistent refuses what the state of a workitem does not allow. The code is that of PS3.4 table CC.1.1-2.
func inconsistent(code string) error {
	return fault.New(fault.Conflict, "The submitted request is inconsistent with the current state of the UPS Instance. (%s)", code)
}
