package stripebox

import (
	"cmp"
	"net/http"
	"strconv"
)

// serveMoney adds what banks and dashboards do with payments.
func (b *Box) serveMoney(on func(route string, h http.HandlerFunc)) {
	on("POST /_sandbox/payments/{id}/dispute", func(w http.ResponseWriter, r *http.Request) {
		id, err := b.Dispute(r.PathValue("id"), cmp.Or(r.FormValue("reason"), "fraudulent"), cmp.Or(r.FormValue("status"), "needs_response"))
		answerID(w, id, err)
	})
	on("POST /_sandbox/payments/{id}/refund", func(w http.ResponseWriter, r *http.Request) {
		amount, err := strconv.ParseInt(cmp.Or(r.FormValue("amount"), "0"), 10, 64)
		if err != nil {
			http.Error(w, "amount must be a number in the smallest unit", http.StatusBadRequest)
			return
		}
		id, err := b.RefundByHand(r.PathValue("id"), amount)
		answerID(w, id, err)
	})
	on("POST /_sandbox/disputes/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !b.MoveDispute(r.PathValue("id"), r.FormValue("status")) {
			http.Error(w, "no such dispute or status", http.StatusNotFound)
			return
		}
		done(w, r)
	})
	on("POST /_sandbox/refunds/{id}/fail", func(w http.ResponseWriter, r *http.Request) {
		if !b.FailRefund(r.PathValue("id"), cmp.Or(r.FormValue("reason"), "unknown")) {
			http.Error(w, "no such refund, or it has failed", http.StatusNotFound)
			return
		}
		done(w, r)
	})
}

func answerID(w http.ResponseWriter, id string, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	writeJSON(w, object{"id": id})
}
