package hooks_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/internal/testapp"
)

func TestRealtimeTellsOwnersAlone(t *testing.T) {
	app := testapp.New(t)
	ada, eve := settle(app, "ada"), settle(app, "eve")
	guest, other, own := app.Stream(), app.Stream(), app.Stream()

	topics := []string{}
	for name, ids := range ada.ids {
		topics = append(topics, name+"/*", name+"/"+ids[0])
	}
	for who, s := range map[string]*testapp.Stream{"": guest, eve.of.Token: other} {
		for _, topic := range []string{"customer/" + ada.of.Id, "customer/" + ada.of.Id + "?options=%7B%7D", "customer/*", "customer/"} {
			if r := s.Subscribe(who, topic); r.Status != http.StatusNotFound {
				t.Errorf("subscribing to %s: got %s, want 404", topic, r)
			}
		}
		s.Subscribe(who, topics...) // each is checked when something happens
	}
	app.Want(http.StatusNoContent, other.Subscribe(eve.of.Token, append(topics, "customer/"+eve.of.Id)...))
	app.Want(http.StatusNoContent, own.Subscribe(ada.of.Token, "customer/"+ada.of.Id))

	rename := func(e *estate) {
		app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/v1/services/"+e.ids["services"][0], e.of.Token, map[string]string{"label": "new name"}))
	}
	rename(ada)
	rename(eve)
	app.Eventually("the owner hears of it", func() bool { return strings.Contains(own.All(), ada.ids["services"][0]) })
	app.Eventually("the other hears of hers", func() bool { return strings.Contains(other.All(), eve.ids["services"][0]) })
	app.Quiet()
	for who, s := range map[string]*testapp.Stream{"nobody": guest, "another customer": other} {
		if found := ada.mentions(s.All()); found != "" {
			t.Errorf("%s heard of %s:\n%s", who, found, s.All())
		}
	}
	if strings.Contains(own.All(), "new name") {
		t.Errorf("the topic carries contents, want ids alone:\n%s", own.All())
	}
}

func TestRealtimeEndsWithTheAccount(t *testing.T) {
	app := testapp.New(t)
	ada := settle(app, "ada")
	own := app.Stream()
	app.Want(http.StatusNoContent, own.Subscribe(ada.of.Token, "customer/"+ada.of.Id))
	user := app.Record("users", ada.of.Id)
	user.SetPassword("another-password-1") // ends every session
	if err := app.Save(user); err != nil {
		t.Fatal(err)
	}
	if r := app.Do(http.MethodGet, "/api/v1/me", ada.of.Token, nil); r.Status != http.StatusUnauthorized {
		t.Errorf("the old token: got %s, want 401", r)
	}
	svc := app.Record("services", ada.ids["services"][0])
	svc.Set("label", "after")
	if err := app.Save(svc); err != nil {
		t.Fatal(err)
	}
	app.Quiet()
	if strings.Contains(own.All(), svc.Id) {
		t.Errorf("a stream of an ended session heard: %s", own.All())
	}
}
