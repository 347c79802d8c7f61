package fhirpath

// treeFunctions are those of FHIRPath N1 §5.8.
var treeFunctions = map[string]*function{
	"children":    {eval: children},
	"descendants": {eval: descendants},
}

func children(r *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	var out []Item
	var err error
	for _, it := range in {
		if out, err = r.children(out, it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// descendants goes level by level, as repeat(children()) would. A tree has no
// cycles, so nothing is compared, and equal branches are all there.
func descendants(r *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	var out []Item
	for len(in) > 0 {
		level := len(out)
		var err error
		for _, it := range in {
			before := len(out)
			if out, err = r.children(out, it); err != nil {
				return nil, err
			}
			if err = r.grown(out, len(out)-before); err != nil {
				return nil, err
			}
		}
		in = out[level:len(out):len(out)]
	}
	return out, nil
}
