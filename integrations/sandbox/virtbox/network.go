package virtbox

import "net/netip"

// The documentation networks of RFC 5737 and RFC 3849.
var (
	block4 = netip.MustParsePrefix("203.0.113.0/24")
	block6 = netip.MustParseAddr("2001:db8::")
)

// gateway4 is the first address of the block.
func (b *Box) gateway4() netip.Addr { return b.opts.Block.Addr().Next() }

// takeIPv4 allocates n addresses, the lowest free ones, or none at all.
func (b *Box) takeIPv4(n int64) ([]netip.Addr, bool) {
	var list []netip.Addr
	for a := b.gateway4().Next(); int64(len(list)) < n; a = a.Next() {
		if !b.opts.Block.Contains(a.Next()) { // the last one is the broadcast address
			return nil, false
		}
		if !b.taken[a] {
			list = append(list, a)
		}
	}
	for _, a := range list {
		b.taken[a] = true
	}
	return list, true
}

// subnet is the /64 of a server: 2001:db8:0:<id>::/64, unique for 65,536 servers.
func subnet(id int64) netip.Prefix {
	raw := block6.As16()
	raw[6], raw[7] = byte(id>>8), byte(id)
	return netip.PrefixFrom(netip.AddrFrom16(raw), 64)
}

// freeIPv4 is what the block still has, less network, gateway and broadcast.
func (b *Box) freeIPv4() int { return 1<<(32-b.opts.Block.Bits()) - 3 - len(b.taken) }
