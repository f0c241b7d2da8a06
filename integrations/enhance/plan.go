package enhance

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// The settings of a plan that this adapter reads.
const (
	SettingPlan        = "plan_id"         // required; a plan of the selling organization
	SettingKind        = "kind"            // "website" (or "") or "mysql", a managed database
	SettingServerGroup = "server_group_id" // UUID; "" leaves the choice to the plan
	SettingPHP         = "php_version"     // "php83"; "" is the plan's
	SettingSuffix      = "domain_suffix"   // of kind mysql, required: the panel hangs a database on a website, whose name is made under this domain
)

// kind is what is sold of a subscription.
type kind string

const (
	kindWebsite kind = "website"
	kindMySQL   kind = "mysql"
)

// plan is an order's settings, checked.
type plan struct {
	id     int64
	kind   kind
	group  string
	php    string
	domain string
}

var (
	phpForm    = regexp.MustCompile(`^php\d{2,3}$`)
	domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)
)

// parsePlan checks an order before anything is made. Its errors name the setting
// and are permanent: only a person can correct a plan.
func parsePlan(o provisioning.Order) (plan, error) {
	op := "read the plan of service " + o.ServiceID
	p, err := parseSettings(o.Settings)
	if err != nil {
		return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "%s", err)
	}
	p.domain = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(strings.TrimSpace(o.Hostname), ".")), "www.")
	if p.kind == kindMySQL {
		p.domain = strings.ToLower(o.ServiceID) + "." + strings.Trim(strings.ToLower(strings.TrimSpace(o.Settings[SettingSuffix])), ".")
	}
	if !domainForm.MatchString(p.domain) || len(p.domain) > 253 {
		return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "%q is no domain: hosting needs one such as example.com, in ASCII letters (xn--… for others), and the kind mysql the setting %s", p.domain, SettingSuffix)
	}
	return p, nil
}

func parseSettings(of map[string]string) (plan, error) {
	text := func(name string) string { return strings.TrimSpace(of[name]) }
	id, err := strconv.ParseInt(text(SettingPlan), 10, 64)
	p := plan{id: id, kind: kind(text(SettingKind)), group: strings.ToLower(text(SettingServerGroup)), php: text(SettingPHP)}
	switch {
	case err != nil || id < 1 || id > math.MaxInt32:
		return plan{}, fmt.Errorf("the setting %s must be the number of a plan, it is %q", SettingPlan, text(SettingPlan))
	case p.kind != "" && p.kind != kindWebsite && p.kind != kindMySQL:
		return plan{}, fmt.Errorf("the setting %s must be website or mysql, it is %q", SettingKind, p.kind)
	case p.group != "" && !uuidForm.MatchString(p.group):
		return plan{}, fmt.Errorf("the setting %s must be the id (UUID) of a server group, it is %q", SettingServerGroup, p.group)
	case p.php != "" && !phpForm.MatchString(p.php):
		return plan{}, fmt.Errorf("the setting %s must be such as php83, it is %q", SettingPHP, p.php)
	case p.kind == "":
		p.kind = kindWebsite
	}
	return p, nil
}
