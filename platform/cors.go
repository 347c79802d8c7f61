package platform

import (
	"net/http"

	"github.com/rs/cors"

	"salus/workspace"
)

// exposed are the headers of answers that a page of another origin may read
// besides those that every page may (Fetch standard §3.2.3).
var exposed = []string{
	"Content-Location", "ETag", "Items-Deleted", "Location", "Retry-After", "X-Correlation-Id", "X-Ms-Retry-After-Ms", "X-Progress", "X-Request-Id",
}

// crossOrigin lets pages of other origins use next as c says. It answers
// preflights itself, with 204.
//
// Compat: preflights are answered with 204 also where there is nothing, as the
// reference does.
func crossOrigin(c workspace.CORS, next http.Handler) http.Handler {
	if len(c.Origins) == 0 {
		return next
	}
	age := c.MaxAge
	if age == 0 {
		age = -1 // 0 would leave the header out, and browsers then keep the answer for some seconds
	}
	return cors.New(cors.Options{
		AllowedOrigins: c.Origins, AllowedMethods: c.Methods, AllowedHeaders: c.Headers,
		ExposedHeaders: exposed, MaxAge: age, AllowCredentials: c.Credentials,
	}).Handler(next)
}
