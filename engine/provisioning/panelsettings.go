package provisioning

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PanelSettings is what of a plan differs at one of several panels: the same package
// has another id there.
type PanelSettings struct {
	// Instead are settings that every service of the plan gets at that panel.
	Instead map[string]string
	// Values are, for a setting that customers choose, what is given for each value.
	Values map[string]map[string]string
}

// ParsePanelSettings reads the differences of a plan, by the panel's id:
//
//	{"<panel id>": {"package_id": 7, "template_id": {"8": 31, "9": 32}}}
//
// A value by itself is given to every service; an object translates what is chosen.
func ParsePanelSettings(raw string) (map[string]PanelSettings, error) {
	out := map[string]PanelSettings{}
	if raw == "" || raw == "null" {
		return out, nil
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	panels := map[string]map[string]any{}
	if err := d.Decode(&panels); err != nil {
		return nil, errors.New(`must be such as {"<panel id>": {"package_id": "7", "template_id": {"8": "31"}}}`)
	}
	for id, settings := range panels {
		p := PanelSettings{map[string]string{}, map[string]map[string]string{}}
		for name, value := range settings {
			if s, ok := scalar(value); ok {
				p.Instead[name] = s
				continue
			}
			table, ok := value.(map[string]any)
			if !ok || len(table) == 0 {
				return nil, fmt.Errorf("panel %s: %q must be a text, a number, a boolean, or an object from what is chosen to what the panel is given", id, name)
			}
			p.Values[name] = map[string]string{}
			for from, to := range table {
				if p.Values[name][from], ok = scalar(to); !ok {
					return nil, fmt.Errorf("panel %s: %q of %q must be a text, a number or a boolean", id, from, name)
				}
			}
		}
		out[id] = p
	}
	return out, nil
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string, bool, json.Number:
		return fmt.Sprint(v), true
	}
	return "", false
}

// Translation puts settings as they were sold into those of one panel: by name, then
// by value. It is frozen with the service, so that a later change of the plan does
// not change what the service has. Its zero value changes nothing.
type Translation map[string]map[string]string

// For is the translation of what was sold. The error names the setting whose value
// the panel has nothing for.
func (p PanelSettings) For(sold map[string]string) (Translation, error) {
	t := Translation{}
	for name, value := range p.Instead {
		t[name] = map[string]string{sold[name]: value}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Values)) {
		t[name] = maps.Clone(p.Values[name])
	}
	for _, name := range slices.Sorted(maps.Keys(p.Values)) {
		value, chosen := sold[name]
		if _, known := p.Values[name][value]; chosen && !known {
			return t, fmt.Errorf("has nothing for %s = %q (add it to the plan's panel_settings)", name, value)
		}
	}
	return t, nil
}

// Of puts settings into the panel's. What it has no word for stays as it is: so does
// what staff types into one service.
func (t Translation) Of(settings map[string]string) map[string]string {
	out := maps.Clone(settings)
	if out == nil {
		out = map[string]string{}
	}
	for name, values := range t {
		if to, known := values[settings[name]]; known {
			out[name] = to
		}
	}
	return out
}

// Of is the wish in the panel's settings.
func (w PlanWish) Of(from, to Translation) PlanWish {
	w.From, w.To = from.Of(w.From), to.Of(w.To)
	return w
}
