package virtbox

import (
	"crypto/rand"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// signInLife is how long login tokens live, by the vendor's example.
const signInLife = 60 * time.Second

var relParam = panelbox.Schema{"relStr": panelbox.YesNo}

func (b *Box) userEndpoints() []panelbox.Endpoint {
	modify := panelbox.Schema{
		"name": panelbox.Str, "email": panelbox.Str, "selfService": panelbox.Whole, "selfServiceHourlyCredit": panelbox.YesNo, "selfServiceHourlyGroupProfiles": panelbox.Wholes,
		"selfServiceResourceGroupProfiles": panelbox.Wholes, "selfServiceHourlyResourcePack": panelbox.Whole, "enabled": panelbox.YesNo,
	}
	create := panelbox.Schema{
		"name": panelbox.Str | panelbox.Required, "email": panelbox.Str | panelbox.Required, "extRelationId": panelbox.Whole, "relStr": panelbox.Str, "selfService": panelbox.Whole,
		"selfServiceHourlyCredit": panelbox.YesNo, "selfServiceHourlyGroupProfiles": panelbox.Wholes, "selfServiceResourceGroupProfiles": panelbox.Wholes,
		"selfServiceHourlyResourcePack": panelbox.Whole, "sendMail": panelbox.YesNo,
	}
	key := panelbox.Schema{"userId": panelbox.Whole | panelbox.Required, "name": panelbox.Str | panelbox.Required, "publicKey": panelbox.Str | panelbox.Required}
	return []panelbox.Endpoint{
		panelbox.Op("POST /users", create, nil, b.createUser),
		panelbox.Op("GET /users/{rel}/byExtRelation", nil, relParam, b.readUser),
		panelbox.Op("PUT /users/{rel}/byExtRelation", modify, relParam, b.modifyUser),
		panelbox.Op("DELETE /users/{rel}/byExtRelation", nil, relParam, b.deleteUser),
		panelbox.Op("POST /users/{rel}/byExtRelation/resetPassword", nil, relParam, b.resetUserPassword),
		panelbox.Op("POST /users/{rel}/authenticationTokens", nil, relParam, b.signIn),
		panelbox.Op("POST /users/{rel}/serverAuthenticationTokens/{server}", nil, relParam, b.signIn),
		panelbox.Op("POST /ssh_keys", key, nil, b.createKey),
		panelbox.Op("GET /ssh_keys/user/{id}", nil, nil, b.userKeys),
		panelbox.Op("GET /ssh_keys/{id}", nil, nil, b.readKey),
		panelbox.Op("DELETE /ssh_keys/{id}", nil, nil, b.deleteKey),
	}
}

var noUser = told(http.StatusNotFound, "user not found")

// byRelation finds the user a path names: by the string with relStr=true, by
// the integer without.
func (b *Box) byRelation(c panelbox.Call) *user {
	rel := c.R.PathValue("rel")
	for _, u := range b.users {
		if c.Is("relStr") && u.relStr != "" && u.relStr == rel || !c.Is("relStr") && u.relInt != 0 && strconv.FormatInt(u.relInt, 10) == rel {
			return u
		}
	}
	return nil
}

func (b *Box) createUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	email, name, rel, relInt := c.Body.Text("email"), strings.TrimSpace(c.Body.Text("name")), c.Body.Text("relStr"), c.Body.Whole("extRelationId")
	if _, err := mail.ParseAddress(email); err != nil {
		return 0, nil, refused("The email must be a valid email address.")
	}
	if name == "" {
		return 0, nil, refused("The name field is required.")
	}
	for _, u := range b.users {
		if strings.EqualFold(u.email, email) {
			return 0, nil, &panelbox.Failure{Status: http.StatusConflict, Body: map[string]any{"errors": []string{"A user with this email address already exists"}}}
		}
		if rel != "" && u.relStr == rel || relInt != 0 && u.relInt == relInt {
			return 0, nil, refused("The relation is already in use.")
		}
	}
	u := &user{id: b.ids.Next("user"), relInt: relInt, relStr: rel, name: name, email: email, created: b.opts.Now()}
	b.users[u.id] = u
	out := userObject(u)
	out["password"] = rand.Text()
	return http.StatusCreated, data(out), nil
}

func userObject(u *user) map[string]any {
	return map[string]any{
		"id": u.id, "admin": false, "extRelationId": u.extRelation(), "selfService": 0, "selfServiceHourlyGroupProfiles": []any{},
		"selfServiceResourceGroupProfiles": []any{}, "selfServiceHourlyResourcePack": nil, "name": u.name, "email": u.email,
		"timezone": "Europe/London", "suspended": u.suspended, "twoFactorAuth": false, "created": micro(u.created), "updated": micro(u.created),
	}
}

func (u *user) extRelation() any {
	if u.relInt == 0 {
		return nil
	}
	return u.relInt
}

func (b *Box) readUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.byRelation(c)
	if u == nil {
		return 0, nil, noUser
	}
	return http.StatusOK, data(userObject(u)), nil
}

func (b *Box) modifyUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.byRelation(c)
	if u == nil {
		return 0, nil, noUser
	}
	if s := c.Body.Text("name"); s != "" {
		u.name = s
	}
	if s := c.Body.Text("email"); s != "" {
		u.email = s
	}
	if _, there := c.Body["enabled"]; there {
		u.suspended = !c.Body.Is("enabled")
	}
	return http.StatusCreated, data(map[string]any{"name": u.name, "email": u.email, "selfService": 0, "enabled": !u.suspended}), nil
}

func (b *Box) deleteUser(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.byRelation(c)
	if u == nil {
		return 0, nil, noUser
	}
	for _, s := range b.servers {
		if s.owner == u {
			return 0, nil, &panelbox.Failure{Status: http.StatusConflict, Body: map[string]any{"errors": []string{"The user has servers"}}}
		}
	}
	delete(b.users, u.id)
	return http.StatusNoContent, nil, nil
}

func (b *Box) resetUserPassword(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.byRelation(c)
	if u == nil {
		return 0, nil, noUser
	}
	return http.StatusCreated, data(map[string]any{"email": u.email, "password": rand.Text()}), nil
}

// signIn serves both kinds of login tokens.
func (b *Box) signIn(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.byRelation(c)
	if u == nil {
		return 0, nil, noUser
	}
	in := signIn{user: u.id, second: rand.Text(), expires: b.opts.Now().Add(signInLife)}
	if c.R.PathValue("server") != "" {
		s := b.servers[c.ID("server")]
		if s == nil || s.owner != u {
			return 0, nil, serverGone
		}
		in.server = s.id
	}
	first := rand.Text()
	b.signIns[first] = in
	return http.StatusOK, data(map[string]any{"authentication": map[string]any{
		"tokens": map[string]string{"1": first, "2": in.second}, "endpoint": "/token_authenticate",
		"endpoint_complete": "/token_authenticate/?" + url.Values{"1": {first}, "2": {in.second}}.Encode(),
		"expiry":            map[string]any{"ttl": int(signInLife / time.Second), "expires": micro(in.expires)},
	}}), nil
}

func (b *Box) createKey(c panelbox.Call) (int, any, *panelbox.Failure) {
	u := b.users[c.Body.Whole("userId")]
	if u == nil {
		return 0, nil, refused("The selected user is invalid.")
	}
	if kind, rest, _ := strings.Cut(c.Body.Text("publicKey"), " "); !strings.HasPrefix(kind, "ssh-") && !strings.HasPrefix(kind, "ecdsa-") || rest == "" {
		return 0, nil, refused("The public key is invalid.")
	}
	k := &sshKey{id: b.ids.Next("key"), user: u.id, name: c.Body.Text("name"), public: c.Body.Text("publicKey"), created: b.opts.Now()}
	b.keys[k.id] = k
	return http.StatusCreated, data(map[string]any{"id": k.id, "name": k.name, "type": "OpenSSH", "createdAt": micro(k.created)}), nil
}

func keyObject(k *sshKey) map[string]any {
	return map[string]any{
		"id": k.id, "name": k.name, "publicKey": k.public, "type": "OpenSSH", "enabled": true, "created": seconds(k.created), "updated": seconds(k.created),
	}
}

func (b *Box) userKeys(c panelbox.Call) (int, any, *panelbox.Failure) {
	list := []map[string]any{}
	for _, k := range b.keys {
		if k.user == c.ID("id") {
			list = append(list, keyObject(k))
		}
	}
	slices.SortFunc(list, func(a, b map[string]any) int { return int(a["id"].(int64) - b["id"].(int64)) })
	return http.StatusOK, data(list), nil
}

var noKey = told(http.StatusNotFound, "ssh key not found")

func (b *Box) readKey(c panelbox.Call) (int, any, *panelbox.Failure) {
	k := b.keys[c.ID("id")]
	if k == nil {
		return 0, nil, noKey
	}
	return http.StatusOK, data(keyObject(k)), nil
}

func (b *Box) deleteKey(c panelbox.Call) (int, any, *panelbox.Failure) {
	id := c.ID("id")
	if b.keys[id] == nil {
		return 0, nil, noKey
	}
	delete(b.keys, id)
	return http.StatusNoContent, nil, nil
}
