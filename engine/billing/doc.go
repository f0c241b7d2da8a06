// Package billing holds the rules of selling: prices and periods, subscriptions
// and their schedule, renewals and changes, coupons and discounts, invoices,
// credit notes and refunds with their lifecycles, ledger postings, and what we
// expect of a payment gateway. It owns no storage, no clock and no network; the
// caller passes the time and saves what comes back. Tax is added by engine/tax:
// all amounts here are as priced unless a name says otherwise.
package billing
