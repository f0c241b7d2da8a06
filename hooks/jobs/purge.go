package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// purgeBatch bounds how many jobs are deleted in one commit.
const purgeBatch = 500

// Purge deletes jobs that were done before a moment, in batches. What waits, runs or
// was given up stays, however old it is: a person closes it.
func Purge(ctx context.Context, app core.App, before time.Time) error {
	for ctx.Err() == nil {
		// Who is done was due before that, and the index over state and due time keeps
		// the look at younger ones short.
		res, err := app.DB().NewQuery("DELETE FROM `jobs` WHERE `id` IN (SELECT `id` FROM `jobs` WHERE `state` = 'done' AND `next_at` < {:before} AND `done_at` < {:before} LIMIT {:n})").
			Bind(dbx.Params{"before": collections.Stamp(before).String(), "n": purgeBatch}).Execute()
		if err != nil {
			return fmt.Errorf("purge jobs: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("purge jobs: %w", err)
		}
		if n < purgeBatch {
			break
		}
	}
	return nil
}
