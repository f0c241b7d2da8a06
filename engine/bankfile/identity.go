package bankfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// nobody are what banks write in place of an id.
var nobody = map[string]bool{"": true, "NONREF": true, "NOTPROVIDED": true, "NOTAVAILABLE": true, "UNKNOWN": true, "NONE": true}

// given returns an id without blanks around it, or "" for words and rows of
// zeros that stand for none.
func given(id string) string {
	id = strings.TrimSpace(id)
	if nobody[plain(id)] || strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}

// plain is a text's letters and digits in upper case: what stays the same when
// a bank wraps lines or moves blanks.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, text)
}

// identify gives each booked entry its reference. With a bank's id it is that
// id, the account, the day and the amount: banks repeat ids from year to year.
// Without one, or where the parts of a batch share it, it is the entry's content
// too. What is left equal is numbered within its statement if the bank gave an
// id, so that an entry which two statements of the file hold is one; else within
// the file, so that two equal transfers on one day are two in every file that
// holds the day.
func (f *File) identify() {
	shared, seen := map[string]int{}, map[string]int{}
	for _, s := range f.Statements {
		for _, e := range s.Entries {
			if !e.Pending {
				shared[s.Number+e.key()]++
			}
		}
	}
	for i := range f.Statements {
		s := &f.Statements[i]
		for j := range s.Entries {
			e := &s.Entries[j]
			key, within := e.key(), ""
			if e.BankID != "" {
				within = s.Number
			}
			if e.BankID == "" || shared[s.Number+key] > 1 {
				key += e.content()
			}
			if e.Pending { // it will come again, booked
				e.Reference = e.reference(key + " pending")
				continue
			}
			e.Reference = e.reference(fmt.Sprintf("%s #%d", key, seen[within+key]))
			seen[within+key]++
		}
	}
}

// key is what the bank says of an entry by itself.
func (e *Entry) key() string {
	return fmt.Sprintf("%q %s %s id %q", plain(e.Account), e.BookedAt.Format(time.DateOnly), e.Amount, e.BankID)
}

// content is what the payer says.
func (e *Entry) content() string {
	return fmt.Sprintf(" content %q %q %q %q %q", plain(e.Text), plain(e.Name), plain(e.IBAN), plain(e.EndToEnd), plain(e.Structured))
}

// reference is what people see of an identity: the bank's id or the day, and a
// hash over all of it.
func (e *Entry) reference(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	shown := e.BankID
	if shown == "" || len(shown) > 40 || strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r > '~' }) {
		shown = e.BookedAt.Format(time.DateOnly)
	}
	return shown + "." + hex.EncodeToString(sum[:12])
}
