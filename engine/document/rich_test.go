package document

import (
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// richInvoice uses everything an invoice can say: two rates, a discount, a part
// of a period, usage, unused time given back, balance, corrections.
func richInvoice(language string) Invoice {
	inv := openInvoice()
	inv.Language, inv.Number, inv.Notes = language, "INV-2026-000124", nil
	nov, dec := day(2026, time.November, 1), day(2026, time.December, 1)
	inv.Lines = []Line{
		{Description: "VPS M – vps-01.example.com", Start: nov, End: dec, Quantity: 1, UnitPrice: eur(2000), Amount: eur(2000), Rates: []int64{190_000}},
		{Kind: Discount, Description: "10 %", Coupon: "WELCOME10", Quantity: 1, Amount: eur(-200), Rates: []int64{190_000}},
		{Description: "Upgrade to VPS L", Start: day(2026, time.November, 19), End: dec, Share: Share{12, 30, eur(4000)}, Quantity: 1, UnitPrice: eur(1600), Amount: eur(1600), Rates: []int64{190_000}},
		{Kind: Unused, Description: "VPS M", Start: day(2026, time.November, 19), End: dec, Share: Share{Days: 12, Of: 30}, Invoice: "INV-2026-000119", Quantity: 1, UnitPrice: eur(-720), Amount: eur(-720), Rates: []int64{190_000}},
		{Description: "Traffic", Start: day(2026, time.October, 1), End: nov, Usage: Usage{1312, 1000, "GB"}, Quantity: 312, UnitPrice: eur(5), Amount: eur(1560), Rates: []int64{190_000}},
		{Description: "API", Usage: Usage{Used: 40, Unit: "h"}, Cap: eur(1800), Quantity: 40, UnitPrice: eur(3), Amount: eur(120), Rates: []int64{190_000}},
		{Description: "Backup", TrialUntil: dec, Quantity: 1, UnitPrice: eur(0), Amount: eur(0), Rates: []int64{190_000}},
		{Description: "Handbook", Quantity: 1, UnitPrice: eur(1250), Amount: eur(1250), Rates: []int64{70_000}},
	}
	inv.Subtotal, inv.Prices, inv.Rounding = eur(5610), Exclusive, RoundDocument
	inv.Taxes = []TaxRow{{Category: "S", PPM: 190_000, Base: eur(4360), Amount: eur(828)}, {Category: "S", PPM: 70_000, Base: eur(1250), Amount: eur(88)}}
	inv.Total, inv.Credit = eur(6526), money.Amount{}
	inv.Payments = []Payment{
		{At: day(2026, time.November, 24), Amount: eur(500), Balance: true},
		{At: day(2026, time.November, 25), Method: "Visa •••• 4242", Amount: eur(2000)},
	}
	inv.Corrects = []Reference{{"INV-2026-000120", day(2026, time.November, 2)}}
	inv.Corrected = []Correction{{Reference{"CN-2026-000007", day(2026, time.November, 26)}, eur(1026)}, {Reference: Reference{Number: "CN-2026-000008"}}}
	inv.Due = eur(3000)
	return inv
}

// reverseInvoice is one to a business in another member state.
func reverseInvoice(language string) Invoice {
	inv := openInvoice()
	inv.Language, inv.Notes, inv.Credit = language, nil, money.Amount{}
	for i := range inv.Lines {
		inv.Lines[i].Tax, inv.Lines[i].Category = "", "AE"
	}
	inv.Taxes = []TaxRow{{Category: "AE", Reason: "reverse_charge", Base: eur(125640), Amount: eur(0)}}
	inv.Total, inv.Due, inv.Prices, inv.Rounding = eur(125640), eur(125640), Exclusive, RoundLine
	return inv
}

// inclusiveInvoice is one to a consumer in Quebec, with two taxes in the price
// and a part that is out of scope.
func inclusiveInvoice() Invoice {
	cad := func(minor int64) money.Amount { return money.Must(minor, "CAD") }
	inv := openInvoice()
	inv.Currency, inv.Notes, inv.Credit, inv.Seller.Bank = "CAD", nil, money.Amount{}, nil
	inv.Lines = []Line{
		{Description: "VPS S", Quantity: 1, UnitPrice: cad(11498), Amount: cad(11498), Rates: []int64{50_000, 99_750}},
		{Description: "Deposit", Quantity: 1, UnitPrice: cad(1000), Amount: cad(1000), Category: "O"},
	}
	inv.Subtotal, inv.Total, inv.Due, inv.WrittenOff = cad(11000), cad(12498), cad(0), cad(12498)
	inv.Taxes = []TaxRow{
		{Category: "S", Name: "GST", PPM: 50_000, Base: cad(10000), Amount: cad(500)},
		{Category: "S", Name: "QST", PPM: 99_750, Base: cad(10000), Amount: cad(998)},
		{Category: "O", Reason: "not_taxable", Base: cad(1000), Amount: cad(0)},
	}
	inv.Prices, inv.Rounding, inv.Status = Inclusive, RoundLine, Uncollectible
	return inv
}

// creditNote takes back a part of richInvoice.
func creditNote(language string) CreditNote {
	inv := richInvoice(language)
	reason, note := "The server was unreachable for two days.", "This credit note was made without a signature."
	if language == "de" {
		reason, note = "Der Server war zwei Tage nicht erreichbar.", "Dieser Beleg wurde ohne Unterschrift erstellt."
	}
	return CreditNote{
		Brand: inv.Brand, Language: language, Number: "CN-2026-000007", Series: "CN", IssuedAt: day(2026, time.November, 26), Currency: "EUR",
		Seller: inv.Seller, Buyer: inv.Buyer, Corrects: Reference{inv.Number, inv.IssuedAt}, Reason: reason,
		Lines: []Line{
			{Description: "VPS M – vps-01.example.com", Start: inv.Lines[0].Start, End: inv.Lines[0].End, Quantity: 1, Amount: eur(1200), Rates: []int64{190_000}},
			{Kind: Discount, Description: "10 %", Coupon: "WELCOME10", Quantity: 1, Amount: eur(-120), Rates: []int64{190_000}},
		},
		Subtotal: eur(1080), Taxes: []TaxRow{{Category: "S", PPM: 190_000, Base: eur(1080), Amount: eur(205)}}, Total: eur(1285),
		Prices: Exclusive, Rounding: RoundDocument, Reduced: eur(1026), ToBalance: eur(259), Notes: []string{note},
	}
}

// statement is a month of an account that ends in the customer's favor.
func statement(language string) Statement {
	inv := openInvoice()
	return Statement{
		Brand: inv.Brand, Language: language, IssuedAt: day(2026, time.December, 1), From: day(2026, time.November, 1), To: day(2026, time.December, 1),
		Currency: "EUR", Customer: "C-1024", Seller: inv.Seller, Buyer: inv.Buyer, Opening: eur(1500),
		Rows: []StatementRow{
			{At: day(2026, time.November, 2), Kind: RowPayment, Text: "Visa •••• 4242", Credit: eur(1500), Balance: eur(0)},
			{At: day(2026, time.November, 23), Kind: RowInvoice, Document: "INV-2026-000123", Debit: eur(149512), Balance: eur(149512)},
			{At: day(2026, time.November, 24), Kind: RowPayment, Document: "INV-2026-000123", Text: "SEPA", Credit: eur(149512), Balance: eur(0)},
			{At: day(2026, time.November, 26), Kind: RowCreditNote, Document: "CN-2026-000007", Credit: eur(1285), Balance: eur(-1285)},
			{At: day(2026, time.November, 28), Kind: RowRefund, Text: "SEPA", Debit: eur(285), Balance: eur(-1000)},
		},
		Closing: eur(-1000),
	}
}

// longStatement has n rows.
func longStatement(n int) Statement {
	st := statement("en")
	st.Rows, st.Closing = nil, st.Opening
	for i := range n {
		st.Closing, _ = st.Closing.Add(eur(101))
		st.Rows = append(st.Rows, StatementRow{At: st.From.Add(time.Duration(i) * time.Minute), Kind: RowInvoice, Document: "INV-1", Debit: eur(101), Balance: st.Closing})
	}
	return st
}
