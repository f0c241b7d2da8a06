package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/integrations/enhance"
	"github.com/ezscale/ezscale/integrations/pterodactyl"
)

// config is what the environment and the command line say.
type config struct {
	sealer     *collections.Sealer
	linkKey    []byte
	demo       bool
	sqlConsole bool
	publicURL  string
	gateways   map[string]payments.Settings
	platforms  map[string]provisioning.Settings
	viesURL    string // "" is the Commission's
	smtp       *core.SMTPConfig
	mailFrom   string
}

// readConfig reads and checks the environment. A wrong value is an error that
// names the variable and says what it must be.
func readConfig(dir string, env func(string) string) (config, error) {
	cfg := config{gateways: map[string]payments.Settings{}, platforms: map[string]provisioning.Settings{}}
	key, err := sealingKey(dir, env("EZSCALE_KEY"))
	if err != nil {
		return cfg, err
	}
	if cfg.sealer, err = collections.NewSealer(key); err != nil {
		return cfg, fmt.Errorf("EZSCALE_KEY: %w", err)
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("ezscale download links"))
	cfg.linkKey = m.Sum(nil)
	for _, read := range []func(*config, func(string) string) error{readPublicURL, readStripe, readPayPal, readVirtFusion, readPterodactyl, readSynergyCP, readEnhance, readVIES, readSMTP} {
		if err := read(&cfg, env); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// sealingKey takes the key from the environment, or from the data directory,
// where it is made on the first start.
func sealingKey(dir, given string) ([]byte, error) {
	if given != "" {
		key, err := hex.DecodeString(strings.TrimSpace(given))
		if err != nil || len(key) != 32 {
			return nil, errors.New("EZSCALE_KEY must be 64 hexadecimal digits (32 bytes); make one with: openssl rand -hex 32")
		}
		return key, nil
	}
	path := filepath.Join(dir, "ezscale.key")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return newKey(dir, path)
	}
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hexadecimal digits; restore it from a backup, or set EZSCALE_KEY", path)
	}
	return key, nil
}

func newKey(dir, path string) ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make sealing key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep sealing key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("keep sealing key: %w", err)
	}
	fmt.Fprintf(os.Stderr, "Warning: a new sealing key was made in %s. Keep a copy away from this machine and its backups: without it, stored secrets cannot be read. Better, set EZSCALE_KEY and remove the file.\n", path)
	return key, nil
}

func readPublicURL(cfg *config, env func(string) string) error {
	cfg.publicURL = strings.TrimSuffix(env("EZSCALE_URL"), "/")
	if cfg.publicURL == "" {
		return nil
	}
	return checkURL("EZSCALE_URL", cfg.publicURL)
}

func checkURL(name, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%s must be an address such as https://account.example.com, not %q", name, value)
	}
	return nil
}

func readStripe(cfg *config, env func(string) string) error {
	s := payments.Settings{SecretKey: env("STRIPE_SECRET_KEY"), WebhookSecret: env("STRIPE_WEBHOOK_SECRET"), APIURL: env("STRIPE_API_URL")}
	if s == (payments.Settings{}) {
		return nil
	}
	if s.SecretKey != "" && !strings.HasPrefix(s.SecretKey, "sk_") && !strings.HasPrefix(s.SecretKey, "rk_") {
		return errors.New("STRIPE_SECRET_KEY must be a secret or restricted key: it begins with sk_ or rk_")
	}
	if s.SecretKey != "" && s.WebhookSecret == "" {
		return errors.New("STRIPE_WEBHOOK_SECRET is missing: without it no payment would be believed; Stripe shows it (whsec_…) beside the webhook endpoint")
	}
	if s.WebhookSecret != "" && !strings.HasPrefix(s.WebhookSecret, "whsec_") {
		return errors.New("STRIPE_WEBHOOK_SECRET must be the endpoint's signing secret: it begins with whsec_")
	}
	if s.APIURL != "" {
		if err := checkURL("STRIPE_API_URL", s.APIURL); err != nil {
			return err
		}
	}
	cfg.gateways["stripe"] = s
	return nil
}

func readPayPal(cfg *config, env func(string) string) error {
	s := payments.Settings{ClientID: env("PAYPAL_CLIENT_ID"), SecretKey: env("PAYPAL_SECRET"), WebhookSecret: env("PAYPAL_WEBHOOK_ID"), APIURL: env("PAYPAL_API_URL")}
	if s == (payments.Settings{}) {
		return nil
	}
	if s.ClientID == "" || s.SecretKey == "" {
		return errors.New("PAYPAL_CLIENT_ID and PAYPAL_SECRET belong together: both are those of one REST app, live or sandbox")
	}
	if s.WebhookSecret == "" {
		return errors.New("PAYPAL_WEBHOOK_ID is missing: without it no payment would be believed; PayPal shows it beside the webhook of the app")
	}
	if strings.HasPrefix(s.WebhookSecret, "WH-") {
		return errors.New("PAYPAL_WEBHOOK_ID must be the id of the app's webhook; what begins with WH- is the id of a single event")
	}
	if s.APIURL != "" {
		if err := checkURL("PAYPAL_API_URL", s.APIURL); err != nil {
			return err
		}
	}
	cfg.gateways["paypal"] = s
	return nil
}

func readVirtFusion(cfg *config, env func(string) string) error {
	s := provisioning.Settings{URL: env("VIRTFUSION_URL"), Token: env("VIRTFUSION_TOKEN")}
	if s == (provisioning.Settings{}) {
		return nil
	}
	if s.URL == "" || s.Token == "" {
		return errors.New("VIRTFUSION_URL and VIRTFUSION_TOKEN belong together: set both, or neither")
	}
	if err := checkURL("VIRTFUSION_URL", s.URL); err != nil {
		return err
	}
	cfg.platforms["virtfusion"] = s
	return nil
}

// readPterodactyl takes both keys of a panel; together they are the platform's
// token.
func readPterodactyl(cfg *config, env func(string) string) error {
	application, client := env("PTERODACTYL_APPLICATION_KEY"), env("PTERODACTYL_CLIENT_KEY")
	s := provisioning.Settings{URL: env("PTERODACTYL_URL"), Token: strings.TrimSpace(application + " " + client)}
	if s == (provisioning.Settings{}) {
		return nil
	}
	if s.URL == "" || application == "" || client == "" {
		return errors.New("PTERODACTYL_URL, PTERODACTYL_APPLICATION_KEY (ptla_…) and PTERODACTYL_CLIENT_KEY (ptlc_…) belong together: set all of them, or none")
	}
	if err := checkURL("PTERODACTYL_URL", s.URL); err != nil {
		return err
	}
	if _, _, err := pterodactyl.ParseKeys(s.Token); err != nil {
		return fmt.Errorf("PTERODACTYL_APPLICATION_KEY and PTERODACTYL_CLIENT_KEY: %w", err)
	}
	cfg.platforms["pterodactyl"] = s
	return nil
}

func readSynergyCP(cfg *config, env func(string) string) error {
	s := provisioning.Settings{URL: env("SYNERGYCP_URL"), Token: env("SYNERGYCP_KEY")}
	if s == (provisioning.Settings{}) {
		return nil
	}
	if s.URL == "" || s.Token == "" {
		return errors.New("SYNERGYCP_URL (the API's address, https://api.…) and SYNERGYCP_KEY (an integration's) belong together: set both, or neither")
	}
	if err := checkURL("SYNERGYCP_URL", s.URL); err != nil {
		return err
	}
	cfg.platforms["synergycp"] = s
	return nil
}

// readEnhance takes token and organization; together they are the platform's token.
func readEnhance(cfg *config, env func(string) string) error {
	token, org := env("ENHANCE_TOKEN"), env("ENHANCE_ORG_ID")
	s := provisioning.Settings{URL: env("ENHANCE_URL"), Token: strings.TrimSpace(token + " " + org)}
	if s == (provisioning.Settings{}) {
		return nil
	}
	if s.URL == "" || token == "" || org == "" {
		return errors.New("ENHANCE_URL, ENHANCE_TOKEN and ENHANCE_ORG_ID (the selling organization's UUID) belong together: set all of them, or none")
	}
	if err := checkURL("ENHANCE_URL", s.URL); err != nil {
		return err
	}
	if _, _, err := enhance.ParseSecret(s.Token); err != nil {
		return fmt.Errorf("ENHANCE_TOKEN and ENHANCE_ORG_ID: %w", err)
	}
	cfg.platforms["enhance"] = s
	return nil
}

func readVIES(cfg *config, env func(string) string) error {
	if cfg.viesURL = env("VIES_API_URL"); cfg.viesURL == "" {
		return nil
	}
	return checkURL("VIES_API_URL", cfg.viesURL)
}

func readSMTP(cfg *config, env func(string) string) error {
	cfg.mailFrom = env("MAIL_FROM")
	if cfg.mailFrom != "" {
		if _, err := mail.ParseAddress(cfg.mailFrom); err != nil {
			return fmt.Errorf("MAIL_FROM must be an address such as billing@example.com, not %q", cfg.mailFrom)
		}
	}
	if env("SMTP_HOST") == "" {
		return nil
	}
	port, err := strconv.Atoi(first(env("SMTP_PORT"), "587"))
	if err != nil || port < 1 || port > 65535 {
		return fmt.Errorf("SMTP_PORT must be a port number, not %q", env("SMTP_PORT"))
	}
	tls, err := strconv.ParseBool(first(env("SMTP_TLS"), "false"))
	if err != nil {
		return fmt.Errorf("SMTP_TLS must be true (TLS from the first byte) or false (STARTTLS where offered), not %q", env("SMTP_TLS"))
	}
	cfg.smtp = &core.SMTPConfig{Enabled: true, Host: env("SMTP_HOST"), Port: port, Username: env("SMTP_USER"), Password: env("SMTP_PASSWORD"), TLS: tls}
	return nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// panelSettings are the optional settings of a platform with a panel.
type panelSettings struct {
	RelationPrefix string `json:"relation_prefix"`
	SettleSeconds  int    `json:"settle_seconds"`
}

// settle is how long a lost call may take effect; 0 leaves it to the adapter.
func (s panelSettings) settle() time.Duration { return time.Duration(s.SettleSeconds) * time.Second }

func panelExtra(raw string) (panelSettings, error) {
	return platformExtra[panelSettings](raw, "relation_prefix and settle_seconds")
}

// hardwareSettings are those of a platform that gives out hardware.
type hardwareSettings struct {
	panelSettings
	WipeOnTerminate bool `json:"wipe_on_terminate"`
}

func hardwareExtra(raw string) (hardwareSettings, error) {
	return platformExtra[hardwareSettings](raw, "relation_prefix, settle_seconds and wipe_on_terminate")
}

func platformExtra[T any](raw, known string) (T, error) {
	var s T
	if raw == "" || raw == "null" {
		return s, nil
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("settings of the platform: known are %s: %w", known, err)
	}
	return s, nil
}

// durability is FULL for the data and NORMAL for the request log.
func durability(path string) string {
	if strings.HasSuffix(path, "data.db") {
		return "FULL"
	}
	return "NORMAL"
}
