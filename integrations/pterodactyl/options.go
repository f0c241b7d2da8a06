package pterodactyl

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Options lists nests, of a chosen one its eggs, of a chosen egg its images,
// locations, and for people the nodes with what is free on them.
func (c *Client) Options(ctx context.Context, chosen map[string]string) []provisioning.OptionList {
	return []provisioning.OptionList{
		panel.Listed(SettingNest, "Nest", choosing(func() ([]Choice, error) { return c.Nests(ctx) })),
		panel.After(SettingNest, chosen[SettingNest], SettingEgg, "Game (egg)", choosing(func() ([]Choice, error) { return c.Eggs(ctx, chosen[SettingNest]) })),
		panel.After(SettingEgg, chosen[SettingEgg], SettingImage, "Docker image", func() ([]provisioning.Option, error) { return c.images(ctx, chosen) }),
		panel.Listed(SettingLocations, "Location", choosing(func() ([]Choice, error) { return c.Locations(ctx) })),
		panel.Listed("", "Node", func() ([]provisioning.Option, error) { return c.nodeOptions(ctx) }),
	}
}

// choosing makes options of choices.
func choosing(read func() ([]Choice, error)) func() ([]provisioning.Option, error) {
	return func() ([]provisioning.Option, error) {
		found, err := read()
		list := []provisioning.Option{}
		for _, one := range found {
			list = append(list, provisioning.Option{Value: one.ID, Label: one.Name})
		}
		return list, err
	}
}

// images are those of a chosen egg, by the label under which a plan names them.
func (c *Client) images(ctx context.Context, chosen map[string]string) ([]provisioning.Option, error) {
	const op = "list the images of an egg"
	nest, err := strconv.ParseInt(chosen[SettingNest], 10, 64)
	if err != nil {
		return nil, vendor.Refuse(provisioning.ErrPermanent, op, "choose the nest of the egg too (%s)", SettingNest)
	}
	id, err := strconv.ParseInt(chosen[SettingEgg], 10, 64)
	if err != nil {
		return nil, vendor.Refuse(provisioning.ErrPermanent, op, "%s is %q, which is no number", SettingEgg, chosen[SettingEgg])
	}
	game, err := c.readEgg(ctx, op, nest, id)
	list := []provisioning.Option{}
	for _, label := range slices.Sorted(maps.Keys(game.Images.V)) {
		list = append(list, provisioning.Option{Value: label, Label: label, Details: string(game.Images.V[label])})
	}
	return list, err
}

func (c *Client) nodeOptions(ctx context.Context) ([]provisioning.Option, error) {
	nodes, err := c.Nodes(ctx)
	list := []provisioning.Option{}
	for _, n := range nodes {
		list = append(list, provisioning.Option{
			Label: n.Name, Group: "Location " + n.Location, Off: !n.Public,
			Details: fmt.Sprintf("%d MB of memory and %d MB of disk free", n.MemoryMB, n.DiskMB),
		})
	}
	return list, err
}
