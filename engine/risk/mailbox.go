package risk

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// Mailbox returns the mailbox that an address reaches, as far as a stranger can
// know: lower case, without the +tag, and for Gmail without dots and under one
// name. Addresses with the same mailbox belong to the same person. What is no
// address comes back in lower case.
func Mailbox(email string) string {
	local, domain, ok := split(email)
	if !ok {
		return clean(email)
	}
	if cut := strings.IndexByte(local, '+'); cut > 0 {
		local = local[:cut]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if bare := strings.ReplaceAll(local, ".", ""); domain == "gmail.com" && bare != "" {
		local = bare
	}
	return local + "@" + domain
}

// Domain returns the domain of a mail address in lower case, "" without one.
func Domain(email string) string {
	_, domain, _ := split(email)
	return domain
}

func split(email string) (local, domain string, ok bool) {
	email = clean(email)
	i := strings.LastIndexByte(email, '@')
	if i < 1 {
		return "", "", false
	}
	return email[:i], email[i+1:], i+1 < len(email)
}

// clean lowers s and cuts white space off, and the dots that may end a domain.
func clean(s string) string {
	s = strings.TrimRightFunc(s, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
	return strings.ToLower(strings.TrimSpace(s))
}

// IsDisposable reports whether a domain, or one above it, is a known provider of
// throw-away addresses.
func IsDisposable(domain string) bool { return listed(disposable, domain) }

// IsShared reports whether the public has addresses at a domain, so that many
// accounts of it mean nothing.
func IsShared(domain string) bool { return listed(shared, domain) }

// listed looks a domain and those above it up in a sorted list.
func listed(list []string, domain string) bool {
	domain = clean(domain)
	for domain != "" {
		if _, found := slices.BinarySearch(list, domain); found {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}

// AddressKey names the place an IP address stands for: the address itself for
// IPv4, its /64 network for IPv6, of which one subscriber has all addresses.
// What is no address is its own key.
func AddressKey(ip string) string {
	addr, err := netip.ParseAddr(strings.TrimSpace(ip))
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}
