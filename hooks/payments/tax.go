package payments

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/tax"
)

// TaxService is the gateway of a kind as one that decides taxes. Errors:
// billing.ErrNotConfigured where it is not set up, or decides none.
func (s *Subject) TaxService(app core.App, kind string) (tax.Service, error) {
	g, err := s.gateway(app, kind)
	if err != nil {
		return nil, err
	}
	service, ok := g.(tax.Service)
	if !ok {
		return nil, fmt.Errorf("gateway %s decides no taxes: %w", kind, billing.ErrNotConfigured)
	}
	return service, nil
}
