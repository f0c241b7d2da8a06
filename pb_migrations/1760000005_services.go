package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(servicesUp, servicesDown) }

// servicesUp adds services, the work on them and the mails about them.
func servicesUp(app core.App) error {
	return create(app,
		table{
			name: "services", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("subscription", "subscriptions"), rel("plan", "plans"), rel("platform", "platforms"),
				&core.TextField{Name: "label", Max: 80, Presentable: true},
				choice("service_type", "vps", "dedicated", "hosting", "game_server", "mysql"),
				choice("status", "pending", "provisioning", "active", "suspended", "terminated"),
				maybe("action", "suspend", "unsuspend", "terminate", "power", "reset_password"),
				text("action_note", 500), text("status_reason", 300),
				text("hostname", 253), text("domain", 253), text("ipv4", 45), text("ipv6", 60), text("username", 120),
				maybe("power", "running", "stopped", "unknown"), date("power_at"), flag("busy"),
				object("usage", 10_000), object("steps", 20_000),
				text("platform_user_id", 120), text("platform_service_id", 120),
				staffObject("order_settings", 20_000), staffObject("build", 50_000),
				&core.TextField{Name: "credentials", Max: 4000, Hidden: true, Help: "sealed"},
				flag("auto_renew"), date("provisioned_at"), date("suspended_at"), date("terminated_at"), date("archived_at"),
			},
			indexes: []index{
				unique("idx_services_subscription", "`subscription`, `service_type`"),
				uniqueWhere("idx_services_remote", "`platform`, `platform_service_id`", "`platform_service_id` != ''"),
				lookup("idx_services_user", "`user`, `status`"),
			},
		},
		table{
			name: "ip_assignments", owner: true,
			fields: []core.Field{
				rel("user", "users"), rel("service", "services"), title("ip", 60), flag("is_primary"), date("valid_from"), date("valid_until"),
			},
			indexes: []index{
				uniqueWhere("idx_ip_assignments_current", "`service`, `ip`", "`valid_until` = ''"),
				lookup("idx_ip_assignments_ip", "`ip`, `valid_from`"),
			},
		},
		table{
			name: "jobs",
			fields: []core.Field{
				title("kind", 60), need("key", 200),
				choice("state", "queued", "running", "parked", "failed", "done"),
				&core.NumberField{Name: "attempts", OnlyInt: true}, date("next_at"), date("lease_until"), text("lease_owner", 40),
				flag("in_flight"),
				text("error", 1000), text("error_class", 40),
				&core.TextField{Name: "serial", Max: 80, Help: "jobs with the same value never run at the same time"},
				ref("user", "users"), ref("service", "services"),
				staffObject("payload", 50_000), text("actor", 60), date("queued_at"), date("done_at"),
			},
			indexes: []index{
				uniqueWhere("idx_jobs_open", "`key`", "`state` != 'done'"),
				uniqueWhere("idx_jobs_serial", "`serial`", "`serial` != '' AND `state` = 'running'"),
				lookup("idx_jobs_due", "`state`, `next_at`"),
				lookup("idx_jobs_waiting", "`serial`, `state`"),
			},
		},
		table{
			name: "provisioning_logs",
			fields: []core.Field{
				rel("user", "users"), rel("service", "services"), ref("platform", "platforms"),
				title("action", 60), choice("status", "running", "done", "failed"),
				text("actor", 60), text("request", 2000), text("response", 2000), text("error", 1000), date("at"), date("finished_at"),
			},
			indexes: []index{lookup("idx_provisioning_logs_service", "`service`, `at`")},
		},
		table{
			name: "mails",
			fields: []core.Field{
				need("key", 200), title("kind", 60), ref("user", "users"), need("recipient", 320),
				text("subject", 300),
				&core.TextField{Name: "body_text", Max: 100_000, Hidden: true}, &core.TextField{Name: "body_html", Max: 200_000, Hidden: true},
				ref("invoice", "invoices"), flag("attach_pdf"), flag("secret"),
				choice("status", "queued", "sent", "failed"), text("message_id", 255), text("error", 1000), date("sent_at"),
			},
			indexes: []index{unique("idx_mails_key", "`key`"), lookup("idx_mails_user", "`user`")},
		},
	)
}

func servicesDown(app core.App) error {
	return drop(app, "mails", "provisioning_logs", "jobs", "ip_assignments", "services")
}
