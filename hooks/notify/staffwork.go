package notify

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/mail"
)

// Work tells staff, in the transaction that says so, that a job about a service was
// given up or waits for people: by one mail a day for each platform, however many
// there are.
func (s *Subject) Work(tx core.App, platform string) error {
	return s.gather(tx, mail.StaffWork, platform)
}

// work is what there is to say of the jobs of a platform's services that wait for
// staff, and the platform's name.
func work(app core.App, platform string) (name string, data mail.Data, err error) {
	if name, err = platformName(app, platform); err != nil {
		return "", data, err
	}
	rows := []struct {
		Kind    string `db:"kind"`
		Service string `db:"service"`
		Why     string `db:"error"`
		All     int    `db:"all"`
	}{}
	err = app.DB().NewQuery("SELECT `j`.`kind`, IIF(`s`.`hostname` != '', `s`.`hostname`, `s`.`id`) AS `service`, `j`.`error`, COUNT(*) OVER () AS `all`" +
		" FROM `jobs` `j` JOIN `services` `s` ON `s`.`id` = `j`.`service` WHERE `s`.`platform` = {:platform} AND `j`.`state` IN ('failed', 'parked') AND `j`.`kind` != 'service.refresh'" +
		" ORDER BY `j`.`updated` DESC, `j`.`rowid` DESC LIMIT 1").Bind(dbx.Params{"platform": platform}).All(&rows)
	if err != nil {
		return name, data, fmt.Errorf("work that waits at platform %s: %w", name, err)
	}
	if len(rows) == 0 {
		return name, data, nil
	}
	return name, mail.Data{Count: rows[0].All, Title: rows[0].Kind + ", " + rows[0].Service, Reason: collections.Cut(rows[0].Why, 300)}, nil
}

// Drift tells staff, in the transaction that keeps it, that a comparison with a
// platform's list has found something new: by one mail a day, however much there is.
func (s *Subject) Drift(tx core.App, platform string) error {
	return s.gather(tx, mail.StaffDrift, platform)
}

// drifted is what there is to say of a platform's findings that are open, and its
// name.
func drifted(app core.App, platform string) (name string, data mail.Data, err error) {
	if name, err = platformName(app, platform); err != nil {
		return "", data, err
	}
	data, err = findings(app, "drift_findings", "platform", platform)
	return name, data, err
}

// platformName is what staff calls a platform.
func platformName(app core.App, id string) (string, error) {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"id": id})
	if err != nil || platform == nil {
		return id, err
	}
	return platform.GetString("name"), nil
}
