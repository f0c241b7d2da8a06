package mail

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update rewrites it)\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func full() Data {
	return Data{
		Brand: "Nordlicht Hosting", Footer: "Nordlicht Hosting GmbH, Speicherstraße 12, 20457 Hamburg\nHRB 123456, VAT ID DE136695976",
		Name: "Дарья O'Neil", Link: "https://account.nordlicht.example/a?b=1&c=2#d", ValidFor: 30 * time.Minute,
		Number: "INV-2026-000123", Amount: money.Must(149512, "EUR"), DueAt: time.Date(2026, time.December, 7, 0, 0, 0, 0, time.UTC),
		Method: "Visa •••• 4242", Reason: "The card was declined by the bank because of insufficient funds; try another card.",
		Service: "VPS M", Hostname: "vps-01.example.com", IPs: []string{"203.0.113.7", "2001:db8::7"}, User: "root", Email: "new@example.com",
		At: time.Date(2026, time.November, 23, 14, 5, 0, 0, time.UTC), Address: "198.51.100.4", Agent: "Firefox 140 on Linux",
		On: time.Date(2026, time.December, 31, 23, 30, 0, 0, time.UTC), Was: money.Must(119500, "EUR"), Invoice: "INV-2026-000098", Title: "Three servers and a load balancer",
		Changes: []Change{{"VPS M", money.Must(119500, "EUR"), time.Date(2026, time.December, 31, 0, 0, 0, 0, time.UTC)}, {"web-2, web-3", money.Must(990, "EUR"), time.Date(2027, time.February, 28, 0, 0, 0, 0, time.UTC)}},
		Alert:   "paid_after_end", Count: 1204, Counts: []Count{{"missing_here", 3}, {"fee_differs", 1200}, {"brand_new", 1}},
	}
}

func TestEveryKind(t *testing.T) {
	for _, kind := range Kinds() {
		for _, lang := range locales.Codes() {
			m, err := Compose(kind, lang, full())
			if err != nil {
				t.Errorf("%s in %s: %v", kind, lang, err)
				continue
			}
			golden(t, string(kind)+"."+lang+".golden.txt", "Subject: "+m.Subject+"\n\n"+m.Text)
			golden(t, string(kind)+"."+lang+".golden.html", m.HTML)
			if all := m.Subject + m.Text + m.HTML; strings.ContainsAny(all, "⟨⟩") || strings.Contains(all, "ZgotmplZ") {
				t.Errorf("%s in %s: a text or value is missing:\n%s", kind, lang, all)
			}
			for _, line := range strings.Split(m.Text, "\n") {
				if utf8.RuneCountInString(line) > columns && !strings.Contains(line, "://") {
					t.Errorf("%s in %s: line of %d columns: %q", kind, lang, utf8.RuneCountInString(line), line)
				}
			}
			if n := strings.Count(m.HTML, "<title>"); n != 1 {
				t.Errorf("%s in %s: %d titles", kind, lang, n)
			}
		}
	}
	if len(Kinds()) != len(forms) {
		t.Errorf("Kinds lists %d kinds, there are %d", len(Kinds()), len(forms))
	}
}

func TestMissingFields(t *testing.T) {
	clear := map[string]func(*Data){
		"brand": func(d *Data) { d.Brand = " \n" }, "link": func(d *Data) { d.Link = "" }, "number": func(d *Data) { d.Number = "" },
		"amount": func(d *Data) { d.Amount = money.Amount{} }, "due": func(d *Data) { d.DueAt = time.Time{} }, "reason": func(d *Data) { d.Reason = "" },
		"service": func(d *Data) { d.Service = "" }, "ips": func(d *Data) { d.IPs = nil }, "at": func(d *Data) { d.At = time.Time{} },
		"address": func(d *Data) { d.Address = "" }, "on": func(d *Data) { d.On = time.Time{} }, "was": func(d *Data) { d.Was = money.Amount{} },
		"invoice": func(d *Data) { d.Invoice = "" }, "title": func(d *Data) { d.Title = "" }, "changes": func(d *Data) { d.Changes = nil }, "method": func(d *Data) { d.Method = "" },
		"count": func(d *Data) { d.Count = 0 }, "counts": func(d *Data) { d.Counts = nil }, "alert": func(d *Data) { d.Alert = "" },
	}
	for _, kind := range Kinds() {
		for _, name := range append(Required(kind), "brand") {
			d := full()
			spoil, ok := clear[name]
			if !ok {
				t.Fatalf("%s needs %q, which this test does not know", kind, name)
			}
			spoil(&d)
			if _, err := Compose(kind, "en", d); !errors.Is(err, ErrData) || !strings.Contains(err.Error(), name+" is empty") {
				t.Errorf("%s without %s: got %v, want %v", kind, name, err, ErrData)
			}
		}
	}
}

func TestBadInput(t *testing.T) {
	scenarios := []struct {
		name  string
		kind  Kind
		spoil func(*Data)
		want  error
	}{
		{"unknown kind", "welcome_home", func(*Data) {}, ErrKind},
		{"no kind", "", func(*Data) {}, ErrKind},
		{"script as link", Verification, func(d *Data) { d.Link = "javascript:alert(1)" }, ErrData},
		{"line break in link", Verification, func(d *Data) { d.Link = "https://x/\r\nBcc: a@b" }, ErrData},
		{"color that is code", Verification, func(d *Data) { d.Accent = "red;x:y" }, ErrData},
	}
	for _, s := range scenarios {
		d := full()
		s.spoil(&d)
		if _, err := Compose(s.kind, "en", d); !errors.Is(err, s.want) {
			t.Errorf("%s: got %v, want %v", s.name, err, s.want)
		}
	}
}

func TestHostileValues(t *testing.T) {
	d := full()
	d.Name = "<script>alert(1)</script>"
	d.Service = "web\r\nBcc: everyone@example.com\u202e"
	d.Link = `https://x.example/"><img/src=y>`
	d.Footer = "<b>bold</b>"
	m, err := Compose(ServiceReady, "en", d)
	if err != nil {
		t.Fatal(err)
	}
	if want := "web Bcc: everyone@example.com is ready"; m.Subject != want {
		t.Errorf("got subject %q, want %q", m.Subject, want)
	}
	for _, bad := range []string{"<script", "<img", "<b>", "\u202e"} {
		if strings.Contains(m.HTML, bad) {
			t.Errorf("%q stands unescaped in\n%s", bad, m.HTML)
		}
	}
}

func TestFallbacks(t *testing.T) {
	d := full()
	d.Name, d.ValidFor, d.Footer = "", 0, ""
	m, err := Compose(PasswordReset, "fr", d)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(m.Text, "Hello,\n") || strings.Contains(m.Text, "works once") || strings.Contains(m.Text, "{") {
		t.Errorf("without name and validity, in a language we lack:\n%s", m.Text)
	}
	text, html := Render(Mail{Brand: "B", Heading: "H", Button: Button{"Go", "javascript:x"}, Accent: "bad"})
	if strings.Contains(text+html, "javascript") || strings.Contains(html, "bad") {
		t.Errorf("Render passed on a bad link or color:\n%s\n%s", text, html)
	}
	for _, line := range []string{"H\n=\n", "-- \nB\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("text lacks %q:\n%s", line, text)
		}
	}
}

// FuzzCompose proves that no value breaks out of its place.
func FuzzCompose(f *testing.F) {
	f.Add("Ann", "<x>", "VPS")
	f.Add("{link}", "\"'\x00\xff", "a\r\nb")
	f.Fuzz(func(t *testing.T, name, reason, service string) {
		d := full()
		d.Name, d.Reason, d.Service = name, "r"+reason, "s"+service
		m, err := Compose(ServiceSuspended, "de", d)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(m.Subject, "\r\n\x00") || !utf8.ValidString(m.Subject+m.Text+m.HTML) {
			t.Errorf("subject %q or an invalid text", m.Subject)
		}
		if got := strings.Count(m.HTML, "<tr>"); got != 7 {
			t.Errorf("got %d table rows, want 7", got)
		}
	})
}
