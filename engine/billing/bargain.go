package billing

import "github.com/ezscale/ezscale/engine/money"

// OptionWish is what somebody wants of one option: a value of a choice, or how
// many.
type OptionWish struct {
	Value    string `json:"value,omitzero"`
	Quantity int64  `json:"quantity,omitzero"`
}

// ChangeWish is what a subscription is to become.
type ChangeWish struct {
	Currency string
	Price    string // id of a plan's price
	Title    string // of its lines, behind the plan's name: what tells one server from another
	// Options by name; nil takes along those of Kept that the plan offers.
	Options map[string]OptionWish
	// Kept is what the subscription has now. An option that stays as it is keeps the
	// price agreed for it, as does the plan under the same price; none of that has to
	// be on sale still.
	Kept Bargain
}

// Bargain is a plan's price with options, and what each costs.
type Bargain struct {
	Price, Plan, Name string
	Cycle             Cycle
	Unit              money.Amount
	Setup             money.Amount // of the plan; a change charges it only where it is still to come
	Cap               money.Amount // by the hour: the most that a calendar month costs
	Options           []AgreedOption
}

// AgreedOption is an option with its price. Its Description is the bare label.
type AgreedOption struct {
	RecurringItem
	Option  string // id
	Addon   bool
	Value   string // of a choice
	Setting string // as the platform gets it, under the option's name
}

// Option finds an option by its name.
func (a Bargain) Option(name string) (AgreedOption, bool) {
	for _, it := range a.Options {
		if it.Key == name {
			return it, true
		}
	}
	return AgreedOption{}, false
}

// Items are what a subscription on these terms pays for each period. Set-up is
// charged for options that it did not have before; that of the plan was charged
// when the service was set up.
func (a Bargain) Items(title string, before Bargain) []RecurringItem {
	name := a.Name
	if title != "" {
		name += " · " + title
	}
	items := []RecurringItem{{Key: PlanKey, Kind: LinePeriod, Description: name, Quantity: 1, Unit: a.Unit}}
	for _, it := range a.Options {
		item := it.RecurringItem
		item.Description = name + " · " + it.Description
		if _, had := before.Option(it.Key); had {
			item.Setup = money.Amount{}
		}
		items = append(items, item)
	}
	return items
}

// Same reports whether two agreements are the same to the customer and the platform,
// whatever they cost once.
func (a Bargain) Same(other Bargain) bool {
	if a.Plan != other.Plan || a.Cycle != other.Cycle || a.Unit != other.Unit || len(a.Options) != len(other.Options) {
		return false
	}
	for _, it := range a.Options {
		has, ok := other.Option(it.Key)
		if !ok || !sameItem(it.RecurringItem, has.RecurringItem) || it.Value != has.Value {
			return false
		}
	}
	return true
}
