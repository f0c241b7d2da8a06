package agreements_test

import "github.com/ezscale/ezscale/integrations/sandbox/fault"

// faultOn makes the next calls fail before they have an effect.
func faultOn(match string, times int) fault.Fault {
	return fault.Fault{Match: match, Kind: fault.Error500, Times: times}
}

// lostOn makes the next calls have their effect and lose the answer.
func lostOn(match string, times int) fault.Fault {
	return fault.Fault{Match: match, Kind: fault.LostAnswer, Times: times}
}
