package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() { m.Register(panelsUp, panelsDown) }

func numberUpTo(name string, limit float64, help string) *core.NumberField {
	return &core.NumberField{Name: name, OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(limit), Help: help}
}

// panels lets several platforms of a kind share the orders of a plan: a group with
// shares and limits, what differs from panel to panel, and where and when a service
// got its place.
var panels = []change{
	{name: "platforms", fields: []core.Field{
		&core.TextField{Name: "group", Max: 60, Help: "platforms of a kind with the same group share the orders of each other's plans; empty: it builds its own plans alone"},
		numberUpTo("weight", 1000, "share of the group's services; 0 is 1"),
		numberUpTo("capacity", 1e6, "most services that it takes; 0 is no limit"),
		&core.BoolField{Name: "closed_to_new", Help: "keeps what it has and takes nothing new"},
		numberUpTo("calls_per_second", 1000, "most calls in a second; 0 is no limit"),
		numberUpTo("calls_burst", 1000, "how many calls may be made at once after a rest; 0 is one second's"),
	}},
	{name: "plans", fields: []core.Field{
		&core.JSONField{Name: "panel_settings", MaxSize: 50_000, Hidden: true, Help: `what differs at other platforms of the group, by platform id: {"abc123def456ghi": {"package_id":"7","template_id":{"8":"31"}}}`},
	}},
	{
		name: "services", fields: []core.Field{date("placed_at"), hidden("home_platform", 20, "the platform that it was sold for, where it is built at another"), staffObject("panel_settings", 20_000)},
		indexes: []index{lookup("idx_services_platform", "`platform`, `status`")},
	},
}

func panelsUp(app core.App) error {
	if err := alter(app, panels...); err != nil {
		return err
	}
	// What is being built has its place.
	return exec(app, "UPDATE `services` SET `placed_at` = `updated` WHERE `status` = 'provisioning' AND IFNULL(`build`, '') NOT IN ('', 'null')")
}

func panelsDown(app core.App) error { return undo(app, panels...) }
