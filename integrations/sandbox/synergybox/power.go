package synergybox

import (
	"net/http"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) controlEndpoints() []panelbox.Endpoint {
	command := panelbox.Schema{"power": panelbox.Str, "pxe_boot": panelbox.YesNo, "reset_bmc": panelbox.YesNo, "add_user": panelbox.YesNo, "delete_user": panelbox.YesNo}
	return []panelbox.Endpoint{
		panelbox.Op("GET /server/{id}/control", nil, paging, b.listControls),
		panelbox.Op("POST /server/{id}/control/{control}/command", command, nil, b.command),
		panelbox.Op("GET /server/{id}/port", nil, paging, b.listPorts),
		panelbox.Op("GET /server/{id}/port/{port}/bandwidth/usage", nil, paging, b.portUsage),
		panelbox.Op("GET /server/{id}/port/{port}/bandwidth", nil, panelbox.Schema{"start": panelbox.Str, "end": panelbox.Str}, b.portSeries),
	}
}

// controlled is the server of a path for a client who may switch it: the
// integration may not, which is why the vendor's module acts as the client.
func (b *Box) controlled(c panelbox.Call) (*server, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	if s == nil || s.owner == nil {
		return nil, gone
	}
	for _, a := range s.access {
		if a.client.id == callerOf(c).client && a.active && a.rights.IPMI {
			return s, nil
		}
	}
	return nil, noRight
}

// The ids of a server's control and port follow from its own.
func controlID(s *server) int64 { return 10_000 + s.id }
func portID(s *server) int64    { return 20_000 + s.id }

func (b *Box) listControls(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.controlled(c)
	if fail != nil {
		return 0, nil, fail
	}
	return http.StatusOK, data(page(c, []any{map[string]any{"id": controlID(s), "hostname": "ipmi-" + s.srv(), "type": map[string]any{"id": "IPMI"}, "client_user": nil, "client_password": nil}})), nil
}

func (b *Box) command(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.controlled(c)
	if fail != nil {
		return 0, nil, fail
	}
	if c.ID("control") != controlID(s) {
		return 0, nil, gone
	}
	word := c.Body.Text("power")
	to, known := map[string]bool{"on": true, "reset": true, "cycle": true, "off": false, "soft": false}[word]
	if !known {
		return 0, nil, b.refuse("The selected power is invalid.", nil)
	}
	now := b.opts.Now()
	if s.power(now) != to {
		s.running, s.switching = to, now.Add(b.opts.TaskTime)
	}
	s.command = word
	return http.StatusOK, data(map[string]any{"power": word}, "Command sent."), nil
}

func (b *Box) listPorts(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.inUse(c)
	if fail != nil {
		return 0, nil, fail
	}
	return http.StatusOK, data(page(c, []any{map[string]any{"id": portID(s), "name": "Eth1/" + strconv.FormatInt(s.id, 10), "is_primary": true}})), nil
}

// port is the server of a path and whether its port is named.
func (b *Box) port(c panelbox.Call) (*server, *panelbox.Failure) {
	s, fail := b.inUse(c)
	if fail == nil && c.ID("port") != portID(s) {
		return nil, gone
	}
	return s, fail
}

func (b *Box) portUsage(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.port(c)
	if fail != nil {
		return 0, nil, fail
	}
	start := b.cycleStart(s)
	in, out := b.counted(s, start, b.opts.Now())
	return http.StatusOK, data(page(c, []any{map[string]any{
		"id": s.id, "max": orNull(s.limit), "used": in + out, "percent": percent(in+out, s.limit), "cycle_started_at": map[string]any{"iso_8601": start.UTC().Format(time.RFC3339), "unix": start.Unix()},
	}})), nil
}

// portSeries answers with sums alone; the samples between are not modeled.
func (b *Box) portSeries(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, fail := b.port(c)
	if fail != nil {
		return 0, nil, fail
	}
	from, err := time.Parse(time.DateTime, c.Query.Get("start"))
	to, err2 := time.Parse(time.DateTime, c.Query.Get("end"))
	if err != nil || err2 != nil || to.Before(from) {
		return 0, nil, b.refuse("The period is invalid.", nil)
	}
	in, out := b.counted(s, from, to)
	stat := func(bits int64) map[string]any {
		secs := max(int64(to.Sub(from)/time.Second), 1)
		return map[string]any{"sum": bits, "avg": bits / secs, "min": 0, "max": bits / secs, "nf": bits / secs}
	}
	return http.StatusOK, data(map[string]any{
		"status": 1, "data": []any{[]any{}, []any{}}, "from_time": from.Unix(), "to_time": to.Unix(), "min_time": s.cycle.Unix(), "max_time": b.opts.Now().Unix(),
		"stats": []any{stat(in), stat(out)},
	}), nil
}
