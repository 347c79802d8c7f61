package fhir_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// clinic is a world of references.
func clinic(t *testing.T, on target) *world {
	return build(t, on,
		thing{"root", `{"resourceType":"Organization","name":"root"}`},
		thing{"org", `{"resourceType":"Organization","name":"org","partOf":{"reference":"Organization/{root}"}}`},
		thing{"lab", `{"resourceType":"Organization","name":"lab","partOf":{"reference":"Organization/{org}"}}`},
		thing{"gp", `{"resourceType":"Practitioner","active":true}`},
		thing{"nurse", `{"resourceType":"Practitioner","active":true}`},
		thing{"adams", `{"resourceType":"Patient","name":[{"family":"Adams"}],"managingOrganization":{"reference":"Organization/{org}"},"generalPractitioner":[{"reference":"Practitioner/{gp}"}]}`},
		thing{"smith", `{"resourceType":"Patient","name":[{"family":"Smith"}],"managingOrganization":{"reference":"Organization/{org}"}}`},
		thing{"truman", `{"resourceType":"Patient","name":[{"family":"Truman"}],"managingOrganization":{"reference":"Organization/{lab}"}}`},
		thing{"o1", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"a"}]},"subject":{"reference":"Patient/{adams}"},"performer":[{"reference":"Organization/{lab}"},{"reference":"Practitioner/{nurse}"}]}`},
		thing{"o2", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"b"}]},"subject":{"reference":"Patient/{smith}"},"performer":[{"reference":"Practitioner/{nurse}"}]}`},
		thing{"o3", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"c"}]},"subject":{"reference":"Patient/{gone}"}}`},
		thing{"r1", `{"resourceType":"DiagnosticReport","status":"final","code":{"coding":[{"code":"a"}]},"subject":{"reference":"Patient/{adams}"},"result":[{"reference":"Observation/{o1}"}]}`},
		thing{"r2", `{"resourceType":"DiagnosticReport","status":"final","code":{"coding":[{"code":"b"}]},"subject":{"reference":"Patient/{smith}"},"result":[{"reference":"Observation/{o2}"},{"reference":"Observation/{o1}"}]}`},
		thing{"loc", `{"resourceType":"Location","name":"loc","managingOrganization":{"reference":"Organization/{org}"},"partOf":{"reference":"Location/{loc}"}}`},
		thing{"c1", `{"resourceType":"CareTeam","subject":{"reference":"Patient/{adams}"},"participant":[{"member":{"reference":"Practitioner/{gp}"}},{"member":{"reference":"Patient/{smith}"}},{"member":{"reference":"Organization/{org}"}}]}`},
		thing{"grp", `{"resourceType":"Group","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/{adams}"}},{"entity":{"reference":"Patient/{smith}"}},{"entity":{"reference":"Patient/{truman}"}}]}`},
	)
}

func TestSearch_Include(t *testing.T) {
	t.Parallel()
	w := clinic(t, first())
	w.finds(t, []find{
		{"one reference", "Observation?code=a&_include=Observation:subject", "o1 +adams"},
		{"of one type", "Observation?code=a&_include=Observation:performer:Practitioner", "o1 +nurse"},
		{"of every type", "Observation?code=a&_include=Observation:performer", "o1 +lab +nurse"},
		{"of a type that it is not", "Observation?code=a&_include=Observation:subject:Device", "o1"},
		{"several", "Observation?code=a&_include=Observation:subject&_include=Observation:performer:Organization", "o1 +adams +lab"},
		{"what several refer to, once", "Observation?code=a,b&_include=Observation:performer:Practitioner", "o1 o2 +nurse"},
		{"all of the type", "Observation?code=a&_include=Observation:*", "o1 +adams +lab +nurse"},
		{"all", "Observation?code=a&_include=*", "o1 +adams +lab +nurse"},
		{"all of all types", "Observation?code=a&_include=*:*", "o1 +adams +lab +nurse"},
		{"what is not there", "Observation?code=c&_include=Observation:subject", "o3"},
		{"itself", "Location?_include=Location:partof", "loc"},
		{"itself and others", "Location?_include=Location:partof&_include=Location:organization", "loc +org"},
		{"with nothing found", "Observation?code=none&_include=Observation:subject", ""},
		{"before the criteria", "Observation?_include=Observation:subject&code=a", "o1 +adams"},
		{"of several types", "DiagnosticReport?code=b&_include=DiagnosticReport:result&_include=DiagnosticReport:subject", "r2 +o1 +o2 +smith"},
		{"over a list", "Group?_include=Group:member", "grp +adams +smith +truman"},
		{"of several targets", "CareTeam?_include=CareTeam:participant", "c1 +gp +org +smith"},
		{"of one of several targets", "CareTeam?_include=CareTeam:participant:Patient", "c1 +smith"},
		{"with a _has", "Patient?_has:Observation:subject:code=a&_include=Patient:organization", "adams +org"},
		{"with missing", "Patient?general-practitioner:missing=false&_include=Patient:general-practitioner", "adams +gp"},
		{"reverse", "Patient?family=adams&_revinclude=Observation:subject", "adams +o1"},
		{"reverse of several types", "Patient?family=adams&_revinclude=Observation:subject&_revinclude=DiagnosticReport:subject", "adams +o1 +r1"},
		{"reverse of several that refer", "Organization?name=org&_revinclude=Patient:organization", "org +adams +smith"},
		{"reverse to a type", "Patient?family=adams&_revinclude=Observation:subject:Patient", "adams +o1"},
		{"reverse over a list", "Patient?family=truman&_revinclude=Group:member", "truman +grp"},
		{"reverse all of a type", "Practitioner?_id={nurse}&_revinclude=Observation:*", "nurse +o1 +o2"},
		{"reverse and forward", "Patient?family=adams&_include=Patient:organization&_revinclude=Observation:subject", "adams +o1 +org"},
		{"reverse with nothing", "Patient?family=truman&_revinclude=Observation:subject", "truman"},
		{"iterate", "DiagnosticReport?code=a&_include=DiagnosticReport:result&_include:iterate=Observation:performer", "r1 +lab +nurse +o1"},
		{"iterate by the old name", "DiagnosticReport?code=a&_include=DiagnosticReport:result&_include:recurse=Observation:performer", "r1 +lab +nurse +o1"},
		{"iterate written first", "DiagnosticReport?_include:iterate=Observation:performer&_include=DiagnosticReport:result&code=a", "r1 +lab +nurse +o1"},
		{"iterate twice", "DiagnosticReport?code=a&_include=DiagnosticReport:result&_include:iterate=Observation:subject&_include:iterate=Patient:organization", "r1 +adams +o1 +org"},
		{"iterate over what is found", "Patient?family=adams&_include:iterate=Patient:organization", "adams +org"},
		{"reverse iterate", "Organization?name=org&_revinclude=Patient:organization&_revinclude:iterate=Observation:subject:Patient", "org +adams +o1 +o2 +smith"},
		{"reverse, then forward iterate", "Patient?family=smith&_revinclude=DiagnosticReport:subject&_include:iterate=DiagnosticReport:result", "smith +o1 +o2 +r2"},
		{"without iterate one level", "DiagnosticReport?code=a&_include=DiagnosticReport:result&_include=Observation:performer", "r1 +o1"},
		{"_summary=count leaves them out", "Observation?code=a&_include=Observation:subject&_summary=count", ""},
	})
	if first().mode == azure {
		w.finds(t, []find{{"azure: circular references once", "Organization?name=lab&_include:iterate=Organization:partof", "lab +org !informational"}})
	}
	w.totals(t, []find{
		{"total", "Observation?code=a&_include=Observation:subject&_total=accurate", "1"},
		{"total of a reverse one", "Patient?family=adams&_revinclude=Observation:subject&_total=accurate", "1"},
	})
	refuses(t, first(), []refusal{
		{"Observation?_include=Observation:subject:Nobody", 400, "not-supported"},
		{"Observation?_include=Observation:subject:", 400, "invalid"},
		{"Patient?_revinclude=Observation:subject:", 400, "invalid"},
		{"?_type=Observation&_include=Observation:subject", 403, ""},
		{"Observation?_include=subject", 0, ""},
		{"Observation?_include=", 0, ""},
		{"Organization?_revinclude=Patient:organization&_revinclude:iterate=Observation:subject", 400, "invalid"},
	})
	t.Run("deleted ones are left out", func(t *testing.T) {
		w := build(t, first(), thing{"p", `{"resourceType":"Patient"}`}, thing{"o", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{p}"}}`})
		w.remove(t, "Patient/{p}")
		w.finds(t, []find{{"", "Observation?_include=Observation:subject", "o"}})
	})
	t.Run("current versions alone", func(t *testing.T) {
		w := build(t, first(), thing{"p", `{"resourceType":"Patient","active":true}`}, thing{"o", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{p}"}}`})
		w.add(t, thing{"p", `{"resourceType":"Patient","active":false}`})
		w.finds(t, []find{{"", "Observation?_include=Observation:subject", "o +p"}})
	})
	t.Run("each page has its own", func(t *testing.T) {
		address, seen := w.on.base+"/"+w.within("Observation?code=a,b&_include=Observation:subject&_count=1"), []string{}
		for address != "" {
			r, err := send("GET", address, "")
			if err != nil || len(r.entries("match")) != 1 || len(r.entries("include")) != 1 {
				t.Fatal(err, r)
			}
			seen = append(seen, w.names(r.entries("include"))...)
			address = r.link("next")
		}
		if slices.Sort(seen); strings.Join(seen, " ") != "adams smith" {
			t.Errorf("included were %q", seen)
		}
	})
}

func TestSearch_IncludesPages(t *testing.T) {
	t.Parallel()
	things, members := []thing{}, []string{}
	for i := range 7 {
		things = append(things, thing{fmt.Sprintf("m%d", i), `{"resourceType":"Patient"}`})
		members = append(members, fmt.Sprintf(`{"entity":{"reference":"Patient/{m%d}"}}`, i))
	}
	things = append(things, thing{"grp", `{"resourceType":"Group","type":"person","actual":true,"member":[` + strings.Join(members, ",") + `]}`})
	w := build(t, first(), things...)
	get := func(address string) reply {
		t.Helper()
		r, err := send("GET", address, "")
		if err != nil || r.status != 200 {
			t.Fatal(err, r)
		}
		return r
	}
	t.Run("all fit", func(t *testing.T) {
		if r := get(w.on.base + "/" + w.within("Group?_include=Group:member&_includesCount=7")); r.link("related") != "" || len(r.entries("include")) != 7 || len(r.warnings()) != 0 {
			t.Error(r)
		}
	})
	t.Run("more than fit", func(t *testing.T) {
		r := get(w.on.base + "/" + w.within("Group?_include=Group:member&_includesCount=3"))
		related := r.link("related")
		if len(r.entries("match")) != 1 || len(r.entries("include")) != 3 || !slices.Contains(r.warnings(), "incomplete") || !strings.Contains(related, "/Group/$includes?") || !strings.Contains(related, "includesCt=") {
			t.Fatal(r)
		}
		all := r.entries("include")
		for pages := 0; related != ""; pages++ {
			page := get(related)
			if len(page.entries("match")) != 0 || len(page.entries("include")) == 0 || len(page.entries("include")) > 3 || page.link("self") == "" || page.link("related") != "" || pages > 3 {
				t.Fatal(page)
			}
			all = append(all, page.entries("include")...)
			related = page.link("next")
		}
		if slices.Sort(all); len(slices.Compact(all)) != 7 {
			t.Errorf("the pages hold %q", all)
		}
	})
	refuses(t, first(), []refusal{
		{"Group/$includes", 400, "invalid"},
		{"Group/$includes?_include=Group:member", 400, "invalid"},
		{"Group/$includes?includesCt=nonsense", 400, "invalid"},
		{"Group?_includesCount=many", 400, "invalid"},
	})
}
