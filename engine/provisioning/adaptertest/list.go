package adaptertest

import (
	"context"
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// testList lists everything a platform has: each of it once, in the words of Terms,
// or an error, after whatever happens between two pages.
func testList(t *testing.T, fresh func(*testing.T) Harness) {
	h := fresh(t)
	if _, ok := h.Adapter.(provisioning.Lister); !ok || h.Listed == nil {
		t.Skip("the platform lists nothing, or the list is tested elsewhere")
	}
	t.Run("undisturbed", func(t *testing.T) { testListed(t, fresh(t)) })
	for _, m := range Mishaps() {
		t.Run("first page, "+string(m), func(t *testing.T) {
			h := crowded(t, fresh)
			h.Break("list", m)
			mustRefuse(t, h, m)
		})
		t.Run("second page, "+string(m), func(t *testing.T) {
			h := crowded(t, fresh)
			h.Listed(func(n int) {
				if n == 1 {
					h.Break("list", m)
				}
			})
			mustRefuse(t, h, m)
		})
	}
	t.Run("one goes away while it is read", func(t *testing.T) {
		h := crowded(t, fresh)
		gone := h.Servers()[0].ID
		h.Listed(func(n int) {
			if n == 1 {
				h.Destroy(gone)
			}
		})
		if _, err := list(t, h); !errors.Is(err, provisioning.ErrTemporary) {
			t.Errorf("List = %v, want ErrTemporary: another one may have been passed over", err)
		}
		if all, err := list(t, h); err != nil || len(all) != len(h.Servers()) {
			t.Errorf("List afterwards = %d servers, %v; want %d", len(all), err, len(h.Servers()))
		}
	})
	t.Run("one appears while it is read", func(t *testing.T) {
		h := crowded(t, fresh)
		before := h.Servers()
		h.Listed(func(n int) {
			if n == 1 {
				h.Crowd(1)
			}
		})
		all, err := list(t, h)
		if err != nil && !errors.Is(err, provisioning.ErrTemporary) {
			t.Errorf("List = %v, want all or ErrTemporary", err)
		}
		for _, s := range before {
			if _, there := all[s.ID]; err == nil && !there {
				t.Errorf("server %s is not in the list", s.ID)
			}
		}
	})
	t.Run("the reader gives up", func(t *testing.T) { testListStopped(t, crowded(t, fresh)) })
}

// crowded is a platform whose list has more than one page.
func crowded(t *testing.T, fresh func(*testing.T) Harness) Harness {
	t.Helper()
	h := fresh(t)
	newDriver(h, 1).mustFinish(t)
	h.Crowd(h.CrowdSize)
	return h
}

// list reads the list; each entry must come once.
func list(t *testing.T, h Harness) (map[string]provisioning.Seen, error) {
	t.Helper()
	all := map[string]provisioning.Seen{}
	err := withDeadline(t.Context(), h, func(ctx context.Context) error {
		return h.Adapter.(provisioning.Lister).List(ctx, func(s provisioning.Seen) error {
			if _, again := all[s.RemoteID]; again {
				t.Errorf("server %s is listed twice", s.RemoteID)
			}
			all[s.RemoteID] = s
			return nil
		})
	})
	return all, err
}

func mustRefuse(t *testing.T, h Harness, m Mishap) {
	t.Helper()
	want := provisioning.ErrTemporary
	if m == Unauthorized || m == Forbidden {
		want = provisioning.ErrCredentials
	}
	all, err := list(t, h)
	switch {
	case m == LostAnswer && err == nil && len(all) == len(h.Servers()): // reading is repeated by itself
	case m == Locked && err != nil: // how a panel says that is its own
	case !errors.Is(err, want):
		t.Errorf("List = %d servers, %v; want %v", len(all), err, want)
	}
	h.Sleep(pause)
	if all, err := list(t, h); err != nil || len(all) != len(h.Servers()) {
		t.Errorf("List afterwards = %d servers, %v; want %d", len(all), err, len(h.Servers()))
	}
}

func testListed(t *testing.T, h Harness) {
	a, b := newDriver(h, 1), newDriver(h, 2)
	a.mustFinish(t)
	b.mustFinish(t)
	if s, ok := h.Adapter.(provisioning.Suspender); ok {
		repeat(t, h, "suspend", func(ctx context.Context) error { return s.Suspend(ctx, a.build.RemoteID) })
	}
	all, err := list(t, h)
	if err != nil || len(all) != 2 {
		t.Fatalf("List = %+v, %v; want two servers", all, err)
	}
	mustBeListed(t, h, all[a.build.RemoteID], a, true)
	mustBeListed(t, h, all[b.build.RemoteID], b, false)
	h.Destroy(a.build.RemoteID)
	if all, err := list(t, h); err != nil || len(all) != 1 || all[b.build.RemoteID].RemoteID == "" {
		t.Errorf("after one is gone: %+v, %v; want the other", all, err)
	}
	if h.BadKey != nil {
		h.Adapter = h.BadKey()
		if _, err := list(t, h); !errors.Is(err, provisioning.ErrCredentials) {
			t.Errorf("with a wrong key = %v, want ErrCredentials", err)
		}
	}
}

// mustBeListed wants a server as it was built.
func mustBeListed(t *testing.T, h Harness, s provisioning.Seen, d *driver, suspended bool) {
	t.Helper()
	key, plan := h.Adapter.(provisioning.Lister).Terms(d.build.RemoteID, d.order.Settings)
	if key == "" || s.Key != key || !s.Ours || s.Suspended != suspended || s.Name == "" {
		t.Errorf("%+v: want key %q, ours, suspended %t and a name", s, key, suspended)
	}
	if s.ServiceID != "" && s.ServiceID != d.order.ServiceID || s.Owner != "" && s.Owner != d.build.RemoteUser || s.Plan != "" && s.Plan != plan {
		t.Errorf("%+v: want service %s of user %s with %q, or nothing said of it", s, d.order.ServiceID, d.build.RemoteUser, plan)
	}
	mustListAddresses(t, s, d)
}

// mustListAddresses wants those of the build, or none at all.
func mustListAddresses(t *testing.T, s provisioning.Seen, d *driver) {
	t.Helper()
	if len(s.Addresses) == 0 {
		return
	}
	if len(s.Addresses) != len(d.build.Addresses) {
		t.Errorf("server %s is listed with %v, built with %v", s.RemoteID, s.Addresses, d.build.Addresses)
		return
	}
	for n, a := range d.build.Addresses {
		if s.Addresses[n] != a.IP {
			t.Errorf("server %s is listed with %v, built with %v", s.RemoteID, s.Addresses, d.build.Addresses)
		}
	}
}

// errEnough says that the reader wants no more.
var errEnough = errors.New("enough")

func testListStopped(t *testing.T, h Harness) {
	n := 0
	err := h.Adapter.(provisioning.Lister).List(t.Context(), func(provisioning.Seen) error {
		n++
		return errEnough
	})
	if !errors.Is(err, errEnough) || n != 1 {
		t.Errorf("List = %v after %d entries, want the reader's error after 1", err, n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Adapter.(provisioning.Lister).List(ended, func(provisioning.Seen) error { return nil }); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("List with a context that has ended = %v, want ErrTemporary", err)
	}
}
