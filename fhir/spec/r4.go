package spec

import (
	_ "embed"
	"fmt"
	"sync"
)

//go:generate go run ./gen -package ../../../shared/data/fhir/hl7.fhir.r4.core-4.0.1.tgz -out r4.bin

//go:embed r4.bin
var r4 []byte

var r4Once = sync.OnceValue(func() *Definitions {
	d, err := decode(r4)
	if err != nil {
		panic(fmt.Sprintf("the embedded definitions of FHIR R4: %v", err)) // a defect of the build
	}
	return d
})

// R4 returns the definitions of FHIR R4 (4.0.1). They are decoded at the first call.
func R4() *Definitions { return r4Once() }
