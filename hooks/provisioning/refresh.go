package provisioning

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// refreshEvery is the shortest time between two readings of one service's
// state that customers can cause; a reading costs the platform a round trip.
const refreshEvery = 10 * time.Second

// settleTime is how long a system takes to show the effect of a power action.
const settleTime = 2 * time.Second

type refreshPayload struct {
	Again int `json:"again"` // further readings, settleTime apart
}

// usage is what a service uses, as stored and shown; nil is "not reported".
type usage struct {
	CPUPercent   *int       `json:"cpu_percent"`
	MemoryUsed   *int64     `json:"memory_used"`
	MemoryTotal  *int64     `json:"memory_total"`
	DiskUsed     *int64     `json:"disk_used"`
	DiskTotal    *int64     `json:"disk_total"`
	TrafficIn    *int64     `json:"traffic_in"`
	TrafficOut   *int64     `json:"traffic_out"`
	TrafficLimit *int64     `json:"traffic_limit"`
	TrafficStart *time.Time `json:"traffic_start"`
	TrafficEnd   *time.Time `json:"traffic_end"`
}

// refresh reads a service's live state and use from its platform.
func (s *Subject) refresh(r *jobs.Run) error {
	p := refreshPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	svc, err := s.load(r)
	if err != nil {
		return err
	}
	if !stands(svc) || svc.GetString("platform_service_id") == "" {
		return nil
	}
	a, err := s.adapter(r.App, svc)
	if err != nil {
		return err
	}
	reader, ok := a.(provisioning.StatusReader)
	if !ok {
		return nil
	}
	st, err := reader.Status(r.Context(), svc.GetString("platform_service_id"))
	if errors.Is(err, provisioning.ErrNotFound) {
		return r.App.RunInTransaction(func(tx core.App) error { return lost(tx, r.Service, r.Actor, r.Queued, r.Now()) })
	}
	if err != nil {
		return err
	}
	reading := provisioning.Reading{Status: st, Traffic: s.traffic(r, a, svc), At: r.Now()}
	s.watch.asked(svc.Id, reading.At, &reading)
	err = r.App.RunInTransaction(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, r.Service)
		if err != nil {
			return fmt.Errorf("service %s: %w", r.Service, err)
		}
		return record(tx, svc, reading, r.Actor, r.Queued)
	})
	if err != nil {
		return err
	}
	if p.Again > 0 && (st.Busy || r.Now().Sub(r.Queued) < time.Duration(p.Again)*settleTime) {
		return jobs.Later(settleTime)
	}
	return nil
}

// stands says that a service is built and has not ended.
func stands(svc *core.Record) bool {
	status := statusOf(svc)
	return status == provisioning.ServiceActive || status == provisioning.ServiceSuspended
}

// traffic reads the platform's counter; a platform without one, or a failing
// one, leaves the last figures.
func (s *Subject) traffic(r *jobs.Run, adapter any, svc *core.Record) *provisioning.Traffic {
	reader, ok := adapter.(provisioning.TrafficReader)
	if !ok {
		return nil
	}
	t, err := reader.Traffic(r.Context(), svc.GetString("platform_service_id"))
	if err != nil {
		return nil
	}
	return &t
}

// take puts the figures of a reading into the use; what it does not tell of traffic
// stays.
func (u *usage) take(r provisioning.Reading) {
	st := r.Status
	u.CPUPercent = nil
	if st.CPUPercent >= 0 {
		u.CPUPercent = &st.CPUPercent
	}
	u.MemoryUsed, u.MemoryTotal = reported(st.MemoryUsed), reported(st.MemoryTotal)
	u.DiskUsed, u.DiskTotal = reported(st.DiskUsed), reported(st.DiskTotal)
	if t := r.Traffic; t != nil {
		u.TrafficIn, u.TrafficOut, u.TrafficLimit = &t.BytesIn, &t.BytesOut, &t.Limit
		u.TrafficStart, u.TrafficEnd = &t.Start, &t.End
	}
}

// record stores a reading; readers of the record see it at once.
func record(tx core.App, svc *core.Record, r provisioning.Reading, actor string, queued time.Time) error {
	u := usage{}
	if err := collections.ReadJSON(svc, "usage", &u); err != nil {
		return err
	}
	u.take(r)
	svc.Load(map[string]any{"usage": u, "power": string(r.Status.Power), "power_at": collections.Stamp(r.At), "busy": r.Status.Busy})
	if err := noteSuspension(tx, svc, r, actor, queued); err != nil {
		return err
	}
	if err := collections.Save(tx, svc); err != nil {
		return fmt.Errorf("service %s: %w", svc.Id, err)
	}
	if len(r.Status.Addresses) == 0 {
		return nil
	}
	return assign(tx, svc, r.Status.Addresses, r.At)
}

// suspendedThere tells a customer why an active service does not work.
const suspendedThere = "The host has suspended this server, not we. Our team has been told."

// noteSuspension explains a service that is active here and suspended by its
// platform itself, as panels do at a limit of their own, or by people there. Nothing
// is undone: that is for staff, who reads it in the service's log.
func noteSuspension(tx core.App, svc *core.Record, r provisioning.Reading, actor string, queued time.Time) error {
	suspended := r.Status.Suspended
	if svc.GetString("action_note") == lostThere {
		svc.Set("action_note", "") // it was found again
	}
	noted := svc.GetString("action_note") == suspendedThere
	active := svc.GetString("status") == string(provisioning.ServiceActive) && svc.GetString("action") == ""
	switch {
	case suspended && active && !noted:
		svc.Set("action_note", suspendedThere)
		return writeLog(tx, svc, "refresh", "failed", actor, "", "the platform has suspended this server, which is active here: see its limits and who suspended it there", queued, r.At)
	case noted && (!suspended || !active):
		svc.Set("action_note", "")
	}
	return nil
}

func reported(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

// lostThere tells a customer that the server is gone.
const lostThere = "The host does not find this server. Our team has been told."

// lost notes that the platform does not know the server any more.
func lost(tx core.App, service, actor string, queued, now time.Time) error {
	svc, err := tx.FindRecordById(collections.Services, service)
	if err != nil {
		return fmt.Errorf("service %s: %w", service, err)
	}
	if !stands(svc) {
		return nil // it was ended meanwhile
	}
	known := svc.GetString("action_note") == lostThere
	svc.Load(map[string]any{"power": string(provisioning.PowerUnknown), "power_at": collections.Stamp(now), "action_note": lostThere})
	if err := collections.Save(tx, svc); err != nil || known {
		return err
	}
	return writeLog(tx, svc, "refresh", "failed", actor, "", "the platform does not know this server", queued, now)
}

// failStep marks the step that was under way as failed.
func failStep(svc *core.Record, note string, now time.Time) error {
	steps := []step{}
	if err := collections.ReadJSON(svc, "steps", &steps); err != nil {
		return err
	}
	for _, st := range steps {
		if st.State != "done" {
			svc.Set("steps", mark(steps, st.Name, "failed", note, now))
			break
		}
	}
	return nil
}
