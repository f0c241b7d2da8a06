package virtbox

import "time"

// The live figures move with the clock alone: the same server at the same
// moment always shows the same ones.

// wave swings between low and high with a period of n seconds.
func wave(t time.Time, offset, n, low, high int64) int64 {
	at := (t.Unix() + offset) % n
	if at < 0 {
		at += n
	}
	if at > n/2 {
		at = n - at
	}
	return low + (high-low)*at*2/n
}

// remoteState is what the hypervisor reports; the vendor does not document it.
func (b *Box) remoteState(s *server) any {
	if s.state != stateComplete {
		return false
	}
	if !s.running {
		return map[string]any{"state": "shut off", "cpu": 0, "memory": []any{}, "disk": []any{}, "agent": []any{}}
	}
	now := b.opts.Now()
	total := s.memoryMB * 1024
	free := total - total*wave(now, s.id*7, 300, 25, 70)/100
	memory := map[string]any{"actual": total, "unused": free, "available": total - total/50, "usable": free + total/20, "rss": total - free + total/30}
	device, kind, mount := "vda1", "ext4", "/"
	if t := findTemplate(s.template); t != nil && t.kind == "windows" {
		memory = map[string]any{"actual": total, "unused": 0, "memtotal": total, "memfree": free}
		device, kind, mount = `\\?\Volume{1}\`, "NTFS", `C:\`
	}
	up := max(now.Unix()-s.built.Unix(), 0)
	disk := s.pkg.DiskGB << 30
	return map[string]any{
		"state": "running", "cpu": float64(wave(now, s.id*13, 120, 20, 640)) / 10, "memory": memory,
		"disk": map[string]any{"vda": map[string]any{"rd.bytes": up * 81_920, "wr.bytes": up * 122_880}},
		"agent": map[string]any{"fsinfo": []any{map[string]any{
			"name": device, "mountpoint": mount, "type": kind, "used-bytes": min(disk/10+up*1024, disk*9/10), "total-bytes": disk,
		}}},
	}
}

// Bytes a second that a running server receives and sends.
const (
	rxRate = 96_000
	txRate = 240_000
)

// age is the number of whole months since a server's creation day.
func (b *Box) age(s *server) int {
	now, n := b.opts.Now(), 0
	for !s.month(n + 1).After(now) {
		n++
	}
	return n
}

// month is the start of a server's n-th month, counted from its creation day.
func (s *server) month(n int) time.Time {
	y, m, d := s.created.UTC().Date()
	return time.Date(y, m+time.Month(n), d, 0, 0, 0, 0, time.UTC)
}

// months lists up to 24 traffic periods, newest first.
func (b *Box) months(s *server) []any {
	list := []any{}
	now := b.opts.Now()
	newest := b.age(s)
	for n := newest; n >= 0 && n > newest-24; n-- {
		start, end := s.month(n), s.month(n+1)
		from, to := start, end
		if s.built.After(from) {
			from = s.built
		}
		if now.Before(to) {
			to = now
		}
		secs := int64(0)
		if !s.built.IsZero() && to.After(from) {
			secs = int64(to.Sub(from) / time.Second)
		}
		list = append(list, map[string]any{
			"month": n + 1, "start": start.Format(time.DateTime), "end": end.Add(-time.Second).Format(time.DateTime),
			"rx": secs * rxRate, "tx": secs * txRate, "total": secs * (rxRate + txRate), "limit": s.pkg.TrafficGB, "blocks": []any{},
		})
	}
	return list
}
