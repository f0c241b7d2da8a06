package provisioning

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// assign makes the current addresses of a service exactly those given. What is
// no longer there gets an end, so that a re-used address never counts for the
// wrong customer.
func assign(tx core.App, svc *core.Record, addresses []provisioning.Address, now time.Time) error {
	current, err := collections.All(tx, collections.IPAssignments, dbx.HashExp{"service": svc.Id, "valid_until": ""}, "")
	if err != nil {
		return err
	}
	have := map[string]*core.Record{}
	for _, a := range current {
		have[a.GetString("ip")] = a
	}
	v4, v6 := "", ""
	for _, a := range addresses {
		if strings.Contains(a.IP, ":") {
			v6 = first(v6, a.IP)
		} else if v4 == "" || a.Primary {
			v4 = a.IP
		}
		if have[a.IP] != nil {
			delete(have, a.IP)
			continue
		}
		_, err := collections.Insert(tx, collections.IPAssignments, map[string]any{
			"user": svc.GetString("user"), "service": svc.Id, "ip": a.IP, "is_primary": a.Primary, "valid_from": collections.Stamp(now),
		})
		if err != nil {
			return fmt.Errorf("assign %s to service %s: %w", a.IP, svc.Id, err)
		}
	}
	for _, gone := range have {
		gone.Set("valid_until", collections.Stamp(now))
		if err := collections.Save(tx, gone); err != nil {
			return fmt.Errorf("release %s of service %s: %w", gone.GetString("ip"), svc.Id, err)
		}
	}
	if svc.GetString("ipv4") == v4 && svc.GetString("ipv6") == v6 {
		return nil
	}
	svc.Set("ipv4", v4)
	svc.Set("ipv6", v6)
	if err := collections.Save(tx, svc); err != nil {
		return fmt.Errorf("addresses of service %s: %w", svc.Id, err)
	}
	return nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// logDone writes a finished action to the service's log. Summaries never hold
// secrets.
func logDone(tx core.App, r *jobs.Run, svc *core.Record, action, response string) error {
	return writeLog(tx, svc, action, "done", r.Actor, response, "", r.Queued, r.Now())
}

func writeLog(tx core.App, svc *core.Record, action, status, actor, response, failure string, at, finished time.Time) error {
	_, _, err := collections.Row(tx, collections.ProvisioningLogs, finished, dbx.Params{
		"user": svc.GetString("user"), "service": svc.Id, "platform": svc.GetString("platform"), "action": action, "status": status,
		"actor": actor, "request": "", "response": response, "error": failure,
		"at": collections.Stamp(at).String(), "finished_at": collections.Stamp(finished).String(),
	})
	return err
}
