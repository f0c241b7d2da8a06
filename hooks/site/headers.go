package site

import (
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const reportPath = "/api/v1/csp-reports"

// The four content security policies of the server. A policy belongs to a document, so they are told apart by path alone.
const (
	// documentPolicy allows our own files and nothing else: no inline script or style, no frame, no foreign origin, and no
	// string ever becomes markup or code (trusted types with no policy at all).
	documentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
		"font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'; report-uri " + reportPath + "; report-to csp"
	// apiPolicy is for answers that are data: should a browser show one as a page, nothing in it runs or loads.
	apiPolicy = "default-src 'none'; frame-ancestors 'none'"
	// filePolicy is for uploaded files, which are strangers' bytes on our origin.
	filePolicy = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
	// adminPolicy is what PocketBase's admin UI needs: inline styles, and pictures from memory. Its own default also names
	// map tiles and every port of 127.0.0.1, which nothing here uses.
	adminPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
		"connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
)

const (
	permissionsPolicy = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), " +
		"microphone=(), midi=(), payment=(), usb=()"
	// hstsValue keeps browsers on TLS for a year. Subdomains are left out: they belong to the operator's other services.
	hstsValue = "max-age=31536000"
)

// bindHeaders puts the security headers on every routed response and takes out PocketBase's smaller set, which would
// overwrite some of them with weaker values.
func bindHeaders(se *core.ServeEvent) {
	se.Router.Unbind(apis.DefaultSecurityHeadersMiddlewareId)
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{
		Id:       "siteSecurityHeaders",
		Priority: headersPriority,
		Func: func(e *core.RequestEvent) error {
			setSecurityHeaders(e.Response.Header(), e.Request.URL.Path, secureTransport(e.App, e.Request))
			return e.Next()
		},
	})
}

// wrapServer covers the few answers that Go's mux gives by itself before any route is chosen, such as the redirect of
// "//portal" to "/portal". There is no server in tests that build the mux on their own.
func wrapServer(se *core.ServeEvent) {
	if se.Server == nil || se.Server.Handler == nil {
		return
	}
	next, app := se.Server.Handler, se.App
	se.Server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header(), r.URL.Path, secureTransport(app, r))
		next.ServeHTTP(w, r)
	})
}

func setSecurityHeaders(h http.Header, path string, tls bool) {
	h.Set("Content-Security-Policy", policyFor(path))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", referrerPolicyFor(path))
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissionsPolicy)
	if tls {
		h.Set("Strict-Transport-Security", hstsValue)
	}
	switch {
	case isDocument(path):
		h.Set("Reporting-Endpoints", `csp="`+reportPath+`"`)
	case strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/api/files/"):
		// Answers of the API are personal; a handler that knows better sets its own value later.
		h.Set("Cache-Control", "no-store")
	}
}

func policyFor(path string) string {
	switch {
	case path == "/_" || strings.HasPrefix(path, "/_/"):
		return adminPolicy
	case strings.HasPrefix(path, "/api/files/"):
		return filePolicy
	case isDocument(path):
		return documentPolicy
	default:
		return apiPolicy
	}
}

func isDocument(path string) bool {
	return path != "/_" && !strings.HasPrefix(path, "/_/") &&
		!strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/webhooks/")
}

// referrerPolicyFor keeps the whole address away from other sites where it may hold a token (reset, verification) or where a
// payment page sends the browser back to.
func referrerPolicyFor(path string) string {
	for _, prefix := range []string{"/portal/reset", "/portal/verify", "/portal/orders/"} {
		if strings.HasPrefix(path, prefix) {
			return "no-referrer"
		}
	}
	return "strict-origin-when-cross-origin"
}

// secureTransport says whether the browser reached us over TLS: directly, or through the proxy named in the settings. The
// proxy's word is believed only when one is configured.
func secureTransport(app core.App, r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return len(app.Settings().TrustedProxy.Headers) > 0 && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
