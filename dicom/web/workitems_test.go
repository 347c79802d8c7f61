package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// workitem is a workitem that can be created, with some attributes changed; those with an empty text are left out.
func workitem(change map[string]string) []byte {
	all := map[string]string{
		"00741200": `{"vr":"CS","Value":["HIGH"]}`, "00741204": `{"vr":"LO","Value":["Read the scan"]}`,
		"00404005": `{"vr":"DT","Value":["20240105101500"]}`, "00404041": `{"vr":"CS","Value":["READY"]}`, "00741202": `{"vr":"LO"}`,
		"00741210": `{"vr":"SQ"}`, "00404025": `{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["STN1"]}}]}`, "00404026": `{"vr":"SQ"}`,
		"00404027": `{"vr":"SQ"}`, "00404018": `{"vr":"SQ"}`, "00400400": `{"vr":"LT"}`, "00404021": `{"vr":"SQ"}`,
		"00100010": `{"vr":"PN","Value":[{"Alphabetic":"Müller^Änne"}]}`, "00100020": `{"vr":"LO","Value":["P1"]}`, "00101002": `{"vr":"SQ"}`,
		"00100030": `{"vr":"DA"}`, "00100040": `{"vr":"CS"}`, "00380010": `{"vr":"LO"}`, "00380014": `{"vr":"SQ"}`, "00081080": `{"vr":"LO"}`,
		"00081084": `{"vr":"SQ"}`,
		"0040A370": `{"vr":"SQ","Value":[{"0020000D":{"vr":"UI","Value":["1.2.3"]},"00080050":{"vr":"SH","Value":["A77"]},"00080051":{"vr":"SQ"},` +
			`"00400026":{"vr":"SQ"},"00400027":{"vr":"SQ"},"00401001":{"vr":"SH","Value":["RP1"]},"00321060":{"vr":"LO"},"00321064":{"vr":"SQ"}}]}`,
	}
	maps.Copy(all, change)
	var b strings.Builder
	for t, v := range all {
		if v != "" {
			fmt.Fprintf(&b, `,%q:%s`, t, v)
		}
	}
	return []byte("[{" + b.String()[1:] + "}]")
}

func state(transaction, to string) []byte {
	return fmt.Appendf(nil, `[{"00081195":{"vr":"UI","Value":[%q]},"00741000":{"vr":"CS","Value":[%q]}}]`, transaction, to)
}

const (
	performed = `[{"00741216":{"vr":"SQ","Value":[{"00404028":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["STN1"]}}]},` +
		`"00404050":{"vr":"DT","Value":["20240105102000"]},"00404051":{"vr":"DT","Value":["20240105103000"]},` +
		`"00404019":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["110005"]}}]},"00404033":{"vr":"SQ"}}]}}]`
	stopped = `[{"00741002":{"vr":"SQ","Value":[{"00404052":{"vr":"DT","Value":["20240105102000"]},` +
		`"0074100E":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["110513"]}}]}}]}}]`
)

// step is one request and the status that it is answered with.
type step struct {
	method, path string
	body         []byte
	status       int
	warning      string // that the Warning header has
}

func (s *service) steps(steps ...step) {
	s.t.Helper()
	for i, c := range steps {
		a := s.do(c.method, "/v2/workitems"+c.path, c.body, "Accept", dicomJSON, "Content-Type", dicomJSON)
		if a.StatusCode != c.status || !strings.Contains(a.Header.Get("Warning"), c.warning) {
			s.t.Errorf("step %d, %s %s: status %d, warning %q: %s", i+1, c.method, c.path, a.StatusCode, a.Header.Get("Warning"), a.body)
		}
	}
}

func TestWorkitemsComeToTheirEnd(t *testing.T) {
	s := start(t, false)
	s.steps(
		step{"POST", "?1.9", workitem(nil), 201, ""},
		step{"POST", "?1.9", workitem(nil), 409, ""},
		step{"POST", "/1.9", []byte(`[{"00741204":{"vr":"LO","Value":["Read it twice"]}}]`), 200, ""},
		step{"POST", "/1.9?1.5", []byte(`[{"00741204":{"vr":"LO","Value":["No"]}}]`), 400, ""},
		step{"PUT", "/1.9/state", state("1.5", "COMPLETED"), 409, "C310"},
		step{"PUT", "/1.9/state", state("1.5", "SCHEDULED"), 409, "C303"},
		step{"PUT", "/1.9/state", state("1.5", "RESTING"), 400, ""},
		step{"PUT", "/1.9/state", []byte(`[{"00741000":{"vr":"CS","Value":["IN PROGRESS"]}}]`), 400, ""},
		step{"PUT", "/1.8/state", state("1.5", "IN PROGRESS"), 404, ""},
		step{"PUT", "/1.9/state", state("1.5", "IN PROGRESS"), 200, ""},
		step{"PUT", "/1.9/state", state("1.6", "IN PROGRESS"), 409, "C302"},
		step{"PUT", "/1.9/state", state("1.6", "COMPLETED"), 400, ""},
		step{"PUT", "/1.9/state", state("1.5", "COMPLETED"), 400, ""}, // nothing says what was done
		step{"POST", "/1.9", []byte(performed), 400, ""},              // without the transaction UID
		step{"POST", "/1.9?1.6", []byte(performed), 400, ""},
		step{"POST", "/1.9?1.5", []byte(performed), 200, ""},
		step{"POST", "/1.9/cancelrequest", nil, 409, "C312"}, // nobody listens
		step{"PUT", "/1.9/state", state("1.5", "COMPLETED"), 200, ""},
		step{"PUT", "/1.9/state", state("1.5", "COMPLETED"), 200, "B306"},
		step{"PUT", "/1.9/state", state("1.5", "CANCELED"), 409, "C300"},
		step{"PUT", "/1.9/state", state("1.5", "IN PROGRESS"), 409, "C300"},
		step{"POST", "/1.9?1.5", []byte(performed), 409, "C310"},
		step{"POST", "/1.9/cancelrequest", nil, 409, "C311"},
	)
	a := s.do("GET", "/v2/workitems/1.9", nil, "Accept", dicomJSON).want(t, 200)
	d := a.json(t).(map[string]any)
	if d["00081195"] != nil || fmt.Sprint(d["00741000"]) != "map[Value:[COMPLETED] vr:CS]" || fmt.Sprint(d["00741204"]) != "map[Value:[Read it twice] vr:LO]" {
		t.Errorf("%s", a.body)
	}
}

func TestWorkitemsAreCanceled(t *testing.T) {
	s := start(t, false)
	s.steps(
		step{"POST", "?1.1", workitem(nil), 201, ""},
		step{"POST", "/1.1/cancelrequest", []byte(`[{"00741238":{"vr":"LT","Value":["Not needed any more"]}}]`), 202, ""},
		step{"POST", "/1.1/cancelrequest", nil, 409, "B304"},
		step{"POST", "/1.7/cancelrequest", nil, 404, ""},
		step{"POST", "?1.2", workitem(nil), 201, ""},
		step{"PUT", "/1.2/state", state("1.5", "IN PROGRESS"), 200, ""},
		step{"PUT", "/1.2/state", state("1.5", "CANCELED"), 400, ""}, // nothing says why
		step{"POST", "/1.2?1.5", []byte(stopped), 200, ""},
		step{"PUT", "/1.2/state", state("1.5", "CANCELED"), 200, ""},
		step{"PUT", "/1.2/state", state("1.5", "CANCELED"), 200, "B304"},
	)
	a := s.do("GET", "/v2/workitems/1.1", nil, "Accept", dicomJSON).want(t, 200)
	if !strings.Contains(string(a.body), "Not needed any more") || !strings.Contains(string(a.body), `"CANCELED"`) {
		t.Errorf("%s", a.body)
	}
}

func TestWorkitemsThatAreRefused(t *testing.T) {
	s := start(t, false)
	for _, c := range []struct {
		name, path string
		body       []byte
		status     int
		names      string // that the answer has
	}{
		{"without a label", "?1.9", workitem(map[string]string{"00741204": ""}), 400, "ProcedureStepLabel"},
		{"with an empty priority", "?1.9", workitem(map[string]string{"00741200": `{"vr":"CS"}`}), 400, "ScheduledProcedureStepPriority"},
		{"a request without a study", "?1.9", workitem(map[string]string{"0040A370": `{"vr":"SQ","Value":[{}]}`}), 400, "ReferencedRequestSequence.StudyInstanceUID"},
		{"claimed already", "?1.9", workitem(map[string]string{"00081195": `{"vr":"UI","Value":["1.2"]}`}), 400, "TransactionUID"},
		{"in progress already", "?1.9", workitem(map[string]string{"00741000": `{"vr":"CS","Value":["IN PROGRESS"]}`}), 400, "ProcedureStepState"},
		{"two UIDs", "?1.9", workitem(map[string]string{"00080018": `{"vr":"UI","Value":["1.8"]}`}), 400, "SOPInstanceUID"},
		{"no UID", "", workitem(nil), 400, "UID"},
		{"no UID that is one", "?1.0x", workitem(nil), 400, "UID"},
		{"no array", "?1.9", []byte(`"workitem"`), 400, "array"},
		{"two", "?1.9", []byte(`[{},{}]`), 400, "one data set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.do("POST", "/v2/workitems"+c.path, c.body, "Content-Type", dicomJSON).want(t, c.status)
			if !strings.Contains(string(a.body), c.names) {
				t.Errorf("%s", a.body)
			}
		})
	}
	s.do("POST", "/v2/workitems?1.9", workitem(nil), "Content-Type", "text/plain").want(t, 415)
	s.do("POST", "/v2/workitems?1.9", workitem(nil), "Content-Type", dicomJSON).want(t, 201)
	for _, fixed := range []string{"00100010", "00080018", "00741000", "00081195", "0040A370"} {
		s.do("POST", "/v2/workitems/1.9", fmt.Appendf(nil, `[{%q:{"vr":"LO"}}]`, fixed), "Content-Type", dicomJSON).want(t, 400)
	}
}

func TestSearchForWorkitems(t *testing.T) {
	s := start(t, false)
	s.steps(
		step{"POST", "?1.1", workitem(nil), 201, ""},
		step{"POST", "?1.2", workitem(map[string]string{"00404005": `{"vr":"DT","Value":["20240201080000"]}`, "00100020": `{"vr":"LO","Value":["P2"]}`}), 201, ""},
		step{"PUT", "/1.2/state", state("1.5", "IN PROGRESS"), 200, ""},
	)
	for _, c := range []struct{ query, want string }{
		{"", "1.2 1.1"},
		{"?limit=1", "1.2"},
		{"?limit=1&offset=1", "1.1"},
		{"?PatientID=P1", "1.1"},
		{"?00100010=muller^anne", "1.2 1.1"},
		{"?PatientName=mull*", "1.2 1.1"},
		{"?PatientName=anne&fuzzymatching=true", "1.2 1.1"},
		{"?ProcedureStepState=SCHEDULED", "1.1"},
		{"?ProcedureStepState=IN%20PROGRESS&PatientID=P2", "1.2"},
		{"?ReferencedRequestSequence.AccessionNumber=A77", "1.2 1.1"},
		{"?0040A370.00401001=RP1&PatientID=P1", "1.1"},
		{"?ScheduledStationNameCodeSequence.CodeValue=STN1", "1.2 1.1"},
		{"?ScheduledStationNameCodeSequence.CodeValue=STN2", ""},
		{"?ScheduledProcedureStepStartDateTime=20240101-20240131", "1.1"},
		{"?ScheduledProcedureStepStartDateTime=20240201080000", "1.2"},
		{"?ScheduledProcedureStepStartDateTime=20240110-", "1.2"},
	} {
		t.Run(c.query, func(t *testing.T) {
			a := s.do("GET", "/v2/workitems"+c.query, nil, "Accept", dicomJSON)
			if c.want == "" {
				a.want(t, 204)
				return
			}
			var got []string
			for _, one := range a.want(t, 200).json(t).([]any) {
				d := one.(map[string]any)
				if d["00081195"] != nil {
					t.Error("the transaction UID is told")
				}
				got = append(got, d["00080018"].(map[string]any)["Value"].([]any)[0].(string))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
	for _, wrong := range []string{"?Rows=5", "?limit=0", "?PatientID=1&PatientID=2", "?nothing=1", "?A.B.C=1", "?includefield=nothing", "?StudyInstanceUID=x"} {
		s.do("GET", "/v2/workitems"+wrong, nil, "Accept", dicomJSON).want(t, 400)
	}
	if a := s.do("GET", "/v2/workitems?PatientID=P1&includefield=all", nil, "Accept", dicomJSON).want(t, 200); !strings.Contains(string(a.body), "00404010") {
		t.Errorf("not all: %s", a.body)
	}
}

// hear opens the event channel of an application.
func (s *service) hear(aeTitle string) func() string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	conn, _, err := websocket.Dial(ctx, strings.Replace(s.url, "http", "ws", 1)+"/v2/subscribers/"+aeTitle, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.CloseNow(); cancel() })
	return func() string {
		s.t.Helper()
		_, b, err := conn.Read(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		var d map[string]struct{ Value []any }
		if err := json.Unmarshal(b, &d); err != nil {
			s.t.Fatal(err)
		}
		return fmt.Sprint(d["00001000"].Value, d["00001002"].Value, d["00741000"].Value)
	}
}

func TestSubscribersHearOfWorkitems(t *testing.T) {
	s := start(t, false)
	const all, filtered = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
	watcher, performer, choosy := s.hear("WATCHER"), s.hear("PERFORMER"), s.hear("CHOOSY")
	expect := func(hear func() string, want string) {
		t.Helper()
		if got := hear(); got != want {
			t.Errorf("heard %s, want %s", got, want)
		}
	}
	s.steps(
		step{"POST", "?1.1", workitem(nil), 201, ""},
		step{"POST", "/" + all + "/subscribers/WATCHER", nil, 201, ""},
		step{"POST", "/1.1/subscribers/PERFORMER", nil, 201, ""},
		step{"POST", "/" + filtered + "/subscribers/CHOOSY?PatientID=P2", nil, 201, ""},
		step{"POST", "/1.7/subscribers/PERFORMER", nil, 404, ""},
		step{"POST", "/1.1/subscribers/A%5CB", nil, 400, ""},
		step{"POST", "/1.1/subscribers/PERFORMER?PatientID=P2", nil, 400, ""},
	)
	expect(performer, "[1.1] [1] [SCHEDULED]")
	s.steps(step{"PUT", "/1.1/state", state("1.5", "IN PROGRESS"), 200, ""})
	expect(performer, "[1.1] [1] [IN PROGRESS]")
	expect(watcher, "[1.1] [1] [IN PROGRESS]")
	s.steps(step{"POST", "/1.1/cancelrequest", nil, 202, ""})
	expect(performer, "[1.1] [2] [IN PROGRESS]")
	expect(watcher, "[1.1] [2] [IN PROGRESS]")
	s.steps(step{"POST", "/1.1?1.5", []byte(stopped), 200, ""})
	expect(performer, "[1.1] [3] []")
	expect(watcher, "[1.1] [3] []")
	s.steps(
		step{"POST", "?1.2", workitem(map[string]string{"00100020": `{"vr":"LO","Value":["P2"]}`}), 201, ""},
		step{"DELETE", "/1.2/subscribers/WATCHER", nil, 200, ""},
		step{"PUT", "/1.2/state", state("1.5", "IN PROGRESS"), 200, ""},
		step{"POST", "/" + all + "/subscribers/WATCHER/suspend", nil, 200, ""},
		step{"POST", "/1.1/subscribers/WATCHER/suspend", nil, 400, ""},
		step{"POST", "/" + all + "/subscribers/NOBODY/suspend", nil, 404, ""},
		step{"POST", "?1.3", workitem(nil), 201, ""},
		step{"PUT", "/1.1/state", state("1.5", "CANCELED"), 200, ""},
	)
	expect(choosy, "[1.2] [1] [SCHEDULED]")
	expect(choosy, "[1.2] [1] [IN PROGRESS]")
	expect(watcher, "[1.2] [1] [SCHEDULED]")
	expect(watcher, "[1.1] [1] [CANCELED]") // neither what became of 1.2 nor the new 1.3
}
