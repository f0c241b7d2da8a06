package provisioning

import (
	"context"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/op"
)

// testPatience is how long staff waits for a test of the connection.
const testPatience = 45 * time.Second

// checkView is one line of a report.
type checkView struct {
	What  string `json:"what"`
	State string `json:"state"` // ok, failed, unknown
	Text  string `json:"text"`
	Do    string `json:"do"` // what helps
}

// platformTest is a report: the message is its first failure.
type platformTest struct {
	OK      bool        `json:"ok"`
	Message string      `json:"message"`
	Checks  []checkView `json:"checks"`
}

// testPlatform looks whether a platform can be worked with; a failure is an answer.
func (s *Subject) testPlatform(r *op.Request, in byID) (platformTest, error) {
	platform, err := s.platformOf(r.App, in.ID)
	if err != nil {
		return platformTest{}, err
	}
	limited, cancel := context.WithTimeout(r.Request.Context(), testPatience)
	defer cancel()
	return viewReport(s.examine(limited, r.App, platform)), nil
}

// examine makes the report of a platform. Of one that staff works by hand there is
// nothing to connect to.
func (s *Subject) examine(ctx context.Context, app core.App, platform *core.Record) provisioning.Report {
	adapter, err := s.platform(app, platform)
	if err != nil {
		return provisioning.Report{{
			What: "Settings", State: provisioning.CheckFailed, Found: "It is not set up: " + err.Error() + ".", Do: "Correct address, token and settings of the platform.", Err: err,
		}}
	}
	report := provisioning.Report{{What: "Settings", State: provisioning.CheckOK, Found: "Address, key and settings are complete."}}
	tester, ok := adapter.(provisioning.Tester)
	if !ok {
		return provisioning.Report{{What: "Staff", State: provisioning.CheckOK, Found: "Staff does the work by hand, so there is nothing to connect to."}}
	}
	if !platform.GetBool("enabled") {
		report = append(report, provisioning.Check{What: "Use", State: provisioning.CheckUnknown, Found: "It is switched off and takes no new services.", Do: "Set enabled once all else is well."})
	}
	return append(report, tester.Test(ctx)...)
}

func viewReport(report provisioning.Report) platformTest {
	v := platformTest{OK: report.OK(), Message: "Connected.", Checks: []checkView{}}
	for _, c := range report {
		if c.State == provisioning.CheckFailed && v.Message == "Connected." {
			v.Message = strings.TrimSpace(c.Found + " " + c.Do)
		}
		v.Checks = append(v.Checks, checkView{c.What, string(c.State), c.Found, c.Do})
	}
	return v
}
