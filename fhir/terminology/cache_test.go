package terminology_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/spec"
	"salus/fhir/terminology"
)

// changing is a source whose definitions change. It counts how often one is read.
type changing struct {
	mu      sync.Mutex
	texts   map[string]string
	numbers map[string]int64
	reads   int
}

func (c *changing) set(url, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts == nil {
		c.texts, c.numbers = map[string]string{}, map[string]int64{}
	}
	c.texts[url] = text
	c.numbers[url]++
}

func (c *changing) Find(_ context.Context, t fhir.Type, url, _ string) (terminology.Definition, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.texts[string(t)+" "+url]
	if text == "" {
		return terminology.Definition{}, nil
	}
	is := terminology.Identity{Key: fhir.Key{Type: t, ID: fhir.ID(url)}, Number: c.numbers[string(t)+" "+url], Updated: time.Unix(1, 0)}
	return terminology.Definition{Identity: is, Read: func() (fhir.Node, error) {
		c.mu.Lock()
		c.reads++
		c.mu.Unlock()
		d, err := fhir.Parse([]byte(text))
		if err != nil {
			return fhir.Node{}, err
		}
		return d.Root(), nil
	}}, nil
}

func TestExpand_KeepsAnswersUntilSomethingTheyWereMadeOfChanges(t *testing.T) {
	t.Parallel()
	source := &changing{}
	e := terminology.New(source, spec.R4())
	expect := func(want string, reads int) {
		t.Helper()
		source.reads = 0
		codes, err := e.Expand(t.Context(), "outer")
		if got := show(codes); err != nil || got != want || source.reads != reads {
			t.Errorf("%q, %v with %d definitions read; want %q with %d", got, err, source.reads, want, reads)
		}
	}
	source.set("ValueSet outer", valueSet(`"include":[{"valueSet":["inner"]}]`))
	source.set("ValueSet inner", valueSet(`"include":[{"system":"sys"}]`))
	source.set("CodeSystem sys", codeSystem(`"concept":[{"code":"a"}]`))
	expect("a", 3)
	expect("a", 0)
	source.set("CodeSystem sys", codeSystem(`"concept":[{"code":"a"},{"code":"b"}]`))
	expect("a b", 3)
	source.set("ValueSet inner", valueSet(`"include":[{"system":"sys","concept":[{"code":"c"}]}]`))
	expect("c", 2)
	source.set("ValueSet outer", valueSet(`"include":[{"system":"sys"}]`))
	expect("a b", 1) // the code system is known
	source.set("ValueSet outer", "")
	if _, err := e.Expand(t.Context(), "outer"); err == nil {
		t.Error("a value set that is gone has codes")
	}
}

// One of FHIR's own value sets gives way to one that is stored under its URL.
func TestExpand_SeesADefinitionThatTakesThePlaceOfFHIRs(t *testing.T) {
	t.Parallel()
	const gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
	source := &changing{}
	e := terminology.New(source, spec.R4())
	if codes, err := e.Expand(t.Context(), gender); err != nil || len(codes) != 4 {
		t.Fatal(codes, err)
	}
	source.set("ValueSet "+gender, valueSet(`"include":[{"system":"s","concept":[{"code":"x"}]}]`))
	if codes, err := e.Expand(t.Context(), gender); err != nil || show(codes) != "s|x" {
		t.Error(codes, err)
	}
}

func TestSubsumed_ReadsACodeSystemOnce(t *testing.T) {
	t.Parallel()
	source := &changing{}
	source.set("CodeSystem sys", codeSystem(`"concept":[{"code":"a","concept":[{"code":"b"},{"code":"c"}]}]`))
	e := terminology.New(source, spec.R4())
	for code, want := range map[string]string{"a": "a b c", "b": "b", "c": "c"} {
		if codes, err := e.Subsumed(t.Context(), "sys", code, false); err != nil || show(codes) != want {
			t.Errorf("%s: %v, %v", code, codes, err)
		}
	}
	if source.reads != 1 {
		t.Errorf("read %d times", source.reads)
	}
}

// More is asked than can be kept, by many at once.
func TestEngine_IsBoundedAndConcurrent(t *testing.T) {
	t.Parallel()
	source := &changing{}
	for i := range 30 {
		source.set(fmt.Sprintf("ValueSet v%d", i), valueSet(fmt.Sprintf(`"include":[{"system":"s%d"}]`, i)))
		source.set(fmt.Sprintf("CodeSystem s%d", i), codeSystem(`"concept":[`+many(2000)+`]`))
	}
	e := terminology.New(source, spec.R4())
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 30 {
				codes, err := e.Expand(t.Context(), fmt.Sprintf("v%d", (i+n)%30))
				if err != nil || len(codes) != 2000 || codes[0].System != fmt.Sprintf("s%d", (i+n)%30) {
					t.Errorf("v%d: %d codes, %v", i, len(codes), err)
				}
			}
		})
	}
	all.Wait()
	if w := e.Kept(); w > 200_000 || w < 100_000 {
		t.Errorf("%d kept", w)
	}
}
