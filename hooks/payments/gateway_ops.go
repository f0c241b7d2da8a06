package payments

import (
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *Subject) gatewayOps(t *op.Table) {
	const path = "/api/v1/staff/gateways"
	op.Add(t, op.Spec{ID: "staff.gateways.list", Method: http.MethodGet, Path: path, Access: op.Staff, Summary: "Gateways as they are set up, with the address for their webhooks; keys are never shown"}, s.listGateways)
	op.Add(t, op.Spec{ID: "staff.gateways.test", Method: http.MethodPost, Path: path + "/{kind}/test", Access: op.Staff, Summary: "Test the connection to a gateway; what is wrong is said in plain words"}, s.testGateway)
}

// gatewayView is a gateway as staff sees it.
type gatewayView struct {
	Kind        string    `json:"kind"`
	Label       string    `json:"label"`
	Enabled     bool      `json:"enabled"`
	Environment string    `json:"environment"` // "live", "test" or "" where nobody said
	Address     string    `json:"api_url"`     // "" is the vendor's own
	HasKey      bool      `json:"has_key"`
	HasWebhook  bool      `json:"has_webhook"`
	FromProcess bool      `json:"from_environment"` // keys come from the process, not from the record
	WebhookURL  string    `json:"webhook_url"`
	LastEventAt time.Time `json:"last_event_at,omitzero"`
	DownSince   time.Time `json:"down_since,omitzero"`
	Note        string    `json:"note"`
}

type gatewayList struct {
	Items []gatewayView `json:"items"`
}

func (s *Subject) listGateways(r *op.Request, _ op.None) (gatewayList, error) {
	list := gatewayList{Items: []gatewayView{}}
	all, err := collections.All(r.App, collections.Gateways, dbx.HashExp{"kind": []any{"stripe", "paypal", Manual}}, "position ASC")
	if err != nil {
		return list, err
	}
	for _, g := range all {
		v, err := s.viewGateway(r.App, g)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *Subject) viewGateway(app core.App, g *core.Record) (gatewayView, error) {
	kind := g.GetString("kind")
	v := gatewayView{Kind: kind, Label: g.GetString("label"), Enabled: g.GetBool("enabled"), Environment: g.GetString("environment"), Note: g.GetString("health_note")}
	if _, takes := s.Factories[kind]; !takes {
		return v, nil
	}
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return v, err
	}
	set, err := s.settingsOf(g, kind)
	if err != nil { // sealed under another key: the rest is worth showing all the same
		v.Note = plain(kind, err)
	}
	v.Address, v.HasKey, v.HasWebhook, v.FromProcess = set.APIURL, set.SecretKey != "", set.WebhookSecret != "", s.Override[kind].SecretKey != ""
	v.WebhookURL = brand.URL + "/webhooks/" + kind
	if down := g.GetDateTime("down_since"); g.GetDateTime("recovered_at").Before(down) {
		v.DownSince = down.Time()
	}
	last := []string{}
	if err := app.DB().NewQuery("SELECT `received_at` FROM `webhook_events` WHERE `gateway` = {:kind} ORDER BY `rowid` DESC LIMIT 1").Bind(dbx.Params{"kind": kind}).Column(&last); err != nil || len(last) == 0 {
		return v, err
	}
	v.LastEventAt, err = collections.ParseStamp(last[0])
	return v, err
}

type gatewayPath struct {
	Kind string `json:"-" path:"kind"`
}

type gatewayTest struct {
	OK         bool   `json:"ok"`
	Message    string `json:"message"`
	WebhookURL string `json:"webhook_url"`
}

// testGateway asks the gateway whether it works. A failure is an answer, not an
// error: it is what staff wanted to know.
func (s *Subject) testGateway(r *op.Request, in gatewayPath) (gatewayTest, error) {
	if _, takes := s.Factories[in.Kind]; !takes {
		return gatewayTest{}, op.NotFound()
	}
	brand, err := collections.LoadBrand(r.App)
	if err != nil {
		return gatewayTest{}, err
	}
	out := gatewayTest{OK: true, Message: names[in.Kind] + " works: it accepts the keys, and its webhooks can be verified.", WebhookURL: brand.URL + "/webhooks/" + in.Kind}
	gateway, err := s.gateway(r.App, in.Kind)
	if err == nil {
		err = gateway.Check(r.Request.Context())
	}
	if err != nil {
		out.OK, out.Message = false, plain(in.Kind, err)
	}
	return out, audit.Write(r.App, r.Now(), audit.Entry{
		ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "gateway.test", Resource: collections.Gateways, ResourceID: in.Kind, IP: r.RealIP(), UserAgent: r.Agent(),
		Changes: map[string]any{"ok": out.OK, "message": collections.Cut(out.Message, 300)},
	})
}
