// Command gen writes docs/conformance.md: what a FHIR service says of itself in
// its CapabilityStatement, and where the sources follow another service instead
// of the standard. It opens a service in a temporary directory and asks it.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"salus/platform"
	"salus/workspace"
)

//go:generate go run . -root ../.. -out ../conformance.md

//go:embed intro.md
var intro string

func main() {
	root := flag.String("root", ".", "the module's directory")
	out := flag.String("out", "", "file to write")
	flag.Parse()
	b, err := page(*root)
	if err == nil {
		err = os.WriteFile(*out, b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// page renders the whole page.
func page(root string) ([]byte, error) {
	c, err := capabilities()
	if err != nil {
		return nil, err
	}
	quirks, err := compat(root)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(intro)
	c.render(&b)
	b.WriteString("\n## Where another service is followed\n\n| Source | What |\n|---|---|\n")
	for _, q := range quirks {
		fmt.Fprintf(&b, "| [%[1]s](../%[1]s) | %[2]s |\n", q.place, strings.ReplaceAll(q.text, "|", "\\|"))
	}
	return b.Bytes(), nil
}

// capability is the part of a CapabilityStatement that the page shows.
type capability struct {
	Format []string
	Rest   []struct {
		Interaction []struct{ Code string }
		Resource    []resource
		Operation   []struct{ Name string }
	}

	operations []operation
}

// operation is the part of an OperationDefinition that the page shows.
type operation struct {
	Code, Description      string
	Resource               []string
	System, Type, Instance bool
}

type resource struct {
	Type              string
	Interaction       []struct{ Code string }
	ConditionalRead   string
	ConditionalCreate bool
	ConditionalUpdate bool
	ConditionalDelete string
	Versioning        string
	SearchParam       []struct{ Name, Type string }
}

// capabilities asks a service that holds nothing.
func capabilities() (c capability, err error) {
	dir, err := os.MkdirTemp("", "salus-conformance-")
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := platform.New(platform.Config{
		Listen: "127.0.0.1:0", Data: dir, Workspace: workspace.Default(), CacheBytes: 8 << 20,
		Grace: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := ask(p.Handler(), "metadata", &c); err != nil {
		return c, err
	}
	for _, o := range c.Rest[0].Operation {
		var definition operation
		if err := ask(p.Handler(), "OperationDefinition/"+o.Name, &definition); err != nil {
			return c, err
		}
		c.operations = append(c.operations, definition)
	}
	return c, nil
}

// ask reads what a service has at a place.
func ask(service http.Handler, place string, into any) error {
	w := httptest.NewRecorder()
	service.ServeHTTP(w, httptest.NewRequest("GET", "/default/fhir/"+place, nil))
	if w.Code != 200 {
		return fmt.Errorf("%s answered %d", place, w.Code)
	}
	return json.Unmarshal(w.Body.Bytes(), into)
}

func (c capability) render(b *bytes.Buffer) {
	rest := c.Rest[0]
	fmt.Fprintf(b, "\n## Interactions\n\nFormats: %s. On the whole service: %s.\n\n", code(c.Format), codes(rest.Interaction))
	b.WriteString("| Resource types | Interactions | Conditional | Versions |\n|---|---|---|---|\n")
	groups, order := map[string][]string{}, []string{}
	for _, r := range rest.Resource {
		line := fmt.Sprintf("%s | read: %s, create: %t, update: %t, delete: %s | %s",
			codes(r.Interaction), r.ConditionalRead, r.ConditionalCreate, r.ConditionalUpdate, r.ConditionalDelete, r.Versioning)
		if groups[line] == nil {
			order = append(order, line)
		}
		groups[line] = append(groups[line], r.Type)
	}
	for _, line := range order {
		types := strings.Join(groups[line], ", ")
		if len(groups[line]) == len(rest.Resource) {
			types = fmt.Sprintf("all %d", len(rest.Resource))
		}
		fmt.Fprintf(b, "| %s | %s |\n", types, line)
	}
	b.WriteString("\n## Operations\n\n| Operation | On | What it does |\n|---|---|---|\n")
	for _, o := range c.operations {
		fmt.Fprintf(b, "| `$%s` | %s | %s |\n", o.Code, o.on(), o.Description)
	}
	b.WriteString("\n## Search parameters\n\n| Type | Parameters |\n|---|---|\n")
	for _, r := range rest.Resource {
		fmt.Fprintf(b, "| %s |", r.Type)
		for i, p := range r.SearchParam {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(b, " `%s` %s", p.Name, p.Type)
		}
		b.WriteString(" |\n")
	}
}

// on tells where an operation is invoked.
func (o operation) on() string {
	var places []string
	if o.System {
		places = append(places, "the service")
	}
	for _, t := range o.Resource {
		if o.Type {
			places = append(places, t)
		}
		if o.Instance {
			places = append(places, t+"/id")
		}
	}
	return strings.ReplaceAll(strings.Join(places, ", "), "Resource", "any type")
}

func codes(list []struct{ Code string }) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Code
	}
	return code(names)
}

func code(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
