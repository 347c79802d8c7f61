package worklist

import (
	"context"
	"encoding/json"
	"sync"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// The events (PS3.4 table CC.2.4-1).
const (
	stateReport     uint16 = 1
	cancelRequested uint16 = 2
	progressReport  uint16 = 3
)

// The workitems that stand for all, and for those that match a filter (PS3.4 §CC.2.3).
const (
	Global   = uid.UPSGlobalSubscriptionInstance
	Filtered = uid.UPSFilteredGlobalSubscriptionInstance
)

// Subscribe lets an application be told of a workitem, or of all, and of those that will be (PS3.18 §11.10). It is told at once how those are that
// it names. The filter is of a filtered subscription.
func (w *Worklist) Subscribe(ctx context.Context, partition string, s index.Subscription, filter []index.WorkitemMatch) error {
	switch s.Workitem {
	case Global:
		return w.items.Subscribe(ctx, partition, s)
	case Filtered:
		text, err := json.Marshal(filter)
		if err != nil {
			return err
		}
		s.Filter = string(text)
		return w.items.Subscribe(ctx, partition, s)
	}
	step, err := w.read(ctx, partition, s.Workitem)
	if err != nil {
		return err
	}
	if err := w.items.Subscribe(ctx, partition, s); err != nil {
		return err
	}
	w.send(partition, s.AETitle, report(step, stateReport))
	return nil
}

// Unsubscribe ends a subscription. Without one to a single workitem it takes that out of the one to all; the end of the one to all ends the others too.
func (w *Worklist) Unsubscribe(ctx context.Context, partition, workitem, aeTitle string) error {
	if workitem == Global || workitem == Filtered {
		return w.items.Unsubscribe(ctx, partition, workitem, aeTitle, workitem == Global)
	}
	if _, err := w.items.Workitem(ctx, partition, workitem); err != nil {
		return err
	}
	return w.items.Subscribe(ctx, partition, index.Subscription{Workitem: workitem, AETitle: aeTitle, Off: true})
}

// Suspend keeps new workitems out of a subscription to all (PS3.18 §11.12).
func (w *Worklist) Suspend(ctx context.Context, partition, workitem, aeTitle string) error {
	all, err := w.items.Subscriptions(ctx, partition, workitem)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.AETitle == aeTitle {
			if s.Until, err = w.items.LastWorkitem(ctx); err != nil {
				return err
			}
			return w.items.Subscribe(ctx, partition, s)
		}
	}
	return fault.New(fault.NotFound, "there is no such subscription")
}

// report makes the report of an event, with what the standard has it say (PS3.4 table CC.2.4-1).
func report(s *step, event uint16) *dicom.Dataset {
	d := dicom.New(
		dicom.Text(tag.AffectedSOPClassUID, dicom.UI, uid.UnifiedProcedureStepPush),
		dicom.Text(tag.AffectedSOPInstanceUID, dicom.UI, s.uid),
		dicom.Uint16(tag.EventTypeID, event),
	)
	wanted := []dicom.Tag{tag.ProcedureStepState, tag.InputReadinessState}
	if event == progressReport {
		wanted = []dicom.Tag{tag.ProcedureStepProgressInformationSequence, tag.ScheduledProcedureStepModificationDateTime}
	}
	for _, t := range wanted {
		if e := s.Get(t); e != nil {
			d.Set(*e)
		}
	}
	return d
}

// tell sends a report to all who have subscribed to a workitem.
func (w *Worklist) tell(ctx context.Context, partition string, s *step, event uint16) error {
	w.mu.Lock()
	nobody := len(w.listeners) == 0
	w.mu.Unlock()
	if nobody {
		return nil
	}
	titles, err := w.subscribers(ctx, partition, s)
	if err != nil {
		return err
	}
	for _, t := range titles {
		w.send(partition, t, report(s, event))
	}
	return nil
}

// subscribers are the applications that want to know of a workitem.
func (w *Worklist) subscribers(ctx context.Context, partition string, s *step) ([]string, error) {
	all, err := w.items.Subscriptions(ctx, partition, s.uid, Global, Filtered)
	if err != nil {
		return nil, err
	}
	wants := map[string]bool{}
	for _, sub := range all {
		known := sub.Until == 0 || s.number != 0 && s.number <= sub.Until
		switch sub.Workitem {
		case Global:
			wants[sub.AETitle] = wants[sub.AETitle] || known
		case Filtered:
			if !known {
				continue
			}
			match, err := w.matches(ctx, partition, s, sub)
			if err != nil {
				return nil, err
			}
			wants[sub.AETitle] = wants[sub.AETitle] || match
		}
	}
	for _, sub := range all { // what is said of this workitem goes before
		if sub.Workitem == s.uid {
			wants[sub.AETitle] = !sub.Off
		}
	}
	var titles []string
	for t, yes := range wants {
		if yes {
			titles = append(titles, t)
		}
	}
	return titles, nil
}

// matches reports whether a workitem is one of a filter's.
func (w *Worklist) matches(ctx context.Context, partition string, s *step, sub index.Subscription) (bool, error) {
	var filter []index.WorkitemMatch
	if err := json.Unmarshal([]byte(sub.Filter), &filter); err != nil {
		return false, fault.Wrap(fault.Internal, err, "the filter of a subscription cannot be read")
	}
	own := index.WorkitemMatch{Path: tag.SOPInstanceUID.Hex(), Match: index.Match{Key: index.Key{Tag: tag.SOPInstanceUID, VR: dicom.UI}, OneOf: []string{s.uid}}}
	found, err := w.items.FindWorkitems(ctx, partition, append(filter, own), 1, 0)
	return len(found) == 1, err
}

// heard tells the subscribers of a workitem in progress that it should be canceled, and reports whether one was listening.
func (w *Worklist) heard(ctx context.Context, partition string, s *step, reason *dicom.Dataset) (bool, error) {
	titles, err := w.subscribers(ctx, partition, s)
	if err != nil {
		return false, err
	}
	d := report(s, cancelRequested)
	if reason != nil {
		for i := range reason.Elements {
			d.Set(reason.Elements[i])
		}
	}
	heard := false
	for _, t := range titles {
		heard = w.send(partition, t, d) || heard
	}
	return heard, nil
}

// listenerKey names an application in a partition.
type listenerKey struct{ partition, aeTitle string }

// Listener takes the reports for an application, until it is closed.
type Listener struct {
	w   *Worklist
	key listenerKey
	// Reports has them in order. It is closed when the listener falls too far behind.
	Reports chan *dicom.Dataset
	once    sync.Once
}

// backlog is how many reports wait for a listener.
const backlog = 256

// maxListeners bounds how many listen at a time.
const maxListeners = 1000

// Listen opens the channel of an application's reports. Those of before are not sent (PS3.18 §8.10). It is Throttled when too many listen.
func (w *Worklist) Listen(partition, aeTitle string) (*Listener, error) {
	l := &Listener{w: w, key: listenerKey{partition, aeTitle}, Reports: make(chan *dicom.Dataset, backlog)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listening == maxListeners {
		return nil, fault.New(fault.Throttled, "%d event channels are open, and no more can be", maxListeners)
	}
	w.listening++
	w.listeners[l.key] = append(w.listeners[l.key], l)
	return l, nil
}

// Close ends listening.
func (l *Listener) Close() {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.end()
}

// end takes the listener away; the lock is held.
func (l *Listener) end() {
	l.once.Do(func() {
		var others []*Listener
		for _, o := range l.w.listeners[l.key] {
			if o != l {
				others = append(others, o)
			}
		}
		if l.w.listeners[l.key] = others; others == nil {
			delete(l.w.listeners, l.key)
		}
		l.w.listening--
		close(l.Reports)
	})
}

// send hands a report to the listeners of an application, and reports whether there was one.
func (w *Worklist) send(partition, aeTitle string, d *dicom.Dataset) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := false
	for _, l := range w.listeners[listenerKey{partition, aeTitle}] {
		select {
		case l.Reports <- d:
			sent = true
		default:
			l.end()
		}
	}
	return sent
}
