package ccda

import (
	"strings"

	"salus/convert"
	"salus/convert/jsontext"
)

// Filters are those that templates have for documents, by name. The first argument is the document.
func Filters() map[string]func(args []convert.Value) (convert.Value, error) {
	return map[string]func([]convert.Value) (convert.Value, error){
		"get_first_ccda_sections":                filter(func(d *convert.Map, names []string) (convert.Value, error) { return byTitle(d, names, false) }),
		"get_ccda_section_lists":                 filter(func(d *convert.Map, names []string) (convert.Value, error) { return byTitle(d, names, true) }),
		"get_first_ccda_sections_by_template_id": filter(byTemplate),
	}
}

func filter(f func(*convert.Map, []string) (convert.Value, error)) func([]convert.Value) (convert.Value, error) {
	return func(args []convert.Value) (convert.Value, error) {
		if len(args) < 2 {
			return nil, convert.Errorf(convert.TemplateSyntaxError, "the filter wants an argument")
		}
		d, ok := args[0].(*convert.Map)
		if !ok {
			return nil, convert.Errorf(convert.TemplateDataMismatch, "the filter is for documents")
		}
		var names []string
		s, _ := args[1].(string)
		for name := range strings.SplitSeq(s, "|") {
			if name != "" {
				names = append(names, name)
			}
		}
		return f(d, names)
	}
}

// get follows members from a value.
func get(v convert.Value, names ...string) convert.Value {
	for _, name := range names {
		m, ok := v.(*convert.Map)
		if !ok {
			return nil
		}
		v, _ = m.Get(name)
	}
	return v
}

// list returns a value as a list: of one, if it is none.
func list(v convert.Value) []convert.Value {
	switch v := v.(type) {
	case nil:
		return nil
	case *convert.List:
		return v.Items
	}
	return []convert.Value{v}
}

// sections are those of a document's body.
func sections(d *convert.Map) (all []convert.Value) {
	for _, component := range list(get(d, "ClinicalDocument", "component", "structuredBody", "component")) {
		if s := get(component, "section"); s != nil {
			all = append(all, s)
		}
	}
	return all
}

// normal makes a key of a name: all but letters and digits are underscores.
func normal(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' {
			return r
		}
		return '_'
	}, name)
}

// byTitle finds sections whose title has a name in it.
func byTitle(d *convert.Map, names []string, all bool) (convert.Value, error) {
	found := convert.NewMap(len(names))
	for _, name := range names {
		var matching []convert.Value
		for _, s := range sections(d) {
			title, _ := get(s, "title", "_").(string)
			if title == "" {
				title, _ = get(s, "title").(string)
			}
			if title != "" && strings.Contains(strings.ToLower(title), strings.ToLower(name)) {
				matching = append(matching, s)
			}
		}
		switch {
		case len(matching) == 0:
		case all:
			found.Set(normal(name), &convert.List{Items: matching})
		default:
			found.Set(normal(name), matching[0])
		}
	}
	return found, nil
}

// byTemplate finds the first section that has the text of an id among its template ids.
func byTemplate(d *convert.Map, ids []string) (convert.Value, error) {
	found := convert.NewMap(len(ids))
	all := sections(d)
	texts := make([]string, len(all))
	for i, s := range all {
		if id := get(s, "templateId"); id != nil {
			b, err := jsontext.Append(nil, id, 0)
			if err != nil {
				return nil, err
			}
			texts[i] = string(b)
		}
	}
	for _, id := range ids {
		for i, s := range all {
			if strings.Contains(texts[i], id) {
				found.Set(normal(id), s)
				break
			}
		}
	}
	return found, nil
}
