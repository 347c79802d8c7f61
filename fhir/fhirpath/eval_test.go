package fhirpath_test

import (
	"strings"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

// want is a table: on each line an expression, =>, and its items joined by |. "!" is an error of kind Invalid.
type want string

var testEnv = fhirpath.Env{
	Now:  time.Date(2024, 3, 1, 12, 30, 15, 250_000_000, time.FixedZone("", 2*60*60)),
	Vars: map[string][]fhirpath.Item{"limit": {fhirpath.Integer(3)}},
}

func run(t *testing.T, focus fhirpath.Item, table want) {
	t.Helper()
	t.Parallel()
	for line := range strings.Lines(string(table)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		src, wanted, ok := strings.Cut(line, "=>")
		if !ok {
			t.Fatalf("%s: no =>", line)
		}
		src, wanted = strings.TrimSpace(src), strings.TrimSpace(wanted)
		if got := render(src, focus); got != wanted {
			t.Errorf("%s\n  have %s\n  want %s", src, got, wanted)
		}
	}
}

func render(src string, focus fhirpath.Item) string {
	e, err := fhirpath.Compile(src, spec.R4())
	var items []fhirpath.Item
	if err == nil {
		items, err = e.Eval(&testEnv, focus)
	}
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			return err.Error()
		}
		return "!"
	}
	var out []string
	for _, it := range items {
		s, ok := it.Text()
		if !ok {
			s = "<" + it.TypeName() + ">"
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}

func TestEval_NavigatesTypesChoicesAndPrimitives(t *testing.T) {
	run(t, resource(t, patientJSON), `
		Patient.name.family => Lovelace | Byron
		name.given => Ada | Augusta | Ada | <string>
		name.given.count() => 4
		name[1].given[1].hasValue() => false
		name[1].given[1].extension.value => unknown
		Observation.name =>
		Resource.id => p1
		DomainResource.active => true
		deceased => 1852-11-27
		deceasedDateTime =>
		deceased is dateTime => true
		deceased.ofType(boolean) =>
		birthDate.id => b1
		birthDate.extension.url => http://example.org/time
		birthDate.extension.value.type().name => dateTime
		extension.value => y
		contact.name.family => King
		contact.type().name => Patient.contact
		contact is BackboneElement => true
		contained.active => false
		contained.type().name => Practitioner
		contained.ofType(Practitioner).id => c1
		contained.ofType(Patient).id =>
		children().ofType(HumanName).family => Lovelace | Byron
		children().where($this is string) => p1 | female
		descendants().where($this is HumanName).family => Lovelace | Byron | King
		descendants().ofType(Extension).count() => 3
		nothing.here =>
		'text'.nothing =>
	`)
}

func TestEval_Observation(t *testing.T) {
	run(t, resource(t, observationJSON), `
		value.unit => mg/dL
		(value as Quantity).value => 1.50
		value = 1.5 'mg/dL' => true
		value = 15 'mg/L' => true
		value > 10 'mg/L' => true
		value > 1 'm' =>
		value ~ 1.5 'mg/dL' => true
		value + 1 'g/L' => 101.50 'mg/dL'
		value.toString() => 1.50 'mg/dL'
		component.value.value => 120 | 80
		(component.value as Quantity).value => 120 | 80
		component.value.as(Quantity) => !
		component.where(code.coding.code = '8480-6').value.value => 120
		component.value.value.sum() => 200
		component.value.sum() => 200 'mm[Hg]'
		component.value.value.avg() => 100
		component.value.value.min() => 80
		component.value.max().value => 120
		effective > @2020-02-29T09:00:00Z => true
		effective.toDate() => 2020-02-29
		code.coding.exists(system = %loinc and code = '85354-9') => true
		subject.resolve() is Patient => true
		subject.resolve().id =>
		subject.getReferenceKey() => Patient/p1
		subject.getReferenceKey(Patient) => Patient/p1
		subject.getReferenceKey(Group) =>
		getResourceKey() => Observation/o1
		Observation.conformsTo('http://hl7.org/fhir/StructureDefinition/Resource') => true
	`)
}

func TestEval_OperatorsAndPrecedence(t *testing.T) {
	run(t, resource(t, patientJSON), `
		1 + 2 * 3 - 4 / 2 => 5
		-2 + 3 => 1
		- - 2 => 2
		+1.50 => 1.50
		7 div 2 => 3
		-7 div 2 => -3
		-7 mod 3 => -1
		7.5 mod 2 => 1.5
		1 / 3 => 0.3333333333333333333333333333
		1 / 0 =>
		2147483647 + 1 =>
		-2147483648 => -2147483648
		2147483649 => !
		'a' + 'b' => ab
		'a' & {} => a
		'a' + {} =>
		'a' + 1 => !
		1 & 'a' => !
		true and {} =>
		false and (1 | 2).single() => false
		true or (1 | 2).single() => true
		false implies (1 | 2).single() => true
		{} or true => true
		true xor true => false
		'x' and true => true
		(1 | 2) and true => !
		1 < 2 and 2 < 3 => true
		1 | 2 | 2 | 1 => 1 | 2
		1 in (1 | 2) => true
		(1 | 2) contains 3 => false
		(1 | 2) in (1 | 2) => !
		{} in (1 | 2) =>
		1 = 1.0 => true
		1 ~ 1.04 => true
		1.1 ~ 1.14 => true
		'A  b' ~ 'a B' => true
		{} ~ {} => true
		(1 | 2) ~ (2 | 1) => true
		(1 | 2) = (2 | 1) => false
		1 = 'a' => false
		1 != {} =>
		1 'mg' = 0.001 'g' => true
		1 'mg' = 1 'm' =>
		2 'cm' * 3 'cm' = 6 'cm2' => true
		6 'g' / 2 'L' = 3 'g/L' => true
		6 'g' / 2 'g' => 3 '1'
		1 'g' + 1 'm' =>
		1 year = 12 months => true
		1 year ~ 1 'a' => true
		1 month = 30 days =>
		1 day = 24 hours => true
		'a' < 'b' => true
		'a' < 1 => !
		true < false => !
		%limit + 1 => 4
		%unknown => !
		%'vs-x' => http://hl7.org/fhir/ValueSet/x
		%resource.id => p1
		$this.id => p1
		name.select($index) => 0 | 1
		name.given[$this.count()] => Augusta
	`)
}

func TestEval_DatesAndTimes(t *testing.T) {
	run(t, resource(t, patientJSON), `
		@2024-02-29 + 1 year => 2025-02-28
		@2024-01-31 + 1 month => 2024-02-29
		@2024 + 24 months => 2026
		@2024 + 11 months => 2024
		@2024-03 - 31 days => 2024-02
		@2024-02-28 + 25 hours => 2024-02-29
		@2024-02-28 + 1.9 days => 2024-02-29
		@2024-01-01T23:30 + 45 minutes => 2024-01-02T00:15
		@2024-01-01T00:00:00 + 1.5 seconds => 2024-01-01T00:00:01.500
		@T23:30 + 1 hour => 00:30
		@T23:30 + 1 day => !
		@9999-12-31 + 1 day =>
		@0001-01-01 - 1 day =>
		@2024-01-01 + 200000 days => 2571-08-01
		@2024-01-01 + 1 'kg' => !
		@2024-01-01 = @2024-01-01 => true
		@2024 = @2024-01 =>
		@2024 = @2023-01 => false
		@2024-01-01T10:00Z = @2024-01-01T12:00+02:00 => true
		@2024-01-01T10:00:00Z < @2024-01-03T10:00:00 => true
		@2024-01-01T10:00:00Z < @2024-01-01T10:00:01 =>
		@2024-01-01 < @T10:00 => !
		@2024-01 ~ @2024-01-01 => false
		@2024-13-01 => !
		@2023-02-29 => !
		@T25:00 => !
		now() => 2024-03-01T12:30:15.250+02:00
		today() => 2024-03-01
		timeOfDay() => 12:30:15.250
		birthDate < today() => true
		@2014.lowBoundary() => 2014-01-01
		@2014-02.highBoundary() => 2014-02-28
		@2014-02-03.highBoundary(4) => 2014
		@2014-02-03T10:00Z.highBoundary() => 2014-02-03T10:00:59.999Z
		@T10.highBoundary() => 10:59:59.999
		1.587.lowBoundary(2) => 1.58
		0.0034.highBoundary(1) => 0.1
		@2014-01-05T10:30.precision() => 12
		1 'cm'.comparable(1 '[in_i]') => true
	`)
}

func TestEval_Functions(t *testing.T) {
	run(t, resource(t, patientJSON), `
		(1 | 2 | 3).where($this > 1).select($this * 2) => 4 | 6
		(1 | 2 | 3).all($this > 0) => true
		{}.all(false) => true
		(true | false).anyTrue() => true
		(true | false).allTrue() => false
		(true | false).anyFalse() => true
		(true | false).allFalse() => false
		(1).allTrue() => !
		(1 | 2).subsetOf(1 | 2 | 3) => true
		(1 | 2 | 3).supersetOf(1 | 5) => false
		1.combine(1).distinct() => 1
		1.combine(1).isDistinct() => false
		(1 | 2 | 3).skip(1).first() => 2
		(1 | 2 | 3).take(2).last() => 2
		(1 | 2 | 3).tail() => 2 | 3
		(1 | 2 | 3).skip(-1).count() => 3
		(1 | 2 | 3).take(99).count() => 3
		(1 | 2).single() => !
		(1 | 2 | 3)[5] =>
		(1 | 2).intersect(2 | 3) => 2
		1.combine(1).combine(2).exclude(2) => 1 | 1
		(1 | 2 | 3 | 4).aggregate($this + $total, 0) => 10
		(3 | 1 | 2).sort() => 1 | 2 | 3
		(3 | 1 | 2).sort(-$this) => 3 | 2 | 1
		name.sort(family).family => Byron | Lovelace
		iif(1 = 1, 'y', (1|2).single()) => y
		iif('s', 1, 2) => !
		'5'.toInteger() + 1 => 6
		'5x'.toInteger() =>
		'4 days'.toQuantity() => 4 days
		'4.5 \'mg\''.toQuantity() => 4.5 'mg'
		'1000 \'mg\''.toQuantity('g') => 1 'g'
		'10:30'.toTime() => 10:30
		'2020-01-01T10:00:00Z'.toDate() => 2020-01-01
		'yes'.toBoolean() => true
		birthDate.toString() => 1815-12-10
		name.convertsToString() => !
		name.first().convertsToString() => false
		'äöü'.length() => 3
		'äöü'.substring(1, 1) => ö
		'äöü'.indexOf('ü') => 2
		'abcabc'.lastIndexOf('b') => 4
		'abc'.upper().toChars() => A | B | C
		'a1b22'.replaceMatches('(\\d+)', '<$1>') => a<1>b<22>
		'abc'.matches('(') => !
		'abc'.matchesFull('b') => false
		' x '.trim() => x
		'a,b'.split(',').join('+') => a+b
		'ä'.encode('hex') => c3a4
		'zz'.decode('hex') =>
		'<a>'.escape('html').unescape('html') => <a>
		'a"b\n'.escape('json').unescape('json') = 'a"b\n' => true
		name.first().startsWith('x') => !
		(-1.5).abs() => 1.5
		1.5.ceiling() => 2
		(-1.5).floor() => -2
		(-1.5).truncate() => -1
		2.power(10) => 1024
		2.power(0.5).round(3) => 1.414
		1000.log(10) => 3
		9.sqrt() => 3
		(-9).sqrt() =>
		0.ln() =>
		1.exp().round(4) => 2.7183
		3.14159.round(3) => 3.142
		2.5.round() => 3
		'x'.abs() => !
		1.type().name => Integer
		active.type().namespace => FHIR
		name.given.trace('given').count() => 4
		text.div.htmlChecks() => true
		'<div><script>x</script></div>'.htmlChecks() => false
		'<div onclick="x">a</div>'.htmlChecks() => false
		'<div> </div>'.htmlChecks() => false
		generalPractitioner.where(resolve() is Practitioner).reference => Practitioner/7 | #c1
		generalPractitioner.resolve().active => false
		generalPractitioner.combine(generalPractitioner).resolve().distinct().count() => 5
		gender.getValue() => female
		conformsTo('http://example.org/unknown') => not supported: FHIRPath: conformsTo does not know the profile
		gender.memberOf('http://example.org/vs') => not supported: FHIRPath: memberOf has no terminology to ask here
	`)
}

func TestEval_TypesOfBothNamespaces(t *testing.T) {
	run(t, resource(t, patientJSON), `
		active is boolean => true
		active is Boolean => false
		active is FHIR.boolean => true
		true is Boolean => true
		true is System.Boolean => true
		true is boolean => false
		1 is Any => true
		Patient is DomainResource => true
		Patient is Nonsense => !
		gender is string => true
		gender.as(string) =>
		gender.as(code) => female
		(name | telecom).ofType(HumanName).count() => 2
		name.is(HumanName) => !
		1 'mg' is Quantity => true
	`)
}
