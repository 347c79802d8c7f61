package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"salus/demo"
	"salus/fhir"
)

// shape is a kind of search; its queries differ in their arguments only.
type shape struct {
	name  string
	query func(*rand.Rand, *facts) string
	pages int  // read in one measurement; 0 for one
	count bool // only the total is asked for
	empty bool // may find nothing

	indexes bool // makes the server build an index, the first time
}

const (
	loinc  = "http://loinc.org|"
	snomed = "http://snomed.info/sct|"
	perDL  = "|http://unitsofmeasure.org|mg/dL"
)

// Codes that the population uses, from frequent to rare.
var (
	measured  = []string{"8302-2", "29463-7", "8867-4", "72514-3", "72166-2", "85354-9", "718-7", "2093-3", "4548-4"}
	sickness  = []string{"38341003", "55822004", "444814009", "195662009", "44054006", "162864005", "195967001"}
	nameParts = []string{"Ash", "Birk", "Cal", "Ever", "Fair", "Glen", "Hal", "Kirk", "Lang", "Mar", "Nor", "Oak", "Pen", "Ros", "Sel", "Til", "Win"}
	tails     = []string{"ford", "wick", "berg", "mark", "croft", "water"}
)

func one(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func (f *facts) patient(r *rand.Rand) patient { return f.Patients[r.IntN(len(f.Patients))] }

// month returns a month of the last ten years as ge and lt.
func month(r *rand.Rand, name string) string {
	from := time.Date(2016+r.IntN(10), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
	return name + "=ge" + from.Format(time.DateOnly) + "&" + name + "=lt" + from.AddDate(0, 1, 0).Format(time.DateOnly)
}

func esc(s string) string { return url.QueryEscape(s) }

func fixed(query string) func(*rand.Rand, *facts) string {
	return func(*rand.Rand, *facts) string { return query }
}

var shapes = []shape{
	{name: "token system|code", query: func(r *rand.Rand, _ *facts) string { return "Observation?code=" + esc(loinc+one(r, measured)) }},
	{name: "token code", query: func(r *rand.Rand, _ *facts) string { return "Observation?code=" + one(r, measured) }},
	{name: "token, three values", query: func(r *rand.Rand, _ *facts) string {
		return "Condition?code=" + one(r, sickness) + "," + one(r, sickness) + "," + one(r, sickness)
	}},
	{name: "token :not", query: fixed("Encounter?class:not=AMB")},
	{name: "identifier", query: func(r *rand.Rand, f *facts) string {
		return "Patient?identifier=" + esc(demo.RecordNumbers+"|"+f.patient(r).Number)
	}},
	{name: "_id, ten of them", query: func(r *rand.Rand, f *facts) string {
		return "Patient?_id=" + strings.Join(f.some(r, "Patient", 10), ",")
	}},
	{name: "string prefix", query: func(r *rand.Rand, _ *facts) string { return "Patient?family=" + one(r, nameParts) }},
	{name: "string :contains", query: func(r *rand.Rand, _ *facts) string { return "Patient?family:contains=" + one(r, tails) }},
	{name: "string :exact, two parameters", query: func(r *rand.Rand, f *facts) string {
		p := f.patient(r)
		return "Patient?family:exact=" + esc(p.Family) + "&given:exact=" + esc(p.Given)
	}},
	{name: "date, one day", query: func(r *rand.Rand, f *facts) string { return "Patient?birthdate=" + f.patient(r).Born }},
	{name: "date, one month", query: func(r *rand.Rand, _ *facts) string { return "Observation?" + month(r, "date") }},
	{name: "date that matches nearly all", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("Observation?date=ge19%02d-01-01", r.IntN(60))
	}},
	{name: "_lastUpdated, half", query: func(r *rand.Rand, f *facts) string {
		return "Observation?_lastUpdated=gt" + esc(fhir.FormatInstant(f.Loaded.Add(-time.Duration(r.IntN(200))*time.Millisecond)))
	}},
	{name: "quantity gt", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("Observation?value-quantity=gt%d%s", 180+r.IntN(60), esc(perDL))
	}},
	{name: "number gt", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("RiskAssessment?probability=gt0.%02d", 10+r.IntN(30))
	}},
	{name: "reference", query: func(r *rand.Rand, f *facts) string { return "Condition?patient=Patient/" + string(f.patient(r).ID) }},
	{name: "reference, code and date", query: func(r *rand.Rand, f *facts) string {
		return "Observation?patient=" + string(f.patient(r).ID) + "&code=" + esc(loinc+one(r, measured)) + "&date=ge2010-01-01"
	}},
	{name: "chain", query: func(r *rand.Rand, f *facts) string {
		return "Observation?subject:Patient.family:exact=" + esc(f.patient(r).Family)
	}},
	{name: "chain from a prefix", query: func(r *rand.Rand, _ *facts) string { return "Observation?subject:Patient.name=" + one(r, nameParts) }},
	{name: "_has", query: func(r *rand.Rand, _ *facts) string { return "Patient?_has:Condition:patient:code=" + one(r, sickness) }},
	{name: "_include", query: func(r *rand.Rand, f *facts) string {
		return "MedicationRequest?patient=" + string(f.patient(r).ID) + "&_include=MedicationRequest:requester&_include=MedicationRequest:encounter"
	}, empty: true},
	{name: "_revinclude", query: func(r *rand.Rand, f *facts) string {
		return "Patient?identifier=" + esc(demo.RecordNumbers+"|"+f.patient(r).Number) + "&_revinclude=Condition:patient&_revinclude=Encounter:patient"
	}},
	{name: "composite code and quantity", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("Observation?code-value-quantity=%s", esc(fmt.Sprintf("%s2093-3$gt%d%s", loinc, 170+r.IntN(50), perDL)))
	}},
	{name: "composite of components", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("Observation?component-code-value-quantity=%s", esc(fmt.Sprintf("%s8480-6$gt%d", loinc, 115+r.IntN(20))))
	}},
	{name: "_sort=-date of a patient", query: func(r *rand.Rand, f *facts) string {
		return "Observation?patient=" + string(f.patient(r).ID) + "&_sort=-date"
	}},
	{name: "_sort=date of a frequent code", query: func(r *rand.Rand, _ *facts) string {
		return "Observation?code=" + esc(loinc+one(r, measured)) + "&_sort=date"
	}},
	{name: "_sort against a rare filter", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("Observation?value-quantity=gt%d%s&_sort=date", 195+r.IntN(10), esc(perDL))
	}},
	{name: "_sort of all", query: fixed("Patient?_sort=-birthdate,family")},
	{name: "frequent code, rare date", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("Observation?status=final&date=lt%d-01-01", 1965+r.IntN(15))
	}, empty: true},
	{name: "_total=accurate", query: func(r *rand.Rand, _ *facts) string {
		return "Observation?code=" + esc(loinc+one(r, measured)) + "&" + month(r, "date") + "&_total=accurate"
	}},
	{name: "_summary=count of a frequent code", query: fixed("Observation?category=laboratory&_summary=count"), count: true},
	{name: ":missing=true", query: fixed("Condition?abatement-date:missing=true")},
	{name: ":missing=false", query: fixed("Patient?death-date:missing=false")},
	{name: "two frequent tokens", query: fixed("Observation?status=final&category=laboratory")},
	{name: "date that matches all", query: fixed("Observation?date=le2100-01-01")},
	{name: "date that matches none", query: fixed("Observation?date=lt1900-01-01"), empty: true},
	{name: "token :text", query: fixed("Condition?code:text=viral")},
	{name: "quantity in another unit", query: func(r *rand.Rand, _ *facts) string {
		return fmt.Sprintf("Observation?value-quantity=gt%s", esc(fmt.Sprintf("%.2f|http://unitsofmeasure.org|g/L", 1.8+float64(r.IntN(60))/100)))
	}},
	{name: "uri", query: fixed("Observation?_profile=" + esc("http://hl7.org/fhir/StructureDefinition/bodyweight"))},
	{name: "chain of two", query: func(r *rand.Rand, f *facts) string {
		return "Observation?encounter:Encounter.subject:Patient.family:exact=" + esc(f.patient(r).Family)
	}},
	{name: "chain that matches all", query: fixed("Observation?subject:Patient.gender=male,female,other,unknown&code=" + esc(loinc+"8302-2"))},
	{name: "_has with a chain", query: func(r *rand.Rand, _ *facts) string {
		return "Practitioner?_has:Encounter:participant:subject:Patient.family=" + one(r, nameParts)
	}},
	{name: "_has that matches all", query: fixed("Patient?_has:Observation:patient:status=final")},
	{name: "compartment and type", query: func(r *rand.Rand, f *facts) string {
		return "Patient/" + string(f.patient(r).ID) + "/Condition?_sort=-onset-date"
	}},
	{name: "compartment, all types", query: func(r *rand.Rand, f *facts) string { return "Patient/" + string(f.patient(r).ID) + "/*" }},
	{name: "several types", query: func(r *rand.Rand, f *facts) string {
		return "?_type=Condition,Procedure,MedicationRequest&patient=" + string(f.patient(r).ID)
	}},
	{name: "_include:iterate", query: func(r *rand.Rand, f *facts) string {
		return "DiagnosticReport?patient=" + string(f.patient(r).ID) + "&_include=DiagnosticReport:encounter&_include:iterate=Encounter:location&_include:iterate=Location:organization"
	}},
	{name: "_include=*", query: func(r *rand.Rand, f *facts) string {
		return "Condition?patient=" + string(f.patient(r).ID) + "&_include=*"
	}, empty: true},
	{name: "_filter", query: func(r *rand.Rand, _ *facts) string {
		return "Condition?_filter=" + esc(fmt.Sprintf("code eq %s and (onset-date ge 2015-01-01 or clinical-status eq active)", one(r, sickness)))
	}},
	{name: "_not-referenced", query: fixed("Practitioner?_not-referenced=Claim:*"), empty: true},
	{name: "_sort=_lastUpdated of all", query: fixed("Observation?_sort=-_lastUpdated")},
	{name: "_sort=_lastUpdated against a filter", query: func(r *rand.Rand, _ *facts) string {
		return "Observation?code=" + esc(loinc+one(r, measured)) + "&_sort=_lastUpdated"
	}},
	{name: "_sort by text", query: fixed("Patient?_sort=family,given")},
	{name: "_sort by a quantity", query: fixed("Observation?code=" + esc(loinc+"2093-3") + "&_sort=-value-quantity")},
	{name: "_total=accurate of nearly all", query: fixed("Observation?status=final&date=ge1960-01-01&_total=accurate")},
	{name: "_total=accurate over a chain", query: func(r *rand.Rand, f *facts) string {
		return "Observation?subject:Patient.family:exact=" + esc(f.patient(r).Family) + "&_total=accurate"
	}},
	{name: "text of the whole resource", query: fixed("Condition?_content=sinusitis"), indexes: true},
	{name: "twenty pages of 50", query: fixed("Observation?category=vital-signs&_count=50"), pages: 20},
	{name: "100 a page, five pages", query: func(r *rand.Rand, _ *facts) string {
		return "Condition?code=" + esc(snomed+one(r, sickness[:4])) + "&_count=100"
	}, pages: 5},
}

// some returns n ids that were loaded.
func (f *facts) some(r *rand.Rand, typ fhir.Type, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = string(f.IDs[typ][r.IntN(len(f.IDs[typ]))])
	}
	return ids
}
