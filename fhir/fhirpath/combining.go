package fhirpath

// combiningFunctions are those of FHIRPath N1 §5.4.
var combiningFunctions = map[string]*function{
	"union":   {min: 1, max: 1, eval: unionFunction},
	"combine": {min: 1, max: 1, eval: combine},
}

// union evaluates a | b | c: all items without duplicates.
func (r *run) union(of []Expr, f *frame) ([]Item, error) {
	var only []Item // as long as a single operand gave items
	var merged *set
	for _, e := range of {
		items, err := r.eval(e, f)
		switch {
		case err != nil:
			return nil, err
		case len(items) == 0:
			continue
		case only == nil:
			only = items
			continue
		case merged == nil:
			if merged, err = r.setOf(only); err != nil {
				return nil, err
			}
		}
		for _, it := range items {
			merged.add(it)
		}
		if err := r.spend(len(items)); err != nil {
			return nil, err
		}
	}
	if merged != nil {
		return merged.items, nil
	}
	return distinct(r, nil, only, f)
}

func unionFunction(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	other, err := r.eval(c.Args[0], f)
	if err != nil {
		return nil, err
	}
	merged, err := r.setOf(in)
	if err != nil {
		return nil, err
	}
	for _, it := range other {
		merged.add(it)
	}
	return merged.items, r.spend(len(other))
}

func combine(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	other, err := r.eval(c.Args[0], f)
	if err != nil {
		return nil, err
	}
	out := make([]Item, 0, len(in)+len(other))
	out = append(append(out, in...), other...)
	return out, r.grown(out, len(out))
}
