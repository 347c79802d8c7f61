package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// site is an organisation with its location and staff.
type site struct {
	org, place string // references
	name       string
	address    address
	staff      []doctor
}

type doctor struct {
	number    int
	ref       string // of the Practitioner
	name      person
	specialty coding
	site      *site
}

// clinic is what all patients share.
type clinic struct{ sites []site }

const (
	staffPerSite    = 8
	patientsPerSite = 150
	sitesPerBundle  = 20 // 20 × (2 + 2×8) entries stay below bundleEntries
)

func newClinic(seed uint64, patients int) *clinic {
	r := newRand(seed, clinicStream)
	c := &clinic{sites: make([]site, min(3+patients/patientsPerSite, 400))}
	for i := range c.sites {
		s := &c.sites[i]
		*s = site{
			org:     fmt.Sprintf("Organization/demo-organization-%d", i+1),
			place:   fmt.Sprintf("Location/demo-location-%d", i+1),
			address: newAddress(r),
		}
		s.name = s.address.town.name + " " + pick(r, siteKinds)
		for j := range staffPerSite {
			n := i*staffPerSite + j + 1
			s.staff = append(s.staff, doctor{
				number: n, ref: fmt.Sprintf("Practitioner/demo-practitioner-%d", n),
				name: newPerson(r, chance(r, 50)), specialty: specialties[j%len(specialties)], site: s,
			})
		}
	}
	return c
}

// write puts the sites in [from, to) on the sheet.
func (c *clinic) write(s *sheet, from, to int) {
	for i := from; i < to; i++ {
		t := &c.sites[i]
		t.writeOrganization(s, i)
		t.writeLocation(s, i)
		for j := range t.staff {
			t.staff[j].writePractitioner(s)
			t.staff[j].writeRole(s)
		}
	}
}

func (t *site) writeOrganization(s *sheet, i int) {
	s.beginFixed("Organization", strings.TrimPrefix(t.org, "Organization/"))
	s.list("identifier")
	s.identifier(coding{}, SiteNumbers, fmt.Sprintf("ORG-%05d", i+1))
	s.end()
	s.boolean("active", true)
	s.concepts("type", coding{"http://terminology.hl7.org/CodeSystem/organization-type", "prov", "Healthcare Provider"})
	s.str("name", t.name)
	writeTelecom(s, "work", 1000+i)
	s.list("address")
	t.address.write(s, "work")
	s.end()
	s.finish()
}

func (t *site) writeLocation(s *sheet, i int) {
	s.beginFixed("Location", strings.TrimPrefix(t.place, "Location/"))
	s.list("identifier")
	s.identifier(coding{}, SiteNumbers, fmt.Sprintf("LOC-%05d", i+1))
	s.end()
	s.str("status", "active")
	s.str("name", t.name)
	s.str("mode", "instance")
	s.concepts("type", coding{"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "PC", "Primary care clinic"})
	t.address.writeAs(s, "address", "work")
	s.object("position")
	s.decimal("longitude", t.address.longitude, 5)
	s.decimal("latitude", t.address.latitude, 5)
	s.end()
	s.refFixed("managingOrganization", t.org, t.name)
	s.finish()
}

func (d *doctor) id(typ string) string { return fmt.Sprintf("demo-%s-%d", typ, d.number) }

func (d *doctor) writePractitioner(s *sheet) {
	s.beginFixed("Practitioner", d.id("practitioner"))
	s.list("identifier")
	s.identifier(coding{}, StaffNumbers, fmt.Sprintf("STF-%06d", d.number))
	s.end()
	s.boolean("active", true)
	s.list("name")
	d.name.write(s, "official", "Dr.")
	s.end()
	writeTelecom(s, "work", 5000+d.number)
	s.list("address")
	d.site.address.write(s, "work")
	s.end()
	s.str("gender", d.name.gender())
	s.finish()
}

func (d *doctor) writeRole(s *sheet) {
	s.beginFixed("PractitionerRole", d.id("role"))
	s.boolean("active", true)
	s.refFixed("practitioner", d.ref, d.name.full())
	s.refFixed("organization", d.site.org, d.site.name)
	s.concepts("code", coding{"http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor", "Doctor"})
	s.concepts("specialty", d.specialty)
	s.list("location")
	s.refFixed("", d.site.place, d.site.name)
	s.end()
	s.finish()
}

// person is an invented name.
type person struct {
	given, middle, family string
	female                bool
}

func newPerson(r *rand.Rand, female bool) person {
	p := person{female: female, family: pick(r, familyHeads) + pick(r, familyTails)}
	names := menNames
	if female {
		names = womenNames
	}
	p.given = pick(r, names)
	if chance(r, 30) {
		p.middle = pick(r, names)
	}
	return p
}

func (p person) gender() string {
	if p.female {
		return "female"
	}
	return "male"
}

func (p person) full() string { return p.given + " " + p.family }

func (p person) write(s *sheet, use, prefix string) {
	s.object("")
	s.str("use", use)
	s.str("family", p.family)
	s.list("given")
	s.str("", p.given)
	if p.middle != "" {
		s.str("", p.middle)
	}
	s.end()
	if prefix != "" {
		s.list("prefix")
		s.str("", prefix)
		s.end()
	}
	s.end()
}

// address is an invented place; its coordinates count 1/100,000 degree and lie
// in the open sea.
type address struct {
	line                string
	town                town
	latitude, longitude int
}

func newAddress(r *rand.Rand) address {
	t := pick(r, towns)
	return address{
		line: fmt.Sprintf("%d %s %s", between(r, 1, 240), pick(r, streetHeads), pick(r, streetTails)), town: t,
		latitude: 4_700_000 + r.IntN(200_000), longitude: -3_300_000 + r.IntN(300_000),
	}
}

func (a address) write(s *sheet, use string) { a.writeAs(s, "", use) }

func (a address) writeAs(s *sheet, name, use string) {
	s.object(name)
	s.str("use", use)
	s.list("line")
	s.str("", a.line)
	s.end()
	s.str("city", a.town.name)
	s.str("state", a.town.state)
	s.str("postalCode", a.town.code)
	s.str("country", "XZ") // ISO 3166 keeps XZ for users: nobody lives there
	s.end()
}

func writeTelecom(s *sheet, use string, number int) {
	s.list("telecom")
	s.object("")
	s.str("system", "phone")
	s.str("value", fmt.Sprintf("555-%03d-%04d", number/10000%1000, number%10000))
	s.str("use", use)
	s.close(2)
}

// local gives t the offset that the clinic's clocks have in that month.
func local(t time.Time) time.Time {
	if m := t.Month(); m >= time.April && m <= time.October {
		return t.In(summer)
	}
	return t.In(winter)
}

var (
	winter = time.FixedZone("", 3600)
	summer = time.FixedZone("", 7200)
)
