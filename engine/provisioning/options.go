package provisioning

import "context"

// Option is a value that a setting of a plan may have at a panel.
type Option struct {
	Value   string // as platform_settings have it; "" where a plan cannot name it
	Label   string
	Group   string // of options that belong together, "" for none
	Details string // for people: what it is, what is free
	Off     bool   // it exists, and new services do not get it
}

// OptionList are the values of one setting.
type OptionList struct {
	Setting string // of platform_settings; "" is for people to look at alone
	Label   string
	// After is the setting that has to be chosen before, on which the options depend.
	After   string
	Options []Option
	// Problem says in words why there are none, "" where they could be read.
	Problem string
}

// OptionLister lists what a plan may name at a panel. It changes nothing.
type OptionLister interface {
	// Options reads every list; chosen are settings that others depend on. What could
	// not be read says so in its Problem.
	Options(ctx context.Context, chosen map[string]string) []OptionList
}
