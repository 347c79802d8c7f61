package fhirpath

// utilityFunctions are those of FHIRPath N1 §5.9, with type() of §10.2.
var utilityFunctions = map[string]*function{
	"trace":     {min: 1, max: 2, eval: trace},
	"now":       {eval: clock(DateTimeKind)},
	"today":     {eval: clock(DateKind)},
	"timeOfDay": {eval: clock(TimeKind)},
	"type":      {eval: reflect},
}

func trace(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	name, _, err := r.stringArg(c.Args[0], f, "the name of trace")
	if err != nil {
		return nil, err
	}
	logged := in
	if len(c.Args) == 2 {
		if logged, err = project(r, &Call{Args: c.Args[1:]}, in, f); err != nil {
			return nil, err
		}
	}
	if r.env.Trace != nil {
		r.env.Trace(name, logged)
	}
	return in, nil
}

// clock makes now, today and timeOfDay: the same moment all through an evaluation.
func clock(kind TemporalKind) evaluator {
	return func(r *run, _ *Call, _ []Item, _ *frame) ([]Item, error) {
		return []Item{Time(TemporalAt(r.env.Now, kind))}, nil
	}
}

func reflect(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	out := make([]Item, len(in))
	for i, it := range in {
		info := typeInfo{namespace: "System", name: it.TypeName(), base: "System.Any"}
		if it.typ != nil {
			info.namespace, info.base = "FHIR", ""
			if it.typ.Base != nil {
				info.base = "FHIR." + it.typ.Base.Name
			}
		}
		out[i] = Item{value: info}
	}
	return out, nil
}
