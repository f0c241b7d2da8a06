package billing

// agreed are the prices that staff and customer agreed on for one row of a quote;
// what is absent costs what the catalog says.
type agreed struct {
	Unit    *int64
	Setup   *int64
	Options map[string]agreedOption // by name
}

// agreedOption is the price of an option in a quote.
type agreedOption struct {
	Label       string
	Unit, Setup int64
}

func (a agreed) unit(amount, setup int64) (int64, int64) {
	if a.Unit != nil {
		amount = *a.Unit
	}
	if a.Setup != nil {
		setup = *a.Setup
	}
	return amount, setup
}

func (a agreed) option(o *option, value string, listed optionPrice, offered bool, of *offer) (optionPrice, bool) {
	fixed, ok := a.Options[o.Name]
	if !ok {
		return listed, offered
	}
	return optionPrice{Option: o.ID, Value: value, Label: fixed.Label, Currency: of.Currency, Cycle: of.Cycle, Amount: fixed.Unit, Setup: fixed.Setup}, true
}
