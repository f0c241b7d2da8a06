// Package pb_migrations is the append-only history of what is stored. A file
// that was released is never edited; a later file changes what it made. It
// imports PocketBase alone, so that history does not change when code does.
package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// bound is the largest absolute amount in minor units, see engine/money.Limit.
const bound = 1e12

// ownerRule lets a customer read what carries their id in the field user.
const ownerRule = `@request.auth.collectionName = "users" && @request.auth.id != "" && user = @request.auth.id`

// table describes one collection in the order in which staff read it.
type table struct {
	name    string
	owner   bool // customers may list and view their own rows
	rule    string
	fields  []core.Field
	indexes []index
}

type index struct {
	name    string
	unique  bool
	columns string
	where   string
}

// create saves the collections in order, so that relations find their targets.
func create(app core.App, tables ...table) error {
	for _, t := range tables {
		c := core.NewBaseCollection(t.name)
		c.Fields.Add(t.fields...)
		c.Fields.Add(
			&core.AutodateField{Name: "created", OnCreate: true},
			&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
		)
		for _, i := range t.indexes {
			c.AddIndex(i.name, i.unique, i.columns, i.where)
		}
		rule := t.rule
		if t.owner {
			rule = ownerRule
		}
		if rule != "" {
			c.ListRule, c.ViewRule = types.Pointer(rule), types.Pointer(rule)
		}
		if err := resolve(app, c); err != nil {
			return fmt.Errorf("collection %s: %w", t.name, err)
		}
		if err := app.Save(c); err != nil {
			return fmt.Errorf("collection %s: %w", t.name, err)
		}
	}
	return nil
}

// resolve turns the collection names that rel put into relations into ids.
func resolve(app core.App, c *core.Collection) error {
	for _, f := range c.Fields {
		r, ok := f.(*core.RelationField)
		if !ok {
			continue
		}
		target, err := app.FindCollectionByNameOrId(r.CollectionId)
		if err != nil {
			return fmt.Errorf("relation %s to %s: %w", r.Name, r.CollectionId, err)
		}
		r.CollectionId = target.Id
	}
	return nil
}

// drop removes collections, last first.
func drop(app core.App, names ...string) error {
	for _, name := range names {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			continue // never made, or removed by hand
		}
		if err := app.Delete(c); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
	}
	return nil
}

func text(name string, limit int) *core.TextField {
	return &core.TextField{Name: name, Max: limit}
}

func need(name string, limit int) *core.TextField {
	return &core.TextField{Name: name, Max: limit, Required: true}
}

// title is required text by which relations show the record.
func title(name string, limit int) *core.TextField {
	return &core.TextField{Name: name, Max: limit, Required: true, Presentable: true}
}

func pattern(name, expr, help string) *core.TextField {
	return &core.TextField{Name: name, Max: 100, Required: true, Pattern: expr, Help: help}
}

// hidden is text that only staff can read.
func hidden(name string, limit int, help string) *core.TextField {
	return &core.TextField{Name: name, Max: limit, Hidden: true, Help: help}
}

func currency() *core.TextField {
	return &core.TextField{Name: "currency", Max: 3, Required: true, Pattern: `^[A-Z]{3}$`, Help: "ISO 4217 code"}
}

// minor is an amount in minor units of the row's currency.
func minor(name string) *core.NumberField {
	return &core.NumberField{
		Name: name, OnlyInt: true, Min: types.Pointer(-bound), Max: types.Pointer(bound),
		Help: "minor units of the currency (cents; none for yen)",
	}
}

// price is an amount that cannot be negative.
func price(name string) *core.NumberField {
	f := minor(name)
	f.Min = types.Pointer(0.0)
	return f
}

func count(name string, limit float64) *core.NumberField {
	return &core.NumberField{Name: name, OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(limit)}
}

func choice(name string, values ...string) *core.SelectField {
	return &core.SelectField{Name: name, Values: values, MaxSelect: 1, Required: true}
}

func maybe(name string, values ...string) *core.SelectField {
	return &core.SelectField{Name: name, Values: values, MaxSelect: 1}
}

func date(name string) *core.DateField { return &core.DateField{Name: name} }

func flag(name string) *core.BoolField { return &core.BoolField{Name: name} }

func object(name string, size int64) *core.JSONField {
	return &core.JSONField{Name: name, MaxSize: size}
}

func staffObject(name string, size int64) *core.JSONField {
	return &core.JSONField{Name: name, MaxSize: size, Hidden: true}
}

// rel is a required reference; deleting the target is refused.
func rel(name, collection string) *core.RelationField {
	return &core.RelationField{Name: name, CollectionId: collection, MaxSelect: 1, Required: true}
}

// ref is an optional reference.
func ref(name, collection string) *core.RelationField {
	return &core.RelationField{Name: name, CollectionId: collection, MaxSelect: 1}
}

func unique(name, columns string) index { return index{name, true, columns, ""} }

func uniqueWhere(name, columns, where string) index { return index{name, true, columns, where} }

func lookup(name, columns string) index { return index{name, false, columns, ""} }

// exec runs statements that collections cannot express, such as triggers.
func exec(app core.App, statements ...string) error {
	for _, s := range statements {
		if _, err := app.DB().NewQuery(s).Execute(); err != nil {
			return fmt.Errorf("run %.60q: %w", s, err)
		}
	}
	return nil
}

// change describes what a later migration adds to an existing collection.
type change struct {
	name    string
	fields  []core.Field
	values  map[string][]string // further values of select fields
	indexes []index
	without []string // indexes that go
}

// alter saves changes of existing collections in order.
func alter(app core.App, changes ...change) error {
	for _, ch := range changes {
		c, err := app.FindCollectionByNameOrId(ch.name)
		if err != nil {
			return fmt.Errorf("collection %s: %w", ch.name, err)
		}
		c.Fields.Add(ch.fields...)
		for field, more := range ch.values {
			s, ok := c.Fields.GetByName(field).(*core.SelectField)
			if !ok {
				return fmt.Errorf("collection %s: %s is no select field", ch.name, field)
			}
			s.Values = append(s.Values, more...)
		}
		for _, gone := range ch.without {
			c.RemoveIndex(gone)
		}
		for _, i := range ch.indexes {
			c.AddIndex(i.name, i.unique, i.columns, i.where)
		}
		if err := resolve(app, c); err != nil {
			return fmt.Errorf("collection %s: %w", ch.name, err)
		}
		if err := app.Save(c); err != nil {
			return fmt.Errorf("collection %s: %w", ch.name, err)
		}
	}
	return nil
}

// undo removes what alter added, for a migration's way back.
func undo(app core.App, changes ...change) error {
	for _, ch := range changes {
		c, err := app.FindCollectionByNameOrId(ch.name)
		if err != nil {
			return fmt.Errorf("collection %s: %w", ch.name, err)
		}
		for _, i := range ch.indexes {
			c.RemoveIndex(i.name)
		}
		for _, f := range ch.fields {
			c.Fields.RemoveByName(f.GetName())
		}
		for field, more := range ch.values {
			if s, ok := c.Fields.GetByName(field).(*core.SelectField); ok {
				s.Values = s.Values[:len(s.Values)-len(more)]
			}
		}
		if err := app.Save(c); err != nil {
			return fmt.Errorf("collection %s: %w", ch.name, err)
		}
	}
	return nil
}
