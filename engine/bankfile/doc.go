// Package bankfile reads what banks export of an account: CSV, CAMT.053 and
// MT940 in, entries out. It owns the formats, the identity of an entry, and the
// question which invoices a transfer pays; what is booked is decided by others.
//
// Sources of the formats: ISO 20022 message definitions camt.053.001.02 to .10
// (Bank-to-Customer Cash Management), the SWIFT User Handbook category 9
// (MT940), and for the German fields within :86: the DFÜ-Abkommen, annex 3
// (Deutsche Kreditwirtschaft). CSV has no norm: columns are found by the words
// that banks write over them, and whatever stays unclear is asked, not guessed.
package bankfile
