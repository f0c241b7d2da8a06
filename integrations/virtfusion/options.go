package virtfusion

import (
	"context"
	"fmt"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Options lists packages, hypervisor groups and, of a chosen package, its systems.
func (c *Client) Options(ctx context.Context, chosen map[string]string) []provisioning.OptionList {
	return []provisioning.OptionList{
		panel.Listed(SettingPackage, "Package", func() ([]provisioning.Option, error) {
			found, err := c.Packages(ctx)
			list := []provisioning.Option{}
			for _, p := range found {
				list = append(list, provisioning.Option{Value: p.ID, Label: p.Name, Details: p.details(), Off: !p.Enabled})
			}
			return list, err
		}),
		panel.Listed(SettingGroup, "Hypervisor group", func() ([]provisioning.Option, error) {
			found, err := c.Groups(ctx)
			list := []provisioning.Option{}
			for _, g := range found {
				list = append(list, provisioning.Option{Value: g.ID, Label: g.Name, Off: !g.Enabled})
			}
			return list, err
		}),
		panel.After(SettingPackage, chosen[SettingPackage], SettingTemplate, "Operating system", func() ([]provisioning.Option, error) {
			found, err := c.Templates(ctx, chosen[SettingPackage])
			list := []provisioning.Option{}
			for _, t := range found {
				o := provisioning.Option{Value: t.ID, Label: t.Name, Group: t.Family}
				if t.EOL {
					o.Details = "its maker no longer supports it"
				}
				list = append(list, o)
			}
			return list, err
		}),
		panel.Fixed(SettingSwap, "Swap (256 to 768 are MB, the others GB)", SwapSizes()...),
	}
}

// details are a package's sizes for people.
func (p Package) details() string {
	traffic := "no traffic limit"
	if p.TrafficGB > 0 {
		traffic = fmt.Sprintf("%d GB of traffic", p.TrafficGB)
	}
	return fmt.Sprintf("%d cores, %d MB of memory, %d GB of disk, %s", p.CPUCores, p.MemoryMB, p.DiskGB, traffic)
}
