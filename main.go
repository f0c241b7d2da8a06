// Command ezscale sells, bills, provisions and supports hosting: one binary with
// a data directory. This file puts the parts together and decides nothing.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/cmd"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/integrations/enhance"
	"github.com/ezscale/ezscale/integrations/manual"
	"github.com/ezscale/ezscale/integrations/paypal"
	"github.com/ezscale/ezscale/integrations/pterodactyl"
	"github.com/ezscale/ezscale/integrations/stripe"
	"github.com/ezscale/ezscale/integrations/synergycp"
	"github.com/ezscale/ezscale/integrations/vies"
	"github.com/ezscale/ezscale/integrations/virtfusion"
	"github.com/ezscale/ezscale/internal/sqlite"

	_ "github.com/ezscale/ezscale/pb_migrations"
)

// version is set by the build of a release.
var version = "development"

//go:embed all:pb_public
var embedded embed.FS

func main() {
	err := run()
	if err == nil {
		return
	}
	end := exit{1, err}
	_ = errors.As(err, &end)
	if end.err != nil {
		fmt.Fprintln(os.Stderr, "ezscale: "+end.err.Error())
	}
	os.Exit(end.status)
}

// exit ends the process with a status; without an error there is nothing more to
// say.
type exit struct {
	status int
	err    error
}

// Error is the error's text, or the status.
func (e exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

// Unwrap is what went wrong.
func (e exit) Unwrap() error { return e.err }

func run() error {
	dir, cleanUp, err := defaultDir(os.Args[1:])
	if err != nil {
		return err
	}
	defer cleanUp()
	app := pocketbase.NewWithConfig(pocketbase.Config{HideStartBanner: true, DefaultDataDir: dir, DBConnect: connect})
	app.RootCmd.Use, app.RootCmd.Version = "ezscale", version
	app.RootCmd.Short = "Sells, bills, provisions and supports hosting from one binary"
	app.RootCmd.AddCommand(serveCommand(app), demoCommand(app), simulateCommand(app), auditCommand(app), cmd.NewSuperuserCommand(app))
	app.RootCmd.SetContext(context.Background())
	if c, _, err := app.RootCmd.Find(os.Args[1:]); err == nil && (c.Name() == "simulate" || c.Name() == "audit") {
		return app.RootCmd.Execute() // they open databases by themselves
	}
	return app.Execute()
}

// compose builds every part once, from the configuration, and binds them all.
func compose(app *pocketbase.PocketBase, cfg config) error {
	public, err := fs.Sub(embedded, "pb_public")
	if err != nil {
		return fmt.Errorf("embedded files: %w", err)
	}
	return hooks.Register(app, hooks.Deps{
		Now: time.Now, Sealer: cfg.sealer, LinkKey: cfg.linkKey, Public: public, Demo: cfg.demo, SQLConsole: cfg.sqlConsole,
		Gateways: map[string]payments.Factory{
			"stripe": func(s payments.Settings) (billing.Gateway, error) {
				return stripe.New(stripe.Config{SecretKey: s.SecretKey, WebhookSecret: s.WebhookSecret, APIURL: s.APIURL, Now: time.Now}, nil)
			},
			"paypal": func(s payments.Settings) (billing.Gateway, error) {
				return paypal.New(paypal.Config{
					ClientID: s.ClientID, Secret: s.SecretKey, WebhookID: s.WebhookSecret, APIURL: s.APIURL, Sandbox: s.Test, CertAuthority: s.CertAuthority, Now: time.Now,
				}, nil)
			},
		},
		GatewayOverride: cfg.gateways,
		Platforms: map[string]provisioning.Factory{
			"manual": func(provisioning.Settings) (any, error) { return manual.New(), nil },
			"virtfusion": func(s provisioning.Settings) (any, error) {
				extra, err := panelExtra(s.Extra)
				if err != nil {
					return nil, err
				}
				return virtfusion.New(virtfusion.Config{BaseURL: s.URL, Token: s.Token, RelationPrefix: extra.RelationPrefix, Settle: extra.settle(), Now: time.Now}, nil)
			},
			"pterodactyl": func(s provisioning.Settings) (any, error) {
				extra, err := panelExtra(s.Extra)
				if err != nil {
					return nil, err
				}
				application, client, err := pterodactyl.ParseKeys(s.Token)
				if err != nil {
					return nil, err
				}
				return pterodactyl.New(pterodactyl.Config{
					BaseURL: s.URL, ApplicationKey: application, ClientKey: client, RelationPrefix: extra.RelationPrefix, Settle: extra.settle(), Now: time.Now,
				}, nil)
			},
			"synergycp": func(s provisioning.Settings) (any, error) {
				extra, err := hardwareExtra(s.Extra)
				if err != nil {
					return nil, err
				}
				return synergycp.New(synergycp.Config{
					BaseURL: s.URL, Key: s.Token, RelationPrefix: extra.RelationPrefix, WipeOnTerminate: extra.WipeOnTerminate, Settle: extra.settle(), Now: time.Now,
				}, nil)
			},
			"enhance": func(s provisioning.Settings) (any, error) {
				extra, err := panelExtra(s.Extra)
				if err != nil {
					return nil, err
				}
				return enhance.New(enhance.Config{BaseURL: s.URL, Token: s.Token, RelationPrefix: extra.RelationPrefix, Settle: extra.settle(), Now: time.Now}, nil)
			},
		},
		PlatformOverride: cfg.platforms,
		VATRegister: func(requester string) (tax.IDChecker, error) {
			return vies.New(vies.Config{BaseURL: cfg.viesURL, Requester: requester}, nil)
		},
	})
}

// connect opens a database as PocketBase does, but waits for the disk at each
// commit of the data: a payment that was acknowledged survives a power cut.
// Recursive triggers make REPLACE fire the triggers that forbid deletion. The
// journal is worked off every 16 MB: bursts of writes touch the same pages again
// and again, which are then written home once.
func connect(path string) (*dbx.DB, error) {
	return sqlite.Open(path, sqlite.Options{Synchronous: durability(path), CacheKiB: 32000, Checkpoint: 4000})
}
