// Package live tells open browsers that something of theirs changed. Each
// customer has one topic that says only which record to fetch again; access is
// checked when it is subscribed to and again by the fetch. Nothing private
// travels, and a saving call does not wait for readers.
package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

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

// Line is the live line of one app. It is safe for concurrent use.
type Line struct {
	app    core.App
	mu     sync.RWMutex
	open   map[string]map[string]subscriptions.Client // by customer and client
	topics map[string][]string                        // customers, by client
}

// Register binds the topic's access check and its messages.
func Register(app core.App, bk *books.Books) *Line {
	l := &Line{app: app, open: map[string]map[string]subscriptions.Client{}, topics: map[string][]string{}}
	told := l.invoice()
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
		if err := e.Next(); err != nil {
			return err
		}
		l.listen(e.Client, e.Subscriptions)
		return nil
	}})
	app.OnRealtimeConnectRequest().Bind(&hook.Handler[*core.RealtimeConnectRequestEvent]{Id: "liveGone", Func: func(e *core.RealtimeConnectRequestEvent) error {
		defer l.listen(e.Client, nil) // it returns when the client has gone
		return e.Next()
	}})
	tell := &hook.Handler[*core.RecordEvent]{Id: "liveTell", Func: func(e *core.RecordEvent) error {
		l.Tell(e.Record.GetString("user"), e.Record.Collection().Name, e.Record.Id)
		return e.Next()
	}}
	app.OnRecordAfterCreateSuccess(watched...).Bind(tell)
	app.OnRecordAfterUpdateSuccess(watched...).Bind(tell)
	return l
}

// listen notes which customers' topics a client has from now on. One that has gone
// meanwhile has none.
func (l *Line) listen(c subscriptions.Client, topics []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, user := range l.topics[c.Id()] {
		if delete(l.open[user], c.Id()); len(l.open[user]) == 0 {
			delete(l.open, user)
		}
	}
	delete(l.topics, c.Id())
	if c.IsDiscarded() {
		return
	}
	for _, topic := range topics {
		name, _, _ := strings.Cut(topic, "?")
		user, own := strings.CutPrefix(name, prefix)
		if !own {
			continue
		}
		if l.open[user] == nil {
			l.open[user] = map[string]subscriptions.Client{}
		}
		l.open[user][c.Id()] = c
		l.topics[c.Id()] = append(l.topics[c.Id()], user)
	}
}

// Customers are those who look at the portal now, in no order.
func (l *Line) Customers() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Collect(maps.Keys(l.open))
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
func (l *Line) invoice() books.Follower {
	return func(tx core.App, d books.Document) error {
		tx.TxInfo().OnComplete(func(failed error) error {
			if failed == nil {
				l.Tell(d.User, collections.Invoices, d.ID)
			}
			return nil
		})
		return nil
	}
}

// Tell tells a customer's open browsers in the background that a record of theirs is
// to be fetched again.
func (l *Line) Tell(user, collection, id string) {
	clients := l.clients(user)
	if len(clients) == 0 {
		return
	}
	topic := prefix + user
	body, err := json.Marshal(message{collection, id})
	if err != nil {
		l.app.Logger().Error("Live message cannot be encoded", "error", fmt.Sprint(err))
		return
	}
	routine.FireAndForget(func() {
		for _, c := range clients {
			auth, _ := c.Get(apis.RealtimeClientAuthKey).(*core.Record)
			if owns(auth, user) && c.HasSubscription(topic) {
				c.Send(subscriptions.Message{Name: topic, Data: body})
			}
		}
	})
}

func (l *Line) clients(user string) []subscriptions.Client {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Collect(maps.Values(l.open[user]))
}
