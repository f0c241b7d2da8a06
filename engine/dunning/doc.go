// Package dunning decides how an unpaid invoice is collected: when to remind,
// which saved method to charge and when again, which notices to send, and
// whether its services are suspended, restored or terminated. Nothing of this
// is a stored state: every answer is computed from the policy, the facts of one
// invoice and the time, so that a repeated, late or crashed run cannot skip a
// step or take one twice. It owns no texts, no storage and no clock; the caller
// carries the steps out, records them, and asks again.
//
// Dates are UTC days: what is due on a day is overdue from the next one on.
package dunning
