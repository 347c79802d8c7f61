package sqlindex_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/index/sqlindex"
	"salus/dicom/tag"
	"salus/fault"
	"salus/sqldb"
	"salus/sqldb/postgres"
	"salus/sqldb/sqlite"
)

const place = "Microsoft.Default"

// onEach runs a test on an empty index in every database that there is.
func onEach(t *testing.T, test func(t *testing.T, x *sqlindex.Index)) {
	run := func(t *testing.T, db *sqldb.DB) {
		clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var mu sync.Mutex
		x, err := sqlindex.Open(t.Context(), db, func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			clock = clock.Add(time.Second)
			return clock
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, x)
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		db, err := sqlite.Open(filepath.Join(t.TempDir(), "index.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run(t, db)
	})
	t.Run("postgres", func(t *testing.T) {
		server := os.Getenv("SALUS_TEST_POSTGRES")
		if server == "" {
			t.Skip("NOT COVERED: PostgreSQL; SALUS_TEST_POSTGRES is not set")
		}
		run(t, schema(t, server))
	})
}

// schema opens a schema of its own on a server.
func schema(t *testing.T, server string) *sqldb.DB {
	t.Helper()
	name := "t" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))
	admin, err := postgres.Open(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for _, s := range []string{"DROP SCHEMA IF EXISTS " + name + " CASCADE", "CREATE SCHEMA " + name} {
		if err := admin.Write(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(s); return err }); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	db, err := postgres.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// entry is an instance of series se in study st, of a patient with a name.
func entry(st, se, in int, name, modality, date string) *index.Entry {
	u := index.UIDs{Study: fmt.Sprintf("1.%d", st), Series: fmt.Sprintf("1.%d.%d", st, se), Instance: fmt.Sprintf("1.%d.%d.%d", st, se, in)}
	e := &index.Entry{
		Stored: index.Stored{UIDs: u, SOPClass: "1.2", TransferSyntax: "1.2.1", Object: "o" + u.Instance + name, Size: 10, Start: 3, Layout: []byte{1, 2}},
		Matched: map[dicom.Tag]string{tag.PatientName: name, tag.PatientID: fmt.Sprintf("P%d", st), tag.StudyDate: date, tag.Modality: modality,
			tag.InstanceNumber: fmt.Sprint(in)},
		Metadata: index.Part{Deflated: []byte(name), CRC: 0xFFFFFFFE, Size: 7},
	}
	e.Shown[index.Study] = index.Attributes{{Tag: tag.PatientName, JSON: []byte(`{"n":"` + name + `"}`)}}
	e.Shown[index.Series] = index.Attributes{{Tag: tag.Modality, JSON: []byte(`{}`)}, {Tag: tag.SeriesInstanceUID, JSON: []byte(`{"x":1}`)}}
	return e
}

func add(t *testing.T, x *sqlindex.Index, e *index.Entry, replace bool) int64 {
	t.Helper()
	w, err := x.Add(t.Context(), place, e, replace)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// fill adds three studies: two series of two, one of one each.
func fill(t *testing.T, x *sqlindex.Index) {
	t.Helper()
	for se := 1; se <= 2; se++ {
		for in := 1; in <= 2; in++ {
			add(t, x, entry(1, se, in, "Müller^Änne", []string{"", "CT", "SR"}[se], "20240105"), false)
		}
	}
	add(t, x, entry(2, 1, 1, "Doe^John^Q=ドウ", "CT", "20240201"), false)
	add(t, x, entry(3, 1, 1, "van der Doe^Jane", "MR", "20250101"), false)
}

func TestSearches(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		fill(t, x)
		on := func(t dicom.Tag, m index.Match) index.Match { m.Key, _ = index.KeyOf(t); return m }
		for _, c := range []struct {
			name   string
			level  index.Level
			within index.UIDs
			match  []index.Match
			want   string // instances, series or studies, newest first
		}{
			{"all studies", index.Study, index.UIDs{}, nil, "1.3 1.2 1.1"},
			{"all series", index.Series, index.UIDs{}, nil, "1.3.1 1.2.1 1.1.2 1.1.1"},
			{"all instances of a series", index.Instance, index.UIDs{Study: "1.1", Series: "1.1.2"}, nil, "1.1.2.2 1.1.2.1"},
			{"by id", index.Study, index.UIDs{}, []index.Match{on(tag.PatientID, index.Match{OneOf: []string{"p2"}})}, "1.2"},
			{"by name without accents and case", index.Study, index.UIDs{}, []index.Match{on(tag.PatientName, index.Match{OneOf: []string{"MULLER^ANNE"}})}, "1.1"},
			{"by the first group of a name", index.Study, index.UIDs{}, []index.Match{on(tag.PatientName, index.Match{OneOf: []string{"Doe^John^Q"}})}, "1.2"},
			{"a name that is only the beginning", index.Study, index.UIDs{}, []index.Match{on(tag.PatientName, index.Match{OneOf: []string{"Doe^John"}})}, ""},
			{"with wildcards", index.Study, index.UIDs{}, []index.Match{on(tag.PatientName, index.Match{Pattern: "*doe^j?n*"})}, "1.3"},
			{"a percent sign is none", index.Study, index.UIDs{}, []index.Match{on(tag.PatientName, index.Match{Pattern: "%doe*"})}, ""},
			{"by words", index.Study, index.UIDs{}, []index.Match{on(tag.PatientName, index.Match{Words: []string{"ja", "doe"}})}, "1.3"},
			{"by the beginning of any word", index.Study, index.UIDs{}, []index.Match{on(tag.PatientName, index.Match{Words: []string{"do"}})}, "1.3 1.2"},
			{"by date", index.Study, index.UIDs{}, []index.Match{on(tag.StudyDate, index.Match{OneOf: []string{"20240105"}})}, "1.1"},
			{"in a range", index.Study, index.UIDs{}, []index.Match{on(tag.StudyDate, index.Match{Range: true, From: "20240105", To: "20240201"})}, "1.2 1.1"},
			{"from a date", index.Study, index.UIDs{}, []index.Match{on(tag.StudyDate, index.Match{Range: true, From: "20240201"})}, "1.3 1.2"},
			{"to a date", index.Study, index.UIDs{}, []index.Match{on(tag.StudyDate, index.Match{Range: true, To: "20240131"})}, "1.1"},
			{"modalities are compared by their characters", index.Study, index.UIDs{}, []index.Match{on(tag.ModalitiesInStudy, index.Match{OneOf: []string{"sr", "C", "%"}})}, ""},
			{"studies with a modality", index.Study, index.UIDs{}, []index.Match{on(tag.ModalitiesInStudy, index.Match{OneOf: []string{"SR", "MR"}})}, "1.3 1.1"},
			{"a list of UIDs", index.Study, index.UIDs{}, []index.Match{on(tag.StudyInstanceUID, index.Match{OneOf: []string{"1.1", "1.3", "1.9"}})}, "1.3 1.1"},
			{"series by what their study has", index.Series, index.UIDs{}, []index.Match{on(tag.PatientID, index.Match{OneOf: []string{"P1"}}), on(tag.Modality, index.Match{OneOf: []string{"SR"}})}, "1.1.2"},
			{"instances by all levels", index.Instance, index.UIDs{}, []index.Match{on(tag.PatientID, index.Match{OneOf: []string{"P1"}}), on(tag.Modality, index.Match{OneOf: []string{"CT"}}),
				on(tag.InstanceNumber, index.Match{OneOf: []string{"2"}})}, "1.1.1.2"},
		} {
			t.Run(c.name, func(t *testing.T) {
				got := []string{}
				// Pages of two, one after the other, must give the same as a whole.
				for offset := 0; ; offset += 2 {
					page, err := x.Search(t.Context(), index.Query{Partition: place, Level: c.level, Within: c.within, Matches: c.match, Limit: 2, Offset: offset})
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range page {
						got = append(got, []string{r.Study, r.UIDs.Series, r.Instance}[c.level])
					}
					if len(page) < 2 {
						break
					}
				}
				if s := strings.Join(got, " "); s != c.want {
					t.Errorf("found %s, want %s", s, c.want)
				}
			})
		}
	})
}

func TestStudiesCountAndShowTheNewest(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		fill(t, x)
		study := func() index.Result {
			t.Helper()
			k, _ := index.KeyOf(tag.StudyInstanceUID)
			all, err := x.Search(t.Context(), index.Query{Partition: place, Level: index.Series, Limit: 1, Join: true,
				Matches: []index.Match{{Key: k, OneOf: []string{"1.1"}}}})
			if err != nil || len(all) != 1 {
				t.Fatal(err, len(all))
			}
			return all[0]
		}
		r := study()
		if r.Instances != [2]int{4, 2} || r.StudySeries != 2 || !reflect.DeepEqual(r.Modalities, []string{"CT", "SR"}) {
			t.Errorf("counts %v %d %v", r.Instances, r.StudySeries, r.Modalities)
		}
		if got := string(r.Shown[index.Study][0].JSON) + string(r.Shown[index.Series][1].JSON); got != `{"n":"Müller^Änne"}{"x":1}` {
			t.Error(got)
		}
		w := add(t, x, entry(1, 2, 3, "Schmidt^Änne", "PR", "20240105"), false)
		if r = study(); string(r.Shown[index.Study][0].JSON) != `{"n":"Schmidt^Änne"}` || r.Newest != [3]int64{w, w, 0} || r.Instances != [2]int{5, 3} ||
			!reflect.DeepEqual(r.Modalities, []string{"CT", "PR"}) {
			t.Errorf("after one more: %+v", r)
		}
		if err := x.Delete(t.Context(), place, index.UIDs{Study: "1.1", Series: "1.1.1"}); err != nil {
			t.Fatal(err)
		}
		if r = study(); r.Instances != [2]int{3, 3} || r.StudySeries != 1 || !reflect.DeepEqual(r.Modalities, []string{"PR"}) {
			t.Errorf("after a series is deleted: %+v", r)
		}
	})
}

func TestInstancesComeAndGo(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		fill(t, x)
		one := index.UIDs{Study: "1.2", Series: "1.2.1", Instance: "1.2.1.1"}
		if _, err := x.Add(t.Context(), place, entry(2, 1, 1, "again", "CT", ""), false); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same UIDs again: %v", err)
		}
		before, err := x.Instances(t.Context(), place, one, false)
		if err != nil || len(before) != 1 || before[0].Start != 3 || string(before[0].Layout) != "\x01\x02" {
			t.Fatal(before, err)
		}
		w := add(t, x, entry(2, 1, 1, "replaced", "CT", ""), true)
		if newest, n, err := x.Version(t.Context(), place, index.UIDs{Study: "1.2"}); newest != w || n != 1 || err != nil {
			t.Errorf("version %d-%d, %v; want %d-1", newest, n, err, w)
		}
		gone, err := x.Discarded(t.Context(), 10)
		if err != nil || len(gone) != 1 || gone[0] != before[0].Object {
			t.Errorf("discarded %v %v", gone, err)
		}
		if err := x.Removed(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		if err := x.Delete(t.Context(), place, one); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"delete again": x.Delete(t.Context(), place, one),
			"metadata":     x.Metadata(t.Context(), place, one, false, func(index.Part) error { return nil }),
			"elsewhere":    x.Delete(t.Context(), "elsewhere", one),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if has, err := x.Has(t.Context(), place, one); has || err != nil {
			t.Errorf("it is still there: %v %v", has, err)
		}
		if unknown, err := x.Unknown(t.Context(), []string{"o1.3.1.1van der Doe^Jane", "stray"}); err != nil || !reflect.DeepEqual(unknown, []string{"stray"}) {
			t.Errorf("unknown %v %v", unknown, err)
		}
		var names []string
		if err := x.Metadata(t.Context(), place, index.UIDs{Study: "1.1", Series: "1.1.2"}, false, func(p index.Part) error {
			names = append(names, fmt.Sprintf("%s %d %d", p.Deflated, p.CRC, p.Size))
			return nil
		}); err != nil || !reflect.DeepEqual(names, []string{"Müller^Änne 4294967294 7", "Müller^Änne 4294967294 7"}) {
			t.Errorf("metadata %q %v", names, err)
		}
	})
}

func TestStudiesAreReplaced(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		fill(t, x)
		ctx, study := t.Context(), index.UIDs{Study: "1.1"}
		first, err := x.Instances(ctx, place, study, false)
		if err != nil {
			t.Fatal(err)
		}
		replace := func(old []index.Stored, name string) error {
			var entries []*index.Entry
			for se := 1; se <= 2; se++ {
				for in := 1; in <= 2; in++ {
					e := entry(1, se, in, name, []string{"", "CT", "SR"}[se], "20240105")
					e.Object += "-" + name
					entries = append(entries, e)
				}
			}
			return x.ReplaceStudy(ctx, place, old, entries)
		}
		if err := replace(first, "second"); err != nil {
			t.Fatal(err)
		}
		if err := replace(first, "late"); !fault.Is(err, fault.Busy) {
			t.Errorf("versions that are gone were replaced: %v", err)
		}
		second, err := x.Instances(ctx, place, study, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := replace(second, "third"); err != nil {
			t.Fatal(err)
		}
		originals, err := x.Instances(ctx, place, study, true)
		if err != nil || len(originals) != 4 {
			t.Fatalf("%d originals, %v", len(originals), err)
		}
		for i, o := range originals {
			if o.Object != first[i].Object || o.Watermark <= second[i].Watermark {
				t.Errorf("original %d is %s with watermark %d", i, o.Object, o.Watermark)
			}
		}
		names := func(originals bool) (all string) {
			if err := x.Metadata(ctx, place, study, originals, func(p index.Part) error {
				all += string(p.Deflated) + " "
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return all
		}
		if names(true) != strings.Repeat("Müller^Änne ", 4) || names(false) != strings.Repeat("third ", 4) {
			t.Errorf("metadata %q, originally %q", names(false), names(true))
		}
		if unknown, err := x.Unknown(ctx, []string{first[0].Object, second[0].Object}); err != nil || !reflect.DeepEqual(unknown, []string{second[0].Object}) {
			t.Errorf("nobody has %v, %v", unknown, err)
		}
		if gone, err := x.Discarded(ctx, 100); err != nil || len(gone) != 4 {
			t.Errorf("discarded %v, %v", gone, err)
		}
		if err := x.Delete(ctx, place, study); err != nil {
			t.Fatal(err)
		}
		if gone, err := x.Discarded(ctx, 100); err != nil || len(gone) != 12 {
			t.Errorf("after the end %d are discarded, %v", len(gone), err)
		}
	})
}

func TestPartitionsAreApart(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		add(t, x, entry(1, 1, 1, "A", "CT", ""), false)
		if _, err := x.Add(t.Context(), "other", entry(1, 1, 1, "B", "CT", ""), false); err != nil {
			t.Fatal(err)
		}
		if err := x.Delete(t.Context(), "other", index.UIDs{Study: "1.1"}); err != nil {
			t.Fatal(err)
		}
		if has, err := x.Has(t.Context(), place, index.UIDs{Study: "1.1"}); !has || err != nil {
			t.Error("what is in one partition went with another's", err)
		}
		all, err := x.Partitions(t.Context())
		if err != nil || len(all) != 2 || all[0].Name != place || all[1].Name != "other" {
			t.Errorf("%+v %v", all, err)
		}
	})
}

func TestTheChangeFeedHasEveryChange(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		if _, ok, err := x.Latest(t.Context(), true); ok || err != nil {
			t.Errorf("an entry in an empty feed: %v", err)
		}
		fill(t, x) // 1 to 6
		add(t, x, entry(2, 1, 1, "replaced", "CT", ""), true)
		if err := x.Delete(t.Context(), place, index.UIDs{Study: "1.1", Series: "1.1.1"}); err != nil {
			t.Fatal(err)
		}
		text := func(all []index.Change) string {
			var b strings.Builder
			for _, c := range all {
				fmt.Fprintf(&b, "%d:%s:%d:%v ", c.Sequence, c.Instance, c.Action, c.Current == c.Watermark)
			}
			return strings.TrimSpace(b.String())
		}
		base := int64(0)
		for _, c := range []struct {
			q    index.ChangeQuery
			want string
		}{
			{index.ChangeQuery{Window: true, Offset: base, Limit: 2}, "1:1.1.1.1:0:false 2:1.1.1.2:0:false"},
			{index.ChangeQuery{Window: true, Offset: base + 4, Limit: 3}, "5:1.2.1.1:0:false 6:1.3.1.1:0:true 7:1.2.1.1:1:true"},
			{index.ChangeQuery{Window: true, Offset: base + 20, Limit: 3}, ""},
			{index.ChangeQuery{Limit: 2, Offset: 7}, "8:1.1.1.1:2:false 9:1.1.1.2:2:false"},
			{index.ChangeQuery{Limit: 100, From: time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC)}, ""},
		} {
			all, err := x.Changes(t.Context(), c.q)
			if err != nil || text(all) != c.want {
				t.Errorf("%+v: %s, want %s (%v)", c.q, text(all), c.want, err)
			}
		}
		all, err := x.Changes(t.Context(), index.ChangeQuery{Limit: 100})
		if err != nil || len(all) != 9 {
			t.Fatal(len(all), err)
		}
		inner, err := x.Changes(t.Context(), index.ChangeQuery{Limit: 100, From: all[2].At, To: all[5].At})
		if err != nil || text(inner) != text(all[2:5]) {
			t.Errorf("between times: %s, want %s (%v)", text(inner), text(all[2:5]), err)
		}
		if last, ok, err := x.Latest(t.Context(), false); !ok || err != nil || last.Sequence != all[8].Sequence {
			t.Errorf("latest %+v %v", last, err)
		}
	})
}

func TestTheChangeFeedIsVisibleInItsOrder(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		ctx := context.Background()
		var writing sync.WaitGroup
		for w := range 8 {
			writing.Go(func() {
				for i := range 25 {
					if _, err := x.Add(ctx, place, entry(w, 1, i, "A", "CT", ""), false); err != nil {
						t.Error(err)
					}
				}
			})
		}
		ended := make(chan struct{})
		go func() { writing.Wait(); close(ended) }()
		for over := false; !over; {
			select {
			case <-ended:
				over = true
			default:
			}
			last, some, err := x.Latest(ctx, false)
			if err != nil {
				t.Fatal(err)
			}
			if !some {
				continue
			}
			all, err := x.Changes(ctx, index.ChangeQuery{Window: true, Limit: last.Sequence})
			if err != nil || int64(len(all)) != last.Sequence {
				t.Fatalf("%d of the %d entries up to the last are there, %v", len(all), last.Sequence, err)
			}
		}
	})
}

func TestManyAddAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, x *sqlindex.Index) {
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for i := range 20 {
					if _, err := x.Add(context.Background(), place, entry(1, w%3, w*100+i, "A", "CT", ""), false); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if _, n, err := x.Version(t.Context(), place, index.UIDs{Study: "1.1"}); n != 160 || err != nil {
			t.Errorf("%d instances, %v; want 160", n, err)
		}
	})
}
