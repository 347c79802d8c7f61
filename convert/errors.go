package convert

import (
	"errors"
	"fmt"
)

// Code is a number that tells clients what went wrong. Numbers and names are the reference service's.
type Code int

// The codes.
const (
	TemplateFolderNotFound       Code = 1101
	TemplateLoadingError         Code = 1102
	InvalidCodeMapping           Code = 1103
	TemplateSyntaxError          Code = 1104
	InvalidJSONSchema            Code = 1105
	TemplateDataMismatch         Code = 1106
	InputParsingError            Code = 1201
	NullOrWhiteSpaceInput        Code = 1202
	InvalidHL7v2Message          Code = 1203
	MissingHL7v2Separators       Code = 1204
	DuplicateHL7v2Separators     Code = 1205
	InvalidHL7v2EscapeCharacter  Code = 1206
	InvalidHexadecimalNumber     Code = 1207
	TemplateRenderingError       Code = 1301
	PropertyNotFound             Code = 1302
	NullOrEmptyRootTemplate      Code = 1303
	NullTemplateProvider         Code = 1304
	TemplateNotFound             Code = 1305
	TimeoutError                 Code = 1306
	InvalidDateTimeFormat        Code = 1307
	InvalidIDGenerationInput     Code = 1308
	InvalidTimeZoneHandling      Code = 1309
	InvalidMergeDiffBlockContent Code = 1310
	InvalidInputOfMergeDiffBlock Code = 1311
	InvalidValidateBlockContent  Code = 1312
	UnmatchedValidateBlock       Code = 1313
	JSONParsingError             Code = 1401
	JSONMergingError             Code = 1402
	TraceInfoError               Code = 1403
)

// Error says what is wrong with a source or a template, and where. Its text has names, places and rules, and nothing of the source's values.
type Error struct {
	Code     Code
	Template string // that was rendered or compiled; empty if none
	Line     int    // of the template, from 1; 0 if none
	Rule     string
	Cause    error
}

// Errorf makes an error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Rule: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d: %s", int(e.Code), e.Rule)
	if e.Line > 0 {
		text = fmt.Sprintf("%s, line %d: %s", e.Template, e.Line, text)
	} else if e.Template != "" {
		text = e.Template + ": " + text
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether err, or one that it wraps, has a code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// At returns err with the place in a template, unless it has one already. Errors of other types become errors of rendering.
func At(err error, template string, line int) error {
	var e *Error
	if !errors.As(err, &e) {
		return &Error{Code: TemplateRenderingError, Template: template, Line: line, Rule: "rendering failed", Cause: err}
	}
	if e.Line > 0 {
		return err
	}
	placed := *e
	placed.Template, placed.Line = template, line
	return &placed
}
