package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// The accounts of the demo.
const (
	demoCustomer         = "ada@demo.example"
	demoCustomerPassword = "demo-customer-1"
	demoStaff            = "staff@demo.example"
	demoStaffPassword    = "demo-staff-1"
)

// demonstration fills a new data directory and then does what a customer does,
// by the same doors: order, pay on the sandbox's page, wait for the server.
type demonstration struct {
	app     core.App
	vendors *vendors
	site    string
	dir     string
}

// seed writes catalog and accounts into an empty data directory.
func (d *demonstration) seed(app core.App) error {
	if plan, err := collections.First(app, collections.Plans, dbx.HashExp{"status": []any{"active", "hidden", "archived"}}); err != nil || plan != nil {
		if err == nil {
			err = fmt.Errorf("%s holds data already; the demo wants an empty or new directory", d.dir)
		}
		return err
	}
	if err := d.seedSettings(app); err != nil {
		return err
	}
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"kind": "virtfusion"})
	if err != nil {
		return err
	}
	for i, p := range demoPlans {
		if err := p.save(app, platform.Id, i); err != nil {
			return err
		}
	}
	if err := seedGames(app, len(demoPlans)); err != nil {
		return err
	}
	if err := seedHardware(app, len(demoPlans)+2); err != nil {
		return err
	}
	if err := seedHosting(app, len(demoPlans)+3); err != nil {
		return err
	}
	return seedAccounts(app)
}

func (d *demonstration) seedSettings(app core.App) error {
	err := collections.SaveSetting(app, "seller", collections.Seller{
		Name: "Hosting Demo Ltd", Address: []string{"1 Sample Street", "12345 Sampletown", "Germany"}, Country: "DE",
		VATID: "DE000000000", Registration: "HRB 0000 Sampletown", Email: "billing@demo.example", Bank: []string{"IBAN DE00 0000 0000 0000 0000 00", "BIC SAMPDEXX"},
	})
	if err != nil {
		return err
	}
	err = collections.SaveSetting(app, "brand", collections.Brand{Name: "Hosting Demo", Support: "support@demo.example"})
	if err != nil {
		return err
	}
	transfer, err := collections.First(app, collections.Gateways, dbx.HashExp{"kind": "manual"})
	if err != nil || transfer == nil {
		return err
	}
	transfer.Set("instructions", []map[string]string{{"label": "Recipient", "value": "Hosting Demo Ltd"}, {"label": "IBAN", "value": "DE00 0000 0000 0000 0000 00"}, {"label": "BIC", "value": "SAMPDEXX"}})
	return collections.Save(app, transfer)
}

func seedAccounts(app core.App) error {
	staff, err := collections.New(app, core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	staff.SetEmail(demoStaff)
	staff.SetPassword(demoStaffPassword)
	if err := collections.Save(app, staff); err != nil {
		return fmt.Errorf("demo staff: %w", err)
	}
	user, err := collections.New(app, collections.Users)
	if err != nil {
		return err
	}
	user.SetEmail(demoCustomer)
	user.SetPassword(demoCustomerPassword)
	user.SetVerified(true)
	user.Load(map[string]any{"name": "Ada Example", "status": "active", "locale": "en", "time_zone": "Europe/Berlin"})
	if err := collections.Save(app, user); err != nil {
		return fmt.Errorf("demo customer: %w", err)
	}
	_, err = collections.Insert(app, collections.UserProfiles, map[string]any{
		"user": user.Id, "company": "Example Analytics", "street": "2 Engine Road", "postcode": "10115", "city": "Berlin", "country": "DE",
	})
	return err
}

// demoPlan is one plan of the demo's catalog; prices are monthly, in minor
// units, and the longer cycles follow with their discount.
type demoPlan struct {
	name, slug, text string
	cpu, ram, disk   int64
	traffic          int64
	eur, usd         int64
	packageID        string
	badges           []string
	stock            int64 // 0 is unlimited
	soldOut          bool
}

var demoPlans = []demoPlan{
	{name: "VPS S", slug: "vps-s", text: "A small server for a site, a bot or a first project.", cpu: 1, ram: 1024, disk: 20, traffic: 1000, eur: 490, usd: 550, packageID: "1"},
	{name: "VPS M", slug: "vps-m", text: "Room for a shop with its database.", cpu: 2, ram: 2048, disk: 40, traffic: 2000, eur: 990, usd: 1090, packageID: "2", badges: []string{"popular"}},
	{name: "VPS L", slug: "vps-l", text: "For busy applications and teams.", cpu: 2, ram: 4096, disk: 80, traffic: 4000, eur: 1890, usd: 2090, packageID: "3", badges: []string{"best_value"}, stock: 12},
	{name: "VPS XL", slug: "vps-xl", text: "For heavy work, with unmetered traffic.", cpu: 4, ram: 8192, disk: 160, traffic: 0, eur: 3690, usd: 3990, packageID: "4", soldOut: true},
}

func (p demoPlan) save(app core.App, platform string, position int) error {
	options := []map[string]string{{"value": "8", "label": "Debian 12"}, {"value": "9", "label": "Ubuntu 24.04 LTS"}}
	plan, err := collections.Insert(app, collections.Plans, map[string]any{
		"name": p.name, "slug": p.slug, "description": p.text, "service_type": "vps", "upgrade_group": "vps", "platform": platform, "status": "active", "position": position,
		"platform_settings": map[string]string{"package_id": p.packageID, "group_id": "1", "ipv6": "true"},
		"features":          map[string]int64{"cpu_cores": p.cpu, "ram_mb": p.ram, "disk_gb": p.disk, "bandwidth_gb": p.traffic},
		"choices":           []map[string]any{{"name": "template_id", "label": "Operating system", "required": true, "options": options}},
		"badges":            p.badges, "stock_limited": p.stock > 0 || p.soldOut, "stock": p.stock,
	})
	if err != nil {
		return err
	}
	return seedPrices(app, plan.Id, map[string]int64{"EUR": p.eur, "USD": p.usd})
}

// seedGames offers game servers: Paper with a choice of its version.
func seedGames(app core.App, position int) error {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"kind": "pterodactyl"})
	if err != nil {
		return err
	}
	versions := []map[string]string{{"value": "latest", "label": "Newest"}, {"value": "1.20.1", "label": "1.20.1"}}
	for i, p := range []struct {
		name, slug, text string
		gb, eur, usd     int64
	}{
		{"Minecraft 4 GB", "minecraft-4", "For you and a handful of friends.", 4, 790, 890},
		{"Minecraft 8 GB", "minecraft-8", "For a community with plugins.", 8, 1490, 1690},
	} {
		plan, err := collections.Insert(app, collections.Plans, map[string]any{
			"name": p.name, "slug": p.slug, "description": p.text, "service_type": "game_server", "platform": platform.Id, "status": "active", "position": position + i,
			"platform_settings": map[string]any{
				"nest_id": 1, "egg_id": 3, "memory": p.gb * 1024, "disk": p.gb * 5 * 1024, "cpu": p.gb * 50, "databases": 1, "backups": p.gb / 2, "location_ids": "1",
			},
			"features":      map[string]int64{"ram_mb": p.gb * 1024, "disk_gb": p.gb * 5},
			"choices":       []map[string]any{{"name": "env_MINECRAFT_VERSION", "label": "Minecraft version", "required": true, "options": versions}},
			"upgrade_group": "minecraft",
		})
		if err != nil {
			return err
		}
		if err := seedPrices(app, plan.Id, map[string]int64{"EUR": p.eur, "USD": p.usd}); err != nil {
			return err
		}
	}
	return nil
}

// seedHardware offers a dedicated server with a choice of its system and location,
// wiped when it ends.
func seedHardware(app core.App, position int) error {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"kind": "synergycp"})
	if err != nil {
		return err
	}
	platform.Set("settings", map[string]any{"wipe_on_terminate": true})
	if err := collections.Save(app, platform); err != nil {
		return err
	}
	systems := []map[string]string{{"value": "format-quick,os-debian12", "label": "Debian 12"}, {"value": "format-quick,os-ubuntu2404", "label": "Ubuntu 24.04 LTS"}}
	places := []map[string]string{{"value": "LOC-FRA", "label": "Frankfurt"}, {"value": "LOC-ASH", "label": "Ashburn"}}
	plan, err := collections.Insert(app, collections.Plans, map[string]any{
		"name": "Dedicated E-2388G", "slug": "dedicated-e", "description": "Eight cores, two SSDs and five addresses, for you alone.", "service_type": "dedicated", "platform": platform.Id,
		"status": "active", "position": position,
		"platform_settings": map[string]any{
			"cpu_billing": "CPU-E2388G", "mem_billing": "MEM-32", "disks_billing": "SSD-960,SSD-960", "ips_billing": "IP-29", "port_speed_billing": "speed-1000", "access_pxe": true, "access_ipmi": true,
		},
		"features": map[string]int64{"cpu_cores": 8, "ram_mb": 32 * 1024, "disk_gb": 1920},
		"choices": []map[string]any{
			{"name": "pxe_profile_billing", "label": "Operating system", "required": true, "options": systems}, {"name": "ip_group_billing", "label": "Location", "required": true, "options": places},
		},
	})
	if err != nil {
		return err
	}
	return seedPrices(app, plan.Id, map[string]int64{"EUR": 8900, "USD": 9900})
}

// seedHosting offers web hosting in two sizes, and a managed database.
func seedHosting(app core.App, position int) error {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"kind": "enhance"})
	if err != nil {
		return err
	}
	for i, p := range []struct {
		name, slug, text, service, group string
		settings                         map[string]any
		disk, eur, usd                   int64
	}{
		{"Web Start", "web-start", "One website with mail and a database; give its domain as the host name.", "hosting", "web", map[string]any{"plan_id": 11}, 10, 390, 430},
		{"Web Business", "web-business", "Five websites for a company; give the first one's domain as the host name.", "hosting", "web", map[string]any{"plan_id": 12}, 50, 990, 1090},
		{"MySQL S", "mysql-s", "A managed database with backups.", "mysql", "", map[string]any{"plan_id": 21, "kind": "mysql", "domain_suffix": "db.hosting-demo.example"}, 5, 590, 650},
	} {
		plan, err := collections.Insert(app, collections.Plans, map[string]any{
			"name": p.name, "slug": p.slug, "description": p.text, "service_type": p.service, "platform": platform.Id, "status": "active", "position": position + i,
			"platform_settings": p.settings, "features": map[string]int64{"disk_gb": p.disk}, "upgrade_group": p.group,
		})
		if err != nil {
			return err
		}
		if err := seedPrices(app, plan.Id, map[string]int64{"EUR": p.eur, "USD": p.usd}); err != nil {
			return err
		}
	}
	return nil
}

// seedPrices gives a plan its prices: monthly ones in minor units, and the longer
// cycles with their discount.
func seedPrices(app core.App, plan string, monthlies map[string]int64) error {
	for currency, monthly := range monthlies {
		for cycle, months := range map[string]int64{"monthly": 1, "quarterly": 3, "annual": 12} {
			amount := monthly * months
			if cycle == "annual" {
				amount = monthly * 10 // two months free
			}
			_, err := collections.Insert(app, collections.PlanPrices, map[string]any{
				"plan": plan, "currency": currency, "cycle": cycle, "amount_minor": amount, "setup_minor": 0, "active": true,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// finish gives the demo's customer a running server and writes demo.json.
func (d *demonstration) finish(ctx context.Context) {
	if err := d.live(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "ezscale: demo: the customer's first server: "+err.Error())
		return
	}
	summary := map[string]any{
		"site": d.site, "portal": d.site + "/portal/", "admin": d.site + "/_/", "api": d.site + "/api/v1",
		"sandbox":  map[string]string{"stripe": d.vendors.stripeURL, "paypal": d.vendors.paypalURL, "virtfusion": d.vendors.panelURL, "pterodactyl": d.vendors.gamesURL, "synergycp": d.vendors.hardwareURL, "enhance": d.vendors.hostingURL, "mail": d.vendors.mailURL},
		"customer": map[string]string{"email": demoCustomer, "password": demoCustomerPassword},
		"staff":    map[string]string{"email": demoStaff, "password": demoStaffPassword},
	}
	raw, err := json.MarshalIndent(summary, "", "  ")
	if err != nil {
		fmt.Fprintln(os.Stderr, "ezscale: demo: "+err.Error())
		return
	}
	path := filepath.Join(d.dir, "demo.json")
	err = os.WriteFile(path+".new", append(raw, '\n'), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path) // whoever waits for it never reads half of it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ezscale: demo: "+err.Error())
		return
	}
	fmt.Printf("The demo is ready; its clock says %s.\n%s\nStop it with Ctrl-C.\n", time.Now().UTC().Format("2006-01-02 15:04 MST"), raw)
}

// live orders, pays and waits, through the public doors alone.
func (d *demonstration) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	auth := struct {
		Token string `json:"token"`
	}{}
	if err := d.call(ctx, "", "/api/collections/users/auth-with-password", map[string]any{"identity": demoCustomer, "password": demoCustomerPassword}, &auth); err != nil {
		return err
	}
	price, err := d.price("vps-m", "EUR", "monthly")
	if err != nil {
		return err
	}
	order := struct {
		Order struct {
			Services []struct {
				ID string `json:"id"`
			} `json:"services"`
		} `json:"order"`
		Payment struct {
			URL string `json:"url"`
		} `json:"payment"`
	}{}
	err = d.call(ctx, auth.Token, "/api/v1/orders", map[string]any{
		"client_key": "demo-first-order", "gateway": "stripe", "currency": "EUR", "total_minor": price.GetInt64("amount_minor"), "terms": true,
		"items": []map[string]any{{"price": price.Id, "quantity": 1, "hostname": "web-1.demo.example", "choices": map[string]string{"template_id": "8"}}},
	}, &order)
	if err != nil {
		return err
	}
	if len(order.Order.Services) != 1 {
		return errors.New("the order has no service")
	}
	session := order.Payment.URL[strings.LastIndex(order.Payment.URL, "/")+1:]
	if declined, err := d.vendors.stripe.PayPage(session, "4242424242424242"); err != nil || declined != "" {
		return fmt.Errorf("pay on the sandbox page: %s: %w", declined, err)
	}
	return d.wait(ctx, order.Order.Services[0].ID)
}

func (d *demonstration) price(slug, currency, cycle string) (*core.Record, error) {
	plan, err := collections.First(d.app, collections.Plans, dbx.HashExp{"slug": slug})
	if err != nil || plan == nil {
		return nil, errors.Join(err, fmt.Errorf("plan %s is missing", slug))
	}
	price, err := collections.First(d.app, collections.PlanPrices, dbx.HashExp{"plan": plan.Id, "currency": currency, "cycle": cycle})
	if err == nil && price == nil {
		err = fmt.Errorf("plan %s has no price in %s", slug, currency)
	}
	return price, err
}

// wait looks until the service is active.
func (d *demonstration) wait(ctx context.Context, service string) error {
	for {
		svc, err := d.app.FindRecordById(collections.Services, service)
		if err != nil {
			return err
		}
		if svc.GetString("status") == "active" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it is still %s: %s", svc.GetString("status"), svc.GetString("action_note"))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// call posts JSON to the product itself.
func (d *demonstration) call(ctx context.Context, token, path string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.site+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	client := &http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s answered %d: %s", path, resp.StatusCode, body)
	}
	return json.Unmarshal(body, out)
}
