package payments_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// newTrap receives deliveries in the product's place and returns its address.
func newTrap(app *testapp.App, keep func(kind string, body []byte)) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		event := struct {
			Type string `json:"type"`
		}{}
		if err != nil || json.Unmarshal(body, &event) != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		keep(event.Type, body)
	}))
	app.Cleanup(server.Close)
	return server.URL
}

// faultOn makes the next calls fail before they have an effect.
func faultOn(match string, times int) fault.Fault {
	return fault.Fault{Match: match, Kind: fault.Error500, Times: times}
}

// lostOn makes the next calls have their effect and lose the answer.
func lostOn(match string, times int) fault.Fault {
	return fault.Fault{Match: match, Kind: fault.LostAnswer, Times: times}
}
