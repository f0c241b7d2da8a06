package collections

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// sealedPrefix marks a sealed value: "sealed:<key id>:<base64 nonce+ciphertext>".
const sealedPrefix = "sealed:"

// SealedFields lists, by collection, the fields that are never stored in clear.
var SealedFields = map[string][]string{
	Gateways:  {"secret_key", "webhook_secret"},
	Platforms: {"token"},
	Services:  {"credentials"},
}

// Errors of sealed values.
var (
	// ErrSealKey reports a value sealed under another key than ours.
	ErrSealKey = errors.New("sealed under another key; set EZSCALE_KEY to the one it was sealed with")
	// ErrSealed reports a value that was altered or moved from another record.
	ErrSealed = errors.New("sealed value does not open here")
)

// Sealer seals secrets with AES-256-GCM. The associated data is collection,
// record and field, so that a value cannot be moved. Safe for concurrent use.
type Sealer struct {
	aead cipher.AEAD
	id   string
}

// NewSealer takes a key of 32 bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("sealing key has %d bytes, want 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	sum := sha256.Sum256(append([]byte("ezscale key id"), key...))
	return &Sealer{aead, hex.EncodeToString(sum[:4])}, nil
}

// IsSealed reports whether a stored value is sealed.
func IsSealed(value string) bool { return strings.HasPrefix(value, sealedPrefix) }

// Seal seals plain for one field of one record. "" stays "".
func (s *Sealer) Seal(collection, record, field, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("seal %s.%s: %w", collection, field, err)
	}
	box := s.aead.Seal(nonce, nonce, []byte(plain), place(collection, record, field))
	return sealedPrefix + s.id + ":" + base64.RawStdEncoding.EncodeToString(box), nil
}

// Open returns what Seal was given. "" stays "". Errors: ErrSealKey, ErrSealed.
func (s *Sealer) Open(collection, record, field, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	id, box, ok := strings.Cut(strings.TrimPrefix(sealed, sealedPrefix), ":")
	if !ok || !IsSealed(sealed) {
		return "", fmt.Errorf("%s.%s: %w", collection, field, ErrSealed)
	}
	if id != s.id {
		return "", fmt.Errorf("%s.%s: %w", collection, field, ErrSealKey)
	}
	raw, err := base64.RawStdEncoding.DecodeString(box)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return "", fmt.Errorf("%s.%s: %w", collection, field, ErrSealed)
	}
	n := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, raw[:n], raw[n:], place(collection, record, field))
	if err != nil {
		return "", fmt.Errorf("%s.%s: %w", collection, field, ErrSealed)
	}
	return string(plain), nil
}

// SealRecord seals every field of r that must be and is not yet.
func (s *Sealer) SealRecord(r *core.Record) error {
	fields := SealedFields[r.Collection().Name]
	if len(fields) > 0 && r.Id == "" {
		r.Id = core.GenerateDefaultRandomId()
	}
	for _, f := range fields {
		v := r.GetString(f)
		if v == "" {
			continue
		}
		if _, err := s.Open(r.Collection().Name, r.Id, f, v); err == nil || errors.Is(err, ErrSealKey) {
			continue // sealed already, perhaps under an older key
		}
		sealed, err := s.Seal(r.Collection().Name, r.Id, f, v)
		if err != nil {
			return err
		}
		r.Set(f, sealed)
	}
	return nil
}

// OpenField opens a sealed field of a saved record.
func (s *Sealer) OpenField(r *core.Record, field string) (string, error) {
	return s.Open(r.Collection().Name, r.Id, field, r.GetString(field))
}

func place(collection, record, field string) []byte {
	return []byte(collection + "/" + record + "/" + field)
}
