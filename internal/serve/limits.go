package serve

import (
	"context"
	"net/http"
	"strings"

	"salus/fault"
)

// Limits bound what a request may say before its body. What is zero is not
// bounded here; net/http has its own limit on both together, beyond which it
// answers by itself and in plain text.
type Limits struct {
	URL     int // bytes of the request target
	Headers int // bytes of all header fields with their names
}

// Audit headers are what a caller may add to the record of a request.
//
// Compat: ten headers X-MS-AZUREFHIR-AUDIT-* are taken, of 2,048 characters each, as
// the reference does.
const (
	auditPrefix   = "X-Ms-Azurefhir-Audit-" // X-MS-AZUREFHIR-AUDIT- as net/http spells it
	maxAudit      = 10
	maxAuditValue = 2048
)

// check returns a fault of kind URITooLong or HeadersTooLarge when r is over a
// limit, and otherwise the fields for its audit record: by name in lower case,
// values of a repeated header joined by commas.
func (l Limits) check(r *http.Request) (map[string]string, error) {
	if l.URL > 0 && len(r.RequestURI) > l.URL {
		return nil, fault.New(fault.URITooLong, "the URL is longer than the limit of %d bytes; a long search can be sent as POST to _search", l.URL)
	}
	size := 0
	var audit map[string]string
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
		if !strings.HasPrefix(name, auditPrefix) {
			continue
		}
		value := strings.Join(values, ",")
		if len(value) > maxAuditValue {
			return nil, fault.New(fault.HeadersTooLarge, "a header of X-MS-AZUREFHIR-AUDIT- is longer than the limit of %d characters", maxAuditValue)
		}
		if audit == nil {
			audit = make(map[string]string, 1)
		}
		audit[strings.ToLower(name)] = value
	}
	if l.Headers > 0 && size > l.Headers {
		return nil, fault.New(fault.HeadersTooLarge, "the header fields are larger than the limit of %d bytes", l.Headers)
	}
	if len(audit) > maxAudit {
		return nil, fault.New(fault.HeadersTooLarge, "there are more than %d headers of X-MS-AZUREFHIR-AUDIT-", maxAudit)
	}
	return audit, nil
}

// AuditFields returns what the caller wants to stand in the audit record of the
// request: the headers that begin with X-MS-AZUREFHIR-AUDIT-, by their names in
// lower case. They may hold anything and stay out of logs. The map is not to be changed.
func AuditFields(ctx context.Context) map[string]string { return infoOf(ctx).audit }
