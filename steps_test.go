package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/ezscale/ezscale/integrations/enhance"
	"github.com/ezscale/ezscale/integrations/manual"
	"github.com/ezscale/ezscale/integrations/pterodactyl"
	"github.com/ezscale/ezscale/integrations/synergycp"
	"github.com/ezscale/ezscale/integrations/virtfusion"
)

// TestEveryStepOfABuildHasAName: customers watch their service being built, whichever
// platform builds it.
func TestEveryStepOfABuildHasAName(t *testing.T) {
	steps := map[string][]string{
		"virtfusion": new(virtfusion.Client).Steps(), "virtfusion, reinstall": new(virtfusion.Client).ReinstallSteps(),
		"pterodactyl": new(pterodactyl.Client).Steps(), "pterodactyl, reinstall": new(pterodactyl.Client).ReinstallSteps(),
		"synergycp": new(synergycp.Client).Steps(), "enhance": new(enhance.Client).Steps(), "manual": manual.New().Steps(),
	}
	for _, language := range []string{"en", "de"} {
		raw, err := os.ReadFile("pb_public/locales/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		words := map[string]string{}
		if err := json.Unmarshal(raw, &words); err != nil {
			t.Fatal(err)
		}
		for platform, names := range steps {
			for _, name := range names {
				if words["step."+name] == "" {
					t.Errorf("%s: step %q of %s has no name", language, name, platform)
				}
			}
		}
	}
}
