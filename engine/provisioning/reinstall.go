package provisioning

import "context"

// Image is something that can be installed on a service, as its platform offers it.
type Image struct {
	ID      string
	Name    string // "Debian 12 (Bookworm) Minimal"
	Family  string // "Debian"
	Current bool   // it is what is installed now
	Old     bool   // its maker does not support it any more
}

// Reinstaller installs the system of a built service anew, which destroys what is on
// it. That is done in steps, as a build is, and the same holds for its outcomes. All
// methods are safe for concurrent use.
type Reinstaller interface {
	// Images lists what can be installed on a service; it changes nothing.
	Images(ctx context.Context, o Order, remoteID string) ([]Image, error)
	// ReinstallSteps names the steps in order. The first one only looks: what is
	// refused there has destroyed nothing.
	ReinstallSteps() []string
	// Reinstall does the one step b.Step names (the first when "") and returns what is
	// known afterwards. b holds RemoteUser and RemoteID from the start; image is one of
	// Images. Where the sign-in changes, Secret is the new one. Errors as of
	// Creator.Advance.
	Reinstall(ctx context.Context, o Order, image string, b Build) (Build, error)
	// RecoverReinstall finds out what an interrupted Reinstall of b.Step left behind,
	// as Creator.Recover does for Advance. Where that cannot be told once a call can
	// come no more, it counts as not done: a system without data of the customer is
	// then installed twice.
	RecoverReinstall(ctx context.Context, o Order, image string, b Build) (Build, error)
}

// FindImage returns the image with an id; ok is false when it is not offered.
func FindImage(images []Image, id string) (img Image, ok bool) {
	for _, img = range images {
		if img.ID == id {
			return img, true
		}
	}
	return Image{}, false
}

// Anew is the reinstallation of a service with an image, done by the steps of a
// Creator.
func Anew(r Reinstaller, image string) Creator { return anew{r, image} }

type anew struct {
	r     Reinstaller
	image string
}

// Steps are those of the reinstallation.
func (a anew) Steps() []string { return a.r.ReinstallSteps() }

// Advance does one of them.
func (a anew) Advance(ctx context.Context, o Order, b Build) (Build, error) {
	return a.r.Reinstall(ctx, o, a.image, b)
}

// Recover finds out what an interrupted one left behind.
func (a anew) Recover(ctx context.Context, o Order, b Build) (Build, error) {
	return a.r.RecoverReinstall(ctx, o, a.image, b)
}
