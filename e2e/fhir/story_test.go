package fhir_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// story is a named case: requests one after another, each with what must be
// answered. {name} in a request, a body, a header and in what is expected stands
// for a value that an earlier step kept; {u} is a word of this story alone,
// {base} the service's URL.
type story struct {
	name  string
	only  mode
	steps []step
}

func tell(name string, steps ...step) story { return story{name: name, steps: steps} }

// in leaves the story to services with these rules.
func (s story) in(m mode) story { s.only = m; return s }

type step struct {
	request string // "GET Patient/{id}", or with a whole URL
	status  int
	body    string
	header  []string // alternating names and values
	media   string   // of the body, when it is not FHIR's
	checks  []check
	again   bool // until the checks hold
}

// part adds to a step.
type part func(*step)

// check returns what is wrong with a reply, or "". It may keep values.
type check func(r reply, v values) string

type values map[string]string

var placeholder = regexp.MustCompile(`\{[a-z][a-zA-Z0-9-]*\}`)

func (v values) fill(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(p string) string {
		if value, ok := v[p[1:len(p)-1]]; ok {
			return value
		}
		return p
	})
}

// do is a step: a request and the status of its answer.
func do(request string, status int, parts ...part) step {
	s := step{request: request, status: status}
	for _, p := range parts {
		p(&s)
	}
	return s
}

func body(resource string) part     { return func(s *step) { s.body = resource } }
func head(pairs ...string) part     { return func(s *step) { s.header = append(s.header, pairs...) } }
func typed(media, text string) part { return func(s *step) { s.media, s.body = media, text } }
func prefer(value string) part      { return head("Prefer", value) }

func checks(c check) part { return func(s *step) { s.checks = append(s.checks, c) } }

// again repeats the request until its checks hold, a thousand times at most.
func again(s *step) { s.again = true }

// header wants a header with a value: "" for none, "*" for any, "~x" for one that
// contains x.
func header(name, want string) part {
	return checks(func(r reply, v values) string { return compare("header "+name, r.header.Get(name), v.fill(want)) })
}

func etag(version int) part { return header("ETag", fmt.Sprintf(`W/"%d"`, version)) }

// at wants a value at a path of the body, written as header does.
func at(path, want string) part {
	return checks(func(r reply, v values) string { return compare(path, r.text(path), v.fill(want)) })
}

// has wants so many values at a path.
func has(path string, n int) part {
	return checks(func(r reply, _ values) string {
		if got := len(r.list(path)); got != n {
			return fmt.Sprintf("%d values at %s, want %d", got, path, n)
		}
		return ""
	})
}

func compare(what, got, want string) string {
	part, contains := strings.CutPrefix(want, "~")
	switch {
	case want == "*" && got != "", contains && strings.Contains(got, part), got == want:
		return ""
	}
	return fmt.Sprintf("%s is %q, want %q", what, got, want)
}

// fault wants an OperationOutcome whose issues have these codes.
func fault(codes ...string) part {
	return checks(func(r reply, _ values) string {
		if typ := r.text("resourceType"); typ != "OperationOutcome" {
			return fmt.Sprintf("the body is a %q, want an OperationOutcome", typ)
		}
		return compare("issue codes", strings.Join(issues(r.tree), " "), strings.Join(codes, " "))
	})
}

// ambiguous wants the outcome of criteria that match several resources.
func ambiguous() part {
	return checks(func(r reply, v values) string {
		code := "required"
		if mode(v["mode"]) == strict {
			code = "multiple-matches"
		}
		return compare("issue codes", strings.Join(issues(r.tree), " "), code)
	})
}

// says wants a text somewhere in the body, whatever its case.
func says(want string) part {
	return checks(func(r reply, v values) string {
		if !strings.Contains(strings.ToLower(string(r.body)), strings.ToLower(v.fill(want))) {
			return fmt.Sprintf("the body does not say %q", v.fill(want))
		}
		return ""
	})
}

// hides wants a text nowhere in the body.
func hides(text string) part {
	return checks(func(r reply, v values) string {
		if strings.Contains(string(r.body), v.fill(text)) {
			return fmt.Sprintf("the body holds %q", v.fill(text))
		}
		return ""
	})
}

// nothing wants no body.
func nothing() part {
	return checks(func(r reply, _ values) string {
		if len(r.body) > 0 {
			return "there is a body, want none"
		}
		return ""
	})
}

// keep keeps the value at a path of the body under a name.
func keep(name, path string) part {
	return checks(func(r reply, v values) string {
		v[name] = r.text(path)
		if v[name] == "" {
			return "there is no value at " + path
		}
		return ""
	})
}

// keepHeader keeps a header's value under a name.
func keepHeader(name, from string) part {
	return checks(func(r reply, v values) string {
		v[name] = r.header.Get(from)
		return compare("header "+from, v[name], "*")
	})
}

// keepLink keeps the URL of a Bundle's link under a name.
func keepLink(name, relation string) part {
	return checks(func(r reply, v values) string {
		v[name] = r.link(relation)
		return compare("link "+relation, v[name], "*")
	})
}

// run runs stories in JSON on each service whose rules they are about. A service
// that is not the first is only asked when some story is about its difference.
func run(t *testing.T, stories []story) {
	t.Helper()
	t.Parallel()
	for i, service := range services.all {
		t.Run(string(service.mode), func(t *testing.T) {
			t.Parallel()
			for _, s := range stories {
				if s.only == service.mode || i == 0 && s.only == everywhere {
					t.Run(s.name, func(t *testing.T) { s.run(t, service, false) })
				}
			}
		})
	}
}

// runXML runs the stories of the first service again in XML.
func runXML(t *testing.T, stories []story) {
	t.Helper()
	t.Parallel()
	service := first()
	if !speaksXML(t, service) {
		t.Skip("not covered: XML, which the service does not declare")
	}
	for _, s := range stories {
		if s.only == service.mode || s.only == everywhere {
			t.Run(s.name, func(t *testing.T) { s.run(t, service, true) })
		}
	}
}

// speaksXML asks the service's CapabilityStatement.
func speaksXML(t *testing.T, service target) bool {
	t.Helper()
	r, err := send("GET", service.base+"/metadata", "")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(r.list("format"), func(f any) bool { return strings.Contains(text(f), "xml") })
}

func (s story) run(t *testing.T, on target, xml bool) {
	v := values{"base": on.base, "u": unique(), "mode": string(on.mode)}
	for i, st := range s.steps {
		if problems := st.run(on, v, xml); len(problems) > 0 {
			t.Fatalf("step %d: %s", i+1, strings.Join(problems, "\n"))
		}
	}
}

// run sends the step's request and returns what is wrong with the answer.
func (s step) run(on target, v values, xml bool) []string {
	problems := s.once(on, v, xml)
	for n := 0; s.again && len(problems) > 0 && n < 1000; n++ {
		problems = s.once(on, v, xml)
	}
	return problems
}

func (s step) once(on target, v values, xml bool) []string {
	method, place, _ := strings.Cut(v.fill(s.request), " ")
	switch {
	case place == "" || place == "/":
		place = on.base + place
	case !strings.HasPrefix(place, "http"):
		place = on.base + "/" + place
	}
	content, accept, text := "application/fhir+json", "application/fhir+json", v.fill(s.body)
	if xml {
		content, accept = "application/fhir+xml", "application/fhir+xml"
		if s.media == "" && text != "" {
			var err error
			if text, err = toXML(text); err != nil {
				return []string{"the body cannot be written as XML: " + err.Error()}
			}
		}
	}
	if s.media != "" {
		content = s.media
	}
	headers := []string{"Accept", accept}
	if text != "" || s.media != "" {
		headers = append(headers, "Content-Type", content)
	}
	for _, h := range s.header {
		headers = append(headers, v.fill(h))
	}
	r, err := send(method, place, text, headers...)
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	if r.status != s.status {
		problems = append(problems, fmt.Sprintf("status %d, want %d", r.status, s.status))
	} else {
		for _, c := range s.checks {
			if problem := c(r, v); problem != "" {
				problems = append(problems, problem)
			}
		}
	}
	if len(problems) > 0 {
		problems = append(problems, r.String())
		if text != "" {
			problems = append(problems, fmt.Sprintf("sent: %.300s", text))
		}
	}
	return problems
}
