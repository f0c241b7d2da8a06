package stripe

import (
	"bytes"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
)

// TestSecretsAreHidden prints what holds secrets in every way Go has.
func TestSecretsAreHidden(t *testing.T) {
	config := Config{SecretKey: "sk_" + "live_51Secret", WebhookSecret: "whsec_Secret", APIURL: "https://api.stripe.com"}
	c, err := New(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	logger.Info("x", "client", c, "config", config)
	log.New(&out, "", 0).Printf("%v %+v %#v %s %q %v %+v %#v", c, c, c, c, c, config, config, config)
	_ = json.NewEncoder(&out).Encode(map[string]any{"client": c, "config": config})
	if strings.Contains(out.String(), "Secret") && strings.Contains(out.String(), "51Secret") || strings.Contains(out.String(), "whsec_Secret") {
		t.Errorf("secrets are printed: %s", out.String())
	}
}

func TestNewRefusesBadConfig(t *testing.T) {
	scenarios := []struct {
		name   string
		config Config
	}{
		{"no key", Config{}},
		{"publishable key", Config{SecretKey: "pk_test_1"}},
		{"another secret", Config{SecretKey: "whsec_1"}},
		{"key with a line break", Config{SecretKey: "sk_test_1\n"}},
		{"secret with a space", Config{SecretKey: "sk_test_1", WebhookSecret: "whsec_1 "}},
		{"address without a scheme", Config{SecretKey: "sk_test_1", APIURL: "api.stripe.com"}},
		{"address of a file", Config{SecretKey: "sk_test_1", APIURL: "file:///etc"}},
		{"address with a password", Config{SecretKey: "sk_test_1", APIURL: "https://a:b@host"}},
		{"live key over plain http", Config{SecretKey: "sk_live_1", APIURL: "http://stripe.example"}},
	}
	for _, s := range scenarios {
		if c, err := New(s.config, nil); !errors.Is(err, billing.ErrNotConfigured) || c != nil {
			t.Errorf("%s: got %v, %v, want ErrNotConfigured", s.name, c, err)
		} else if strings.Contains(err.Error(), "whsec_1") {
			t.Errorf("%s: the error shows the secret: %v", s.name, err)
		}
	}
	for _, good := range []string{"", "https://api.stripe.com", "https://proxy.example/stripe/", "http://127.0.0.1:9"} {
		if _, err := New(Config{SecretKey: "sk_live_1", APIURL: good}, nil); err != nil {
			t.Errorf("address %q: %v", good, err)
		}
	}
}
