package synergycp

import (
	"context"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Options lists the parts that servers are made of, locations, port speeds and what
// can be installed.
func (c *Client) Options(ctx context.Context, _ map[string]string) []provisioning.OptionList {
	parts := func(kind PartKind) func() ([]provisioning.Option, error) {
		return choosing(func() ([]Choice, error) { return c.Parts(ctx, kind) })
	}
	return []provisioning.OptionList{
		panel.Listed(SettingCPU, "Processor", parts(CPUs)),
		panel.Listed(SettingMemory, "Memory", parts(Memory)),
		panel.Listed(SettingDisks, "Disks", parts(Disks)),
		panel.Listed(SettingAddons, "Add-ons", parts(Addons)),
		panel.Listed(SettingGroups, "Location (IP group)", choosing(func() ([]Choice, error) { return c.Groups(ctx) })),
		panel.Listed(SettingPortSpeed, "Port speed", choosing(func() ([]Choice, error) { return c.PortSpeeds(ctx) })),
		panel.Listed(SettingProfiles, "Installation (PXE profile)", choosing(func() ([]Choice, error) { return c.Profiles(ctx) })),
	}
}

// choosing makes options of choices. One without a billing id cannot be named.
func choosing(read func() ([]Choice, error)) func() ([]provisioning.Option, error) {
	return func() ([]provisioning.Option, error) {
		found, err := read()
		list := []provisioning.Option{}
		for _, one := range found {
			o := provisioning.Option{Value: one.BillingID, Label: one.Name}
			if o.Off = o.Value == ""; o.Off {
				o.Details = "has no billing id: give it one in the panel, so that plans can name it"
			}
			list = append(list, o)
		}
		return list, err
	}
}
