package dunning

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

type movedRow struct {
	What     string `db:"what"`
	Status   string `db:"status"`
	Gateway  string `db:"gateway"`
	Method   string `db:"method"`
	Currency string `db:"currency"`
	Minor    int64  `db:"amount_minor"`
	At       string `db:"at"`
	Due      string `db:"due"`
}

// moved tells of money that went back of an invoice: refunds, and what banks
// dispute. The deadline of our evidence is for staff alone.
func (t *teller) moved(c *Case) error {
	rows := []movedRow{}
	err := collections.Statement(t.app, "SELECT 'refund' AS `what`, `r`.`status`, `r`.`gateway`, `p`.`gateway_method_id` AS `method`, `r`.`currency`, `r`.`amount_minor`, IIF(`r`.`settled_at` = '', `r`.`requested_at`, `r`.`settled_at`) AS `at`, '' AS `due`"+
		" FROM `refunds` `r` JOIN `payment_transactions` `p` ON `p`.`id` = `r`.`payment` WHERE `p`.`invoice` = {:invoice}"+
		" UNION ALL SELECT 'dispute', `d`.`status`, `d`.`gateway`, '', `d`.`currency`, `d`.`amount_minor`, IIF(`d`.`closed_at` = '', `d`.`opened_at`, `d`.`closed_at`), `d`.`evidence_due_at`"+
		" FROM `disputes` `d` JOIN `payment_transactions` `p` ON `p`.`id` = `d`.`payment` WHERE `p`.`invoice` = {:invoice}").
		Bind(dbx.Params{"invoice": c.Invoice.ID}).All(&rows)
	if err != nil {
		return fmt.Errorf("money that went back of invoice %s: %w", c.Invoice.Number, err)
	}
	for _, r := range rows {
		if err := t.back(c, r); err != nil {
			return fmt.Errorf("invoice %s: %w", c.Invoice.Number, err)
		}
	}
	return nil
}

func (t *teller) back(c *Case, r movedRow) error {
	at, err := collections.ParseStamp(r.At)
	if err != nil {
		return err
	}
	amount, err := money.New(r.Minor, r.Currency)
	if err != nil {
		return err
	}
	method, err := collections.MethodName(t.app, r.Method)
	if err != nil {
		return err
	}
	if method == "" {
		method = collections.GatewayName(r.Gateway)
	}
	status := r.Status
	if r.What == "refund" && (status == string(billing.RefundCreated) || status == string(billing.RefundUnknown)) {
		status = string(billing.RefundPending)
	}
	w := t.entry(c, r.What, at, false)
	w.Result, w.Amount, w.Method = status, &amount, method
	w.Text = t.text.Text("why."+r.What+"."+status, "invoice", t.title(c), "amount", t.text.Money(amount), "method", method)
	t.told = append(t.told, w)
	due, err := collections.ParseStamp(r.Due)
	if err != nil || due.IsZero() || !t.staff || strings.HasPrefix(status, "won") || status == string(billing.DisputeLost) {
		return err
	}
	e := t.entry(c, "dispute_evidence", due, due.After(t.now))
	e.Text = t.text.Text("why.dispute.evidence", "invoice", t.title(c))
	t.told = append(t.told, e)
	return nil
}
