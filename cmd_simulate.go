package main

import (
	"fmt"
	"io/fs"
	"runtime/debug"

	"github.com/pocketbase/pocketbase"
	"github.com/spf13/cobra"

	"github.com/ezscale/ezscale/internal/sim"
)

// simulateCommand lives through years of business in seconds and proves the
// books after each day.
func simulateCommand(app *pocketbase.PocketBase) *cobra.Command {
	o, years := sim.Options{}, 0
	c := &cobra.Command{
		Use: "simulate", Short: "Simulates years of business, with faults, and proves the books after each day",
		Long: "Simulates years of business with the real product, a moved clock and sandbox vendors, and proves the books after each day.\n" +
			"The same seed gives the same books; the last line is their hash. With --dir the data stay there, and DIR must be empty.",
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public, err := fs.Sub(embedded, "pb_public")
			if err != nil {
				return fmt.Errorf("embedded files: %w", err)
			}
			if o.Days == 0 {
				o.Days = years * 365
			}
			o.Dir, o.Public = app.DataDir(), public
			debug.SetGCPercent(1000) // memory is plenty, time is not
			summary, err := sim.Run(o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), summary)
			return err
		},
	}
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "what decides everything that happens")
	c.Flags().IntVar(&years, "years", 1, "how long the business runs")
	c.Flags().IntVar(&o.Days, "days", 0, "the same in days, instead of years")
	c.Flags().IntVar(&o.Customers, "customers", 20, "how many people come in the first half of the time")
	c.Flags().BoolVar(&o.Faults, "faults", false, "vendors fail, webhooks get lost, the process dies between any two writes")
	return c
}
