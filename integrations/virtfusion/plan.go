package virtfusion

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// The settings of a plan that this adapter reads.
const (
	SettingPackage  = "package_id"  // required; the package
	SettingGroup    = "group_id"    // required; the hypervisor group
	SettingTemplate = "template_id" // required; the operating system
	SettingIPv4     = "ipv4"        // number of addresses, 0–64; "" is 1
	SettingIPv6     = "ipv6"        // "true" asks for a subnet
	SettingSwap     = "swap"        // one of SwapSizes; "" leaves it to the panel
)

// maxIPv4 bounds the number of addresses of one order: a typing error must not
// empty an address block.
const maxIPv4 = 64

// SwapSizes are the values the panel takes: 256 to 768 are MB, the others GB.
func SwapSizes() []string {
	return []string{"256", "512", "768", "1", "1.5", "2", "3", "4", "5", "6", "8"}
}

// plan is an order's settings, checked.
type plan struct {
	packageID  int64
	groupID    int64
	templateID int64
	ipv4       int64
	ipv6       bool
	swap       float64 // 0 when not asked for
}

// parsePlan checks the settings before anything is created. Its errors name the
// setting and are permanent: only a person can correct a plan.
func parsePlan(o provisioning.Order) (plan, error) {
	p := plan{ipv4: 1}
	op := "read the plan of service " + o.ServiceID
	for key, dst := range map[string]*int64{SettingPackage: &p.packageID, SettingGroup: &p.groupID, SettingTemplate: &p.templateID} {
		n, err := strconv.ParseInt(strings.TrimSpace(o.Settings[key]), 10, 64)
		if err != nil || n < 1 {
			return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "the setting %s must be a whole number from 1, it is %q", key, o.Settings[key])
		}
		*dst = n
	}
	if s := strings.TrimSpace(o.Settings[SettingIPv4]); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || n > maxIPv4 {
			return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "the setting %s must be 0 to %d, it is %q", SettingIPv4, maxIPv4, s)
		}
		p.ipv4 = n
	}
	switch s := strings.TrimSpace(o.Settings[SettingIPv6]); s {
	case "", "false", "0":
	case "true", "1":
		p.ipv6 = true
	default:
		return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "the setting %s must be true or false, it is %q", SettingIPv6, s)
	}
	if s := strings.TrimSpace(o.Settings[SettingSwap]); s != "" {
		if !slices.Contains(SwapSizes(), s) {
			return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "the setting %s must be one of %s, it is %q", SettingSwap, strings.Join(SwapSizes(), ", "), s)
		}
		p.swap, _ = strconv.ParseFloat(s, 64) // every listed size parses
	}
	return p, nil
}
