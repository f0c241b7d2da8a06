package billing

import "time"

// The kinds of lines beside LinePeriod and LineSetup. LinePeriod is the price of
// a subscription's plan for one period; it alone carries the rule that a period
// is billed once.
const (
	LineTrial    LineKind = "trial"    // free days before the first period
	LineOption   LineKind = "option"   // an option or add-on for one period
	LineDiscount LineKind = "discount" // negative, with the line it belongs to as Parent
	LineCharge   LineKind = "charge"   // the new part of a change within a period
	LineUnused   LineKind = "unused"   // negative: the unused part of an earlier line
	LineLateFee  LineKind = "late_fee"
	LineUsage    LineKind = "usage"  // overage and the like
	LineHourly   LineKind = "hourly" // accrued hours of a month
	LineManual   LineKind = "manual" // entered by staff
	LineTopUp    LineKind = "topup"  // buys credit
)

// Line is a line of a document with all that it says about itself. Its Amount is
// as priced: without tax where prices exclude it, with tax where they include it.
type Line struct {
	InvoiceLine
	Kind         LineKind
	TaxDate      time.Time // decides the tax rate; zero means the start of Period, else the day of issue
	Subscription string    // id, "" for what belongs to none
	Item         string    // key of the RecurringItem billed, "" for none
	Parent       int       // position, from 1, of the line a discount belongs to; 0 for none
	Detail       Detail
}

// Detail says how a line came about, so that staff and customers can be shown
// why an amount is what it is. Empty members say nothing.
type Detail struct {
	Plan        string    `json:"plan,omitzero"` // id
	Cycle       Cycle     `json:"cycle,omitzero"`
	Number      int       `json:"number,omitzero"`     // of the period, from 0
	Days        int64     `json:"days,omitzero"`       // charged or credited of TotalDays
	TotalDays   int64     `json:"total_days,omitzero"` // of the whole period
	FullMinor   int64     `json:"full_minor,omitzero"` // price of the whole period, before it was cut to Days
	Hours       int64     `json:"hours,omitzero"`      // started hours of an hourly plan
	CapMinor    int64     `json:"cap_minor,omitzero"`  // monthly price at which hours stop counting
	Coupon      string    `json:"coupon,omitzero"`     // code
	BasisPoints int64     `json:"basis_points,omitzero"`
	Bundle      string    `json:"bundle,omitzero"`    // slug
	Line        string    `json:"line,omitzero"`      // id of the earlier line that an unused part belongs to
	Invoice     string    `json:"invoice,omitzero"`   // number of the invoice it refers to
	Until       time.Time `json:"until,omitzero"`     // end of a trial
	Quantity    int64     `json:"quantity,omitzero"`  // of an option
	Allowance   int64     `json:"allowance,omitzero"` // of usage, in units
	Used        int64     `json:"used,omitzero"`      // of usage, in units
	Unit        string    `json:"unit,omitzero"`      // of usage: "GB"
	Note        string    `json:"note,omitzero"`      // staff's own words
}

// TaxPoint is the date that decides the tax rate of a line issued at now: the
// day it names, else the start of its period, else now.
func (l Line) TaxPoint(now time.Time) time.Time {
	switch {
	case !l.TaxDate.IsZero():
		return l.TaxDate
	case !l.Period.Start.IsZero():
		return l.Period.Start
	}
	return now
}
