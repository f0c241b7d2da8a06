package document

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func eur(minor int64) money.Amount { return money.Must(minor, "EUR") }

// openInvoice is a common invoice: two services, German VAT, to be paid.
func openInvoice() Invoice {
	return Invoice{
		Brand: "Nordlicht Hosting", Language: "en",
		Number: "INV-2026-000123", Series: "INV", Status: Open,
		IssuedAt: day(2026, time.November, 23), DueAt: day(2026, time.December, 7), Currency: "EUR",
		Seller: Party{
			Name: "Nordlicht Hosting GmbH", Address: []string{"Speicherstraße 12", "20457 Hamburg", "Germany"},
			VATID: "DE136695976", Registration: "HRB 123456, Amtsgericht Hamburg", Email: "billing@nordlicht.example", Website: "nordlicht.example",
			Bank: []string{"Nordlicht Hosting GmbH", "IBAN DE02 1203 0000 0000 2020 51", "BIC BYLADEM1001, Deutsche Kreditbank"},
		},
		Buyer: Party{Name: "Σωκράτης & Дарья Ltd.", Address: []string{"Οδός Ερμού 5", "105 63 Αθήνα", "Greece"}, VATID: "EL094259216", Email: "accounts@example.gr"},
		Lines: []Line{
			{
				Description: "VPS M – vps-01.example.com", Start: day(2026, time.November, 23), End: day(2026, time.December, 23),
				Details: []string{"4 vCPU, 8 GB RAM, 160 GB NVMe, Frankfurt", "Coupon WELCOME10: 10 % off the first period"}, Quantity: 1, UnitPrice: eur(1790), Amount: eur(1790), Tax: "19 %",
			},
			{Description: "Additional IPv4 address", Start: day(2026, time.November, 23), End: day(2026, time.December, 23), Quantity: 2, UnitPrice: eur(200), Amount: eur(400), Tax: "19 %"},
			{Description: "Dedicated server setup, hardware assembly and burn-in test including a written protocol of all disks, memory modules and network ports", Quantity: 1, UnitPrice: eur(123450), Amount: eur(123450), Tax: "19 %"},
		},
		Subtotal: eur(125640), Taxes: []TaxRow{{Label: "VAT 19 %", Base: eur(125640), Amount: eur(23872)}}, Total: eur(149512),
		Credit: eur(1000), Due: eur(148512),
		PayURL: "https://account.nordlicht.example/pay/9f2c41d2a7",
		Notes:  []string{"Thank you for your business. Questions about this invoice are answered at billing@nordlicht.example within one working day."},
	}
}

func paidInvoice() Invoice {
	inv := openInvoice()
	inv.Language, inv.Status, inv.PayURL, inv.Due = "de", Paid, "", eur(0)
	inv.Payments = []Payment{
		{At: day(2026, time.November, 24), Method: "Visa •••• 4242", Amount: eur(100000)},
		{At: day(2026, time.November, 25), Method: "Überweisung", Amount: eur(48512)},
	}
	inv.Notes = []string{"Vielen Dank für Ihren Auftrag."}
	return inv
}

// longInvoice has n lines in a currency of three decimals.
func longInvoice(n int) Invoice {
	kwd := func(minor int64) money.Amount { return money.Must(minor, "KWD") }
	inv := openInvoice()
	inv.Currency, inv.Lines, inv.Taxes, inv.Credit, inv.Notes = "KWD", nil, nil, money.Amount{}, nil
	for i := range n {
		inv.Lines = append(inv.Lines, Line{
			Description: fmt.Sprintf("Traffic overage, server %03d", i+1), Quantity: int64(i + 1),
			UnitPrice: kwd(125), Amount: kwd(125 * int64(i+1)),
		})
	}
	inv.Subtotal = kwd(125 * int64(n*(n+1)/2))
	inv.Total, inv.Due = inv.Subtotal, inv.Subtotal
	return inv
}

func logoPNG(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			img.Set(x, y, color.NRGBA{R: 10, G: uint8(80 + x%100), B: 190, A: uint8(255 * y / h)})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mustRender(t testing.TB, inv Invoice) []byte {
	t.Helper()
	pdf, err := RenderInvoice(inv)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}
