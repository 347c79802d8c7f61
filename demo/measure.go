package demo

import (
	"math"
	"math/rand/v2"
)

// vital is a measurement of the body with a profile of the standard.
type vital struct {
	code       coding
	profile    string
	unit, ucum string
	digits     int
	mean, sd   float64
}

const vitalProfile = "http://hl7.org/fhir/StructureDefinition/"

var (
	height      = vital{coding{loinc, "8302-2", "Body Height"}, "bodyheight", "cm", "cm", 1, 0, 0}
	weight      = vital{coding{loinc, "29463-7", "Body Weight"}, "bodyweight", "kg", "kg", 2, 0, 0}
	bmi         = vital{coding{loinc, "39156-5", "Body Mass Index"}, "bmi", "kg/m2", "kg/m2", 2, 0, 0}
	pulse       = vital{coding{loinc, "8867-4", "Heart rate"}, "heartrate", "/min", "/min", 0, 72, 9}
	breaths     = vital{coding{loinc, "9279-1", "Respiratory rate"}, "resprate", "/min", "/min", 0, 14, 2}
	temperature = vital{coding{loinc, "8310-5", "Body temperature"}, "bodytemp", "Cel", "Cel", 2, 37.6, 0.7}

	vitalSigns = coding{observing, "vital-signs", "Vital Signs"}
	laboratory = coding{observing, "laboratory", "Laboratory"}
	survey     = coding{observing, "survey", "Survey"}
	social     = coding{observing, "social-history", "Social History"}
)

var smoking = []coding{
	{snomed, "266919005", "Never smoked tobacco"}, {snomed, "8517006", "Ex-smoker"}, {snomed, "449868002", "Smokes tobacco daily"},
}

// scaled returns v in units of 10^-digits.
func scaled(v float64, digits int) int { return int(math.Round(v * math.Pow10(digits))) }

// beginObservation writes what all observations have in common, up to their value.
func (l *life) beginObservation(v *visit, category, code coding, profile string) ident {
	id := newIdent(l.r)
	l.begin("Observation", id)
	if profile != "" {
		l.profile(vitalProfile + profile)
	}
	l.str("status", "final")
	l.concepts("category", category)
	l.concept("code", code)
	l.ref("subject", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.time("effectiveDateTime", v.start)
	l.instant("issued", v.start)
	l.list("performer")
	l.refFixed("", v.doctor.ref, "")
	l.end()
	return id
}

// grown is the part of an adult's height that a child of some years has.
func grown(years int) float64 {
	if years >= 18 {
		return 1
	}
	return 0.3 + 0.7*math.Sqrt(float64(years)/18)
}

// measure takes all vital signs.
func (l *life) measure(v *visit) {
	age := l.age(v.start)
	tall := l.body.height * grown(age)
	mass := spread(l.r, l.body.bmi, 0.6) - 8*(1-grown(age))
	l.writeVitalOf(v, &height, tall)
	l.writeVitalOf(v, &weight, mass*tall*tall/1e4)
	if age >= 2 {
		l.writeVitalOf(v, &bmi, mass)
	}
	l.writePressure(v)
	l.writeVital(v, &pulse)
	l.writeVital(v, &breaths)
	l.writePain(v)
	l.writeSmoking(v)
}

func (l *life) writeVital(v *visit, x *vital) {
	mean := x.mean
	if x == &pulse {
		mean = l.body.pulse
	}
	l.writeVitalOf(v, x, spread(l.r, mean, x.sd))
}

func (l *life) writeVitalOf(v *visit, x *vital, value float64) {
	l.beginObservation(v, vitalSigns, x.code, x.profile)
	l.quantity("valueQuantity", scaled(value, x.digits), x.digits, x.unit, x.ucum)
	l.finish()
}

func (l *life) writePressure(v *visit) {
	systolic := int(spread(l.r, l.body.systolic+float64(l.age(v.start))*0.35, 7))
	diastolic := int(spread(l.r, float64(systolic)*0.63, 4))
	l.beginObservation(v, vitalSigns, coding{loinc, "85354-9", "Blood pressure panel with all children optional"}, "bp")
	l.list("component")
	l.object("")
	l.concept("code", coding{loinc, "8462-4", "Diastolic Blood Pressure"})
	l.quantity("valueQuantity", diastolic, 0, "mm[Hg]", "mm[Hg]")
	l.end()
	l.object("")
	l.concept("code", coding{loinc, "8480-6", "Systolic Blood Pressure"})
	l.quantity("valueQuantity", systolic, 0, "mm[Hg]", "mm[Hg]")
	if systolic >= 140 {
		l.concepts("interpretation", high)
	}
	l.close(2)
	l.finish()
}

func (l *life) writePain(v *visit) {
	l.beginObservation(v, survey, coding{loinc, "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported"}, "")
	l.quantity("valueQuantity", between(l.r, 0, 6), 0, "{score}", "{score}")
	l.finish()
}

func (l *life) writeScore(v *visit) {
	l.beginObservation(v, survey, coding{loinc, "44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"}, "")
	l.integer("valueInteger", min(27, int(l.r.ExpFloat64()*5)))
	l.finish()
}

func (l *life) writeSmoking(v *visit) {
	l.beginObservation(v, social, coding{loinc, "72166-2", "Tobacco smoking status"}, "")
	x := smoking[0]
	if l.age(v.start) > 15 {
		x = smoking[l.body.smoker]
	}
	l.concept("valueCodeableConcept", x)
	l.finish()
}

// analyte is a value of a laboratory with its reference range.
type analyte struct {
	code      coding
	unit      string // also its UCUM code
	digits    int
	low, high float64
	mean, sd  float64
}

type panel struct {
	code     coding
	analytes []analyte
}

var (
	high   = coding{interpreting, "H", "High"}
	low    = coding{interpreting, "L", "Low"}
	normal = coding{interpreting, "N", "Normal"}
)

var (
	sugar  = analyte{coding{loinc, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"}, "%", 2, 4, 5.7, 5.9, 0.7}
	lipids = panel{coding{loinc, "57698-3", "Lipid panel with direct LDL - Serum or Plasma"}, []analyte{
		{coding{loinc, "2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"}, "mg/dL", 1, 0, 200, 182, 24},
		{coding{loinc, "2571-8", "Triglyceride [Mass/volume] in Serum or Plasma"}, "mg/dL", 1, 0, 150, 128, 22},
		{coding{loinc, "18262-6", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by Direct assay"}, "mg/dL", 1, 0, 130, 92, 20},
		{coding{loinc, "2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"}, "mg/dL", 1, 40, 90, 63, 9},
	}}
	bloodCount = panel{coding{loinc, "58410-2", "CBC panel - Blood by Automated count"}, []analyte{
		{coding{loinc, "6690-2", "Leukocytes [#/volume] in Blood by Automated count"}, "10*3/uL", 2, 4, 10.5, 6.8, 1.7},
		{coding{loinc, "789-8", "Erythrocytes [#/volume] in Blood by Automated count"}, "10*6/uL", 2, 4, 5.6, 4.7, 0.4},
		{coding{loinc, "718-7", "Hemoglobin [Mass/volume] in Blood"}, "g/dL", 1, 12, 17, 14.4, 1.3},
		{coding{loinc, "4544-3", "Hematocrit [Volume Fraction] of Blood by Automated count"}, "%", 1, 36, 50, 42.5, 3.5},
		{coding{loinc, "787-2", "MCV [Entitic volume] by Automated count"}, "fL", 1, 80, 96, 88, 3.6},
		{coding{loinc, "785-6", "MCH [Entitic mass] by Automated count"}, "pg", 1, 27, 33, 30, 1.6},
		{coding{loinc, "786-4", "MCHC [Mass/volume] by Automated count"}, "g/dL", 1, 33, 36, 34.5, 0.8},
		{coding{loinc, "21000-5", "Erythrocyte distribution width [Entitic volume] by Automated count"}, "fL", 1, 39, 46, 42.5, 1.8},
		{coding{loinc, "777-3", "Platelets [#/volume] in Blood by Automated count"}, "10*3/uL", 0, 150, 450, 285, 70},
		{coding{loinc, "32623-1", "Platelet mean volume [Entitic volume] in Blood by Automated count"}, "fL", 1, 9, 12.5, 10.8, 0.8},
	}}
	metabolic = panel{coding{loinc, "51990-0", "Basic metabolic panel - Blood"}, []analyte{
		{coding{loinc, "2339-0", "Glucose [Mass/volume] in Blood"}, "mg/dL", 1, 70, 100, 88, 11},
		{coding{loinc, "6299-2", "Urea nitrogen [Mass/volume] in Blood"}, "mg/dL", 1, 7, 20, 12.5, 3.4},
		{coding{loinc, "38483-4", "Creatinine [Mass/volume] in Blood"}, "mg/dL", 2, 0.5, 1.3, 0.95, 0.25},
		{coding{loinc, "49765-1", "Calcium [Mass/volume] in Blood"}, "mg/dL", 2, 8.5, 10.2, 9.3, 0.4},
		{coding{loinc, "2947-0", "Sodium [Moles/volume] in Blood"}, "mmol/L", 0, 135, 145, 140, 2.4},
		{coding{loinc, "6298-4", "Potassium [Moles/volume] in Blood"}, "mmol/L", 2, 3.5, 5.2, 4.3, 0.4},
		{coding{loinc, "2069-3", "Chloride [Moles/volume] in Blood"}, "mmol/L", 0, 98, 108, 104, 2.5},
		{coding{loinc, "20565-8", "Carbon dioxide, total [Moles/volume] in Blood"}, "mmol/L", 1, 20, 29, 24.6, 2.1},
		{coding{loinc, "33914-3", "Glomerular filtration rate/1.73 sq M.predicted"}, "mL/min/{1.73_m2}", 1, 60, 160, 98, 20},
	}}
)

// draw takes one value around the mean, never below zero.
func (a *analyte) draw(r *rand.Rand) int { return max(0, scaled(spread(r, a.mean, a.sd), a.digits)) }

func (l *life) writeSugar(v *visit) { l.writeAnalyte(v, &sugar) }

func (l *life) writeAnalyte(v *visit, a *analyte) ident {
	value := a.draw(l.r)
	id := l.beginObservation(v, laboratory, a.code, "")
	l.quantity("valueQuantity", value, a.digits, a.unit, a.unit)
	from, to := scaled(a.low, a.digits), scaled(a.high, a.digits)
	switch {
	case value < from:
		l.concepts("interpretation", low)
	case value > to:
		l.concepts("interpretation", high)
	default:
		l.concepts("interpretation", normal)
	}
	l.list("referenceRange")
	l.object("")
	if from > 0 {
		l.quantity("low", from, a.digits, a.unit, a.unit)
	}
	l.quantity("high", to, a.digits, a.unit, a.unit)
	l.close(2)
	l.finish()
	return id
}

// runPanel measures all values of a panel and reports them.
func (l *life) runPanel(v *visit, p *panel) {
	var ids [16]ident
	for i := range p.analytes {
		ids[i] = l.writeAnalyte(v, &p.analytes[i])
	}
	l.begin("DiagnosticReport", newIdent(l.r))
	l.str("status", "final")
	l.concepts("category", coding{"http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory"})
	l.concept("code", p.code)
	l.ref("subject", "Patient", l.patient, "")
	l.ref("encounter", "Encounter", v.id, "")
	l.time("effectiveDateTime", v.start)
	l.instant("issued", v.end)
	l.list("performer")
	l.refFixed("", v.doctor.site.org, v.doctor.site.name)
	l.end()
	l.list("result")
	for i := range p.analytes {
		l.ref("", "Observation", ids[i], p.analytes[i].code.display)
	}
	l.end()
	l.finish()
	v.notes = append(v.notes, "Laboratory: "+p.code.display+", see report.")
}
