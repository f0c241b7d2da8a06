package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"

	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
	"github.com/ezscale/ezscale/integrations/sandbox/viesbox"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

// The sandbox vendors' keys. They open nothing but the sandbox.
const (
	demoStripeKey     = "sk_test_ezscale_demo"
	demoWebhookSecret = "whsec_ezscale_demo"
	demoPanelToken    = "ezscale-demo-panel-token"
	demoGamesKeys     = "ptla_ezscaledemoapplication ptlc_ezscaledemoclient"
	demoHardwareKey   = "ezscale-demo-integration-key"
	demoHostingToken  = "ezscale-demo-hosting-token"
	demoPayPalID      = "AZezscaleDemoClient"
	demoPayPalSecret  = "EHezscaleDemoSecret"
	demoPayPalWebhook = "8PT597110X687430L"
)

func demoCommand(app *pocketbase.PocketBase) *cobra.Command {
	flags := serveFlags{}
	sandboxAddr := ""
	c := &cobra.Command{
		Use: "demo", Short: "Serves a demonstration with sandbox vendors, a seeded catalog and two accounts",
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), app, flags, sandboxAddr)
		},
	}
	c.Flags().StringVar(&flags.http, "http", "127.0.0.1:8090", "address of the product; port 0 chooses a free one")
	c.Flags().StringVar(&sandboxAddr, "sandbox-http", "127.0.0.1:8191", "address of the sandbox Stripe; VirtFusion, mail, VIES, PayPal, Pterodactyl, SynergyCP and Enhance follow on the next ports; port 0 chooses free ones")
	return c
}

// defaultDir is where the data go when --dir is absent: a directory of its own
// for each demo and simulation, removed at its end, and otherwise PocketBase's
// choice, "".
func defaultDir(args []string) (dir string, cleanUp func(), err error) {
	if len(args) == 0 || args[0] != "demo" && args[0] != "simulate" {
		return "", func() {}, nil
	}
	dir, err = os.MkdirTemp("", "ezscale-"+args[0]+"-")
	if err != nil {
		return "", nil, fmt.Errorf("%s directory: %w", args[0], err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

// demoKey is a sealing key for as long as the demo runs: its data are thrown
// away, or never opened again.
func demoKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, by its documentation
	return hex.EncodeToString(key)
}

// vendors are the sandbox vendors of a demo and where they listen.
type vendors struct {
	stripe   *stripebox.Box
	panel    *virtbox.Box
	mail     *mailbox.Box
	vies     *viesbox.Box
	paypal   *paypalbox.Box
	games    *pterobox.Box
	hardware *synergybox.Box
	hosting  *enhancebox.Box

	stripeURL, panelURL, mailURL, viesURL, paypalURL, gamesURL, hardwareURL, hostingURL string
	smtpPort                                                                            int
}

func demo(ctx context.Context, app *pocketbase.PocketBase, flags serveFlags, sandboxAddr string) error {
	if err := lockDir(app.DataDir()); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", flags.http)
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	flags.http = listener.Addr().String()
	site := "http://" + flags.http
	v, err := startVendors(ctx, sandboxAddr, site)
	if err != nil {
		return err
	}
	cfg, err := readConfig(app.DataDir(), func(name string) string {
		if name != "EZSCALE_KEY" {
			return "" // the demo talks to nobody but its sandbox
		}
		return first(os.Getenv(name), demoKey())
	})
	if err != nil {
		return err
	}
	cfg.demo, cfg.publicURL, cfg.mailFrom = true, site, "Hosting Demo <billing@demo.example>"
	cfg.gateways["stripe"] = payments.Settings{SecretKey: demoStripeKey, WebhookSecret: demoWebhookSecret, APIURL: v.stripeURL}
	cfg.gateways["paypal"] = payments.Settings{
		ClientID: demoPayPalID, SecretKey: demoPayPalSecret, WebhookSecret: demoPayPalWebhook, APIURL: v.paypalURL, CertAuthority: paypalbox.Authority(),
	}
	cfg.platforms["virtfusion"] = provisioning.Settings{URL: v.panelURL, Token: demoPanelToken}
	cfg.platforms["pterodactyl"] = provisioning.Settings{URL: v.gamesURL, Token: demoGamesKeys}
	cfg.platforms["synergycp"] = provisioning.Settings{URL: v.hardwareURL, Token: demoHardwareKey}
	cfg.platforms["enhance"] = provisioning.Settings{URL: v.hostingURL, Token: demoHostingToken + " " + enhancebox.SellerID}
	cfg.viesURL = v.viesURL + "/taxation_customs/vies/rest-api"
	cfg.smtp = &core.SMTPConfig{Enabled: true, Host: "127.0.0.1", Port: v.smtpPort}
	if err := compose(app, cfg); err != nil { //nolint:contextcheck // the queue lives until OnTerminate, not until this call ends
		return err
	}
	d := &demonstration{app: app, vendors: v, site: site, dir: app.DataDir()}
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "ezscaleDemo", Priority: 900, Func: func(e *core.ServeEvent) error {
		e.Listener, e.InstallerFunc = listener, nil
		if err := d.seed(e.App); err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			return err
		}
		go d.finish(ctx)
		return nil
	}})
	return listen(app, cfg, flags, nil)
}

// startVendors opens the sandbox vendors on loopback.
func startVendors(ctx context.Context, addr, site string) (*vendors, error) {
	v := &vendors{}
	listeners, err := ports(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("--sandbox-http: %w", err)
	}
	for i, url := range []*string{&v.stripeURL, &v.panelURL, &v.mailURL, &v.viesURL, &v.paypalURL, &v.gamesURL, &v.hardwareURL, &v.hostingURL} {
		*url = "http://" + listeners[i].Addr().String()
	}
	v.stripe = stripebox.New(stripebox.Options{
		Now: time.Now, SecretKey: demoStripeKey, WebhookURL: site + "/webhooks/stripe", WebhookSecret: demoWebhookSecret, PublicURL: v.stripeURL,
	})
	v.paypal = paypalbox.New(paypalbox.Options{
		Now: time.Now, ClientID: demoPayPalID, Secret: demoPayPalSecret, WebhookURL: site + "/webhooks/paypal", WebhookID: demoPayPalWebhook, PublicURL: v.paypalURL,
	})
	v.panel = virtbox.New(virtbox.Options{Token: demoPanelToken, Now: time.Now, BuildTime: 4 * time.Second, TaskTime: 500 * time.Millisecond, PanelURL: v.panelURL})
	application, client, _ := strings.Cut(demoGamesKeys, " ")
	v.games = pterobox.New(pterobox.Options{ApplicationKey: application, ClientKey: client, Now: time.Now, BuildTime: 4 * time.Second, TaskTime: 500 * time.Millisecond, PanelURL: v.gamesURL})
	v.hardware = synergybox.New(synergybox.Options{Key: demoHardwareKey, Now: time.Now, BuildTime: 10 * time.Second, TaskTime: 500 * time.Millisecond})
	v.hosting = enhancebox.New(enhancebox.Options{Token: demoHostingToken, Now: time.Now, PanelURL: v.hostingURL})
	v.mail = mailbox.New(mailbox.Options{Now: time.Now})
	v.vies = viesbox.New(viesbox.Options{Now: time.Now})
	smtp, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sandbox mail server: %w", err)
	}
	tcp, ok := smtp.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.New("sandbox mail server: no TCP port")
	}
	v.smtpPort = tcp.Port
	go func() { _ = v.mail.ServeSMTP(ctx, smtp) }()
	for i, h := range []http.Handler{v.stripe.Handler(), v.panel.Handler(), v.mail.Handler(), v.vies.Handler(), v.paypal.Handler(), v.games.Handler(), v.hardware.Handler(), v.hosting.Handler()} {
		server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(listeners[i]) }()
	}
	return v, nil
}

// ports listens on addr and the ports after it, one for each vendor, or on free
// ones.
func ports(ctx context.Context, addr string) ([8]net.Listener, error) {
	var out [8]net.Listener
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return out, err
	}
	base, err := strconv.Atoi(port)
	if err != nil || base < 0 || base > 65530 {
		return out, fmt.Errorf("port %q must be 0 to 65530", port)
	}
	for i := range out {
		p := 0
		if base > 0 {
			p = base + i
		}
		if out[i], err = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(p))); err != nil {
			return out, err
		}
	}
	return out, nil
}
