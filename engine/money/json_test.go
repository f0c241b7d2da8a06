package money_test

import (
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

func TestMarshalJSON(t *testing.T) {
	scenarios := []struct {
		name string
		a    money.Amount
		want string
	}{
		{"cents", money.Must(1234, "EUR"), `{"minor":1234,"currency":"EUR","exponent":2}`},
		{"negative", money.Must(-1, "KWD"), `{"minor":-1,"currency":"KWD","exponent":3}`},
		{"no decimals", money.Must(1200, "JPY"), `{"minor":1200,"currency":"JPY","exponent":0}`},
		{"nothing", money.Amount{}, `null`},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := json.Marshal(s.a)
			if err != nil || string(got) != s.want {
				t.Errorf("got %s, error %v, want %s", got, err, s.want)
			}
		})
	}
}

func TestUnmarshalJSON(t *testing.T) {
	scenarios := []struct {
		name, text string
		want       money.Amount
		err        error
	}{
		{"with exponent", `{"minor":1234,"currency":"EUR","exponent":2}`, money.Must(1234, "EUR"), nil},
		{"without exponent", `{"currency":"JPY","minor":-5}`, money.Must(-5, "JPY"), nil},
		{"nothing", `null`, money.Amount{}, nil},
		{"wrong exponent", `{"minor":1,"currency":"JPY","exponent":2}`, money.Amount{}, money.ErrSyntax},
		{"no minor", `{"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"no currency", `{"minor":1}`, money.Amount{}, money.ErrSyntax},
		{"empty", `{}`, money.Amount{}, money.ErrSyntax},
		{"fraction", `{"minor":1.5,"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"float notation", `{"minor":1e2,"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"text for a number", `{"minor":"1","currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"null inside", `{"minor":null,"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"number for a text", `{"minor":1,"currency":978}`, money.Amount{}, money.ErrSyntax},
		{"other letter case", `{"Minor":1,"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"unknown field", `{"minor":1,"currency":"EUR","x":1}`, money.Amount{}, money.ErrSyntax},
		{"repeated minor", `{"minor":1,"minor":2,"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"repeated currency", `{"minor":1,"currency":"EUR","currency":"USD"}`, money.Amount{}, money.ErrSyntax},
		{"array", `[1,"EUR"]`, money.Amount{}, money.ErrSyntax},
		{"bare number", `12`, money.Amount{}, money.ErrSyntax},
		{"nested", `{"minor":{"minor":1},"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
		{"unknown currency", `{"minor":1,"currency":"ABC"}`, money.Amount{}, money.ErrCurrency},
		{"beyond the limit", `{"minor":1000000000001,"currency":"EUR"}`, money.Amount{}, money.ErrOverflow},
		{"beyond 64 bits", `{"minor":99999999999999999999,"currency":"EUR"}`, money.Amount{}, money.ErrSyntax},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			var got money.Amount
			err := json.Unmarshal([]byte(s.text), &got)
			if !errors.Is(err, s.err) || got != s.want {
				t.Errorf("%s: got %v, error %v, want %v, error %v", s.text, got, err, s.want, s.err)
			}
		})
	}
}

func TestJSONReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAmount(rapid.SampledFrom(codes).Draw(t, "code")).Draw(t, "a")
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var got money.Amount
		if err := json.Unmarshal(text, &got); err != nil || got != a {
			t.Fatalf("%s: got %v, error %v, want %v", text, got, err, a)
		}
	})
}

// FuzzUnmarshalJSON: what is accepted, called directly with any bytes, is in
// bounds and is written back as bytes that read the same.
func FuzzUnmarshalJSON(f *testing.F) {
	for _, text := range []string{
		`{"minor":1234,"currency":"EUR","exponent":2}`, `null`, `{}`, `{"minor":1e2}`, `{"minor":1,"currency":"EUR"}{}`,
		`{"minor":-1,"currency":"KWD","exponent":3} `, `{"minor":1,`, "\xff",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a, again money.Amount
		if a.UnmarshalJSON(data) != nil {
			return
		}
		if a.Minor() > money.Limit || a.Minor() < -money.Limit {
			t.Fatalf("%q is out of bounds: %v", data, a)
		}
		text, err := a.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalJSON(text); err != nil || again != a {
			t.Fatalf("%q: wrote %s, read %v, error %v", data, text, again, err)
		}
	})
}
