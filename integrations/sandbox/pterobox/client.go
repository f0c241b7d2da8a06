package pterobox

import (
	"net/http"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) clientEndpoints() []panelbox.Endpoint {
	return []panelbox.Endpoint{
		panelbox.Op("GET /client/account", nil, nil, b.account),
		panelbox.Op("GET /client/servers/{ref}/resources", nil, nil, b.usage),
		panelbox.Op("POST /client/servers/{ref}/power", panelbox.Schema{"signal": panelbox.Str | panelbox.Required}, nil, b.signal),
	}
}

func (b *Box) account(panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.users[1]
	return http.StatusOK, item("user", map[string]any{
		"id": u.id, "admin": u.root, "username": u.username, "email": u.email, "first_name": u.first, "last_name": u.last, "language": "en",
	}), nil
}

// SetAdmin makes the user of the keys an administrator or not.
func (b *Box) SetAdmin(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users[1].root = on
}

// byRef finds a server by uuid or identifier; the integer id is none.
func (b *Box) byRef(ref string) *server {
	for _, s := range b.servers {
		if s.uuid == ref || s.identifier() == ref {
			return s
		}
	}
	return nil
}

// usable says why a server can neither be used nor switched.
func (b *Box) usable(s *server) *panelbox.Failure {
	const code = "ServerStateConflictException"
	switch {
	case s == nil:
		return gone
	case s.status == statusSuspended:
		return told(http.StatusConflict, code, "This server is currently suspended and the functionality requested is unavailable.")
	case s.status == statusInstalling || s.status == statusFailed:
		return told(http.StatusConflict, code, "This server has not yet completed its installation process, please try again later.")
	case b.daemonDown:
		return daemon
	}
	return nil
}

// cached are usage figures of some moments ago.
type cached struct {
	at      time.Time
	payload any
}

// usage is cached for some time, whatever happens meanwhile.
func (b *Box) usage(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.byRef(c.R.PathValue("ref"))
	if fail := b.usable(s); fail != nil {
		return 0, nil, fail
	}
	now := b.opts.Now()
	if old, ok := b.cache[s.id]; ok && now.Sub(old.at) < b.opts.CacheTime {
		return http.StatusOK, old.payload, nil
	}
	payload := item("stats", map[string]any{"current_state": s.power(now), "is_suspended": false, "resources": b.figures(s, now)})
	b.cache[s.id] = cached{now, payload}
	return http.StatusOK, payload, nil
}

// diskUsed is what the files of every server take, in bytes.
const diskUsed = 1536 << 20

// figures move with the clock alone: the same server at the same moment always
// shows the same ones.
func (b *Box) figures(s *server, now time.Time) map[string]any {
	out := map[string]any{"memory_bytes": 0, "cpu_absolute": 0, "disk_bytes": diskUsed, "network_rx_bytes": 0, "network_tx_bytes": 0, "uptime": 0}
	if s.power(now) != "running" {
		return out
	}
	up := max(now.Sub(s.started), 0)
	swing := (now.Unix() + s.id*7) % 120
	out["memory_bytes"] = max(s.limits.Memory, 512) * 1_000_000 * (40 + swing/4) / 100
	out["cpu_absolute"] = float64(200+swing*5) / 10
	out["network_rx_bytes"], out["network_tx_bytes"] = int64(up.Seconds())*9_600, int64(up.Seconds())*24_000
	out["uptime"] = up.Milliseconds()
	return out
}

// signal switches a server; the daemon takes its time for all but a kill.
func (b *Box) signal(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.byRef(c.R.PathValue("ref"))
	if fail := b.usable(s); fail != nil {
		return 0, nil, fail
	}
	now := b.opts.Now()
	switch c.Body.Text("signal") {
	case "start", "restart":
		if !s.running || c.Body.Text("signal") == "restart" {
			s.running, s.started, s.switching = true, now, now.Add(b.opts.TaskTime)
		}
	case "stop":
		if s.running {
			s.running, s.switching = false, now.Add(b.opts.TaskTime)
		}
	case "kill":
		s.running, s.switching = false, time.Time{}
	default:
		return 0, nil, invalid("signal", "in", "The selected signal is invalid.")
	}
	return http.StatusNoContent, nil, nil
}
