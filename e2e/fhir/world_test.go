package fhir_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// world is data that belongs together, made for one test. Each of its resources
// has a name, from which its id is made, and the world's tag.
type world struct {
	on     target
	prefix string // of ids, also the code of the tag
}

// thing is a resource of a world, without id. {name} stands for the id of
// another one.
type thing struct{ name, resource string }

// build writes things in order, as transactions.
func build(t *testing.T, on target, things ...thing) *world {
	t.Helper()
	w := &world{on: on, prefix: unique()}
	for chunk := range slices.Chunk(things, 100) {
		w.add(t, chunk...)
	}
	return w
}

// add writes further things.
func (w *world) add(t *testing.T, things ...thing) {
	t.Helper()
	var entries []any
	for _, th := range things {
		resource := w.resource(t, th)
		entries = append(entries, map[string]any{
			"resource": resource, "request": map[string]any{"method": "PUT", "url": fmt.Sprintf("%v/%v", resource["resourceType"], resource["id"])},
		})
	}
	b, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": entries})
	if err != nil {
		t.Fatal(err)
	}
	r, err := send("POST", w.on.base, string(b))
	if err != nil || r.status != 200 {
		t.Fatalf("the world is not written: %v %v", err, r)
	}
	for i, e := range r.list("entry") {
		if status := text(lookup(e, "response.status")); !strings.HasPrefix(status, "20") {
			t.Fatalf("%s is not written: %s", things[i].name, text(e))
		}
	}
}

func (w *world) resource(t *testing.T, th thing) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(w.fill(th.resource)))
	d.UseNumber()
	var resource map[string]any
	if err := d.Decode(&resource); err != nil {
		t.Fatalf("%s: %v: %s", th.name, err, th.resource)
	}
	resource["id"] = w.prefix + "-" + th.name
	meta, _ := resource["meta"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		resource["meta"] = meta
	}
	tags, _ := meta["tag"].([]any)
	meta["tag"] = append(tags, map[string]any{"system": "urn:salus:e2e", "code": w.prefix})
	return resource
}

// fill puts ids in place of {names}, the prefix in place of {w} and the service's
// URL in place of {base}.
func (w *world) fill(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(p string) string {
		switch name := p[1 : len(p)-1]; name {
		case "w":
			return w.prefix
		case "base":
			return w.on.base
		default:
			return w.prefix + "-" + name
		}
	})
}

// names turns ids into names. What is not of the world is shown as it is.
func (w *world) names(ids []string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id
		if name, ok := strings.CutPrefix(id, w.prefix+"-"); ok {
			names[i] = name
		}
	}
	return names
}

// find is a search within the world and what it finds: names, or "!" and the
// code of a warning. A name after "+" is of an included resource.
type find struct{ name, query, want string }

// within is the query with the world's tag, "Patient?name=x" → "Patient?name=x&_tag=…".
func (w *world) within(query string) string {
	separator := "&"
	if !strings.Contains(query, "?") {
		separator = "?"
	}
	return w.fill(query) + separator + "_tag=" + url.QueryEscape("urn:salus:e2e|"+w.prefix)
}

// finds runs searches; the order of what is found does not count.
func (w *world) finds(t *testing.T, rows []find) {
	t.Helper()
	w.each(t, rows, func(t *testing.T, row find) {
		w.found(t, w.on.base+"/"+w.within(row.query)+"&_count=100", row.want, false)
	})
}

// ordered runs searches; matches are wanted in this order.
func (w *world) ordered(t *testing.T, rows []find) {
	t.Helper()
	w.each(t, rows, func(t *testing.T, row find) {
		w.found(t, w.on.base+"/"+w.within(row.query)+"&_count=100", row.want, true)
	})
}

// plain runs searches without the tag.
func (w *world) plain(t *testing.T, rows []find) {
	t.Helper()
	w.each(t, rows, func(t *testing.T, row find) { w.found(t, w.on.base+"/"+w.fill(row.query), row.want, false) })
}

// totals runs searches whose total is wanted.
func (w *world) totals(t *testing.T, rows []find) {
	t.Helper()
	w.each(t, rows, func(t *testing.T, row find) {
		r, err := send("GET", w.on.base+"/"+w.within(row.query), "")
		if err != nil {
			t.Fatal(err)
		}
		if got := r.text("total"); r.status != 200 || got != row.want {
			t.Errorf("total %q, want %q\n%v", got, row.want, r)
		}
	})
}

// remove deletes resources.
func (w *world) remove(t *testing.T, places ...string) {
	t.Helper()
	for _, place := range places {
		if r, err := send("DELETE", w.on.base+"/"+w.fill(place), ""); err != nil || r.status != 204 {
			t.Fatalf("not deleted: %v %v", err, r)
		}
	}
}

func (w *world) each(t *testing.T, rows []find, f func(*testing.T, find)) {
	t.Helper()
	for _, row := range rows {
		name := row.name
		if name == "" {
			name = row.query
		}
		t.Run(name, func(t *testing.T) { f(t, row) })
	}
}

func (w *world) found(t *testing.T, address, want string, inOrder bool) reply {
	t.Helper()
	r, err := send("GET", address, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.status != 200 {
		t.Fatalf("status %d, want 200\n%v", r.status, r)
	}
	got := w.names(r.entries("match"))
	if !inOrder {
		slices.Sort(got)
	}
	var included []string
	for _, name := range w.names(r.entries("include")) {
		included = append(included, "+"+name)
	}
	slices.Sort(included)
	got = append(got, included...)
	for _, code := range r.warnings() {
		got = append(got, "!"+code)
	}
	wants := strings.Fields(want)
	if !inOrder {
		slices.SortStableFunc(wants, func(a, b string) int { return strings.Compare(rank(a)+a, rank(b)+b) })
	}
	if !slices.Equal(got, wants) {
		t.Errorf("found %q, want %q\n%v", strings.Join(got, " "), strings.Join(wants, " "), r)
	}
	return r
}

// rank orders matches before included resources before warnings.
func rank(name string) string {
	switch name[0] {
	case '+':
		return "1"
	case '!':
		return "2"
	}
	return "0"
}

// refusal is a request that is answered with an error.
type refusal struct {
	query  string
	status int    // 0 for 400 or 403, where the documents disagree
	code   string // of the only issue; "" for whichever
}

// refuses runs searches that are refused.
func refuses(t *testing.T, on target, rows []refusal, header ...string) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.query, func(t *testing.T) {
			r, err := send("GET", on.base+"/"+row.query, "", header...)
			if err != nil {
				t.Fatal(err)
			}
			if status := r.status; status != row.status && (row.status != 0 || status != 400 && status != 403) || r.text("resourceType") != "OperationOutcome" {
				t.Fatalf("want status %d and an OperationOutcome\n%v", row.status, r)
			}
			if codes := issues(r.tree); row.code != "" && !slices.Equal(codes, []string{row.code}) {
				t.Errorf("issues are %q, want %q\n%v", codes, row.code, r)
			}
		})
	}
}

// alternatives asks for values with prefixes as alternatives of each other,
// which the reference refuses.
func alternatives(t *testing.T, query string) {
	t.Helper()
	for _, service := range services.all {
		if service.mode == azure {
			refuses(t, service, []refusal{{query, 403, "invalid"}})
		} else {
			tell("", do("GET "+query, 200)).run(t, service, false)
		}
	}
}
