package platform

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"

	"salus/fault"
)

// flushTimeout is how long the last spans may take to be sent at the end.
const flushTimeout = 5 * time.Second

// trace puts spans around next's requests when an endpoint is configured. The
// returned function sends what is left and ends the exporter. Parents are taken
// from the traceparent header (W3C Trace Context).
func trace(ctx context.Context, cfg Config, next http.Handler) (http.Handler, func() error, error) {
	if cfg.Traces == "" {
		return next, func() error { return nil }, nil
	}
	u, err := url.JoinPath(cfg.Traces, "v1/traces") // as of OTEL_EXPORTER_OTLP_ENDPOINT (OTLP exporter specification)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the endpoint of traces is no URL")
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u))
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "traces cannot be sent to the endpoint")
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(
		resource.NewSchemaless(semconv.ServiceName("salus"), semconv.ServiceVersion(cfg.Version))))
	h := otelhttp.NewHandler(next, "request",
		otelhttp.WithTracerProvider(provider), otelhttp.WithPropagators(propagation.TraceContext{}))
	flush := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			cfg.Logger.Warn("the last traces were not sent", "error", err)
		}
		return nil
	}
	return h, flush, nil
}
