package billing

import "slices"

// GatewayChoice is a way to pay, as customers see it.
type GatewayChoice struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Kind  string `json:"kind"` // "redirect" or "instructions"
}

// Offered reports whether a way to pay is among the choices.
func Offered(choices []GatewayChoice, id string) bool {
	return slices.ContainsFunc(choices, func(c GatewayChoice) bool { return c.ID == id })
}

// Payment is how a customer pays an invoice, or how that went.
type Payment struct {
	Kind         string        `json:"kind"`  // "redirect", "instructions" or "none"
	State        string        `json:"state"` // of PaymentState, or "unknown"
	URL          string        `json:"url"`
	Instructions []Instruction `json:"instructions"`
	Reason       string        `json:"reason"`
}

// Instruction is one line of how to transfer money.
type Instruction struct {
	Label string `json:"label"`
	Value string `json:"value"`
}
