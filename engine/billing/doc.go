// Package billing holds the rules of selling: prices and periods, subscriptions
// and their anchor, invoices and their lifecycle, ledger postings, and what we
// expect of a payment gateway. It owns no storage, no clock and no network; the
// caller passes the time and saves what comes back.
package billing
