// Package decimal is the decimal number of FHIR: exact, with the digits that
// were written (1.10 is not 1.1 when it comes to precision).
//
// It promises that parsing and printing a literal gives equal text unless it
// has an exponent, that comparison is exact, and that the ordered encoding
// sorts as the numbers do. It leaves rules of the data type to package validate.
package decimal

import (
	"fmt"

	"github.com/cockroachdb/apd/v3"
)

// maxDigits bounds coefficient and exponent, so that no literal can make arithmetic expensive.
const maxDigits = 1000

// maxLiteral is the length of 0.000…111…e-1000 with maxDigits zeros and maxDigits ones.
const maxLiteral = 2*maxDigits + 16

// Decimal is an immutable decimal number. The zero value is 0.
type Decimal struct{ d apd.Decimal }

// Parse reads a JSON number literal (also with a leading + or leading zeros).
// It refuses NaN, infinities and exponents beyond ±1000.
func Parse(s string) (Decimal, error) {
	var x Decimal
	if len(s) > maxLiteral { // before the work, which is more than proportional to the length
		return x, fmt.Errorf("decimal number out of range")
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c|0x20 != 'e' {
			return x, fmt.Errorf("not a decimal number")
		}
	}
	if _, _, err := x.d.SetString(s); err != nil {
		return Decimal{}, fmt.Errorf("not a decimal number")
	}
	if x.d.Form != apd.Finite || x.d.NumDigits() > maxDigits || x.d.Exponent > maxDigits || x.d.Exponent < -maxDigits {
		return Decimal{}, fmt.Errorf("decimal number out of range")
	}
	return x, nil
}

// FromInt returns n.
func FromInt(n int64) Decimal {
	var x Decimal
	x.d.SetInt64(n)
	return x
}

// String returns the number without exponent, with the digits it was written with.
func (x Decimal) String() string { return x.d.Text('f') }

// Cmp returns -1, 0 or 1 as x is less than, equal to or greater than y in value.
func (x Decimal) Cmp(y Decimal) int { return x.d.Cmp(&y.d) }

// Sign returns -1, 0 or 1.
func (x Decimal) Sign() int { return x.d.Sign() }

// Scale returns the number of digits after the point as written; negative for 1e3.
func (x Decimal) Scale() int { return -int(x.d.Exponent) }

// context computes exactly with numbers that Parse takes: from 10^(2·maxDigits)
// down to 10^-maxDigits there are three times maxDigits places.
var context = apd.BaseContext.WithPrecision(4 * maxDigits)

// Add returns x + y, exactly.
func (x Decimal) Add(y Decimal) Decimal {
	var z Decimal
	_, _ = context.Add(&z.d, &x.d, &y.d) // cannot trap: precision exceeds both operands
	return z
}

// Sub returns x - y, exactly.
func (x Decimal) Sub(y Decimal) Decimal {
	var z Decimal
	_, _ = context.Sub(&z.d, &x.d, &y.d) // cannot trap: precision exceeds both operands
	return z
}

// Mul returns x * y, exactly.
func (x Decimal) Mul(y Decimal) Decimal {
	var z Decimal
	_, _ = context.Mul(&z.d, &x.d, &y.d) // cannot trap: precision exceeds both operands
	return z
}

// HalfUnit returns half a unit in the last written place: 0.005 for 1.10
// (the implicit precision of a searched number, FHIR R4 search §3.1.1.4.11).
func (x Decimal) HalfUnit() Decimal {
	var h Decimal
	h.d.SetFinite(5, x.d.Exponent-1)
	return h
}

// Abs returns the absolute value.
func (x Decimal) Abs() Decimal {
	var z Decimal
	z.d.Abs(&x.d)
	return z
}

// AppendOrdered appends an encoding whose byte order is the numeric order;
// numbers equal in value have equal encodings. It is self-delimiting: none is a
// prefix of another's.
func (x Decimal) AppendOrdered(dst []byte) []byte {
	var r apd.Decimal
	r.Reduce(&x.d)
	switch {
	case r.IsZero():
		return append(dst, 0x80)
	case !r.Negative:
		dst = append(dst, 0x81)
	default:
		dst = append(dst, 0x7f)
	}
	start := len(dst)
	digits := r.Coeff.String()
	exp := int(r.Exponent) + len(digits) + 1<<14 // of 0.d₁d₂…; offset keeps it positive
	dst = append(dst, byte(exp>>8), byte(exp))
	for i := 0; i < len(digits); i += 2 { // two digits a byte, each pair + 1; 0 ends
		pair := (digits[i] - '0') * 10
		if i+1 < len(digits) {
			pair += digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	dst = append(dst, 0)
	if r.Negative {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}
