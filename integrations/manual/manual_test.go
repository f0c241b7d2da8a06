package manual

import (
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
)

func TestContractByHand(t *testing.T) { adaptertest.RunByHand(t, New()) }
