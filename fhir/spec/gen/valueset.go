package main

import (
	"slices"
	"strings"
)

// enumeration is a value set with all its codes, by code system.
type enumeration struct {
	url     string
	systems []systemCodes
}

type systemCodes struct {
	system string
	codes  []string
}

// enumerate returns the value sets of required bindings whose codes are all in the package.
func (p *hl7Package) enumerate(types []*typeDesc) []enumeration {
	wanted := map[string]bool{}
	for _, t := range types {
		for _, e := range t.elements {
			if e.Binding != nil && e.Binding.Strength == "required" {
				wanted[withoutVersion(e.Binding.ValueSet)] = true
			}
		}
	}
	var sets []enumeration
	for url := range wanted {
		set := enumeration{url: url}
		if p.include(&set, url, nil) {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, func(a, b enumeration) int { return strings.Compare(a.url, b.url) })
	return sets
}

// include adds the codes of the value set called url. It reports false when
// they cannot all be told: the value set or a code system is not in the package,
// is not complete, or is narrowed by filters or exclusions.
func (p *hl7Package) include(set *enumeration, url string, within []string) bool {
	v := p.valueSets[url]
	if v == nil || len(v.Compose.Exclude) > 0 || len(v.Compose.Include) == 0 || slices.Contains(within, url) {
		return false
	}
	within = append(within, url)
	for _, in := range v.Compose.Include {
		switch {
		case len(in.Filters) > 0 || in.System != "" && len(in.ValueSets) > 0 || len(in.ValueSets) > 1: // an intersection
			return false
		case len(in.ValueSets) == 1:
			if !p.include(set, withoutVersion(in.ValueSets[0]), within) {
				return false
			}
		case len(in.Concepts) > 0:
			set.add(in.System, in.Concepts)
		default:
			system := p.systems[in.System]
			if system == nil || system.Content != "complete" {
				return false
			}
			set.add(in.System, system.Concepts)
		}
	}
	return true
}

// add adds concepts with those below them, each once.
func (set *enumeration) add(system string, concepts []concept) {
	i := slices.IndexFunc(set.systems, func(s systemCodes) bool { return s.system == system })
	if i < 0 {
		i, set.systems = len(set.systems), append(set.systems, systemCodes{system: system})
	}
	for _, c := range concepts {
		if !slices.Contains(set.systems[i].codes, c.Code) {
			set.systems[i].codes = append(set.systems[i].codes, c.Code)
		}
		set.add(system, c.Concepts)
	}
}

func withoutVersion(canonical string) string {
	url, _, _ := strings.Cut(canonical, "|")
	return url
}
