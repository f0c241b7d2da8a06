package virtfusion

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/ezscale/ezscale/integrations/panel"
)

// FuzzServer: whatever the panel sends, reading a server does not panic, and
// what is read from it is within its bounds.
func FuzzServer(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, s := range []string{
		`{"data":[]}`, `{"data":{"id":"7","remoteState":[],"network":false,"tasks":null}}`, `{"data":{"id":1e400,"name":{"a":1},"settings":[1]}}`,
		`{"data":{"id":-0,"remoteState":{"cpu":"NaN","memory":{"actual":1e308,"unused":-1},"agent":{"fsinfo":{"1":{"total-bytes":9e18,"used-bytes":8e18}}}}}}`,
		`{"data":{"network":{"interfaces":{"a":{"ipv6":[{"subnet":"::1%eth0","cidr":"200"}]}}}}}`, `{"data":{"monthly":{"0":{"month":true,"limit":"1e300"}}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got answer[server]
		if json.Unmarshal(raw, &got) == nil {
			checkServer(t, got.Data)
		}
		var months answer[struct {
			Monthly panel.Many[period] `json:"monthly"`
		}]
		if json.Unmarshal(raw, &months) == nil {
			for _, p := range months.Data.Monthly {
				if tr, ok := p.traffic(); ok && (tr.BytesIn < 0 || tr.BytesOut < 0 || tr.Limit < 0) {
					t.Errorf("a negative figure: %+v", tr)
				}
			}
		}
		var list page
		if json.Unmarshal(raw, &list) == nil {
			panel.WholeList[server](list.Data)
		}
	})
}

func checkServer(t *testing.T, s server) {
	t.Helper()
	_ = s.phase()
	for _, a := range s.addresses() {
		if _, err := netip.ParseAddr(a.IP); err != nil {
			if _, err := netip.ParsePrefix(a.IP); err != nil {
				t.Errorf("%q is no address", a.IP)
			}
		}
	}
	live := s.RemoteState.V
	if p := percent(live.CPU); p < -1 || p > 100 {
		t.Errorf("%d percent", p)
	}
	if used, total := live.Memory.V.usage(); used < -1 || total < -1 || used > total && used >= 0 {
		t.Errorf("memory %d of %d", used, total)
	}
	if used, total := diskUsage(live.Agent.V.FSInfo); used < -1 || total < -1 || used > total {
		t.Errorf("disk %d of %d", used, total)
	}
}

// FuzzErrorBody: an error body gives one printable line or nothing.
func FuzzErrorBody(f *testing.F) {
	for _, s := range []string{
		``, `401 Unauthorized`, `<html>`, `{"errors":["Invalid or disabled firewall ruleset"]}`, `{"msg":"server not found"}`, `{"errors":{"a":["b"]}}`,
		`{"message":"x","errors":[[[[["deep"]]]]]}`, `{"errors":[{"message":"x"},1,null]}`, `{"msg":7}`, `[]`, `null`, `"x"`, "{\"msg\":\"\xff\u0000\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		msg := parseMessage(raw)
		if !utf8.ValidString(msg) || utf8.RuneCountInString(msg) > panel.MaxMessage+1 {
			t.Errorf("message %q", msg)
		}
		for _, r := range msg {
			if r < ' ' {
				t.Errorf("message %q has a control character", msg)
			}
		}
		for _, e := range []panel.Effect{panel.Reads, panel.Writes, panel.Grows} {
			for _, status := range []int{301, 400, 404, 422, 500} {
				if classOf(e, status, msg) == nil {
					t.Errorf("status %d has no class", status)
				}
			}
		}
	})
}
