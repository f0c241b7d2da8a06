package risk

import (
	"slices"
	"testing"
)

func TestMailbox(t *testing.T) {
	for _, s := range []struct{ in, want string }{
		{"anna@firm.example", "anna@firm.example"},
		{" Anna@Firm.Example ", "anna@firm.example"},
		{"anna+one@firm.example", "anna@firm.example"},
		{"anna.b@firm.example", "anna.b@firm.example"},
		{"a.n.n.a+two@gmail.com", "anna@gmail.com"},
		{"an.na@googlemail.com", "anna@gmail.com"},
		{"anna@firm.example.", "anna@firm.example"},
		{"+tag@firm.example", "+tag@firm.example"},
		{"...@gmail.com", "...@gmail.com"},
		{`"a@b"@firm.example`, `"a@b"@firm.example`},
		{"No Address", "no address"},
		{"@firm.example", "@firm.example"},
		{"anna@", "anna@"},
		{"", ""},
	} {
		if got := Mailbox(s.in); got != s.want {
			t.Errorf("Mailbox(%q) = %q, want %q", s.in, got, s.want)
		}
	}
}

func TestAddressKey(t *testing.T) {
	for _, s := range []struct{ in, want string }{
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"2001:DB8:1:2::1", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
		{"nonsense", "nonsense"},
		{"", ""},
	} {
		if got := AddressKey(s.in); got != s.want {
			t.Errorf("AddressKey(%q) = %q, want %q", s.in, got, s.want)
		}
	}
}

func TestListsAreSortedAndApart(t *testing.T) {
	for name, list := range map[string][]string{"disposable": disposable, "shared": shared} {
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("%s is not sorted, or names a domain twice", name)
		}
		for _, d := range list {
			if _, domain, ok := split("x@" + d); !ok || domain != d {
				t.Errorf("%s: %q is no domain as it is looked up", name, d)
			}
		}
	}
	for _, d := range shared {
		if IsDisposable(d) {
			t.Errorf("%s is on both lists", d)
		}
	}
}

func FuzzMailbox(f *testing.F) {
	for _, s := range []string{"anna+x@gmail.com", "a.b@googlemail.com.", "@@", "+@gmail.com", "x@y@z", "a@..", "Ä@ß.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, email string) {
		box := Mailbox(email)
		if again := Mailbox(box); again != box {
			t.Errorf("Mailbox(%q) = %q, and of that %q", email, box, again)
		}
		if domain := Domain(email); domain != "" && domain != "googlemail.com" && Domain(box) != domain {
			t.Errorf("Mailbox(%q) = %q left the domain %q", email, box, domain)
		}
	})
}
