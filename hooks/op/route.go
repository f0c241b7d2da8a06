package op

import (
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
)

// problemPriority puts the translation of errors outside every other
// middleware, so that limits and recovered panics answer as problems too.
const problemPriority = -1_000_000

// Bind puts all operations on the router. Call it once, after all subjects have
// added theirs.
func (t *Table) Bind(se *core.ServeEvent) {
	Add(t, Spec{ID: "api.describe", Method: http.MethodGet, Path: "/api/v1/openapi.json", Access: Public, Summary: "This interface as an OpenAPI 3.1 document"},
		func(*Request, None) (map[string]any, error) { return t.OpenAPI(), nil })
	Add(t, Spec{ID: "staff.permissions", Method: http.MethodGet, Path: "/api/v1/staff/permissions", Access: Staff, Summary: "Who may call which operation"},
		func(*Request, None) ([]Permission, error) { return t.Matrix(), nil })
	for _, o := range t.ops {
		route := se.Router.Route(o.Method, o.Path, func(e *core.RequestEvent) error {
			r := &Request{RequestEvent: e, Op: o, now: t.now}
			if err := o.admit(r); err != nil {
				return err
			}
			return o.serve(r)
		})
		route.Bind(problems(), apis.BodyLimit(o.maxBody()), apis.SkipSuccessActivityLog())
	}
	// Everything else below our prefix answers as a problem, too.
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		se.Router.Route(method, "/api/v1/{rest...}", func(*core.RequestEvent) error { return NotFound() }).Bind(problems())
	}
}

func problems() *hook.Handler[*core.RequestEvent] {
	return &hook.Handler[*core.RequestEvent]{Id: "ezscaleProblems", Priority: problemPriority, Func: func(e *core.RequestEvent) error {
		if err := e.Next(); err != nil {
			return answer(e, err)
		}
		return nil
	}}
}

// admit refuses callers that the operation is not for.
func (o *Op) admit(r *Request) error {
	switch o.Access {
	case Public, Gateway, Signed:
		return nil
	case Customer:
		if r.Auth == nil {
			return NewProblem(http.StatusUnauthorized, "unauthorized", "Please sign in.")
		}
		if r.Auth.Collection().Name != collections.Users {
			return NewProblem(http.StatusForbidden, "forbidden", "This is for customers; staff work in the admin area.")
		}
		if r.Auth.GetString("status") != "active" {
			return NewProblem(http.StatusForbidden, "account_closed", "This account is not active. Please contact support.")
		}
		return nil
	case Staff:
		if r.Auth == nil {
			return NewProblem(http.StatusUnauthorized, "unauthorized", "Please sign in.")
		}
		if !r.Auth.IsSuperuser() {
			return NewProblem(http.StatusForbidden, "forbidden", "This is for staff.")
		}
		return nil
	}
	return NewProblem(http.StatusForbidden, "forbidden", "Nobody may do this.")
}
