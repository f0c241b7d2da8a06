package pb_migrations_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/internal/testapp"
	_ "github.com/ezscale/ezscale/pb_migrations"
)

// migrated opens a new database with all migrations and nothing else.
func migrated(t *testing.T) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	return app
}

// dump writes the schema as text: collections with rules, fields, indexes, and
// the triggers of the database.
func dump(t *testing.T, app core.App) string {
	t.Helper()
	out := strings.Builder{}
	all, err := app.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, c := range all {
		names[c.Id] = c.Name
	}
	slices.SortFunc(all, func(a, b *core.Collection) int { return strings.Compare(a.Name, b.Name) })
	for _, c := range all {
		if strings.HasPrefix(c.Name, "_") {
			continue // PocketBase's own
		}
		fmt.Fprintf(&out, "%s (%s)\n", c.Name, c.Type)
		for _, r := range []struct {
			name string
			rule *string
		}{{"list", c.ListRule}, {"view", c.ViewRule}, {"create", c.CreateRule}, {"update", c.UpdateRule}, {"delete", c.DeleteRule}} {
			text := "staff alone"
			if r.rule != nil {
				text = fmt.Sprintf("%q", *r.rule)
			}
			fmt.Fprintf(&out, "  rule %-7s %s\n", r.name, text)
		}
		for _, f := range c.Fields {
			fmt.Fprintf(&out, "  field %s\n", field(t, f, names))
		}
		for _, i := range c.Indexes {
			fmt.Fprintf(&out, "  index %s\n", i)
		}
		out.WriteString("\n")
	}
	for _, tr := range triggers(t, app) {
		fmt.Fprintf(&out, "%s\n", tr)
	}
	return out.String()
}

// field writes what a field allows; settings at their zero value are left out.
func field(t *testing.T, f core.Field, names map[string]string) string {
	t.Helper()
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]any{}
	if err := json.Unmarshal(raw, &settings); err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("%-24s %s", f.GetName(), f.Type())
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		v := settings[k]
		if k == "collectionId" {
			v = names[v.(string)]
		}
		switch s := fmt.Sprint(v); {
		case slices.Contains([]string{"id", "name", "help", "presentable", "system"}, k), s == "", s == "0", s == "false", s == "[]", s == "<nil>":
		default:
			line += " " + k + "=" + s
		}
	}
	return line
}

func triggers(t *testing.T, app core.App) []string {
	t.Helper()
	found := []string{}
	if err := app.DB().NewQuery("SELECT `sql` FROM `sqlite_master` WHERE `type` = 'trigger' ORDER BY `name`").Column(&found); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestTheSchemaIsReviewed fails when a migration changes what is stored or who
// may read it: run with -update and review the difference.
func TestTheSchemaIsReviewed(t *testing.T) {
	testapp.Golden(t, "schema.golden.txt", dump(t, migrated(t)))
}

func TestAmountsAreWholeBoundedMinorUnits(t *testing.T) {
	app := migrated(t)
	all, err := app.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	amounts := 0
	for _, c := range all {
		if strings.HasPrefix(c.Name, "_") {
			continue
		}
		for _, f := range c.Fields {
			n, isNumber := f.(*core.NumberField)
			if !isNumber {
				continue
			}
			if !n.OnlyInt {
				t.Errorf("%s.%s takes fractions", c.Name, n.Name)
			}
			if !strings.HasSuffix(n.Name, "_minor") {
				for _, word := range []string{"amount", "total", "price", "fee", "paid", "due", "balance"} {
					if strings.Contains(n.Name, word) {
						t.Errorf("%s.%s is an amount and not named *_minor", c.Name, n.Name)
					}
				}
				continue
			}
			amounts++
			if n.Min == nil || n.Max == nil || *n.Max > 1e12 || *n.Min < -1e12 {
				t.Errorf("%s.%s has no bound of 1e12", c.Name, n.Name)
			}
			if c.Fields.GetByName("currency") == nil && !slices.Contains([]string{"order_items", "invoice_items", "credit_note_items"}, c.Name) {
				t.Errorf("%s has amounts and no currency", c.Name) // items have their parent's
			}
		}
	}
	if amounts < 15 {
		t.Errorf("only %d amounts were looked at", amounts)
	}
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	app := migrated(t)
	before := dump(t, app)
	runner := core.NewMigrationsRunner(app, core.AppMigrations)
	ours := 0
	for _, m := range core.AppMigrations.Items() {
		if strings.HasPrefix(m.File, "17600000") || strings.HasPrefix(m.File, "17700000") {
			ours++
		}
	}
	down, err := runner.Down(ours)
	if err != nil {
		t.Fatal(err)
	}
	if len(down) != ours || ours < 7 {
		t.Fatalf("%d of %d migrations went down", len(down), ours)
	}
	if left := triggers(t, app); len(left) != 0 {
		t.Errorf("triggers are left: %v", left)
	}
	if _, err := app.FindCollectionByNameOrId("invoices"); err == nil {
		t.Error("invoices are left")
	}
	if _, err := runner.Up(); err != nil {
		t.Fatalf("up again: %v", err)
	}
	if after := dump(t, app); after != before {
		t.Error("the schema differs after down and up")
	}
}

func TestANewInstallationIsSafe(t *testing.T) {
	app := migrated(t)
	s := app.Settings()
	if !s.RateLimits.Enabled || len(s.RateLimits.Rules) < 5 {
		t.Error("rate limits are off")
	}
	if s.Batch.Enabled {
		t.Error("the batch API is on: it holds the only writer")
	}
	all, err := app.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if strings.HasPrefix(c.Name, "_") {
			continue
		}
		if c.CreateRule != nil || c.UpdateRule != nil || c.DeleteRule != nil {
			t.Errorf("%s can be written through the record API", c.Name)
		}
		for _, rule := range []*string{c.ListRule, c.ViewRule} {
			if rule != nil && !strings.Contains(*rule, `@request.auth.collectionName = "users"`) {
				t.Errorf("%s can be read by %q", c.Name, *rule)
			}
		}
		for _, f := range c.Fields {
			if file, ok := f.(*core.FileField); ok && !file.Protected {
				t.Errorf("%s.%s: files are public to whoever has the address", c.Name, file.Name)
			}
		}
	}
}
