package provisioning

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
)

// deletion is when the data of a service is deleted, as far as things stand, or
// was; zero while nothing is to be deleted. What ended keeps its data for a time;
// what is unpaid has the day that its customer was written.
func (s *Subject) deletion(app core.App, svc, sub *core.Record) (time.Time, error) {
	if statusOf(svc) == provisioning.ServiceTerminated {
		return collections.Time(svc, "terminated_at"), nil
	}
	ends := collections.Time(sub, "ends_at")
	if sub.GetString("access") == "ended" {
		ends = collections.Time(sub, "access_at")
	}
	if !ends.IsZero() {
		keep, err := collections.LoadServicing(app)
		return ends.AddDate(0, 0, keep.DeleteAfterDays), err
	}
	if svc.GetString("hold") != holdOverdue {
		return time.Time{}, nil
	}
	return announcedEnd(app, sub.Id)
}

// announcedEnd is the day of deletion that the customer of an unpaid service was
// told last; zero for none.
func announcedEnd(app core.App, subscription string) (time.Time, error) {
	details := []string{}
	err := app.DB().NewQuery("SELECT `d`.`detail` FROM `dunning_steps` `d` JOIN `invoices` `i` ON `i`.`id` = `d`.`invoice` WHERE `d`.`kind` IN ('suspend', 'final_warning') AND `i`.`status` IN ('open', 'uncollectible')" +
		" AND EXISTS (SELECT 1 FROM `invoice_items` `l` WHERE `l`.`invoice` = `i`.`id` AND `l`.`subscription` = {:subscription}) ORDER BY `d`.`rowid` DESC LIMIT 1").
		Bind(dbx.Params{"subscription": subscription}).Column(&details)
	if err != nil || len(details) == 0 {
		return time.Time{}, err
	}
	told := struct {
		On time.Time `json:"on"`
	}{}
	if err := json.Unmarshal([]byte(details[0]), &told); err != nil {
		return time.Time{}, fmt.Errorf("step about subscription %s: %w", subscription, err)
	}
	return told.On, nil
}
