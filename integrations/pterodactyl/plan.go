package pterodactyl

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The settings of a plan that this adapter reads. Sizes are MB, as in the panel.
const (
	SettingNest        = "nest_id"      // required; the nest of the egg
	SettingEgg         = "egg_id"       // required; the game
	SettingMemory      = "memory"       // required; MB, 0 is unlimited
	SettingDisk        = "disk"         // required; MB, 0 is unlimited
	SettingCPU         = "cpu"          // required; percent of one thread, 0 is unlimited
	SettingSwap        = "swap"         // MB, -1 is unlimited; "" is 0
	SettingIO          = "io"           // block-IO weight, 10–1000; "" is 500
	SettingThreads     = "threads"      // threads to pin to, "0-1,3"; "" is any
	SettingDatabases   = "databases"    // how many the customer may make; "" is 0
	SettingBackups     = "backups"      // likewise
	SettingAllocations = "allocations"  // likewise, of further ports
	SettingLocations   = "location_ids" // "1,2"; "" is any
	SettingDedicatedIP = "dedicated_ip" // "true": an address that no other server has
	SettingPorts       = "port_range"   // "25565,25600-25700"; "" is any
	SettingImage       = "docker_image" // one of the egg's, by label or image; "" is its first
	SettingStartup     = "startup"      // "" is the egg's
)

// VariablePrefix starts the settings that are values of the egg's variables:
// env_MINECRAFT_VERSION.
const VariablePrefix = "env_"

// limits are a server's resources, features what its customer may make of each.
type limits struct {
	Memory  int64   `json:"memory"`
	Swap    int64   `json:"swap"`
	Disk    int64   `json:"disk"`
	IO      int64   `json:"io"`
	CPU     int64   `json:"cpu"`
	Threads *string `json:"threads"`
}

type features struct {
	Databases   int64 `json:"databases"`
	Allocations int64 `json:"allocations"`
	Backups     int64 `json:"backups"`
}

// plan is an order's settings, checked.
type plan struct {
	nest, egg int64
	limits    limits
	features  features
	locations []int64
	dedicated bool
	ports     []string
	image     string
	startup   string
	variables map[string]string
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

// whole reads a number between low and high; byDefault where it is left out, and
// an error where that is not allowed (byDefault is less than low).
func (s *settings) whole(name string, low, high, byDefault int64) int64 {
	value := s.text(name)
	if value == "" && byDefault >= low {
		return byDefault
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < low || n > high {
		s.fail("the setting %s must be a whole number from %d to %d, it is %q", name, low, high, value)
	}
	return n
}

// size reads a required amount of which little is a mistake of units.
func (s *settings) size(name string, least int64, unit string) int64 {
	n := s.whole(name, 0, math.MaxInt32, -1)
	if n > 0 && n < least {
		s.fail("the setting %s is in %s, and %d is less than any server needs (0 is unlimited)", name, unit, n)
	}
	return n
}

var (
	portRange  = regexp.MustCompile(`^\d{4,5}(-\d{4,5})?$`)
	threadList = regexp.MustCompile(`^[0-9-,]*$`)
)

// parts splits a list at commas.
func (s *settings) parts(name string) []string {
	return strings.FieldsFunc(s.of[name], func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
}

// parsePlan checks the settings before anything is created. Its errors name the
// setting and are permanent: only a person can correct a plan.
func parsePlan(of map[string]string, op string) (plan, error) {
	s := &settings{of: of}
	p := plan{
		nest: s.whole(SettingNest, 1, math.MaxInt32, 0), egg: s.whole(SettingEgg, 1, math.MaxInt32, 0), limits: s.limits(), features: s.features(),
		locations: []int64{}, ports: []string{}, image: s.text(SettingImage), startup: s.text(SettingStartup), variables: map[string]string{},
	}
	for _, part := range s.parts(SettingLocations) {
		id, err := strconv.ParseInt(part, 10, 64)
		if err != nil || id < 1 {
			s.fail("the setting %s must be location ids such as 1,2, it is %q", SettingLocations, s.of[SettingLocations])
		}
		p.locations = append(p.locations, id)
	}
	for _, part := range s.parts(SettingPorts) {
		if !portRange.MatchString(part) {
			s.fail("the setting %s must be ports such as 25565,25600-25700, it is %q", SettingPorts, s.of[SettingPorts])
		}
		p.ports = append(p.ports, part)
	}
	switch s.text(SettingDedicatedIP) {
	case "", "false", "0":
	case "true", "1":
		p.dedicated = true
	default:
		s.fail("the setting %s must be true or false, it is %q", SettingDedicatedIP, s.text(SettingDedicatedIP))
	}
	for name, value := range of {
		if variable, is := strings.CutPrefix(name, VariablePrefix); is {
			p.variables[variable] = value
		}
	}
	if s.err != nil {
		return plan{}, vendor.Refuse(provisioning.ErrPermanent, op, "%s", s.err)
	}
	return p, nil
}

func (s *settings) limits() limits {
	l := limits{
		Memory: s.size(SettingMemory, 64, "MB"), Disk: s.size(SettingDisk, 64, "MB"), CPU: s.size(SettingCPU, 5, "percent of one thread"),
		Swap: s.whole(SettingSwap, -1, math.MaxInt32, 0), IO: s.whole(SettingIO, 10, 1000, 500),
	}
	if list := s.text(SettingThreads); list != "" {
		if !threadList.MatchString(list) {
			s.fail("the setting %s must be threads such as 0-1,3, it is %q", SettingThreads, list)
		}
		l.Threads = &list
	}
	return l
}

func (s *settings) features() features {
	return features{Databases: s.whole(SettingDatabases, 0, 1000, 0), Allocations: s.whole(SettingAllocations, 0, 1000, 0), Backups: s.whole(SettingBackups, 0, 1000, 0)}
}

// egg is a game as the panel knows it.
type egg struct {
	ID        panel.Number                 `json:"id"`
	Nest      panel.Number                 `json:"nest"`
	Name      panel.Text                   `json:"name"`
	Startup   panel.Text                   `json:"startup"`
	Image     panel.Text                   `json:"docker_image"` // the first of the images
	Images    panel.Maybe[map[string]word] `json:"docker_images"`
	Relations panel.Maybe[struct {
		Variables panel.Maybe[struct {
			Data panel.Many[item[variable]] `json:"data"`
		}] `json:"variables"`
	}] `json:"relationships"`
}

type variable struct {
	Name    panel.Text `json:"name"`
	Env     panel.Text `json:"env_variable"`
	Default panel.Text `json:"default_value"`
	Rules   panel.Text `json:"rules"`
}

func (v variable) required() bool {
	return slices.Contains(strings.Split(string(v.Rules), "|"), "required")
}

func (e egg) variables() []variable {
	list := []variable{}
	for _, v := range e.Relations.V.Variables.V.Data {
		if v.Attributes.Env != "" {
			list = append(list, v.Attributes)
		}
	}
	return list
}

// imageOf finds the image that a setting names; "" is the egg's first.
func (e egg) imageOf(op, wanted string) (string, error) {
	labels := []string{}
	for label, image := range e.Images.V {
		if wanted != "" && (wanted == label || wanted == string(image)) {
			return string(image), nil
		}
		labels = append(labels, label)
	}
	slices.Sort(labels)
	switch {
	case wanted == "" && e.Image != "":
		return string(e.Image), nil
	case wanted == "" && len(labels) > 0:
		return string(e.Images.V[labels[0]]), nil
	case wanted == "":
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "egg %s has no image", e.ID.ID())
	case len(labels) == 0 && wanted == string(e.Image):
		return wanted, nil
	}
	return "", vendor.Refuse(provisioning.ErrPermanent, op, "the setting %s is %q, which egg %s does not offer; it has %s", SettingImage, wanted, e.ID.ID(), strings.Join(labels, ", "))
}

// environment gives every variable of the egg a value: the plan's, or what
// otherwise says, or the egg's default. The panel fills in nothing by itself.
func (e egg) environment(op string, given, otherwise map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range e.variables() {
		name := string(v.Env)
		value, planned := given[name]
		if !planned {
			value = string(v.Default)
			if kept, there := otherwise[name]; there {
				value = kept
			}
		}
		if value == "" && v.required() {
			return nil, vendor.Refuse(provisioning.ErrPermanent, op, "egg %s requires a value for %s (%s): set %s%s in the plan or ask for it as a choice", e.ID.ID(), name, panel.Clean(string(v.Name)), VariablePrefix, name)
		}
		out[name] = value
	}
	for name := range given {
		if _, known := out[name]; !known {
			return nil, vendor.Refuse(provisioning.ErrPermanent, op, "the setting %s%s names a variable that egg %s does not have", VariablePrefix, name, e.ID.ID())
		}
	}
	return out, nil
}
