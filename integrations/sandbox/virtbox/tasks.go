package virtbox

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) taskEndpoints() []panelbox.Endpoint {
	build := panelbox.Schema{
		"operatingSystemId": panelbox.Whole | panelbox.Required, "name": panelbox.Str, "hostname": panelbox.Str, "sshKeys": panelbox.Wholes, "vnc": panelbox.YesNo, "ipv6": panelbox.YesNo, "email": panelbox.YesNo, "swap": panelbox.Decimal,
	}
	list := []panelbox.Endpoint{
		panelbox.Op("POST /servers/{id}/build", build, nil, b.build),
		panelbox.Op("POST /servers/{id}/resetPassword", panelbox.Schema{"user": panelbox.Str | panelbox.Required, "sendMail": panelbox.YesNo}, nil, b.resetPassword),
		panelbox.Op("GET /queue/{id}", nil, nil, b.readQueue),
	}
	for _, action := range []string{"boot", "shutdown", "restart", "poweroff"} {
		list = append(list, panelbox.Op("POST /servers/{id}/power/"+action, nil, nil, b.power(action)))
	}
	return list
}

// swapSizes are the documented values.
var swapSizes = []float64{256, 512, 768, 1, 1.5, 2, 3, 4, 5, 6, 8}

// build installs, or installs anew, a system.
func (b *Box) build(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	if s == nil {
		return 0, nil, serverGone
	}
	if b.busy(s) || s.suspended {
		return 0, nil, locked
	}
	t := findTemplate(c.Body.Whole("operatingSystemId"))
	if !s.pkg.offers(t) {
		return 0, nil, refused("The selected operating system is invalid.")
	}
	if swap, there := c.Body["swap"].(float64); there && !slices.Contains(swapSizes, swap) {
		return 0, nil, refused("The swap is invalid.")
	}
	if h := c.Body.Text("hostname"); strings.ContainsAny(h, " \t_/") || len(h) > 253 {
		return 0, nil, refused("The hostname is invalid.")
	}
	keys := []int64{}
	ids, _ := c.Body["sshKeys"].([]any)
	for _, v := range ids {
		k := b.keys[int64(v.(float64))]
		if k == nil || k.user != s.owner.id {
			return 0, nil, refused("The selected SSH key is invalid.")
		}
		keys = append(keys, k.id)
	}
	b.startBuild(s, t, c.Body, keys)
	out := b.answer(s)
	out["settings"].(map[string]any)["decryptedPassword"] = rand.Text()
	return http.StatusOK, data(out), nil
}

func (b *Box) startBuild(s *server, t *templateSpec, body panelbox.Fields, keys []int64) {
	now := b.opts.Now()
	s.state, s.start, s.updated, s.template, s.running = stateQueued, now, now, t.id, false
	s.builds, s.keys = s.builds+1, keys
	if name := body.Text("name"); name != "" {
		s.name = name
	}
	if hostname := body.Text("hostname"); hostname != "" {
		s.hostname = hostname
	}
	s.wantV6 = body.Is("ipv6")
	s.doomed = b.breaks > 0
	if s.doomed {
		b.breaks--
	}
	b.enqueue(s, "build_server", `App\Jobs\Server\KVM\Build`, b.opts.BuildTime, s.doomed)
}

// power serves one action. The state changes at once; the task takes its time.
func (b *Box) power(action string) panelbox.Handler {
	return func(c panelbox.Call) (int, any, *panelbox.Failure) {
		s := b.servers[c.ID("id")]
		switch {
		case s == nil:
			return 0, nil, serverGone
		case b.busy(s) || s.suspended:
			return 0, nil, locked
		case s.state != stateComplete:
			return 0, nil, refused("The server has no operating system")
		}
		s.power(action == "boot" || action == "restart")
		q := b.enqueue(s, action+"_server", `App\Jobs\Server\KVM\Power`, b.opts.TaskTime, false)
		return http.StatusOK, data(map[string]any{"queueId": q.id}), nil
	}
}

func (b *Box) resetPassword(c panelbox.Call) (int, any, *panelbox.Failure) {
	s := b.servers[c.ID("id")]
	switch {
	case s == nil:
		return 0, nil, serverGone
	case b.busy(s):
		return 0, nil, locked
	case s.state != stateComplete:
		return 0, nil, refused("The server has no operating system")
	}
	want := "root"
	if t := findTemplate(s.template); t != nil && t.kind == "windows" {
		want = "Administrator"
	}
	if c.Body.Text("user") != want {
		return 0, nil, refused("The selected user is invalid.")
	}
	q := b.enqueue(s, "reset_password", `App\Jobs\Server\KVM\ResetPassword`, b.opts.TaskTime, false)
	return http.StatusOK, data(map[string]any{"queueId": q.id, "expectedPassword": rand.Text()}), nil
}

func (b *Box) readQueue(c panelbox.Call) (int, any, *panelbox.Failure) {
	q := b.queue[c.ID("id")]
	if q == nil {
		return 0, nil, told(http.StatusNotFound, "queue item not found")
	}
	now := b.opts.Now()
	out := map[string]any{
		"id": q.id, "jobId": "852", "job": q.job, "hypervisorId": nil, "serverId": q.server, "action": q.action, "queue": "default",
		"started": seconds(q.start), "updated": seconds(now), "finished": nil, "failed": q.failed && q.finished(now), "progress": q.progress(now),
		"errors":         map[string]any{"exception": map[string]any{"stringable": false, "errors": []any{}, "type": nil, "trace": nil, "message": nil}},
		"primaryActions": []any{}, "subActions": []any{},
	}
	if q.finished(now) {
		out["finished"], out["updated"] = seconds(q.end), seconds(q.end)
	}
	if s := b.servers[q.server]; s != nil {
		out["hypervisorId"] = s.group.Hypervisor
	}
	return http.StatusOK, data(out), nil
}
