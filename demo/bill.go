package demo

import "math/rand/v2"

const (
	claimTypes = "http://terminology.hl7.org/CodeSystem/claim-type"
	priorities = "http://terminology.hl7.org/CodeSystem/processpriority"
	insurer    = "Commonweal Mutual Insurance"
)

func (v *visit) total() int {
	sum := v.cents
	for _, b := range v.billed {
		sum += b.cents
	}
	return sum
}

// beginClaim writes what the claims of visits and prescriptions have in common.
func (l *life) beginClaim(v *visit, typ string) {
	l.begin("Claim", v.claim)
	l.str("status", "active")
	l.concept("type", coding{claimTypes, typ, ""})
	l.str("use", "claim")
	l.ref("patient", "Patient", l.patient, l.who.full())
	l.period("billablePeriod", v.start, v.end)
	l.time("created", v.end)
	l.refFixed("provider", v.doctor.site.org, v.doctor.site.name)
	l.concept("priority", coding{priorities, "normal", ""})
}

func (l *life) writeInsurance() {
	l.list("insurance")
	l.object("")
	l.integer("sequence", 1)
	l.boolean("focal", true)
	l.object("coverage")
	l.str("display", insurer)
	l.close(3)
}

func (l *life) writeDrugClaim(v *visit, drug coding, prescription ident) {
	of := *v
	of.claim = newIdent(l.r)
	l.beginClaim(&of, "pharmacy")
	l.ref("prescription", "MedicationRequest", prescription, "")
	l.writeInsurance()
	l.list("item")
	l.object("")
	l.integer("sequence", 1)
	l.concept("productOrService", drug)
	l.list("encounter")
	l.ref("", "Encounter", v.id, "")
	l.close(3)
	l.money("total", between(l.r, 450, 26_000))
	l.finish()
}

func (l *life) writeClaim(v *visit) {
	l.beginClaim(v, "professional")
	l.writeBilled("supportingInfo", v, vaccination)
	l.writeBilled("diagnosis", v, diagnosis)
	l.writeBilled("procedure", v, procedure)
	l.writeInsurance()
	l.list("item")
	l.object("")
	l.integer("sequence", 1)
	l.concept("productOrService", v.reason)
	l.list("encounter")
	l.ref("", "Encounter", v.id, "")
	l.close(2)
	l.eachBilled(v, func(seq, place int, b bill) {
		l.object("")
		l.integer("sequence", seq)
		l.list(sequences[b.kind])
		l.name("")
		l.b = append(l.b, '0'+byte(place%10))
		l.end()
		l.concept("productOrService", b.code)
		if b.cents > 0 {
			l.money("net", b.cents)
		}
		l.end()
	})
	l.end()
	l.money("total", v.total())
	l.finish()
}

// sequences names, per kind, the property by which an item points at its line.
var sequences = [...]string{diagnosis: "diagnosisSequence", procedure: "procedureSequence", vaccination: "informationSequence"}

// eachBilled calls f for the visit's bills with the sequence of the item (from
// 2, 1 is the encounter) and the place among those of its kind.
func (l *life) eachBilled(v *visit, f func(seq, place int, b bill)) {
	var places [3]int
	for i, b := range v.billed {
		places[b.kind]++
		if places[b.kind] < 10 {
			f(i+2, places[b.kind], b)
		}
	}
}

// writeBilled lists the bills of one kind in the form that Claim has for them.
func (l *life) writeBilled(name string, v *visit, kind billKind) {
	begun := false
	l.eachBilled(v, func(_, place int, b bill) {
		if b.kind != kind {
			return
		}
		if !begun {
			l.list(name)
			begun = true
		}
		l.object("")
		l.integer("sequence", place)
		switch kind {
		case diagnosis:
			l.ref("diagnosisReference", "Condition", b.id, "")
		case procedure:
			l.ref("procedureReference", "Procedure", b.id, "")
		case vaccination:
			l.concept("category", coding{"http://terminology.hl7.org/CodeSystem/claiminformationcategory", "info", ""})
			l.ref("valueReference", "Immunization", b.id, "")
		}
		l.end()
	})
	if begun {
		l.end()
	}
}

func (l *life) writeBenefit(v *visit) {
	l.begin("ExplanationOfBenefit", newIdent(l.r))
	l.writeContained(v)
	l.list("identifier")
	l.identifier(coding{}, "https://demo.salus.example/id/claim", string(v.claim[:]))
	l.identifier(coding{}, "https://demo.salus.example/id/claim-group", string(v.id[:8]))
	l.end()
	l.str("status", "active")
	l.concept("type", coding{claimTypes, "professional", ""})
	l.str("use", "claim")
	l.ref("patient", "Patient", l.patient, "")
	l.period("billablePeriod", v.end, v.end.AddDate(1, 0, 0))
	l.time("created", v.end)
	l.object("insurer")
	l.str("display", insurer)
	l.end()
	l.refFixed("provider", v.doctor.ref, v.doctor.name.full())
	l.refFixed("referral", "#referral", "")
	l.ref("claim", "Claim", v.claim, "")
	l.str("outcome", "complete")
	l.list("careTeam")
	l.object("")
	l.integer("sequence", 1)
	l.refFixed("provider", v.doctor.ref, v.doctor.name.full())
	l.concept("role", coding{"http://terminology.hl7.org/CodeSystem/claimcareteamrole", "primary", "Primary Care Practitioner"})
	l.close(2)
	l.writeBilled("diagnosis", v, diagnosis)
	l.list("insurance")
	l.object("")
	l.boolean("focal", true)
	l.refFixed("coverage", "#coverage", insurer)
	l.close(2)
	l.writeBenefitItems(v)
	l.list("total")
	l.object("")
	l.concept("category", adjudications[0])
	l.money("amount", v.total())
	l.close(2)
	l.object("payment")
	l.money("amount", v.total()*8/10)
	l.close(1)
	l.finish()
}

func (l *life) writeContained(v *visit) {
	l.list("contained")
	l.object("")
	l.str("resourceType", "ServiceRequest")
	l.str("id", "referral")
	l.str("status", "completed")
	l.str("intent", "order")
	l.ref("subject", "Patient", l.patient, "")
	l.refFixed("requester", v.doctor.ref, "")
	l.list("performer")
	l.refFixed("", v.doctor.ref, "")
	l.close(2)
	l.object("")
	l.str("resourceType", "Coverage")
	l.str("id", "coverage")
	l.str("status", "active")
	l.object("type")
	l.str("text", insurer)
	l.end()
	l.ref("beneficiary", "Patient", l.patient, "")
	l.list("payor")
	l.object("")
	l.str("display", insurer)
	l.close(4)
}

var adjudications = []coding{
	{"http://terminology.hl7.org/CodeSystem/adjudication", "submitted", "Submitted Amount"},
	{"http://terminology.hl7.org/CodeSystem/adjudication", "eligible", "Eligible Amount"},
	{"http://terminology.hl7.org/CodeSystem/adjudication", "copay", "CoPay"},
	{"http://terminology.hl7.org/CodeSystem/adjudication", "deductible", "Deductible"},
	{"http://terminology.hl7.org/CodeSystem/adjudication", "benefit", "Benefit Amount"},
}

func (l *life) writeBenefitItems(v *visit) {
	place := coding{"http://terminology.hl7.org/CodeSystem/ex-serviceplace", "19", "Off Campus-Outpatient Hospital"}
	if v.class != ambulatory {
		place = coding{"http://terminology.hl7.org/CodeSystem/ex-serviceplace", "21", "Inpatient Hospital"}
	}
	l.list("item")
	l.object("")
	l.integer("sequence", 1)
	l.concept("productOrService", v.reason)
	l.period("servicedPeriod", v.start, v.end)
	l.concept("locationCodeableConcept", place)
	l.list("encounter")
	l.ref("", "Encounter", v.id, "")
	l.close(2)
	l.eachBilled(v, func(seq, _ int, b bill) {
		l.object("")
		l.integer("sequence", seq)
		l.concept("category", coding{"https://demo.salus.example/CodeSystem/service-line", "1", "Medical care"})
		l.concept("productOrService", b.code)
		l.period("servicedPeriod", v.start, v.end)
		l.concept("locationCodeableConcept", place)
		if b.cents > 0 {
			l.money("net", b.cents)
			l.writeAdjudication(b.cents)
		}
		l.end()
	})
	l.end()
}

func (l *life) writeAdjudication(cents int) {
	l.list("adjudication")
	for i, a := range adjudications {
		l.object("")
		l.concept("category", a)
		l.money("amount", share(l.r, cents, i))
		l.end()
	}
	l.end()
}

// share returns the part of an amount that adjudication i is about.
func share(r *rand.Rand, cents, i int) int {
	switch i {
	case 0, 1:
		return cents
	case 2, 3:
		return cents * r.IntN(15) / 100
	}
	return cents * 8 / 10
}
