package e2e

import "testing"

// TestReinstallInThePortal deletes and installs a service anew: only for who types its
// name, with its steps live, and a new password at the end.
func TestReinstallInThePortal(t *testing.T) {
	d, b := browse(t)
	signIn(b, d, d.Customer)
	b.Open(d.Site + d.ownPages(t)[2].path)
	b.WaitText("SSH command")
	inspect(t, b, "service")
	look(b, "service")
	b.Click("Reinstall…")
	b.WaitText("cannot be brought back")
	b.WaitFor("dialog optgroup")
	b.MustBeAccessible(t, "dialog to reinstall")
	look(b, "service-reinstall")
	b.Click("css=dialog .btn.danger")
	b.WaitText("exactly as it stands here")
	b.MustBeAccessible(t, "dialog to reinstall, name missing")
	b.Fill("to confirm", "web-1.demo.example")
	b.Click("css=dialog .btn.danger")
	b.WaitText("Being reinstalled")
	b.WaitFor(".steps li[data-state=active]")
	b.MustBeAccessible(t, "service being reinstalled")
	look(b, "service-reinstalling")
	b.WaitText("Installed anew")
	b.WaitGone("Being reinstalled")
	b.MustBeClean(t)
}
