package panel

import (
	"encoding/json"
	"testing"
)

func TestOddValuesHideNothing(t *testing.T) {
	var got struct {
		ID    Number                    `json:"id"`
		Size  Number                    `json:"size"`
		Bool  Number                    `json:"bool"`
		Name  Text                      `json:"name"`
		Off   Text                      `json:"off"`
		On    Flag                      `json:"on"`
		Empty Maybe[struct{ A int }]    `json:"empty"`
		List  Many[struct{ ID Number }] `json:"list"`
	}
	const raw = `{"id":"7","size":"1e400","bool":true,"name":12,"off":false,"on":"1","empty":[],"list":{"b":{"ID":2},"a":{"ID":1},"c":null,"d":"x"}}`
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID.ID() != "7" || got.Size.OK || got.Bool.Value != 1 || got.Name != "12" || got.Off != "" || !bool(got.On) || len(got.List) != 2 || got.List[0].ID.Value != 1 {
		t.Errorf("got %+v", got)
	}
}

// A list that proves absence is whole, or it is none.
func TestWholeListMissesNothing(t *testing.T) {
	type entry struct {
		ID Number `json:"id"`
	}
	for raw, want := range map[string]int{`[{"id":1},{"id":2}]`: 2, `{"3":{"id":1}}`: 1, `[]`: 0, `[{"id":1},null]`: -1, `[7]`: -1, `null`: -1, ``: -1, `"x"`: -1} {
		list, ok := WholeList[entry](json.RawMessage(raw))
		if ok != (want >= 0) || ok && len(list) != want {
			t.Errorf("%s: %d entries, %t; want %d", raw, len(list), ok, want)
		}
	}
}

// FuzzValues: no JSON makes reading fail, and an id is a positive whole number.
func FuzzValues(f *testing.F) {
	for _, s := range []string{`{"n":"7"}`, `{"n":1e308,"t":[],"m":false,"l":{"a":1}}`, `{"n":-0,"f":"true"}`, `[]`, `{"l":[[],{}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got struct {
			N Number                  `json:"n"`
			T Text                    `json:"t"`
			F Flag                    `json:"f"`
			M Maybe[map[string]Text]  `json:"m"`
			L Many[map[string]Number] `json:"l"`
		}
		var tree map[string]json.RawMessage
		if json.Unmarshal(raw, &tree) != nil {
			return
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if id := got.N.ID(); id != "" && (id[0] < '1' || id[0] > '9') {
			t.Errorf("%s: id %q", raw, id)
		}
		if n := got.N.Times(1 << 30); n < -1 {
			t.Errorf("%s: %d", raw, n)
		}
		_ = got.N.Whole(0)
	})
}
