package pterobox

import (
	"cmp"
	"maps"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

func (b *Box) userEndpoints() []endpoint {
	body := schema{
		"external_id": str | nullable, "email": str | required, "username": str | required, "first_name": str | required, "last_name": str | required,
		"password": str | nullable, "root_admin": yesNo, "language": str,
	}
	search := schema{"filter[email]": str, "filter[username]": str, "filter[external_id]": str, "filter[uuid]": str}
	maps.Copy(search, paging)
	return []endpoint{
		{"GET /application/users", nil, search, b.listUsers},
		{"POST /application/users", body, nil, b.createUser},
		{"GET /application/users/{id}", nil, including, b.readUser},
		{"GET /application/users/external/{ref}", nil, including, b.readExternalUser},
		{"PATCH /application/users/{id}", body, nil, b.changeUser},
		{"DELETE /application/users/{id}", nil, nil, b.deleteUser},
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
func (b *Box) listUsers(c call) (int, any, *failure) {
	var list []any
	part := func(value, filter string) bool {
		return strings.Contains(strings.ToLower(value), strings.ToLower(c.query.Get("filter["+filter+"]")))
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
func (b *Box) checkUser(body fields, self *user) *failure {
	if _, err := mail.ParseAddress(body.text("email")); err != nil {
		return invalid("email", "email", "The email must be a valid email address.")
	}
	if !username.MatchString(strings.ToLower(body.text("username"))) {
		return invalid("username", "username", "The username must start and end with alpha-numeric characters and contain only letters, numbers, dashes, underscores, and periods.")
	}
	for _, name := range []string{"email", "username", "first_name", "last_name", "external_id"} {
		if len(body.text(name)) > 191 {
			return invalid(name, "max", "The "+name+" may not be greater than 191 characters.")
		}
	}
	for _, u := range b.users {
		switch ref := body.text("external_id"); {
		case u == self:
		case strings.EqualFold(u.email, body.text("email")):
			return invalid("email", "unique", "The email has already been taken.")
		case u.username == strings.ToLower(body.text("username")):
			return invalid("username", "unique", "The username has already been taken.")
		case ref != "" && u.externalID == ref:
			return invalid("external_id", "unique", "The external id has already been taken.")
		}
	}
	return nil
}

func (u *user) take(body fields) {
	u.externalID, u.email, u.username = body.text("external_id"), body.text("email"), strings.ToLower(body.text("username"))
	u.first, u.last = body.text("first_name"), body.text("last_name")
	if p := body.text("password"); p != "" {
		u.password = p
	}
	if body.has("root_admin") {
		u.root = body.is("root_admin")
	}
	if body.has("language") {
		u.language = body.text("language")
	}
}

func (b *Box) createUser(c call) (int, any, *failure) {
	if fail := b.checkUser(c.body, nil); fail != nil {
		return 0, nil, fail
	}
	u := &user{id: b.nextID("user"), created: b.opts.Now()}
	u.take(c.body)
	b.users[u.id] = u
	return http.StatusCreated, u.object(), nil
}

// changeUser needs every field again; an external id that is left out stays.
func (b *Box) changeUser(c call) (int, any, *failure) {
	u := b.users[c.id("id")]
	if u == nil {
		return 0, nil, gone
	}
	if fail := b.checkUser(c.body, u); fail != nil {
		return 0, nil, fail
	}
	ref := u.externalID
	u.take(c.body)
	if !c.body.has("external_id") {
		u.externalID = ref
	}
	return http.StatusOK, u.object(), nil
}

func (b *Box) readUser(c call) (int, any, *failure) {
	u := b.users[c.id("id")]
	if u == nil {
		return 0, nil, gone
	}
	return http.StatusOK, u.object(), nil
}

func (b *Box) readExternalUser(c call) (int, any, *failure) {
	for _, u := range b.users {
		if u.externalID != "" && u.externalID == c.r.PathValue("ref") {
			return http.StatusOK, u.object(), nil
		}
	}
	return 0, nil, gone
}

func (b *Box) deleteUser(c call) (int, any, *failure) {
	u := b.users[c.id("id")]
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
