package collections

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/ezscale/ezscale/engine/money"
)

// Amount reads a *_minor field in the record's own currency.
func Amount(r *core.Record, field string) (money.Amount, error) {
	a, err := money.New(r.GetInt64(field), r.GetString("currency"))
	if err != nil {
		return money.Amount{}, fmt.Errorf("%s %s, field %s: %w", r.Collection().Name, r.Id, field, err)
	}
	return a, nil
}

// Time reads a date field in UTC; an empty field is the zero time.
func Time(r *core.Record, field string) time.Time {
	return r.GetDateTime(field).Time().UTC()
}

// Stamp turns a time into what a date field stores; the zero time empties it.
func Stamp(t time.Time) types.DateTime {
	if t.IsZero() {
		return types.DateTime{}
	}
	d, err := types.ParseDateTime(t.UTC())
	if err != nil {
		panic("collections: a time.Time is always a date: " + err.Error())
	}
	return d
}

// ParseStamp reads a date as SQL stores it; an empty one is the zero time.
func ParseStamp(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(types.DefaultDateLayout, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("stored date %q: %w", s, err)
	}
	return t, nil
}

// New makes an unsaved record of a collection.
func New(app core.App, collection string) (*core.Record, error) {
	c, err := app.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil, fmt.Errorf("collection %s: %w", collection, err)
	}
	return core.NewRecord(c), nil
}

// Insert saves a new record with the given values and returns it.
func Insert(app core.App, collection string, values map[string]any) (*core.Record, error) {
	r, err := New(app, collection)
	if err != nil {
		return nil, err
	}
	r.Load(values)
	if err := Save(app, r); err != nil {
		return nil, fmt.Errorf("create %s: %w", collection, err)
	}
	return r, nil
}

// Save saves a record and makes what was saved its original state. PocketBase's
// own Save leaves the original as it was loaded, so that a record saved twice
// would show hooks a change that happened before.
func Save(app core.App, r *core.Record) error {
	r.IgnoreUnchangedFields(true) // nobody's change to another field is overwritten
	if err := app.Save(r); err != nil {
		return err
	}
	return r.PostScan()
}

// Update saves a record that our own code changed, without validating every
// field and relation again: all hooks run, lifecycles are checked, triggers
// hold. What people type goes through Save.
func Update(app core.App, r *core.Record) error {
	r.IgnoreUnchangedFields(true)
	if err := app.SaveNoValidate(r); err != nil {
		return err
	}
	return r.PostScan()
}

// First finds the first record that has all the given values, or nil when there
// is none.
func First(app core.App, collection string, values dbx.HashExp) (*core.Record, error) {
	r := &core.Record{}
	err := app.RecordQuery(collection).AndWhere(values).Limit(1).One(r)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", collection, err)
	}
	return r, nil
}

// All finds every record that has all the given values, in the given order
// (SQL, such as "position ASC").
func All(app core.App, collection string, values dbx.HashExp, order string) ([]*core.Record, error) {
	found := []*core.Record{}
	q := app.RecordQuery(collection).AndWhere(values)
	if order != "" {
		q = q.OrderBy(strings.Split(order, ", ")...)
	}
	if err := q.All(&found); err != nil {
		return nil, fmt.Errorf("find %s: %w", collection, err)
	}
	return found, nil
}

// Owned finds a customer's own record by id. ErrNotYours covers both a missing
// record and somebody else's, so that ids cannot be probed.
func Owned(app core.App, collection, id, user string) (*core.Record, error) {
	if id == "" || user == "" {
		return nil, ErrNotYours
	}
	r, err := First(app, collection, dbx.HashExp{"id": id, "user": user})
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fmt.Errorf("%s %q: %w", collection, id, ErrNotYours)
	}
	return r, nil
}

// ErrNotYours reports a record that does not exist for this customer.
var ErrNotYours = errors.New("no such record")

// Row inserts a row without hooks, for tables on which nothing hooks (jobs,
// ledger entries, inbox). It reports false when a unique index says that the
// row is there already.
func Row(app core.App, collection string, now time.Time, values dbx.Params) (id string, inserted bool, err error) {
	id = NewID(now)
	stamp := Stamp(now).String()
	row := dbx.Params{"id": id, "created": stamp, "updated": stamp}
	for k, v := range values {
		row[k] = v
	}
	res, err := Statement(app, insertText(collection, row)).Bind(row).Execute()
	if err != nil {
		return "", false, fmt.Errorf("insert into %s: %w", collection, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return "", false, fmt.Errorf("insert into %s: %w", collection, err)
	}
	return id, n == 1, nil
}

// insertText is the insert of a row's columns, in a stable order.
func insertText(collection string, row dbx.Params) string {
	columns := slices.Sorted(maps.Keys(row))
	return "INSERT INTO `" + collection + "` (`" + strings.Join(columns, "`, `") + "`) VALUES ({:" + strings.Join(columns, "}, {:") + "}) ON CONFLICT DO NOTHING"
}

// ReadJSON decodes a json field; an empty one leaves into as it is.
func ReadJSON(r *core.Record, field string, into any) error {
	raw := r.GetString(field)
	if raw == "" || raw == "null" {
		return nil
	}
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		return fmt.Errorf("%s %s, field %s: %w", r.Collection().Name, r.Id, field, err)
	}
	return nil
}

// Cut shortens a text to what a column holds, in bytes, at a whole character.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// StringMap reads a json object whose values are texts, numbers or booleans as
// texts: staff write {"package_id": 4} as well as {"package_id": "4"}.
func StringMap(r *core.Record, field string) (map[string]string, error) {
	out, err := TextMap(r.GetString(field))
	if err != nil {
		return nil, fmt.Errorf("%s %s, field %s: %w", r.Collection().Name, r.Id, field, err)
	}
	return out, nil
}

// TextMap is StringMap of a field as SQL stores it.
func TextMap(raw string) (map[string]string, error) {
	out := map[string]string{}
	if raw == "" || raw == "null" {
		return out, nil
	}
	values := map[string]any{}
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("must be a JSON object: %w", err)
	}
	for k, v := range values {
		switch v := v.(type) {
		case string, bool, json.Number:
			out[k] = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("%q must be a text, number or boolean", k)
		}
	}
	return out, nil
}
