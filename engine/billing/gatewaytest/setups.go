package gatewaytest

import (
	"errors"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

var setupTests = map[string]func(t *testing.T, h Harness){
	"saved once and charged":   testSetup,
	"in spite of lost answers": testSetupFaults,
	"calls that cannot be":     testBadSetups,
}

func (h Harness) setup(customer, id string) billing.SetupRequest {
	return billing.SetupRequest{
		Key: "setup_" + id, SetupID: id, Customer: customer, Description: "Save a way to pay", Locale: "de",
		ReturnURL: "https://portal.example/methods?setup=" + id, CancelURL: "https://portal.example/methods", ExpiresAt: h.Now().Add(2 * time.Hour),
	}
}

func (h Harness) read(t *testing.T, reference string) billing.SetupReport {
	t.Helper()
	got, err := as[billing.MethodSaver](t, h).ReadSetup(t.Context(), reference)
	if err != nil {
		t.Fatalf("ReadSetup: %v", err)
	}
	return got
}

// openSetup opens a page, twice under one key.
func (h Harness) openSetup(t *testing.T, customer string) billing.Page {
	t.Helper()
	g := as[billing.MethodSaver](t, h)
	page, err := g.OpenSetup(t.Context(), h.setup(customer, "s1"))
	if err != nil || page.URL == "" {
		t.Fatalf("OpenSetup: %+v, %v", page, err)
	}
	if again, err := g.OpenSetup(t.Context(), h.setup(customer, "s1")); err != nil || again.Reference != page.Reference {
		t.Errorf("the same key: got %+v, %v, want page %s", again, err, page.Reference)
	}
	return page
}

func testSetup(t *testing.T, h Harness) {
	customer := h.customer(t)
	page := h.openSetup(t, customer)
	if got := h.read(t, page.Reference); got.State != billing.SetupOpen || got.Method != "" {
		t.Errorf("before the customer agrees: got %+v", got)
	}
	if err := h.More.Save(page.Reference, CardWorks); err != nil {
		t.Fatal(err)
	}
	first := h.read(t, page.Reference)
	if first.State != billing.SetupDone || first.Method == "" || first.Customer != customer {
		t.Fatalf("afterwards: got %+v, want a method of %s", first, customer)
	}
	if again := h.read(t, page.Reference); again.State != billing.SetupDone || again.Method != first.Method {
		t.Errorf("read twice: got %+v, want the same", again)
	}
	if all, err := h.Gateway.Methods(t.Context(), customer); err != nil || len(all) != 1 || all[0].ID != first.Method {
		t.Errorf("methods: got %+v, %v, want the one", all, err)
	}
	if reports := h.events(t); len(reports) > 0 {
		t.Errorf("saving a method reads as a payment: %+v", reports)
	}
	h.chargeSaved(t, customer, first.Method)
}

func (h Harness) chargeSaved(t *testing.T, customer, method string) {
	t.Helper()
	paid, err := h.Gateway.Charge(t.Context(), billing.ChargeRequest{
		Key: "charge_s1", AttemptID: "a1", InvoiceID: "inv_a1", Customer: customer, Method: method, Amount: money.Must(3000, "EUR"), Description: "Invoice 1",
	})
	if err != nil || paid.State != billing.PaymentSucceeded {
		t.Errorf("charged: got %+v, %v", paid, err)
	}
}

func testSetupFaults(t *testing.T, h Harness) {
	g, customer := as[billing.MethodSaver](t, h), h.customer(t)
	for i, f := range everyFault {
		r := h.setup(customer, "s"+string(rune('a'+i)))
		h.Fault(CallOpenSetup, f, 1)
		page, err := g.OpenSetup(t.Context(), r)
		for range 3 {
			if err != nil {
				page, err = g.OpenSetup(t.Context(), r)
			}
		}
		if err != nil {
			t.Errorf("%s: OpenSetup %v", f, err)
			continue
		}
		if err := h.More.Save(page.Reference, CardWorks); err != nil {
			t.Fatal(err)
		}
		h.Fault(CallReadSetup, f, 1)
		got, err := g.ReadSetup(t.Context(), page.Reference)
		for range 3 {
			if err != nil {
				got, err = g.ReadSetup(t.Context(), page.Reference)
			}
		}
		if err != nil || got.State != billing.SetupDone || got.Method == "" {
			t.Errorf("%s: ReadSetup %+v, %v", f, got, err)
		}
		if all, err := h.Gateway.Methods(t.Context(), customer); err != nil || len(all) != i+1 {
			t.Errorf("%s: %d methods, %v, want %d", f, len(all), err, i+1)
		}
	}
}

func testBadSetups(t *testing.T, h Harness) {
	g, customer := as[billing.MethodSaver](t, h), h.customer(t)
	for name, change := range map[string]func(*billing.SetupRequest){
		"no key": func(r *billing.SetupRequest) { r.Key = "" }, "no customer": func(r *billing.SetupRequest) { r.Customer = "" },
		"no address": func(r *billing.SetupRequest) { r.ReturnURL = "/methods" },
	} {
		r := h.setup(customer, "bad")
		change(&r)
		if _, err := g.OpenSetup(t.Context(), r); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("%s: got %v, want ErrGatewayRefused", name, err)
		}
	}
	if _, err := g.ReadSetup(t.Context(), "../x"); !errors.Is(err, billing.ErrGatewayRefused) {
		t.Errorf("ReadSetup(../x): got %v, want ErrGatewayRefused", err)
	}
}
