package provisioning

import "context"

// Adopter takes an existing server of its platform for a service under construction,
// because a person says that it is the one: its answer was lost for good, or it was
// made by hand.
type Adopter interface {
	// Adopt compares a server with the service and its customer and returns b moved on
	// to what comes after a server's creation. It changes nothing at the platform. An
	// ErrPermanent says in words why it cannot be this service's server: it belongs to
	// somebody else, or to another service. ErrTemporary: it cannot be told now.
	Adopt(ctx context.Context, o Order, b Build, remoteID string) (Build, error)
}

// Skipper says which steps of a build can be left out.
type Skipper interface {
	// Skip returns b moved on past b.Step, or an ErrPermanent with the reason why that
	// step cannot be left out. It calls nobody.
	Skip(b Build) (Build, error)
}
