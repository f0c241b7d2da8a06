package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() { m.Register(accountsUp, accountsDown) }

// accountsUp turns PocketBase's users into customers and adds their profile,
// the settings and the audit log.
func accountsUp(app core.App) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	own := types.Pointer(`@request.auth.collectionName = "users" && id = @request.auth.id`)
	users.ListRule, users.ViewRule = own, own
	users.CreateRule, users.UpdateRule, users.DeleteRule = nil, nil, nil
	users.AuthRule = types.Pointer(`status = "active"`)
	users.Fields.Add(
		choice("status", "active", "suspended", "banned"),
		text("locale", 20), text("time_zone", 60),
		&core.TextField{Name: "currency", Max: 3, Pattern: `^([A-Z]{3})?$`, Help: "fixed by the first order"},
		date("terms_accepted_at"),
	)
	users.Fields.RemoveByName("avatar")
	users.OAuth2.MappedFields.AvatarURL = ""
	if name, ok := users.Fields.GetByName("name").(*core.TextField); ok {
		name.Max, name.Presentable = 200, true
	}
	if password, ok := users.Fields.GetByName("password").(*core.PasswordField); ok {
		password.Min = 10
	}
	if err := app.Save(users); err != nil {
		return err
	}
	return create(app,
		table{
			name: "user_profiles", owner: true,
			fields: []core.Field{
				rel("user", "users"),
				text("company", 200), text("street", 300), text("city", 120), text("postcode", 20), text("region", 120),
				&core.TextField{Name: "country", Max: 2, Pattern: `^([A-Z]{2})?$`, Help: "ISO 3166 code"},
				text("tax_id", 40), text("phone", 40),
				hidden("notes", 10000, "for staff; customers never see it"),
			},
			indexes: []index{unique("idx_user_profiles_user", "`user`")},
		},
		table{
			name: "settings",
			fields: []core.Field{
				&core.TextField{Name: "key", Max: 60, Required: true, Presentable: true, Pattern: `^[a-z_]+$`},
				object("value", 100_000),
			},
			indexes: []index{unique("idx_settings_key", "`key`")},
		},
		table{
			name: "audit_logs",
			fields: []core.Field{
				&core.NumberField{Name: "seq", OnlyInt: true, Required: true},
				date("at"),
				choice("actor_kind", "system", "customer", "staff"),
				text("actor", 60), title("action", 80),
				text("resource", 60), text("resource_id", 60),
				text("ip", 60), text("user_agent", 400),
				object("changes", 200_000),
				text("prev_hash", 64), need("hash", 64),
			},
			indexes: []index{
				unique("idx_audit_logs_seq", "`seq`"),
				lookup("idx_audit_logs_resource", "`resource`, `resource_id`"),
			},
		},
	)
}

func accountsDown(app core.App) error { return drop(app, "audit_logs", "settings", "user_profiles") }
