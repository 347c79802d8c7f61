package sqlindex_test

import (
	"testing"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/index/sqlindex"
	"salus/dicom/tag"
	"salus/fault"
)

func TestWorkitems(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		ctx, path := t.Context(), tag.PatientID.Hex()
		item := func(uid, patient string) index.Workitem {
			return index.Workitem{UID: uid, JSON: []byte(`{"a":"` + patient + `"}`), Values: []index.WorkitemValue{{Path: path, Text: patient}}}
		}
		for _, w := range []index.Workitem{item("1.1", "p1"), item("1.2", "p2")} {
			if err := x.AddWorkitem(ctx, place, w); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.AddWorkitem(ctx, place, item("1.1", "p1")); !fault.Is(err, fault.Conflict) {
			t.Errorf("added twice: %v", err)
		}
		if err := x.AddWorkitem(ctx, "other", item("1.1", "p1")); err != nil {
			t.Errorf("in another partition: %v", err)
		}
		first, err := x.Workitem(ctx, place, "1.1")
		if err != nil || string(first.JSON) != `{"a":"p1"}` {
			t.Fatalf("%+v, %v", first, err)
		}
		changed := item("1.1", "p2")
		changed.Revision = first.Revision
		if err := x.ChangeWorkitem(ctx, place, changed); err != nil {
			t.Fatal(err)
		}
		if err := x.ChangeWorkitem(ctx, place, changed); !fault.Is(err, fault.Busy) {
			t.Errorf("a change of what has changed: %v", err)
		}
		find := func(value string) (found string) {
			m := index.WorkitemMatch{Path: path, Match: index.Match{Key: index.Key{Tag: tag.PatientID, VR: dicom.LO}, OneOf: []string{value}}}
			all, err := x.FindWorkitems(ctx, place, []index.WorkitemMatch{m}, 10, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range all {
				found += w.UID + " "
			}
			return found
		}
		if find("P1") != "" || find("P2") != "1.2 1.1 " {
			t.Errorf("found %q and %q", find("P1"), find("P2"))
		}
		if _, err := x.Workitem(ctx, place, "1.3"); !fault.Is(err, fault.NotFound) {
			t.Errorf("none: %v", err)
		}
	})
}

func TestSubscriptions(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		ctx := t.Context()
		for _, s := range []index.Subscription{
			{Workitem: "1.1", AETitle: "A"}, {Workitem: "1.1", AETitle: "B", DeletionLock: true}, {Workitem: "1.2", AETitle: "A", Filter: "f", Until: 7},
			{Workitem: "1.1", AETitle: "A", Off: true},
		} {
			if err := x.Subscribe(ctx, place, s); err != nil {
				t.Fatal(err)
			}
		}
		all, err := x.Subscriptions(ctx, place, "1.1", "1.2")
		want := []index.Subscription{{Workitem: "1.1", AETitle: "A", Off: true}, {Workitem: "1.2", AETitle: "A", Filter: "f", Until: 7}, {Workitem: "1.1", AETitle: "B", DeletionLock: true}}
		if err != nil || len(all) != 3 || all[2] != want[2] || all[0] != want[0] && all[0] != want[1] {
			t.Errorf("%+v, %v", all, err)
		}
		if err := x.Unsubscribe(ctx, place, "1.1", "B", false); err != nil {
			t.Error(err)
		}
		if err := x.Unsubscribe(ctx, place, "", "A", true); err != nil {
			t.Error(err)
		}
		if all, err := x.Subscriptions(ctx, place, "1.1", "1.2"); err != nil || len(all) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
