package enhance

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The one database of a managed MySQL and its user. More of them the customer makes
// in the panel, as far as the plan goes.
const (
	dbName = "main"
	dbUser = "main"
)

// grants are what the user may do in the database: everything but administration.
// The vendor names no list; these are MySQL's own words.
var grants = []string{
	"ALTER", "ALTER ROUTINE", "CREATE", "CREATE ROUTINE", "CREATE TEMPORARY TABLES", "CREATE VIEW", "DELETE", "DROP", "EVENT", "EXECUTE", "INDEX", "INSERT", "LOCK TABLES", "REFERENCES",
	"SELECT", "SHOW VIEW", "TRIGGER", "UPDATE",
}

func sitePath(r ref, website string) string { return "/orgs/" + r.org + "/websites/" + website }

// names lists the databases or users of a website by name.
func (c *Client) names(ctx context.Context, op, path string) ([]string, error) {
	list, _, err := readItems[struct {
		Name     panel.Text `json:"name"`
		Username panel.Text `json:"username"`
	}](ctx, c, panel.Call{Op: op, Path: path})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, one := range list {
		out = append(out, string(one.Name+one.Username))
	}
	return out, nil
}

// ours finds a name that we gave, which the panel may have put something before.
func ours(list []string, name string) (string, bool) {
	i := slices.IndexFunc(list, func(s string) bool { return s == name || strings.HasSuffix(s, "_"+name) })
	if i < 0 {
		return "", false
	}
	return list[i], true
}

// stepDatabase creates the database (POST …/mysql-dbs) unless it is there.
func (c *Client) stepDatabase(ctx context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	op := "create the database of service " + o.ServiceID
	r, err := parseRef(op, b.RemoteID)
	if err != nil {
		return b, err
	}
	path := sitePath(r, b.Data[dataWebsite]) + "/mysql-dbs"
	body := struct {
		Name string `json:"name"`
	}{dbName}
	if b.Data[dataDB], err = c.ensure(ctx, op, path, dbName, body); err != nil {
		return b, err
	}
	return panel.Move(b, StepDBUser), nil
}

// ensure makes what is not listed yet, and returns the name by which the panel
// lists it.
func (c *Client) ensure(ctx context.Context, op, path, name string, body any) (string, error) {
	list, err := c.names(ctx, op, path)
	if err != nil {
		return "", err
	}
	if found, there := ours(list, name); there {
		return found, nil
	}
	err = c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: path, Body: body}, nil)
	if err != nil && !hasCode(err, codeExists) {
		return "", err
	}
	if list, err = c.names(ctx, op, path); err != nil {
		return "", err
	}
	found, there := ours(list, name)
	if !there {
		return "", vendor.Refuse(provisioning.ErrTemporary, op, "the panel does not list it yet")
	}
	return found, nil
}

// stepDBUser creates the database's user (POST …/mysql-users) with a password that
// nobody gets: the last step sets the one that counts.
func (c *Client) stepDBUser(ctx context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	op := "create the database user of service " + o.ServiceID
	r, err := parseRef(op, b.RemoteID)
	if err != nil {
		return b, err
	}
	body := struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}{dbUser, rand.Text()}
	if _, err := c.ensure(ctx, op, sitePath(r, b.Data[dataWebsite])+"/mysql-users", dbUser, body); err != nil {
		return b, err
	}
	return panel.Move(b, StepGrant), nil
}

// stepGrant lets the user work in the database (PUT …/privileges), which replaces
// what was granted before.
func (c *Client) stepGrant(ctx context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	op := "grant the database of service " + o.ServiceID
	r, err := parseRef(op, b.RemoteID)
	if err != nil {
		return b, err
	}
	user, err := c.findDBUser(ctx, op, r, b.Data[dataWebsite])
	if err != nil {
		return b, err
	}
	err = c.do(ctx, panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPut, Path: sitePath(r, b.Data[dataWebsite]) + "/mysql-users/" + user + "/privileges",
		Body: struct {
			DB     string   `json:"dbName"`
			Grants []string `json:"grants"`
		}{b.Data[dataDB], grants},
	}, nil)
	if err != nil {
		return b, err
	}
	return panel.Move(b, StepPassword), nil
}

// findDBUser is the name by which the panel lists our user.
func (c *Client) findDBUser(ctx context.Context, op string, r ref, website string) (string, error) {
	list, err := c.names(ctx, op, sitePath(r, website)+"/mysql-users")
	if err != nil {
		return "", err
	}
	user, there := ours(list, dbUser)
	if !there {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "its database user %s is not there any more; make it again in the panel", dbUser)
	}
	return user, nil
}

// setDBPassword gives the database's user a new password (PUT …/mysql-users/{user}).
func (c *Client) setDBPassword(ctx context.Context, op string, r ref, website string) (string, error) {
	user, err := c.findDBUser(ctx, op, r, website)
	if err != nil {
		return "", err
	}
	password := rand.Text()
	return password, c.do(ctx, panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPut, Path: sitePath(r, website) + "/mysql-users/" + user,
		Body: struct {
			Password string `json:"password"`
		}{password},
	}, nil)
}
