package enhance

import (
	"context"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Options lists the plans of the selling organization, and what is sold of one.
func (c *Client) Options(ctx context.Context, _ map[string]string) []provisioning.OptionList {
	return []provisioning.OptionList{
		panel.Listed(SettingPlan, "Plan", func() ([]provisioning.Option, error) {
			found, err := c.Plans(ctx)
			list := []provisioning.Option{}
			for _, p := range found {
				list = append(list, provisioning.Option{Value: p.ID, Label: p.Name})
			}
			return list, err
		}),
		panel.Fixed(SettingKind, "What is sold", string(kindWebsite), string(kindMySQL)),
	}
}
