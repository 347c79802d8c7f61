package fhirpath

// filteringFunctions are those of FHIRPath N1 §5.2; ofType is a TypeOp.
var filteringFunctions = map[string]*function{
	"where":  {min: 1, max: 1, eval: where},
	"select": {min: 1, max: 1, eval: project},
	"repeat": {min: 1, max: 1, eval: repeat},
}

func where(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	var out []Item
	err := r.loop(c.Args[0], in, f, func(i int, result []Item) (bool, error) {
		t, err := singleton(result, "the criterion of where")
		if t == yes {
			out = append(out, in[i])
		}
		return true, err
	})
	return out, err
}

func project(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	var out []Item
	err := r.loop(c.Args[0], in, f, func(_ int, result []Item) (bool, error) {
		out = append(out, result...)
		return true, r.grown(out, len(result))
	})
	return out, err
}

// repeat projects again what it found until nothing new comes; what is new is
// told by equality, so that cycles end (FHIRPath N1 §5.2.3).
func repeat(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	found := &set{r: r}
	for len(in) > 0 {
		before := len(found.items)
		err := r.loop(c.Args[0], in, f, func(_ int, result []Item) (bool, error) {
			for _, it := range result {
				found.add(it)
			}
			return true, r.grown(found.items, len(result))
		})
		if err != nil {
			return nil, err
		}
		in = found.items[before:len(found.items):len(found.items)]
	}
	return found.items, nil
}
