package collections

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func sealer(t *testing.T, first byte) *Sealer {
	t.Helper()
	s, err := NewSealer(append([]byte{first}, make([]byte, 31)...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASealedValueOpensInItsPlaceAlone(t *testing.T) {
	s, other := sealer(t, 1), sealer(t, 2)
	sealed, err := s.Seal(Platforms, "p1", "token", "hunter2")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed, "hunter2") || !IsSealed(sealed) {
		t.Fatalf("sealed: got %q", sealed)
	}
	parts := strings.Split(sealed, ":")
	altered := []byte(sealed)
	altered[len(altered)-3] ^= 1
	scenarios := []struct {
		name                      string
		by                        *Sealer
		collection, record, field string
		value                     string
		want                      error
	}{
		{"its own place", s, Platforms, "p1", "token", sealed, nil},
		{"another record", s, Platforms, "p2", "token", sealed, ErrSealed},
		{"another field", s, Platforms, "p1", "name", sealed, ErrSealed},
		{"another collection", s, Gateways, "p1", "token", sealed, ErrSealed},
		{"places that join to the same text", s, Platforms, "p1/token", "", sealed, ErrSealed},
		{"another key", other, Platforms, "p1", "token", sealed, ErrSealKey},
		{"altered", s, Platforms, "p1", "token", string(altered), ErrSealed},
		{"cut short", s, Platforms, "p1", "token", sealed[:len(sealed)-8], ErrSealed},
		{"no ciphertext", s, Platforms, "p1", "token", parts[0] + ":" + parts[1] + ":", ErrSealed},
		{"plain text", s, Platforms, "p1", "token", "hunter2", ErrSealed},
		{"not base64", s, Platforms, "p1", "token", parts[0] + ":" + parts[1] + ":???", ErrSealed},
	}
	for _, sc := range scenarios {
		plain, err := sc.by.Open(sc.collection, sc.record, sc.field, sc.value)
		if !errors.Is(err, sc.want) || sc.want == nil && plain != "hunter2" || sc.want != nil && plain != "" {
			t.Errorf("%s: got %q, %v; want %v", sc.name, plain, err, sc.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the secret: %v", sc.name, err)
		}
	}
	if _, err := other.Open(Platforms, "p1", "token", sealed); err == nil || !strings.Contains(err.Error(), "EZSCALE_KEY") || !strings.Contains(err.Error(), "platforms.token") {
		t.Errorf("wrong key: got %v, want the variable and the field", err)
	}
}

func TestTheSameSecretIsSealedDifferently(t *testing.T) {
	s := sealer(t, 1)
	a, _ := s.Seal(Platforms, "p1", "token", "hunter2")
	b, _ := s.Seal(Platforms, "p1", "token", "hunter2")
	if a == b {
		t.Error("two seals are equal: who reads the database sees which secrets are the same")
	}
	if empty, err := s.Seal(Platforms, "p1", "token", ""); empty != "" || err != nil {
		t.Errorf("empty: got %q, %v; want empty", empty, err)
	}
}

func TestSealingKeysHave32Bytes(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewSealer(bytes.Repeat([]byte{1}, n)); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s, err := NewSealer(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.Seal(Platforms, "p1", "token", "hunter2")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, "", "sealed:", "sealed::", "sealed:" + s.id + ":AAAA", "plain"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		plain, err := s.Open(Platforms, "p1", "token", value)
		if err == nil && value != "" && plain != "hunter2" { // nobody without the key makes another
			t.Fatalf("%q opened as %q", value, plain)
		}
	})
}
