package testapp

import (
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/crypto/bcrypt"

	"github.com/ezscale/ezscale/collections"
)

// Password is everybody's.
const Password = "correct-horse-1"

// hash is a cheap hash of Password; sign-in works with it.
var hash = sync.OnceValue(func() string {
	h, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(h)
})

// Person is somebody who can sign in.
type Person struct {
	*core.Record
	Email string
	Token string
}

// Customer creates a verified customer named so, whose address is
// <name>@customer.test.
func (a *App) Customer(name string) *Person {
	a.Helper()
	p := a.person(collections.Users, name+"@customer.test", map[string]any{"name": name, "status": "active", "locale": "en", "time_zone": "UTC", "verified": true})
	if _, err := collections.Insert(a.App, collections.UserProfiles, map[string]any{"user": p.Id, "street": "2 Test Road", "postcode": "10115", "city": "Berlin", "country": "DE"}); err != nil {
		a.Fatal(err)
	}
	return p
}

// Staff returns the token of a member of staff, the same one for all who ask.
func (a *App) Staff() string {
	a.Helper()
	a.staffing.Lock()
	defer a.staffing.Unlock()
	if a.staff == "" {
		a.staff = a.person(core.CollectionNameSuperusers, "staff@hosting.test", nil).Token
	}
	return a.staff
}

func (a *App) person(collection, email string, values map[string]any) *Person {
	a.Helper()
	r, err := collections.New(a.App, collection)
	if err != nil {
		a.Fatal(err)
	}
	r.SetEmail(email)
	r.SetRaw("password", &core.PasswordFieldValue{Hash: hash()})
	r.RefreshTokenKey()
	r.Load(values)
	if err := collections.Save(a.App, r); err != nil {
		a.Fatalf("create %s: %v", email, err)
	}
	token, err := r.NewAuthToken()
	if err != nil {
		a.Fatalf("token of %s: %v", email, err)
	}
	return &Person{r, email, token}
}
