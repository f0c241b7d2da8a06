package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(taxAnswersUp, taxAnswersDown) }

// taxAnswersUp adds what a tax service said of sales to a place, for some days, and
// for some minutes that it gave no answer.
func taxAnswersUp(app core.App) error {
	return create(app, table{
		name: "tax_answers",
		fields: []core.Field{
			need("service", 40), need("question", 400), &core.JSONField{Name: "answer", MaxSize: 10_000}, date("asked_at"),
		},
		indexes: []index{unique("idx_tax_answers_question", "`service`, `question`"), lookup("idx_tax_answers_asked", "`asked_at`")},
	})
}

func taxAnswersDown(app core.App) error { return drop(app, "tax_answers") }
