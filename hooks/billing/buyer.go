package billing

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax/vatid"
	"github.com/ezscale/ezscale/hooks/op"
)

// shopper is for whom a cart is priced: a customer as we know them, or a visitor
// who may have said where they are.
type shopper struct {
	collections.Customer
	known bool // signed in
}

// whereabouts is what of an address decides the tax.
type whereabouts struct {
	Country, Region, Postcode, VATID string
}

var country = regexp.MustCompile(`^[A-Z]{2}$`)

// whereabouts brings what a visitor typed into the form in which it is stored.
// Ids of states whose rules are known must be well formed; elsewhere a number is
// taken as it is.
func readWhereabouts(in whereabouts, f *op.Fields) whereabouts {
	w := whereabouts{strings.ToUpper(strings.TrimSpace(in.Country)), strings.TrimSpace(in.Region), strings.TrimSpace(in.Postcode), strings.TrimSpace(in.VATID)}
	f.Check(w.Country == "" || country.MatchString(w.Country), "country", "invalid", "Choose a country.")
	f.Check(len([]rune(w.Region)) <= 120, "region", "too_long", "At most 120 characters fit here.")
	f.Check(len([]rune(w.Postcode)) <= 20, "postcode", "too_long", "At most 20 characters fit here.")
	f.Check(len([]rune(w.VATID)) <= 40, "vat_id", "too_long", "At most 40 characters fit here.")
	if w.VATID == "" || w.Country == "" || len([]rune(w.VATID)) > 40 {
		f.Check(w.VATID == "" || w.Country != "" || len([]rune(w.VATID)) > 40, "country", "required", "Choose the country that the VAT id belongs to.")
		return w
	}
	id, err := vatid.Parse(w.VATID, w.Country)
	switch {
	case err == nil:
		w.VATID = id.String()
	case !errors.Is(err, vatid.ErrCountry):
		f.Add("vat_id", "invalid", "This is not a VAT id of that country. Please check it, or leave it out.")
	}
	return w
}

// buyerOf is who asks for a price. Where nothing else is known prices are taxed
// as at home.
func buyerOf(r *op.Request, where whereabouts) (shopper, error) {
	who := shopper{Customer: collections.Customer{Language: "en"}}
	if r.Auth != nil && r.Auth.Collection().Name == collections.Users {
		customer, err := collections.LoadCustomer(r.App, r.Auth.Id)
		if err != nil {
			return who, err
		}
		who = shopper{customer, true}
	}
	if who.Buyer.Country != "" {
		return who, nil
	}
	who.Buyer.Country, who.Buyer.Region, who.Buyer.Postcode, who.Buyer.TaxID = where.Country, where.Region, where.Postcode, where.VATID
	if where.Country == "" {
		policy, err := collections.LoadTaxing(r.App)
		if err != nil {
			return who, err
		}
		who.Buyer.Country, who.Buyer.Region = policy.HomeCountry, policy.HomeRegion
	}
	return who, nil
}

// settleAddress makes sure that the tax of an order rests on an address: the one
// that is known, else what the order says, which is kept.
func settleAddress(tx core.App, user string, where whereabouts) (shopper, error) {
	customer, err := collections.LoadCustomer(tx, user)
	if err != nil || customer.Buyer.Country != "" {
		return shopper{customer, true}, err
	}
	if where.Country == "" {
		policy, err := collections.LoadTaxing(tx)
		if err == nil && policy.Enabled {
			err = op.Fields{{Field: "country", Code: "required", Message: "Choose the country of your billing address; the tax depends on it."}}.Problem()
		}
		return shopper{customer, true}, err
	}
	profile, err := collections.First(tx, collections.UserProfiles, dbx.HashExp{"user": user})
	if err == nil && profile == nil {
		profile, err = collections.New(tx, collections.UserProfiles)
	}
	if err != nil {
		return shopper{customer, true}, err
	}
	profile.Load(map[string]any{"user": user, "country": where.Country, "region": where.Region, "postcode": where.Postcode, "tax_id": where.VATID})
	if err := collections.Save(tx, profile); err != nil {
		return shopper{customer, true}, fmt.Errorf("address of customer %s: %w", user, err)
	}
	customer, err = collections.LoadCustomer(tx, user)
	return shopper{customer, true}, err
}
