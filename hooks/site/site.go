// Package site answers with everything a browser loads as a document or an asset: the portal's HTML shell, the versioned files of
// pb_public, the icons and robots.txt. It also owns the security headers of every response of the server, the API's and the
// admin UI's included, and collects the reports browsers send when a content security policy is violated. It knows nothing of
// customers, orders or services: pages get those from the API.
package site

import (
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what Register needs from the composition root.
type Deps struct {
	// Public is the tree of pb_public. It is read once, at Register.
	Public fs.FS
	// Now is the clock of the report limiter; required.
	Now func() time.Time
	// BrandName returns the name shown in titles and in the portal's header; it is asked on each page load, so a changed
	// setting shows at the next one. It defaults to "EZSCALE".
	BrandName func() string
	// SupportEmail returns the address named where the portal cannot help by itself: without scripts, without a connection.
	// It defaults to none.
	SupportEmail func() string
	// Demo marks every page as a demonstration with invented vendors.
	Demo bool
}

// Priorities of what Register binds. Headers come before all of PocketBase's own middlewares, so that refusals by any of them
// (rate limit, body limit, panic recovery) carry them too.
const (
	headersPriority = apis.DefaultWWWRedirectMiddlewarePriority - 1
	servePriority   = -100
)

// Register reads and hashes the public tree and binds routes and middlewares when the server starts. It returns an error when
// the tree lacks a file the shell needs or when the page table in js/routes.js cannot be read.
func Register(app core.App, table *op.Table, deps Deps) error {
	deps = deps.withDefaults()
	files, err := loadTree(deps.Public)
	if err != nil {
		return fmt.Errorf("load public files: %w", err)
	}
	shell, err := newShell(files, deps)
	if err != nil {
		return fmt.Errorf("prepare portal pages: %w", err)
	}
	reports := newReportSink(deps.Now)
	op.AddRaw(table, op.Spec{
		ID: "csp.report", Method: http.MethodPost, Path: "/api/v1/csp-reports", Access: op.Public, Status: http.StatusNoContent, MaxBody: maxReportBytes,
		Summary: "What browsers report of violations of our content policy",
	}, func(r *op.Request) error { return reports.serve(r.RequestEvent) })

	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Id:       "siteRoutes",
		Priority: servePriority,
		Func: func(se *core.ServeEvent) error {
			bindHeaders(se)
			bindRoutes(se, files, shell)
			if err := se.Next(); err != nil {
				return err
			}
			wrapServer(se)
			return nil
		},
	})
	return nil
}

func bindRoutes(se *core.ServeEvent, files *tree, shell *shell) {
	quiet := apis.SkipSuccessActivityLog()
	se.Router.GET("/{$}", func(e *core.RequestEvent) error {
		e.Response.Header().Set("Cache-Control", "no-cache")
		return e.Redirect(http.StatusFound, "/portal/order")
	})
	se.Router.GET("/portal", func(e *core.RequestEvent) error {
		return e.Redirect(http.StatusMovedPermanently, "/portal/")
	})
	se.Router.GET("/portal/{path...}", shell.serve).Bind(quiet)
	se.Router.GET("/a/{hash}/{path...}", files.serveVersioned).Bind(quiet)
	for _, name := range []string{"favicon.ico", "robots.txt"} {
		se.Router.GET("/"+name, files.serveNamed(name)).Bind(quiet)
	}
}

func (d Deps) withDefaults() Deps {
	if d.BrandName == nil {
		d.BrandName = func() string { return "EZSCALE" }
	}
	if d.SupportEmail == nil {
		d.SupportEmail = func() string { return "" }
	}
	return d
}
