package dunning

import "time"

// What can hold a step up. Each returns the zero hold where it does not apply.

func (v *view) pausedHold() hold { return untilHold(v.now, Paused, v.f.PauseUntil) }

func (v *view) exemptHold() hold { return untilHold(v.now, Exempt, v.f.ExemptUntil) }

// untilHold is a hold with an end: at that moment it has lapsed.
func untilHold(now time.Time, why Reason, until time.Time) hold {
	if now.Before(until) {
		return hold{why, until.UTC()}
	}
	return hold{}
}

func (v *view) deliveryHold() hold {
	if v.f.DeliveredAt.IsZero() {
		return hold{reason: NotDelivered}
	}
	return hold{}
}

func (v *view) unmatchedHold() hold {
	if v.f.Unmatched {
		return hold{reason: UnmatchedMoney}
	}
	return hold{}
}

// attemptHold holds for PendingHoldDays after the last attempt with a result.
func (v *view) attemptHold(r Result, why Reason) hold {
	at, any := v.attempt(r)
	if !any {
		return hold{}
	}
	return untilHold(v.now, why, addDays(at, v.p.PendingHoldDays))
}

func (v *view) pendingHold() hold { return v.attemptHold(Pending, PaymentPending) }

func (v *view) unknownHold() hold { return v.attemptHold(Unknown, OutcomeUnknown) }

func (v *view) outageHold() hold {
	if v.f.Gateway.down() {
		return hold{reason: GatewayDown}
	}
	return hold{}
}

// recoveryHold gives charges time to be made before an outage of ours has
// consequences for the customer.
func (v *view) recoveryHold() hold {
	if v.f.Gateway.RecoveredAt.IsZero() {
		return hold{}
	}
	end := v.f.Gateway.RecoveredAt.Add(time.Duration(v.p.RecoveryGraceHours) * time.Hour)
	return untilHold(v.now, GatewayRecovers, end)
}

// chargeHold lets a charge that is due now go first: it may settle everything.
func (v *view) chargeHold() hold {
	if v.charges && v.charge.due(v.now) {
		return hold{reason: ChargeDue}
	}
	return hold{}
}

// noticeHold is what keeps notices, and all that follows them, from happening.
func (v *view) noticeHold() hold {
	return first(v.deliveryHold(), v.pausedHold(), v.unmatchedHold(), v.pendingHold(), v.unknownHold(), v.outageHold(), v.chargeHold())
}
