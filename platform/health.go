package platform

import (
	"context"
	"net/http"
	"time"

	"salus/fault"
)

// healthTimeout is how long a store may take to answer a health check.
const healthTimeout = 5 * time.Second

const (
	healthy   = "Healthy"
	degraded  = "Degraded"
	unhealthy = "Unhealthy"
)

// health is the answer to a health check, in the reference's shape.
type health struct {
	OverallStatus string         `json:"overallStatus"`
	Details       []healthDetail `json:"details"`
}

type healthDetail struct {
	Name        string         `json:"name"`
	Status      string         `json:"status"`
	Description string         `json:"description"`
	Data        map[string]any `json:"data"`
}

// writeHealth asks each of the services and answers 503 when one is unhealthy,
// otherwise 200. A service that cannot write for lack of space is degraded: it
// still answers reads.
func writeHealth(w http.ResponseWriter, r *http.Request, services []*service) error {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	h, status := health{OverallStatus: healthy, Details: []healthDetail{}}, http.StatusOK
	for _, s := range services {
		d := healthDetail{Name: s.workspace + "/" + s.name, Status: healthy, Description: "The store answers.", Data: map[string]any{}}
		if err := s.check(ctx); err != nil {
			d.Status, d.Description = unhealthy, "The store does not answer: "+fault.As(err).Message
			h.OverallStatus, status = unhealthy, http.StatusServiceUnavailable
		} else if s.full != nil && s.full() {
			d.Status, d.Description = degraded, "The disk is full: reads are served, writes are refused until there is space."
			if h.OverallStatus == healthy {
				h.OverallStatus = degraded
			}
		}
		h.Details = append(h.Details, d)
	}
	return writeJSON(w, status, h)
}
