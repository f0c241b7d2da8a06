package locales

import (
	"strings"
	"testing"
)

func TestDecline(t *testing.T) {
	for _, s := range []struct{ name, lang, code, want string }{
		{"nothing declined", "en", "", ""},
		{"known", "en", "insufficient_funds", "not enough money"},
		{"known, in German", "de-AT", "lost_card", "abgelehnt"},
		{"unknown code", "en", "do_not_honor", "The payment was declined."},
		{"unknown language", "xx", "expired_card", "has expired"},
	} {
		if got := Decline(s.lang, s.code); !strings.Contains(got, s.want) || got == "" != (s.want == "") {
			t.Errorf("%s: got %q, want %q in it", s.name, got, s.want)
		}
	}
}
