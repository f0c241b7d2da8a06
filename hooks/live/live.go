// Package live tells open browsers that something of theirs changed. Each
// customer has one topic that says only which record to fetch again; access is
// checked when it is subscribed to and again by the fetch. Nothing private
// travels, and a saving call does not wait for readers.
package live

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/routine"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
)

// prefix of a customer's topic; the customer's id follows.
const prefix = "customer/"

// watched are the collections whose changes customers see.
var watched = []string{collections.Services, collections.Orders, collections.PaymentMethods}

// Register binds the topic's access check and its messages.
func Register(app core.App, bk *books.Books) {
	told := invoice(app)
	bk.OnIssued(told)
	bk.OnPaid(told)
	bk.OnVoided(told)
	bk.OnCredited(told)
	app.OnRealtimeSubscribeRequest().Bind(&hook.Handler[*core.RealtimeSubscribeRequestEvent]{Id: "liveOwnTopic", Func: func(e *core.RealtimeSubscribeRequestEvent) error {
		for _, topic := range e.Subscriptions {
			name, _, _ := strings.Cut(topic, "?")
			if strings.HasPrefix(name, prefix) && !owns(e.Auth, strings.TrimPrefix(name, prefix)) {
				return apis.NewNotFoundError("There is no such topic, or it is not yours.", nil)
			}
		}
		return e.Next()
	}})
	tell := &hook.Handler[*core.RecordEvent]{Id: "liveTell", Func: func(e *core.RecordEvent) error {
		broadcast(e.App, e.Record.GetString("user"), e.Record.Collection().Name, e.Record.Id)
		return e.Next()
	}}
	app.OnRecordAfterCreateSuccess(watched...).Bind(tell)
	app.OnRecordAfterUpdateSuccess(watched...).Bind(tell)
}

func owns(auth *core.Record, user string) bool {
	return auth != nil && auth.Collection().Name == collections.Users && auth.Id == user
}

type message struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
}

// invoice tells of an invoice once its transaction is committed: the books write
// invoices without record hooks.
func invoice(app core.App) books.Follower {
	return func(tx core.App, d books.Document) error {
		tx.TxInfo().OnComplete(func(failed error) error {
			if failed == nil {
				broadcast(app, d.User, collections.Invoices, d.ID)
			}
			return nil
		})
		return nil
	}
}

// broadcast sends in the background to a customer's clients.
func broadcast(app core.App, user, collection, id string) {
	topic := prefix + user
	body, err := json.Marshal(message{collection, id})
	if err != nil {
		app.Logger().Error("Live message cannot be encoded", "error", fmt.Sprint(err))
		return
	}
	clients := []subscriptions.Client{}
	for _, c := range app.SubscriptionsBroker().Clients() {
		auth, _ := c.Get(apis.RealtimeClientAuthKey).(*core.Record)
		if owns(auth, user) && c.HasSubscription(topic) {
			clients = append(clients, c)
		}
	}
	if len(clients) == 0 {
		return
	}
	routine.FireAndForget(func() {
		for _, c := range clients {
			c.Send(subscriptions.Message{Name: topic, Data: body})
		}
	})
}
