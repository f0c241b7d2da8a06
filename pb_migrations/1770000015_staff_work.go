package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(staffWorkUp, staffWorkDown) }

var staffWork = change{name: "services", fields: []core.Field{
	&core.BoolField{Name: "by_hand", Help: "staff took it over from its platform: nothing is asked of the platform until it is handed back"},
}}

// staffWorkUp lets staff take a service over, and adds the links that show its
// sign-in once. Of a link only the hash of its token is kept.
func staffWorkUp(app core.App) error {
	if err := alter(app, staffWork); err != nil {
		return err
	}
	return create(app, table{
		name: "credential_links",
		fields: []core.Field{
			rel("user", "users"), rel("service", "services"), hidden("hash", 64, "of the token"), date("expires_at"), date("used_at"),
		},
		indexes: []index{unique("idx_credential_links_hash", "`hash`"), lookup("idx_credential_links_service", "`service`")},
	})
}

func staffWorkDown(app core.App) error {
	if err := drop(app, "credential_links"); err != nil {
		return err
	}
	return undo(app, staffWork)
}
