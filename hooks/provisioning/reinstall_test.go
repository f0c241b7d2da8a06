package provisioning_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// bought is one customer's active service on the sandbox panel.
type bought struct {
	*testapp.App
	ada  *testapp.Person
	o    *testapp.Order
	path string
}

func buy(t *testing.T) *bought {
	t.Helper()
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{Hostname: "web.example.com"})
	app.Quiet()
	return &bought{app, ada, o, "/api/v1/services/" + o.Services[0]}
}

func (b *bought) reinstall(image, confirm string) *testapp.Answer {
	b.Helper()
	return b.Do(http.MethodPost, b.path+"/reinstall", b.ada.Token, map[string]string{"image": image, "confirm": confirm})
}

func (b *bought) password() string {
	b.Helper()
	return b.Do(http.MethodPost, b.path+"/credentials", b.ada.Token, map[string]any{}).Text("password")
}

// idle waits, while the clock goes on, until nothing is being done to the service.
func (b *bought) idle() {
	b.Helper()
	b.Eventually("nothing is done to the service", func() bool {
		b.Clock().Advance(2 * time.Second)
		return b.Service(b.o).GetString("action") == ""
	})
}

func TestACustomerReinstallsAService(t *testing.T) {
	for _, kind := range []fault.Kind{"", fault.LostAnswer, fault.After500, fault.Truncated, fault.HTML502} {
		t.Run("answer "+string(kind), func(t *testing.T) {
			b := buy(t)
			old := b.password()
			images := b.Want(http.StatusOK, b.Do(http.MethodGet, b.path+"/images", b.ada.Token, nil))
			if images.Text("items.0.id") != "8" || images.At("items.0.current") != true || !strings.Contains(string(images.Body), "Ubuntu Server 24.04") {
				t.Fatalf("images = %s, want Debian as the current one, and Ubuntu", images)
			}
			if kind != "" {
				b.Panel.Faults().Add(fault.Fault{Match: "POST /api/v1/servers/1/build", Kind: kind, Times: 1})
			}
			asked := b.Want(http.StatusAccepted, b.reinstall("9", "web.example.com"))
			if asked.Text("action") != "reinstall" || asked.Text("status") != "active" {
				t.Errorf("asked: %s", asked)
			}
			if r := b.Do(http.MethodPost, b.path+"/power", b.ada.Token, map[string]string{"action": "restart"}); r.Code() != "busy" {
				t.Errorf("power meanwhile: %s, want busy", r)
			}
			b.Eventually("its steps are shown", func() bool {
				b.Clock().Advance(time.Second)
				return strings.Contains(string(b.Do(http.MethodGet, b.path, b.ada.Token, nil).Body), `"name":"wipe"`)
			})
			b.idle()
			s := server(b.App)
			if s.Builds != 2 || s.TemplateID != 9 || s.Hostname != "web.example.com" {
				t.Errorf("the server was built %d times and has template %d, host %s; want twice, 9, web.example.com", s.Builds, s.TemplateID, s.Hostname)
			}
			if fresh := b.password(); fresh == "" || fresh == old {
				t.Error("the customer sees no new password")
			}
			b.Quiet()
			shown := b.Do(http.MethodGet, b.path, b.ada.Token, nil)
			if shown.Text("status") != "active" || shown.Text("action_note") != "" || shown.At("busy") != false || shown.Len("addresses") == 0 {
				t.Errorf("afterwards it is %s", shown)
			}
			b.wantTold(old)
		})
	}
}

// wantTold checks what a reinstallation leaves in log, audit and mails, and that no
// password is among it.
func (b *bought) wantTold(old string) {
	b.Helper()
	if n := b.Count("provisioning_logs", "`action` = 'reinstall' AND `status` = 'done' AND `response` LIKE 'Ubuntu%'"); n != 1 {
		b.Errorf("%d log rows, want 1", n)
	}
	for _, action := range []string{"service.reinstall", "service.reinstall.done"} {
		if n := b.Count("audit_logs", "`action` = '"+action+"'"); n != 1 {
			b.Errorf("%d audit rows %s, want 1", n, action)
		}
	}
	b.Eventually("the customer is written", func() bool { return b.Count("mails", "`kind` = 'service_ready' AND `status` = 'sent'") == 2 })
	fresh := b.password()
	for _, table := range []string{"services", "jobs", "provisioning_logs", "audit_logs", "mails"} {
		rows := []dbx.NullStringMap{}
		if err := b.DB().NewQuery("SELECT * FROM `" + table + "`").All(&rows); err != nil {
			b.Fatal(err)
		}
		for _, row := range rows {
			for column, v := range row {
				if strings.Contains(v.String, fresh) || strings.Contains(v.String, old) {
					b.Errorf("%s.%s holds a password", table, column)
				}
			}
		}
	}
}

func TestAReinstallationIsRefused(t *testing.T) {
	b := buy(t)
	eve := b.Customer("eve")
	for _, s := range []struct {
		name, image, confirm string
		status               int
		code                 string
	}{
		{"another name", "9", "web.example.org", 422, "invalid"},
		{"no name", "9", "", 422, "invalid"},
		{"no such image", "77", "web.example.com", 422, "invalid"},
		{"Windows on a small machine", "20", "web.example.com", 422, "invalid"},
	} {
		if r := b.reinstall(s.image, s.confirm); r.Status != s.status || r.Code() != s.code {
			t.Errorf("%s: %s, want %d %s", s.name, r, s.status, s.code)
		}
	}
	for _, path := range []string{"/images", "/reinstall"} {
		method := map[string]string{"/images": http.MethodGet, "/reinstall": http.MethodPost}[path]
		if r := b.Do(method, b.path+path, eve.Token, map[string]string{"image": "9", "confirm": "web.example.com"}); r.Status != http.StatusNotFound {
			t.Errorf("somebody else's %s: %s, want 404", path, r)
		}
	}
	b.Want(http.StatusOK, edit(b.App, b.o, map[string]any{"status": "suspended"}))
	b.idle()
	if r := b.reinstall("9", "web.example.com"); r.Code() != "not_active" {
		t.Errorf("suspended: %s, want not_active", r)
	}
	b.Quiet()
	if s := server(b.App); s.Builds != 1 {
		t.Errorf("the server was built %d times, want once", s.Builds)
	}
}

// The host may know better: what it refuses before anything is destroyed ends the
// reinstallation, in words.
func TestAHostRefusesAReinstallation(t *testing.T) {
	b := buy(t)
	if err := b.Exec("UPDATE `services` SET `platform_user_id` = '999'"); err != nil {
		t.Fatal(err)
	}
	b.Want(http.StatusAccepted, b.reinstall("9", "web.example.com"))
	b.idle()
	shown := b.Do(http.MethodGet, b.path, b.ada.Token, nil)
	if !strings.Contains(shown.Text("action_note"), "nothing was done") || shown.At("busy") != false || shown.Len("steps") != 0 {
		t.Errorf("the customer sees %s, want that nothing was done", shown)
	}
	if n := b.Count("provisioning_logs", "`action` = 'reinstall' AND `status` = 'failed' AND `error` LIKE '%belongs to panel user 1, not 999%'"); n != 1 {
		t.Errorf("%d log rows for staff with the reason, want 1", n)
	}
	if s := server(b.App); s.Builds != 1 {
		t.Errorf("the server was built %d times, want once", s.Builds)
	}
}

// An installation that fails again and again is for staff; once they have closed the
// job, the customer can try another image.
func TestAGivenUpReinstallationIsForStaff(t *testing.T) {
	b := buy(t)
	b.Panel.BreakBuilds(2)
	b.Want(http.StatusAccepted, b.reinstall("9", "web.example.com"))
	b.Eventually("it is given up", func() bool { b.Clock().Advance(2 * time.Second); return b.Count("jobs", "`state` = 'failed'") == 1 })
	shown := b.Do(http.MethodGet, b.path, b.ada.Token, nil)
	if shown.Text("action") != "reinstall" || !strings.Contains(shown.Text("action_note"), "Our team") {
		t.Errorf("the customer sees %s", shown)
	}
	job := b.One("jobs", dbx.HashExp{"state": "failed"})
	b.Want(http.StatusNoContent, b.Do(http.MethodPost, "/api/v1/staff/jobs/"+job.Id, b.Staff(), map[string]string{"action": "close", "reason": "image is broken"}))
	b.Want(http.StatusAccepted, b.reinstall("10", "web.example.com"))
	b.idle()
	if s := server(b.App); s.TemplateID != 10 || s.State != "complete" {
		t.Errorf("the server has template %d and is %s, want 10, complete", s.TemplateID, s.State)
	}
}
