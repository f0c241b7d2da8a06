package taxes

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

type ratesAnswer struct {
	Added int `json:"added"`
	Kept  int `json:"kept"`
}

// seedRates adds the standard rates of the Union's member states that the table
// lacks. What staff has entered stays; adding twice changes nothing.
func (s *Subject) seedRates(r *op.Request, _ op.None) (ratesAnswer, error) {
	answer := ratesAnswer{}
	err := r.App.RunInTransaction(func(tx core.App) error {
		for _, rate := range tax.StandardRates() {
			_, added, err := collections.Row(tx, collections.TaxRates, r.Now(), dbx.Params{
				"name": rate.Name, "country": rate.Country, "region": "", "level": rate.Level, "ppm": rate.PPM, "compound": false, "consumers_only": false,
				"valid_from": collections.Stamp(rate.ValidFrom).String(),
			})
			if err != nil {
				return err
			}
			if added {
				answer.Added++
			} else {
				answer.Kept++
			}
		}
		return audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "tax_rates.seed", Resource: collections.TaxRates, IP: r.RealIP(), UserAgent: r.Agent(),
			Changes: map[string]any{"added": answer.Added, "kept": answer.Kept},
		})
	})
	return answer, err
}
