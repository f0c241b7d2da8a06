package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"os"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"

	"github.com/ezscale/ezscale/collections"
)

// serveFlags are the command line of serve.
type serveFlags struct {
	http, https string
	origins     []string
	sqlConsole  bool
}

func serveCommand(app *pocketbase.PocketBase) *cobra.Command {
	flags := serveFlags{}
	c := &cobra.Command{
		Use: "serve [domain(s)]", Short: "Serves the product (on 127.0.0.1:8090 unless a domain or address is given)",
		Args: cobra.ArbitraryArgs, SilenceUsage: true,
		RunE: func(_ *cobra.Command, domains []string) error {
			if err := lockDir(app.DataDir()); err != nil {
				return err
			}
			cfg, err := readConfig(app.DataDir(), os.Getenv)
			if err != nil {
				return err
			}
			cfg.sqlConsole = flags.sqlConsole
			if err := compose(app, cfg); err != nil {
				return err
			}
			return listen(app, cfg, flags, domains)
		},
	}
	c.Flags().StringVar(&flags.http, "http", "", "address of the HTTP server (0.0.0.0:80 with a domain, else 127.0.0.1:8090)")
	c.Flags().StringVar(&flags.https, "https", "", "address of the HTTPS server (0.0.0.0:443 with a domain, else none)")
	c.Flags().StringSliceVar(&flags.origins, "origins", nil, "other origins whose pages may call the API (none unless given)")
	c.Flags().BoolVar(&flags.sqlConsole, "sql-console", false, "open the SQL console to superusers: it passes every rule that keeps the books true")
	return c
}

// listen serves until the process is asked to stop.
func listen(app *pocketbase.PocketBase, cfg config, flags serveFlags, domains []string) error {
	if flags.http == "" {
		flags.http = "127.0.0.1:8090"
		if len(domains) > 0 {
			flags.http = "0.0.0.0:80"
		}
	}
	if flags.https == "" && len(domains) > 0 {
		flags.https = "0.0.0.0:443"
	}
	url := publicURL(cfg, flags, domains)
	if len(flags.origins) == 0 {
		flags.origins = []string{url} // ours alone: PocketBase reads an empty list as "everybody"
	}
	configure(app, cfg, url)
	fmt.Printf("EZSCALE is starting on %s\n├─ portal: %s/portal/\n└─ staff:  %s/_/\n", url, url, url)
	err := apis.Serve(app, apis.ServeConfig{HttpAddr: flags.http, HttpsAddr: flags.https, CertificateDomains: domains, AllowedOrigins: flags.origins})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func publicURL(cfg config, flags serveFlags, domains []string) string {
	switch {
	case cfg.publicURL != "":
		return cfg.publicURL
	case len(domains) > 0:
		return "https://" + domains[0]
	case flags.https != "":
		return "https://" + flags.https
	}
	return "http://" + flags.http
}

// configure applies the environment after the migrations ran and before the
// first request. The settings apply in memory: what staff saved stays saved.
func configure(app *pocketbase.PocketBase, cfg config, url string) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "ezscaleConfigure", Priority: -1000, Func: func(e *core.ServeEvent) error {
		if err := applyEnvironment(e.App, cfg, url); err != nil {
			return err
		}
		return e.Next()
	}})
	app.OnSettingsReload().Bind(&hook.Handler[*core.SettingsReloadEvent]{Id: "ezscaleConfigure", Func: func(e *core.SettingsReloadEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return applySettings(e.App, cfg, url)
	}})
}

// platformNames are those of platforms that come from the environment.
var platformNames = map[string]string{"virtfusion": "VirtFusion", "pterodactyl": "Pterodactyl", "synergycp": "SynergyCP", "enhance": "Enhance"}

func applyEnvironment(app core.App, cfg config, url string) error {
	if err := applySettings(app, cfg, url); err != nil {
		return err
	}
	for kind := range cfg.gateways {
		as := map[string]map[string]any{"stripe": {"label": "Card", "position": 10}, "paypal": {"label": "PayPal", "position": 20}}[kind]
		as["kind"], as["enabled"] = kind, true
		if err := ensure(app, collections.Gateways, kind, as); err != nil {
			return err
		}
	}
	for kind := range cfg.platforms {
		if err := ensure(app, collections.Platforms, kind, map[string]any{"kind": kind, "name": platformNames[kind], "enabled": true}); err != nil {
			return err
		}
	}
	return nil
}

// applySettings puts what the environment says over the stored settings.
func applySettings(app core.App, cfg config, url string) error {
	s := app.Settings()
	s.Meta.AppURL = url
	if cfg.smtp != nil {
		s.SMTP = *cfg.smtp
	}
	if cfg.mailFrom != "" {
		from, err := mail.ParseAddress(cfg.mailFrom)
		if err != nil {
			return fmt.Errorf("MAIL_FROM: %w", err)
		}
		s.Meta.SenderAddress = from.Address
		s.Meta.SenderName = first(from.Name, s.Meta.SenderName)
	}
	return nil
}

// ensure creates the record of a vendor that only the environment knows.
func ensure(app core.App, collection, kind string, values map[string]any) error {
	known, err := collections.First(app, collection, dbx.HashExp{"kind": kind})
	if err != nil || known != nil {
		return err
	}
	_, err = collections.Insert(app, collection, values)
	return err
}
