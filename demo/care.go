package demo

import (
	"encoding/base64"
	"strings"
	"time"
)

func (l *life) writeEncounter(v *visit, what *illness) {
	l.begin("Encounter", v.id)
	l.list("identifier")
	l.object("")
	l.str("use", "official")
	l.str("system", "https://demo.salus.example/id/encounter")
	l.str("value", string(v.id[24:]))
	l.close(2)
	l.str("status", "finished")
	l.coding("class", v.class)
	l.concepts("type", v.reason)
	l.ref("subject", "Patient", l.patient, l.who.full())
	l.list("participant")
	l.object("")
	l.concepts("type", coding{"http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "PPRF", "primary performer"})
	l.period("period", v.start, v.end)
	l.refFixed("individual", v.doctor.ref, v.doctor.name.full())
	l.close(2)
	l.period("period", v.start, v.end)
	if what != nil {
		l.concepts("reasonCode", what.code)
	}
	l.list("location")
	l.object("")
	l.refFixed("location", v.doctor.site.place, v.doctor.site.name)
	l.close(2)
	l.refFixed("serviceProvider", v.doctor.site.org, v.doctor.site.name)
	l.finish()
}

func (l *life) writeCondition(v *visit, x *illness) ident {
	id := newIdent(l.r)
	until := local(v.start.AddDate(0, 0, x.days))
	over := x.days > 0 && until.Before(Until)
	status := coding{clinical, "active", "Active"}
	if over {
		status = coding{clinical, "resolved", "Resolved"}
	}
	l.begin("Condition", id)
	l.concept("clinicalStatus", status)
	l.concept("verificationStatus", coding{verification, "confirmed", "Confirmed"})
	l.concepts("category", coding{"http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis", "Encounter Diagnosis"})
	l.concept("code", x.code)
	l.ref("subject", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.time("onsetDateTime", v.start)
	if over {
		l.time("abatementDateTime", until)
	}
	l.time("recordedDate", v.start)
	l.refFixed("recorder", v.doctor.ref, v.doctor.name.full())
	l.finish()
	v.billed = append(v.billed, bill{x.code, diagnosis, id, 0})
	v.notes = append(v.notes, "Assessment: presents with "+strings.ToLower(x.code.display)+".")
	return id
}

// writeProcedure writes what was done, because of a condition unless it is the zero ident.
func (l *life) writeProcedure(v *visit, code coding, because ident) {
	id := newIdent(l.r)
	l.begin("Procedure", id)
	l.str("status", "completed")
	l.concept("code", code)
	l.ref("subject", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.period("performedPeriod", v.start, v.start.Add(time.Duration(between(l.r, 10, 45))*time.Minute))
	l.list("performer")
	l.object("")
	l.refFixed("actor", v.doctor.ref, v.doctor.name.full())
	l.close(2)
	l.refFixed("location", v.doctor.site.place, v.doctor.site.name)
	if because != (ident{}) {
		l.list("reasonReference")
		l.ref("", "Condition", because, "")
		l.end()
	}
	l.finish()
	v.billed = append(v.billed, bill{code, procedure, id, between(l.r, 3_000, 90_000)})
	v.notes = append(v.notes, "Done: "+strings.ToLower(code.display)+".")
}

// writeRisk estimates how likely a disease of heart or vessels is.
func (l *life) writeRisk(v *visit) {
	l.begin("RiskAssessment", newIdent(l.r))
	l.str("status", "final")
	l.concept("code", coding{loinc, "79423-0", "Cardiovascular disease 10Y risk"})
	l.ref("subject", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.time("occurrenceDateTime", v.start)
	l.refFixed("performer", v.doctor.ref, v.doctor.name.full())
	l.list("prediction")
	l.object("")
	l.concept("outcome", coding{snomed, "49601007", "Disorder of cardiovascular system"})
	l.decimal("probabilityDecimal", min(9_500, between(l.r, 10, 60)*l.age(v.start)), 4)
	l.close(2)
	l.finish()
}

// writeImmunization writes a vaccination; dose counts from 1, 0 when it stands alone.
func (l *life) writeImmunization(v *visit, code coding, dose int) {
	id := newIdent(l.r)
	l.begin("Immunization", id)
	l.str("status", "completed")
	l.concept("vaccineCode", code)
	l.ref("patient", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.time("occurrenceDateTime", v.start)
	l.boolean("primarySource", true)
	l.refFixed("location", v.doctor.site.place, v.doctor.site.name)
	l.str("lotNumber", "LOT"+string(id[:6]))
	if dose > 0 {
		l.list("protocolApplied")
		l.object("")
		l.integer("doseNumberPositiveInt", dose)
		l.close(2)
	}
	l.finish()
	v.billed = append(v.billed, bill{code, vaccination, id, 14_052})
	v.notes = append(v.notes, "Given: "+code.display+".")
}

func (l *life) writePrescription(v *visit, drug coding, because ident, reason coding) {
	id := newIdent(l.r)
	status := "stopped"
	if v.start.After(Until.Add(-year)) {
		status = "active"
	}
	l.begin("MedicationRequest", id)
	l.str("status", status)
	l.str("intent", "order")
	l.concepts("category", coding{"http://terminology.hl7.org/CodeSystem/medicationrequest-category", "community", "Community"})
	l.concept("medicationCodeableConcept", drug)
	l.ref("subject", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.time("authoredOn", v.start)
	l.refFixed("requester", v.doctor.ref, v.doctor.name.full())
	l.list("reasonReference")
	l.ref("", "Condition", because, reason.display)
	l.end()
	l.writeDosage()
	l.object("dispenseRequest")
	l.integer("numberOfRepeatsAllowed", between(l.r, 0, 3))
	l.quantity("quantity", 10*between(l.r, 1, 9), 0, "tablet", "{tbl}")
	l.end()
	l.finish()
	v.notes = append(v.notes, "Prescribed: "+drug.display+".")
	l.writeDrugClaim(v, drug, id)
}

func (l *life) writeDosage() {
	l.list("dosageInstruction")
	l.object("")
	l.integer("sequence", 1)
	if chance(l.r, 25) {
		l.boolean("asNeededBoolean", true)
		l.close(2)
		return
	}
	l.object("timing")
	l.object("repeat")
	l.integer("frequency", between(l.r, 1, 3))
	l.decimal("period", 1, 0)
	l.str("periodUnit", "d")
	l.close(2)
	l.boolean("asNeededBoolean", false)
	l.list("doseAndRate")
	l.object("")
	l.concept("type", coding{"http://terminology.hl7.org/CodeSystem/dose-rate-type", "ordered", "Ordered"})
	l.object("doseQuantity")
	l.decimal("value", between(l.r, 1, 2), 0)
	l.close(5)
}

func (l *life) writePlan(v *visit, x *illness, condition ident) {
	until := local(v.start.AddDate(0, 0, x.days))
	status, activity := "active", "in-progress"
	if over := x.days > 0 && until.Before(Until); over {
		status, activity = "completed", "completed"
	}
	l.begin("CarePlan", newIdent(l.r))
	l.narrative(planText(x))
	l.str("status", status)
	l.str("intent", "order")
	l.concepts("category", x.plan)
	l.ref("subject", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.object("period")
	l.time("start", v.start)
	if status == "completed" {
		l.time("end", until)
	}
	l.end()
	l.list("addresses")
	l.ref("", "Condition", condition, "")
	l.end()
	l.list("activity")
	for _, a := range x.advice {
		l.object("")
		l.object("detail")
		l.concept("code", a)
		l.str("status", activity)
		l.refFixed("location", v.doctor.site.place, v.doctor.site.name)
		l.close(2)
	}
	l.end()
	l.finish()
}

func planText(x *illness) string {
	var b strings.Builder
	b.WriteString("Care plan: " + x.plan.display + ".<br/>Activities: <ul>")
	for _, a := range x.advice {
		b.WriteString("<li>" + a.display + "</li>")
	}
	b.WriteString("</ul><br/>It is meant to treat " + x.code.display + ".")
	return b.String()
}

var openings = []string{
	"The patient arrives on time and in good general condition.", "The patient reports no change since the last visit.",
	"Seen together with a relative, who helps with the history.", "History taken, records of the last years reviewed.",
	"The patient feels well and has no complaints at present.", "The patient reports poor sleep during the last weeks.",
}

var closings = []string{
	"Next appointment as needed.", "To return in three months, earlier if symptoms get worse.", "Results will be discussed by telephone.",
	"Advice given on diet and exercise; the patient understands and agrees.", "A letter goes to the referring colleague.",
}

// writeNote writes down what happened at the visit so far.
func (l *life) writeNote(v *visit) {
	text := v.start.Format(time.DateOnly) + "\n\n# Reason\n" + v.reason.display + "\n\n# History\n" + pick(l.r, openings) + " " +
		pick(l.r, openings) + "\n\n# Course\n" + strings.Join(v.notes, "\n") + "\n\n# Plan\n" + pick(l.r, closings) + "\n"
	l.begin("DocumentReference", newIdent(l.r))
	l.str("status", "current")
	l.concept("type", coding{loinc, "34117-2", "History and physical note"})
	l.concepts("category", coding{loinc, "11488-4", "Consult note"})
	l.ref("subject", "Patient", l.patient, "")
	l.instant("date", v.end)
	l.list("author")
	l.refFixed("", v.doctor.ref, v.doctor.name.full())
	l.end()
	l.refFixed("custodian", v.doctor.site.org, v.doctor.site.name)
	l.list("content")
	l.object("")
	l.object("attachment")
	l.str("contentType", "text/plain; charset=utf-8")
	l.name("data")
	l.b = append(l.b, '"')
	l.b = base64.StdEncoding.AppendEncode(l.b, []byte(text))
	l.b = append(l.b, '"')
	l.close(3)
	l.object("context")
	l.list("encounter")
	l.ref("", "Encounter", v.id, "")
	l.end()
	l.period("period", v.start, v.end)
	l.end()
	l.finish()
}
