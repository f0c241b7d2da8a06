package panel

import "github.com/ezscale/ezscale/engine/provisioning"

// Listing proves that a list of everything was read whole, although it comes page
// by page while the panel goes on changing it: an entry that goes away moves those
// behind it up, past a reader between two pages. It keeps the ids alone.
type Listing struct {
	vendor Vendor
	op     string
	ids    map[string]struct{}
	total  float64
}

// NewListing begins a list; op is for errors.
func NewListing(v Vendor, op string) *Listing {
	return &Listing{vendor: v, op: op, ids: map[string]struct{}{}}
}

// Page takes how many entries the list has in all, as a page of it says.
// ErrTemporary where that has become less, or is not said.
func (l *Listing) Page(total Number) error {
	switch {
	case !total.OK:
		return l.vendor.Refuse(provisioning.ErrTemporary, l.op, "the panel does not say how many entries the list has, so that it cannot be told whether it is whole")
	case total.Value < l.total:
		return l.vendor.Refuse(provisioning.ErrTemporary, l.op, "the list lost entries while it was read, so that others may have been passed over")
	}
	l.total = total.Value
	return nil
}

// Fresh notes an entry; false where it was shown before. ErrTemporary where it has
// no id, by which it could be told from others.
func (l *Listing) Fresh(id string) (bool, error) {
	if id == "" {
		return false, l.vendor.Refuse(provisioning.ErrTemporary, l.op, "an entry has no id")
	}
	_, again := l.ids[id]
	l.ids[id] = struct{}{}
	return !again, nil
}

// End says whether the list was whole: it showed as many entries as it has.
func (l *Listing) End() error {
	if missing := l.total - float64(len(l.ids)); missing > 0 {
		return l.vendor.Refuse(provisioning.ErrTemporary, l.op, "the list has %.0f entries and showed %d: it changed while it was read", l.total, len(l.ids))
	}
	return nil
}
