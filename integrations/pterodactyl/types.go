package pterodactyl

import (
	"encoding/json"

	"github.com/ezscale/ezscale/integrations/panel"
)

// item is the envelope of one object.
type item[T any] struct {
	Attributes T `json:"attributes"`
}

// list is the envelope of a list. Of a list that is read to prove absence no
// entry may be missing, so its entries are decoded apart.
type list struct {
	Data json.RawMessage `json:"data"`
	Meta struct {
		Pagination struct {
			CurrentPage panel.Number `json:"current_page"`
			TotalPages  panel.Number `json:"total_pages"`
			Total       panel.Number `json:"total"`
		} `json:"pagination"`
	} `json:"meta"`
}

// wholeList decodes a list of which no entry may be missing.
func wholeList[T any](raw json.RawMessage) ([]T, bool) {
	items, ok := panel.WholeList[item[T]](raw)
	out := make([]T, 0, len(items))
	for _, one := range items {
		out = append(out, one.Attributes)
	}
	return out, ok
}

// word is panel.Text that takes booleans too, as values of variables may be.
type word string

// UnmarshalJSON never fails: what is neither text, number nor boolean is "".
func (w *word) UnmarshalJSON(raw []byte) error {
	var t panel.Text
	_ = t.UnmarshalJSON(raw) // it never fails
	*w = word(t)
	if s := string(raw); s == "true" || s == "false" {
		*w = word(s)
	}
	return nil
}

type userObject struct {
	ID         panel.Number `json:"id"`
	ExternalID panel.Text   `json:"external_id"`
	Username   panel.Text   `json:"username"`
	Email      panel.Text   `json:"email"`
	FirstName  panel.Text   `json:"first_name"`
	LastName   panel.Text   `json:"last_name"`
	RootAdmin  panel.Flag   `json:"root_admin"`
}

// server holds the fields we use of a server object of the Application API.
type server struct {
	ID         panel.Number `json:"id"`
	ExternalID panel.Text   `json:"external_id"`
	UUID       panel.Text   `json:"uuid"`
	Identifier panel.Text   `json:"identifier"`
	Name       panel.Text   `json:"name"`
	Status     panel.Text   `json:"status"` // "" (null) is usable
	Updated    panel.Text   `json:"updated_at"`
	Limits     struct {
		Memory      panel.Number `json:"memory"`
		Swap        panel.Number `json:"swap"`
		Disk        panel.Number `json:"disk"`
		IO          panel.Number `json:"io"`
		CPU         panel.Number `json:"cpu"`
		Threads     panel.Text   `json:"threads"`
		OOMDisabled *panel.Flag  `json:"oom_disabled"`
	} `json:"limits"`
	Features struct {
		Databases   panel.Number `json:"databases"`
		Allocations panel.Number `json:"allocations"`
		Backups     panel.Number `json:"backups"`
	} `json:"feature_limits"`
	User       panel.Number `json:"user"`
	Node       panel.Number `json:"node"`
	Allocation panel.Number `json:"allocation"`
	Nest       panel.Number `json:"nest"`
	Egg        panel.Number `json:"egg"`
	Container  struct {
		Startup     panel.Text                   `json:"startup_command"`
		Image       panel.Text                   `json:"image"`
		Environment panel.Maybe[map[string]word] `json:"environment"`
	} `json:"container"`
	Relations panel.Maybe[struct {
		Allocations panel.Maybe[struct {
			Data panel.Many[item[allocation]] `json:"data"`
		}] `json:"allocations"`
		User panel.Maybe[item[panel.Maybe[userObject]]] `json:"user"`
	}] `json:"relationships"`
}

type allocation struct {
	ID    panel.Number `json:"id"`
	IP    panel.Text   `json:"ip"`
	Alias panel.Text   `json:"alias"`
	Port  panel.Number `json:"port"`
}

// The words of a server's status.
const (
	statusReady           = ""
	statusInstalling      = "installing"
	statusInstallFailed   = "install_failed"
	statusReinstallFailed = "reinstall_failed"
	statusSuspended       = "suspended"
)

// failed says that the last installation did not succeed.
func (s server) failed() bool {
	return s.Status == statusInstallFailed || s.Status == statusReinstallFailed
}

func (s server) suspended() bool { return s.Status == statusSuspended }

// busy says whether the panel works on the server; words that we do not know
// count as such.
func (s server) busy() bool {
	return s.Status != statusReady && !s.failed() && !s.suspended()
}
