package panel

import (
	"errors"
	"fmt"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// Listed is a list of options as read makes it, or the problem in words.
func Listed(setting, label string, read func() ([]provisioning.Option, error)) provisioning.OptionList {
	list := provisioning.OptionList{Setting: setting, Label: label}
	found, err := read()
	if err != nil {
		list.Problem = inWords(err)
	}
	if list.Options = found; found == nil {
		list.Options = []provisioning.Option{}
	}
	return list
}

// After is Listed of options that depend on another setting; until that is chosen
// nothing is read.
func After(before, chosen, setting, label string, read func() ([]provisioning.Option, error)) provisioning.OptionList {
	if chosen == "" {
		read = func() ([]provisioning.Option, error) { return nil, nil }
	}
	list := Listed(setting, label, read)
	list.After = before
	return list
}

// Fixed are options that are the same at every panel.
func Fixed(setting, label string, values ...string) provisioning.OptionList {
	list := provisioning.OptionList{Setting: setting, Label: label, Options: []provisioning.Option{}}
	for _, v := range values {
		list.Options = append(list.Options, provisioning.Option{Value: v, Label: v})
	}
	return list
}

// inWords says for people why something could not be read.
func inWords(err error) string {
	var e *Error
	said := ""
	if errors.As(err, &e) {
		said = e.Message
	}
	switch provisioning.Classify(err) {
	case provisioning.ClassCredentials:
		return fmt.Sprintf("The key is refused or may not read this (%s). Test the connection: it says what is missing.", said)
	case provisioning.ClassTemporary, provisioning.ClassUnknown:
		return fmt.Sprintf("The panel did not answer (%s). Try again in a minute.", said)
	case provisioning.ClassNone, provisioning.ClassPermanent, provisioning.ClassCapacity, provisioning.ClassStaff:
	}
	if said == "" {
		said = Clean(err.Error())
	}
	return fmt.Sprintf("The panel refuses to list this (%s).", said)
}
