package taxes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/op"
)

const (
	// patience is how long a service may take: a customer waits for it.
	patience = 10 * time.Second
	// keptFor is how long an answer decides, and silentFor how long a service that
	// gave none is not asked about the same again.
	keptFor   = 3 * 24 * time.Hour
	silentFor = 10 * time.Minute
	// atOnce is how many questions are asked at the same time.
	atOnce = 8
)

// Again asks the tax service where an error says that it was not asked, and reports
// whether what failed can be done once more: it answered, or the settings let the
// table of rates decide meanwhile. Else it returns what to tell who waits. It runs
// outside of any transaction.
func (s *Subject) Again(ctx context.Context, app core.App, err error) (bool, error) {
	var unasked *tax.UnaskedError
	if !errors.As(err, &unasked) {
		return false, err
	}
	policy, failed := collections.LoadTaxing(app)
	if failed != nil {
		return false, failed
	}
	cause := s.consult(ctx, app, policy, unasked.Question)
	switch {
	case cause == nil || policy.WithoutAnswer == tax.OwnTable:
		return true, nil
	case errors.Is(cause, billing.ErrGatewayRefused):
		f := op.Fields{}
		f.Add("postcode", "unknown_place", "The tax for this address cannot be determined. Please check country, region and postcode.")
		return false, errors.Join(f.Problem(), cause)
	}
	return false, op.NewProblem(http.StatusServiceUnavailable, "tax_unavailable", "The tax cannot be determined just now. Nothing was changed; please try again in a few minutes.").Because(errors.Join(err, cause))
}

// Ready asks what is not known yet of how sales to customers are taxed, before they
// are invoiced together: one that could not be asked about is told by its invoice.
func (s *Subject) Ready(ctx context.Context, app core.App, users []string) error {
	policy, err := collections.LoadTaxing(app)
	if err != nil || policy.Calculator == "" || !policy.Enabled {
		return err
	}
	customers, err := collections.LoadCustomers(app, users)
	if err != nil {
		return err
	}
	open := map[tax.Question]bool{}
	for _, c := range customers {
		q, needed, err := tax.Ask(policy, c.TaxBuyer())
		if err != nil || !needed || open[q] {
			continue // the invoice names what is wrong with one customer
		}
		kept, err := collections.LoadTaxAnswer(app, policy.Calculator, q)
		if err != nil {
			return err
		}
		if !kept.Known && !kept.Failed {
			open[q] = true
		}
	}
	wait, places := sync.WaitGroup{}, make(chan struct{}, atOnce)
	for q := range open {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			_ = s.consult(ctx, app, policy, q) // it has logged and noted why
		})
	}
	wait.Wait()
	return nil
}

// consult asks the service and keeps its answer, or that there is none.
func (s *Subject) consult(ctx context.Context, app core.App, policy tax.Policy, q tax.Question) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	service, err := s.Service(app, policy.Calculator)
	answer := tax.Answer{}
	if err == nil {
		answer, err = service.TaxOf(ctx, q)
	}
	if err == nil {
		return collections.KeepTaxAnswer(app, policy.Calculator, q, &answer, s.Now())
	}
	app.Logger().Error("The tax service gave no answer", "service", policy.Calculator, "question", q.Key(), "then", policy.WithoutAnswer, "error", err)
	return errors.Join(fmt.Errorf("tax of a sale to %s: %w", q.Key(), err), collections.KeepTaxAnswer(app, policy.Calculator, q, nil, s.Now()))
}

// Forget deletes answers that are too old to decide, so that they are asked for
// again. It is a task of the schedule.
func (s *Subject) Forget(_ context.Context, app core.App, now time.Time) error {
	_, err := app.DB().NewQuery("DELETE FROM `tax_answers` WHERE `asked_at` < {:old} OR `asked_at` < {:silent} AND (`answer` IS NULL OR `answer` = 'null')").
		Bind(dbx.Params{"old": collections.Stamp(now.Add(-keptFor)).String(), "silent": collections.Stamp(now.Add(-silentFor)).String()}).Execute()
	if err != nil {
		return fmt.Errorf("forget old answers of the tax service: %w", err)
	}
	return nil
}
