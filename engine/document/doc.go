// Package document renders what customers keep as PDF: invoices, credit notes
// and statements of account. It owns the layout and its rules; the words are in
// package locales, the numbers come in frozen, and it computes none, but refuses
// sums that are not those of their rows. The same input always gives the same
// bytes, on every machine: no clock, no randomness, no files outside the binary.
//
// Its inputs are plain values of its own, so that it depends on nobody: whoever
// prints fills them from what is stored. Mails are in the subpackage mail, XML
// invoices in einvoice.
package document
