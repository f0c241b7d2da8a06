package pterobox

import (
	"cmp"
	"maps"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

func (b *Box) userEndpoints() []panelbox.Endpoint {
	body := panelbox.Schema{
		"external_id": panelbox.Str | panelbox.Nullable, "email": panelbox.Str | panelbox.Required, "username": panelbox.Str | panelbox.Required, "first_name": panelbox.Str | panelbox.Required, "last_name": panelbox.Str | panelbox.Required,
		"password": panelbox.Str | panelbox.Nullable, "root_admin": panelbox.YesNo, "language": panelbox.Str,
	}
	search := panelbox.Schema{"filter[email]": panelbox.Str, "filter[username]": panelbox.Str, "filter[external_id]": panelbox.Str, "filter[uuid]": panelbox.Str}
	maps.Copy(search, paging)
	return []panelbox.Endpoint{
		panelbox.Op("GET /application/users", nil, search, b.listUsers),
		panelbox.Op("POST /application/users", body, nil, b.createUser),
		panelbox.Op("GET /application/users/{id}", nil, including, b.readUser),
		panelbox.Op("GET /application/users/external/{ref}", nil, including, b.readExternalUser),
		panelbox.Op("PATCH /application/users/{id}", body, nil, b.changeUser),
		panelbox.Op("DELETE /application/users/{id}", nil, nil, b.deleteUser),
	}
}

func (u *user) object() map[string]any {
	return item("user", map[string]any{
		"id": u.id, "external_id": orNull(u.externalID), "uuid": uuid("user", u.id), "username": u.username, "email": u.email, "first_name": u.first,
		"last_name": u.last, "language": cmp.Or(u.language, "en"), "root_admin": u.root, "2fa": false, "created_at": stamp(u.created), "updated_at": stamp(u.created),
	})
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// listUsers searches by part of a text, as the panel does.
func (b *Box) listUsers(c panelbox.Call) (int, any, *panelbox.Failure) {
	var list []any
	part := func(value, filter string) bool {
		return strings.Contains(strings.ToLower(value), strings.ToLower(c.Query.Get("filter["+filter+"]")))
	}
	for _, u := range slices.SortedFunc(maps.Values(b.users), func(x, y *user) int { return cmp.Compare(x.id, y.id) }) {
		if part(u.email, "email") && part(u.username, "username") && part(u.externalID, "external_id") && part(uuid("user", u.id), "uuid") {
			list = append(list, u.object())
		}
	}
	return http.StatusOK, b.paged(c, list), nil
}

var username = regexp.MustCompile(`^[a-z0-9]([\w.-]+)[a-z0-9]$`)

// checkUser applies the rules that need the other users; self may be nil.
func (b *Box) checkUser(body panelbox.Fields, self *user) *panelbox.Failure {
	if _, err := mail.ParseAddress(body.Text("email")); err != nil {
		return invalid("email", "email", "The email must be a valid email address.")
	}
	if !username.MatchString(strings.ToLower(body.Text("username"))) {
		return invalid("username", "username", "The username must start and end with alpha-numeric characters and contain only letters, numbers, dashes, underscores, and periods.")
	}
	for _, name := range []string{"email", "username", "first_name", "last_name", "external_id"} {
		if len(body.Text(name)) > 191 {
			return invalid(name, "max", "The "+name+" may not be greater than 191 characters.")
		}
	}
	for _, u := range b.users {
		switch ref := body.Text("external_id"); {
		case u == self:
		case strings.EqualFold(u.email, body.Text("email")):
			return invalid("email", "unique", "The email has already been taken.")
		case u.username == strings.ToLower(body.Text("username")):
			return invalid("username", "unique", "The username has already been taken.")
		case ref != "" && u.externalID == ref:
			return invalid("external_id", "unique", "The external id has already been taken.")
		}
	}
	return nil
}

func (u *user) take(body panelbox.Fields) {
	u.externalID, u.email, u.username = body.Text("external_id"), body.Text("email"), strings.ToLower(body.Text("username"))
	u.first, u.last = body.Text("first_name"), body.Text("last_name")
	if p := body.Text("password"); p != "" {
		u.password = p
	}
	if body.Has("root_admin") {
		u.root = body.Is("root_admin")
	}
	if body.Has("language") {
		u.language = body.Text("language")
	}
}

func (b *Box) createUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	if fail := b.checkUser(c.Body, nil); fail != nil {
		return 0, nil, fail
	}
	u := &user{id: b.ids.Next("user"), created: b.opts.Now()}
	u.take(c.Body)
	b.users[u.id] = u
	return http.StatusCreated, u.object(), nil
}

// changeUser needs every field again; an external id that is left out stays.
func (b *Box) changeUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.users[c.ID("id")]
	if u == nil {
		return 0, nil, gone
	}
	if fail := b.checkUser(c.Body, u); fail != nil {
		return 0, nil, fail
	}
	ref := u.externalID
	u.take(c.Body)
	if !c.Body.Has("external_id") {
		u.externalID = ref
	}
	return http.StatusOK, u.object(), nil
}

func (b *Box) readUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.users[c.ID("id")]
	if u == nil {
		return 0, nil, gone
	}
	return http.StatusOK, u.object(), nil
}

func (b *Box) readExternalUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	for _, u := range b.users {
		if u.externalID != "" && u.externalID == c.R.PathValue("ref") {
			return http.StatusOK, u.object(), nil
		}
	}
	return 0, nil, gone
}

func (b *Box) deleteUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.users[c.ID("id")]
	if u == nil {
		return 0, nil, gone
	}
	for _, s := range b.servers {
		if s.owner == u {
			return 0, nil, refused("DisplayException", "Cannot delete a user with active servers attached to their account. Please delete their servers before continuing.")
		}
	}
	delete(b.users, u.id)
	return http.StatusNoContent, nil, nil
}
