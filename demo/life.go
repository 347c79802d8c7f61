package demo

import (
	"math/rand/v2"
	"slices"
	"time"
)

// life is one patient's story while it is written.
type life struct {
	*sheet
	r       *rand.Rand
	number  int
	patient ident
	who     person
	home    address
	born    time.Time
	died    time.Time // zero when alive
	doctor  *doctor   // of the family
	ill     []sickness
	shots   int // childhood vaccinations had
	body    body
}

// sickness is a chronic illness that the patient has.
type sickness struct {
	*illness
	condition ident
}

// body holds what measurements vary around.
type body struct {
	height   float64 // cm, grown up
	bmi      float64
	systolic float64
	pulse    float64
	smoker   int // index into smoking
	wellness float64
}

// visit is one encounter while it is written.
type visit struct {
	purpose
	id, claim  ident
	start, end time.Time
	doctor     *doctor
	billed     []bill
	notes      []string // what the doctor writes down
}

// bill is a line of a claim for something done or found at a visit.
type bill struct {
	code  coding
	kind  billKind
	id    ident
	cents int
}

type billKind uint8

const (
	diagnosis billKind = iota
	procedure
	vaccination
)

const (
	year       = 365*24*time.Hour + 6*time.Hour
	recently   = 10 * year // the time of which most is known
	visitRoom  = 60        // resources that one visit makes at most
	mostVisits = 32
)

// writeLife puts patient number i of seed on the sheet.
func writeLife(s *sheet, c *clinic, seed uint64, i int) {
	r := newRand(seed, firstPatient+uint64(i))
	l := &life{sheet: s, r: r, number: i, who: newPerson(r, chance(r, 51)), home: newAddress(r)}
	l.doctor = &pick(r, c.sites).staff[r.IntN(4)]
	age := time.Duration(r.Int64N(int64(96 * year)))
	l.born = Until.Add(-age)
	if years := int(age / year); years > 45 && chance(r, (years-40)/2) {
		l.died = local(Until.Add(-time.Duration(r.Int64N(int64(recently)))))
	}
	l.patient = newIdent(r)
	l.body = body{
		height: spread(r, 178, 7), bmi: max(17, spread(r, 26, 4)), systolic: spread(r, 108, 8), pulse: spread(r, 72, 8),
		smoker: max(0, r.IntN(6)-3), wellness: r.Float64(),
	}
	if l.who.female {
		l.body.height -= 13
	}
	l.writePatient()
	if chance(r, 22) {
		l.writeAllergies()
	}
	for _, at := range l.visitTimes() {
		if s.count+visitRoom > bundleEntries {
			break
		}
		l.visit(at, c)
	}
}

func (l *life) age(at time.Time) int { return int(at.Sub(l.born) / year) }

// visitTimes returns when the patient comes, in order: mostly in the last
// years, during working hours.
func (l *life) visitTimes() []time.Time {
	last := Until.Add(-24 * time.Hour)
	if !l.died.IsZero() {
		last = l.died.Add(-24 * time.Hour)
	}
	lived := last.Sub(l.born)
	n := between(l.r, 8, mostVisits)
	times := make([]time.Time, 0, n)
	for range n {
		span := min(lived, recently)
		if lived > span && chance(l.r, 15) {
			span = lived
		}
		t := last.Add(-time.Duration(l.r.Int64N(int64(span) + 1)))
		t = t.Truncate(24 * time.Hour).Add(time.Duration(between(l.r, 6*60, 15*60)) * time.Minute)
		switch t.Weekday() {
		case time.Sunday:
			t = t.AddDate(0, 0, -2)
		case time.Saturday:
			t = t.AddDate(0, 0, -1)
		}
		if t.After(l.born.Add(24 * time.Hour)) {
			times = append(times, local(t))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, func(a, b time.Time) bool { return b.Sub(a).Abs() < 7*24*time.Hour })
}

func (l *life) visit(at time.Time, c *clinic) {
	v := &visit{id: newIdent(l.r), claim: newIdent(l.r), start: at, doctor: l.doctor}
	if chance(l.r, 15) {
		staff := pick(l.r, c.sites).staff
		v.doctor = &staff[l.r.IntN(len(staff))]
	}
	var what *illness
	switch n := l.r.IntN(100); {
	case n < 42 || l.age(at) < 3 && n < 70:
		v.purpose = checkUp
	case n < 70:
		v.purpose, what = symptom, &acute[l.r.IntN(len(acute))]
	case n < 88:
		v.purpose = followUp
		if len(l.ill) == 0 {
			v.purpose = problem
		}
	case n < 97:
		v.purpose, what = accident, &injuries[l.r.IntN(len(injuries))]
	default:
		v.purpose, what = admission, &admissions[l.r.IntN(len(admissions))]
	}
	if what != nil && what.from > l.age(at) {
		what = &acute[0]
		v.purpose = symptom
	}
	v.end = at.Add(time.Duration(v.minutes) * time.Minute)
	l.writeEncounter(v, what)
	switch {
	case what != nil:
		l.beIll(v, what)
	case v.purpose == checkUp:
		l.beChecked(v)
	default:
		l.beFollowedUp(v)
	}
	if v.purpose == checkUp || chance(l.r, 25) {
		l.writeNote(v)
	}
	l.writeClaim(v)
	l.writeBenefit(v)
}

// beChecked is a check-up: everything is measured, chronic illnesses are found.
func (l *life) beChecked(v *visit) {
	l.measure(v)
	if chance(l.r, 55) {
		l.runPanel(v, &lipids)
	}
	if chance(l.r, 55) {
		l.runPanel(v, &bloodCount)
	}
	if chance(l.r, 45) {
		l.runPanel(v, &metabolic)
	}
	for i := range chronic {
		x := &chronic[i]
		if x.from <= l.age(v.start) && !l.has(x) && chance(l.r, x.percent) {
			l.beIll(v, x)
			break
		}
	}
	l.writeProcedure(v, screenings[0], ident{})
	if chance(l.r, 45) {
		l.writeProcedure(v, screenings[1+l.r.IntN(len(screenings)-1)], ident{})
	}
	if l.age(v.start) >= 40 && chance(l.r, 35) {
		l.writeRisk(v)
	}
	l.vaccinate(v)
}

func (l *life) vaccinate(v *visit) {
	if age := l.age(v.start); age < 14 {
		for range 2 {
			if l.shots < len(childVaccines)*2 {
				l.writeImmunization(v, childVaccines[l.shots%len(childVaccines)], 1+l.shots/len(childVaccines))
				l.shots++
			}
		}
	} else if chance(l.r, 30) {
		l.writeImmunization(v, pick(l.r, adultVaccines), 0)
	}
	if chance(l.r, 65) {
		l.writeImmunization(v, influenza, 0)
	}
}

// beFollowedUp looks after one of the illnesses that are known.
func (l *life) beFollowedUp(v *visit) {
	l.writePressure(v)
	l.writeVital(v, &pulse)
	if chance(l.r, 30) {
		l.runPanel(v, &metabolic)
	}
	if len(l.ill) == 0 {
		l.writeScore(v)
		return
	}
	x := pick(l.r, l.ill)
	if len(x.drugs) > 0 {
		l.writePrescription(v, pick(l.r, x.drugs), x.condition, x.code)
	}
	if x.procedure.code != "" && chance(l.r, 40) {
		l.writeProcedure(v, x.procedure, x.condition)
	}
	if x.code.code == "44054006" || x.code.code == "15777000" { // diabetes or before it
		l.writeSugar(v)
	}
}

func (l *life) has(x *illness) bool {
	return slices.ContainsFunc(l.ill, func(s sickness) bool { return s.illness == x })
}

// beIll makes a diagnosis and does what follows from it.
func (l *life) beIll(v *visit, x *illness) {
	condition := l.writeCondition(v, x)
	if x.days == 0 {
		l.ill = append(l.ill, sickness{x, condition})
	} else {
		l.writeVital(v, &temperature)
		l.writePain(v)
	}
	for i, d := range x.drugs {
		if i == 0 || chance(l.r, 40) {
			l.writePrescription(v, d, condition, x.code)
		}
	}
	if x.procedure.code != "" {
		l.writeProcedure(v, x.procedure, condition)
	}
	if x.plan.code != "" {
		l.writePlan(v, x, condition)
	}
}
