package e2e

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// TestFromCatalogToRunningServer is the product's main job, seen by a person who
// has never been here: choose, sign up, pay, watch the server being built, get
// in, restart it, fetch the invoice; then staff suspends and resumes it.
func TestFromCatalogToRunningServer(t *testing.T) {
	d, b := browse(t)
	grace, host := newcomer("grace")
	orderAsNewCustomer(t, d, b, grace, host)
	watchBuild(t, b)
	verifyByMail(t, d, b, grace)
	useService(t, d, b, host)
	page := b.URL()
	readInvoice(t, d, b, grace)
	b.Open(page)
	suspendAsStaff(t, d, b, host)
	otherPages(t, d, b, host)
	b.MustBeClean(t)
}

func orderAsNewCustomer(t *testing.T, d *demo, b *browser.Browser, who account, host string) {
	t.Helper()
	b.Viewport(deskWidth, 800, false, false)
	b.Open(d.Site + "/")
	b.WaitURL("/portal/order")
	b.WaitText("Due today")
	inspect(t, b, "catalog")
	b.Click("Quarterly")
	b.Click("VPS L")
	b.Click("Ubuntu 24.04 LTS")
	b.Fill("Host name", host)
	b.WaitText("€56.70")
	b.Fill("Your name", "Grace Hopper")
	b.Fill("E-mail address", who.Email)
	b.Fill("Password", who.Password)
	b.Click("Create account and pay €56.70")
	b.WaitText("Accept the terms to go on.")
	inspect(t, b, "order with a missing entry")
	b.Click("css=input[name=terms], input[type=checkbox]")
	b.Click("Create account and pay €56.70")
	payWith(b, goodCard)
	b.WaitURL("/portal/orders/")
}

// watchBuild sees the steps move without touching the page.
func watchBuild(t *testing.T, b *browser.Browser) {
	t.Helper()
	b.WaitText("Order paid")
	check := stays(t, b)
	b.WaitText("building")
	b.WaitFor(".steps li[data-state=active]")
	inspect(t, b, "order being built")
	b.WaitText("running")
	check("while the server was built")
	if left := browser.Eval[int](b, `document.querySelectorAll(".steps li:not([data-state=done])").length`); left != 0 {
		t.Errorf("steps of a running server: got %d that are not done", left)
	}
	inspect(t, b, "order done")
}

func verifyByMail(t *testing.T, d *demo, b *browser.Browser, who account) {
	t.Helper()
	mail := d.mailTo(t, who.Email, func(l letter) bool { return l.link("/portal/verify?token=") != "" })
	tab := b.Tab()
	tab.Open(mail.link("/portal/verify?token="))
	tab.WaitText("Address confirmed")
	inspect(t, tab, "verification")
	tab.Close()
}

func useService(t *testing.T, d *demo, b *browser.Browser, host string) {
	t.Helper()
	b.Click("css=a.btn.primary[href^='/portal/services/']")
	b.WaitText("SSH command")
	b.WaitText("Restart")
	panel := panelServer(t, d, host)
	if len(panel.Addresses) == 0 || !b.Has(panel.Addresses[0]) {
		t.Errorf("addresses: the page lacks those of the panel, %v", panel.Addresses)
	}
	b.Click("Copy " + panel.Addresses[0])
	b.WaitText("copied")
	b.Click("Show")
	b.WaitText("Hide (")
	if shown := browser.Eval[string](b, `[...document.querySelectorAll("dt")].find((e) => e.textContent === "Password").nextElementSibling.querySelector(".value").textContent`); len(shown) < 12 || strings.Contains(shown, "•") {
		t.Errorf("password: got %d characters on the page, want the one the panel gave", len(shown))
	}
	inspect(t, b, "service")
	b.Click("Hide (")
	check := stays(t, b)
	b.Click("Restart")
	b.WaitText("restarting")
	b.WaitText("Restarted") // in the activity, once the panel has done it
	b.WaitText("running")
	check("after the restart")
}

// panelServer is a server as the sandbox panel has it.
func panelServer(t *testing.T, d *demo, hostname string) (found struct {
	Hostname  string   `json:"hostname"`
	Addresses []string `json:"addresses"`
	Suspended bool     `json:"suspended"`
	Running   bool     `json:"running"`
},
) {
	t.Helper()
	state := struct {
		Servers []struct {
			Hostname  string   `json:"hostname"`
			Addresses []string `json:"addresses"`
			Suspended bool     `json:"suspended"`
			Running   bool     `json:"running"`
		} `json:"servers"`
	}{}
	if err := (client{site: d.Sandbox.VirtFusion}).call(t.Context(), "GET", "/_sandbox/state", nil, &state); err != nil {
		t.Fatal(err)
	}
	for _, s := range state.Servers {
		if s.Hostname == hostname {
			return s
		}
	}
	t.Fatalf("the panel has no server %s: %v", hostname, state.Servers)
	return found
}

func readInvoice(t *testing.T, d *demo, b *browser.Browser, who account) {
	t.Helper()
	mail := d.mailTo(t, who.Email, func(l letter) bool { return len(l.Attachments) == 1 })
	if a := mail.Attachments[0]; a.Type != "application/pdf" || !strings.HasSuffix(a.Name, ".pdf") {
		t.Errorf("receipt %q: got the attachment %+v, want a PDF", mail.Subject, a)
	}
	attached, err := download(t.Context(), d.Sandbox.Mail+"/messages/"+mail.ID+"/attachments/0")
	if err != nil {
		t.Fatal(err)
	}
	b.Click("Billing")
	b.WaitText("Invoices")
	b.WaitFor("a[href^='/portal/invoices/']")
	inspect(t, b, "invoices")
	b.Click("css=main a[href^='/portal/invoices/']:not([href*='?'])")
	b.WaitText("Paid on")
	inspect(t, b, "invoice")
	served, err := download(t.Context(), d.Site+browser.Eval[string](b, `document.querySelector("a[download]").getAttribute("href")`))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(served, "%PDF-") || served != attached {
		t.Errorf("invoice: got %d bytes from the page and %d from the mail, want the same PDF", len(served), len(attached))
	}
}

// suspendAsStaff changes the status in the admin UI's own form while the
// customer's page stays open.
func suspendAsStaff(t *testing.T, d *demo, b *browser.Browser, host string) {
	t.Helper()
	b.WaitText("Restart")
	check := stays(t, b)
	service := path.Base(b.URL())
	admin := browser.New(t)
	admin.Open(d.Admin)
	admin.Fill("css=#login_identity", d.Staff.Email)
	admin.Fill("css=#login_pass", d.Staff.Password)
	admin.Press("Enter")
	admin.WaitURL("#/collections")
	setStatus(admin, d, service, "suspended")
	b.WaitText("This service is suspended")
	b.WaitGone("running")
	check("after staff suspended it")
	if s := panelServer(t, d, host); !s.Suspended {
		t.Errorf("panel: got %+v, want it suspended", s)
	}
	inspect(t, b, "suspended service")
	setStatus(admin, d, service, "active")
	b.WaitGone("This service is suspended")
	b.WaitText("running")
	check("after staff resumed it")
	if s := panelServer(t, d, host); s.Suspended || !s.Running {
		t.Errorf("panel: got %+v, want it running", s)
	}
	admin.MustBeClean(t)
}

// setStatus opens a service in the admin UI and picks another status there.
func setStatus(admin *browser.Browser, d *demo, service, status string) {
	admin.Open(d.Site + "/_/?again=" + status + "#/collections?collection=services&record=" + service)
	admin.WaitFor(".modal .grid:not([inert]) [name=status] .selected-item")
	admin.Click("css=.modal [name=status] .selected-container")
	admin.WaitFor(".modal [name=status] :popover-open")
	admin.Click(status)
	admin.Click("Save changes")
	admin.WaitText("Successfully updated services")
}

func otherPages(t *testing.T, d *demo, b *browser.Browser, host string) {
	t.Helper()
	for _, page := range []struct{ name, path, text string }{
		{"overview", "/portal/", "Next charge"},
		{"services", "/portal/services", host},
		{"account", "/portal/account", "Profile and billing"},
		{"order, signed in", "/portal/order", "Ordering as"},
	} {
		b.Open(d.Site + page.path)
		b.WaitText(page.text)
		inspect(t, b, page.name)
	}
	b.Open(d.Site + "/portal/")
	b.Click("Sign out")
	for _, page := range []struct{ name, path, text string }{
		{"sign-in", "/portal/sign-in", "Forgotten your password?"},
		{"sign-up", "/portal/sign-up", "Already a customer?"},
		{"reset", "/portal/reset", "Back to signing in"},
		{"used link", "/portal/verify?token=used", "no longer valid"},
	} {
		b.Open(d.Site + page.path)
		b.WaitText(page.text)
		inspect(t, b, page.name)
	}
	if slices.ContainsFunc(b.Findings(), func(f string) bool { return strings.Contains(f, "policy") }) {
		t.Errorf("content security policy: got %v", b.Findings())
	}
	b.Expect("status of 400") // the used link
}
