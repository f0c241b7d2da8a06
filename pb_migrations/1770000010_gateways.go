package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(gatewaysUp, gatewaysDown) }

// gatewaySetup lets every gateway be set up in its record: which of the vendor's
// environments it is, and the client id that PayPal wants beside the secret.
var gatewaySetup = change{name: "gateways", fields: []core.Field{
	&core.TextField{Name: "client_id", Max: 300, Help: "PayPal alone: the client id of the REST app"},
	&core.SelectField{Name: "environment", Values: []string{"live", "test"}, MaxSelect: 1, Help: "of the keys; saved methods of one are unknown in the other"},
}}

func gatewaysUp(app core.App) error { return alter(app, gatewaySetup) }

func gatewaysDown(app core.App) error { return undo(app, gatewaySetup) }
