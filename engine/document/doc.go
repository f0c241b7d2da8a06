// Package document renders what customers keep: invoices as PDF. It owns the
// layout and its rules; the words are in package locales, the numbers come in
// frozen, and it computes none. The same input always gives the same bytes, on
// every machine: no clock, no randomness, no files outside the binary. Mails
// are in the subpackage mail.
package document
