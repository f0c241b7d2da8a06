package enhance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/panel"
)

// FuzzAnswers: whatever a panel answers, nothing falls over, messages fit a log,
// and only its own word proves absence.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(failure("not_found", "org")))
	f.Add([]byte(`{"code":7,"detail":null,"message":["x"]}`))
	f.Add([]byte(`{"id":"501","planId":11,"resources":{"a":{"name":"diskspace","total":1e300,"usage":"x"}},"suspendedBy":false}`))
	f.Add([]byte(`{"domain":[],"serverIps":[{"ip":"fe80::1%eth0","isPrimary":1},{"ip":"203.0.113.7"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, status := range []int{302, 400, 403, 404, 409, 500} {
			e := &panel.Error{Vendor: vendor, Status: status}
			judge(panel.Call{Effect: panel.Writes, Method: http.MethodPost}, e, raw)
			if e.Class == nil || strings.ContainsAny(e.Message, "\n\x1b") || len([]rune(e.Message)) > panel.MaxMessage+1 {
				t.Errorf("status %d: %v", status, e)
			}
		}
		var s subscription
		if json.Unmarshal(raw, &s) == nil {
			_ = s.suspended()
			_, _ = s.resource("diskspace")
			_ = fits("try", s, planObject{Resources: s.Resources})
		}
		var w website
		if json.Unmarshal(raw, &w) == nil {
			_, _, _ = w.domain(), w.addresses(kindWebsite), w.addresses(kindMySQL)
		}
	})
}
