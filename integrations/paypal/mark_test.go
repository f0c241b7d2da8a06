package paypal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

func TestMarkTravels(t *testing.T) {
	at := time.Unix(1767225600, 0).UTC()
	for text, m := range map[string]mark{
		"att_1.inv_1":                 {attempt: "att_1", invoice: "inv_1"},
		"att_1.inv_1.p0":              {attempt: "att_1", invoice: "inv_1", page: true},
		"att_1.inv_1.p1767225600":     {attempt: "att_1", invoice: "inv_1", page: true, expires: at},
		"att_1.inv_1.p1767225600.x":   {attempt: "att_1", invoice: "inv_1", page: true, expires: at, closed: true},
		"a-b_C9.0123456789abcde.p0.x": {attempt: "a-b_C9", invoice: "0123456789abcde", page: true, closed: true},
	} {
		if m.String() != text || readMark(text) != m {
			t.Errorf("got %q and %+v, want %q and %+v", m, readMark(text), text, m)
		}
	}
	for _, foreign := range []string{"", "att_1", "a.b.c", "a.b.p", "a.b.px", "a.b.p-1", "a.b.p0.y", "a.b.p0.x.z", ".b", "a.", "a b.c", "a.b.p99999999999999999999", strings.Repeat("a", 41) + ".b"} {
		if m := readMark(foreign); m != (mark{}) {
			t.Errorf("%q: got %+v, want nobody's", foreign, m)
		}
	}
	for _, bad := range []string{"", "a.b", "a b", "ä", strings.Repeat("a", 41)} {
		if m, err := newMark("x", bad, "inv"); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("attempt %q: got %+v, %v, want ErrGatewayRefused", bad, m, err)
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add("att_1.inv_1.p1767225600.x")
	f.Add("a.b.p00")
	f.Fuzz(func(t *testing.T, text string) {
		m := readMark(text)
		if m == (mark{}) {
			return
		}
		if again := readMark(m.String()); again != m {
			t.Errorf("%q: read %+v, written %q, read again %+v", text, m, m, again)
		}
	})
}

func TestExpiryWithinLimits(t *testing.T) {
	opened := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for asked, want := range map[time.Duration]time.Duration{
		-time.Hour: minPageLife, 0: minPageLife, 32 * time.Minute: 32 * time.Minute, 2 * time.Hour: 2 * time.Hour, 30 * 24 * time.Hour: maxPageLife,
	} {
		m := mark{page: true, expires: opened.Add(asked)}
		if got := m.expiry(opened); !got.Equal(opened.Add(want)) {
			t.Errorf("asked for %s: got %s, want %s", asked, got.Sub(opened), want)
		}
	}
	if got := (mark{page: true}).expiry(opened); !got.Equal(opened.Add(maxPageLife)) {
		t.Errorf("asked for nothing: got %s, want the longest", got.Sub(opened))
	}
}

func TestNamesWithinPayPalsLimits(t *testing.T) {
	long := strings.Repeat("k", 255)
	if id := requestID(long); len(id) > 108 || id == requestID(long[:254]) {
		t.Errorf("got request id %q of %d characters, want one of its own within 108", id, len(id))
	}
	if id := requestID("charge:abc"); id != "charge:abc" {
		t.Errorf("a short key: got %q", id)
	}
	seen := map[string]string{}
	for _, user := range []string{"abcdefghijklmno", "u1", "u2", "", "kim@example.com", strings.Repeat("u", 200)} {
		id := customerID(user)
		if !customerShape.MatchString(id) || seen[id] != "" {
			t.Errorf("user %q: got customer %q, want one of its own within the limits", user, id)
		}
		seen[id] = "taken"
	}
	for tag, want := range map[string]string{"de": "de-DE", "de-AT": "de-AT", "en": "en-US", "fr": "fr-FR", "": "", "zh-Hant-TW": "", "DE": "", "d1": ""} {
		if got := locale(tag); got != want {
			t.Errorf("locale %q: got %q, want %q", tag, got, want)
		}
	}
}
