package platform

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"salus/fhir/store/lsm"
)

// measured is what a store may offer besides its port.
type measured interface{ Stats() lsm.Stats }

// storeCollector tells Prometheus about the stores when it asks.
type storeCollector struct{ services []*service }

var resourcesDesc = storeDesc("salus_store_resources", "Current resources.", "type")

// storeReadings are the figures of a measured store.
var storeReadings = []struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(lsm.Stats) float64
}{
	{storeDesc("salus_store_commits_total", "Groups of writes committed together."), prometheus.CounterValue,
		func(s lsm.Stats) float64 { return float64(s.Commits) }},
	{storeDesc("salus_store_writes_total", "Writes committed."), prometheus.CounterValue,
		func(s lsm.Stats) float64 { return float64(s.Writes) }},
	{storeDesc("salus_store_versions_total", "Versions of resources written."), prometheus.CounterValue,
		func(s lsm.Stats) float64 { return float64(s.Versions) }},
	{storeDesc("salus_store_syncs_total", "Times that the log was forced to disk."), prometheus.CounterValue,
		func(s lsm.Stats) float64 { return float64(s.Syncs) }},
	{storeDesc("salus_store_disk_bytes", "Space taken on disk."), prometheus.GaugeValue,
		func(s lsm.Stats) float64 { return float64(s.Bytes) }},
}

func storeDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"workspace", "service"}, labels...), nil)
}

// Describe implements prometheus.Collector.
func (c storeCollector) Describe(out chan<- *prometheus.Desc) {
	out <- resourcesDesc
	for _, r := range storeReadings {
		out <- r.desc
	}
}

// Collect implements prometheus.Collector.
func (c storeCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	for _, s := range c.services {
		if s.store == nil {
			continue
		}
		counts, err := s.store.Count(ctx)
		if err != nil {
			out <- prometheus.NewInvalidMetric(resourcesDesc, err)
			continue
		}
		for typ, n := range counts {
			out <- prometheus.MustNewConstMetric(resourcesDesc, prometheus.GaugeValue, float64(n), s.workspace, s.name, string(typ))
		}
		m, ok := s.store.(measured)
		if !ok {
			continue
		}
		stats := m.Stats()
		for _, r := range storeReadings {
			out <- prometheus.MustNewConstMetric(r.desc, r.kind, r.of(stats), s.workspace, s.name)
		}
	}
}
