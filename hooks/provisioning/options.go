package provisioning

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/op"
)

const (
	// optionsKept is how long a panel's lists are shown again without asking it.
	optionsKept = time.Minute
	// optionsPatience is how long staff waits for them.
	optionsPatience = 20 * time.Second
)

type optionsRequest struct {
	ID string `json:"-" path:"id"`
	// Chosen are settings that others depend on: "nest_id:1,egg_id:3".
	Chosen string `json:"-" query:"chosen"`
}

// Check wants names with values.
func (in optionsRequest) Check(f *op.Fields) {
	_, ok := in.chosen()
	f.Check(ok && len(in.Chosen) <= 500, "chosen", "invalid", "Give what is chosen as name:value, with commas between, such as nest_id:1,egg_id:3.")
}

func (in optionsRequest) chosen() (map[string]string, bool) {
	out := map[string]string{}
	for part := range strings.SplitSeq(in.Chosen, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, ":")
		if !ok || name == "" || value == "" {
			return nil, false
		}
		out[name] = value
	}
	return out, true
}

type optionView struct {
	Value   string `json:"value"`
	Label   string `json:"label"`
	Group   string `json:"group"`
	Details string `json:"details"`
	Off     bool   `json:"off"` // new services do not get it
}

type optionListView struct {
	Setting string       `json:"setting"` // of platform_settings; "" is to look at alone
	Label   string       `json:"label"`
	After   string       `json:"after"`   // the setting to choose before
	Problem string       `json:"problem"` // why there are none
	Options []optionView `json:"options"`
}

type optionsView struct {
	Items  []optionListView `json:"items"`
	ReadAt time.Time        `json:"read_at"`
}

// keptOptions are lists that were read of an adapter.
type keptOptions struct {
	adapter any
	view    optionsView
}

// listOptions reads what the settings of a plan may be at a platform. Staff by hand
// has nothing to list.
func (s *Subject) listOptions(r *op.Request, in optionsRequest) (optionsView, error) {
	platform, err := s.platformOf(r.App, in.ID)
	if err != nil {
		return optionsView{}, err
	}
	adapter, err := s.platform(r.App, platform)
	if err != nil {
		return optionsView{}, op.NewProblem(http.StatusConflict, "not_set_up", "This platform is not set up: "+collections.Cut(err.Error(), 400)+".")
	}
	lister, ok := adapter.(provisioning.OptionLister)
	if !ok {
		return optionsView{Items: []optionListView{}, ReadAt: r.Now()}, nil
	}
	chosen, _ := in.chosen()
	key := platform.Id + " " + in.Chosen
	if known, ok := s.knownOptions(key, adapter, r.Now()); ok {
		return known, nil
	}
	limited, cancel := context.WithTimeout(r.Request.Context(), optionsPatience)
	defer cancel()
	view := viewOptions(lister.Options(limited, chosen), r.Now())
	s.keepOptions(key, adapter, view)
	return view, nil
}

// platformOf finds a platform by the id that staff gives.
func (*Subject) platformOf(app core.App, id string) (*core.Record, error) {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"id": id})
	if err == nil && platform == nil {
		err = op.NotFound()
	}
	return platform, err
}

func viewOptions(lists []provisioning.OptionList, now time.Time) optionsView {
	v := optionsView{Items: []optionListView{}, ReadAt: now.UTC()}
	for _, l := range lists {
		one := optionListView{Setting: l.Setting, Label: l.Label, After: l.After, Problem: l.Problem, Options: []optionView{}}
		for _, o := range l.Options {
			one.Options = append(one.Options, optionView(o))
		}
		v.Items = append(v.Items, one)
	}
	return v
}

func (s *Subject) knownOptions(key string, adapter any, now time.Time) (optionsView, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.options[key]
	return known.view, ok && known.adapter == adapter && now.Sub(known.view.ReadAt) < optionsKept
}

// keepOptions keeps whole lists alone, and forgets those that are too old.
func (s *Subject) keepOptions(key string, adapter any, view optionsView) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, known := range s.options {
		if view.ReadAt.Sub(known.view.ReadAt) >= optionsKept {
			delete(s.options, other)
		}
	}
	for _, l := range view.Items {
		if l.Problem != "" {
			return
		}
	}
	s.options[key] = keptOptions{adapter, view}
}
