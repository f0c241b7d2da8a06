package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const goodKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func read(t *testing.T, values map[string]string) (config, error) {
	t.Helper()
	return readConfig(t.TempDir(), func(name string) string { return values[name] })
}

func TestWrongValuesStopWithASentenceThatNamesThem(t *testing.T) {
	stripe := map[string]string{"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
	paypal := map[string]string{"PAYPAL_CLIENT_ID": "AZ1", "PAYPAL_SECRET": "EH-secret", "PAYPAL_WEBHOOK_ID": "8PT597110X687430L"}
	scenarios := []struct {
		name   string
		values map[string]string
		names  string // the variable in the error
		hides  string // must not be in the error
	}{
		{"key too short", map[string]string{"EZSCALE_KEY": "abcdef"}, "EZSCALE_KEY", "abcdef"},
		{"key not hexadecimal", map[string]string{"EZSCALE_KEY": strings.Repeat("xy", 32)}, "EZSCALE_KEY", "xyxy"},
		{"address without a scheme", map[string]string{"EZSCALE_URL": "account.example.com"}, "EZSCALE_URL", ""},
		{"address of another kind", map[string]string{"EZSCALE_URL": "ftp://example.com"}, "EZSCALE_URL", ""},
		{"address without a host", map[string]string{"EZSCALE_URL": "https://"}, "EZSCALE_URL", ""},
		{"publishable Stripe key", map[string]string{"STRIPE_SECRET_KEY": "pk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}, "STRIPE_SECRET_KEY", "pk_live_1"},
		{"Stripe key alone", map[string]string{"STRIPE_SECRET_KEY": "sk_live_1"}, "STRIPE_WEBHOOK_SECRET", "sk_live_1"},
		{"wrong webhook secret", map[string]string{"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_WEBHOOK_SECRET": "we_1"}, "STRIPE_WEBHOOK_SECRET", "we_1"},
		{"wrong address of Stripe", merge(stripe, "STRIPE_API_URL", "localhost:1"), "STRIPE_API_URL", ""},
		{"PayPal client id alone", map[string]string{"PAYPAL_CLIENT_ID": "AZ1"}, "PAYPAL_SECRET", ""},
		{"PayPal secret alone", map[string]string{"PAYPAL_SECRET": "EH-secret"}, "PAYPAL_CLIENT_ID", "EH-secret"},
		{"PayPal without a webhook", merge(paypal, "PAYPAL_WEBHOOK_ID", ""), "PAYPAL_WEBHOOK_ID", "EH-secret"},
		{"a PayPal event for a webhook", merge(paypal, "PAYPAL_WEBHOOK_ID", "WH-2N9-1"), "PAYPAL_WEBHOOK_ID", "EH-secret"},
		{"wrong address of PayPal", merge(paypal, "PAYPAL_API_URL", "sandbox"), "PAYPAL_API_URL", "EH-secret"},
		{"panel without a token", map[string]string{"VIRTFUSION_URL": "https://panel.example.com"}, "VIRTFUSION_TOKEN", ""},
		{"token without a panel", map[string]string{"VIRTFUSION_TOKEN": "secret-token"}, "VIRTFUSION_URL", "secret-token"},
		{"wrong address of the panel", map[string]string{"VIRTFUSION_URL": "panel", "VIRTFUSION_TOKEN": "secret-token"}, "VIRTFUSION_URL", "secret-token"},
		{"games panel with one key", map[string]string{"PTERODACTYL_URL": "https://games.example.com", "PTERODACTYL_APPLICATION_KEY": "ptla_secret"}, "PTERODACTYL_CLIENT_KEY", "ptla_secret"},
		{"games panel with a key of another kind", map[string]string{"PTERODACTYL_URL": "https://games.example.com", "PTERODACTYL_APPLICATION_KEY": "ptla_secret", "PTERODACTYL_CLIENT_KEY": "ptla_other"}, "two keys of one kind", "ptla_secret"},
		{"wrong address of the games panel", map[string]string{"PTERODACTYL_URL": "games", "PTERODACTYL_APPLICATION_KEY": "ptla_secret", "PTERODACTYL_CLIENT_KEY": "ptlc_secret"}, "PTERODACTYL_URL", "ptla_secret"},
		{"hardware panel without a key", map[string]string{"SYNERGYCP_URL": "https://api.hardware.example.com"}, "SYNERGYCP_KEY", ""},
		{"wrong address of the hardware panel", map[string]string{"SYNERGYCP_URL": "hardware", "SYNERGYCP_KEY": "secret-key"}, "SYNERGYCP_URL", "secret-key"},
		{"hosting panel without an organization", map[string]string{"ENHANCE_URL": "https://hosting.example.com", "ENHANCE_TOKEN": "secret-token"}, "ENHANCE_ORG_ID", "secret-token"},
		{"hosting panel with an organization by name", map[string]string{"ENHANCE_URL": "https://hosting.example.com", "ENHANCE_TOKEN": "secret-token", "ENHANCE_ORG_ID": "Hosting"}, "ENHANCE_ORG_ID", "secret-token"},
		{"wrong address of the hosting panel", map[string]string{"ENHANCE_URL": "hosting", "ENHANCE_TOKEN": "secret-token", "ENHANCE_ORG_ID": "6f1c0000-0000-4000-8000-000000000001"}, "ENHANCE_URL", "secret-token"},
		{"sender without a host", map[string]string{"MAIL_FROM": "billing"}, "MAIL_FROM", ""},
		{"mail port in words", map[string]string{"SMTP_HOST": "mail.example.com", "SMTP_PORT": "smtp"}, "SMTP_PORT", ""},
		{"mail port past every port", map[string]string{"SMTP_HOST": "mail.example.com", "SMTP_PORT": "70000"}, "SMTP_PORT", ""},
		{"mail TLS in words", map[string]string{"SMTP_HOST": "mail.example.com", "SMTP_TLS": "starttls"}, "SMTP_TLS", ""},
	}
	for _, s := range scenarios {
		_, err := read(t, s.values)
		if err == nil || !strings.Contains(err.Error(), s.names) {
			t.Errorf("%s: got %v, want an error that names %s", s.name, err, s.names)
			continue
		}
		if s.hides != "" && strings.Contains(err.Error(), s.hides) {
			t.Errorf("%s: the error shows the value: %v", s.name, err)
		}
	}
}

func merge(a map[string]string, k, v string) map[string]string {
	out := map[string]string{}
	for k, v := range a {
		out[k] = v
	}
	out[k] = v
	return out
}

func TestGoodValues(t *testing.T) {
	cfg, err := read(t, map[string]string{
		"EZSCALE_KEY": " " + goodKey + "\n", "EZSCALE_URL": "https://account.example.com/", "STRIPE_SECRET_KEY": "rk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1",
		"PAYPAL_CLIENT_ID": "AZ1", "PAYPAL_SECRET": "EH1", "PAYPAL_WEBHOOK_ID": "8PT",
		"VIRTFUSION_URL": "https://panel.example.com", "VIRTFUSION_TOKEN": "t",
		"PTERODACTYL_URL": "https://games.example.com", "PTERODACTYL_APPLICATION_KEY": "ptla_1", "PTERODACTYL_CLIENT_KEY": "ptlc_1", "SYNERGYCP_URL": "https://api.hardware.example.com", "SYNERGYCP_KEY": "k", "ENHANCE_URL": "https://hosting.example.com", "ENHANCE_TOKEN": "e", "ENHANCE_ORG_ID": "6f1c0000-0000-4000-8000-000000000001", "SMTP_HOST": "mail.example.com", "SMTP_TLS": "true", "MAIL_FROM": "Billing <billing@example.com>",
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.publicURL != "https://account.example.com" || cfg.gateways["stripe"].SecretKey != "rk_live_1" || cfg.gateways["paypal"].ClientID != "AZ1" || cfg.platforms["virtfusion"].Token != "t" || cfg.platforms["pterodactyl"].Token != "ptla_1 ptlc_1" || cfg.platforms["synergycp"].Token != "k" || cfg.platforms["enhance"].Token != "e 6f1c0000-0000-4000-8000-000000000001" || cfg.smtp.Port != 587 || !cfg.smtp.TLS {
		t.Errorf("got %+v %+v", cfg, cfg.smtp)
	}
	again, err := read(t, map[string]string{"EZSCALE_KEY": goodKey})
	if err != nil || !bytes.Equal(again.linkKey, cfg.linkKey) || len(cfg.linkKey) != 32 {
		t.Errorf("the key of links is not derived from the sealing key: %v", err)
	}
	if len(again.gateways)+len(again.platforms) != 0 || again.smtp != nil {
		t.Errorf("vendors without settings: %+v", again)
	}
}

func TestTheKeyFileIsMadeOnceForItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	first, err := sealingKey(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ezscale.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v; want mode 0600", info, err)
	}
	if second, err := sealingKey(dir, ""); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the second start: %v, the same key %t", err, bytes.Equal(first, second))
	}
	if given, err := sealingKey(dir, goodKey); err != nil || hex.EncodeToString(given) != goodKey {
		t.Errorf("the environment does not win: %v", err)
	}
	for name, content := range map[string]string{"empty": "", "cut short": goodKey[:40], "not hexadecimal": strings.Repeat("zz", 32)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sealingKey(dir, ""); err == nil || !strings.Contains(err.Error(), "ezscale.key") || !strings.Contains(err.Error(), "EZSCALE_KEY") {
			t.Errorf("%s: got %v, want an error that names the file and the variable", name, err)
		}
		if left, _ := os.ReadFile(path); string(left) != content {
			t.Errorf("%s: the file was overwritten, and with it every sealed secret", name)
		}
	}
}

func TestPlatformSettingsAreReadStrictly(t *testing.T) {
	if s, err := panelExtra(`{"relation_prefix": "shop-", "settle_seconds": 90}`); err != nil || s.RelationPrefix != "shop-" || s.SettleSeconds != 90 {
		t.Errorf("got %+v, %v", s, err)
	}
	for _, empty := range []string{"", "null", "{}"} {
		if _, err := panelExtra(empty); err != nil {
			t.Errorf("%q: %v", empty, err)
		}
	}
	if s, err := hardwareExtra(`{"relation_prefix": "shop-", "wipe_on_terminate": true}`); err != nil || s.RelationPrefix != "shop-" || !s.WipeOnTerminate {
		t.Errorf("got %+v, %v", s, err)
	}
	if s, err := hardwareExtra(""); err != nil || s.WipeOnTerminate {
		t.Errorf("got %+v, %v; want nothing wiped unless it is said", s, err)
	}
	for _, bad := range []string{`{"prefix": "x"}`, `[]`, `{"settle_seconds": "90"}`, `{`, `{"wipe_on_terminate": true}`} {
		if _, err := panelExtra(bad); err == nil || !strings.Contains(err.Error(), "relation_prefix") {
			t.Errorf("%s: got %v, want an error that names what is known", bad, err)
		}
	}
}

// TestHoldTheLock is run by TestASecondProcessIsRefused in a process of its own.
func TestHoldTheLock(t *testing.T) {
	dir := os.Getenv("EZSCALE_TEST_LOCK_DIR")
	if dir == "" {
		t.Skip("helper of TestASecondProcessIsRefused")
	}
	if err := lockDir(dir); err != nil {
		t.Fatal(err)
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := lockDir(dir); err != nil {
		t.Fatal(err)
	}
	second := func() string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHoldTheLock$", "-test.v")
		cmd.Env = append(os.Environ(), "EZSCALE_TEST_LOCK_DIR="+dir)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if out := second(); !strings.Contains(out, "in use by another ezscale process") || !strings.Contains(out, dir) {
		t.Errorf("got %s, want a refusal that names the directory", out)
	}
	if err := locks[len(locks)-1].Close(); err != nil { // as when this process ends
		t.Fatal(err)
	}
	if out := second(); !strings.Contains(out, "PASS: TestHoldTheLock") {
		t.Errorf("after the first ended: got %s, want the lock", out)
	}
}

func TestOnlyTheDemoMakesADirectoryOfItsOwn(t *testing.T) {
	dir, cleanUp, err := defaultDir([]string{"demo"})
	if err != nil || dir == "" {
		t.Fatalf("demo: %q, %v", dir, err)
	}
	cleanUp()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the demo's directory is left: %v", err)
	}
	if dir, cleanUp, err = defaultDir([]string{"serve"}); dir != "" || err != nil {
		t.Errorf("serve: %q, %v; want PocketBase's own choice", dir, err)
	}
	cleanUp()
}

func TestDemoPorts(t *testing.T) {
	for _, bad := range []string{"127.0.0.1", "127.0.0.1:x", "127.0.0.1:65535", "127.0.0.1:-1"} {
		if _, err := ports(t.Context(), bad); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
	l, err := ports(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range l {
		_ = one.Close()
	}
}
