package site

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestThemeAndLanguage(t *testing.T) {
	h, _ := newServer(t, Deps{})
	scenarios := []struct {
		name, cookie, accept, want string
		dark                       bool
	}{
		{"nothing said", "", "", `<html lang="en" data-brand`, false},
		{"dark chosen", "ez_theme=dark", "", `<html lang="en" data-theme="dark"`, true},
		{"light chosen", "ez_theme=light", "", `<html lang="en" data-theme="light"`, false},
		{"forged theme", `ez_theme="><script>alert(1)</script>`, "", `<html lang="en" data-brand`, false},
		{"unknown theme", "ez_theme=pink", "", `<html lang="en" data-brand`, false},
		{"browser speaks German", "", "de-AT,de;q=0.9,en;q=0.5", `<html lang="de"`, false},
		{"browser speaks something else", "", "fr, it", `<html lang="en"`, false},
		{"chosen language wins", "ez_lang=en", "de", `<html lang="en"`, false},
		{"forged language", "ez_lang=../../etc", "de", `<html lang="de"`, false},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			body := get(t, h, "/portal/order", "Cookie", s.cookie, "Accept-Language", s.accept).body
			if !strings.Contains(body, s.want) {
				t.Errorf("want %s in:\n%.200s", s.want, body)
			}
			if strings.Contains(body, "alert(1)") || strings.Contains(body, "pink") {
				t.Error("a cookie's text reached the page")
			}
			if got := strings.Contains(body, `content="dark"`); got != s.dark {
				t.Errorf("color scheme dark: got %t, want %t", got, s.dark)
			}
		})
	}
}

func TestBrandIsEscaped(t *testing.T) {
	h, _ := newServer(t, Deps{BrandName: func() string { return `"><script>A & B` }, Demo: true})
	body := get(t, h, "/portal/sign-in").body
	if strings.Contains(body, "<script>A") || !strings.Contains(body, "&#34;&gt;&lt;script&gt;A &amp; B") {
		t.Errorf("brand not escaped: %.300s", body)
	}
	if !strings.Contains(body, `data-demo="yes"`) {
		t.Error("demonstration not marked")
	}
}

func TestShellWithoutScripts(t *testing.T) {
	h, _ := newServer(t, Deps{})
	body := get(t, h, "/portal/").body
	if !strings.Contains(body, "<noscript>") || !strings.Contains(body, "needs JavaScript") {
		t.Error("nothing is said to readers without scripts")
	}
	for _, forbidden := range []string{"style=", "<style", "javascript:"} {
		if strings.Contains(body, forbidden) {
			t.Errorf("the shell holds %q", forbidden)
		}
	}
	if m := regexp.MustCompile(`(?s)<script[^>]*>[^<]`).FindString(body); m != "" {
		t.Errorf("inline script: %q", m)
	}
	if m := regexp.MustCompile(`\son\w+=`).FindString(body); m != "" {
		t.Errorf("inline handler: %q", m)
	}
}

var assetLink = regexp.MustCompile(`(?:href|src)="(/[^"]+)"`)

func TestEveryLinkOfEveryPageExists(t *testing.T) {
	h, _ := newServer(t, Deps{})
	for _, page := range []string{"/portal/", "/portal/order", "/portal/orders/x", "/portal/services", "/portal/services/x", "/portal/invoices", "/portal/invoices/x", "/portal/account", "/portal/sign-in", "/portal/sign-up", "/portal/reset", "/portal/verify", "/portal/unknown"} {
		body := get(t, h, page).body
		links := assetLink.FindAllStringSubmatch(body, -1)
		if len(links) < 10 {
			t.Errorf("%s: only %d links", page, len(links))
		}
		for _, link := range links {
			if res := get(t, h, link[1]); res.status != http.StatusOK {
				t.Errorf("%s: %s answers %d", page, link[1], res.status)
			}
		}
	}
}

func TestPreloadsThePagesModules(t *testing.T) {
	h, _ := newServer(t, Deps{})
	service := get(t, h, "/portal/services/abc").body
	for _, want := range []string{"js/app.js", "js/pages/service.js", "js/ui/steps.js", "vendor/preact.js"} {
		if !strings.Contains(service, `<link rel="modulepreload" href="`+mustTree(t).prefix()+"/"+want+`">`) {
			t.Errorf("%s is not preloaded", want)
		}
	}
	if strings.Contains(service, "js/pages/order.js") {
		t.Error("another page's module is preloaded")
	}
}

func TestBrokenTreesStopTheStart(t *testing.T) {
	scenarios := map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"no page table":  {fstest.MapFS{"js/app.js": {}}, "js/routes.js"},
		"page missing":   {fstest.MapFS{"js/app.js": {}, "js/routes.js": {Data: []byte(`{ path: "/portal/x", page: "x" }`)}}, "js/pages/x.js"},
		"import missing": {fstest.MapFS{"js/app.js": {Data: []byte(`import { a } from "./gone.js";`)}, "js/routes.js": {Data: []byte(`{ path: "/portal/x", page: "x" }`)}, "js/pages/x.js": {}}, "js/gone.js"},
		"bare import":    {fstest.MapFS{"js/app.js": {Data: []byte(`import { a } from "preact";`)}, "js/routes.js": {Data: []byte(`{ path: "/portal/x", page: "x" }`)}, "js/pages/x.js": {}}, "preact"},
	}
	for name, s := range scenarios {
		files, err := loadTree(s.files)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := newShell(files, Deps{}.withDefaults()); err == nil || !strings.Contains(err.Error(), s.want) {
			t.Errorf("%s: got %v, want an error naming %s", name, err, s.want)
		}
	}
}
