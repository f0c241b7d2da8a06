// Package account is customers' own data: sign-up, name, address, preferences.
// Signing in, verification and password reset are PocketBase's.
package account

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax/vatid"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what account needs from outside.
type Deps struct {
	Now func() time.Time
	// AlreadyRegistered writes to the owner of an address with which somebody
	// tried to sign up again.
	AlreadyRegistered func(app core.App, user *core.Record) error
}

type subject struct{ Deps }

// Register binds account's operations.
func Register(app core.App, table *op.Table, deps Deps) {
	s := &subject{deps}
	app.OnRecordRequestEmailChangeRequest(collections.Users).Bind(&hook.Handler[*core.RecordRequestEmailChangeRequestEvent]{
		Id: "accountKeepAddress",
		Func: func(*core.RecordRequestEmailChangeRequestEvent) error {
			return apis.NewForbiddenError("The address of an account is changed by support, who makes sure it is you.", nil)
		},
	})
	op.Add(table, op.Spec{ID: "account.sign_up", Method: http.MethodPost, Path: "/api/v1/account/sign-up", Access: op.Public, Status: http.StatusCreated, Summary: "Create a customer account; a verification mail follows"}, s.signUp)
	op.Add(table, op.Spec{ID: "account.show", Method: http.MethodGet, Path: "/api/v1/me", Access: op.Customer, Summary: "The signed-in customer"}, s.show)
	op.Add(table, op.Spec{ID: "account.update", Method: http.MethodPatch, Path: "/api/v1/me", Access: op.Customer, Summary: "Change name, preferences and billing address"}, s.update)
}

type signUpRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Locale   string `json:"locale,omitzero"`
	TimeZone string `json:"time_zone,omitzero"`
	Terms    bool   `json:"terms"`
}

var locale = regexp.MustCompile(`^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$`)

// Check says per field what is wrong and how to fix it.
func (in signUpRequest) Check(f *op.Fields) {
	address, err := mail.ParseAddress(strings.TrimSpace(in.Email))
	f.Check(err == nil && address.Name == "" && len(in.Email) <= 254, "email", "invalid", "Enter an e-mail address such as name@example.com.")
	f.Check(len(in.Password) >= 10, "password", "too_short", "Use at least 10 characters.")
	f.Check(len(in.Password) <= 71, "password", "too_long", "Use at most 71 characters.")
	name := strings.TrimSpace(in.Name)
	f.Check(name != "" && len([]rune(name)) <= 200, "name", "required", "Enter your name, up to 200 characters.")
	f.Check(in.Terms, "terms", "required", "Please accept the terms.")
	checkLocale(f, in.Locale, in.TimeZone)
}

func checkLocale(f *op.Fields, lang, zone string) {
	f.Check(locale.MatchString(lang) && len(lang) <= 20, "locale", "invalid", "The language must be a tag such as en or de-AT.")
	_, err := time.LoadLocation(zone)
	f.Check(err == nil && len(zone) <= 60, "time_zone", "invalid", "The time zone must be a name such as Europe/Berlin.")
}

type signUpAnswer struct {
	OK bool `json:"ok"`
}

// signUp creates an account. Whether an address is taken is told to its owner
// by mail, never to the caller.
func (s *subject) signUp(r *op.Request, in signUpRequest) (signUpAnswer, error) {
	email := strings.ToLower(strings.TrimSpace(in.Email))
	// The password is hashed first: outside of the transaction, since it takes a
	// tenth of a second, and for known addresses too, which it would tell apart.
	user, err := newUser(r, email, in)
	if err != nil {
		return signUpAnswer{}, err
	}
	known, err := r.App.FindAuthRecordByEmail(collections.Users, email)
	if err == nil {
		return signUpAnswer{true}, s.AlreadyRegistered(r.App, known)
	}
	err = s.register(r, user)
	if err == nil {
		return signUpAnswer{true}, nil
	}
	if known, missing := r.App.FindAuthRecordByEmail(collections.Users, email); missing == nil {
		return signUpAnswer{true}, s.AlreadyRegistered(r.App, known) // another request was faster
	}
	return signUpAnswer{}, err
}

// newUser is the account as it will be saved.
func newUser(r *op.Request, email string, in signUpRequest) (*core.Record, error) {
	user, err := collections.New(r.App, collections.Users)
	if err != nil {
		return nil, err
	}
	user.SetEmail(email)
	user.SetPassword(in.Password)
	user.Load(map[string]any{
		"name": strings.TrimSpace(in.Name), "status": "active", "locale": first(in.Locale, "en"), "time_zone": first(in.TimeZone, "UTC"),
		"terms_accepted_at": collections.Stamp(r.Now()),
	})
	return user, nil
}

// register writes the account, its empty profile and the mail that verifies it.
func (s *subject) register(r *op.Request, user *core.Record) error {
	return r.App.RunInTransaction(func(tx core.App) error {
		if err := collections.Save(tx, user); err != nil {
			return fmt.Errorf("sign up: %w", err)
		}
		if _, err := collections.Insert(tx, collections.UserProfiles, map[string]any{"user": user.Id}); err != nil {
			return err
		}
		if err := mails.SendRecordVerification(tx, user); err != nil { // written as a row, sent later
			return fmt.Errorf("sign up: %w", err)
		}
		return audit.Write(tx, r.Now(), audit.Entry{ActorKind: audit.Customer, Actor: user.Id, Action: "account.sign_up", Resource: collections.Users, ResourceID: user.Id, IP: r.RealIP(), UserAgent: r.Agent()})
	})
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

type profile struct {
	Company  string `json:"company"`
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	Region   string `json:"region"`
	Country  string `json:"country"`
	TaxID    string `json:"tax_id"`
	Phone    string `json:"phone"`
}

type meView struct {
	ID       string  `json:"id"`
	Email    string  `json:"email"`
	Name     string  `json:"name"`
	Verified bool    `json:"verified"`
	Locale   string  `json:"locale"`
	TimeZone string  `json:"time_zone"`
	Currency string  `json:"currency"`
	Profile  profile `json:"profile"`
}

func (s *subject) show(r *op.Request, _ op.None) (meView, error) {
	return view(r.App, r.Auth.Id)
}

func view(app core.App, id string) (meView, error) {
	u, err := app.FindRecordById(collections.Users, id)
	if err != nil {
		return meView{}, fmt.Errorf("customer %s: %w", id, err)
	}
	v := meView{
		ID: u.Id, Email: u.Email(), Name: u.GetString("name"), Verified: u.Verified(),
		Locale: u.GetString("locale"), TimeZone: u.GetString("time_zone"), Currency: u.GetString("currency"),
	}
	p, err := collections.First(app, collections.UserProfiles, dbx.HashExp{"user": id})
	if err != nil || p == nil {
		return v, err
	}
	v.Profile = profile{
		p.GetString("company"), p.GetString("street"), p.GetString("city"), p.GetString("postcode"),
		p.GetString("region"), p.GetString("country"), p.GetString("tax_id"), p.GetString("phone"),
	}
	return v, nil
}

type updateRequest struct {
	Name     *string  `json:"name"`
	Locale   *string  `json:"locale"`
	TimeZone *string  `json:"time_zone"`
	Profile  *profile `json:"profile"`
}

var country = regexp.MustCompile(`^([A-Z]{2})?$`)

// Check bounds every field; what is absent stays as it is.
func (in updateRequest) Check(f *op.Fields) {
	if in.Name != nil {
		n := len([]rune(strings.TrimSpace(*in.Name)))
		f.Check(n > 0 && n <= 200, "name", "invalid", "Enter your name, up to 200 characters.")
	}
	lang, zone := "", ""
	if in.Locale != nil {
		lang = *in.Locale
	}
	if in.TimeZone != nil {
		zone = *in.TimeZone
	}
	checkLocale(f, lang, zone)
	if p := in.Profile; p != nil {
		f.Check(country.MatchString(p.Country), "profile.country", "invalid", "Choose a country.")
		if _, err := vatid.Parse(p.TaxID, p.Country); p.TaxID != "" && err != nil && !errors.Is(err, vatid.ErrCountry) {
			f.Add("profile.tax_id", "invalid", "This VAT id is not well-formed; please compare it with your documents.")
		}
		bounds := []struct {
			field, value string
			limit        int
		}{
			{"company", p.Company, 200},
			{"street", p.Street, 300},
			{"city", p.City, 120},
			{"postcode", p.Postcode, 20},
			{"region", p.Region, 120},
			{"tax_id", p.TaxID, 40},
			{"phone", p.Phone, 40},
		}
		for _, b := range bounds {
			f.Check(len([]rune(b.value)) <= b.limit, "profile."+b.field, "too_long", fmt.Sprintf("At most %d characters fit here.", b.limit))
		}
	}
}

func (s *subject) update(r *op.Request, in updateRequest) (meView, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		u, err := tx.FindRecordById(collections.Users, r.Auth.Id)
		if err != nil {
			return fmt.Errorf("customer %s: %w", r.Auth.Id, err)
		}
		set(u, "name", in.Name)
		set(u, "locale", in.Locale)
		set(u, "time_zone", in.TimeZone)
		if err := collections.Save(tx, u); err != nil {
			return fmt.Errorf("customer %s: %w", u.Id, err)
		}
		if in.Profile == nil {
			return nil
		}
		return saveProfile(tx, u.Id, *in.Profile)
	})
	if err != nil {
		return meView{}, err
	}
	return view(r.App, r.Auth.Id)
}

func set(u *core.Record, field string, value *string) {
	if value != nil {
		u.Set(field, strings.TrimSpace(*value))
	}
}

func saveProfile(tx core.App, user string, in profile) error {
	p, err := collections.First(tx, collections.UserProfiles, dbx.HashExp{"user": user})
	if err != nil {
		return err
	}
	if p == nil {
		if p, err = collections.New(tx, collections.UserProfiles); err != nil {
			return err
		}
	}
	p.Load(map[string]any{
		"user": user, "company": in.Company, "street": in.Street, "city": in.City, "postcode": in.Postcode,
		"region": in.Region, "country": in.Country, "tax_id": in.TaxID, "phone": in.Phone,
	})
	if err := collections.Save(tx, p); err != nil {
		return fmt.Errorf("profile of customer %s: %w", user, err)
	}
	return nil
}
