package tax

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/tax/vatid"
)

// Decide says how a sale to a buyer is taxed on a date, which is the start of
// the period that is sold or else the day of issue. Errors: ErrPolicy,
// ErrNoRate, ErrVATID.
func Decide(p Policy, b Buyer, rates []Rate, date time.Time) (Treatment, error) {
	if err := p.Check(); err != nil {
		return Treatment{}, err
	}
	if id, err := vatid.Parse(b.VATID, b.Country); err == nil {
		b.VATID = id.String()
	}
	at := At(b.Country, b.Region, b.Postcode)
	d := decision{p: p, b: b, rates: rates, at: at, home: p.home()}
	d.t = Treatment{Date: day(date), Evidence: b.evidence(at)}
	if err := d.decide(); err != nil {
		return Treatment{}, fmt.Errorf("tax of a sale to %s on %s: %w", at.name(), d.t.Date.Format(time.DateOnly), err)
	}
	return d.t, nil
}

// name is the place for errors.
func (p Place) name() string {
	switch {
	case p.Country == "":
		return "an unknown country"
	case p.Region == "":
		return p.Country
	}
	return p.Country + "-" + p.Region
}

// decision is one run of Decide: the treatment t grows.
type decision struct {
	p        Policy
	b        Buyer
	rates    []Rate
	at, home Place
	t        Treatment
}

func (d *decision) decide() error {
	var err error
	switch {
	case !d.p.Enabled:
		d.untaxed(OutOfScope, ReasonNoTax)
	case d.p.SmallBusiness:
		d.untaxed(Exempt, ReasonSmallBusiness)
	case d.p.EUVAT:
		err = d.union()
	default:
		err = d.listed(ReasonNotTaxable)
	}
	if err != nil {
		return err
	}
	d.exempt()
	return d.deduct()
}

// exempt takes the tax off a buyer who bears none where he would.
func (d *decision) exempt() {
	if d.t.Category == Standard && d.b.Exempt {
		d.t.Components, d.t.Note = nil, d.b.ExemptReason
		d.untaxed(Exempt, ReasonExempt)
	}
}

// union applies Articles 44, 45, 58 and 196 of Directive 2006/112/EC to
// electronically supplied services, which hosting is (Annex II number 1).
func (d *decision) union() error {
	abroad := d.at.Country != d.home.Country
	if id := idCountry(d.b.VATID); d.b.VATID != "" && id != d.at.Country && (d.at.EU || MemberState(id)) {
		d.t.Evidence.contradict("billing address " + d.t.Evidence.Billing + ", VAT id " + d.b.VATID)
	}
	switch {
	case !d.home.EU && (!abroad || !d.at.EU):
		return d.listed(ReasonNotTaxable)
	case !d.at.EU:
		return d.listed(ReasonOutsideEU)
	case !abroad:
		d.consumer()
		return d.charge(d.at)
	}
	reverse, err := d.reverse()
	switch {
	case err != nil:
		return err
	case reverse:
		d.untaxed(ReverseCharge, ReasonReverseCharge)
		return nil
	}
	d.consumer()
	switch {
	case d.p.OSS:
		return d.charge(d.at)
	case d.home.EU:
		d.t.Evidence.Country, d.t.Evidence.Region = d.home.Country, d.home.Region
		return d.charge(d.home)
	}
	return d.listed(ReasonNotTaxable)
}

// reverse says whether a buyer of another member state owes the tax himself.
// An id of a third state says nothing about where the buyer is established: it
// does not count.
func (d *decision) reverse() (bool, error) {
	status := d.b.idStatus()
	if status == IDNone || idCountry(d.b.VATID) != d.at.Country {
		return false, nil
	}
	handling := d.p.UncheckedID
	switch status {
	case IDValid:
		return true, nil
	case IDInvalid:
		handling = d.p.InvalidID
	default: // never answered
	}
	_, err := vatid.Parse(d.b.VATID, "")
	switch {
	case handling == RefuseID:
		return false, fmt.Errorf("%w: %s is %s", ErrVATID, d.b.VATID, status)
	case err != nil:
		d.t.Evidence.contradict(err.Error())
		return false, nil
	}
	return handling == TrustID, nil
}

// consumer weighs where a buyer is who is taxed as a consumer.
func (d *decision) consumer() {
	if d.p.OSS && (d.b.idStatus() != IDValid || idCountry(d.b.VATID) != d.at.Country) {
		d.t.Evidence.prove()
	}
}

// charge takes the rates of a place that must have some.
func (d *decision) charge(at Place) error {
	found, ok := pick(d.rates, at, d.t.Date, false)
	if !ok {
		return fmt.Errorf("%w for %s", ErrNoRate, at.name())
	}
	d.tax(found)
	return nil
}

// listed taxes what the table of rates has for the buyer's place; where it has
// nothing the sale is untaxed, except at home with no rate at all, which is a
// table that nobody has filled.
func (d *decision) listed(reason Reason) error {
	business := d.at.Country != d.home.Country && (d.b.Business || d.b.idStatus() == IDValid)
	found, ok := pick(d.rates, d.at, d.t.Date, business)
	switch {
	case ok:
		d.tax(found)
		return nil
	case d.at.Country == d.home.Country && !d.at.leftOut() && !d.knowsHome():
		return fmt.Errorf("%w for %s", ErrNoRate, d.at.name())
	}
	d.untaxed(OutOfScope, reason)
	return nil
}

// knowsHome says whether the table has a rate of the home country on the day.
// States of federations may charge nothing while others do.
func (d *decision) knowsHome() bool {
	for _, r := range d.rates {
		if r.Country == d.home.Country && !d.t.Date.Before(r.ValidFrom) {
			return true
		}
	}
	return false
}

func (d *decision) tax(found []Component) {
	d.t.Category, d.t.Components = Zero, found
	for _, c := range found {
		if c.PPM > 0 {
			d.t.Category = Standard
		}
	}
}

func (d *decision) untaxed(c Category, why Reason) {
	d.t.Category, d.t.Reason = c, why
}

// deduct notes the tax that an inclusive price contains and this buyer does not
// bear.
func (d *decision) deduct() error {
	if !d.p.Inclusive || !d.p.DeductUntaxed || !d.p.Enabled || d.p.SmallBusiness || d.t.Category == Standard || d.t.Category == Zero {
		return nil
	}
	found, ok := pick(d.rates, d.home, d.t.Date, false)
	if !ok {
		return fmt.Errorf("%w for %s, which prices contain", ErrNoRate, d.home.name())
	}
	d.t.deduct = found
	return nil
}

// idCountry is the ISO 3166-1 code of a VAT id's state.
func idCountry(id string) string {
	if len(id) < 2 {
		return ""
	}
	return At(id[:2], "", "").Country
}
