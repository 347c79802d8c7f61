package demo

import (
	"fmt"
	"time"
)

func (l *life) writePatient() {
	l.begin("Patient", l.patient)
	l.narrative(fmt.Sprintf("Invented patient %s, born %s. Record number %s.", l.who.full(), l.born.Format(time.DateOnly), RecordNumber(l.number)))
	l.writePatientExtensions()
	l.list("identifier")
	l.identifier(coding{idTypes, "MR", "Medical Record Number"}, RecordNumbers, RecordNumber(l.number))
	l.identifier(coding{idTypes, "NI", "National unique individual identifier"}, "https://demo.salus.example/id/national", fmt.Sprintf("%09d", l.r.IntN(1e9)))
	l.identifier(coding{idTypes, "SN", "Subscriber Number"}, "https://demo.salus.example/id/insurance", fmt.Sprintf("X%08dX", l.r.IntN(1e8)))
	if l.age(Until) > 17 {
		l.identifier(coding{idTypes, "DL", "Driver's license number"}, "https://demo.salus.example/id/driver", fmt.Sprintf("D%07d", l.r.IntN(1e7)))
	}
	l.end()
	l.boolean("active", l.died.IsZero())
	l.writePatientNames()
	writeTelecom(l.sheet, "home", l.r.IntN(1e7))
	l.str("gender", l.who.gender())
	l.date("birthDate", l.born)
	if !l.died.IsZero() {
		l.time("deceasedDateTime", l.died)
	}
	l.list("address")
	l.writeHome()
	l.end()
	l.concept("maritalStatus", l.marriage())
	l.boolean("multipleBirthBoolean", chance(l.r, 2))
	l.writeLanguage()
	l.list("generalPractitioner")
	l.refFixed("", l.doctor.ref, l.doctor.name.full())
	l.end()
	l.refFixed("managingOrganization", l.doctor.site.org, l.doctor.site.name)
	l.finish()
}

func (l *life) writePatientExtensions() {
	l.list("extension")
	l.object("")
	l.str("url", "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName")
	l.str("valueString", pick(l.r, womenNames)+" "+pick(l.r, familyHeads)+pick(l.r, familyTails))
	l.end()
	birth := pick(l.r, towns)
	l.object("")
	l.str("url", "http://hl7.org/fhir/StructureDefinition/patient-birthPlace")
	l.object("valueAddress")
	l.str("city", birth.name)
	l.str("state", birth.state)
	l.str("country", "XZ")
	l.close(2)
	l.object("")
	l.str("url", "https://demo.salus.example/StructureDefinition/quality-adjusted-life-years")
	l.decimal("valueDecimal", int(float64(l.age(Until))*(80+20*l.body.wellness)*1e4), 6)
	l.close(2)
}

func (l *life) writePatientNames() {
	l.list("name")
	prefix := "Mr."
	if l.who.female {
		prefix = "Ms."
	}
	if l.age(Until) < 16 {
		prefix = ""
	}
	l.who.write(l.sheet, "official", prefix)
	if l.who.female && chance(l.r, 25) && l.age(Until) > 25 {
		before := l.who
		before.family = pick(l.r, familyHeads) + pick(l.r, familyTails)
		before.write(l.sheet, "maiden", prefix)
	}
	l.end()
}

func (l *life) writeHome() {
	l.object("")
	l.list("extension")
	l.object("")
	l.str("url", "http://hl7.org/fhir/StructureDefinition/geolocation")
	l.list("extension")
	l.object("")
	l.str("url", "latitude")
	l.decimal("valueDecimal", l.home.latitude, 5)
	l.end()
	l.object("")
	l.str("url", "longitude")
	l.decimal("valueDecimal", l.home.longitude, 5)
	l.close(4)
	l.list("line")
	l.str("", l.home.line)
	l.end()
	l.str("city", l.home.town.name)
	l.str("state", l.home.town.state)
	l.str("postalCode", l.home.town.code)
	l.str("country", "XZ")
	l.end()
}

func (l *life) marriage() coding {
	switch age := l.age(Until); {
	case age < 20 || chance(l.r, 30):
		return coding{maritalStatus, "S", "Never Married"}
	case age > 75 && chance(l.r, 40):
		return coding{maritalStatus, "W", "Widowed"}
	}
	return coding{maritalStatus, "M", "Married"}
}

var languages = []coding{
	{"urn:ietf:bcp:47", "en", "English"}, {"urn:ietf:bcp:47", "en", "English"}, {"urn:ietf:bcp:47", "de", "German"},
	{"urn:ietf:bcp:47", "es", "Spanish"}, {"urn:ietf:bcp:47", "fr", "French"}, {"urn:ietf:bcp:47", "sv", "Swedish"},
}

func (l *life) writeLanguage() {
	l.list("communication")
	l.object("")
	l.concept("language", pick(l.r, languages))
	l.boolean("preferred", true)
	l.close(2)
}

func (l *life) writeAllergies() {
	for range between(l.r, 1, 4) {
		a := pick(l.r, allergies)
		since := local(l.born.Add(time.Duration(l.r.Int64N(int64(3 * year)))))
		if since.After(Until) {
			since = local(Until)
		}
		l.begin("AllergyIntolerance", newIdent(l.r))
		l.concept("clinicalStatus", coding{"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active", "Active"})
		l.concept("verificationStatus", coding{"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "confirmed", "Confirmed"})
		l.str("type", "allergy")
		l.list("category")
		l.str("", a.category)
		l.end()
		l.str("criticality", pick(l.r, []string{"low", "low", "high", "unable-to-assess"}))
		l.concept("code", a.code)
		l.ref("patient", "Patient", l.patient, "")
		l.time("recordedDate", since)
		l.list("reaction")
		l.object("")
		l.concepts("manifestation", pick(l.r, reactions))
		l.str("severity", pick(l.r, []string{"mild", "moderate", "severe"}))
		l.close(2)
		l.finish()
	}
}
