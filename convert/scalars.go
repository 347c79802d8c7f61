package convert

import (
	"time"

	"github.com/cockroachdb/apd/v3"
)

// Decimal is a number with the digits that a template wrote.
type Decimal = *apd.Decimal

// Time is an instant that a source's text was taken for.
type Time = time.Time
