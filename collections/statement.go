package collections

import (
	"sync"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// statements keeps, for each open transaction, the statements it has prepared.
// Finding the parameters in a text takes longer than many a short statement runs,
// and a batch of payments runs the same dozen statements for each of them.
var statements sync.Map // dbx.Builder of a transaction → map[string]*dbx.Query

// Statement returns the query of a text with named parameters. Inside a
// transaction each text is prepared once, so use it for texts that do not vary;
// the query belongs to the transaction and is not safe for concurrent use, as
// the transaction itself is not.
func Statement(app core.App, text string) *dbx.Query {
	info := app.TxInfo()
	if info == nil {
		return app.DB().NewQuery(text)
	}
	tx := app.NonconcurrentDB()
	known, ok := statements.Load(tx)
	if !ok {
		known = map[string]*dbx.Query{}
		statements.Store(tx, known)
		info.OnComplete(func(error) error {
			statements.Delete(tx) // the driver closed the statements with the transaction
			return nil
		})
	}
	prepared, _ := known.(map[string]*dbx.Query)
	q, ok := prepared[text]
	if !ok {
		q = tx.NewQuery(text).Prepare()
		if q.LastError != nil {
			return q
		}
		prepared[text] = q
	}
	return q
}
