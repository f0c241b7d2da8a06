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
	PaymentFailed      Kind = "payment_failed"      // declined, with what to do
	NewDevice          Kind = "new_device"          // sign-in from a new device
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
	Method   string    // of payment
	Reason   string    // of a suspension or a decline, for customers' eyes
	Service  string    // its name
	Hostname string
	IPs      []string
	User     string // login name on the server
	Email    string // the new address of an EmailChange

	At      time.Time // of the sign-in or payment
	Address string    // IP address of the sign-in
	Agent   string    // browser or device of the sign-in
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
)

// form says what a kind needs and which rows it shows, in their order. A row
// whose value is empty is left out.
type form struct {
	needs []field
	rows  []row
}

// row is a labeled value; label is a key below "mail.row.".
type row struct {
	label string
	field field
}

var forms = map[Kind]form{
	Verification:      {needs: []field{fieldLink}},
	PasswordReset:     {needs: []field{fieldLink}},
	AlreadyRegistered: {needs: []field{fieldLink}},
	EmailChange:       {needs: []field{fieldLink}, rows: []row{{"email", fieldEmail}}},
	OrderReceived: {
		needs: []field{fieldLink, fieldNumber, fieldAmount},
		rows:  []row{{"order", fieldNumber}, {"amount", fieldAmount}, {"due", fieldDue}},
	},
	Invoice: {
		needs: []field{fieldLink, fieldNumber, fieldAmount, fieldDue},
		rows:  []row{{"invoice", fieldNumber}, {"amount", fieldAmount}, {"due", fieldDue}},
	},
	Receipt: {
		needs: []field{fieldNumber, fieldAmount},
		rows:  []row{{"invoice", fieldNumber}, {"amount", fieldAmount}, {"paidat", fieldAt}, {"method", fieldMethod}},
	},
	ServiceReady: {
		needs: []field{fieldLink, fieldService, fieldIPs},
		rows:  []row{{"service", fieldService}, {"hostname", fieldHost}, {"ips", fieldIPs}, {"user", fieldUser}},
	},
	ServiceSuspended: {
		needs: []field{fieldLink, fieldService, fieldReason},
		rows:  []row{{"service", fieldService}, {"reason", fieldReason}},
	},
	ServiceUnsuspended: {needs: []field{fieldService}, rows: []row{{"service", fieldService}, {"hostname", fieldHost}}},
	PaymentFailed: {
		needs: []field{fieldLink, fieldNumber, fieldAmount, fieldReason},
		rows:  []row{{"invoice", fieldNumber}, {"amount", fieldAmount}, {"method", fieldMethod}, {"reason", fieldReason}},
	},
	NewDevice: {
		needs: []field{fieldLink, fieldAt, fieldAddress},
		rows:  []row{{"at", fieldAt}, {"address", fieldAddress}, {"agent", fieldAgent}},
	},
}

// Kinds returns every kind, in the order of a customer's life.
func Kinds() []Kind {
	return []Kind{
		Verification, PasswordReset, AlreadyRegistered, EmailChange, OrderReceived, Invoice,
		Receipt, ServiceReady, ServiceSuspended, ServiceUnsuspended, PaymentFailed, NewDevice,
	}
}

// Required returns the names of the fields that a kind needs besides the brand.
func Required(kind Kind) []string {
	var names []string
	for _, f := range forms[kind].needs {
		names = append(names, string(f))
	}
	return names
}

// values returns what the texts and rows of a mail can show, by field name.
func (d Data) values(l *locales.Locale) map[field]string {
	amount := ""
	if d.Amount != (money.Amount{}) {
		amount = l.Money(d.Amount)
	}
	v := map[field]string{
		"brand": d.Brand, "name": d.Name, "valid": l.Duration(d.ValidFor),
		fieldLink: d.Link, fieldNumber: d.Number, fieldAmount: amount, fieldDue: l.Date(d.DueAt),
		fieldMethod: d.Method, fieldReason: d.Reason, fieldService: d.Service, fieldHost: d.Hostname,
		fieldIPs: strings.Join(d.IPs, ", "), fieldUser: d.User, fieldEmail: d.Email,
		fieldAt: l.Moment(d.At, d.Zone), fieldAddress: d.Address, fieldAgent: d.Agent,
	}
	for name, value := range v {
		v[name] = oneLine(value)
	}
	return v
}

func refuse(kind Kind, name, why string) error {
	return fmt.Errorf("%w: %s: %s %s", ErrData, kind, name, why)
}
