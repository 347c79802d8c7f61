package interaction

import (
	"fmt"
	"slices"
	"strings"

	"salus/fhir/search"
)

// spell writes what a filter means in one way, whatever the order and the
// escaping in which it was asked for.
func spell(filter search.Filter) string {
	switch f := filter.(type) {
	case search.And:
		return spellAll("and", f)
	case search.Or:
		return spellAll("or", f)
	case search.Not:
		return "not(" + spell(f.Filter) + ")"
	case search.Match:
		return fmt.Sprintf("%s %T%+q", f.Param.Name(), f.Operand, fmt.Sprintf("%+v", f.Operand))
	case search.Missing:
		return fmt.Sprintf("%s missing %t", f.Param.Name(), f.Missing)
	case search.Chain:
		return fmt.Sprintf("%s to %s(%s)", f.Param.Name(), f.Target, spell(f.Filter))
	case search.Has:
		return fmt.Sprintf("from %s(%s)", f.Param.Name(), spell(f.Filter))
	}
	return fmt.Sprintf("%T%+q", filter, fmt.Sprintf("%+v", filter))
}

func spellAll(word string, parts []search.Filter) string {
	all := make([]string, len(parts))
	for i, part := range parts {
		all[i] = spell(part)
	}
	if len(all) == 1 {
		return all[0]
	}
	slices.Sort(all)
	return word + "(" + strings.Join(slices.Compact(all), ",") + ")"
}
