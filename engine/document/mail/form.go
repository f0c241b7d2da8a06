package mail

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
	RestartNeeded:      {needs: []field{fieldLink, fieldService}, rows: []row{{"service", fieldService}, {"hostname", fieldHost}}},
	PaymentFailed: {
		needs: []field{fieldLink, fieldNumber, fieldAmount, fieldReason},
		rows:  []row{{"invoice", fieldNumber}, {"amount", fieldAmount}, {"method", fieldMethod}, {"reason", fieldReason}},
	},
	NewDevice: {
		needs: []field{fieldLink, fieldAt, fieldAddress},
		rows:  []row{{"at", fieldAt}, {"address", fieldAddress}, {"agent", fieldAgent}},
	},
	QuoteSent: {
		needs: []field{fieldLink, fieldTitle, fieldAmount},
		rows:  []row{{"offer", fieldTitle}, {"amount", fieldAmount}, {"validuntil", fieldOn}},
	},
	OrderInReview: {needs: []field{fieldNumber}, rows: []row{{"order", fieldNumber}, {"amount", fieldAmount}}},
	OrderApproved: {needs: []field{fieldNumber}, rows: []row{{"order", fieldNumber}, {"amount", fieldAmount}}},
	OrderRejected: {needs: []field{fieldNumber}, rows: []row{{"order", fieldNumber}, {"amount", fieldAmount}, {"reason", fieldReason}}},
	PaymentReminder: {
		needs: owed,
		rows:  []row{{"invoice", fieldNumber}, {"amount", fieldAmount}, {"due", fieldDue}, {"method", fieldMethod}},
	},
	MethodNeeded: {
		needs: []field{fieldLink, fieldNumber, fieldAmount},
		rows:  []row{{"invoice", fieldNumber}, {"amount", fieldAmount}, {"due", fieldDue}, {"reason", fieldReason}},
	},
	ConfirmPayment: {
		needs: []field{fieldLink, fieldNumber, fieldAmount},
		rows:  []row{{"invoice", fieldNumber}, {"amount", fieldAmount}, {"method", fieldMethod}},
	},
	CardExpiring:   {needs: []field{fieldLink, fieldMethod, fieldOn}, rows: []row{{"method", fieldMethod}, {"expires", fieldOn}}},
	OverdueNotice1: {needs: owed, rows: overdue},
	OverdueNotice2: {needs: owed, rows: overdue},
	OverdueNotice3: {needs: owed, rows: overdue},
	LateFee: {
		needs: []field{fieldLink, fieldNumber, fieldAmount},
		rows:  []row{{"invoice", fieldNumber}, {"fee", fieldAmount}},
	},
	SuspendedUnpaid: {needs: []field{fieldLink, fieldService, fieldNumber, fieldAmount}, rows: atStake},
	FinalWarning:    {needs: []field{fieldLink, fieldService, fieldNumber, fieldAmount, fieldOn}, rows: atStake},
	Terminated:      {needs: []field{fieldService}, rows: []row{{"service", fieldService}, {"hostname", fieldHost}, {"reason", fieldReason}}},
	CreditNote: {
		needs: []field{fieldNumber, fieldInvoice, fieldAmount},
		rows:  []row{{"creditnote", fieldNumber}, {"invoice", fieldInvoice}, {"amount", fieldAmount}, {"reason", fieldReason}},
	},
	RefundMade: {
		needs: []field{fieldAmount},
		rows:  []row{{"amount", fieldAmount}, {"method", fieldMethod}, {"invoice", fieldNumber}, {"reason", fieldReason}},
	},
	RefundReturned: {
		needs: []field{fieldAmount, fieldLink},
		rows:  []row{{"amount", fieldAmount}, {"method", fieldMethod}, {"invoice", fieldNumber}},
	},
	StaffDispute: {
		needs: []field{fieldAmount, fieldNumber, fieldMethod, fieldTitle},
		rows:  []row{{"amount", fieldAmount}, {"method", fieldMethod}, {"reference", fieldNumber}, {"status", fieldTitle}, {"reason", fieldReason}, {"evidence", fieldOn}, {"customer", fieldUser}},
	},
	StaffDeadLetters: {
		needs: []field{fieldMethod, fieldCount, fieldTitle},
		rows:  []row{{"gateway", fieldMethod}, {"deliveries", fieldCount}, {"last", fieldTitle}, {"reason", fieldReason}},
	},
	StaffFindings:   {needs: []field{fieldMethod, fieldCount, fieldCounts}, rows: []row{{"gateway", fieldMethod}}},
	StaffUncompared: {needs: []field{fieldMethod, fieldReason}, rows: []row{{"gateway", fieldMethod}, {"reason", fieldReason}, {"compared", fieldOn}}},
	StaffDrift:      {needs: []field{fieldMethod, fieldCount, fieldCounts}, rows: []row{{"platform", fieldMethod}}},
	StaffWork: {
		needs: []field{fieldMethod, fieldCount, fieldTitle},
		rows:  []row{{"platform", fieldMethod}, {"deliveries", fieldCount}, {"job", fieldTitle}, {"reason", fieldReason}},
	},
	StaffAgreement: {
		needs: []field{fieldMethod, fieldNumber, fieldAlert},
		rows:  []row{{"customer", fieldUser}, {"service", fieldService}, {"gateway", fieldMethod}, {"reference", fieldNumber}, {"amount", fieldAmount}, {"invoice", fieldInvoice}, {"details", fieldReason}},
	},
	PaymentsSuspended: {
		needs: []field{fieldLink, fieldService, fieldMethod, fieldOn},
		rows:  []row{{"service", fieldService}, {"method", fieldMethod}, {"pauses", fieldOn}},
	},
	PaymentsResumed: {needs: []field{fieldService, fieldMethod}, rows: []row{{"service", fieldService}, {"method", fieldMethod}}},
	TrialEnding: {
		needs: []field{fieldLink, fieldService, fieldAmount, fieldOn},
		rows:  []row{{"service", fieldService}, {"ends", fieldOn}, {"price", fieldAmount}},
	},
	PriceChange: {
		needs: []field{fieldLink, fieldService, fieldWas, fieldAmount, fieldOn},
		rows:  []row{{"service", fieldService}, {"oldprice", fieldWas}, {"newprice", fieldAmount}, {"from", fieldOn}},
	},
	PriceChanges:          {needs: []field{fieldLink, fieldChanges, fieldAmount}, rows: []row{{"newprice", fieldAmount}}},
	PriceChangeOff:        {needs: []field{fieldLink, fieldService}, rows: []row{{"service", fieldService}}},
	CancellationConfirmed: {needs: []field{fieldLink, fieldService, fieldOn}, rows: []row{{"service", fieldService}, {"ends", fieldOn}}},
	CancellationUndone:    {needs: []field{fieldService}, rows: []row{{"service", fieldService}}},
}

// What mails about an unpaid invoice have in common.
var (
	owed    = []field{fieldLink, fieldNumber, fieldAmount, fieldDue}
	overdue = []row{{"invoice", fieldNumber}, {"open", fieldAmount}, {"due", fieldDue}, {"suspension", fieldOn}}
	atStake = []row{{"service", fieldService}, {"invoice", fieldNumber}, {"open", fieldAmount}, {"deletion", fieldOn}}
)

// Kinds returns every kind, in the order of a customer's life.
func Kinds() []Kind {
	return []Kind{
		Verification, PasswordReset, AlreadyRegistered, EmailChange, NewDevice,
		QuoteSent, OrderReceived, OrderInReview, OrderApproved, OrderRejected, Invoice, Receipt, ServiceReady,
		PaymentReminder, PaymentFailed, MethodNeeded, ConfirmPayment, CardExpiring,
		OverdueNotice1, OverdueNotice2, OverdueNotice3, LateFee,
		ServiceSuspended, SuspendedUnpaid, ServiceUnsuspended, RestartNeeded, FinalWarning, Terminated,
		CreditNote, RefundMade, RefundReturned, StaffDispute, StaffDeadLetters, StaffFindings, StaffUncompared, StaffDrift, StaffWork, StaffAgreement,
		TrialEnding, PriceChange, PriceChanges, PriceChangeOff, CancellationConfirmed, CancellationUndone, PaymentsSuspended, PaymentsResumed,
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
