package synergycp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// The settings of a plan that this adapter reads. The panel has no plans: what is
// sold is a tuple of billing ids, which its staff gives to parts and groups. Lists
// have commas between.
const (
	SettingCPU       = "cpu_billing"         // required
	SettingMemory    = "mem_billing"         // required
	SettingDisks     = "disks_billing"       // each disk: "SSD-960,SSD-960"
	SettingAddons    = "addons_billing"      // each add-on
	SettingGroups    = "ip_group_billing"    // required; IP groups, which are locations, any of them
	SettingIPs       = "ips_billing"         // required; the IP entity
	SettingProfiles  = "pxe_profile_billing" // installed one after the other: "format-quick,os-debian12"; "" is none
	SettingPortSpeed = "port_speed_billing"  // "" leaves the port as it is
	SettingBandwidth = "max_bandwidth"       // "10TB", "500GB"; "" is no limit. At the limit the panel suspends by itself
	SettingPXE       = "access_pxe"          // "true": the client may install systems
	SettingIPMI      = "access_ipmi"         // "true": the client may switch power; the portal needs it too
	SettingSwitch    = "access_switch"       // "true": the client may switch the port
	SettingUsername  = "username"            // of the installed system; "" is root
)

// plan is an order's settings, checked.
type plan struct {
	cpu, memory   string
	disks, addons []string
	groups        []string
	ips           string
	profiles      []string
	speed         string
	limit         int64 // bits a cycle; 0 is none
	rights        rights
	username      string
}

// rights are what the client may do with the server, in the panel and from here.
type rights struct {
	PXE    bool `json:"pxe"`
	IPMI   bool `json:"ipmi"`
	Switch bool `json:"switch"`
}

// settings are a plan's settings with what was found wrong first.
type settings struct {
	of  map[string]string
	err error
}

func (s *settings) text(name string) string { return strings.TrimSpace(s.of[name]) }

func (s *settings) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

func (s *settings) required(name string) string {
	v := s.text(name)
	if v == "" {
		s.fail("the setting %s is missing: give the billing id that the panel has for it", name)
	}
	return v
}

// list splits at commas. A billing id holds no blanks.
func (s *settings) list(name string) []string {
	parts := strings.FieldsFunc(s.of[name], func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
	return slices.DeleteFunc(parts, func(p string) bool { return p == "None" })
}

func (s *settings) yes(name string) bool {
	switch s.text(name) {
	case "", "false", "0":
		return false
	case "true", "1":
		return true
	}
	s.fail("the setting %s must be true or false, it is %q", name, s.text(name))
	return false
}

// bits reads an amount of data, by decimal units as the panel does.
func (s *settings) bits(name string) int64 {
	v := strings.ToUpper(strings.ReplaceAll(s.text(name), " ", ""))
	if v == "" {
		return 0
	}
	for unit, bytes := range map[string]int64{"GB": 1e9, "TB": 1e12} {
		if n, err := strconv.ParseInt(strings.TrimSuffix(v, unit), 10, 64); err == nil && strings.HasSuffix(v, unit) && n > 0 && n <= 1_000_000 {
			return n * bytes * 8
		}
	}
	s.fail("the setting %s must be such as 500GB or 10TB, or left out for no limit; it is %q", name, s.text(name))
	return 0
}

// raids are names that the vendor's WHMCS module makes into an option of its own
// and that no part carries.
var raids = []string{"ADD-RAID0", "ADD-RAID1"}

// parsePlan checks the settings before anything is ordered. Its errors name the
// setting and are permanent: only a person can correct a plan.
func parsePlan(of map[string]string, op string) (plan, error) {
	s := &settings{of: of}
	p := plan{
		cpu: s.required(SettingCPU), memory: s.required(SettingMemory), disks: s.list(SettingDisks), addons: s.list(SettingAddons), groups: s.list(SettingGroups),
		ips: s.required(SettingIPs), profiles: s.list(SettingProfiles), speed: s.text(SettingPortSpeed), limit: s.bits(SettingBandwidth),
		rights: rights{s.yes(SettingPXE), s.yes(SettingIPMI), s.yes(SettingSwitch)}, username: s.text(SettingUsername),
	}
	if len(p.groups) == 0 {
		s.fail("the setting %s is missing: give the billing id of an IP group, which is a location", SettingGroups)
	}
	for _, raid := range raids {
		if slices.Contains(p.addons, raid) {
			s.fail("the setting %s names %s, which is no part: software RAID is set up by a PXE profile of its own", SettingAddons, raid)
		}
	}
	if len(p.profiles) > 8 {
		s.fail("the setting %s names more than 8 installations", SettingProfiles)
	}
	if p.username == "" {
		p.username = "root"
	}
	if s.err != nil {
		return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "%s", s.err)
	}
	return p, nil
}

// tuple names what is ordered, for people.
func (p plan) tuple() string {
	list := append([]string{p.cpu, p.memory}, slices.Concat(p.disks, p.addons)...)
	return strings.Join(list, " + ") + " in " + strings.Join(p.groups, " or ")
}
