package pterodactyl

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/panel"
)

// FuzzAnswers: whatever a panel answers, nothing falls over, messages fit a log,
// and only its own sentence proves absence.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"errors":[{"code":"NotFoundHttpException","status":"404","detail":"The requested resource could not be found on the server."}]}`))
	f.Add([]byte(`{"errors":{"a":{"code":7,"detail":null,"meta":[]}}}`))
	f.Add([]byte(`{"attributes":{"id":"7","uuid":null,"limits":[],"relationships":{"allocations":{"data":{"1":{"attributes":{"ip":"x","port":"y"}}}}}}}`))
	f.Add([]byte(`{"data":[{"attributes":{"id":1}}],"meta":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		failed := &panel.Error{Vendor: vendor, Status: 404, Faults: parseFaults(raw)}
		if words := words(failed); strings.ContainsAny(words, "\n\x1b") || len([]rune(words)) > panel.MaxMessage+1 {
			t.Errorf("words = %q", words)
		}
		if provesAbsence(failed) && !strings.Contains(string(raw), "NotFound") && !strings.Contains(string(raw), `\u`) {
			t.Errorf("%q proves absence", raw)
		}
		var s item[server]
		if json.Unmarshal(raw, &s) == nil {
			_, _, _ = s.Attributes.addresses(), s.Attributes.endpoint(), s.Attributes.size()
		}
		var e item[egg]
		if json.Unmarshal(raw, &e) == nil {
			_, _ = e.Attributes.environment("try", nil, nil)
			_, _ = e.Attributes.imageOf("try", "")
		}
		var l list
		if json.Unmarshal(raw, &l) == nil {
			_, _ = wholeList[server](l.Data)
		}
	})
}
