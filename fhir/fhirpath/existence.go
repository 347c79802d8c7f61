package fhirpath

// existenceFunctions are those of FHIRPath N1 §5.1, with not() of §6.5.3.
var existenceFunctions = map[string]*function{
	"empty":      {eval: func(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) { return boolean(len(in) == 0), nil }},
	"exists":     {max: 1, eval: exists},
	"all":        {min: 1, max: 1, eval: all},
	"allTrue":    {eval: booleans(true, true)},
	"anyTrue":    {eval: booleans(true, false)},
	"allFalse":   {eval: booleans(false, true)},
	"anyFalse":   {eval: booleans(false, false)},
	"subsetOf":   {min: 1, max: 1, eval: subsetOf},
	"supersetOf": {min: 1, max: 1, eval: supersetOf},
	"count": {eval: func(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
		return []Item{Integer(int64(len(in)))}, nil
	}},
	"distinct":   {eval: distinct},
	"isDistinct": {eval: isDistinct},
	"not":        {eval: negate},
}

func exists(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	if len(c.Args) == 0 {
		return boolean(len(in) > 0), nil
	}
	found := false
	err := r.loop(c.Args[0], in, f, func(_ int, result []Item) (bool, error) {
		t, err := singleton(result, "the criterion of exists")
		found = t == yes
		return !found, err
	})
	return boolean(found), err
}

// all counts a criterion without result as not met.
func all(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	met := true
	err := r.loop(c.Args[0], in, f, func(_ int, result []Item) (bool, error) {
		t, err := singleton(result, "the criterion of all")
		met = t == yes
		return met, err
	})
	return boolean(met), err
}

// booleans makes allTrue, anyTrue, allFalse and anyFalse.
func booleans(want, every bool) evaluator {
	return func(_ *run, c *Call, in []Item, _ *frame) ([]Item, error) {
		result := every
		for _, it := range in {
			b, ok := it.AsBool()
			if !ok {
				return nil, invalid("%s takes Booleans, not %s", c.Name, it.TypeName())
			}
			if (b == want) != every {
				result = !every
			}
		}
		return boolean(result), nil
	}
}

func subsetOf(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	other, err := r.eval(c.Args[0], f)
	if err != nil {
		return nil, err
	}
	return r.within(in, other)
}

func supersetOf(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	other, err := r.eval(c.Args[0], f)
	if err != nil {
		return nil, err
	}
	return r.within(other, in)
}

// within reports whether every item of part is in whole.
func (r *run) within(part, whole []Item) ([]Item, error) {
	s, err := r.setOf(whole)
	if err != nil {
		return nil, err
	}
	for _, it := range part {
		if !s.has(it) {
			return falseItems, nil
		}
	}
	return trueItems, r.spend(0)
}

func distinct(r *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	if len(in) < 2 {
		return in, nil
	}
	s, err := r.setOf(in)
	if err != nil {
		return nil, err
	}
	return s.items, nil
}

func isDistinct(r *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	s := &set{r: r}
	for _, it := range in {
		if !s.add(it) {
			return falseItems, nil
		}
		if err := r.spend(1); err != nil {
			return nil, err
		}
	}
	return trueItems, nil
}

func negate(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	t, err := singleton(in, "what not negates")
	return not(t).items(), err
}
