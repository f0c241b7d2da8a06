package mail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

// Kind is an occasion to write.
type Kind string

// The occasions.
const (
	Verification       Kind = "verification"        // confirm the address of a new account
	PasswordReset      Kind = "password_reset"      // choose a new password
	AlreadyRegistered  Kind = "already_registered"  // sign-up with a known address
	EmailChange        Kind = "email_change"        // confirm the account's new address
	OrderReceived      Kind = "order_received"      // an order waits for its payment
	Invoice            Kind = "invoice"             // a new invoice, PDF attached
	Receipt            Kind = "receipt"             // a payment arrived, PDF attached
	ServiceReady       Kind = "service_ready"       // built; access data by link
	ServiceSuspended   Kind = "service_suspended"   // switched off, with the reason
	ServiceUnsuspended Kind = "service_unsuspended" // switched on again
	RestartNeeded      Kind = "restart_needed"      // it was enlarged and must be restarted
	PaymentFailed      Kind = "payment_failed"      // declined, with what to do
	NewDevice          Kind = "new_device"          // sign-in from a new device

	QuoteSent     Kind = "quote_sent"      // staff made an offer
	OrderInReview Kind = "order_in_review" // staff look at it first
	OrderApproved Kind = "order_approved"
	OrderRejected Kind = "order_rejected" // Reason is optional

	PaymentReminder Kind = "payment_reminder" // before the due date; Method where it will be charged
	MethodNeeded    Kind = "method_needed"    // no saved method is left to try
	ConfirmPayment  Kind = "confirm_payment"  // the bank wants the customer to confirm
	CardExpiring    Kind = "card_expiring"    // On is its last day
	OverdueNotice1  Kind = "overdue_notice_1" // On, where set, is the day of suspension
	OverdueNotice2  Kind = "overdue_notice_2"
	OverdueNotice3  Kind = "overdue_notice_3"
	LateFee         Kind = "late_fee"         // Amount is the fee, Number the overdue invoice
	SuspendedUnpaid Kind = "suspended_unpaid" // On, where set, is the day of termination
	FinalWarning    Kind = "final_warning"    // On is the day of termination
	Terminated      Kind = "service_terminated"

	CreditNote Kind = "credit_note" // Number is its own, Invoice the corrected one; PDF attached
	RefundMade Kind = "refund_made" // Number, where set, is the invoice
	// RefundReturned tells that a refund came back and is credit now.
	RefundReturned Kind = "refund_returned"
	// StaffDispute tells staff of a dispute: Number is the gateway's id, Method the
	// gateway, On where set the last day for evidence.
	StaffDispute Kind = "staff_dispute"
	// StaffDeadLetters tells staff of deliveries that were given up: Method is the
	// gateway, Count how many wait, Title the type of the last one.
	StaffDeadLetters Kind = "staff_dead_letters"
	// StaffFindings tells staff what a comparison of books has found: Method is the
	// gateway, Counts how many of each kind.
	StaffFindings Kind = "staff_findings"
	// StaffUncompared tells staff that the books of the gateway Method could not be
	// read: Reason is why, On where known until when they are compared.
	StaffUncompared Kind = "staff_uncompared"
	// StaffDrift tells staff what a comparison with a platform's list has found: Method
	// is the platform, Counts how many of each kind are open.
	StaffDrift Kind = "staff_drift"
	// StaffWork tells staff of services' jobs that were given up or are done by hand:
	// Method is the platform, Count how many wait, Title the last one.
	StaffWork Kind = "staff_work"
	// StaffAgreement tells staff of a subscription that a gateway bills: Alert is the
	// code, Number the gateway's id.
	StaffAgreement Kind = "staff_agreement"

	TrialEnding           Kind = "trial_ending"  // On is the last day, Amount the price after it
	PriceChange           Kind = "price_change"  // Was is the old price, On the first day at the new one
	PriceChanges          Kind = "price_changes" // the same for services that differ in these: see Changes
	PriceChangeOff        Kind = "price_change_off"
	CancellationConfirmed Kind = "cancellation_confirmed"
	CancellationUndone    Kind = "cancellation_undone"
	PaymentsSuspended     Kind = "payments_suspended" // at the gateway Method; On is when the service pauses
	PaymentsResumed       Kind = "payments_resumed"   // before it has paused
)

// Errors that callers act on.
var (
	// ErrKind reports a kind that is not in the list.
	ErrKind = errors.New("unknown kind of mail")
	// ErrData reports a field that the kind needs and that is empty or unusable.
	ErrData = errors.New("mail cannot be written")
)

// Data is what a mail can say. Which fields a kind needs is in Required; others
// are shown when set. Every text is plain and is escaped where it is printed.
type Data struct {
	Brand    string         // required by every kind
	Accent   string         // "#rrggbb"; "" is the product's own
	Footer   string         // the company's details, shown below; optional
	Name     string         // of the recipient, for the greeting; optional
	Zone     *time.Location // of the times shown; nil is UTC
	Link     string         // http(s) address of the button
	ValidFor time.Duration  // how long Link works; 0 says nothing about it

	Number   string // of the invoice or order
	Amount   money.Amount
	DueAt    time.Time // its day in UTC is shown
	On       time.Time // when something will happen, see the kind; its day in UTC is shown
	Was      money.Amount
	Changes  []Change // of prices
	Invoice  string   // number of the invoice that a credit note corrects
	Title    string   // of an offer
	Method   string   // of payment
	Reason   string   // of a suspension or a decline, for customers' eyes
	Service  string   // its name
	Hostname string
	IPs      []string
	User     string // login name on the server
	Email    string // the new address of an EmailChange

	At      time.Time // of the sign-in or payment
	Address string    // IP address of the sign-in
	Agent   string    // browser or device of the sign-in

	Alert  string // code of an agreement's alert
	Count  int
	Counts []Count
}

// Count says how many there are of a kind of finding.
type Count struct {
	Kind string
	N    int
}

// Change is the new price of a service, in a mail about several.
type Change struct {
	Service string
	Was     money.Amount
	On      time.Time
}

// Message is a mail ready to be sent. Subject is one line without line breaks.
type Message struct {
	Subject string
	Text    string
	HTML    string
}

// field names a part of Data, in errors and as a placeholder of the texts.
type field string

const (
	fieldLink    field = "link"
	fieldNumber  field = "number"
	fieldAmount  field = "amount"
	fieldDue     field = "due"
	fieldReason  field = "reason"
	fieldService field = "service"
	fieldIPs     field = "ips"
	fieldUser    field = "user"
	fieldAt      field = "at"
	fieldAddress field = "address"
	fieldAgent   field = "agent"
	fieldEmail   field = "email"
	fieldMethod  field = "method"
	fieldHost    field = "hostname"
	fieldOn      field = "on"
	fieldWas     field = "was"
	fieldInvoice field = "invoice"
	fieldTitle   field = "title"
	fieldChanges field = "changes"
	fieldAlert   field = "alert"
	fieldAdvice  field = "advice"
	fieldCount   field = "count"
	fieldCounts  field = "counts"
)

// values returns what the texts and rows of a mail can show, by field name.
func (d Data) values(l *locales.Locale) map[field]string {
	written := func(a money.Amount) string {
		if a == (money.Amount{}) {
			return ""
		}
		return l.Money(a)
	}
	v := map[field]string{
		"brand": d.Brand, "name": d.Name, "valid": l.Duration(d.ValidFor),
		fieldLink: d.Link, fieldNumber: d.Number, fieldAmount: written(d.Amount), fieldDue: l.Date(d.DueAt),
		fieldMethod: d.Method, fieldReason: d.Reason, fieldService: d.Service, fieldHost: d.Hostname,
		fieldIPs: strings.Join(d.IPs, ", "), fieldUser: d.User, fieldEmail: d.Email,
		fieldAt: l.Moment(d.At, d.Zone), fieldAddress: d.Address, fieldAgent: d.Agent,
		fieldOn: l.Date(d.On), fieldWas: written(d.Was), fieldInvoice: d.Invoice, fieldTitle: d.Title, fieldChanges: named(d.Changes),
	}
	if d.Count > 0 {
		v[fieldCount] = l.Integer(int64(d.Count))
	}
	if key := "agreement." + d.Alert; l.Has(key) {
		v[fieldAlert], v[fieldAdvice] = l.Text(key), l.Text(key+".advice")
	}
	for _, c := range d.Counts {
		v[fieldCounts] += c.Kind
	}
	for name, value := range v {
		v[name] = oneLine(value)
	}
	return v
}

// named lists the services of changes.
func named(changes []Change) string {
	names := []string{}
	for _, c := range changes {
		names = append(names, c.Service)
	}
	return strings.Join(names, ", ")
}

func refuse(kind Kind, name, why string) error {
	return fmt.Errorf("%w: %s: %s %s", ErrData, kind, name, why)
}
