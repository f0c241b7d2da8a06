package synergycp

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/panel"
)

// FuzzAnswers: whatever a panel answers, nothing falls over, messages fit a log,
// and every refusal has a class.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(refusal("No.")))
	f.Add([]byte(`{"error":true,"data":{"id":"88","ignored":1},"messages":{"a":{"text":"x"}}}`))
	f.Add([]byte(`{"id":"7","billing":[],"access":{"client":false,"is_active":"1"},"usage":{"used":1e300,"max":"1"}}`))
	f.Add([]byte(`{"full_ip":"203.0.113.250 - 255","v6_address":"::/0"}`))
	f.Add([]byte(`[{"sum":-1}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, status := range []int{302, 400, 401, 404, 422, 500} {
			e := &panel.Error{Vendor: vendor, Status: status}
			judge(panel.Call{Effect: panel.Writes, Method: http.MethodPost}, e, raw)
			if e.Class == nil || strings.ContainsAny(e.Message, "\n\x1b") || len([]rune(e.Message)) > panel.MaxMessage+100 {
				t.Errorf("status %d: %v", status, e)
			}
		}
		var got envelope
		if json.Unmarshal(raw, &got) == nil {
			if strings.ContainsAny(got.words(), "\n\x1b") {
				t.Errorf("words = %q", got.words())
			}
			_ = got.faults()
		}
		var s server
		if json.Unmarshal(raw, &s) == nil {
			_, _, _, _ = s.name(), s.suspended(), s.usedUp(), s.maxBits()
		}
		var e entity
		if json.Unmarshal(raw, &e) == nil && len(e.v4()) > maxRange {
			t.Errorf("%d addresses", len(e.v4()))
		}
		var c clientObject
		if json.Unmarshal(raw, &c) == nil {
			_ = c.relation()
		}
	})
}
