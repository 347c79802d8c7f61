package fhirpath

// subsettingFunctions are those of FHIRPath N1 §5.3; [index] is an Index.
var subsettingFunctions = map[string]*function{
	"single": {eval: func(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
		_, _, err := single(in, "what single takes")
		return in, err
	}},
	"first": {eval: func(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
		return in[:min(1, len(in)):min(1, len(in))], nil
	}},
	"last": {eval: func(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
		return in[max(0, len(in)-1):], nil
	}},
	"tail": {eval: func(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
		return in[min(1, len(in)):], nil
	}},
	"skip":      {min: 1, max: 1, eval: skip},
	"take":      {min: 1, max: 1, eval: take},
	"intersect": {min: 1, max: 1, eval: intersect},
	"exclude":   {min: 1, max: 1, eval: exclude},
}

func skip(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	n, ok, err := r.integerArg(c.Args[0], f, "the argument of skip")
	if err != nil || !ok {
		return nil, err
	}
	return in[min(max(n, 0), int64(len(in))):], nil
}

func take(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	n, ok, err := r.integerArg(c.Args[0], f, "the argument of take")
	if err != nil || !ok {
		return nil, err
	}
	n = min(max(n, 0), int64(len(in)))
	return in[:n:n], nil
}

func intersect(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	other, err := r.otherSet(c, f)
	if err != nil {
		return nil, err
	}
	out := &set{r: r}
	for _, it := range in {
		if other.has(it) {
			out.add(it)
		}
	}
	return out.items, r.spend(len(in))
}

// exclude keeps order and duplicates of the input.
func exclude(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	other, err := r.otherSet(c, f)
	if err != nil {
		return nil, err
	}
	var out []Item
	for _, it := range in {
		if !other.has(it) {
			out = append(out, it)
		}
	}
	return out, r.spend(len(in))
}

func (r *run) otherSet(c *Call, f *frame) (*set, error) {
	other, err := r.eval(c.Args[0], f)
	if err != nil {
		return nil, err
	}
	return r.setOf(other)
}
