package virtfusion

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/ezscale/ezscale/integrations/panel"
)

// answer is the success envelope.
type answer[T any] struct {
	Data T `json:"data"`
}

// page is the flat paginator; an unpaged list leaves the page numbers unset.
type page struct {
	Data        json.RawMessage `json:"data"`
	CurrentPage panel.Number    `json:"current_page"`
	LastPage    panel.Number    `json:"last_page"`
	Total       panel.Number    `json:"total"`
}

type userObject struct {
	ID    panel.Number `json:"id"`
	Email panel.Text   `json:"email"`
}

// server holds the fields we use of a server object. The same fields appear in
// the answers of create, build and read and, without created, owner and
// settings, in the list of a user's servers.
type server struct {
	ID               panel.Number          `json:"id"`
	OwnerID          panel.Number          `json:"ownerId"`
	Name             panel.Text            `json:"name"`
	Hostname         panel.Text            `json:"hostname"`
	CommissionStatus panel.Number          `json:"commissionStatus"`
	State            panel.Text            `json:"state"`
	Suspended        panel.Flag            `json:"suspended"`
	Protected        panel.Flag            `json:"protected"`
	BuildFailed      panel.Flag            `json:"buildFailed"`
	Built            panel.Text            `json:"built"`
	Created          panel.Text            `json:"created"`
	Settings         panel.Maybe[settings] `json:"settings"`
	Hypervisor       panel.Maybe[struct {
		GroupID panel.Number `json:"groupId"`
	}] `json:"hypervisor"`
	Network panel.Maybe[struct {
		Interfaces panel.Many[netInterface] `json:"interfaces"`
	}] `json:"network"`
	Tasks panel.Maybe[struct {
		Active panel.Flag `json:"active"`
	}] `json:"tasks"`
	RemoteState panel.Maybe[remoteState] `json:"remoteState"`
}

type settings struct {
	OSTemplateID      panel.Number           `json:"osTemplateInstallId"`
	DecryptedPassword panel.Text             `json:"decryptedPassword"`
	Resources         panel.Maybe[resources] `json:"resources"`
}

// resources are in MB, GB and cores.
type resources struct {
	Memory   panel.Number `json:"memory"`
	Storage  panel.Number `json:"storage"`
	CPUCores panel.Number `json:"cpuCores"`
	Traffic  panel.Number `json:"traffic"`
}

type netInterface struct {
	Order panel.Number `json:"order"`
	IPv4  panel.Many[struct {
		Order   panel.Number `json:"order"`
		Address panel.Text   `json:"address"`
	}] `json:"ipv4"`
	IPv6 panel.Many[struct {
		Subnet panel.Text   `json:"subnet"`
		CIDR   panel.Number `json:"cidr"`
	}] `json:"ipv6"`
}

// phase is how far the installation of a server is.
type phase int

const (
	phaseWorking   phase = iota // queued, building, or a word we do not know
	phaseAllocated              // it exists without a system
	phaseFailed
	phaseComplete
)

// phase reads state and commissionStatus, which say the same twice. Unknown
// words count as in progress. Either failure signal is believed, except that a
// build under way overrides the mark of an earlier one.
func (s server) phase() phase {
	var p phase
	switch strings.ToLower(string(s.State)) {
	case "allocated":
		p = phaseAllocated
	case "failed":
		p = phaseFailed
	case "complete":
		p = phaseComplete
	case "queued", "building":
		return phaseWorking
	case "":
		if s.CommissionStatus.OK {
			p = map[float64]phase{0: phaseAllocated, 2: phaseFailed, 3: phaseComplete}[s.CommissionStatus.Value]
		}
	}
	if bool(s.BuildFailed) && !s.busy() {
		p = phaseFailed
	}
	return p
}

// busy says whether the panel works on the server. Pending actions do not
// count: some only wait for a power action.
func (s server) busy() bool { return bool(s.Tasks.V.Active) }

func (s server) createdAt() (time.Time, bool) { return parseTime(string(s.Created)) }

// parseTime reads the panel's three forms of time; the one without a zone is
// taken as UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
