package provisioning

import (
	"slices"
	"strings"
	"time"
)

// CheckItem is one thing that people do, and tick when it is done.
type CheckItem struct {
	Text     string    `json:"text"`
	Optional bool      `json:"optional,omitempty"`
	By       string    `json:"by,omitempty"` // who ticked it, "staff:<id>"
	At       time.Time `json:"at,omitzero"`  // when
}

// Checklist is what people do for one piece of work, in order.
type Checklist []CheckItem

// checklistPrefix begins the plan settings that hold checklists. They tell people
// how and no platform what, so that they make no difference between two plans.
const checklistPrefix = "checklist_"

// Bounds of a checklist: what does not fit on a page is not read.
const (
	maxChecks    = 50
	maxCheckText = 300
)

// checklists are the names of the plan settings, and what is to be done where a plan
// has none.
var checklists = map[JobKind]struct {
	setting string
	usual   []string
}{
	JobProvision: {checklistPrefix + "build", []string{
		"Set the service up as its plan and the customer's choices say", "Note its addresses for this task", "Check that the customer can sign in or reach it", "? Label it with the service's id",
	}},
	JobSuspend:   {checklistPrefix + "suspend", []string{"Switch the service off so that the customer cannot switch it on", "Check that all data is kept"}},
	JobUnsuspend: {checklistPrefix + "unsuspend", []string{"Switch the service on", "Check that the customer can reach it"}},
	JobTerminate: {checklistPrefix + "terminate", []string{
		"Check the service's id once more: this cannot be undone", "Switch the service off and take it down", "Delete or destroy its data", "Free its addresses", "? Return the hardware to stock",
	}},
	JobChangePlan: {checklistPrefix + "change_plan", []string{"Check that the customer's data is still there and the service works"}},
}

// ChecklistFor is what people do for a job of a service: first what is special to
// it, then what its plan's settings say, or the usual. Items of a setting are
// separated by line breaks or semicolons; one that begins with a question mark is
// optional. A kind that people do not do has none.
func ChecklistFor(kind JobKind, settings map[string]string, special ...string) Checklist {
	known, there := checklists[kind]
	if !there {
		return nil
	}
	texts := known.usual
	if own := settings[known.setting]; own != "" {
		texts = strings.FieldsFunc(own, func(r rune) bool { return r == ';' || r == '\n' || r == '\r' })
	}
	list := Checklist{}
	for _, text := range slices.Concat(special, texts) {
		item := CheckItem{}
		text, item.Optional = strings.CutPrefix(strings.TrimSpace(text), "?")
		item.Text = strings.TrimSpace(text)
		if runes := []rune(item.Text); len(runes) > maxCheckText {
			item.Text = string(runes[:maxCheckText-1]) + "…"
		}
		if item.Text != "" && len(list) < maxChecks {
			list = append(list, item)
		}
	}
	return list
}

// ChecklistSettings are the names of the plan settings that hold checklists.
func ChecklistSettings() []string {
	names := []string{}
	for _, c := range checklists {
		names = append(names, c.setting)
	}
	slices.Sort(names)
	return names
}

// Left are the required items that nobody has ticked.
func (c Checklist) Left() []string {
	left := []string{}
	for _, item := range c {
		if !item.Optional && item.At.IsZero() {
			left = append(left, item.Text)
		}
	}
	return left
}

// Keep takes over the ticks of an earlier list of the same work, where the text is
// the same.
func (c Checklist) Keep(earlier Checklist) Checklist {
	kept := slices.Clone(c)
	for i, item := range kept {
		if n := slices.IndexFunc(earlier, func(e CheckItem) bool { return e.Text == item.Text }); n >= 0 {
			kept[i].By, kept[i].At = earlier[n].By, earlier[n].At
		}
	}
	return kept
}
